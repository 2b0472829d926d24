// SPDX-License-Identifier: Apache-2.0
#include "http/json_body.h"

#include "core/json.h"
#include "core/result.h"

#include <fmt/format.h>

#include <string_view>

namespace colophon::http {

Result<json::Value> read_json_object(std::string_view text) {
    auto parsed = json::parse(
        text, {.depth_max = kBodyDepthMax, .bytes_max = text.size() + 1, .unique_names = true});
    if (!parsed.ok()) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the body is no JSON: {}", parsed.error().what)};
    }
    if (parsed->if_object() == nullptr) {
        return Error{ErrorCode::kInvalidArgument, "the body is no JSON object"};
    }
    return parsed;
}

}  // namespace colophon::http
