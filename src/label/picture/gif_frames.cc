// SPDX-License-Identifier: Apache-2.0
#include "label/picture/gif_frames.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/gif_blocks.h"
#include "label/picture/gif_lzw.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::size_t kScreenEnd = 13;  // signature and logical screen descriptor
constexpr int kScreenSideMax = 65535;   // frames that reach beyond cannot be written larger
constexpr std::uint8_t kTableFlag = 0x80;

std::vector<std::uint32_t> read_colours(Bytes bytes) {
    std::vector<std::uint32_t> colours;
    for (std::size_t i = 0; i + 2 < bytes.size(); i += 3) {
        colours.push_back(0xFF000000U | static_cast<std::uint32_t>(bytes[i]) << 16U |
                          static_cast<std::uint32_t>(bytes[i + 1]) << 8U | bytes[i + 2]);
    }
    return colours;
}

int size_bits(std::size_t colours) {  // of a table that holds that many
    int bits = 1;
    while ((std::size_t{1} << bits) < colours) {
        ++bits;
    }
    return bits;
}

void append_colours(Buffer& out, const std::vector<std::uint32_t>& colours) {
    const std::size_t count = std::size_t{1} << size_bits(colours.size());
    for (std::size_t i = 0; i < count; ++i) {
        append_be24(out, i < colours.size() ? colours[i] & 0xFFFFFFU : 0);
    }
}

// The rows in the order of the data.
std::vector<int> row_order(int height, bool interlaced) {
    std::vector<int> rows;
    const int starts[] = {0, 4, 2, 1};
    const int steps[] = {8, 8, 4, 2};
    for (int pass = 0; pass < (interlaced ? 4 : 1); ++pass) {
        const int step = interlaced ? steps[pass] : 1;
        for (int y = interlaced ? starts[pass] : 0; y < height; y += step) {
            rows.push_back(y);
        }
    }
    return rows;
}

Result<GifFrame> read_frame(Bytes file, const GifBlock& block) {
    ByteReader reader(*slice(file, block.offset, block.size), block.offset);
    TRY(reader.skip(1, "picture"));
    GifFrame frame;
    frame.rect.x = TRY(reader.le16("picture"));
    frame.rect.y = TRY(reader.le16("picture"));
    frame.rect.width = TRY(reader.le16("picture"));
    frame.rect.height = TRY(reader.le16("picture"));
    const std::uint8_t flags = TRY(reader.u8("picture"));
    frame.interlaced = (flags & 0x40U) != 0;
    frame.local = (flags & kTableFlag) != 0;
    if (frame.local) {
        const std::size_t count = std::size_t{2} << (flags & 7U);
        frame.colours = read_colours(TRY(reader.take(count * 3, "colour table")));
    }
    frame.code_bits = TRY(reader.u8("code size"));
    frame.coded = TRY(reader.take(reader.left(), "coded picture"));
    if (frame.rect.area() > limits::kImagePixelsMax) {
        return Error{ErrorCode::kLimit, "a frame of the GIF is above the limit of pixels"};
    }
    return frame;
}

Result<void> read_frames(Bytes file, GifAnimation& animation) {
    const std::vector<GifBlock>& blocks = animation.gif.blocks;
    std::optional<std::size_t> control;
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        if (blocks[i].kind == GifBlockKind::kExtension && blocks[i].label == gif::kGraphicControl) {
            control = i;
        }
        if (blocks[i].kind != GifBlockKind::kPicture) {
            continue;
        }
        if (animation.frames.size() >= limits::kImageFramesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("the GIF has more than {} frames", limits::kImageFramesMax)};
        }
        GifFrame frame = TRY(read_frame(file, blocks[i]));
        frame.block = i;
        frame.control = control;
        if (control && blocks[*control].sub_blocks.size() >= 5) {
            const Bytes fields = blocks[*control].sub_blocks;
            frame.disposal = (fields[1] >> 2) & 7;
            frame.transparent = (fields[1] & 1U) != 0 ? fields[4] : -1;
        }
        control.reset();
        animation.frames.push_back(std::move(frame));
    }
    if (animation.frames.empty()) {
        return Error{ErrorCode::kCorrupt, "a GIF without a picture"};
    }
    return {};
}

}  // namespace

