// SPDX-License-Identifier: Apache-2.0
#pragma once

// One drawing function per container. Each gets the picture, the mark and the typeface, and returns
// the file with the mark drawn and measured.

#include "label/container/png_chunks.h"
#include "label/explicit/image.h"
#include "label/explicit/internal/image_draw.h"
#include "media/image.h"
#include "media/jpeg_blocks.h"
#include "media/text_raster.h"

namespace colophon::label::internal {

struct Drawing {
    Bytes file;
    const media::Typeface& typeface;
    const ImageMark& mark;
};

struct Drawn {
    Splice splice;
    double contrast = 0;  // the worst of all frames and pages
    double height_percent = 0;
    Findings findings;
};

// `blocks`: drawing.file, opened; decoding it costs half of the time that drawing takes.
Result<Drawn> draw_jpeg(const Drawing& drawing, media::JpegBlocks& blocks);
Result<Drawn> draw_png(const Drawing& drawing);
Result<Drawn> draw_apng(const Drawing& drawing, PngFile png);  // `png`: drawing.file, walked
Result<Drawn> draw_gif(const Drawing& drawing);
Result<Drawn> draw_tiff(const Drawing& drawing);
Result<Drawn> draw_webp(const Drawing& drawing);
Result<Drawn> draw_heif(const Drawing& drawing);  // HEIC and AVIF
Result<Drawn> draw_svg(const Drawing& drawing);

// The orientation (1 .. 8) that an EXIF block (a TIFF structure) gives; 1 when it gives none.
int exif_orientation(Bytes tiff);
int jpeg_orientation(Bytes file);

// The pixels of `area` as a decoder without chroma smoothing shows them.
Patch jpeg_patch(const media::JpegBlocks& blocks, const media::Rect& area);

// A picture as stored, and how it is to be turned for display. Not for JPEG and SVG.
struct Stored {
    media::Image image;
    int orientation = 1;
};
Result<Stored> decode_first_frame(Bytes file, Format format);
int png_orientation(Bytes file);
int webp_orientation(Bytes file);

// Overlay for a stored picture of this size and orientation.
Result<Overlay> plan_overlay(const Drawing& drawing, int width, int height, int orientation);
double height_percent(const Overlay& overlay, int width, int height);

// Draws into one frame: chooses a style, draws, measures, and makes the plate more opaque until the
// measured contrast holds. Returns the contrast. Not for palette pictures.
double draw_frame(media::Image& image, const Overlay& overlay, int frame);

}  // namespace colophon::label::internal
