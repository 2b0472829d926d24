// SPDX-License-Identifier: Apache-2.0
// TIFF, BigTIFF, DNG: the label stands in the XMP packet of tag 700 (0x02BC) of the first directory
// [GB45438-6.1]. Also read: ImageDescription, UserComment, XPComment.
//
// Nothing moves, because offsets in TIFF may hide anywhere (maker notes, sub-directories):
//
//   packet there, new one not longer   in place, the count is changed, the rest becomes zeros
//   packet there at the end of file    replaced there: writing again does not grow the file
//   packet there, longer               appended, the entry points to it, the old one becomes zeros
//   no packet                          a copy of the first directory with one more entry and then
//                                      the packet are appended; the header points to the copy

#include "core/bytes.h"
#include "core/sort.h"
#include "core/splice.h"
#include "label/container/tiff_ifds.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/exif.h"
#include "label/metadata/internal/collect.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/file_edits.h"
#include "label/metadata/xmp.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

// BYTE is what the XMP specification allows besides UNDEFINED, and what many tools write.
bool is_packet(const TiffEntry& entry) noexcept {
    return (entry.type == tiff::kTypeByte || entry.type == tiff::kTypeUndefined) &&
           entry.value.has_value();
}

struct Tiff {
    Bytes file;
    TiffHeader header;
    std::vector<TiffIfd> ifds;  // the pages
    TiffIfd exif;               // without entries when there is none

    const TiffIfd& ifd0() const { return ifds.front(); }
};

bool overlap(std::uint64_t a, std::uint64_t a_size, std::uint64_t b, std::uint64_t b_size) {
    return a < b + b_size && b < a + a_size;
}

// Whether a range lies over the header or a directory of a page.
bool over_structure(const Tiff& tiff, std::uint64_t at, std::uint64_t size) {
    return overlap(at, size, 0, tiff.header.ifd0_field + tiff.header.offset_bytes()) ||
           std::ranges::any_of(tiff.ifds, [&](const TiffIfd& ifd) {
               return overlap(at, size, ifd.offset, ifd.size);
           });
}

// A value beyond the end would come to lie in what we append.
Result<void> check_inside(const TiffIfd& ifd) {
    for (const TiffEntry& entry : ifd.entries) {
        if (!entry.value && tiff_type_exists(entry.type)) {
            return corrupt_at("a TIFF entry points outside the file", entry.offset);
        }
    }
    return {};
}

Result<Tiff> open_tiff(Bytes file) {
    Tiff tiff;
    tiff.file = file;
    tiff.header = TRY(read_tiff_header(file));
    tiff.ifds = TRY(walk_tiff(file, tiff.header));
    if (tiff.ifds.empty()) {
        return corrupt_at("a TIFF file without a directory", tiff.header.ifd0_field);
    }
    if (const TiffEntry* pointer = tiff.ifd0().find(tiff::kExifIfd)) {
        const auto offset = tiff_number(tiff.header, *pointer);
        if (!offset) {
            return corrupt_at("the EXIF pointer of a TIFF is no offset", pointer->offset);
        }
        tiff.exif = TRY(read_tiff_ifd(file, tiff.header, *offset));
    }
    const std::uint64_t header_end = tiff.header.ifd0_field + tiff.header.offset_bytes();
    for (const TiffIfd& ifd : tiff.ifds) {
        if (ifd.offset < header_end) {
            return corrupt_at("a TIFF directory lies over the header", ifd.offset);
        }
    }
    TRY(check_inside(tiff.ifd0()));
    TRY(check_inside(tiff.exif));
    return tiff;
}

// A value that we overwrite must be nobody else's: not the header's, a directory's, another tag's.
Result<void> check_own(const Tiff& tiff, const TiffEntry& entry) {
    const std::uint64_t at = entry.value_offset;
    const std::uint64_t size = entry.value->size();
    const Error shared = corrupt_at("the XMP packet of a TIFF shares its bytes", at);
    if (over_structure(tiff, at, size)) {
        return shared;
    }
    if (overlap(at, size, tiff.exif.offset, tiff.exif.size)) {
        return shared;
    }
    for (const TiffIfd* ifd : {&tiff.ifd0(), &tiff.exif}) {
        for (const TiffEntry& other : ifd->entries) {
            if (&other != &entry && other.value &&
                overlap(at, size, other.value_offset, other.value->size())) {
                return shared;
            }
        }
    }
    return {};
}

// Zeros up to the next place where a value or directory may start.
std::uint64_t padding(const Tiff& tiff) {
    const std::uint64_t unit = tiff.header.big ? 8 : 2;
    return (unit - tiff.file.size() % unit) % unit;
}

// Counts of packets stay below limits::kXmpBytesMax, which write_xmp keeps.
Buffer count_of(const Tiff& tiff, std::string_view packet) {
    Buffer out;
    tiff.header.append_offset(out, packet.size());
    return out;
}

