// SPDX-License-Identifier: Apache-2.0
// The label in WebP (RFC 9649): the XMP chunk. A simple file (one VP8 or VP8L chunk) becomes an
// extended one, whose VP8X chunk says what the bitstream already says. The picture is copied.

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/riff_chunks.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/exif.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/label_sites.h"
#include "label/metadata/internal/riff_labels.h"
#include "label/metadata/xmp.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::uint8_t kXmpFlag = 0x04;
constexpr std::uint8_t kAlphaFlag = 0x10;
constexpr std::size_t kExtendedBytes = 10;

Result<RiffFile> walk_webp(Bytes file) {
    RiffFile riff = TRY(walk_riff(file));
    if (riff.form != "WEBP") {
        return corrupt_at("a RIFF file that is no WebP", 8);
    }
    const std::string_view first = riff.chunks.empty() ? "" : riff.chunks.front().id;
    if (first != "VP8 " && first != "VP8L" && first != "VP8X") {
        return corrupt_at("a WebP file that does not begin with VP8, VP8L or VP8X", 12);
    }
    if (first == "VP8X" && riff.chunks.front().data_size < kExtendedBytes) {
        return corrupt_at("a VP8X chunk of less than 10 bytes", riff.chunks.front().offset);
    }
    return riff;
}

void append_le24(Buffer& out, std::uint32_t value) {
    for (unsigned shift = 0; shift < 24; shift += 8) {
        out.push_back(static_cast<std::uint8_t>((value >> shift) & 0xFFU));
    }
}

// The VP8X chunk of a simple file. VP8 (RFC 6386 clause 9.1): three bytes, whose lowest bit is zero
// for a key frame, the start code, and 14 bits each of width and height. VP8L (RFC 9649
// clause 3.4): a signature byte, 14 bits of width - 1, 14 of height - 1, and one that says whether
// alpha is used.
Result<Buffer> make_extended(Bytes file, const RiffChunk& image) {
    const Bytes data = riff_data(file, image);
    Buffer out;
    if (image.id == "VP8 ") {
        if (data.size() < 10 || (data[0] & 1U) != 0 || load_be24(data.subspan(3)) != 0x9D012A) {
            return corrupt_at("no VP8 key frame", image.offset);
        }
        const std::uint32_t width = load_le16(data.subspan(6)) & 0x3FFFU;
        const std::uint32_t height = load_le16(data.subspan(8)) & 0x3FFFU;
        if (width == 0 || height == 0) {
            return corrupt_at("a VP8 frame without width or height", image.offset);
        }
        append_le32(out, kXmpFlag);
        append_le24(out, width - 1);
        append_le24(out, height - 1);
    } else {
        if (data.size() < 5 || data[0] != 0x2F) {
            return corrupt_at("no VP8L signature", image.offset);
        }
        const std::uint32_t bits = load_le32(data.subspan(1));
        const bool alpha = ((bits >> 28U) & 1U) != 0;
        append_le32(out, kXmpFlag | (alpha ? kAlphaFlag : std::uint8_t{0}));
        append_le24(out, bits & 0x3FFFU);
        append_le24(out, (bits >> 14U) & 0x3FFFU);
    }
    return make_riff_chunk("VP8X", out);
}

// EXIF should start at the byte order mark; some writers keep the six bytes that JPEG has before.
std::uint64_t exif_start(Bytes data) {
    return starts_with(data, std::string_view("Exif\0\0", 6)) ? 6 : 0;
}

void collect_exif(MetadataReading& reading, Bytes file, const RiffChunk& chunk) {
    const Bytes data = riff_data(file, chunk);
    const std::uint64_t start = exif_start(data);
    auto sites = find_exif_labels(data.subspan(start), chunk.data_offset() + start, "webp");
    if (!sites.ok()) {
        reading.damaged_label = reading.damaged_label || holds_label_bytes(as_text(data));
        collect_finding(reading, {.code = "metadata.exif",
                                  .level = FindingLevel::kWarning,
                                  .what = "webp EXIF at byte " + std::to_string(chunk.offset) +
                                          " cannot be read: " + sites.error().what});
        return;
    }
    for (LabelSite& site : *sites) {
        collect_site(reading, std::move(site));
    }
}

