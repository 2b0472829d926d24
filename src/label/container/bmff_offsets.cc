// SPDX-License-Identifier: Apache-2.0
#include "label/container/bmff_offsets.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "core/sort.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/container/bmff_meta.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::bmff {
namespace {

constexpr std::uint64_t kMax32 = std::numeric_limits<std::uint32_t>::max();

Error too_far(std::string_view table, std::uint64_t offset) {
    return {ErrorCode::kLimit,
            "the label moves media beyond 4 GB, where the 32-bit table '" + std::string(table) +
                "' at byte " + std::to_string(offset) +
                " cannot point; remultiplex the file with the index at its end (FFmpeg: without "
                "-movflags faststart)"};
}

// What a shifter needs at hand.
struct Shift {
    Bytes file;
    const Moves& moves;
    FileEdits& edits;
    std::optional<std::uint64_t> skip_iloc;
};

// `count` offsets of `width` bytes that begin `skip` bytes into `box`, moved by `moved`.
struct Table {
    std::size_t skip;
    std::size_t count;
    std::size_t width;   // of one offset, 4 or 8
    std::size_t stride;  // from one to the next
};

template <class Moved>
Result<void> shift_table(const Shift& shift, const Box& box, const Table& table,
                         const Moved& moved) {
    const Bytes bytes = payload(shift.file, box);
    const std::size_t left = bytes.size() - std::min(bytes.size(), table.skip);
    if (table.count > 0 &&
        (left < table.width || (table.count - 1) > (left - table.width) / table.stride)) {
        return corrupt_at("the table '" + type_name(box.type) + "' is shorter than its count,",
                          box.offset);
    }
    Buffer out;
    for (std::size_t i = 0; i < table.count; ++i) {
        const std::size_t at = table.skip + i * table.stride;
        const bool wide = table.width == 8;
        const std::uint64_t before =
            wide ? load_be64(bytes.subspan(at)) : load_be32(bytes.subspan(at));
        const std::uint64_t after = moved(before);
        if (after == before) {
            continue;
        }
        if (!wide && after > kMax32) {
            return too_far(type_name(box.type), box.offset);
        }
        if (out.empty()) {
            out = to_buffer(bytes);
        }
        if (wide) {
            store_be64(out, at, after);
        } else {
            store_be32(out, at, static_cast<std::uint32_t>(after));
        }
    }
    if (!out.empty()) {
        shift.edits.overwrite(box.payload_offset(), std::move(out));
    }
    return {};
}

Result<void> shift_chunks(const Shift& shift, const Box& box) {
    ByteReader reader(payload(shift.file, box), box.payload_offset());
    (void)TRY(read_full_box(reader));
    const std::size_t count = TRY(reader.be32("number of chunks"));
    const std::size_t width = box.type == box_type("co64") ? 8 : 4;
    return shift_table(shift, box, {.skip = 8, .count = count, .width = width, .stride = width},
                       shift.moves);
}

// Offsets of 'saio' count from the start of the file in a track, and from `base` in a fragment.
Result<void> shift_aux(const Shift& shift, const Box& box, std::uint64_t base) {
    ByteReader reader(payload(shift.file, box), box.payload_offset());
    const FullBox head = TRY(read_full_box(reader));
    if ((head.flags & 1U) != 0) {
        TRY(reader.skip(8, "type of auxiliary information"));
    }
    const std::size_t count = TRY(reader.be32("number of offsets"));
    const std::size_t width = head.version == 0 ? 4 : 8;
    return shift_table(
        shift, box, {.skip = reader.position(), .count = count, .width = width, .stride = width},
        [&](std::uint64_t offset) { return shift.moves(base + offset) - shift.moves(base); });
}

Result<void> shift_run(const Shift& shift, const Box& box, std::uint64_t base) {
    ByteReader reader(payload(shift.file, box), box.payload_offset());
    const FullBox head = TRY(read_full_box(reader));
    if ((head.flags & 1U) == 0) {
        return {};
    }
    TRY(reader.skip(4, "sample count"));
    const std::uint32_t stored = TRY(reader.be32("data offset"));
    const auto offset =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(stored)));
    const std::uint64_t after = shift.moves(base + offset) - shift.moves(base);
    const auto signed_after = static_cast<std::int64_t>(after);
    if (signed_after > std::numeric_limits<std::int32_t>::max() ||
        signed_after < std::numeric_limits<std::int32_t>::min()) {
        return too_far("trun", box.offset);
    }
    if (after != offset) {
        Buffer bytes;
        append_be32(bytes, static_cast<std::uint32_t>(after));
        shift.edits.overwrite(box.payload_offset() + 8, std::move(bytes));
    }
    return {};
}

