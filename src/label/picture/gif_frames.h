// SPDX-License-Identifier: Apache-2.0
#pragma once

// The frames of a GIF (GIF89a specification) as colour indices, where they lie on the canvas, and
// writing them back: whoever changes pixels need not compose or quantize a frame again.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/gif_blocks.h"
#include "media/plane.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace colophon::label {

inline constexpr std::size_t kGifColoursMax = 256;
// Of a frame: the canvas keeps it, is cleared where it lay, or becomes what it was before.
inline constexpr int kGifDisposeClear = 2;
inline constexpr int kGifDisposePrevious = 3;

struct GifFrame {
    std::size_t block = 0;               // index of the picture in GifFile::blocks
    std::optional<std::size_t> control;  // index of its graphic control extension
    media::Rect rect;
    bool interlaced = false;
    bool local = false;                  // whether it has a colour table of its own
    std::vector<std::uint32_t> colours;  // then: 0xFFRRGGBB
    int code_bits = 0;
    int transparent = -1;  // index of the colour that paints nothing
    int disposal = 0;
    Bytes coded;  // sub-blocks, a view of the file
};

struct GifAnimation {
    GifFile gif;
    int width = 0;  // of the canvas: the screen, and what frames paint beside it
    int height = 0;
    std::vector<std::uint32_t> colours;  // of the global table, if there is one
    std::vector<GifFrame> frames;        // at least one

    const std::vector<std::uint32_t>& colours_of(const GifFrame& frame) const noexcept {
        return frame.local ? frame.colours : colours;
    }
};

// kCorrupt for what walk_gif() refuses and a file without a picture; kLimit above
// limits::kImageFramesMax frames, kImagePixelsMax pixels of one and kImageAllFramesPixelsMax pixels
// of all, whole canvases.
Result<GifAnimation> read_gif_animation(Bytes file);

// The indices of a frame, rect.width x rect.height, row-major, whatever their order in the file.
Result<Buffer> decode_gif_frame(const GifFrame& frame);

// The blocks of a changed frame. `colours`: its own table, or where it has none the global one, at
// most 256; `pixels` as decode_gif_frame() gives them.
void append_gif_frame(Buffer& out, const GifFrame& frame, const std::vector<std::uint32_t>& colours,
                      const Buffer& pixels);

// The head of the file, version 89a, with this global colour table (empty: as it is).
Buffer make_gif_head(Bytes file, const std::vector<std::uint32_t>& colours);

// The head, then the blocks, of which those that are not empty in `changed` are exchanged and those
// set in `dropped` are left out; then whatever follows the trailer. Both have one for each block.
Splice splice_gif(Bytes file, const GifFile& gif, Buffer head, std::vector<Buffer> changed,
                  const std::vector<bool>& dropped);

}  // namespace colophon::label
