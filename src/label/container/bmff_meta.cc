// SPDX-License-Identifier: Apache-2.0
#include "label/container/bmff_meta.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/bmff_boxes.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::bmff {
namespace {

Error too_many(std::string_view what, std::size_t limit, const Box& box) {
    return {ErrorCode::kLimit, "more than " + std::to_string(limit) + " " + std::string(what) +
                                   " in the box at byte " + std::to_string(box.offset)};
}

// A string that ends with a zero byte or with the box (some writers leave the last zero out).
std::string take_string(ByteReader& reader) {
    std::string text;
    while (!reader.done()) {
        const auto byte = reader.u8("string");
        if (*byte == 0) {
            break;
        }
        text += static_cast<char>(*byte);
    }
    return text;
}

Result<ItemInfo> read_infe(Bytes file, const Box& box) {
    ByteReader reader(payload(file, box), box.payload_offset());
    ItemInfo item;
    item.box = box;
    item.version = TRY(read_full_box(reader)).version;
    item.id = item.version >= 3 ? TRY(reader.be32("item id")) : TRY(reader.be16("item id"));
    item.protection = TRY(reader.be16("item protection"));
    if (item.version >= 2) {
        item.type = TRY(reader.be32("item type"));
    }
    (void)take_string(reader);  // the name
    if (item.version < 2 || item.type == box_type("mime")) {
        item.content_type = take_string(reader);
        item.content_encoding = take_string(reader);
    }
    return item;
}

Result<void> read_iinf(Bytes file, const Box& box, ItemMeta& meta) {
    ByteReader reader(payload(file, box), box.payload_offset());
    meta.iinf = box;
    meta.iinf_version = TRY(read_full_box(reader)).version;
    TRY(reader.skip(meta.iinf_version == 0 ? 2 : 4, "item count"));
    BoxReader entries(file, box, reader.position());
    while (const auto entry = TRY(entries.next())) {
        if (meta.items.size() >= limits::kHeifItemsMax) {
            return too_many("items", limits::kHeifItemsMax, box);
        }
        if (entry->type != box_type("infe")) {
            continue;
        }
        meta.items.push_back(TRY(read_infe(file, *entry)));
    }
    return {};
}

// Field sizes other than 0, 4 and 8 do not exist.
bool known_size(unsigned size) {
    return size == 0 || size == 4 || size == 8;
}

Result<std::uint64_t> take_sized(ByteReader& reader, unsigned size, std::string_view what) {
    if (size == 0) {
        return std::uint64_t{0};
    }
    if (size == 4) {
        return std::uint64_t{TRY(reader.be32(what))};
    }
    return TRY(reader.be64(what));
}

Result<ItemLocation> read_location(ByteReader& reader, const ItemLocations& iloc,
                                   std::size_t& extents_left) {
    ItemLocation item;
    item.id = iloc.version == 2 ? TRY(reader.be32("item id")) : TRY(reader.be16("item id"));
    if (iloc.version > 0) {
        item.method_bits = TRY(reader.be16("construction method"));
    }
    item.data_reference = TRY(reader.be16("data reference"));
    item.base = TRY(take_sized(reader, iloc.base_size, "base offset"));
    const std::size_t count = TRY(reader.be16("extent count"));
    // Extents may take no bytes at all, so the file's size does not bound their number.
    if (count > extents_left) {
        return too_many("extents", limits::kContainerItemsMax, iloc.box);
    }
    extents_left -= count;
    item.extents.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        ItemExtent extent;
        extent.index = TRY(take_sized(reader, iloc.index_size, "extent index"));
        extent.offset = TRY(take_sized(reader, iloc.offset_size, "extent offset"));
        extent.length = TRY(take_sized(reader, iloc.length_size, "extent length"));
        item.extents.push_back(extent);
    }
    return item;
}

Result<ItemLocations> read_iloc(Bytes file, const Box& box) {
    ByteReader reader(payload(file, box), box.payload_offset());
    ItemLocations iloc;
    iloc.box = box;
    const FullBox head = TRY(read_full_box(reader));
    iloc.version = head.version;
    iloc.flags = head.flags;
    if (iloc.version > 2) {
        return Error{ErrorCode::kUnsupported,
                     "iloc box of version " + std::to_string(iloc.version) + " at byte " +
                         std::to_string(box.offset) + "; versions 0 to 2 are known"};
    }
    const unsigned sizes = TRY(reader.be16("field sizes of iloc"));
    iloc.offset_size = static_cast<std::uint8_t>(sizes >> 12U);
    iloc.length_size = static_cast<std::uint8_t>((sizes >> 8U) & 0xFU);
    iloc.base_size = static_cast<std::uint8_t>((sizes >> 4U) & 0xFU);
    iloc.index_size = static_cast<std::uint8_t>(iloc.version > 0 ? sizes & 0xFU : 0U);
    if (!known_size(iloc.offset_size) || !known_size(iloc.length_size) ||
        !known_size(iloc.base_size) || !known_size(iloc.index_size)) {
        return corrupt_at("field sizes of iloc other than 0, 4 and 8", box.offset);
    }
    const std::size_t count =
        iloc.version == 2 ? TRY(reader.be32("item count")) : TRY(reader.be16("item count"));
    std::size_t extents_left = limits::kContainerItemsMax;
    if (count > limits::kHeifItemsMax) {
        return too_many("items", limits::kHeifItemsMax, box);
    }
    for (std::size_t i = 0; i < count; ++i) {
        iloc.items.push_back(TRY(read_location(reader, iloc, extents_left)));
    }
    return iloc;
}

