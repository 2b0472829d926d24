// SPDX-License-Identifier: Apache-2.0
#pragma once

// What files that describe a request have in common: those of upstreams (cli/upstream_template.h)
// and of checks (cli/check_template.h). Every error is kInvalidArgument and names file, line and
// key; an unknown key is wrong.

#include "core/result.h"
#include "gateway/json_template.h"

#include <toml++/toml.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {

// The file as a table, and its bytes.
Result<toml::table> read_template_file(const std::string& path, std::string& bytes);

Error wrong_template(const std::string& path, const toml::node& node, std::string_view what);
Result<std::string> template_text(const std::string& path, std::string_view key,
                                  const toml::node& node);
Result<gateway::JsonPointer> template_pointer(const std::string& path, const toml::node& node,
                                              std::string_view text);
Result<void> read_template_words(const std::string& path, std::string_view key,
                                 const toml::node& node, std::vector<std::string>& to);
// The section [request], with [request.headers].
Result<void> read_template_request(const std::string& path, const toml::node& node,
                                   gateway::RequestTemplate& to);
// JSON, where there is a body and no header says otherwise.
void add_content_type(gateway::RequestTemplate& to);

}  // namespace colophon::cli
