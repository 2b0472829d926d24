// SPDX-License-Identifier: Apache-2.0
#pragma once

// The part of YAML 1.2 in which labels were seen: block and flow mappings, flow sequences, and
// scalars plain, quoted, literal (|) and folded (>). No block sequences, no aliases, no tags: a
// value that needs them is an error, and its reader then shows the text as it stands.

#include "core/json.h"
#include "core/result.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {

struct YamlKey {
    std::string name;
    std::size_t size = 0;  // up to and with the colon
};

// The key at the start of a line without its indentation: `name:`, 'name': or "name": with white
// space or the end of the line behind it.
std::optional<YamlKey> read_yaml_key(std::string_view line);

// The value behind a key of a block mapping. `text` starts behind the colon and goes to the end of
// the value, `indent` is the column of the key. Scalars become strings, plain decimal integers of
// at most 18 digits numbers, nothing becomes an empty string. Nesting is bounded by
// limits::kContainerDepthMax. kCorrupt for what is no such value.
Result<json::Value> read_yaml_value(std::string_view text, std::size_t indent);

// The string as a scalar on one line: in single quotes, or in double quotes where it holds control
// characters.
std::string quote_yaml(std::string_view text);

}  // namespace colophon::label::internal
