// SPDX-License-Identifier: Apache-2.0
#pragma once

// The directories of a TIFF structure (TIFF 6.0; BigTIFF, version 43): header, image file
// directories, entries. A TIFF file is one; so is the EXIF block of other formats (CIPA DC-008).
// Both byte orders. Values are found, not interpreted.

#include "core/bytes.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace colophon::label {

enum class ByteOrder : std::uint8_t { kLittle, kBig };

std::uint16_t load_u16(Bytes bytes, ByteOrder order);
std::uint32_t load_u32(Bytes bytes, ByteOrder order);
std::uint64_t load_u64(Bytes bytes, ByteOrder order);
void append_u16(Buffer& out, std::uint16_t value, ByteOrder order);
void append_u32(Buffer& out, std::uint32_t value, ByteOrder order);
void append_u64(Buffer& out, std::uint64_t value, ByteOrder order);

namespace tiff {

inline constexpr std::uint16_t kImageDescription = 0x010E;
inline constexpr std::uint16_t kXmp = 0x02BC;
inline constexpr std::uint16_t kExifIfd = 0x8769;
inline constexpr std::uint16_t kUserComment = 0x9286;
inline constexpr std::uint16_t kXpComment = 0x9C9C;
inline constexpr std::uint16_t kTypeByte = 1;
inline constexpr std::uint16_t kTypeAscii = 2;
inline constexpr std::uint16_t kTypeLong = 4;
inline constexpr std::uint16_t kTypeUndefined = 7;
inline constexpr std::uint16_t kTypeIfd = 13;

}  // namespace tiff

struct TiffHeader {
    ByteOrder order = ByteOrder::kLittle;
    bool big = false;               // BigTIFF: counts and offsets have 64 bits
    std::uint64_t ifd0_field = 0;   // where the offset of the first directory is stored
    std::uint64_t ifd0_offset = 0;  // of the first directory

    std::size_t offset_bytes() const noexcept { return big ? 8 : 4; }  // an offset, an inline value
    std::size_t count_bytes() const noexcept { return big ? 8 : 2; }   // the number of entries
    std::size_t entry_bytes() const noexcept { return big ? 20 : 12; }  // one entry
    std::uint64_t load_offset(Bytes bytes) const;
    void append_offset(Buffer& out, std::uint64_t value) const;
};

struct TiffEntry {
    std::uint16_t tag = 0;
    std::uint16_t type = 0;
    std::uint64_t count = 0;
    std::uint64_t offset = 0;        // of the entry
    std::uint64_t value_offset = 0;  // of the value: inside the entry when it fits there
    // A view of the value; nothing when the type is unknown or the value lies outside the file,
    // which is an error only for who needs the value.
    std::optional<Bytes> value;
};

struct TiffIfd {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;          // count, entries, link
    std::vector<TiffEntry> entries;  // in file order
    std::uint64_t next = 0;          // of the next directory of the chain; 0 at its end

    const TiffEntry* find(std::uint16_t tag) const noexcept;  // the first one; nullptr when absent
};

// kCorrupt when it is no TIFF header.
Result<TiffHeader> read_tiff_header(Bytes tiff);

// kCorrupt when the directory does not lie inside; kLimit above limits::kContainerItemsMax entries.
Result<TiffIfd> read_tiff_ifd(Bytes tiff, const TiffHeader& header, std::uint64_t offset);

// The main chain, one directory a page. kCorrupt for a loop; kLimit above
// limits::kContainerItemsMax entries in all of them together.
Result<std::vector<TiffIfd>> walk_tiff(Bytes tiff, const TiffHeader& header);

// The one unsigned number of an entry (an offset of a sub-directory, a length); nothing when it is
// no single SHORT, LONG, IFD, LONG8 or IFD8.
std::optional<std::uint64_t> tiff_number(const TiffHeader& header, const TiffEntry& entry);

}  // namespace colophon::label
