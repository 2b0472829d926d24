// SPDX-License-Identifier: Apache-2.0
#include "label/container/jpeg_segments.h"

#include "core/bytes.h"
#include "core/limits.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace colophon::label {
namespace {

bool is_restart(std::uint8_t marker) noexcept {
    return marker >= 0xD0 && marker <= 0xD7;
}

// TEM and RSTn stand alone; so do SOI and EOI. All others carry a length (T.81 table B.1).
bool is_parameterless(std::uint8_t marker) noexcept {
    return marker == 0x01 || is_restart(marker) || marker == jpeg::kSoi || marker == jpeg::kEoi;
}

// Reads the segment that starts at the reader, fill bytes (T.81 B.1.1.2) included.
Result<JpegSegment> read_segment(ByteReader& reader) {
    JpegSegment segment;
    segment.offset = reader.offset();
    if (TRY(reader.u8("marker of a JPEG segment")) != 0xFF) {
        return corrupt_at("a JPEG marker is expected, found something else", segment.offset);
    }
    do {
        segment.marker = TRY(reader.u8("marker of a JPEG segment"));
    } while (segment.marker == 0xFF);
    if (segment.marker == 0) {
        return corrupt_at("a JPEG marker is expected, found a stuffed zero", segment.offset);
    }
    if (!is_parameterless(segment.marker)) {
        const std::uint64_t length_offset = reader.offset();
        const std::uint16_t length = TRY(reader.be16("length of a JPEG segment"));
        if (length < 2) {
            return corrupt_at("a JPEG segment of length " + std::to_string(length), length_offset);
        }
        segment.payload = TRY(reader.take(length - 2U, "a JPEG segment"));
    }
    segment.size = reader.offset() - segment.offset;
    return segment;
}

// Where the coded data that starts at `from` ends: the 0xFF of the next marker that is neither a
// stuffed byte nor a restart. The end of the file when there is none.
std::size_t end_of_coded_data(Bytes file, std::size_t from) noexcept {
    std::size_t at = from;
    while (at < file.size()) {
        const void* hit = std::memchr(file.data() + at, 0xFF, file.size() - at);
        if (hit == nullptr) {
            return file.size();
        }
        at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - file.data());
        std::size_t next = at + 1;
        while (next < file.size() && file[next] == 0xFF) {
            ++next;
        }
        if (next < file.size() && file[next] != 0 && !is_restart(file[next])) {
            return at;
        }
        at = next + 1;
    }
    return file.size();
}

}  // namespace

Result<JpegFile> walk_jpeg(Bytes file, JpegExtent extent) {
    if (!starts_with(file, "\xFF\xD8")) {
        return corrupt_at("a JPEG file starts with FF D8, this one does not", 0);
    }
    JpegFile jpeg;
    ByteReader reader(file);
    TRY(reader.skip(2, "SOI"));
    while (true) {
        if (jpeg.segments.size() >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "more than " +
                                                std::to_string(limits::kContainerItemsMax) +
                                                " JPEG segments (kContainerItemsMax)"};
        }
        const JpegSegment segment = TRY(read_segment(reader));
        jpeg.segments.push_back(segment);
        jpeg.end = segment.end();
        if (segment.marker == jpeg::kSoi) {
            return corrupt_at("a second start of image inside the JPEG picture", segment.offset);
        }
        if (segment.marker == jpeg::kEoi && extent == JpegExtent::kHeaders) {
            return corrupt_at("the JPEG picture ends without a scan", segment.offset);
        }
        const bool last =
            segment.marker == (extent == JpegExtent::kHeaders ? jpeg::kSos : jpeg::kEoi);
        if (last) {
            return jpeg;
        }
        if (segment.marker != jpeg::kSos) {
            continue;
        }
        const std::size_t from = reader.position();
        TRY(reader.skip(end_of_coded_data(file, from) - from, "coded data"));
    }
}

Result<Buffer> make_jpeg_segment(std::uint8_t marker, Bytes payload) {
    if (payload.size() > jpeg::kPayloadBytesMax) {
        return Error{ErrorCode::kLimit, "a JPEG segment holds at most " +
                                            std::to_string(jpeg::kPayloadBytesMax) + " bytes, " +
                                            std::to_string(payload.size()) + " are wanted"};
    }
    Buffer out;
    out.reserve(payload.size() + 4);
    out.push_back(0xFF);
    out.push_back(marker);
    append_be16(out, static_cast<std::uint16_t>(payload.size() + 2));
    append(out, payload);
    return out;
}

}  // namespace colophon::label
