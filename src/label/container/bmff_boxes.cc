// SPDX-License-Identifier: Apache-2.0
#include "label/container/bmff_boxes.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

namespace colophon::label::bmff {

std::string type_name(BoxType type) {
    std::string name;
    for (unsigned shift = 32; shift > 0; shift -= 8) {
        const auto c = static_cast<char>((type >> (shift - 8)) & 0xFFU);
        name += c >= ' ' && c <= '~' ? c : '?';
    }
    return name;
}

BoxReader::BoxReader(Bytes file, std::uint64_t begin, std::uint64_t end, Level level)
    : file_(file), position_(begin), end_(end), level_(level) {
    COLOPHON_ASSERT(begin <= end && end <= file.size());
}

BoxReader::BoxReader(Bytes file, const Box& box, std::uint64_t skip)
    : BoxReader(file, box.payload_offset() + std::min(skip, box.payload_size()), box.end(),
                Level::kInner) {}

bool BoxReader::at_padding() const {
    const std::uint64_t left = end_ - position_;
    if (left >= 8) {
        return false;
    }
    const auto tail = slice(file_, position_, left);
    return tail && std::ranges::all_of(*tail, [](std::uint8_t byte) { return byte == 0; });
}

Result<std::optional<Box>> BoxReader::next() {
    if (position_ == end_ || at_padding()) {
        return std::optional<Box>();
    }
    if (++count_ > limits::kContainerItemsMax) {
        return Error{ErrorCode::kLimit,
                     "more than " + std::to_string(limits::kContainerItemsMax) + " boxes in a row"};
    }
    ByteReader reader(*slice(file_, position_, end_ - position_), position_);
    Box box;
    box.offset = position_;
    std::uint64_t size = TRY(reader.be32("size of a box"));
    box.type = TRY(reader.be32("type of a box"));
    if (size == 1) {
        size = TRY(reader.be64("64-bit size of a box"));
    } else if (size == 0 && level_ == Level::kFile) {
        size = end_ - position_;
        box.to_end = true;
    }
    if (box.type == box_type("uuid")) {
        const Bytes uuid = TRY(reader.take(16, "type of a uuid box"));
        std::ranges::copy(uuid, box.uuid.begin());
    }
    box.header_size = static_cast<std::uint32_t>(reader.position());
    if (size < box.header_size || size > end_ - position_) {
        return corrupt_at("box '" + type_name(box.type) + "' of " + std::to_string(size) +
                              " bytes does not fit into the " + std::to_string(end_ - position_) +
                              " bytes around it,",
                          position_);
    }
    box.size = size;
    position_ += size;
    return std::optional<Box>(box);
}

Bytes payload(Bytes file, const Box& box) {
    const auto bytes = slice(file, box.payload_offset(), box.payload_size());
    COLOPHON_ASSERT(bytes.has_value());
    return *bytes;
}

Result<std::optional<Box>> find_child(Bytes file, const Box& parent, BoxType type,
                                      std::uint64_t skip) {
    BoxReader reader(file, parent, skip);
    while (const auto box = TRY(reader.next())) {
        if (box->type == type) {
            return box;
        }
    }
    return std::optional<Box>();
}

Result<std::uint64_t> end_of_children(Bytes file, const Box& parent, std::uint64_t skip) {
    std::uint64_t end = parent.payload_offset() + std::min(skip, parent.payload_size());
    BoxReader reader(file, parent, skip);
    while (const auto child = TRY(reader.next())) {
        end = child->end();
    }
    return end;
}

std::uint64_t meta_prefix(Bytes file, const Box& meta) {
    const Bytes bytes = payload(file, meta);
    // A FullBox has version and flags, then the size of 'hdlr', which cannot read as its name.
    const bool quicktime = bytes.size() >= 8 && load_be32(bytes.subspan(4)) == box_type("hdlr");
    return quicktime ? 0 : 4;
}

Result<FullBox> read_full_box(ByteReader& reader) {
    const std::uint32_t head = TRY(reader.be32("version and flags of a box"));
    return FullBox{.version = static_cast<std::uint8_t>(head >> 24U), .flags = head & 0xFFFFFFU};
}

void append_box(Buffer& out, BoxType type, Bytes content) {
    COLOPHON_ASSERT(content.size() <= std::numeric_limits<std::uint32_t>::max() - 8U);
    append_be32(out, static_cast<std::uint32_t>(content.size() + 8));
    append_be32(out, type);
    append(out, content);
}

}  // namespace colophon::label::bmff
