// SPDX-License-Identifier: Apache-2.0
#include "gateway/json_edit.h"

#include "core/json.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {

json::Value* member(json::Value& value, std::string_view name) noexcept {
    json::Object* object = value.if_object();
    if (object != nullptr) {
        for (json::Member& each : *object) {
            if (each.first == name) {
                return &each.second;
            }
        }
    }
    return nullptr;
}

void set_member(json::Value& value, std::string_view name, json::Value to) {
    if (json::Value* there = member(value, name)) {
        *there = std::move(to);
    } else if (json::Object* object = value.if_object()) {
        object->emplace_back(std::string(name), std::move(to));
    }
}

void remove_member(json::Value& value, std::string_view name) {
    if (json::Object* object = value.if_object()) {
        std::erase_if(*object, [name](const json::Member& each) { return each.first == name; });
    }
}

std::string_view text_member(const json::Value& value, std::string_view name) noexcept {
    const json::Value* found = value.find(name);
    const std::string* text = found == nullptr ? nullptr : found->if_string();
    return text == nullptr ? std::string_view() : std::string_view(*text);
}

}  // namespace colophon::gateway
