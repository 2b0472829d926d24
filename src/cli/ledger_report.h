// SPDX-License-Identifier: Apache-2.0
#pragma once

// What `colophon ledger` says: one JSON object for programs (docs/reference/json.md), a few lines
// of plain words for people.

#include "core/json.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/log.h"
#include "ledger/verify/proof.h"
#include "ledger/verify/result.h"

#include <string>

namespace colophon::cli {

json::Value checkpoint_json(const std::string& file,
                            const ledger::verify::CheckpointReport& report);
json::Value log_json(const std::string& file, const ledger::verify::LogReport& report);
json::Value proof_json(const std::string& file, const ledger::verify::ProofReport& report);
json::Value result_json(const std::string& file, const ledger::verify::ResultReport& report);

std::string checkpoint_text(const std::string& file,
                            const ledger::verify::CheckpointReport& report);
std::string log_text(const std::string& file, const ledger::verify::LogReport& report);
std::string proof_text(const std::string& file, const ledger::verify::ProofReport& report);
std::string result_text(const std::string& file, const ledger::verify::ResultReport& report);

}  // namespace colophon::cli
