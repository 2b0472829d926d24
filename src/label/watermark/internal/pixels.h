// SPDX-License-Identifier: Apache-2.0
#pragma once

// Between decoded pictures and the luma that carries a watermark. The same number of levels is
// added to red, green and blue of a pixel (taken from its inks), so that greyscale conversion,
// chroma subsampling and turned hues leave the mark what it is.

#include "core/result.h"
#include "label/watermark/luma.h"
#include "media/image.h"
#include "media/jpeg_blocks.h"

namespace colophon::label::internal {

// The luma of one frame (BT.601). Transparent pixels count as their colours.
Luma luma_of(const media::Image& image, int frame);

// Adds the pattern, in levels of 255, to one frame, in steps of its own depth; what rounding takes
// from one pixel goes to the next. Pixels that are fully transparent stay as they are.
void add_to_image(media::Image& image, int frame, const Luma& pattern);

// Pixels of a frame that are as they were in the frame before become what they became there. The
// pictures have one frame, one size and one form.
struct FrameBefore {
    const media::Image& before;         // unmarked
    const media::Image& marked_before;  // the same, marked
};
void keep_still_pixels(const FrameBefore& last, const media::Image& shown, media::Image& marked);

// A palette picture as RGB, or RGBA when an entry is transparent.
media::Image without_palette(const media::Image& image);

// The same for a JPEG that is open as blocks. kUnsupported when its luma is stored at less than the
// full size.
Result<Luma> luma_of(const media::JpegBlocks& blocks);
void add_to_jpeg(media::JpegBlocks& blocks, const Luma& pattern);

}  // namespace colophon::label::internal
