// SPDX-License-Identifier: Apache-2.0
#pragma once

// ID3v2 tags, versions 2.2, 2.3 and 2.4 (id3.org), and the places of their frames; a new tag can be
// made from frames. Pictures and other contents are not interpreted. Shared by MP3, by FLAC and WAV
// files with such a tag, and by whoever writes frames of its own.
//
//   header 10 | [extended header] | frames | padding | [footer 10, only 2.4]

#include "core/bytes.h"
#include "label/finding.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

struct Id3Frame {
    std::string_view id;       // three letters in 2.2, else four; a view of the body
    std::uint64_t offset = 0;  // of the frame header in the body
    std::uint64_t size = 0;    // of header and content
    std::uint64_t header = 0;  // bytes of the header: 6 or 10
    std::uint16_t flags = 0;   // 0 in 2.2
};

struct Id3Tag {
    std::uint64_t offset = 0;  // in the file
    std::uint64_t size = 0;    // header, body and footer
    std::uint8_t version = 0;  // 2, 3 or 4
    std::uint8_t flags = 0;    // of the tag header
    bool footer = false;
    Buffer decoded;                  // the body of a tag that is unsynchronised as a whole
    std::uint64_t frames_begin = 0;  // in the body, behind the extended header
    std::uint64_t frames_end = 0;    // in the body; padding follows
    std::vector<Id3Frame> frames;
    Findings findings;  // "metadata.id3_size": a 2.4 frame whose size is not syncsafe

    bool unsynchronised() const noexcept { return (flags & 0x80U) != 0; }
    // Extended header, frames and padding; places in frames count from here.
    Bytes body(Bytes file) const;
    std::uint64_t end() const noexcept { return offset + size; }
};

// The tag at `offset`; nothing when there is none. kCorrupt for a tag over the end of the file, a
// size that is not syncsafe and a frame over the end of its tag; kUnsupported for versions other
// than 2.2 to 2.4 and for the abandoned compression of 2.2; kLimit above
// limits::kMetadataBlockBytesMax or limits::kContainerItemsMax frames.
Result<std::optional<Id3Tag>> read_id3_tag(Bytes file, std::uint64_t offset);

// All tags that stand one behind the other from `offset` on.
Result<std::vector<Id3Tag>> read_id3_tags(Bytes file, std::uint64_t offset);

// A user text frame, TXXX or TXX in 2.2. `name` and `value` are UTF-8.
struct Id3UserText {
    std::string name;
    std::string value;
};

// Nothing for other frames and for those that are compressed, encrypted or wrongly encoded.
std::optional<Id3UserText> read_user_text(const Id3Tag& tag, Bytes body, const Id3Frame& frame);

// A whole frame for a tag of this version. Text is UTF-8 in 2.4 and Latin-1 before, which all
// readers know; where it is not ASCII, UTF-16 with a byte order mark before 2.4.
Buffer make_user_text(const Id3Tag& tag, const Id3UserText& text);

// The tag with these frames instead of its own, `size` bytes long when they fit in and there is no
// footer, otherwise as long as they need with some padding. Version, unsynchronisation and footer
// stay; the extended header, which holds a checksum and the size of the padding, goes. kLimit above
// 256 MiB, the most that a tag can say.
Result<Buffer> make_id3_tag(const Id3Tag& tag, Bytes frames, std::uint64_t size);

}  // namespace colophon::label
