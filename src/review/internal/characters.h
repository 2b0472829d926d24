// SPDX-License-Identifier: Apache-2.0
#pragma once

// Characters of a text that may hold invalid bytes, one after the other, the way that Chinese takes
// first.

#include "core/utf8.h"

#include <cstddef>
#include <string_view>

namespace colophon::review::internal {

inline constexpr char32_t kInvalid = 0xffffffff;

inline unsigned byte_at(std::string_view text, std::size_t at) noexcept {
    return static_cast<unsigned char>(text.data()[at]);
}

// As next_code_point. kInvalid, and one byte further, at an invalid byte. `at` is before the end.
inline char32_t take_character(std::string_view text, std::size_t& at) noexcept {
    const unsigned first = byte_at(text, at);
    if (first < 0x80) {
        ++at;
        return first;
    }
    if ((first & 0xf0U) == 0xe0U && at + 3 <= text.size()) {
        const unsigned second = byte_at(text, at + 1);
        const unsigned third = byte_at(text, at + 2);
        const char32_t character =
            (first & 0x0fU) << 12U | (second & 0x3fU) << 6U | (third & 0x3fU);
        if ((second & 0xc0U) == 0x80U && (third & 0xc0U) == 0x80U && character >= 0x800 &&
            (character < 0xd800 || character > 0xdfff)) {
            at += 3;
            return character;
        }
    }
    if (const auto other = next_code_point(text, at)) {
        return *other;
    }
    ++at;
    return kInvalid;
}

}  // namespace colophon::review::internal