Result<ItemReference> read_reference(Bytes file, const Box& box, bool wide) {
    ByteReader reader(payload(file, box), box.payload_offset());
    ItemReference reference;
    reference.type = box.type;
    reference.from = wide ? TRY(reader.be32("reference")) : TRY(reader.be16("reference"));
    const std::size_t count = TRY(reader.be16("reference count"));
    for (std::size_t i = 0; i < count; ++i) {
        reference.to.push_back(wide ? TRY(reader.be32("reference"))
                                    : TRY(reader.be16("reference")));
    }
    return reference;
}

Result<ItemReferences> read_iref(Bytes file, const Box& box) {
    ByteReader head(payload(file, box), box.payload_offset());
    ItemReferences iref;
    iref.box = box;
    iref.version = TRY(read_full_box(head)).version;
    const bool wide = iref.version > 0;
    BoxReader entries(file, box, 4);
    while (const auto entry = TRY(entries.next())) {
        if (iref.entries.size() >= limits::kHeifItemsMax) {
            return too_many("references", limits::kHeifItemsMax, box);
        }
        iref.entries.push_back(TRY(read_reference(file, *entry, wide)));
    }
    return iref;
}

Result<std::uint32_t> read_pitm(Bytes file, const Box& box) {
    ByteReader reader(payload(file, box), box.payload_offset());
    const bool wide = TRY(read_full_box(reader)).version > 0;
    return wide ? TRY(reader.be32("primary item")) : TRY(reader.be16("primary item"));
}

// The first box of each kind counts.
Result<void> read_child(Bytes file, const Box& child, ItemMeta& meta) {
    if (child.type == box_type("pitm") && !meta.primary) {
        meta.primary = TRY(read_pitm(file, child));
    } else if (child.type == box_type("iinf") && !meta.iinf) {
        TRY(read_iinf(file, child, meta));
    } else if (child.type == box_type("iloc") && !meta.locations) {
        meta.locations = TRY(read_iloc(file, child));
    } else if (child.type == box_type("iref") && !meta.references) {
        meta.references = TRY(read_iref(file, child));
    } else if (child.type == box_type("idat") && !meta.idat) {
        meta.idat = child;
    }
    return {};
}

void append_sized(Buffer& out, unsigned size, std::uint64_t value) {
    if (size == 4) {
        append_be32(out, static_cast<std::uint32_t>(value));
    } else if (size == 8) {
        append_be64(out, value);
    }
}

bool fits(unsigned size, std::uint64_t value) {
    return size == 8 || value <= (size == 4 ? 0xFFFFFFFFU : 0U);
}

}  // namespace

ItemLocation* ItemLocations::find(std::uint32_t id) noexcept {
    const auto found = std::ranges::find(items, id, &ItemLocation::id);
    return found == items.end() ? nullptr : &*found;
}

const ItemLocation* ItemLocations::find(std::uint32_t id) const noexcept {
    const auto found = std::ranges::find(items, id, &ItemLocation::id);
    return found == items.end() ? nullptr : &*found;
}

Result<ItemMeta> read_item_meta(Bytes file, const Box& meta) {
    ItemMeta out;
    out.box = meta;
    out.prefix = meta_prefix(file, meta);
    BoxReader children(file, meta, out.prefix);
    while (const auto child = TRY(children.next())) {
        TRY(read_child(file, *child, out));
    }
    return out;
}

