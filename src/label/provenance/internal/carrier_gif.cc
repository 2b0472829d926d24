// SPDX-License-Identifier: Apache-2.0
// GIF (C2PA 2.4, A.3): the store is the content of an application extension "C2PA_GIF" with the
// authentication code 01 00 00, behind the header.

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/file_edits.h"
#include "label/container/gif_blocks.h"
#include "label/provenance/carrier.h"
#include "label/provenance/internal/carriers.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kApplication("C2PA_GIF\x01\0\0", gif::kApplicationIdBytes);
constexpr std::size_t kNameBytes = 1 + gif::kApplicationIdBytes;  // with its length

}  // namespace

Result<std::optional<FoundStore>> find_in_gif(Bytes file) {
    const GifFile gif = TRY(walk_gif(file));
    std::optional<FoundStore> found;
    for (const GifBlock& block : gif.blocks) {
        if (block.application() != kApplication) {
            continue;
        }
        if (found) {
            found->problem = "the file holds more than one C2PA extension";
            continue;
        }
        const Bytes content = block.sub_blocks.subspan(kNameBytes);
        found = FoundStore{.store = join_gif_sub_blocks(content),
                           .ranges = {{.offset = block.offset, .size = block.size}},
                           .where = "gif C2PA_GIF extension",
                           .problem = {},
                           .code = {}};
        if (!std::ranges::equal(make_gif_sub_blocks(found->store), content)) {
            found->problem = "the sub-blocks of the C2PA extension are cut in an unusual way";
        }
    }
    return found;
}

Result<Placement> place_in_gif(Bytes file, Bytes store) {
    const GifFile gif = TRY(walk_gif(file));
    std::vector<FileEdit> edits;
    for (const GifBlock& block : gif.blocks) {
        if (block.application() == kApplication) {
            edits.push_back({block.offset, block.size, {}});
        }
    }
    if (!gif.version_89a) {
        // Extensions exist since 89a only.
        edits.push_back({3, 3, to_buffer("89a")});
    }
    Buffer block{0x21, gif::kApplication, gif::kApplicationIdBytes};
    append(block, kApplication);
    append(block, make_gif_sub_blocks(store));
    Placement placement;
    placement.ranges = {{.offset = gif.header_end, .size = block.size()}};
    edits.push_back({gif.header_end, 0, std::move(block)});
    placement.splice = TRY(splice_edits(file, std::move(edits)));
    return placement;
}

}  // namespace colophon::label::provenance::internal
