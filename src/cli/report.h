// SPDX-License-Identifier: Apache-2.0
#pragma once

// What label and verify say about a file: one JSON object for programs (docs/reference/json.md),
// one screen of plain words for people.

#include "core/json.h"
#include "label/format.h"
#include "label/verify.h"
#include "worker/protocol.h"

#include <string>

namespace colophon::cli {

// Where a labelled file went.
struct Written {
    std::string file;
    std::string credential;  // that lies beside it; empty: none
};

json::Value verification_json(const std::string& file, const label::Verification& seen);
json::Value label_json(const std::string& file, const Written& written, label::Format format,
                       const worker::LabelReport& report);
json::Value error_json(const std::string& file, const Error& error);

// A whole screen for one file; one line each when there are many.
std::string verification_text(const std::string& file, const label::Verification& seen);
std::string verification_line(const std::string& file, const label::Verification& seen);
std::string label_text(const std::string& file, const Written& written, label::Format format,
                       const worker::LabelReport& report);

}  // namespace colophon::cli
