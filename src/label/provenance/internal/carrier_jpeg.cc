// SPDX-License-Identifier: Apache-2.0
// JPEG (C2PA 2.4, A.3.1; ISO/IEC 19566-5 annex D): the store is cut into APP11 segments that follow
// each other.
//
//   FF EB | length:u16 | "JP" | box instance:u16 | packet sequence:u32, from 1 | LBox TBox | part
//
// LBox and TBox, the first eight bytes of the store, stand in every segment.

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/file_edits.h"
#include "label/container/jpeg_mpf.h"
#include "label/container/jpeg_segments.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::size_t kHeadBytes = 8;    // JP, instance, sequence
constexpr std::size_t kBoxBytes = 8;     // LBox, TBox
constexpr std::size_t kDescription = 8;  // of the description box: its LBox and TBox
constexpr std::size_t kPartBytesMax = jpeg::kPayloadBytesMax - kHeadBytes - kBoxBytes;
constexpr std::uint64_t kSegmentHeadBytes = 4;

bool is_jumbf(const JpegSegment& segment) {
    return segment.marker == jpeg::kApp11 && segment.payload.size() >= kHeadBytes + kBoxBytes &&
           starts_with(segment.payload, "JP") &&
           as_text(segment.payload.subspan(kHeadBytes + 4, 4)) == "jumb";
}

std::uint16_t instance_of(const JpegSegment& segment) {
    return load_be16(segment.payload.subspan(2));
}

// The first segment of a store: behind the box header a description of the type of C2PA stores.
bool begins_store(const JpegSegment& segment) {
    constexpr std::size_t kType = kHeadBytes + kBoxBytes + kDescription;
    return is_jumbf(segment) && load_be32(segment.payload.subspan(4)) == 1 &&
           segment.payload.size() >= kType + 4 &&
           as_text(segment.payload.subspan(kType, 4)) == "c2pa";
}

// The segments that carry stores: from a first one on, those of the same instance.
std::vector<const JpegSegment*> store_segments(const JpegFile& jpeg) {
    std::vector<const JpegSegment*> segments;
    std::vector<std::uint16_t> instances;
    for (const JpegSegment& segment : jpeg.segments) {
        if (!is_jumbf(segment)) {
            continue;
        }
        if (begins_store(segment)) {
            instances.push_back(instance_of(segment));
        }
        if (std::ranges::find(instances, instance_of(segment)) != instances.end()) {
            segments.push_back(&segment);
        }
    }
    return segments;
}

// Joins the segments; says what is wrong with their row.
FoundStore join(const std::vector<const JpegSegment*>& segments) {
    FoundStore found;
    found.where = "jpeg APP11";
    const JpegSegment& first = *segments.front();
    const Bytes box = first.payload.subspan(kHeadBytes, kBoxBytes);
    append(found.store, box);
    std::uint64_t end = first.offset;
    std::uint32_t sequence = 1;
    for (const JpegSegment* segment : segments) {
        const bool fits =
            segment->offset == end && instance_of(*segment) == instance_of(first) &&
            load_be32(segment->payload.subspan(4)) == sequence &&
            std::ranges::equal(segment->payload.subspan(kHeadBytes, kBoxBytes), box) &&
            segment->size == kSegmentHeadBytes + segment->payload.size();
        if (!fits && found.problem.empty()) {
            found.problem = "the APP11 segments of the manifest are not one row";
        }
        append(found.store, segment->payload.subspan(kHeadBytes + kBoxBytes));
        end = segment->end();
        ++sequence;
    }
    if (found.store.size() != load_be32(box) && found.problem.empty()) {
        found.problem = "the APP11 segments hold more or less than the manifest";
    }
    found.ranges = {{.offset = first.offset, .size = end - first.offset}};
    return found;
}

// Behind the application segments and comments with which the file begins.
std::uint64_t place_of(const JpegFile& jpeg) {
    std::uint64_t place = 2;
    for (const JpegSegment& segment : jpeg.segments) {
        if (!segment.is_app() && segment.marker != jpeg::kCom) {
            break;
        }
        place = segment.end();
    }
    return place;
}

// An instance number that no other JUMBF box of the file has.
std::uint16_t free_instance(const JpegFile& jpeg) {
    std::uint16_t instance = 1;
    for (const JpegSegment& segment : jpeg.segments) {
        if (is_jumbf(segment) && instance_of(segment) >= instance) {
            instance = static_cast<std::uint16_t>(instance_of(segment) + 1);
        }
    }
    return std::max<std::uint16_t>(instance, 1);
}

Result<Buffer> make_segments(Bytes store, std::uint16_t instance) {
    Buffer out;
    const Bytes box = store.first(kBoxBytes);
    std::uint32_t sequence = 1;
    for (std::size_t at = kBoxBytes; at < store.size();) {
        const std::size_t size = std::min(kPartBytesMax, store.size() - at);
        Buffer payload = to_buffer("JP");
        append_be16(payload, instance);
        append_be32(payload, sequence++);
        append(payload, box);
        append(payload, store.subspan(at, size));
        append(out, TRY(make_jpeg_segment(jpeg::kApp11, payload)));
        at += size;
    }
    return out;
}

}  // namespace

Result<std::optional<FoundStore>> find_in_jpeg(Bytes file) {
    const JpegFile jpeg = TRY(walk_jpeg(file, JpegExtent::kHeaders));
    const std::vector<const JpegSegment*> segments = store_segments(jpeg);
    if (segments.empty()) {
        return std::optional<FoundStore>();
    }
    return std::optional(join(segments));
}

Result<Placement> place_in_jpeg(Bytes file, Bytes store) {
    JpegFile jpeg = TRY(walk_jpeg(file, JpegExtent::kHeaders));
    std::vector<FileEdit> edits;
    const std::uint64_t place = place_of(jpeg);
    std::uint64_t removed_before = 0;
    const std::vector<const JpegSegment*> old = store_segments(jpeg);
    for (const JpegSegment* segment : old) {
        edits.push_back({segment->offset, segment->size, {}});
        removed_before += segment->offset < place ? segment->size : 0;
    }
    std::uint16_t instance = free_instance(jpeg);
    if (!old.empty()) {
        instance = std::max<std::uint16_t>(instance_of(*old.front()), 1);
    }
    Buffer segments = TRY(make_segments(store, instance));
    Placement placement;
    placement.ranges = {{.offset = place - removed_before, .size = segments.size()}};
    edits.push_back({place, 0, std::move(segments)});
    Splice splice = TRY(splice_edits(file, std::move(edits)));
    placement.splice = correct_mpf(file, jpeg, std::move(splice));
    return placement;
}

}  // namespace colophon::label::provenance::internal
