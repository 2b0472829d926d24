// SPDX-License-Identifier: Apache-2.0
#pragma once

// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace colophon {

// The place of the first byte that is not valid UTF-8, or nothing when all of it is.
std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept;

// Decodes the character at `at` and moves `at` behind it. Nothing at the end or at an invalid byte
// (then `at` does not move).
std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at) noexcept;

// Appends one character. Surrogates and values above U+10FFFF become U+FFFD.
void append_utf8(std::string& out, char32_t code_point);

// As much of the beginning as fits into so many bytes, cut between characters.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept;

// Number of characters; an invalid byte counts as one.
std::size_t count_code_points(std::string_view text) noexcept;

}  // namespace colophon
