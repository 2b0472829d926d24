// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file that describes a classifier of others (docs/reference/configuration.md, "Check
// templates").

#include "core/result.h"
#include "gateway/template_check.h"

#include <string>

namespace colophon::cli {

// kInvalidArgument names file, line and key; an unknown key is wrong, and so is an answer of which
// nothing says what it found.
Result<gateway::CheckTemplate> read_check_template(const std::string& path);

}  // namespace colophon::cli
