// SPDX-License-Identifier: Apache-2.0
#pragma once

// From what a provider answered to what it means. Nothing is a match but what the template maps to
// match by an exact value, in an answer with a good status in which every required value stands.

#include "core/bytes.h"
#include "core/json.h"
#include "identity/verification.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {

// "ResultObject.BizCode", "data[0].result": members by name, elements by number.
struct JsonPath {
    struct Step {
        std::string member;  // when it is empty, `index` counts
        std::size_t index = 0;
    };
    std::vector<Step> steps;
};

// kInvalidArgument names the place; at most 256 bytes and 16 steps. Names are what stands between
// the dots and brackets.
Result<JsonPath> parse_json_path(std::string_view text);

// The text, integer or boolean at that place, as text. Nothing when there is none, when it is an
// object, an array, null or a fraction, or when a member on the way stands there twice: then
// readers of JSON differ, and no side is taken.
std::optional<std::string> value_at(const json::Value& root, const JsonPath& path);

struct AnswerMapping {
    std::vector<std::pair<JsonPath, std::string>> required;  // path and exact value
    JsonPath outcome;
    std::vector<std::pair<std::string, Outcome>> outcomes;
    std::optional<JsonPath> error;
    std::vector<std::pair<std::string, Outcome>> errors;  // never kMatch
    std::optional<JsonPath> reference;
};

struct MappedAnswer {
    Outcome outcome = Outcome::kProviderError;
    std::string code;       // the provider's own, cleaned
    std::string reference;  // cleaned
};

MappedAnswer map_answer(int status, Bytes body, const AnswerMapping& mapping);

}  // namespace colophon::identity