// A box of a track fragment; `base` becomes the base that the fragment's header gives.
Result<void> shift_in_traf(const Shift& shift, const Box& child, std::uint64_t& base) {
    if (child.type == box_type("trun")) {
        return shift_run(shift, child, base);
    }
    if (child.type == box_type("saio")) {
        return shift_aux(shift, child, base);
    }
    if (child.type != box_type("tfhd")) {
        return {};
    }
    ByteReader reader(payload(shift.file, child), child.payload_offset());
    if ((TRY(read_full_box(reader)).flags & 1U) == 0) {
        return {};
    }
    TRY(reader.skip(4, "track id"));
    base = TRY(reader.be64("base data offset"));
    return shift_table(shift, child, {.skip = 8, .count = 1, .width = 8, .stride = 8}, shift.moves);
}

// One track fragment. Without a base of its own, offsets count from the fragment's start.
Result<void> shift_traf(const Shift& shift, const Box& traf, const Box& moof) {
    std::uint64_t base = moof.offset;
    BoxReader children(shift.file, traf);
    while (const auto child = TRY(children.next())) {
        TRY(shift_in_traf(shift, *child, base));
    }
    return {};
}

Result<void> shift_tfra(const Shift& shift, const Box& box) {
    ByteReader reader(payload(shift.file, box), box.payload_offset());
    const FullBox head = TRY(read_full_box(reader));
    TRY(reader.skip(4, "track id"));
    const unsigned sizes = TRY(reader.be32("field sizes of tfra"));
    const std::size_t count = TRY(reader.be32("number of entries"));
    const std::size_t width = head.version == 1 ? 8 : 4;
    const std::size_t numbers = ((sizes >> 4U) & 3U) + ((sizes >> 2U) & 3U) + (sizes & 3U) + 3;
    const std::size_t stride = 2 * width + numbers;
    if (count > reader.left() / stride) {
        return corrupt_at("the table 'tfra' is shorter than its count,", box.offset);
    }
    return shift_table(
        shift, box,
        {.skip = reader.position() + width, .count = count, .width = width, .stride = stride},
        shift.moves);
}

// [ISO/IEC 14496-12 8.16.3] Sizes of what follows, counted from the end of the box.
Result<void> shift_sidx(const Shift& shift, const Box& box) {
    const Bytes bytes = payload(shift.file, box);
    ByteReader reader(bytes, box.payload_offset());
    const FullBox head = TRY(read_full_box(reader));
    TRY(reader.skip(head.version == 0 ? 12 : 16, "time of the segment index"));
    const std::size_t first_at = reader.position();
    const bool wide = head.version != 0;
    const std::uint64_t first =
        wide ? TRY(reader.be64("first offset")) : std::uint64_t{TRY(reader.be32("first offset"))};
    TRY(reader.skip(2, "reserved"));
    const std::size_t count = TRY(reader.be16("number of references"));
    // The byte behind the box: what is inserted there lies between it and what it points to.
    const std::uint64_t anchor = shift.moves(box.end() - 1) + 1;
    const std::uint64_t first_after = shift.moves(box.end() + first) - anchor;
    if (!wide && first_after > kMax32) {
        return too_far("sidx", box.offset);
    }
    Buffer out = to_buffer(bytes);
    if (wide) {
        store_be64(out, first_at, first_after);
    } else {
        store_be32(out, first_at, static_cast<std::uint32_t>(first_after));
    }
    std::uint64_t place = box.end() + first;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = reader.position();
        const std::uint32_t word = TRY(reader.be32("reference of the segment index"));
        TRY(reader.skip(8, "reference of the segment index"));
        const std::uint32_t size = word & 0x7FFFFFFFU;
        const std::uint64_t after = shift.moves(place + size) - shift.moves(place);
        place += size;
        if (after > 0x7FFFFFFFU) {
            return too_far("sidx", box.offset);
        }
        store_be32(out, at, (word & 0x80000000U) | static_cast<std::uint32_t>(after));
    }
    if (!std::ranges::equal(out, bytes)) {
        shift.edits.overwrite(box.payload_offset(), std::move(out));
    }
    return {};
}

