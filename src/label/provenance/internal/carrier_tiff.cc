// SPDX-License-Identifier: Apache-2.0
// TIFF (C2PA 2.4, A.3): the store is the value of the tag 0xCD41, type UNDEFINED, in the last
// directory of the chain. The value's bytes alone are left out of the hash, so nothing else of the
// file may point into them: it stands at the end of the file.

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/file_edits.h"
#include "label/container/tiff_ifds.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::uint16_t kTag = 0xCD41;

struct Pages {
    TiffHeader header;
    std::vector<TiffIfd> ifds;
};

Result<Pages> walk(Bytes file) {
    Pages pages;
    pages.header = TRY(read_tiff_header(file));
    pages.ifds = TRY(walk_tiff(file, pages.header));
    if (pages.ifds.empty()) {
        return Error{ErrorCode::kCorrupt, "a TIFF without a directory"};
    }
    return pages;
}

// Where the link that leads to the last directory is stored.
std::uint64_t link_to_last(const Pages& pages) {
    if (pages.ifds.size() == 1) {
        return pages.header.ifd0_field;
    }
    const TiffIfd& before = pages.ifds[pages.ifds.size() - 2];
    return before.offset + before.size - pages.header.offset_bytes();
}

void add_entry(Bytes file, const Pages& pages, std::uint64_t store_bytes, Buffer& tail,
               std::uint64_t tail_offset) {
    const TiffHeader& header = pages.header;
    const TiffIfd& ifd = pages.ifds.back();
    const std::uint64_t count = ifd.entries.size() + 1;
    header.big ? append_u64(tail, count, header.order)
               : append_u16(tail, static_cast<std::uint16_t>(count), header.order);
    const auto next =
        std::ranges::find_if(ifd.entries, [](const TiffEntry& entry) { return entry.tag > kTag; });
    const auto before = static_cast<std::size_t>(next - ifd.entries.begin());
    const Bytes raw = file.subspan(static_cast<std::size_t>(ifd.offset) + header.count_bytes(),
                                   static_cast<std::size_t>(ifd.size) - header.count_bytes());
    append(tail, raw.first(before * header.entry_bytes()));
    append_u16(tail, kTag, header.order);
    append_u16(tail, tiff::kTypeUndefined, header.order);
    header.append_offset(tail, store_bytes);
    header.append_offset(tail, tail_offset + ifd.size + header.entry_bytes());
    append(tail, raw.subspan(before * header.entry_bytes()));
}

}  // namespace

Result<std::optional<FoundStore>> find_in_tiff(Bytes file) {
    const Pages pages = TRY(walk(file));
    std::optional<FoundStore> found;
    for (const TiffIfd& ifd : pages.ifds) {
        for (const TiffEntry& entry : ifd.entries) {
            if (entry.tag != kTag) {
                continue;
            }
            if (found) {
                found->problem = "the file holds more than one manifest store";
                continue;
            }
            found = FoundStore{
                .store = {}, .ranges = {}, .where = "tiff tag 52545", .problem = {}, .code = {}};
            if (!entry.value) {
                found->problem = "the manifest store lies outside of the file";
                continue;
            }
            found->store = to_buffer(*entry.value);
            found->ranges = {{.offset = entry.value_offset, .size = entry.value->size()}};
        }
    }
    return found;
}

Result<Placement> place_in_tiff(Bytes file, Bytes store) {
    const Pages pages = TRY(walk(file));
    const TiffHeader& header = pages.header;
    std::vector<FileEdit> edits;
    Placement placement;
    const TiffEntry* old = pages.ifds.back().find(kTag);
    if (old != nullptr && old->value && old->value->size() > 16 &&
        old->value_offset + old->value->size() == file.size()) {
        // It is the end of the file already.
        Buffer count;
        header.append_offset(count, store.size());
        edits.push_back({old->offset + 4, header.offset_bytes(), std::move(count)});
        edits.push_back({old->value_offset, old->value->size(), to_buffer(store)});
        placement.ranges = {{.offset = old->value_offset, .size = store.size()}};
    } else if (old != nullptr) {
        const std::uint64_t unit = header.big ? 8 : 2;
        Buffer tail((unit - file.size() % unit) % unit);
        const std::uint64_t offset = file.size() + tail.size();
        Buffer fields;
        header.append_offset(fields, store.size());
        header.append_offset(fields, offset);
        edits.push_back({old->offset + 4, fields.size(), std::move(fields)});
        append(tail, store);
        edits.push_back({file.size(), 0, std::move(tail)});
        placement.ranges = {{.offset = offset, .size = store.size()}};
    } else {
        if (!header.big &&
            pages.ifds.back().entries.size() >= std::numeric_limits<std::uint16_t>::max()) {
            return Error{ErrorCode::kLimit, "the last TIFF directory is full: 65535 entries"};
        }
        const std::uint64_t unit = header.big ? 8 : 2;
        Buffer tail((unit - file.size() % unit) % unit);
        const std::uint64_t ifd_offset = file.size() + tail.size();
        add_entry(file, pages, store.size(), tail, ifd_offset);
        const std::uint64_t store_offset = file.size() + tail.size();
        append(tail, store);
        Buffer link;
        header.append_offset(link, ifd_offset);
        edits.push_back({link_to_last(pages), header.offset_bytes(), std::move(link)});
        edits.push_back({file.size(), 0, std::move(tail)});
        placement.ranges = {{.offset = store_offset, .size = store.size()}};
    }
    placement.splice = TRY(splice_edits(file, std::move(edits)));
    if (!header.big && placement.splice.size() > std::numeric_limits<std::uint32_t>::max()) {
        return Error{ErrorCode::kLimit, "the file would exceed the 4 GiB of classic TIFF"};
    }
    return placement;
}

}  // namespace colophon::label::provenance::internal
