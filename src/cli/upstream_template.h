// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file that describes an upstream (docs/reference/configuration.md, "Upstream templates").

#include "core/result.h"
#include "gateway/template_upstream.h"

#include <string>

namespace colophon::cli {

// kInvalidArgument names file, line and key; an unknown key is wrong.
Result<gateway::UpstreamTemplate> read_upstream_template(const std::string& path);

}  // namespace colophon::cli
