// SPDX-License-Identifier: Apache-2.0
#include "label/container/tiff_ifds.h"

#include "core/bytes.h"
#include "core/limits.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::uint16_t kVersionClassic = 42;
constexpr std::uint16_t kVersionBig = 43;

// Bytes of one value of each field type; 0 where the type does not exist.
std::uint64_t type_bytes(std::uint16_t type) noexcept {
    constexpr std::array<std::uint8_t, 19> kBytes{0, 1, 1, 2, 4, 8, 1, 1, 2, 4,
                                                  8, 4, 8, 4, 0, 0, 8, 8, 8};
    return type < kBytes.size() ? kBytes[type] : 0;
}

TiffEntry read_entry(Bytes tiff, const TiffHeader& header, std::uint64_t offset) {
    const Bytes raw = tiff.subspan(static_cast<std::size_t>(offset), header.entry_bytes());
    TiffEntry entry;
    entry.offset = offset;
    entry.tag = load_u16(raw, header.order);
    entry.type = load_u16(raw.subspan(2), header.order);
    entry.count = header.load_offset(raw.subspan(4));
    const std::size_t field = 4 + header.offset_bytes();
    const std::uint64_t unit = type_bytes(entry.type);
    if (unit == 0 || entry.count > tiff.size() / unit) {
        return entry;
    }
    const std::uint64_t size = entry.count * unit;
    entry.value_offset =
        size <= header.offset_bytes() ? offset + field : header.load_offset(raw.subspan(field));
    entry.value = slice(tiff, entry.value_offset, size);
    return entry;
}

}  // namespace

std::uint16_t load_u16(Bytes bytes, ByteOrder order) {
    return order == ByteOrder::kLittle ? load_le16(bytes) : load_be16(bytes);
}

std::uint32_t load_u32(Bytes bytes, ByteOrder order) {
    return order == ByteOrder::kLittle ? load_le32(bytes) : load_be32(bytes);
}

std::uint64_t load_u64(Bytes bytes, ByteOrder order) {
    return order == ByteOrder::kLittle ? load_le64(bytes) : load_be64(bytes);
}

void append_u16(Buffer& out, std::uint16_t value, ByteOrder order) {
    order == ByteOrder::kLittle ? append_le16(out, value) : append_be16(out, value);
}

void append_u32(Buffer& out, std::uint32_t value, ByteOrder order) {
    order == ByteOrder::kLittle ? append_le32(out, value) : append_be32(out, value);
}

void append_u64(Buffer& out, std::uint64_t value, ByteOrder order) {
    order == ByteOrder::kLittle ? append_le64(out, value) : append_be64(out, value);
}

std::uint64_t TiffHeader::load_offset(Bytes bytes) const {
    return big ? load_u64(bytes, order) : load_u32(bytes, order);
}

void TiffHeader::append_offset(Buffer& out, std::uint64_t value) const {
    if (big) {
        append_u64(out, value, order);
    } else {
        append_u32(out, static_cast<std::uint32_t>(value), order);
    }
}

const TiffEntry* TiffIfd::find(std::uint16_t tag) const noexcept {
    const auto entry = std::ranges::find(entries, tag, &TiffEntry::tag);
    return entry == entries.end() ? nullptr : &*entry;
}

Result<TiffHeader> read_tiff_header(Bytes tiff) {
    if (tiff.size() < 8) {
        return corrupt_at("a TIFF header needs 8 bytes", 0);
    }
    TiffHeader header;
    if (starts_with(tiff, "II")) {
        header.order = ByteOrder::kLittle;
    } else if (starts_with(tiff, "MM")) {
        header.order = ByteOrder::kBig;
    } else {
        return corrupt_at("a TIFF structure starts with II or MM, this one does not", 0);
    }
    const std::uint16_t version = load_u16(tiff.subspan(2), header.order);
    if (version == kVersionClassic) {
        header.ifd0_field = 4;
    } else if (version == kVersionBig && tiff.size() >= 16 &&
               load_u16(tiff.subspan(4), header.order) == 8 &&
               load_u16(tiff.subspan(6), header.order) == 0) {
        header.big = true;
        header.ifd0_field = 8;
    } else {
        return corrupt_at("TIFF version " + std::to_string(version) + " does not exist", 2);
    }
    header.ifd0_offset =
        header.load_offset(tiff.subspan(static_cast<std::size_t>(header.ifd0_field)));
    return header;
}

Result<TiffIfd> read_tiff_ifd(Bytes tiff, const TiffHeader& header, std::uint64_t offset) {
    const auto count_field = slice(tiff, offset, header.count_bytes());
    if (!count_field) {
        return corrupt_at("a TIFF directory lies outside the file", offset);
    }
    const std::uint64_t count =
        header.big ? load_u64(*count_field, header.order) : load_u16(*count_field, header.order);
    if (count > limits::kContainerItemsMax) {
        return Error{ErrorCode::kLimit,
                     "a TIFF directory of " + std::to_string(count) + " entries, the limit is " +
                         std::to_string(limits::kContainerItemsMax) + " (kContainerItemsMax)"};
    }
    TiffIfd ifd;
    ifd.offset = offset;
    ifd.size = header.count_bytes() + count * header.entry_bytes() + header.offset_bytes();
    const auto whole = slice(tiff, offset, ifd.size);
    if (!whole) {
        return corrupt_at("truncated: a TIFF directory of " + std::to_string(count) + " entries",
                          offset);
    }
    ifd.entries.reserve(static_cast<std::size_t>(count));
    for (std::uint64_t i = 0; i < count; ++i) {
        ifd.entries.push_back(
            read_entry(tiff, header, offset + header.count_bytes() + i * header.entry_bytes()));
    }
    ifd.next = header.load_offset(whole->last(header.offset_bytes()));
    return ifd;
}

Result<std::vector<TiffIfd>> walk_tiff(Bytes tiff, const TiffHeader& header) {
    std::vector<TiffIfd> ifds;
    std::unordered_set<std::uint64_t> seen;
    std::uint64_t entries = 0;
    for (std::uint64_t offset = header.ifd0_offset; offset != 0; offset = ifds.back().next) {
        if (!seen.insert(offset).second) {
            return corrupt_at("the TIFF directories form a loop", offset);
        }
        ifds.push_back(TRY(read_tiff_ifd(tiff, header, offset)));
        entries += ifds.back().entries.size() + 1;
        if (entries > limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "more than " +
                                                std::to_string(limits::kContainerItemsMax) +
                                                " TIFF directory entries (kContainerItemsMax)"};
        }
    }
    return ifds;
}

std::optional<std::uint64_t> tiff_number(const TiffHeader& header, const TiffEntry& entry) {
    if (entry.count != 1 || !entry.value) {
        return std::nullopt;
    }
    switch (entry.type) {
        case 3:
            return load_u16(*entry.value, header.order);
        case tiff::kTypeLong:
        case tiff::kTypeIfd:
            return load_u32(*entry.value, header.order);
        case 16:
        case 18:
            return load_u64(*entry.value, header.order);
        default:
            return std::nullopt;
    }
}

}  // namespace colophon::label
