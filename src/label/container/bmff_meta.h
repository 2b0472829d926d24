// SPDX-License-Identifier: Apache-2.0
#pragma once

// The item structures of a 'meta' box (ISO/IEC 14496-12 clause 8.11, ISO/IEC 23008-12): which items
// a HEIF or AVIF file has, where their bytes lie and how they refer to each other. Item properties
// (iprp) and the coded images are never looked at.

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export
#include "label/container/bmff_boxes.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label::bmff {

// One 'infe'.
struct ItemInfo {
    Box box;
    std::uint8_t version = 2;
    std::uint32_t id = 0;
    std::uint16_t protection = 0;
    BoxType type = 0;              // 0 for versions 0 and 1, which have none
    std::string content_type;      // of 'mime' items (and of versions 0 and 1)
    std::string content_encoding;  // of 'mime' items; empty: none
};

struct ItemExtent {
    std::uint64_t index = 0;
    std::uint64_t offset = 0;  // relative to the base offset
    std::uint64_t length = 0;  // 0: to the end of the source
};

// How offsets of an item count (construction_method of 'iloc').
enum class Construction : std::uint8_t { kFile = 0, kIdat = 1, kItem = 2 };

struct ItemLocation {
    std::uint32_t id = 0;
    std::uint16_t method_bits = 0;  // the construction method is in the lowest 4, others reserved
    std::uint16_t data_reference = 0;  // 0: this file
    std::uint64_t base = 0;
    std::vector<ItemExtent> extents;

    unsigned method() const noexcept { return method_bits & 0xFU; }
};

// The 'iloc' box. The four sizes are bytes per field: 0, 4 or 8.
struct ItemLocations {
    Box box;
    std::uint8_t version = 0;
    std::uint32_t flags = 0;
    std::uint8_t offset_size = 4;
    std::uint8_t length_size = 4;
    std::uint8_t base_size = 0;
    std::uint8_t index_size = 0;
    std::vector<ItemLocation> items;

    ItemLocation* find(std::uint32_t id) noexcept;
    const ItemLocation* find(std::uint32_t id) const noexcept;
};

// One entry of 'iref'.
struct ItemReference {
    BoxType type = 0;
    std::uint32_t from = 0;
    std::vector<std::uint32_t> to;
};

struct ItemReferences {
    Box box;
    std::uint8_t version = 0;
    std::vector<ItemReference> entries;
};

// A 'meta' box with items. Boxes that are absent are nothing; lists are then empty.
struct ItemMeta {
    Box box;
    std::uint64_t prefix = 4;  // bytes before the first child
    std::optional<std::uint32_t> primary;
    std::optional<Box> iinf;
    std::uint8_t iinf_version = 0;
    std::vector<ItemInfo> items;
    std::optional<ItemLocations> locations;
    std::optional<ItemReferences> references;
    std::optional<Box> idat;
};

// Reads what is described above. kCorrupt names the byte; kLimit above limits::kHeifItemsMax items
// or references, or limits::kContainerItemsMax extents.
Result<ItemMeta> read_item_meta(Bytes file, const Box& meta);

// Where the extents of an item lie in the file, in order. kUnsupported for items made of other
// items or lying in other files; kCorrupt for extents outside of the file or of 'idat'.
struct FileRange {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
};
Result<std::vector<FileRange>> item_ranges(Bytes file, const ItemMeta& meta,
                                           const ItemLocation& item);

// The bytes of an item, extents joined. Errors as item_ranges; kLimit above `bytes_max`.
Result<Buffer> item_bytes(Bytes file, const ItemMeta& meta, const ItemLocation& item,
                          std::uint64_t bytes_max);

// Moves every extent that lies in this file (construction method 0, data reference 0) to where
// `moved` says that its first byte is now. An item whose extents all move alike moves by its base
// offset where it has one, so that widths rarely change; the result may not fit (see fits_iloc).
void move_items(ItemLocations& locations, const std::function<std::uint64_t(std::uint64_t)>& moved);

// The 'iloc' box as bytes. Values fit into the field sizes (asserted; see fits_iloc).
Buffer write_iloc(const ItemLocations& locations);
// Whether every offset, length and base fits into the field sizes of the box.
bool fits_iloc(const ItemLocations& locations) noexcept;

}  // namespace colophon::label::bmff
