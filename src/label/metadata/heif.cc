// SPDX-License-Identifier: Apache-2.0
// Writes the label into HEIF and AVIF pictures: the XMP packet is an item of type 'mime' that
// describes the primary item (ISO/IEC 23008-12 annex A). [GB45438-6.1] [TC260-PG-20259A]
//
// An XMP item that is there keeps its place when the new packet fits into the old bytes, by giving
// up or adding white space. A packet that has an 'mdat' box to itself is replaced together with it.
// In all other cases the old bytes are blanked and the new packet goes into an 'mdat' of its own at
// the end of the file, so that the next write finds it there. Coded pictures are copied, never
// touched.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"
#include "label/container/bmff_offsets.h"
#include "label/metadata/container.h"
#include "label/metadata/exif.h"
#include "label/metadata/heif_items.h"
#include "label/metadata/internal/bmff_labels.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/xmp.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace internal {
namespace {

using bmff::Box;
using bmff::box_type;
using bmff::BoxReader;
using bmff::BoxType;
using bmff::FileRange;
using bmff::ItemInfo;
using bmff::ItemLocation;
using bmff::ItemMeta;

// What of the file matters for writing.
struct Picture {
    Bytes file;
    ItemMeta meta;
    std::vector<Box> data;  // 'mdat' boxes
    std::optional<Box> moov;
    std::vector<Box> xmp_boxes;
    Box last;  // of the file
};

// Where the new packet goes.
enum class Home : std::uint8_t {
    kInPlace,   // over the old packet, same size
    kOwnBox,    // the old packet has an 'mdat' of its own, which changes its size
    kAppended,  // a new 'mdat' at the end of the file
};

struct Plan {
    const ItemInfo* item = nullptr;  // the XMP item that is there, nullptr: a new one
    std::vector<FileRange> old;      // where its bytes are
    Home home = Home::kAppended;
    Box own;  // for kOwnBox
    std::string packet;
    std::uint32_t id = 0;
    // Of a new item.
    BoxType type = box_type("mime");
    std::string content_type = "application/rdf+xml";
    std::string content_encoding;
    bool alone = true;  // every other label is taken out
};

Result<Picture> find_parts(Bytes file) {
    Picture picture;
    picture.file = file;
    std::optional<Box> meta;
    BoxReader boxes(file);
    while (const auto box = TRY(boxes.next())) {
        picture.last = *box;
        if (box->type == box_type("meta")) {
            if (meta) {
                return corrupt_at("second meta box", box->offset);
            }
            meta = box;
        } else if (box->type == box_type("mdat")) {
            picture.data.push_back(*box);
        } else if (box->type == box_type("moov")) {
            picture.moov = box;
        } else if (internal::is_xmp_box(*box) &&
                   picture.xmp_boxes.size() < limits::kLabelSitesMax) {
            picture.xmp_boxes.push_back(*box);
        }
    }
    if (!meta) {
        return Error{ErrorCode::kUnsupported,
                     "the file has no meta box with items; an image sequence alone has no place "
                     "for an XMP item"};
    }
    picture.meta = TRY(bmff::read_item_meta(file, *meta));
    if (!picture.meta.primary || !picture.meta.iinf || !picture.meta.locations) {
        return corrupt_at("meta box without primary item, item information or item locations",
                          meta->offset);
    }
    // A table that points outside of the file is damage that moving it would hide.
    for (const ItemLocation& item : picture.meta.locations->items) {
        const auto ranges = bmff::item_ranges(file, picture.meta, item);
        if (!ranges.ok() && ranges.error().code == ErrorCode::kCorrupt) {
            return ranges.error();
        }
    }
    return picture;
}

// The XMP item that describes the primary item; any other one when none does.
const ItemInfo* find_xmp_item(const ItemMeta& meta) {
    const ItemInfo* first = nullptr;
    for (const ItemInfo& item : meta.items) {
        if (!internal::is_xmp_item(item)) {
            continue;
        }
        first = first == nullptr ? &item : first;
        const bool describes =
            meta.references &&
            std::ranges::any_of(meta.references->entries, [&](const bmff::ItemReference& entry) {
                return entry.type == box_type("cdsc") && entry.from == item.id &&
                       std::ranges::find(entry.to, *meta.primary) != entry.to.end();
            });
        if (describes) {
            return &item;
        }
    }
    return first;
}

bool overlap(const FileRange& a, const FileRange& b) {
    return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

// Whether bytes of the item may change: they lie in media data (or in 'idat') and no other item
// uses them.
Result<void> check_own_bytes(const Picture& picture, const Plan& plan) {
    const ItemMeta& meta = picture.meta;
    std::vector<Box> homes = picture.data;
    if (meta.idat) {
        homes.push_back(*meta.idat);
    }
    for (const FileRange& range : plan.old) {
        const bool inside = std::ranges::any_of(homes, [&](const Box& box) {
            return range.offset >= box.payload_offset() && range.offset + range.size <= box.end();
        });
        if (!inside) {
            return Error{ErrorCode::kUnsupported,
                         "the XMP item lies outside of the media data at byte " +
                             std::to_string(range.offset)};
        }
    }
    for (const ItemLocation& item : meta.locations->items) {
        if (item.id == plan.item->id || item.extents.empty()) {
            continue;
        }
        const auto ranges = bmff::item_ranges(picture.file, meta, item);
        for (const FileRange& mine : plan.old) {
            if (ranges.ok() && std::ranges::any_of(*ranges, [&](const FileRange& other) {
                    return overlap(mine, other);
                })) {
                return Error{ErrorCode::kUnsupported,
                             "the XMP item shares bytes with item " + std::to_string(item.id)};
            }
        }
    }
    return {};
}

// The packet stretched or squeezed to `size` bytes with white space before its end; nothing when it
// has not enough to give. Zeros behind it are no text: white space behind those would make them so.
std::optional<std::string> fit_packet(std::string_view packet, std::size_t size) {
    const std::size_t zeros = packet.find_last_not_of('\0') + 1;
    const std::size_t end = std::min(packet.rfind("<?xpacket end"), zeros);
    std::string out(packet);
    if (packet.size() <= size) {
        out.insert(end, size - packet.size(), ' ');
        return out;
    }
    const std::size_t excess = packet.size() - size;
    const std::size_t text = packet.substr(0, end).find_last_not_of(" \t\r\n");
    const std::size_t blank = text == std::string_view::npos ? 0 : end - text - 1;
    if (blank < excess) {
        return std::nullopt;
    }
    out.erase(end - excess, excess);
    return out;
}

// Ids are 16 bits wide in most boxes; the next free one keeps them so.
Result<std::uint32_t> free_id(const ItemMeta& meta) {
    std::vector<std::uint32_t> used{0, *meta.primary};
    for (const ItemInfo& item : meta.items) {
        used.push_back(item.id);
    }
    for (const ItemLocation& item : meta.locations->items) {
        used.push_back(item.id);
    }
    std::ranges::sort(used);
    if (used.back() < 0xFFFFU) {
        return used.back() + 1;
    }
    for (std::size_t i = 1; i < used.size(); ++i) {
        if (used[i] > used[i - 1] + 1 && used[i - 1] < 0xFFFFU) {
            return used[i - 1] + 1;
        }
    }
    return Error{ErrorCode::kLimit, "all 65535 item ids of the file are in use"};
}

// Whether the boxes, in the versions that they have, can count and name one item more.
Result<void> check_room(const ItemMeta& meta) {
    constexpr std::size_t kMax16 = 0xFFFF;
    if (meta.locations->items.size() >= kMax16 || meta.items.size() >= kMax16) {
        return Error{ErrorCode::kLimit, "the file has 65535 items already"};
    }
    if (meta.references && meta.references->version == 0 && *meta.primary > kMax16) {
        return corrupt_at("item references too narrow for the primary item",
                          meta.references->box.offset);
    }
    return {};
}

Result<void> plan_place(const Picture& picture, Plan& plan) {
    std::uint64_t size = 0;
    for (const FileRange& range : plan.old) {
        size += range.size;
    }
    TRY(check_own_bytes(picture, plan));
    if (plan.old.size() != 1 || !plan.item->content_encoding.empty()) {
        return {};
    }
    const FileRange& old = plan.old.front();
    const auto own = std::ranges::find_if(picture.data, [&](const Box& box) {
        return box.payload_offset() == old.offset && box.end() == old.offset + old.size;
    });
    if (own != picture.data.end()) {
        plan.home = Home::kOwnBox;
        plan.own = *own;
    } else if (auto fitted = fit_packet(plan.packet, static_cast<std::size_t>(size))) {
        plan.home = Home::kInPlace;
        plan.packet = std::move(*fitted);
    }
    return {};
}

Result<Plan> make_plan(const Picture& picture, const MetadataFields& fields) {
    Plan plan;
    plan.item = find_xmp_item(picture.meta);
    const ItemLocation* location =
        plan.item == nullptr ? nullptr : picture.meta.locations->find(plan.item->id);
    if (plan.item == nullptr) {
        plan.packet = TRY(write_xmp({}, fields));
        plan.id = TRY(free_id(picture.meta));
        TRY(check_room(picture.meta));
        return plan;
    }
    if (location == nullptr) {
        return corrupt_at("XMP item without a location", plan.item->box.offset);
    }
    if (plan.item->protection != 0) {
        return Error{ErrorCode::kUnsupported, "the XMP item is encrypted"};
    }
    plan.id = plan.item->id;
    const Buffer old =
        TRY(internal::item_content(picture.file, picture.meta, *plan.item, *location));
    plan.packet = TRY(write_xmp(as_text(internal::xmp_packet(old)), fields));
    plan.old = TRY(bmff::item_ranges(picture.file, picture.meta, *location));
    TRY(plan_place(picture, plan));
    return plan;
}

// The old packet must not be found any more by whoever searches the bytes for it.
void blank_old(const Plan& plan, bmff::FileEdits& edits) {
    for (const FileRange& range : plan.old) {
        edits.overwrite(range.offset, Buffer(static_cast<std::size_t>(range.size), ' '));
    }
}

Buffer new_infe(const Plan& plan) {
    Buffer content;
    append_be32(content, 2U << 24U);
    append_be16(content, static_cast<std::uint16_t>(plan.id));
    append_be16(content, 0);  // not protected
    append_be32(content, plan.type);
    content.push_back(0);  // no name
    if (plan.type == box_type("mime")) {
        append(content, plan.content_type);
        content.push_back(0);
    }
    if (!plan.content_encoding.empty()) {
        append(content, plan.content_encoding);
        content.push_back(0);
    }
    Buffer out;
    bmff::append_box(out, box_type("infe"), content);
    return out;
}

// Writers that compress the packet say so in the item; ours is plain.
void drop_encoding(const Picture& picture, const Plan& plan, bmff::FileEdits& edits) {
    if (plan.item == nullptr || plan.item->content_encoding.empty()) {
        return;
    }
    const Box& box = plan.item->box;
    const std::string_view content = as_text(bmff::payload(picture.file, box));
    const std::size_t size = plan.item->content_encoding.size();
    const std::size_t at = content.rfind(plan.item->content_encoding);
    edits.replace(box.payload_offset() + at, size, {},
                  std::vector{picture.meta.box, *picture.meta.iinf, box});
}

Result<void> insert_item(const Picture& picture, const Plan& plan, bmff::FileEdits& edits) {
    const ItemMeta& meta = picture.meta;
    const Bytes iinf = bmff::payload(picture.file, *meta.iinf);
    Buffer count;
    if (meta.iinf_version == 0) {
        append_be16(count, static_cast<std::uint16_t>(load_be16(iinf.subspan(4)) + 1));
    } else {
        append_be32(count, load_be32(iinf.subspan(4)) + 1);
    }
    edits.overwrite(meta.iinf->payload_offset() + 4, std::move(count));
    const std::uint64_t last =
        TRY(bmff::end_of_children(picture.file, *meta.iinf, meta.iinf_version == 0 ? 6 : 8));
    edits.replace(last, 0, new_infe(plan), std::vector{meta.box, *meta.iinf});

    const bool wide = meta.references ? meta.references->version > 0 : *meta.primary > 0xFFFFU;
    Buffer ids;
    if (wide) {
        append_be32(ids, plan.id);
        append_be16(ids, 1);
        append_be32(ids, *meta.primary);
    } else {
        append_be16(ids, static_cast<std::uint16_t>(plan.id));
        append_be16(ids, 1);
        append_be16(ids, static_cast<std::uint16_t>(*meta.primary));
    }
    Buffer entry;
    bmff::append_box(entry, box_type("cdsc"), ids);
    if (meta.references) {
        const Box& iref = meta.references->box;
        edits.replace(TRY(bmff::end_of_children(picture.file, iref, 4)), 0, std::move(entry),
                      std::vector{meta.box, iref});
        return {};
    }
    Buffer content;
    append_be32(content, wide ? 1U << 24U : 0U);
    append(content, entry);
    Buffer iref;
    bmff::append_box(iref, box_type("iref"), content);
    edits.replace(TRY(bmff::end_of_children(picture.file, meta.box, meta.prefix)), 0,
                  std::move(iref), std::vector{meta.box});
    return {};
}

void place_packet(const Picture& picture, const Plan& plan, bmff::FileEdits& edits) {
    Buffer packet = to_buffer(plan.packet);
    if (plan.home == Home::kInPlace) {
        const FileRange& old = plan.old.front();
        if (plan.packet != as_text(*slice(picture.file, old.offset, old.size))) {
            edits.overwrite(old.offset, std::move(packet));
        }
    } else if (plan.home == Home::kOwnBox) {
        edits.replace(plan.old.front().offset, plan.old.front().size, std::move(packet),
                      std::vector{plan.own});
    } else {
        blank_old(plan, edits);
        if (picture.last.to_end) {
            edits.close_box(picture.last);
        }
        Buffer box;
        bmff::append_box(box, box_type("mdat"), packet);
        edits.replace(picture.last.end(), 0, std::move(box), {});
    }
}

// Takes every other label out: second XMP items, Exif comments, XMP boxes, an image sequence's
// tags.
Result<void> remove_others(const Picture& picture, const Plan& plan, bmff::FileEdits& edits);

// The item locations with room for the packet. Field sizes grow only when a place does not fit.
bmff::ItemLocations new_locations(const Picture& picture, const Plan& plan, std::uint8_t width) {
    bmff::ItemLocations locations = *picture.meta.locations;
    if (plan.home == Home::kInPlace) {
        return locations;
    }
    // What lasts to the end of the file must not swallow the packet that will follow.
    for (ItemLocation& other : locations.items) {
        const bool in_file = other.method() == 0 && other.data_reference == 0;
        for (bmff::ItemExtent& extent : other.extents) {
            const std::uint64_t place = other.base + extent.offset;
            if (in_file && extent.length == 0 && place < picture.file.size()) {
                extent.length = picture.file.size() - place;
            }
        }
    }
    ItemLocation* item = locations.find(plan.id);
    if (item == nullptr) {
        locations.items.push_back({.id = plan.id, .extents = {}});
        item = &locations.items.back();
    }
    item->method_bits = static_cast<std::uint16_t>(item->method_bits & ~0xFU);
    item->base = 0;
    item->extents.assign(1, {.index = 0, .offset = 0, .length = plan.packet.size()});
    locations.offset_size = std::max(locations.offset_size, width);
    locations.length_size = std::max<std::uint8_t>(locations.length_size, 4);
    if (locations.base_size != 0) {
        locations.base_size = std::max(locations.base_size, width);
    }
    return locations;
}

// All edits with this 'iloc', whose size counts already although its places may not be known yet.
Result<bmff::FileEdits> make_edits(const Picture& picture, const Plan& plan, Buffer iloc) {
    bmff::FileEdits edits;
    const Box& old = picture.meta.locations->box;
    if (!std::ranges::equal(iloc, *slice(picture.file, old.offset, old.size))) {
        edits.replace(old.offset, old.size, std::move(iloc), std::vector{picture.meta.box});
    }
    if (plan.item == nullptr) {
        TRY(insert_item(picture, plan, edits));
    }
    drop_encoding(picture, plan, edits);
    place_packet(picture, plan, edits);
    if (plan.alone) {
        TRY(remove_others(picture, plan, edits));
    }
    TRY(bmff::consume_free(picture.file, edits, picture.meta.box));
    return edits;
}

// Where the packet begins in the new file.
std::uint64_t new_place(const Picture& picture, const Plan& plan, const bmff::Moves& moves) {
    return plan.home == Home::kOwnBox ? moves(plan.old.front().offset)
                                      : moves(picture.last.end()) - plan.packet.size();
}

Result<bmff::FileEdits> place_items(const Picture& picture, const Plan& plan) {
    for (const std::uint8_t width : {std::uint8_t{4}, std::uint8_t{8}}) {
        const bmff::ItemLocations sized = new_locations(picture, plan, width);
        if (!bmff::fits_iloc(sized)) {
            continue;
        }
        const bmff::FileEdits draft = TRY(make_edits(picture, plan, bmff::write_iloc(sized)));
        const bmff::Moves moves = draft.moves();
        bmff::ItemLocations moved = sized;
        // The packet's own entry is set, not moved.
        if (plan.home != Home::kInPlace) {
            moved.find(plan.id)->data_reference = 1;
        }
        bmff::move_items(moved, moves);
        if (plan.home != Home::kInPlace) {
            ItemLocation* item = moved.find(plan.id);
            item->data_reference = 0;
            item->extents.front().offset = new_place(picture, plan, moves);
        }
        if (bmff::fits_iloc(moved)) {
            return make_edits(picture, plan, bmff::write_iloc(moved));
        }
    }
    return Error{ErrorCode::kLimit, "the places of the items do not fit into 64 bits"};
}

Result<void> blank_exif(const Picture& picture, const ItemLocation& location,
                        bmff::FileEdits& edits) {
    const Buffer bytes =
        TRY(bmff::item_bytes(picture.file, picture.meta, location, limits::kMetadataBlockBytesMax));
    const std::vector<FileRange> ranges =
        TRY(bmff::item_ranges(picture.file, picture.meta, location));
    if (bytes.size() < 4 || ranges.size() != 1) {
        return {};
    }
    const std::uint64_t skip = 4 + std::uint64_t{load_be32(bytes)};
    if (skip >= bytes.size()) {
        return {};
    }
    const Bytes tiff = Bytes(bytes).subspan(static_cast<std::size_t>(skip));
    auto patches = blank_exif_labels(tiff);
    if (!patches.ok()) {
        // EXIF that cannot be read holds no label that anybody reads.
        return {};
    }
    for (ExifPatch& patch : *patches) {
        edits.overwrite(ranges.front().offset + skip + patch.offset, std::move(patch.bytes));
    }
    return {};
}

Result<void> blank_item(const Picture& picture, const ItemInfo& item, const ItemLocation& location,
                        bmff::FileEdits& edits) {
    if (item.type == box_type("Exif")) {
        return blank_exif(picture, location, edits);
    }
    const auto content = internal::item_content(picture.file, picture.meta, item, location);
    if (!content.ok()) {
        return content.error().code == ErrorCode::kCorrupt ? Result<void>(content.error())
                                                           : Result<void>();
    }
    const Bytes packet = internal::xmp_packet(*content);
    auto blank = internal::blank_xmp_labels(packet);
    if (!blank.ok() || !*blank) {
        return {};
    }
    const std::vector<FileRange> ranges =
        TRY(bmff::item_ranges(picture.file, picture.meta, location));
    if (ranges.size() != 1 || !item.content_encoding.empty()) {
        return Error{ErrorCode::kUnsupported,
                     "a second XMP item holds a label and is compressed or in parts"};
    }
    edits.overwrite(ranges.front().offset + (content->size() - packet.size()), std::move(**blank));
    return {};
}

Result<void> remove_others(const Picture& picture, const Plan& plan, bmff::FileEdits& edits) {
    std::size_t seen = 0;
    for (const ItemInfo& item : picture.meta.items) {
        const bool carrier = item.type == box_type("Exif") || internal::is_xmp_item(item);
        const ItemLocation* location = picture.meta.locations->find(item.id);
        if (!carrier || location == nullptr || item.id == plan.id) {
            continue;
        }
        if (++seen > limits::kLabelSitesMax) {
            return Error{ErrorCode::kLimit, "more than " + std::to_string(limits::kLabelSitesMax) +
                                                " metadata items in the file"};
        }
        TRY(blank_item(picture, item, *location, edits));
    }
    for (const Box& box : picture.xmp_boxes) {
        TRY(internal::blank_xmp_box(picture.file, box, edits));
    }
    if (picture.moov) {
        const auto places = TRY(internal::find_movie_places(picture.file, *picture.moov));
        TRY(internal::remove_movie_labels(picture.file, places, std::nullopt, edits));
    }
    return {};
}

}  // namespace

namespace {

Result<Splice> write_plan(const Picture& picture, const Plan& plan) {
    bmff::FileEdits edits = TRY(place_items(picture, plan));
    TRY(bmff::shift_offsets(picture.file, edits, picture.meta.locations->box.offset));
    return edits.finish(picture.file);
}

}  // namespace

Result<Splice> write_heif(Bytes file, const MetadataFields& fields) {
    const Picture picture = TRY(find_parts(file));
    return write_plan(picture, TRY(make_plan(picture, fields)));
}

}  // namespace internal

