// SPDX-License-Identifier: Apache-2.0
#include "label/container/id3v2.h"

#include "core/bytes.h"
#include "core/limits.h"
#include "core/utf8.h"
#include "label/finding.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::uint64_t kHeaderBytes = 10;
constexpr std::uint64_t kPaddingBytes = 1024;  // of a tag that had to grow
constexpr std::uint64_t kSyncsafeMax = (1U << 28U) - 1;
constexpr std::uint8_t kTagExtended = 0x40;
constexpr std::uint8_t kTagFooter = 0x10;
// Frame flags: compression and encryption of 2.3 and of 2.4, grouping, length indicator.
constexpr std::uint16_t kUnreadable3 = 0x00C0;
constexpr std::uint16_t kUnreadable4 = 0x000C;
constexpr std::uint16_t kGrouped3 = 0x0020;
constexpr std::uint16_t kGrouped4 = 0x0040;
constexpr std::uint16_t kLength4 = 0x0001;
constexpr std::uint16_t kUnsynchronised4 = 0x0002;

std::optional<std::uint32_t> syncsafe(std::uint32_t stored) {
    if ((stored & 0x80808080U) != 0) {
        return std::nullopt;
    }
    return (stored & 0x7FU) | ((stored >> 1U) & 0x3F80U) | ((stored >> 2U) & 0x1FC000U) |
           ((stored >> 3U) & 0xFE00000U);
}

std::uint32_t to_syncsafe(std::uint32_t value) {
    return (value & 0x7FU) | ((value & 0x3F80U) << 1U) | ((value & 0x1FC000U) << 2U) |
           ((value & 0xFE00000U) << 3U);
}

// Unsynchronisation puts a zero behind each 0xFF that a player could take for the start of sound.
Buffer decode_unsynchronised(Bytes bytes) {
    Buffer out;
    out.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out.push_back(bytes[i]);
        if (bytes[i] == 0xFF && i + 1 < bytes.size() && bytes[i + 1] == 0) {
            ++i;
        }
    }
    return out;
}

Buffer encode_unsynchronised(Bytes bytes) {
    Buffer out;
    out.reserve(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        out.push_back(bytes[i]);
        const bool last = i + 1 == bytes.size();
        if (bytes[i] == 0xFF && (last || bytes[i + 1] == 0 || bytes[i + 1] >= 0xE0)) {
            out.push_back(0);
        }
    }
    return out;
}

bool is_frame_id(std::string_view id) {
    return std::ranges::all_of(
        id, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); });
}

// Whether a frame, padding or the end could stand at this place.
bool is_frame_place(Bytes body, std::uint64_t at) {
    if (at >= body.size()) {
        return at == body.size();
    }
    const Bytes rest = body.subspan(static_cast<std::size_t>(at));
    return rest[0] == 0 || (rest.size() >= 4 && is_frame_id(as_text(rest.first(4))));
}

// iTunes wrote plain sizes into 2.4 tags for years; the size that leads to another frame wins.
std::uint32_t frame_size4(Bytes body, std::uint64_t content, std::uint32_t stored, Id3Tag& tag) {
    const auto safe = syncsafe(stored);
    const bool safe_fits = safe && is_frame_place(body, content + *safe);
    if (safe && (safe_fits || !is_frame_place(body, content + stored))) {
        return *safe;
    }
    if (tag.findings.empty()) {
        note(tag.findings, "metadata.id3_size",
             "the ID3v2.4 tag at byte " + std::to_string(tag.offset) +
                 " has a frame whose size is not written in the syncsafe way");
    }
    return stored;
}

