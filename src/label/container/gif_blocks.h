// SPDX-License-Identifier: Apache-2.0
#pragma once

// The blocks of a GIF file (GIF89a specification, CompuServe 1990): header, then extensions and
// pictures, then a trailer. Coded pictures are stepped over by their sub-block lengths, one step
// per 255 bytes, never read.

#include "core/bytes.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::label {

namespace gif {

inline constexpr std::uint8_t kGraphicControl = 0xF9;
inline constexpr std::uint8_t kComment = 0xFE;
inline constexpr std::uint8_t kPlainText = 0x01;
inline constexpr std::uint8_t kApplication = 0xFF;
inline constexpr std::size_t kApplicationIdBytes = 11;  // 8 identifier, 3 authentication code

}  // namespace gif

enum class GifBlockKind : std::uint8_t { kExtension, kPicture, kTrailer };

struct GifBlock {
    GifBlockKind kind = GifBlockKind::kTrailer;
    std::uint8_t label = 0;    // of an extension: gif::kComment, ...
    std::uint64_t offset = 0;  // of the introducer
    std::uint64_t size = 0;    // introducer to block terminator
    Bytes sub_blocks;          // of an extension: length bytes and terminator included, a view

    std::uint64_t end() const noexcept { return offset + size; }
    // "XMP DataXMP", "NETSCAPE2.0"; empty when this is no application extension.
    std::string_view application() const noexcept;
};

struct GifFile {
    bool version_89a = false;
    std::uint64_t header_end = 0;  // behind the global colour table
    std::vector<GifBlock> blocks;  // the trailer last
    std::uint64_t end = 0;         // behind the trailer; what follows is trailing data
};

// kCorrupt for a wrong signature, an unknown introducer, a truncated block or a missing trailer;
// kLimit above limits::kContainerItemsMax blocks.
Result<GifFile> walk_gif(Bytes file);

// The content of a chain of sub-blocks, joined. `sub_blocks` as in GifBlock.
Buffer join_gif_sub_blocks(Bytes sub_blocks);

// Content cut into sub-blocks of at most 255 bytes, with the terminator.
Buffer make_gif_sub_blocks(Bytes content);

}  // namespace colophon::label
