// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the mark of a picture stands and how large it is [GB45438-5.2].
//
//   +-------------------------------------------+
//   |   picture as displayed, shortest side s   |      ink    max(ceil(0.055 s), 12 px)
//   |                                           |      pad    0.55 ink left and right,
//   |                        .---------------.  |             0.42 ink above and below
//   |                        |  AI生成       |  |  ink margin 0.5 ink to the picture's edge
//   |                        '---------------'  |
//   +-------------------------------------------+
//
// 5.5 % rather than 5 % leaves room for scaling by a platform that rounds sizes. 12 pixels are the
// least at which the strokes of an ideograph stay apart; where they do not fit, up to a third less
// is taken, never less than 5.5 %.
// A text wider than the picture gives up margin first, then breaks into lines, at last one
// character a line.

#include "core/bytes.h"
#include "label/explicit/image.h"
#include "media/plane.h"
#include "media/text_raster.h"

#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

// The mark as coverage over a rectangle of the picture. Both masks have the size of the rectangle.
struct Overlay {
    media::Rect rect;
    media::Mask plate;
    media::Mask text;
    int ink_height = 0;  // of one line, along the displayed vertical
};

// In the coordinates of the picture as displayed. kInvalidArgument when the text does not fit.
Result<Overlay> lay_out(const media::Typeface& typeface, const ImageMark& mark, int width,
                        int height);

// What lay_out() decides without drawing: also for outlines.
struct Layout {
    media::Rect plate;
    int ink_height = 0;
    int pad_x = 0;
    int pad_y = 0;
    int line_step = 0;  // from the top of one line's ink to that of the next
    std::vector<std::string> lines;
    std::vector<double> widths;  // of the lines, in ink heights
};
Result<Layout> plan_layout(const media::Typeface& typeface, const ImageMark& mark, int width,
                           int height);

// The same mark in the coordinates of the stored picture, turned so that it reads upright once the
// EXIF orientation (1 .. 8) is applied. `width`, `height`: of the stored picture.
Overlay orient(const Overlay& displayed, int orientation, int width, int height);

// The text alone, broken into the given lines, in a mask of the ink height: what a detector looks
// for.
Result<media::Mask> set_lines(const media::Typeface& typeface,
                              const std::vector<std::string>& lines, int ink_height);

// Whether the orientation swaps width and height.
inline bool turns_sideways(int orientation) noexcept {
    return orientation >= 5 && orientation <= 8;
}

}  // namespace colophon::label::internal
