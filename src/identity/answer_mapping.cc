// SPDX-License-Identifier: Apache-2.0
#include "identity/answer_mapping.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/limits.h"
#include "identity/verification.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

constexpr std::size_t kPathBytesMax = 256;
constexpr std::size_t kPathStepsMax = 16;
constexpr std::size_t kCleanCharsMax = 64;

Error bad_path(std::string_view text, std::string_view why) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' is no path into JSON: {}", text.substr(0, kPathBytesMax), why)};
}

// Codes and references of providers go to operators and logs, so nothing else passes: a provider
// that echoes a name or a number into them does not get it there by way of a blank or a Chinese
// character, and long runs of digits are cut by the caller's own masks.
std::string cleaned(const std::optional<std::string>& text) {
    if (!text || text->size() > kCleanCharsMax) {
        return {};
    }
    const bool clean = std::ranges::all_of(*text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '.' || c == '_' || c == '-';
    });
    return clean ? *text : std::string();
}

const json::Value* only_member(const json::Value& value, std::string_view name) {
    const json::Object* object = value.if_object();
    if (object == nullptr) {
        return nullptr;
    }
    const json::Value* found = nullptr;
    for (const auto& [member, content] : *object) {
        if (member == name) {
            if (found != nullptr) {
                return nullptr;
            }
            found = &content;
        }
    }
    return found;
}

std::optional<Outcome> look_up(const std::vector<std::pair<std::string, Outcome>>& table,
                               const std::optional<std::string>& value) {
    if (!value) {
        return std::nullopt;
    }
    const auto found = std::ranges::find(table, *value, [](const auto& row) { return row.first; });
    return found == table.end() ? std::nullopt : std::optional(found->second);
}

Outcome by_status(int status) noexcept {
    switch (status) {
        case 429:
        case 503:
            return Outcome::kProviderBusy;
        case 408:
        case 504:
            return Outcome::kTimeout;
        default:
            return Outcome::kProviderError;
    }
}

bool meets(const json::Value& root, const AnswerMapping& mapping) {
    return std::ranges::all_of(
        mapping.required, [&](const auto& row) { return value_at(root, row.first) == row.second; });
}

}  // namespace

Result<JsonPath> parse_json_path(std::string_view text) {
    if (text.size() > kPathBytesMax) {
        return bad_path(text, "it is too long");
    }
    JsonPath path;
    std::size_t at = 0;
    while (at < text.size()) {
        if (path.steps.size() >= kPathStepsMax) {
            return bad_path(text, "it has too many steps");
        }
        if (text[at] == '[') {
            const std::size_t end = text.find(']', at);
            std::size_t index = 0;
            const char* const first = text.data() + at + 1;
            const char* const last = text.data() + std::min(end, text.size());
            const auto read = std::from_chars(first, last, index);
            if (end == std::string_view::npos || read.ec != std::errc() || read.ptr != last ||
                index > kJsonIndexMax) {
                return bad_path(text, "between [ and ] stands a number");
            }
            path.steps.push_back({.member = {}, .index = index});
            at = end + 1;
            if (at < text.size() && text[at] == '.') {
                ++at;
            }
            continue;
        }
        const std::size_t end = std::min(text.find_first_of(".[", at), text.size());
        if (end == at || (end < text.size() && text[end] == '.' && end + 1 == text.size())) {
            return bad_path(text, "a name between two dots is missing");
        }
        path.steps.push_back({.member = std::string(text.substr(at, end - at)), .index = 0});
        at = end < text.size() && text[end] == '.' ? end + 1 : end;
    }
    if (path.steps.empty()) {
        return bad_path(text, "it is empty");
    }
    return path;
}

std::optional<std::string> value_at(const json::Value& root, const JsonPath& path) {
    const json::Value* value = &root;
    for (const JsonPath::Step& step : path.steps) {
        if (!step.member.empty()) {
            value = only_member(*value, step.member);
        } else {
            const json::Array* array = value->if_array();
            value =
                array != nullptr && step.index < array->size() ? &(*array)[step.index] : nullptr;
        }
        if (value == nullptr) {
            return std::nullopt;
        }
    }
    if (const std::string* text = value->if_string()) {
        return *text;
    }
    if (const bool* truth = value->if_bool()) {
        return *truth ? "true" : "false";
    }
    const auto number = value->as_int();
    return number.ok() ? std::optional(std::to_string(*number)) : std::nullopt;
}

MappedAnswer map_answer(int status, Bytes body, const AnswerMapping& mapping) {
    const bool good_status = status >= 200 && status < 300;
    MappedAnswer answer;
    answer.outcome = good_status ? Outcome::kProviderError : by_status(status);
    const auto root = json::parse(as_text(body), {.bytes_max = kProviderAnswerBytesMax});
    if (!root.ok()) {
        return answer;
    }
    if (mapping.reference) {
        answer.reference = cleaned(value_at(*root, *mapping.reference));
    }
    if (good_status && meets(*root, mapping)) {
        const auto value = value_at(*root, mapping.outcome);
        if (const auto known = look_up(mapping.outcomes, value)) {
            answer.outcome = *known;
            answer.code = cleaned(value);
            return answer;
        }
    }
    if (mapping.error) {
        const auto value = value_at(*root, *mapping.error);
        answer.code = cleaned(value);
        answer.outcome = look_up(mapping.errors, value).value_or(answer.outcome);
    }
    return answer;
}

}  // namespace colophon::identity
