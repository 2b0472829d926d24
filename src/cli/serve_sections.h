// SPDX-License-Identifier: Apache-2.0
#pragma once

// How the sections of the server are read out of TOML; for cli/config.cc.

#include "cli/serve_config.h"
#include "core/result.h"

#include <toml++/toml.h>

#include <string>
#include <string_view>

namespace colophon::cli {

// Whether the server reads a section, or list of sections, of that name.
bool is_serve_section(std::string_view name) noexcept;
// kInvalidArgument names file, line and key.
Result<void> read_serve_section(const std::string& path, std::string_view name,
                                const toml::node& node, ServeConfig& config);
// COLOPHON_SERVER_ADDRESS and so on.
Result<void> read_serve_environment(ServeConfig& config);

}  // namespace colophon::cli
