// SPDX-License-Identifier: Apache-2.0
#include "label/container/jpeg_mpf.h"

#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/jpeg_segments.h"
#include "label/container/tiff_ifds.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

namespace colophon::label {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMpfName = "MPF\0"sv;
constexpr std::uint16_t kMpEntries = 0xB002;
constexpr std::size_t kEntryBytes = 16;
constexpr std::size_t kSizeField = 4;  // in an entry
constexpr std::size_t kOffsetField = 8;

struct Index {
    ByteOrder order = ByteOrder::kLittle;
    std::uint64_t header = 0;   // in the file, from where offsets count
    std::uint64_t entries = 0;  // in the file
    Buffer bytes;               // of the entries
};

std::optional<Index> find_index(const JpegFile& jpeg) {
    const auto segment = std::ranges::find_if(jpeg.segments, [](const JpegSegment& each) {
        return each.marker == jpeg::kApp2 && starts_with(each.payload, kMpfName);
    });
    if (segment == jpeg.segments.end()) {
        return std::nullopt;
    }
    const Bytes tiff = segment->payload.subspan(kMpfName.size());
    const auto header = read_tiff_header(tiff);
    if (!header.ok()) {
        return std::nullopt;
    }
    const auto ifd = read_tiff_ifd(tiff, *header, header->ifd0_offset);
    const TiffEntry* entries = ifd.ok() ? ifd->find(kMpEntries) : nullptr;
    if (entries == nullptr || !entries->value || entries->value->size() % kEntryBytes != 0) {
        return std::nullopt;
    }
    const std::uint64_t start = segment->payload_offset() + kMpfName.size();
    return Index{.order = header->order,
                 .header = start,
                 .entries = start + entries->value_offset,
                 .bytes = to_buffer(*entries->value)};
}

// Where in the output a range of the source stands that is copied whole.
std::optional<std::uint64_t> place_in(const Splice& splice, std::uint64_t offset,
                                      std::uint64_t size) {
    std::uint64_t at = 0;
    for (const SplicePiece& piece : splice.pieces()) {
        if (piece.source_size != 0 && offset >= piece.source_offset &&
            offset + size <= piece.source_offset + piece.source_size) {
            return at + offset - piece.source_offset;
        }
        at += piece.source_size != 0 ? piece.source_size : piece.bytes.size();
    }
    return std::nullopt;
}

void add_to(Buffer& bytes, std::size_t at, ByteOrder order, std::int64_t change) {
    const Bytes field = Bytes(bytes).subspan(at, 4);
    const std::int64_t value = std::int64_t{load_u32(field, order)} + change;
    if (value < 0 || value > std::int64_t{std::numeric_limits<std::uint32_t>::max()}) {
        return;
    }
    Buffer out;
    append_u32(out, static_cast<std::uint32_t>(value), order);
    std::ranges::copy(out, bytes.begin() + static_cast<std::ptrdiff_t>(at));
}

// The same output, with `bytes` in place of as many copied ones at `offset` of the source.
Splice exchange(const Splice& splice, std::uint64_t offset, const Buffer& bytes) {
    Splice out;
    for (const SplicePiece& piece : splice.pieces()) {
        const std::uint64_t end = piece.source_offset + piece.source_size;
        if (piece.source_size == 0) {
            out.insert(Bytes(piece.bytes));
        } else if (offset < piece.source_offset || offset + bytes.size() > end) {
            out.copy(piece.source_offset, piece.source_size);
        } else {
            out.copy(piece.source_offset, offset - piece.source_offset);
            out.insert(Bytes(bytes));
            out.copy(offset + bytes.size(), end - offset - bytes.size());
        }
    }
    return out;
}

}  // namespace

Splice correct_mpf(Bytes file, const JpegFile& jpeg, Splice splice) {
    const auto index = find_index(jpeg);
    if (!index) {
        return splice;
    }
    const std::uint64_t span = index->entries + index->bytes.size() - index->header;
    const auto header = place_in(splice, index->header, span);
    if (!header) {
        return splice;
    }
    // All changes lie in the first picture, so what is behind it moved by their sum.
    const auto growth =
        static_cast<std::int64_t>(splice.size()) - static_cast<std::int64_t>(file.size());
    const std::int64_t header_moved =
        static_cast<std::int64_t>(*header) - static_cast<std::int64_t>(index->header);
    Buffer bytes = index->bytes;
    for (std::size_t at = 0; at < bytes.size(); at += kEntryBytes) {
        const bool first = load_u32(Bytes(bytes).subspan(at + kOffsetField, 4), index->order) == 0;
        if (first) {
            add_to(bytes, at + kSizeField, index->order, growth);
        } else {
            add_to(bytes, at + kOffsetField, index->order, growth - header_moved);
        }
    }
    return bytes == index->bytes ? std::move(splice) : exchange(splice, index->entries, bytes);
}

}  // namespace colophon::label