// EXIF that cannot be read holds no label that anybody could read either.
void blank_exif(std::vector<RiffEdit>& edits, Bytes file, const RiffChunk& chunk) {
    const Bytes data = riff_data(file, chunk);
    const std::uint64_t start = exif_start(data);
    auto patches = blank_exif_labels(data.subspan(start));
    if (!patches.ok()) {
        return;
    }
    for (ExifPatch& patch : *patches) {
        edits.push_back({.offset = chunk.data_offset() + start + patch.offset,
                         .size = patch.bytes.size(),
                         .bytes = std::move(patch.bytes)});
    }
}

// Only the first XMP chunk counts (RFC 9649 clause 2.7.1.5); a later one with a label goes.
bool is_second_label(Bytes file, const RiffChunk& chunk) {
    const auto xmp = read_xmp(as_text(riff_data(file, chunk)));
    return xmp.ok() && !xmp->aigc.empty();
}

bool is_known(std::string_view id) {
    constexpr std::array<std::string_view, 9> kKnown{"VP8X", "ICCP", "ANIM", "ANMF", "ALPH",
                                                     "VP8 ", "VP8L", "EXIF", "XMP "};
    return std::ranges::find(kKnown, id) != kKnown.end();
}

// Where a new XMP chunk goes: behind the last chunk that the format knows.
std::uint64_t xmp_place(const RiffFile& riff) {
    std::uint64_t place = 0;
    for (const RiffChunk& chunk : riff.chunks) {
        place = is_known(chunk.id) ? chunk.end : place;
    }
    return place;
}

// The edits for all chunks from the first on, apart from a new XMP chunk.
Result<std::vector<RiffEdit>> edit_chunks(Bytes file, const RiffFile& riff,
                                          const std::string& packet) {
    std::vector<RiffEdit> edits;
    bool seen = false;
    for (const RiffChunk& chunk : riff.chunks) {
        if (chunk.id == "XMP " && !seen) {
            seen = true;
            edits.push_back({.offset = chunk.offset,
                             .size = chunk.end - chunk.offset,
                             .bytes = make_riff_chunk("XMP ", as_bytes(packet))});
        } else if (chunk.id == "XMP " && is_second_label(file, chunk)) {
            edits.push_back(
                {.offset = chunk.offset, .size = chunk.end - chunk.offset, .bytes = {}});
        } else if (chunk.id == "EXIF") {
            blank_exif(edits, file, chunk);
        }
    }
    return edits;
}

}  // namespace

Result<MetadataReading> read_webp(Bytes file) {
    RiffFile riff = TRY(walk_webp(file));
    MetadataReading reading;
    for (const RiffChunk& chunk : riff.chunks) {
        if (chunk.id == "XMP ") {
            collect_xmp(
                reading, riff_data(file, chunk),
                {.where = "webp XMP", .value = {}, .offset = chunk.offset, .standard_place = true});
        } else if (chunk.id == "EXIF") {
            collect_exif(reading, file, chunk);
        }
    }
    std::ranges::move(riff.findings, std::back_inserter(reading.findings));
    return reading;
}

// [GB45438-6.1] Exactly one label, in the first XMP chunk.
Result<Splice> write_webp(Bytes file, const MetadataFields& fields) {
    const RiffFile riff = TRY(walk_webp(file));
    const auto xmp = std::ranges::find(riff.chunks, "XMP ", &RiffChunk::id);
    const bool has_xmp = xmp != riff.chunks.end();
    const std::string packet =
        TRY(write_xmp(has_xmp ? as_text(riff_data(file, *xmp)) : std::string_view{}, fields));
    std::vector<RiffEdit> edits = TRY(edit_chunks(file, riff, packet));
    if (!has_xmp) {
        const std::uint64_t place = xmp_place(riff);
        const auto after =
            std::ranges::find_if(edits, [&](const RiffEdit& edit) { return edit.offset >= place; });
        Buffer chunk;
        if (place % 2 != 0) {
            chunk.push_back(0);  // the pad byte that the last chunk lacks
        }
        append(chunk, make_riff_chunk("XMP ", as_bytes(packet)));
        edits.insert(after, {.offset = place, .size = 0, .bytes = std::move(chunk)});
    }
    const RiffChunk& first = riff.chunks.front();
    if (first.id == "VP8X") {
        const std::uint8_t flags = riff_data(file, first)[0];
        edits.insert(edits.begin(), {.offset = first.data_offset(),
                                     .size = 1,
                                     .bytes = {static_cast<std::uint8_t>(flags | kXmpFlag)}});
    } else {
        edits.insert(edits.begin(),
                     {.offset = first.offset, .size = 0, .bytes = TRY(make_extended(file, first))});
    }
    return splice_riff(file, riff, std::move(edits));
}

}  // namespace colophon::label::internal
