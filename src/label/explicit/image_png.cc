// SPDX-License-Identifier: Apache-2.0
// The mark in a PNG: samples are changed in their own depth and colour type, every chunk but the
// coded picture (and, for palette pictures, the palette) is copied.
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/png_chunks.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "label/explicit/internal/image_palette.h"
#include "label/picture/recode.h"
#include "media/image.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::ColourSpace;
using media::Image;
using media::PngImage;

// A colour that means "transparent" must not appear by drawing.
void avoid_transparent_colour(PngImage& png, const Overlay& overlay) {
    Image& image = png.image;
    for (int y = overlay.rect.y; y < overlay.rect.bottom(); ++y) {
        for (int x = overlay.rect.x; x < overlay.rect.right(); ++x) {
            bool same = overlay.plate.at(x - overlay.rect.x, y - overlay.rect.y) != 0;
            for (int c = 0; c < image.channels && same; ++c) {
                same = image.sample(x, y, c) == png.transparent_colour[c];
            }
            if (same) {
                const int value = png.transparent_colour[0];
                image.set_sample(x, y, 0, value > 0 ? value - 1 : 1);
            }
        }
    }
}

}  // namespace

int png_orientation(Bytes file) {
    const Result<PngFile> png = walk_png(file);
    for (const PngChunk& chunk : png ? png->chunks : std::vector<PngChunk>()) {
        if (chunk.type == "eXIf") {
            return exif_orientation(chunk.data);
        }
    }
    return 1;
}

Result<Drawn> draw_png(const Drawing& drawing) {
    PngFile before = TRY(walk_png(drawing.file));
    if (std::ranges::find(before.chunks, "acTL", &PngChunk::type) != before.chunks.end()) {
        return draw_apng(drawing, std::move(before));
    }
    const int orientation = png_orientation(drawing.file);
    PngImage png = TRY(media::decode_png(drawing.file));
    const Overlay overlay =
        TRY(plan_overlay(drawing, png.image.width, png.image.height, orientation));
    Drawn drawn;
    drawn.height_percent = height_percent(overlay, png.image.width, png.image.height);
    bool promoted = false;
    if (png.image.space == ColourSpace::kPalette) {
        const PaletteDrawn result = draw_palette(png.image, overlay);
        drawn.contrast = result.contrast;
        promoted = result.promoted;
        png.bit_depth = promoted ? 8 : png.bit_depth;
        while (!promoted && png.image.palette.size() > (std::size_t{1} << png.bit_depth)) {
            png.bit_depth *= 2;
        }
    } else {
        drawn.contrast = draw_frame(png.image, overlay, 0);
    }
    if (png.has_transparent_colour) {
        avoid_transparent_colour(png, overlay);
    }
    drawn.splice = TRY(exchange_png_picture(drawing.file, png,
                                            promoted ? PngPalette::kGone : PngPalette::kAsBefore));
    return drawn;
}

}  // namespace colophon::label::internal
