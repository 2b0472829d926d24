// SPDX-License-Identifier: Apache-2.0
// MP3 and FLAC (C2PA 2.4, A.3): the store is the object of an ID3v2 frame GEOB with the type
// application/c2pa. In FLAC the tag stands in front of the signature. Only the object's bytes are
// left out of the hash.
//
//   GEOB: encoding:u8 type NUL filename NUL description NUL object

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/id3v2.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kType = "application/c2pa";
constexpr std::string_view kOldType = "application/x-c2pa-manifest-store";
constexpr std::uint64_t kTagHeaderBytes = 10;
constexpr std::uint64_t kFrameHeaderBytes = 10;
constexpr std::uint8_t kTagUnsynchronised = 0x80;

// Where the object of a C2PA frame begins in its content; nothing for other frames.
std::optional<std::size_t> object_begin(Bytes content) {
    if (content.empty() || content[0] > 3) {
        return std::nullopt;
    }
    const std::string_view text = as_text(content.subspan(1));
    const std::size_t type_end = text.find('\0');
    if (type_end == std::string_view::npos ||
        (text.substr(0, type_end) != kType && text.substr(0, type_end) != kOldType)) {
        return std::nullopt;
    }
    const std::size_t unit = content[0] == 1 || content[0] == 2 ? 2 : 1;
    std::size_t at = 1 + type_end + 1;
    for (int field = 0; field < 2; ++field) {
        for (;; at += unit) {
            if (at + unit > content.size()) {
                return std::nullopt;
            }
            const Bytes letter = content.subspan(at, unit);
            if (std::ranges::all_of(letter, [](auto byte) { return byte == 0; })) {
                break;
            }
        }
        at += unit;
    }
    return at;
}

Bytes content_of(Bytes body, const Id3Frame& frame) {
    return slice(body, frame.offset + frame.header, frame.size - frame.header).value_or(Bytes());
}

bool is_store(Bytes body, const Id3Frame& frame) {
    return frame.id == "GEOB" && object_begin(content_of(body, frame)).has_value();
}

FoundStore read_store(Bytes body, const Id3Tag& tag, const Id3Frame& frame) {
    const Bytes content = content_of(body, frame);
    const std::size_t begin = *object_begin(content);
    FoundStore found{
        .store = to_buffer(content.subspan(begin)),
        .ranges = {{.offset = tag.offset + kTagHeaderBytes + frame.offset + frame.header + begin,
                    .size = content.size() - begin}},
        .where = "ID3v2 GEOB",
        .problem = {},
        .code = {}};
    if (frame.flags != 0 || (tag.unsynchronised() && tag.version < 4)) {
        found.problem = "the ID3 frame of the manifest is packed";
    }
    return found;
}

// Everything of a tag but its stores.
Buffer other_frames(Bytes body, const Id3Tag& tag) {
    Buffer frames;
    for (const Id3Frame& frame : tag.frames) {
        if (!is_store(body, frame)) {
            append(frames, *slice(body, frame.offset, frame.size));
        }
    }
    return frames;
}

struct NewFrame {
    Buffer bytes;
    std::uint64_t object_offset = 0;
};

Result<NewFrame> make_frame(std::uint8_t version, Bytes store) {
    NewFrame frame;
    Buffer content{0};
    append(content, kType);
    content.push_back(0);
    append(content, "c2pa");
    content.push_back(0);
    append(content, "c2pa manifest store");
    content.push_back(0);
    frame.object_offset = kFrameHeaderBytes + content.size();
    append(content, store);
    const auto size = static_cast<std::uint32_t>(content.size());
    if (content.size() >= (1U << 28U)) {
        return Error{ErrorCode::kLimit, "a manifest store that no ID3 frame can hold"};
    }
    frame.bytes = to_buffer("GEOB");
    append_be32(frame.bytes, version == 4
                                 ? ((size & 0xFE00000U) << 3U) | ((size & 0x1FC000U) << 2U) |
                                       ((size & 0x3F80U) << 1U) | (size & 0x7FU)
                                 : size);
    append_be16(frame.bytes, 0);
    append(frame.bytes, content);
    return frame;
}

}  // namespace

Result<std::optional<FoundStore>> find_in_id3(Bytes file) {
    std::optional<FoundStore> found;
    for (const Id3Tag& tag : TRY(read_id3_tags(file, 0))) {
        const Bytes body = tag.body(file);
        for (const Id3Frame& frame : tag.frames) {
            if (!is_store(body, frame)) {
                continue;
            }
            if (found) {
                found->problem = "the file holds more than one manifest store";
                continue;
            }
            found = read_store(body, tag, frame);
        }
    }
    return found;
}

Result<Placement> place_in_id3(Bytes file, Bytes store) {
    std::vector<Id3Tag> tags = TRY(read_id3_tags(file, 0));
    Id3Tag first;
    first.version = 4;
    Buffer frames;
    if (!tags.empty()) {
        first = std::move(tags.front());
        tags.erase(tags.begin());
        frames = other_frames(first.body(file), first);
    }
    if (first.version == 2) {
        return Error{ErrorCode::kUnsupported,
                     "ID3v2.2 has no place for Content Credentials; convert the tag to 2.4 first"};
    }
    const std::uint64_t old_end = first.end();
    // What is written here is plain: bytes of the store stand in the file as they are.
    first.flags = static_cast<std::uint8_t>(first.flags & ~kTagUnsynchronised);
    const std::uint64_t before = frames.size();
    const NewFrame frame = TRY(make_frame(first.version, store));
    append(frames, frame.bytes);
    Placement placement;
    placement.ranges = {
        {.offset = kTagHeaderBytes + before + frame.object_offset, .size = store.size()}};
    placement.splice.insert(TRY(make_id3_tag(first, frames, first.size)));
    std::uint64_t at = old_end;
    for (const Id3Tag& tag : tags) {
        const Bytes body = tag.body(file);
        const bool carries = std::ranges::any_of(
            tag.frames, [&](const Id3Frame& each) { return is_store(body, each); });
        if (carries) {
            placement.splice.insert(TRY(make_id3_tag(tag, other_frames(body, tag), tag.size)));
            at = tag.end();
        } else {
            placement.splice.copy(tag.offset, tag.size);
            at = tag.end();
        }
    }
    placement.splice.copy(at, file.size() - at);
    return placement;
}

}  // namespace colophon::label::provenance::internal