Result<std::vector<FileRange>> item_ranges(Bytes file, const ItemMeta& meta,
                                           const ItemLocation& item) {
    std::uint64_t source_offset = 0;
    std::uint64_t source_size = file.size();
    if (item.method() == static_cast<unsigned>(Construction::kIdat)) {
        if (!meta.idat) {
            return corrupt_at("an item lies in 'idat', which is missing from the meta box",
                              meta.box.offset);
        }
        source_offset = meta.idat->payload_offset();
        source_size = meta.idat->payload_size();
    } else if (item.method() != static_cast<unsigned>(Construction::kFile) ||
               item.data_reference != 0) {
        return Error{
            ErrorCode::kUnsupported,
            "item " + std::to_string(item.id) + " is made of other items or lies in another file"};
    }
    std::vector<FileRange> ranges;
    for (const ItemExtent& extent : item.extents) {
        const std::uint64_t begin = item.base + extent.offset;
        if (begin < item.base || begin > source_size || extent.length > source_size - begin) {
            return corrupt_at("an extent of item " + std::to_string(item.id) +
                                  " lies outside of its source; iloc",
                              meta.locations ? meta.locations->box.offset : meta.box.offset);
        }
        const std::uint64_t length = extent.length == 0 ? source_size - begin : extent.length;
        ranges.push_back({.offset = source_offset + begin, .size = length});
    }
    return ranges;
}

Result<Buffer> item_bytes(Bytes file, const ItemMeta& meta, const ItemLocation& item,
                          std::uint64_t bytes_max) {
    const std::vector<FileRange> ranges = TRY(item_ranges(file, meta, item));
    Buffer out;
    for (const FileRange& range : ranges) {
        if (range.size > bytes_max - out.size()) {
            return Error{ErrorCode::kLimit, "item " + std::to_string(item.id) + " is larger than " +
                                                std::to_string(bytes_max) + " bytes"};
        }
        append(out, *slice(file, range.offset, range.size));
    }
    return out;
}

void move_items(ItemLocations& locations,
                const std::function<std::uint64_t(std::uint64_t)>& moved) {
    for (ItemLocation& item : locations.items) {
        if (item.method() != static_cast<unsigned>(Construction::kFile) ||
            item.data_reference != 0 || item.extents.empty()) {
            continue;
        }
        const std::uint64_t first = item.base + item.extents.front().offset;
        const std::uint64_t by = moved(first) - first;  // modulo 2^64, as are the sums below
        const bool alike = std::ranges::all_of(item.extents, [&](const ItemExtent& extent) {
            const std::uint64_t place = item.base + extent.offset;
            return moved(place) - place == by;
        });
        const bool by_base =
            locations.base_size != 0 && (item.base != 0 || locations.offset_size == 0);
        if (alike && by_base) {
            item.base += by;
            continue;
        }
        // Places are absolute from here on where the base would lie behind an extent.
        std::uint64_t base = item.base;
        for (const ItemExtent& extent : item.extents) {
            base = moved(item.base + extent.offset) < base ? 0 : base;
        }
        for (ItemExtent& extent : item.extents) {
            extent.offset = moved(item.base + extent.offset) - base;
        }
        item.base = base;
    }
}

bool fits_iloc(const ItemLocations& locations) noexcept {
    return std::ranges::all_of(locations.items, [&](const ItemLocation& item) {
        return fits(locations.base_size, item.base) &&
               std::ranges::all_of(item.extents, [&](const ItemExtent& extent) {
                   return fits(locations.offset_size, extent.offset) &&
                          fits(locations.length_size, extent.length) &&
                          fits(locations.index_size, extent.index);
               });
    });
}

Buffer write_iloc(const ItemLocations& locations) {
    COLOPHON_ASSERT(fits_iloc(locations));
    Buffer body;
    append_be32(body, (std::uint32_t{locations.version} << 24U) | locations.flags);
    append_be16(body, static_cast<std::uint16_t>((unsigned{locations.offset_size} << 12U) |
                                                 (unsigned{locations.length_size} << 8U) |
                                                 (unsigned{locations.base_size} << 4U) |
                                                 locations.index_size));
    const auto count = static_cast<std::uint32_t>(locations.items.size());
    if (locations.version == 2) {
        append_be32(body, count);
    } else {
        append_be16(body, static_cast<std::uint16_t>(count));
    }
    for (const ItemLocation& item : locations.items) {
        if (locations.version == 2) {
            append_be32(body, item.id);
        } else {
            append_be16(body, static_cast<std::uint16_t>(item.id));
        }
        if (locations.version > 0) {
            append_be16(body, item.method_bits);
        }
        append_be16(body, item.data_reference);
        append_sized(body, locations.base_size, item.base);
        append_be16(body, static_cast<std::uint16_t>(item.extents.size()));
        for (const ItemExtent& extent : item.extents) {
            append_sized(body, locations.index_size, extent.index);
            append_sized(body, locations.offset_size, extent.offset);
            append_sized(body, locations.length_size, extent.length);
        }
    }
    Buffer out;
    append_box(out, box_type("iloc"), body);
    return out;
}

}  // namespace colophon::label::bmff
