// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the program answers in JSON, as tests look at it.

#include "core/json.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace colophon::test {

// Of any size; the test ends where it is not JSON.
inline json::Value object_of(std::string_view text) {
    const auto value = json::parse(text, {.bytes_max = text.size() + 1});
    REQUIRE_MESSAGE(value.ok(), std::string(text.substr(0, 2000)));
    return *value;
}

// "none" where there is no error, or none with a code.
inline std::string error_code(const json::Value& value) {
    const json::Value* error = value.find("error");
    return error == nullptr ? std::string("none") : error->string_or("code", "none");
}

}  // namespace colophon::test