Result<Id3Frame> read_frame(Bytes body, std::uint64_t at, Id3Tag& tag) {
    ByteReader reader(body.subspan(static_cast<std::size_t>(at)), tag.offset + kHeaderBytes + at);
    Id3Frame frame;
    frame.offset = at;
    frame.id = as_text(TRY(reader.take(tag.version == 2 ? 3 : 4, "identifier of an ID3 frame")));
    std::uint64_t content = 0;
    if (tag.version == 2) {
        content = TRY(reader.be24("size of an ID3 frame"));
        frame.header = 6;
    } else {
        const std::uint32_t stored = TRY(reader.be32("size of an ID3 frame"));
        frame.flags = TRY(reader.be16("flags of an ID3 frame"));
        frame.header = kHeaderBytes;
        content = tag.version == 3 ? stored : frame_size4(body, at + kHeaderBytes, stored, tag);
    }
    TRY(reader.skip(content, "ID3 frame"));
    frame.size = frame.header + content;
    return frame;
}

Result<void> read_frames(Bytes body, Id3Tag& tag) {
    const std::uint64_t header = tag.version == 2 ? 6 : kHeaderBytes;
    std::uint64_t at = tag.frames_begin;
    // Padding is zeros; a rest too short for a header is padding of a careless writer.
    while (at + header <= body.size() && body[static_cast<std::size_t>(at)] != 0) {
        if (tag.frames.size() >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "more than " +
                                                std::to_string(limits::kContainerItemsMax) +
                                                " ID3 frames (kContainerItemsMax)"};
        }
        const Id3Frame frame = TRY(read_frame(body, at, tag));
        if (!is_frame_id(frame.id)) {
            return corrupt_at("no ID3 frame and no padding", tag.offset + kHeaderBytes + at);
        }
        tag.frames.push_back(frame);
        at += frame.size;
    }
    tag.frames_end = at;
    return {};
}

// The extended header: its size counts itself in 2.4 and not in 2.3.
Result<std::uint64_t> extended_size(Bytes body, const Id3Tag& tag) {
    if (tag.version == 2 || (tag.flags & kTagExtended) == 0) {
        return std::uint64_t{0};
    }
    ByteReader reader(body, tag.offset + kHeaderBytes);
    const std::uint32_t stored = TRY(reader.be32("size of the extended ID3 header"));
    const std::uint64_t size =
        tag.version == 3 ? std::uint64_t{stored} + 4 : syncsafe(stored).value_or(0);
    if (size < 6 || size > body.size()) {
        return corrupt_at("the extended ID3 header says " + std::to_string(size) + " bytes",
                          tag.offset + kHeaderBytes);
    }
    return size;
}

Result<void> check_header(const Id3Tag& tag, std::optional<std::uint32_t> size) {
    if (tag.version < 2 || tag.version > 4) {
        return Error{ErrorCode::kUnsupported, "ID3v2." + std::to_string(tag.version) +
                                                  " is unknown; 2.2, 2.3 and 2.4 are read"};
    }
    if (tag.version == 2 && (tag.flags & kTagExtended) != 0) {
        return Error{ErrorCode::kUnsupported, "compressed ID3v2.2 tags, which nobody ever defined"};
    }
    if (!size) {
        return corrupt_at("the size of the ID3 tag is not syncsafe", tag.offset + 6);
    }
    if (*size > limits::kMetadataBlockBytesMax) {
        return Error{ErrorCode::kLimit,
                     "an ID3 tag of " + std::to_string(*size) + " bytes (kMetadataBlockBytesMax)"};
    }
    return {};
}

std::optional<char32_t> next_utf16(Bytes bytes, std::size_t& at, bool little) {
    const auto unit = [&](std::size_t place) -> std::optional<std::uint16_t> {
        if (bytes.size() < 2 || place > bytes.size() - 2) {
            return std::nullopt;
        }
        return little ? load_le16(bytes.subspan(place)) : load_be16(bytes.subspan(place));
    };
    const auto first = unit(at);
    if (!first) {
        return std::nullopt;
    }
    at += 2;
    const auto second = unit(at);
    if (*first >= 0xD800 && *first < 0xDC00 && second && *second >= 0xDC00 && *second < 0xE000) {
        at += 2;
        return 0x10000 + ((char32_t{*first} - 0xD800) << 10U) + (char32_t{*second} - 0xDC00);
    }
    return char32_t{*first};
}

