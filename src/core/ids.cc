// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kContentIdChars = 10;

int crockford_value(char c) {
    if (c >= 'a' && c <= 'z') {
        c = static_cast<char>(c - 'a' + 'A');
    }
    if (c == 'O') {
        c = '0';
    }
    if (c == 'I' || c == 'L') {
        c = '1';
    }
    const std::size_t at = kAlphabet.find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string to_string(ContentId id) {
    COLOPHON_ASSERT(id.value <= ContentId::kMax);
    std::string text(kContentIdChars, '0');
    std::uint64_t rest = id.value;
    for (std::size_t i = kContentIdChars; i-- > 0;) {
        text[i] = kAlphabet[rest & 31U];
        rest >>= 5U;
    }
    return text;
}

Result<ContentId> parse_content_id(std::string_view text) {
    if (text.size() != kContentIdChars) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a content id has {} characters, this has {}", kContentIdChars,
                                 text.size())};
    }
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int digit = crockford_value(text[i]);
        if (digit < 0) {
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("character {} of the content id is not Crockford base32", i + 1)};
        }
        value = (value << 5U) | static_cast<std::uint64_t>(digit);
    }
    if (value > ContentId::kMax) {
        return Error{ErrorCode::kInvalidArgument, "a content id has 48 bits; this one has more"};
    }
    return ContentId{value};
}

namespace internal {

std::string random_id_text(const std::array<std::uint8_t, 16>& bytes) {
    return to_hex(bytes);
}

Result<std::array<std::uint8_t, 16>> parse_random_id(std::string_view text) {
    std::array<std::uint8_t, 16> bytes{};
    if (text.size() != 2 * bytes.size() ||
        text.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
        return Error{ErrorCode::kInvalidArgument,
                     "an id is written as 32 lower-case hexadecimal digits"};
    }
    const Buffer read = TRY(from_hex(text));
    std::copy(read.begin(), read.end(), bytes.begin());
    return bytes;
}

}  // namespace internal
}  // namespace colophon
