// SPDX-License-Identifier: Apache-2.0
// JPEG: the label stands in the XMP packet of an APP1 segment [GB45438-6.1]. Also read: EXIF
// (Annex B), comments, and the bare AIGC{...} blob that some producers put into an APP segment.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/sort.h"
#include "core/splice.h"
#include "label/container/jpeg_mpf.h"
#include "label/container/jpeg_segments.h"
#include "label/finding.h"
#include "label/metadata/container.h"
#include "label/metadata/exif.h"
#include "label/metadata/internal/collect.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/file_edits.h"
#include "label/metadata/internal/label_text.h"
#include "label/metadata/xmp.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kXmpName = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr std::string_view kExtendedName = "http://ns.adobe.com/xmp/extension/\0"sv;
constexpr std::string_view kExifName = "Exif\0"sv;  // followed by one more byte, usually zero
constexpr std::size_t kExifNameBytes = 6;

// XMP specification part 3, 1.1.3: what a segment holds beside the name.
constexpr std::size_t kPacketBytesMax = 65502;

// Name, GUID, full length and offset (XMP specification part 3, 1.1.3.1).
constexpr std::size_t kGuidBytes = 32;
constexpr std::size_t kExtendedHeaderBytes = kExtendedName.size() + kGuidBytes + 8;
constexpr std::size_t kExtendedPacketsMax = 4;

enum class Carrier : std::uint8_t { kXmp, kExtendedXmp, kExif, kText, kOther };

// Structures that may hold a label's words but belong to others: C2PA's JUMBF in APP11, profiles,
// the index of further pictures, Photoshop's resources, Adobe's colour transform.
bool is_foreign(const JpegSegment& segment) {
    constexpr std::array<std::string_view, 4> kNames{"ICC_PROFILE\0"sv, "MPF\0"sv,
                                                     "Photoshop 3.0\0"sv, "Adobe"sv};
    return segment.marker == jpeg::kApp11 ||
           std::ranges::any_of(
               kNames, [&](std::string_view name) { return starts_with(segment.payload, name); });
}

Carrier carrier_of(const JpegSegment& segment) {
    if (segment.marker == jpeg::kCom) {
        return Carrier::kText;
    }
    if (!segment.is_app() || is_foreign(segment)) {
        return Carrier::kOther;
    }
    if (segment.marker == jpeg::kApp1) {
        if (starts_with(segment.payload, kXmpName)) {
            return Carrier::kXmp;
        }
        if (starts_with(segment.payload, kExtendedName)) {
            return Carrier::kExtendedXmp;
        }
        if (starts_with(segment.payload, kExifName) && segment.payload.size() > kExifNameBytes) {
            return Carrier::kExif;
        }
    }
    return Carrier::kText;
}

Bytes xmp_packet(const JpegSegment& segment) {
    return segment.payload.subspan(kXmpName.size());
}

std::string text_place(const JpegSegment& segment) {
    return segment.marker == jpeg::kCom ? "jpeg COM"
                                        : "jpeg APP" + std::to_string(segment.marker - jpeg::kApp0);
}

// A packet cut into segments; the parts may come in any order.
struct ExtendedPacket {
    std::string_view guid;
    std::uint64_t offset = 0;  // of the first part seen
    Buffer bytes;
};