// One text up to its terminator or the end, as UTF-8; `at` moves behind the terminator.
std::string take_text(Bytes bytes, std::size_t& at, std::uint8_t encoding) {
    std::string out;
    if (encoding == 0 || encoding == 3) {
        for (; at < bytes.size() && bytes[at] != 0; ++at) {
            if (encoding == 0) {
                append_utf8(out, bytes[at]);
            } else {
                out += static_cast<char>(bytes[at]);
            }
        }
        at = std::min(at + 1, bytes.size());
        return out;
    }
    const bool marked = at + 2 <= bytes.size() && (load_be16(bytes.subspan(at)) == 0xFEFF ||
                                                   load_be16(bytes.subspan(at)) == 0xFFFE);
    const bool little =
        marked ? bytes[at] == 0xFF : encoding == 1;  // without a mark, writers mean their own
    at += marked ? 2 : 0;
    while (const auto point = next_utf16(bytes, at, little)) {
        if (*point == 0) {
            break;
        }
        append_utf8(out, *point);
    }
    return out;
}

void append_utf16(Buffer& out, std::string_view text) {
    append_le16(out, 0xFEFF);
    std::size_t at = 0;
    while (at < text.size()) {
        const auto point = next_code_point(text, at);
        if (!point) {
            ++at;
        }
        const char32_t c = point.value_or(0xFFFD);
        if (c >= 0x10000) {
            append_le16(out, static_cast<std::uint16_t>(0xD800 + ((c - 0x10000) >> 10U)));
            append_le16(out, static_cast<std::uint16_t>(0xDC00 + ((c - 0x10000) & 0x3FFU)));
        } else {
            append_le16(out, static_cast<std::uint16_t>(c));
        }
    }
}

}  // namespace

Bytes Id3Tag::body(Bytes file) const {
    if (version < 4 && unsynchronised()) {
        return decoded;
    }
    const std::uint64_t size_around = kHeaderBytes + (footer ? kHeaderBytes : 0);
    return file.subspan(static_cast<std::size_t>(offset + kHeaderBytes),
                        static_cast<std::size_t>(size - size_around));
}

Result<std::optional<Id3Tag>> read_id3_tag(Bytes file, std::uint64_t offset) {
    const auto start = slice(file, offset, 3);
    if (!start || as_text(*start) != "ID3") {
        return std::optional<Id3Tag>();
    }
    ByteReader reader(file.subspan(static_cast<std::size_t>(offset) + 3), offset + 3);
    Id3Tag tag;
    tag.offset = offset;
    tag.version = TRY(reader.u8("version of the ID3 tag"));
    TRY(reader.skip(1, "revision of the ID3 tag"));
    tag.flags = TRY(reader.u8("flags of the ID3 tag"));
    const auto size = syncsafe(TRY(reader.be32("size of the ID3 tag")));
    TRY(check_header(tag, size));
    const Bytes body = TRY(reader.take(*size, "ID3 tag"));
    tag.footer = tag.version == 4 && (tag.flags & kTagFooter) != 0;
    if (tag.footer) {
        TRY(reader.skip(kHeaderBytes, "footer of the ID3 tag"));
    }
    tag.size = reader.offset() - offset;
    if (tag.version < 4 && tag.unsynchronised()) {
        tag.decoded = decode_unsynchronised(body);
    }
    tag.frames_begin = TRY(extended_size(tag.body(file), tag));
    TRY(read_frames(tag.body(file), tag));
    return std::optional(std::move(tag));
}

Result<std::vector<Id3Tag>> read_id3_tags(Bytes file, std::uint64_t offset) {
    std::vector<Id3Tag> tags;
    while (auto tag = TRY(read_id3_tag(file, offset))) {
        if (tags.size() >= limits::kLabelSitesMax) {
            return Error{ErrorCode::kLimit, "more than " + std::to_string(limits::kLabelSitesMax) +
                                                " ID3 tags in a row (kLabelSitesMax)"};
        }
        offset = tag->end();
        tags.push_back(std::move(*tag));
    }
    return tags;
}

