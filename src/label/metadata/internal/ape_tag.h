// SPDX-License-Identifier: Apache-2.0
#pragma once

// APEv2 tags at the end of MP3 files (wiki.hydrogenaud.io, APEv2 specification), before an ID3v1
// tag: items of a key and a UTF-8 value, in which some taggers keep what ID3 calls user text.

#include "core/bytes.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

struct ApeItem {
    std::uint64_t offset = 0;  // in the file
    std::uint64_t end = 0;
    std::uint32_t flags = 0;
    std::string_view key;
    std::string_view value;
};

struct ApeTag {
    std::uint64_t offset = 0;  // in the file, of the header if there is one
    std::uint64_t end = 0;     // behind the footer
    bool header = false;
    std::vector<ApeItem> items;
};

// The tag at the end of the file, or, with `id3v1`, before the 128 bytes of an ID3v1 tag there;
// both begin at `from` or behind. Nothing when there is none or its items do not fill it: what
// cannot be read is sound to a player.
std::optional<ApeTag> find_ape_tag(Bytes file, std::uint64_t from, bool id3v1 = true);

// The tag without the items for which `drop` is true (one for each item); empty when none is left.
Buffer make_ape_tag(Bytes file, const ApeTag& tag, const std::vector<bool>& drop);

}  // namespace colophon::label::internal