// Items of a meta box that the caller does not rewrite itself: patched in their present widths.
Result<void> shift_items(const Shift& shift, const Box& meta) {
    const auto iloc =
        TRY(find_child(shift.file, meta, box_type("iloc"), meta_prefix(shift.file, meta)));
    if (!iloc || (shift.skip_iloc && *shift.skip_iloc == iloc->offset)) {
        return {};
    }
    const ItemMeta items = TRY(read_item_meta(shift.file, meta));
    ItemLocations moved = *items.locations;
    move_items(moved, shift.moves);
    if (!fits_iloc(moved)) {
        return too_far("iloc", iloc->offset);
    }
    Buffer bytes = write_iloc(moved);
    if (bytes.size() != iloc->size) {
        return corrupt_at("iloc box with bytes behind its last item,", iloc->offset);
    }
    if (!std::ranges::equal(bytes, *slice(shift.file, iloc->offset, iloc->size))) {
        shift.edits.overwrite(iloc->offset, std::move(bytes));
    }
    return {};
}

// Which boxes are entered on the way to the tables. Each pair leads down, so depth is bounded by
// the longest chain: moov, trak, mdia, minf, stbl, table.
struct Way {
    std::string_view parent;
    std::string_view child;
};
constexpr std::array<Way, 6> kWays{{{.parent = "moov", .child = "trak"},
                                    {.parent = "trak", .child = "mdia"},
                                    {.parent = "mdia", .child = "minf"},
                                    {.parent = "minf", .child = "stbl"},
                                    {.parent = "moof", .child = "traf"},
                                    {.parent = "mfra", .child = "tfra"}}};

bool leads_to(BoxType parent, BoxType child) {
    return std::ranges::any_of(kWays, [&](const Way& way) {
        return box_type(way.parent) == parent && box_type(way.child) == child;
    });
}

Result<void> shift_below(const Shift& shift, const Box& parent);

Result<void> shift_child(const Shift& shift, const Box& parent, const Box& child) {
    if (leads_to(parent.type, child.type)) {
        if (child.type == box_type("traf")) {
            return shift_traf(shift, child, parent);
        }
        return child.type == box_type("tfra") ? shift_tfra(shift, child)
                                              : shift_below(shift, child);
    }
    if (parent.type == box_type("stbl")) {
        if (child.type == box_type("stco") || child.type == box_type("co64")) {
            return shift_chunks(shift, child);
        }
        if (child.type == box_type("saio")) {
            return shift_aux(shift, child, 0);
        }
    }
    return child.type == box_type("meta") ? shift_items(shift, child) : Result<void>();
}

Result<void> shift_below(const Shift& shift, const Box& parent) {
    BoxReader children(shift.file, parent);
    while (const auto child = TRY(children.next())) {
        TRY(shift_child(shift, parent, *child));
    }
    return {};
}

// A box at the top of the file.
Result<void> shift_top(const Shift& shift, const Box& box) {
    if (box.type == box_type("moov") || box.type == box_type("moof") ||
        box.type == box_type("mfra")) {
        return shift_below(shift, box);
    }
    if (box.type == box_type("sidx")) {
        return shift_sidx(shift, box);
    }
    return box.type == box_type("meta") ? shift_items(shift, box) : Result<void>();
}

}  // namespace

std::uint64_t Moves::operator()(std::uint64_t offset) const noexcept {
    const auto after = std::ranges::upper_bound(steps_, offset, {}, &Step::begin);
    if (after == steps_.begin()) {
        return offset;
    }
    const Step& step = *std::prev(after);
    if (offset >= step.end) {
        return step.new_end + (offset - step.end);
    }
    return step.new_begin + std::min(offset - step.begin, step.new_end - step.new_begin);
}

void FileEdits::replace(std::uint64_t offset, std::uint64_t size, Buffer bytes,
                        std::span<const Box> around) {
    const auto by = static_cast<std::int64_t>(bytes.size()) - static_cast<std::int64_t>(size);
    for (const Box& box : around) {
        Grown& grown = grown_[box.offset];
        grown.box = box;
        grown.by += by;
    }
    edits_.push_back({.offset = offset, .size = size, .bytes = std::move(bytes)});
}

void FileEdits::overwrite(std::uint64_t offset, Buffer bytes) {
    const std::uint64_t size = bytes.size();
    edits_.push_back({.offset = offset, .size = size, .bytes = std::move(bytes)});
}

void FileEdits::close_box(const Box& box) {
    Grown& grown = grown_[box.offset];
    grown.box = box;
    grown.close = true;
}

std::int64_t FileEdits::growth(const Box& box) const {
    const auto found = grown_.find(box.offset);
    return found == grown_.end() ? 0 : found->second.by;
}

