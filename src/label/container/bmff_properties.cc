// SPDX-License-Identifier: Apache-2.0
#include "label/container/bmff_properties.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"
#include "label/container/bmff_offsets.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label::bmff {
namespace {

// One item's part of an 'ipma' box: count:u8 (essential:1 index:7 or 15) ...
struct Association {
    Box ipma;
    std::uint64_t count_offset = 0;      // of the count, in the file
    std::uint64_t end = 0;               // behind the last index
    bool wide = false;                   // indices have 15 bits, not 7
    std::vector<std::uint16_t> indices;  // from 1; 0: none
};

struct Tables {
    Box iprp;
    Box ipco;
    std::vector<Box> properties;
    std::optional<Association> association;  // of the item that was asked for
};

Result<Association> read_association(ByteReader& reader, const Box& ipma, bool wide) {
    Association association;
    association.ipma = ipma;
    association.wide = wide;
    association.count_offset = ipma.payload_offset() + reader.position();
    const std::uint8_t count = TRY(reader.u8("property association"));
    for (std::uint8_t i = 0; i < count; ++i) {
        const std::uint16_t value = wide ? TRY(reader.be16("property association"))
                                         : TRY(reader.u8("property association"));
        const unsigned mask = wide ? 0x7FFFU : 0x7FU;
        association.indices.push_back(static_cast<std::uint16_t>(value & mask));
    }
    association.end = ipma.payload_offset() + reader.position();
    return association;
}

// The entry of `id` in an 'ipma' box, nothing when it has none there.
Result<std::optional<Association>> find_association(Bytes file, const Box& ipma, std::uint32_t id) {
    ByteReader reader(payload(file, ipma));
    const FullBox full = TRY(read_full_box(reader));
    const bool wide = (full.flags & 1U) != 0;
    const std::uint32_t count = TRY(reader.be32("property association"));
    if (count > limits::kHeifItemsMax) {
        return Error{ErrorCode::kLimit, "too many items with properties"};
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t item = full.version == 0 ? TRY(reader.be16("property association"))
                                                     : TRY(reader.be32("property association"));
        Association association = TRY(read_association(reader, ipma, wide));
        if (item == id) {
            return std::optional(std::move(association));
        }
    }
    return std::optional<Association>();
}

Result<std::optional<Tables>> read_tables(Bytes file, const ItemMeta& meta, std::uint32_t id) {
    const auto iprp = TRY(find_child(file, meta.box, box_type("iprp"), meta.prefix));
    const auto ipco = iprp ? TRY(find_child(file, *iprp, box_type("ipco"))) : std::nullopt;
    if (!ipco) {
        return std::optional<Tables>();
    }
    Tables tables{.iprp = *iprp, .ipco = *ipco, .properties = {}, .association = {}};
    BoxReader properties(file, *ipco);
    while (const auto box = TRY(properties.next())) {
        tables.properties.push_back(*box);
        if (tables.properties.size() > limits::kHeifItemsMax) {
            return Error{ErrorCode::kLimit, "too many properties of items"};
        }
    }
    BoxReader children(file, *iprp);
    while (const auto box = TRY(children.next())) {
        if (box->type == box_type("ipma") && !tables.association) {
            tables.association = TRY(find_association(file, *box, id));
        }
    }
    return std::optional(std::move(tables));
}

}  // namespace

Result<std::vector<Box>> item_properties(Bytes file, const ItemMeta& meta, std::uint32_t id) {
    const auto tables = TRY(read_tables(file, meta, id));
    std::vector<Box> boxes;
    if (tables && tables->association) {
        for (const std::uint16_t index : tables->association->indices) {
            if (index > 0 && index <= tables->properties.size()) {
                boxes.push_back(tables->properties[index - 1U]);
            }
        }
    }
    return boxes;
}

Result<Splice> add_properties(Bytes file, const ItemMeta& meta, std::uint32_t id,
                              const std::vector<Buffer>& boxes) {
    const auto tables = TRY(read_tables(file, meta, id));
    if (!tables || !tables->association) {
        return Error{ErrorCode::kUnsupported, "the picture has no properties"};
    }
    const Association& association = *tables->association;
    const std::size_t last = tables->properties.size() + boxes.size();
    const std::size_t count = association.indices.size() + boxes.size();
    if (last > (association.wide ? 0x7FFFU : 0x7FU) || count > 0xFFU) {
        return Error{ErrorCode::kUnsupported, "the picture has no room for one more property"};
    }
    FileEdits edits;
    Buffer added;
    Buffer indices;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
        append(added, boxes[i]);
        const std::size_t index = tables->properties.size() + i + 1;
        if (association.wide) {
            append_be16(indices, static_cast<std::uint16_t>(index));
        } else {
            indices.push_back(static_cast<std::uint8_t>(index));
        }
    }
    const std::uint64_t place = TRY(end_of_children(file, tables->ipco));
    edits.replace(place, 0, std::move(added), std::vector{meta.box, tables->iprp, tables->ipco});
    edits.overwrite(association.count_offset, Buffer{static_cast<std::uint8_t>(count)});
    edits.replace(association.end, 0, std::move(indices),
                  std::vector{meta.box, tables->iprp, association.ipma});
    TRY(shift_offsets(file, edits));
    return edits.finish(file);
}

}  // namespace colophon::label::bmff