Result<void> replace_packet(const Tiff& tiff, const TiffEntry& entry, std::string_view packet,
                            std::vector<FileEdit>& edits) {
    TRY(check_own(tiff, entry));
    const std::uint64_t old_size = entry.value->size();
    edits.push_back({entry.offset + 4, tiff.header.offset_bytes(), count_of(tiff, packet)});
    const bool inside = entry.value_offset == entry.offset + 4 + tiff.header.offset_bytes();
    const bool last = entry.value_offset + old_size == tiff.file.size();
    if (!inside && (last || packet.size() <= old_size)) {
        Buffer bytes = to_buffer(packet);
        bytes.resize(last ? packet.size() : old_size);
        edits.push_back({entry.value_offset, old_size, std::move(bytes)});
        return {};
    }
    if (!inside) {
        edits.push_back({entry.value_offset, old_size, Buffer(old_size)});
    }
    Buffer tail(padding(tiff));
    Buffer place;
    tiff.header.append_offset(place, tiff.file.size() + tail.size());
    append(tail, packet);
    edits.push_back({entry.offset + 4 + tiff.header.offset_bytes(), tiff.header.offset_bytes(),
                     std::move(place)});
    edits.push_back({tiff.file.size(), 0, std::move(tail)});
    return {};
}

Result<void> add_packet(const Tiff& tiff, std::string_view packet, std::vector<FileEdit>& edits) {
    const TiffHeader& header = tiff.header;
    const TiffIfd& ifd0 = tiff.ifd0();
    const std::uint64_t count = ifd0.entries.size() + 1;
    if (!header.big && count > std::numeric_limits<std::uint16_t>::max()) {
        return Error{ErrorCode::kLimit, "the first TIFF directory is full: 65535 entries"};
    }
    Buffer tail(padding(tiff));
    const std::uint64_t new_ifd0 = tiff.file.size() + tail.size();
    const std::uint64_t packet_offset = new_ifd0 + ifd0.size + header.entry_bytes();
    header.big ? append_u64(tail, count, header.order)
               : append_u16(tail, static_cast<std::uint16_t>(count), header.order);
    // Entries stand in ascending order of their tags (TIFF 6.0, section 2).
    const auto next = std::ranges::find_if(
        ifd0.entries, [](const TiffEntry& entry) { return entry.tag > tiff::kXmp; });
    const auto before = static_cast<std::size_t>(next - ifd0.entries.begin());
    const Bytes raw =
        tiff.file.subspan(static_cast<std::size_t>(ifd0.offset) + header.count_bytes(),
                          static_cast<std::size_t>(ifd0.size) - header.count_bytes());
    append(tail, raw.first(before * header.entry_bytes()));
    append_u16(tail, tiff::kXmp, header.order);
    append_u16(tail, tiff::kTypeUndefined, header.order);
    header.append_offset(tail, packet.size());
    header.append_offset(tail, packet_offset);
    append(tail, raw.subspan(before * header.entry_bytes()));  // and the link to the next page
    append(tail, packet);
    Buffer place;
    header.append_offset(place, new_ifd0);
    edits.push_back({header.ifd0_field, header.offset_bytes(), std::move(place)});
    edits.push_back({tiff.file.size(), 0, std::move(tail)});
    return {};
}

Result<void> edit_xmp(const Tiff& tiff, const MetadataFields& fields,
                      std::vector<FileEdit>& edits) {
    const TiffEntry* entry = tiff.ifd0().find(tiff::kXmp);
    if (entry == nullptr) {
        return add_packet(tiff, TRY(write_xmp({}, fields)), edits);
    }
    if (!is_packet(*entry)) {
        return corrupt_at("the XMP entry of a TIFF is no packet", entry->offset);
    }
    const std::string_view old = as_text(*entry->value);
    const std::string packet = TRY(write_xmp(old, fields));
    if (packet == old) {
        return {};
    }
    return replace_packet(tiff, *entry, packet, edits);
}

}  // namespace

Result<MetadataReading> read_tiff(Bytes file) {
    const TiffHeader header = TRY(read_tiff_header(file));
    const TiffIfd ifd0 = TRY(read_tiff_ifd(file, header, header.ifd0_offset));
    MetadataReading reading;
    if (const TiffEntry* entry = ifd0.find(tiff::kXmp)) {
        LabelSite site;
        site.where = "tiff IFD0 XMP";
        site.offset = entry->value ? entry->value_offset : entry->offset;
        site.standard_place = true;
        if (is_packet(*entry)) {
            add_xmp(reading, *entry->value, std::move(site));
        } else {
            warn(reading.findings, "metadata.xmp",
                 "the XMP entry of the TIFF at byte " + std::to_string(entry->offset) +
                     " points to nothing that is a packet");
        }
    }
    add_exif(reading, file, 0, "tiff");
    sort_stably(reading.sites, &LabelSite::offset);
    return reading;
}

// [GB45438-6.1] One label: the packet is updated, every other TC260 label is blanked.
Result<Splice> write_tiff(Bytes file, const MetadataFields& fields) {
    const Tiff tiff = TRY(open_tiff(file));
    std::vector<FileEdit> edits;
    TRY(edit_xmp(tiff, fields, edits));
    std::vector<ExifPatch> patches = TRY(blank_exif_labels(file));
    for (ExifPatch& patch : patches) {
        const std::uint64_t size = patch.bytes.size();
        if (over_structure(tiff, patch.offset, size)) {
            return corrupt_at("a TIFF text with a label lies over a directory", patch.offset);
        }
        edits.push_back({patch.offset, size, std::move(patch.bytes)});
    }
    Splice splice = TRY(splice_edits(file, std::move(edits)));
    if (!tiff.header.big && splice.size() > std::numeric_limits<std::uint32_t>::max()) {
        return Error{ErrorCode::kLimit, "the file would exceed the 4 GiB of classic TIFF"};
    }
    return splice;
}

}  // namespace colophon::label::internal