std::vector<const FileEdits::Edit*> FileEdits::sorted() const {
    std::vector<const Edit*> order;
    order.reserve(edits_.size());
    for (const Edit& edit : edits_) {
        order.push_back(&edit);
    }
    // What is inserted at a place comes before what replaces the bytes there.
    sort_stably(order, [](const Edit* edit) { return std::pair(edit->offset, edit->size != 0); });
    return order;
}

Moves FileEdits::moves() const {
    Moves moves;
    std::uint64_t old_place = 0;
    std::uint64_t new_place = 0;
    for (const Edit* edit : sorted()) {
        if (edit->size == edit->bytes.size()) {
            continue;
        }
        // Overlapping edits are refused by finish(); here they must only not wrap around.
        new_place += edit->offset - std::min(old_place, edit->offset);
        moves.steps_.push_back({.begin = edit->offset,
                                .end = edit->offset + edit->size,
                                .new_begin = new_place,
                                .new_end = new_place + edit->bytes.size()});
        old_place = edit->offset + edit->size;
        new_place += edit->bytes.size();
    }
    return moves;
}

Result<std::optional<FileEdits::Edit>> FileEdits::size_edit(const Grown& grown) const {
    const Box& box = grown.box;
    if ((grown.by == 0 && !grown.close) || (box.to_end && !grown.close)) {
        return std::optional<Edit>();
    }
    const std::uint64_t size = box.size + static_cast<std::uint64_t>(grown.by);
    Edit edit;
    if (box.has_large_size()) {
        edit.offset = box.offset + 8;
        append_be64(edit.bytes, size);
    } else if (size <= kMax32) {
        edit.offset = box.offset;
        append_be32(edit.bytes, static_cast<std::uint32_t>(size));
    } else {
        return Error{ErrorCode::kLimit, "box '" + type_name(box.type) + "' at byte " +
                                            std::to_string(box.offset) +
                                            " grows beyond the 4 GB that its 32-bit size can say"};
    }
    edit.size = edit.bytes.size();
    return std::optional<Edit>(std::move(edit));
}

Result<Splice> FileEdits::finish(Bytes file) const {
    FileEdits all;
    all.edits_ = edits_;
    for (const auto& [offset, grown] : grown_) {
        if (auto edit = TRY(size_edit(grown))) {
            all.edits_.push_back(std::move(*edit));
        }
    }
    Splice splice;
    std::uint64_t place = 0;
    for (const Edit* edit : all.sorted()) {
        COLOPHON_ASSERT(edit->offset <= file.size() && edit->size <= file.size() - edit->offset);
        if (edit->offset < place) {
            return corrupt_at("two structures that must change overlap", edit->offset);
        }
        splice.copy(place, edit->offset - place);
        splice.insert(edit->bytes);
        place = edit->offset + edit->size;
    }
    splice.copy(place, file.size() - place);
    return splice;
}

Result<void> shift_offsets(Bytes file, FileEdits& edits, std::optional<std::uint64_t> skip_iloc) {
    const Moves moves = edits.moves();
    if (moves.empty()) {
        return {};
    }
    const Shift shift{.file = file, .moves = moves, .edits = edits, .skip_iloc = skip_iloc};
    BoxReader boxes(file);
    while (const auto box = TRY(boxes.next())) {
        TRY(shift_top(shift, *box));
    }
    return {};
}

Result<void> consume_free(Bytes file, FileEdits& edits, const Box& box) {
    const std::int64_t growth = edits.growth(box);
    if (growth == 0 || box.end() == file.size()) {
        return {};
    }
    BoxReader reader(file, box.end(), file.size(), Level::kFile);
    const auto next = TRY(reader.next());
    if (!next || next->to_end || next->header_size != 8 ||
        (next->type != box_type("free") && next->type != box_type("skip"))) {
        return {};
    }
    const auto size = static_cast<std::int64_t>(next->size) - growth;
    if (size == 0) {
        edits.replace(next->offset, next->size, {}, {});
    } else if (size >= 8 && size <= static_cast<std::int64_t>(kMax32)) {
        // The new header, and before the old content what was freed, or less of the content.
        Buffer head;
        append_be32(head, static_cast<std::uint32_t>(size));
        append_be32(head, next->type);
        const std::uint64_t taken = growth > 0 ? 8 + static_cast<std::uint64_t>(growth) : 8;
        head.resize(growth > 0 ? 8 : 8 + static_cast<std::size_t>(-growth));
        edits.replace(next->offset, taken, std::move(head), {});
    }
    return {};
}

}  // namespace colophon::label::bmff