class ExtendedPackets {
public:
    void take(const JpegSegment& segment, Findings& findings) {
        if (segment.payload.size() < kExtendedHeaderBytes) {
            warn(findings, "metadata.xmp",
                 "jpeg extended XMP is cut short at byte " + std::to_string(segment.offset));
            return;
        }
        const Bytes header = segment.payload.subspan(kExtendedName.size());
        const std::string_view guid = as_text(header.first(kGuidBytes));
        const std::uint64_t full = load_be32(header.subspan(kGuidBytes));
        const std::uint64_t at = load_be32(header.subspan(kGuidBytes + 4));
        const Bytes part = segment.payload.subspan(kExtendedHeaderBytes);
        if (full > limits::kXmpBytesMax || at > full || part.size() > full - at) {
            note(findings, "metadata.xmp_extended",
                 "jpeg extended XMP of " + std::to_string(full) + " bytes is not searched");
            return;
        }
        auto packet = std::ranges::find(packets_, guid, &ExtendedPacket::guid);
        if (packet == packets_.end()) {
            if (packets_.size() == kExtendedPacketsMax) {
                return;
            }
            packets_.push_back({guid, segment.offset, Buffer(static_cast<std::size_t>(full))});
            packet = packets_.end() - 1;
        }
        if (packet->bytes.size() == full) {
            std::ranges::copy(part, packet->bytes.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }

    std::vector<ExtendedPacket> release() { return std::move(packets_); }

private:
    std::vector<ExtendedPacket> packets_;
};

std::vector<ExtendedPacket> extended_packets(const JpegFile& jpeg, Findings& findings) {
    ExtendedPackets packets;
    for (const JpegSegment& segment : jpeg.segments) {
        if (carrier_of(segment) == Carrier::kExtendedXmp) {
            packets.take(segment, findings);
        }
    }
    return packets.release();
}

void read_segment(const JpegSegment& segment, bool first_xmp, MetadataReading& reading) {
    LabelSite site;
    site.offset = segment.offset;
    switch (carrier_of(segment)) {
        case Carrier::kXmp:
            site.where = "jpeg APP1 XMP";
            site.standard_place = first_xmp;
            add_xmp(reading, xmp_packet(segment), site);
            break;
        case Carrier::kExif:
            add_exif(reading, segment.payload.subspan(kExifNameBytes),
                     segment.payload_offset() + kExifNameBytes, "jpeg");
            break;
        case Carrier::kText:
            site.where = text_place(segment);
            add_text(reading, as_text(segment.payload), site);
            break;
        case Carrier::kExtendedXmp:
        case Carrier::kOther:
            break;
    }
}

// Without a packet the new one goes behind JFIF and EXIF, which want to be first, and before
// everything else: then an MPF index moves together with the pictures that it points to.
std::uint64_t place_for_new_packet(const JpegFile& jpeg) {
    std::uint64_t place = 2;
    for (const JpegSegment& segment : jpeg.segments) {
        if (segment.marker != jpeg::kApp0 && carrier_of(segment) != Carrier::kExif) {
            break;
        }
        place = segment.end();
    }
    return place;
}

Result<Buffer> make_xmp_segment(std::string_view packet) {
    if (packet.size() > kPacketBytesMax) {
        return Error{ErrorCode::kLimit,
                     "the XMP packet with the label has " + std::to_string(packet.size()) +
                         " bytes, a JPEG holds " + std::to_string(kPacketBytesMax) +
                         "; shorten the other properties first"};
    }
    Buffer payload = to_buffer(kXmpName);
    append(payload, packet);
    return make_jpeg_segment(jpeg::kApp1, payload);
}

Result<void> edit_exif(const JpegSegment& segment, std::vector<FileEdit>& edits) {
    std::vector<ExifPatch> patches =
        TRY(blank_exif_labels(segment.payload.subspan(kExifNameBytes)));
    for (ExifPatch& patch : patches) {
        const std::uint64_t size = patch.bytes.size();
        edits.push_back({segment.payload_offset() + kExifNameBytes + patch.offset, size,
                         std::move(patch.bytes)});
    }
    return {};
}

// A segment that is a label and nothing else goes; from a comment the label is cut out; in an APP
// segment of unknown structure it is overwritten, so that no length in there becomes wrong.
Result<void> edit_text(const JpegSegment& segment, std::vector<FileEdit>& edits) {
    const std::string_view text = as_text(segment.payload);
    if (!may_be_label(text)) {
        return {};
    }
    const std::string left = without_tc260_labels(text);
    if (left == text) {
        return {};
    }
    if (left.empty()) {
        edits.push_back({segment.offset, segment.size, {}});
        return {};
    }
    if (segment.marker == jpeg::kCom) {
        edits.push_back(
            {segment.offset, segment.size, TRY(make_jpeg_segment(jpeg::kCom, as_bytes(left)))});
        return {};
    }
    for (const TextLabel& label : find_text_labels(text)) {
        if (label.kind == TextLabelKind::kTc260) {
            edits.push_back(
                {segment.payload_offset() + label.offset, label.size, blank_label(label)});
        }
    }
    return {};
}

// A further packet is against the XMP specification; it goes when it carries a label.
bool has_label(Bytes packet) {
    const auto reading = read_xmp(as_text(packet));
    return reading.ok() && !reading->aigc.empty();
}

Result<void> check_extended(const JpegFile& jpeg) {
    Findings ignored;
    for (const ExtendedPacket& packet : extended_packets(jpeg, ignored)) {
        if (has_label(packet.bytes)) {
            return Error{ErrorCode::kUnsupported,
                         "the extended XMP at byte " + std::to_string(packet.offset) +
                             " holds a TC260 label; a second one beside it would contradict it"};
        }
    }
    return {};
}

Result<void> update_packet(const JpegSegment& segment, const MetadataFields& fields,
                           std::vector<FileEdit>& edits) {
    const std::string_view old = as_text(xmp_packet(segment));
    const std::string packet = TRY(write_xmp(old, fields));
    if (packet != old) {
        edits.push_back({segment.offset, segment.size, TRY(make_xmp_segment(packet))});
    }
    return {};
}

Result<void> edit_xmp(const JpegFile& jpeg, const MetadataFields& fields,
                      std::vector<FileEdit>& edits) {
    bool written = false;
    for (const JpegSegment& segment : jpeg.segments) {
        if (carrier_of(segment) != Carrier::kXmp) {
            continue;
        }
        if (written) {
            if (has_label(xmp_packet(segment))) {
                edits.push_back({segment.offset, segment.size, {}});
            }
            continue;
        }
        written = true;
        TRY(update_packet(segment, fields, edits));
    }
    if (!written) {
        const std::string packet = TRY(write_xmp({}, fields));
        edits.push_back({place_for_new_packet(jpeg), 0, TRY(make_xmp_segment(packet))});
    }
    return {};
}

// Takes labels away from a segment that is no place for one.
Result<void> edit_other(const JpegSegment& segment, std::vector<FileEdit>& edits) {
    switch (carrier_of(segment)) {
        case Carrier::kExif:
            return edit_exif(segment, edits);
        case Carrier::kText:
            return edit_text(segment, edits);
        case Carrier::kXmp:
        case Carrier::kExtendedXmp:
        case Carrier::kOther:
            break;
    }
    return {};
}

}  // namespace

Result<MetadataReading> read_jpeg(Bytes file) {
    const JpegFile jpeg = TRY(walk_jpeg(file, JpegExtent::kHeaders));
    MetadataReading reading;
    bool first_xmp = true;
    for (const JpegSegment& segment : jpeg.segments) {
        read_segment(segment, first_xmp, reading);
        first_xmp = first_xmp && carrier_of(segment) != Carrier::kXmp;
    }
    for (const ExtendedPacket& packet : extended_packets(jpeg, reading.findings)) {
        add_xmp(reading, packet.bytes,
                {.where = "jpeg extended XMP",
                 .value = {},
                 .offset = packet.offset,
                 .standard_place = false});
    }
    sort_stably(reading.sites, &LabelSite::offset);
    return reading;
}

// [GB45438-6.1] One label: the packet is updated, every other TC260 label is taken away.
Result<Splice> write_jpeg(Bytes file, const MetadataFields& fields) {
    const JpegFile jpeg = TRY(walk_jpeg(file, JpegExtent::kHeaders));
    TRY(check_extended(jpeg));
    std::vector<FileEdit> edits;
    TRY(edit_xmp(jpeg, fields, edits));
    for (const JpegSegment& segment : jpeg.segments) {
        TRY(edit_other(segment, edits));
    }
    return correct_mpf(file, jpeg, TRY(splice_edits(file, std::move(edits))));
}

}  // namespace colophon::label::internal
