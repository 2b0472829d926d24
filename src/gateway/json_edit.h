// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small changes to JSON that otherwise passes through as it came.

#include "core/json.h"

#include <string>
#include <string_view>

namespace colophon::gateway {

// The member of that name of an object, to be changed; nullptr when there is none.
json::Value* member(json::Value& value, std::string_view name) noexcept;
// Sets it, where it stands or at the end. `value` must be an object (otherwise nothing happens).
void set_member(json::Value& value, std::string_view name, json::Value to);
void remove_member(json::Value& value, std::string_view name);
// The string of that member, or empty.
std::string_view text_member(const json::Value& value, std::string_view name) noexcept;

}  // namespace colophon::gateway
