// SPDX-License-Identifier: Apache-2.0
#include "gateway/json_template.h"

#include "core/json.h"
#include "core/result.h"
#include "http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

bool is_name_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

// The name of the placeholder at the start of the text; empty when there is none.
std::string_view placeholder_at(std::string_view text) {
    if (text.empty() || text.front() != '{') {
        return {};
    }
    const std::size_t end = text.find('}');
    if (end == std::string_view::npos || end == 1) {
        return {};
    }
    const std::string_view name = text.substr(1, end - 1);
    return std::ranges::all_of(name, is_name_character) ? name : std::string_view();
}

std::string percent_encoded(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return out;
}

// The parser of the file bounds the depth.
bool names_it(const json::Value& pattern, std::string_view name) {  // NOLINT(misc-no-recursion)
    if (const std::string* text = pattern.if_string()) {
        return text->find(fmt::format("{{{}}}", name)) != std::string::npos;
    }
    if (const json::Array* list = pattern.if_array()) {
        return std::ranges::any_of(*list,
                                   [&](const json::Value& each) { return names_it(each, name); });
    }
    const json::Object* members = pattern.if_object();
    return members != nullptr && std::ranges::any_of(*members, [&](const json::Member& each) {
               return names_it(each.second, name);
           });
}

}  // namespace

Result<JsonPointer> JsonPointer::parse(std::string_view text) {
    JsonPointer pointer;
    if (!text.empty() && text.front() != '/') {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("\"{}\" is no JSON pointer; it begins with a slash", text)};
    }
    while (!text.empty()) {
        text.remove_prefix(1);
        const std::string_view raw = text.substr(0, text.find('/'));
        text.remove_prefix(raw.size());
        std::string step;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            if (raw[i] != '~') {
                step += raw[i];
                continue;
            }
            const char next = i + 1 < raw.size() ? raw[++i] : ' ';
            if (next != '0' && next != '1') {
                return Error{ErrorCode::kInvalidArgument,
                             "in a JSON pointer \"~\" is written ~0, and \"/\" is written ~1"};
            }
            step += next == '0' ? '~' : '/';
        }
        pointer.steps_.push_back(std::move(step));
    }
    return pointer;
}

const json::Value* JsonPointer::find(const json::Value& value) const noexcept {
    constexpr std::size_t kDigitsMax = 6;
    const json::Value* at = &value;
    for (const std::string& step : steps_) {
        const json::Array* list = at->if_array();
        if (list == nullptr) {
            at = at->find(step);
        } else {
            const bool digits = !step.empty() && step.size() <= kDigitsMax &&
                                step.find_first_not_of("0123456789") == std::string::npos;
            const std::size_t index = digits ? std::stoul(step) : list->size();
            at = index < list->size() ? &(*list)[index] : nullptr;
        }
        if (at == nullptr) {
            return nullptr;
        }
    }
    return at;
}

std::string plain_text(const json::Value& value) {
    if (value.is_null()) {
        return {};
    }
    const std::string* text = value.if_string();
    return text == nullptr ? json::write(value) : *text;
}

std::string fill_text(std::string_view pattern,
                      const std::function<std::string(std::string_view)>& text_of) {
    std::string out;
    while (!pattern.empty()) {
        const std::string_view name = placeholder_at(pattern);
        if (name.empty()) {
            out += pattern.front();
            pattern.remove_prefix(1);
        } else {
            out += text_of(name);
            pattern.remove_prefix(name.size() + 2);
        }
    }
    return out;
}

// The depth is that of the template, which was bounded when it was read.
json::Value fill_value(const json::Value& pattern,  // NOLINT(misc-no-recursion)
                       const PlaceholderValue& value_of) {
    if (const std::string* text = pattern.if_string()) {
        const std::string_view name = placeholder_at(*text);
        if (!name.empty() && name.size() + 2 == text->size()) {
            return value_of(name);
        }
        return fill_text(*text, [&](std::string_view each) { return plain_text(value_of(each)); });
    }
    if (const json::Array* list = pattern.if_array()) {
        json::Array out;
        for (const json::Value& each : *list) {
            out.push_back(fill_value(each, value_of));
        }
        return out;
    }
    if (const json::Object* members = pattern.if_object()) {
        json::Object out;
        for (const auto& [name, value] : *members) {
            json::Value made = fill_value(value, value_of);
            if (!made.is_null() || value.is_null()) {
                out.emplace_back(name, std::move(made));
            }
        }
        return out;
    }
    return pattern;
}

std::string fill_path(std::string_view pattern, const PlaceholderValue& value_of) {
    return fill_text(pattern, [&](std::string_view name) {
        return percent_encoded(plain_text(value_of(name)));
    });
}

Result<http::Headers> fill_headers(const http::Headers& patterns,
                                   const std::function<std::string(std::string_view)>& text_of) {
    http::Headers out;
    for (const http::Header& each : patterns) {
        std::string value = fill_text(each.value, text_of);
        if (value.find_first_of("\r\n") != std::string::npos) {
            return Error{ErrorCode::kInvalidArgument, "a header of the upstream has a line break"};
        }
        out.push_back({each.name, std::move(value)});
    }
    return out;
}

bool has_placeholder(const RequestTemplate& request, std::string_view name) {
    return names_it(request.body, name) || names_it(json::Value(request.path), name);
}

}  // namespace colophon::gateway
