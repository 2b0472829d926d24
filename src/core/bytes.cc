// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"

#include "core/assert.h"
#include "core/result.h"

#include <fmt/format.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace colophon {
namespace {

template <std::unsigned_integral T, std::size_t kBytes = sizeof(T)>
T load_be(Bytes bytes) {
    COLOPHON_ASSERT(bytes.size() >= kBytes);
    T value = 0;
    for (std::size_t i = 0; i < kBytes; ++i) {
        value = static_cast<T>((std::uint64_t{value} << 8U) | bytes[i]);
    }
    return value;
}

template <std::unsigned_integral T>
T load_le(Bytes bytes) {
    COLOPHON_ASSERT(bytes.size() >= sizeof(T));
    T value = 0;
    for (std::size_t i = sizeof(T); i-- > 0;) {
        value = static_cast<T>((std::uint64_t{value} << 8U) | bytes[i]);
    }
    return value;
}

void put_be(std::span<std::uint8_t> out, std::uint64_t value) {
    for (std::size_t i = out.size(); i-- > 0;) {
        out[i] = static_cast<std::uint8_t>(value & 0xFFU);
        value >>= 8U;
    }
}

void put_le(std::span<std::uint8_t> out, std::uint64_t value) {
    for (std::uint8_t& byte : out) {
        byte = static_cast<std::uint8_t>(value & 0xFFU);
        value >>= 8U;
    }
}

std::span<std::uint8_t> grow(Buffer& out, std::size_t size) {
    out.resize(out.size() + size);
    return std::span(out).last(size);
}

int hex_digit(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

}  // namespace

std::uint16_t load_be16(Bytes bytes) {
    return load_be<std::uint16_t>(bytes);
}
std::uint32_t load_be24(Bytes bytes) {
    return load_be<std::uint32_t, 3>(bytes);
}
std::uint32_t load_be32(Bytes bytes) {
    return load_be<std::uint32_t>(bytes);
}
std::uint64_t load_be64(Bytes bytes) {
    return load_be<std::uint64_t>(bytes);
}
std::uint16_t load_le16(Bytes bytes) {
    return load_le<std::uint16_t>(bytes);
}
std::uint32_t load_le32(Bytes bytes) {
    return load_le<std::uint32_t>(bytes);
}
std::uint64_t load_le64(Bytes bytes) {
    return load_le<std::uint64_t>(bytes);
}

void append(Buffer& out, Bytes bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
}
void append(Buffer& out, std::string_view text) {
    append(out, as_bytes(text));
}
void append_be16(Buffer& out, std::uint16_t value) {
    put_be(grow(out, 2), value);
}
void append_be24(Buffer& out, std::uint32_t value) {
    COLOPHON_ASSERT(value < (1U << 24U));
    put_be(grow(out, 3), value);
}
void append_be32(Buffer& out, std::uint32_t value) {
    put_be(grow(out, 4), value);
}
void append_be64(Buffer& out, std::uint64_t value) {
    put_be(grow(out, 8), value);
}
void append_le16(Buffer& out, std::uint16_t value) {
    put_le(grow(out, 2), value);
}
void append_le32(Buffer& out, std::uint32_t value) {
    put_le(grow(out, 4), value);
}
void append_le64(Buffer& out, std::uint64_t value) {
    put_le(grow(out, 8), value);
}

void store_be32(std::span<std::uint8_t> out, std::size_t offset, std::uint32_t value) {
    COLOPHON_ASSERT(offset <= out.size() && out.size() - offset >= 4);
    put_be(out.subspan(offset, 4), value);
}

void store_be64(std::span<std::uint8_t> out, std::size_t offset, std::uint64_t value) {
    COLOPHON_ASSERT(offset <= out.size() && out.size() - offset >= 8);
    put_be(out.subspan(offset, 8), value);
}

void store_le32(std::span<std::uint8_t> out, std::size_t offset, std::uint32_t value) {
    COLOPHON_ASSERT(offset <= out.size() && out.size() - offset >= 4);
    put_le(out.subspan(offset, 4), value);
}

Result<Bytes> ByteReader::take(std::uint64_t size, std::string_view what) {
    if (size > left()) {
        return corrupt_at(
            fmt::format("truncated: {} needs {} bytes, {} are left", what, size, left()), offset());
    }
    const Bytes taken = bytes_.subspan(position_, static_cast<std::size_t>(size));
    position_ += static_cast<std::size_t>(size);
    return taken;
}

Result<void> ByteReader::skip(std::uint64_t size, std::string_view what) {
    TRY(take(size, what));
    return {};
}

Result<std::uint8_t> ByteReader::u8(std::string_view what) {
    return TRY(take(1, what))[0];
}
Result<std::uint16_t> ByteReader::be16(std::string_view what) {
    return load_be16(TRY(take(2, what)));
}
Result<std::uint32_t> ByteReader::be24(std::string_view what) {
    return load_be24(TRY(take(3, what)));
}
Result<std::uint32_t> ByteReader::be32(std::string_view what) {
    return load_be32(TRY(take(4, what)));
}
Result<std::uint64_t> ByteReader::be64(std::string_view what) {
    return load_be64(TRY(take(8, what)));
}
Result<std::uint16_t> ByteReader::le16(std::string_view what) {
    return load_le16(TRY(take(2, what)));
}
Result<std::uint32_t> ByteReader::le32(std::string_view what) {
    return load_le32(TRY(take(4, what)));
}
Result<std::uint64_t> ByteReader::le64(std::string_view what) {
    return load_le64(TRY(take(8, what)));
}

Error corrupt_at(std::string_view what, std::uint64_t offset) {
    return Error{ErrorCode::kCorrupt, fmt::format("{} at byte {}", what, offset)};
}

std::string to_hex(Bytes bytes) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text(bytes.size() * 2, '0');
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        text[2 * i] = kDigits[bytes[i] >> 4U];
        text[2 * i + 1] = kDigits[bytes[i] & 0xFU];
    }
    return text;
}

Result<Buffer> from_hex(std::string_view text) {
    if (text.size() % 2 != 0) {
        return Error{ErrorCode::kInvalidArgument, "hexadecimal text has an odd number of digits"};
    }
    Buffer out;
    out.reserve(text.size() / 2);
    for (std::size_t i = 0; i < text.size(); i += 2) {
        const int high = hex_digit(text[i]);
        const int low = hex_digit(text[i + 1]);
        if (high < 0 || low < 0) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("not a hexadecimal digit at position {}", i)};
        }
        out.push_back(static_cast<std::uint8_t>(high * 16 + low));
    }
    return out;
}

}  // namespace colophon