std::optional<Id3UserText> read_user_text(const Id3Tag& tag, Bytes body, const Id3Frame& frame) {
    const std::uint16_t unreadable = tag.version == 4 ? kUnreadable4 : kUnreadable3;
    if (frame.id != (tag.version == 2 ? "TXX" : "TXXX") || (frame.flags & unreadable) != 0) {
        return std::nullopt;
    }
    std::size_t skip = (frame.flags & (tag.version == 4 ? kGrouped4 : kGrouped3)) != 0 ? 1 : 0;
    skip += tag.version == 4 && (frame.flags & kLength4) != 0 ? 4 : 0;
    const std::uint64_t size = frame.size - frame.header;
    // Twice, because UTF-16 has two bytes for each character of a label.
    if (size <= skip + 1 || size > 2 * limits::kLabelBytesMax + kHeaderBytes) {
        return std::nullopt;
    }
    Bytes content = *slice(body, frame.offset + frame.header + skip, size - skip);
    Buffer decoded;
    if (tag.version == 4 && (frame.flags & kUnsynchronised4) != 0) {
        decoded = decode_unsynchronised(content);
        content = decoded;
    }
    const std::uint8_t encoding = content[0];
    if (encoding > 3) {
        return std::nullopt;
    }
    std::size_t at = 1;
    Id3UserText text;
    text.name = take_text(content, at, encoding);
    text.value = take_text(content, at, encoding);
    return text;
}

Buffer make_user_text(const Id3Tag& tag, const Id3UserText& text) {
    const auto is_ascii = [](std::string_view part) {
        return std::ranges::all_of(part,
                                   [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    };
    Buffer content;
    if (tag.version < 4 && !(is_ascii(text.name) && is_ascii(text.value))) {
        content.push_back(1);
        append_utf16(content, text.name);
        append_le16(content, 0);
        append_utf16(content, text.value);
    } else {
        content.push_back(tag.version == 4 ? 3 : 0);
        append(content, text.name);
        content.push_back(0);
        append(content, text.value);
    }
    const auto size = static_cast<std::uint32_t>(content.size());
    Buffer frame = to_buffer(tag.version == 2 ? "TXX" : "TXXX");
    if (tag.version == 2) {
        append_be24(frame, size);
    } else {
        append_be32(frame, tag.version == 4 ? to_syncsafe(size) : size);
        // UTF-8 has no 0xFF, so the frame is unsynchronised as it stands.
        append_be16(frame, tag.version == 4 && tag.unsynchronised() ? kUnsynchronised4 : 0);
    }
    append(frame, content);
    return frame;
}

Result<Buffer> make_id3_tag(const Id3Tag& tag, Bytes frames, std::uint64_t size) {
    Buffer body =
        tag.version < 4 && tag.unsynchronised() ? encode_unsynchronised(frames) : to_buffer(frames);
    const std::uint64_t around = kHeaderBytes + (tag.footer ? kHeaderBytes : 0);
    const bool fits = body.size() + around <= size;
    if (!tag.footer) {
        // A footer allows no padding (ID3v2.4 structure, clause 3.3).
        body.resize(fits ? size - around : body.size() + kPaddingBytes);
    }
    if (body.size() > std::min(kSyncsafeMax, limits::kMetadataBlockBytesMax)) {
        return Error{ErrorCode::kLimit, "an ID3 tag of " + std::to_string(body.size()) +
                                            " bytes (kMetadataBlockBytesMax)"};
    }
    Buffer rest;
    rest.push_back(tag.version);
    rest.push_back(0);
    rest.push_back(tag.version == 2 ? tag.flags
                                    : static_cast<std::uint8_t>(tag.flags & ~kTagExtended));
    append_be32(rest, to_syncsafe(static_cast<std::uint32_t>(body.size())));
    Buffer out = to_buffer("ID3");
    append(out, rest);
    append(out, body);
    if (tag.footer) {
        append(out, "3DI");
        append(out, rest);
    }
    return out;
}

}  // namespace colophon::label
