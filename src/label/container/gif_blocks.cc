// SPDX-License-Identifier: Apache-2.0
#include "label/container/gif_blocks.h"

#include "core/bytes.h"
#include "core/limits.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::label {
namespace {

constexpr std::uint8_t kExtensionIntroducer = 0x21;
constexpr std::uint8_t kPictureSeparator = 0x2C;
constexpr std::uint8_t kTrailer = 0x3B;

// Bit 7: a colour table follows; bits 0-2: its size as 2^(n+1) colours of three bytes.
std::uint64_t colour_table_bytes(std::uint8_t flags) noexcept {
    return (flags & 0x80U) != 0 ? 3ULL << ((flags & 0x07U) + 1U) : 0;
}

Result<void> skip_sub_blocks(ByteReader& reader) {
    while (true) {
        const std::uint8_t size = TRY(reader.u8("length of a GIF sub-block"));
        if (size == 0) {
            return {};
        }
        TRY(reader.skip(size, "a GIF sub-block"));
    }
}

Result<void> skip_picture(ByteReader& reader) {
    TRY(reader.skip(8, "position and size of a GIF picture"));
    const std::uint8_t flags = TRY(reader.u8("flags of a GIF picture"));
    TRY(reader.skip(colour_table_bytes(flags), "local colour table"));
    TRY(reader.skip(1, "LZW code size"));
    return skip_sub_blocks(reader);
}

Result<GifBlock> read_block(Bytes file, ByteReader& reader) {
    GifBlock block;
    block.offset = reader.offset();
    const std::uint8_t introducer = TRY(reader.u8("introducer of a GIF block"));
    if (introducer == kTrailer) {
        block.kind = GifBlockKind::kTrailer;
    } else if (introducer == kPictureSeparator) {
        block.kind = GifBlockKind::kPicture;
        TRY(skip_picture(reader));
    } else if (introducer == kExtensionIntroducer) {
        block.kind = GifBlockKind::kExtension;
        block.label = TRY(reader.u8("label of a GIF extension"));
        const std::size_t from = reader.position();
        TRY(skip_sub_blocks(reader));
        block.sub_blocks = file.subspan(from, reader.position() - from);
    } else {
        return corrupt_at("an unknown GIF block " + std::to_string(introducer), block.offset);
    }
    block.size = reader.offset() - block.offset;
    return block;
}

}  // namespace

std::string_view GifBlock::application() const noexcept {
    const bool named = kind == GifBlockKind::kExtension && label == gif::kApplication &&
                       sub_blocks.size() > gif::kApplicationIdBytes &&
                       sub_blocks[0] == gif::kApplicationIdBytes;
    return named ? as_text(sub_blocks.subspan(1, gif::kApplicationIdBytes)) : std::string_view();
}

Result<GifFile> walk_gif(Bytes file) {
    GifFile gif;
    gif.version_89a = starts_with(file, "GIF89a");
    if (!gif.version_89a && !starts_with(file, "GIF87a")) {
        return corrupt_at("neither GIF87a nor GIF89a", 0);
    }
    ByteReader reader(file);
    TRY(reader.skip(10, "size of the GIF screen"));
    const std::uint8_t flags = TRY(reader.u8("flags of the GIF screen"));
    TRY(reader.skip(2, "background and aspect"));
    TRY(reader.skip(colour_table_bytes(flags), "global colour table"));
    gif.header_end = reader.offset();
    while (true) {
        if (gif.blocks.size() >= limits::kContainerItemsMax) {
            return Error{ErrorCode::kLimit, "more than " +
                                                std::to_string(limits::kContainerItemsMax) +
                                                " GIF blocks (kContainerItemsMax)"};
        }
        gif.blocks.push_back(TRY(read_block(file, reader)));
        gif.end = gif.blocks.back().end();
        if (gif.blocks.back().kind == GifBlockKind::kTrailer) {
            return gif;
        }
    }
}

Buffer join_gif_sub_blocks(Bytes sub_blocks) {
    Buffer out;
    std::size_t at = 0;
    while (at < sub_blocks.size() && sub_blocks[at] != 0) {
        const std::size_t size = std::min<std::size_t>(sub_blocks[at], sub_blocks.size() - at - 1);
        append(out, sub_blocks.subspan(at + 1, size));
        at += 1 + size;
    }
    return out;
}

Buffer make_gif_sub_blocks(Bytes content) {
    Buffer out;
    while (!content.empty()) {
        const std::size_t size = std::min<std::size_t>(content.size(), 255);
        out.push_back(static_cast<std::uint8_t>(size));
        append(out, content.first(size));
        content = content.subspan(size);
    }
    out.push_back(0);
    return out;
}

}  // namespace colophon::label
