// SPDX-License-Identifier: Apache-2.0
#pragma once

// Bytes: a view of memory that somebody else owns. Buffer: memory that we own. And the few loads,
// stores and bounded reads that every container format needs.

#include "core/result.h"  // IWYU pragma: export

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {

using Bytes = std::span<const std::uint8_t>;
using Buffer = std::vector<std::uint8_t>;

inline Bytes as_bytes(std::string_view text) noexcept {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) noexcept {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Buffer to_buffer(Bytes bytes) {
    return {bytes.begin(), bytes.end()};
}
inline Buffer to_buffer(std::string_view text) {
    return to_buffer(as_bytes(text));
}

inline bool starts_with(Bytes bytes, std::string_view prefix) noexcept {
    return as_text(bytes).starts_with(prefix);
}

// bytes[offset, offset + size) when it lies wholly inside; nothing otherwise. Never overflows.
inline std::optional<Bytes> slice(Bytes bytes, std::uint64_t offset, std::uint64_t size) noexcept {
    if (offset > bytes.size() || size > bytes.size() - offset) {
        return std::nullopt;
    }
    return bytes.subspan(static_cast<std::size_t>(offset), static_cast<std::size_t>(size));
}

// Loads: the caller has checked that the bytes are there (asserted).
std::uint16_t load_be16(Bytes bytes);
std::uint32_t load_be24(Bytes bytes);
std::uint32_t load_be32(Bytes bytes);
std::uint64_t load_be64(Bytes bytes);
std::uint16_t load_le16(Bytes bytes);
std::uint32_t load_le32(Bytes bytes);
std::uint64_t load_le64(Bytes bytes);

// Stores, appending.
void append(Buffer& out, Bytes bytes);
void append(Buffer& out, std::string_view text);
void append_be16(Buffer& out, std::uint16_t value);
void append_be24(Buffer& out, std::uint32_t value);  // value < 2^24
void append_be32(Buffer& out, std::uint32_t value);
void append_be64(Buffer& out, std::uint64_t value);
void append_le16(Buffer& out, std::uint16_t value);
void append_le32(Buffer& out, std::uint32_t value);
void append_le64(Buffer& out, std::uint64_t value);

// Stores, in place at `offset`; the bytes must be there (asserted).
void store_be32(std::span<std::uint8_t> out, std::size_t offset, std::uint32_t value);
void store_be64(std::span<std::uint8_t> out, std::size_t offset, std::uint64_t value);
void store_le32(std::span<std::uint8_t> out, std::size_t offset, std::uint32_t value);

// A cursor over bytes from outside. Every read checks; a read past the end is Error{kCorrupt} that
// names the offset in the file ("truncated: 4 bytes of chunk length at byte 1234").
class ByteReader {
public:
    // `base` is the place of bytes[0] in the file, so that offsets in messages are file offsets.
    explicit ByteReader(Bytes bytes, std::uint64_t base = 0) : bytes_(bytes), base_(base) {}

    std::uint64_t offset() const noexcept { return base_ + position_; }  // in the file
    std::size_t position() const noexcept { return position_; }          // in the view
    std::size_t left() const noexcept { return bytes_.size() - position_; }
    bool done() const noexcept { return left() == 0; }

    Result<Bytes> take(std::uint64_t size, std::string_view what);
    Result<void> skip(std::uint64_t size, std::string_view what);
    Result<std::uint8_t> u8(std::string_view what);
    Result<std::uint16_t> be16(std::string_view what);
    Result<std::uint32_t> be24(std::string_view what);
    Result<std::uint32_t> be32(std::string_view what);
    Result<std::uint64_t> be64(std::string_view what);
    Result<std::uint16_t> le16(std::string_view what);
    Result<std::uint32_t> le32(std::string_view what);
    Result<std::uint64_t> le64(std::string_view what);

private:
    Bytes bytes_;
    std::uint64_t base_;
    std::size_t position_ = 0;
};

// Error{kCorrupt, "WHAT at byte OFFSET"}: the one form in which readers name a place.
Error corrupt_at(std::string_view what, std::uint64_t offset);

// Lower-case hexadecimal, and back. Odd length or a foreign character is Error{kInvalidArgument}.
std::string to_hex(Bytes bytes);
Result<Buffer> from_hex(std::string_view text);

}  // namespace colophon
