// SPDX-License-Identifier: Apache-2.0
#pragma once

// The comment list of Vorbis I (clause 5), as FLAC, Ogg Vorbis and Opus carry it: a vendor string
// and NAME=value texts. Everything behind the list (framing bit, binary padding) is kept.

#include "core/bytes.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::label {

struct VorbisComment {
    std::uint64_t offset = 0;  // of its length field, in the list
    std::uint64_t end = 0;     // behind its text, in the list
    std::string_view name;     // before the first '='; empty when there is none
    std::string_view value;    // behind it
};

struct VorbisComments {
    std::string_view vendor;
    std::uint64_t count_offset = 0;  // of the number of comments, in the list
    std::vector<VorbisComment> comments;
    std::uint64_t end = 0;  // of the list; what follows belongs to the carrier
};

// `list` starts at the length of the vendor string; `base` is its place in the file, for messages.
// kCorrupt when a length reaches over the end; kLimit above limits::kContainerItemsMax comments.
Result<VorbisComments> read_vorbis_comments(Bytes list, std::uint64_t base);

}  // namespace colophon::label