Result<GifAnimation> read_gif_animation(Bytes file) {
    GifAnimation animation;
    animation.gif = TRY(walk_gif(file));
    animation.width = load_le16(file.subspan(6));
    animation.height = load_le16(file.subspan(8));
    if ((file[10] & kTableFlag) != 0) {
        const std::size_t size = static_cast<std::size_t>(animation.gif.header_end) - kScreenEnd;
        animation.colours = read_colours(file.subspan(kScreenEnd, size));
    }
    TRY(read_frames(file, animation));
    for (const GifFrame& frame : animation.frames) {
        animation.width = std::max(animation.width, frame.rect.right());
        animation.height = std::max(animation.height, frame.rect.bottom());
    }
    const auto pixels =
        static_cast<std::uint64_t>(animation.width) * static_cast<std::uint64_t>(animation.height);
    if (std::max(animation.width, animation.height) > kScreenSideMax ||
        pixels > limits::kImagePixelsMax ||
        pixels * animation.frames.size() > limits::kImageAllFramesPixelsMax) {
        return Error{ErrorCode::kLimit, "the frames of the GIF are above the limit of pixels"};
    }
    return animation;
}

Result<Buffer> decode_gif_frame(const GifFrame& frame) {
    const Buffer data = join_gif_sub_blocks(frame.coded);
    const Buffer coded = TRY(gif_lzw_decode(data, frame.code_bits, frame.rect.area()));
    if (!frame.interlaced) {
        return coded;
    }
    Buffer pixels(coded.size());
    const auto width = static_cast<std::size_t>(frame.rect.width);
    std::size_t from = 0;
    for (const int y : row_order(frame.rect.height, true)) {
        std::copy_n(
            coded.begin() + static_cast<std::ptrdiff_t>(from), width,
            pixels.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * width));
        from += width;
    }
    return pixels;
}

void append_gif_frame(Buffer& out, const GifFrame& frame, const std::vector<std::uint32_t>& colours,
                      const Buffer& pixels) {
    COLOPHON_ASSERT(colours.size() <= kGifColoursMax && pixels.size() == frame.rect.area());
    out.push_back(0x2C);
    for (const int v : {frame.rect.x, frame.rect.y, frame.rect.width, frame.rect.height}) {
        append_le16(out, static_cast<std::uint16_t>(v));
    }
    const int bits = size_bits(colours.size());
    std::uint8_t flags = frame.interlaced ? 0x40U : 0U;
    if (frame.local) {
        flags = static_cast<std::uint8_t>(flags | kTableFlag | static_cast<unsigned>(bits - 1));
    }
    out.push_back(flags);
    if (frame.local) {
        append_colours(out, colours);
    }
    Buffer ordered;
    ordered.reserve(pixels.size());
    for (const int y : row_order(frame.rect.height, frame.interlaced)) {
        const auto row = pixels.begin() + static_cast<std::ptrdiff_t>(y) * frame.rect.width;
        ordered.insert(ordered.end(), row, row + frame.rect.width);
    }
    const std::uint8_t most =
        ordered.empty() ? std::uint8_t{0} : *std::max_element(ordered.begin(), ordered.end());
    const int code_bits = std::clamp(std::max(bits, size_bits(std::size_t{most} + 1)), 2, 8);
    out.push_back(static_cast<std::uint8_t>(code_bits));
    append(out, make_gif_sub_blocks(gif_lzw_encode(ordered, code_bits)));
}

Buffer make_gif_head(Bytes file, const std::vector<std::uint32_t>& colours) {
    Buffer head = to_buffer(file.first(kScreenEnd));
    std::copy_n("89a", 3, head.begin() + 3);
    if (!colours.empty()) {
        const int bits = size_bits(colours.size());
        head[10] = static_cast<std::uint8_t>((head[10] & 0x78U) | kTableFlag |
                                             static_cast<unsigned>(bits - 1));
        append_colours(head, colours);
    }
    return head;
}

Splice splice_gif(Bytes file, const GifFile& gif, Buffer head, std::vector<Buffer> changed,
                  const std::vector<bool>& dropped) {
    COLOPHON_ASSERT(changed.size() == gif.blocks.size() && dropped.size() == gif.blocks.size());
    Splice splice;
    splice.insert(std::move(head));
    for (std::size_t i = 0; i < gif.blocks.size(); ++i) {
        if (!changed[i].empty()) {
            splice.insert(std::move(changed[i]));
        } else if (!dropped[i]) {
            splice.copy(gif.blocks[i].offset, gif.blocks[i].size);
        }
    }
    if (gif.end < file.size()) {
        splice.copy(gif.end, file.size() - gif.end);
    }
    return splice;
}

}  // namespace colophon::label
