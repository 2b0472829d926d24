// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/explicit/internal/text_view.h"

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {
namespace {

std::uint32_t unit_at(const DecodedText& decoded, std::size_t at) {
    const Bytes pair = decoded.file.subspan(at, 2);
    return decoded.encoding == TextEncoding::kUtf16Le ? load_le16(pair) : load_be16(pair);
}

bool is_high(std::uint32_t unit) noexcept {
    return unit >= 0xD800 && unit <= 0xDBFF;
}
bool is_low(std::uint32_t unit) noexcept {
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

Result<void> decode_utf16(DecodedText& decoded) {
    const std::size_t size = decoded.file.size();
    if (size % 2 != 0) {
        return corrupt_at("UTF-16 text with half a character", size - 1);
    }
    decoded.held.reserve(size / 2 * 3);
    for (std::size_t at = decoded.mark_bytes; at < size; at += 2) {
        std::uint32_t c = unit_at(decoded, at);
        if (is_high(c) && at + 2 < size && is_low(unit_at(decoded, at + 2))) {
            c = 0x10000 + ((c - 0xD800) << 10U) + (unit_at(decoded, at + 2) - 0xDC00);
            at += 2;
        } else if (is_high(c) || is_low(c)) {
            return corrupt_at("UTF-16 text with half of a surrogate pair", at);
        }
        append_utf8(decoded.held, static_cast<char32_t>(c));
    }
    return {};
}

}  // namespace

Result<DecodedText> decode_text(Bytes file) {
    if (file.size() > limits::kTextFileBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a text of {} bytes; at most {} are labelled",
                                                    file.size(), limits::kTextFileBytesMax)};
    }
    DecodedText decoded;
    decoded.file = file;
    if (starts_with(file, "\xFF\xFE") || starts_with(file, "\xFE\xFF")) {
        decoded.mark_bytes = 2;
        decoded.encoding = file[0] == 0xFF ? TextEncoding::kUtf16Le : TextEncoding::kUtf16Be;
        TRY(decode_utf16(decoded));
        return decoded;
    }
    decoded.mark_bytes = starts_with(file, "\xEF\xBB\xBF") ? 3 : 0;
    if (const auto bad = find_invalid_utf8(decoded.text())) {
        const std::uint64_t at = decoded.mark_bytes + *bad;
        return Error{ErrorCode::kCorrupt,
                     fmt::format("the text is neither UTF-8 nor UTF-16 with a byte order mark at "
                                 "byte {}; if it is GB 18030, convert it first: iconv -f GB18030 "
                                 "-t UTF-8",
                                 at)};
    }
    return decoded;
}

std::uint64_t file_offset(const DecodedText& decoded, std::size_t at) {
    if (decoded.encoding == TextEncoding::kUtf8) {
        return decoded.mark_bytes + at;
    }
    std::uint64_t units = 0;
    std::size_t position = 0;
    const std::string_view text = decoded.text();
    while (position < at) {
        const auto c = next_code_point(text, position);
        units += c.value_or(0) > 0xFFFF ? 2U : 1U;
    }
    return decoded.mark_bytes + 2 * units;
}

Buffer encode_text(TextEncoding encoding, std::string_view text) {
    if (encoding == TextEncoding::kUtf8) {
        return to_buffer(text);
    }
    Buffer out;
    const auto put = [&](std::uint32_t unit) {
        const auto value = static_cast<std::uint16_t>(unit);
        encoding == TextEncoding::kUtf16Le ? append_le16(out, value) : append_be16(out, value);
    };
    std::size_t at = 0;
    while (const auto c = next_code_point(text, at)) {
        const auto value = static_cast<std::uint32_t>(*c);
        if (value > 0xFFFF) {
            put(0xD800 + ((value - 0x10000) >> 10U));
            put(0xDC00 + ((value - 0x10000) & 0x3FFU));
        } else {
            put(value);
        }
    }
    return out;
}

}  // namespace colophon::label::internal
