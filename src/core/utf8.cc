// SPDX-License-Identifier: Apache-2.0
#include "core/utf8.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace colophon {
namespace {

struct Lead {
    std::size_t size;
    std::uint32_t bits;
    std::uint32_t least;
};

std::optional<Lead> read_lead(std::uint8_t byte) noexcept {
    if (byte < 0x80) {
        return Lead{.size = 1, .bits = byte, .least = 0};
    }
    if ((byte & 0xE0U) == 0xC0U) {
        return Lead{.size = 2, .bits = byte & 0x1FU, .least = 0x80};
    }
    if ((byte & 0xF0U) == 0xE0U) {
        return Lead{.size = 3, .bits = byte & 0x0FU, .least = 0x800};
    }
    if ((byte & 0xF8U) == 0xF0U) {
        return Lead{.size = 4, .bits = byte & 0x07U, .least = 0x10000};
    }
    return std::nullopt;
}

// Where the run of ASCII that begins at `at` ends: eight bytes at a time.
std::size_t end_of_ascii(std::string_view text, std::size_t at) noexcept {
    constexpr std::uint64_t kHighBits = 0x8080808080808080;
    std::uint64_t eight = 0;
    while (text.size() - at >= sizeof(eight)) {
        std::memcpy(&eight, text.data() + at, sizeof(eight));
        if ((eight & kHighBits) != 0) {
            break;
        }
        at += sizeof(eight);
    }
    while (at < text.size() && static_cast<std::uint8_t>(text[at]) < 0x80) {
        ++at;
    }
    return at;
}

}  // namespace

std::optional<char32_t> next_code_point(std::string_view text, std::size_t& at) noexcept {
    if (at >= text.size()) {
        return std::nullopt;
    }
    if (static_cast<std::uint8_t>(text[at]) < 0x80) {
        return static_cast<char32_t>(text[at++]);
    }
    const auto lead = read_lead(static_cast<std::uint8_t>(text[at]));
    if (!lead || lead->size > text.size() - at) {
        return std::nullopt;
    }
    std::uint32_t value = lead->bits;
    for (std::size_t i = 1; i < lead->size; ++i) {
        const auto byte = static_cast<std::uint8_t>(text[at + i]);
        if ((byte & 0xC0U) != 0x80U) {
            return std::nullopt;
        }
        value = (value << 6U) | (byte & 0x3FU);
    }
    if (value < lead->least || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return std::nullopt;
    }
    at += lead->size;
    return static_cast<char32_t>(value);
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) noexcept {
    std::size_t at = 0;
    while (at < text.size()) {
        if (static_cast<std::uint8_t>(text[at]) < 0x80) {
            at = end_of_ascii(text, at);
        } else if (!next_code_point(text, at)) {
            return at;
        }
    }
    return std::nullopt;
}

void append_utf8(std::string& out, char32_t code_point) {
    std::uint32_t value = code_point;
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        value = 0xFFFD;
    }
    if (value < 0x80) {
        out += static_cast<char>(value);
    } else if (value < 0x800) {
        out += static_cast<char>(0xC0U | (value >> 6U));
        out += static_cast<char>(0x80U | (value & 0x3FU));
    } else if (value < 0x10000) {
        out += static_cast<char>(0xE0U | (value >> 12U));
        out += static_cast<char>(0x80U | ((value >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (value & 0x3FU));
    } else {
        out += static_cast<char>(0xF0U | (value >> 18U));
        out += static_cast<char>(0x80U | ((value >> 12U) & 0x3FU));
        out += static_cast<char>(0x80U | ((value >> 6U) & 0x3FU));
        out += static_cast<char>(0x80U | (value & 0x3FU));
    }
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) {
        return text;
    }
    while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0U) == 0x80U) {
        --bytes_max;
    }
    return text.substr(0, bytes_max);
}

std::size_t count_code_points(std::string_view text) noexcept {
    std::size_t count = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        if (!next_code_point(text, at)) {
            ++at;
        }
        ++count;
    }
    return count;
}

}  // namespace colophon