Result<std::vector<HeifItem>> read_heif_items(Bytes file) {
    const internal::Picture picture = TRY(internal::find_parts(file));
    const bmff::ItemMeta& meta = picture.meta;
    std::vector<HeifItem> items;
    for (const bmff::ItemInfo& info : meta.items) {
        const bool carried =
            info.type == bmff::box_type("Exif") || info.type == bmff::box_type("mime");
        const bmff::ItemLocation* location = meta.locations->find(info.id);
        if (!carried || info.protection != 0 || location == nullptr ||
            items.size() >= limits::kLabelSitesMax) {
            continue;
        }
        auto bytes = bmff::item_bytes(file, meta, *location, limits::kMetadataBlockBytesMax);
        if (!bytes.ok() && bytes.error().code == ErrorCode::kUnsupported) {
            continue;
        }
        items.push_back({.type = info.type,
                         .content_type = info.content_type,
                         .content_encoding = info.content_encoding,
                         .bytes = TRY(std::move(bytes))});
    }
    return items;
}

Result<Splice> add_heif_item(Bytes file, const HeifItem& item) {
    const internal::Picture picture = TRY(internal::find_parts(file));
    internal::Plan plan;
    plan.packet = std::string(as_text(item.bytes));
    plan.id = TRY(internal::free_id(picture.meta));
    plan.type = item.type;
    plan.content_type = item.content_type;
    plan.content_encoding = item.content_encoding;
    plan.alone = false;
    TRY(internal::check_room(picture.meta));
    return internal::write_plan(picture, plan);
}

}  // namespace colophon::label
