// SPDX-License-Identifier: Apache-2.0
#pragma once

// The body of a request that is to be a JSON object, read the same way wherever it comes in.

#include "core/json.h"
#include "core/result.h"

#include <cstddef>
#include <string_view>

namespace colophon::http {

inline constexpr std::size_t kBodyDepthMax = 64;

// `text` was read within its limit. A name that stands twice in one object is refused: what one
// reader looks at and what another obeys could differ. kInvalidArgument says what is wrong.
Result<json::Value> read_json_object(std::string_view text);

}  // namespace colophon::http
