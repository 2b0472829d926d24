// SPDX-License-Identifier: Apache-2.0
#pragma once

// Draws the mark over a patch of a picture and measures its contrast.
//
// The mark is black or white text on a plate of the other colour. The plate lets the picture shine
// through as far as the contrast allows: of the two polarities the one is taken whose plate can be
// more transparent. Contrast is WCAG 2.2's (relative luminance, 4.5:1) and is measured on the drawn
// pixels, between the darkest twentieth of white text and the brightest twentieth of what lies
// around it (the other way round for black text), never between means. Samples are taken as sRGB;
// a profile of the file is kept but not applied.
//
// Where the picture is transparent nobody knows what will lie behind it: there the plate is opaque.

#include "label/explicit/internal/image_layout.h"
#include "media/image.h"
#include "media/plane.h"

#include <cstddef>
#include <vector>

namespace colophon::label::internal {

// A rectangle of a picture as numbers between 0 and 1. kCmyk: 1 is full ink.
struct Patch {
    media::Rect rect;
    media::ColourSpace space = media::ColourSpace::kRgb;  // not kPalette
    bool alpha = false;                                   // the last channel is opacity
    int channels = 3;                                     // alpha included
    std::vector<float> values;

    float* at(int x, int y) { return &values[index(x, y)]; }  // inside the rectangle
    const float* at(int x, int y) const { return &values[index(x, y)]; }

private:
    std::size_t index(int x, int y) const noexcept {
        return (static_cast<std::size_t>(y - rect.y) * static_cast<std::size_t>(rect.width) +
                static_cast<std::size_t>(x - rect.x)) *
               static_cast<std::size_t>(channels);
    }
};

struct Style {
    bool white_text = true;
    float plate_opacity = 0.35F;
};

// WCAG relative luminance of one pixel, its alpha left aside.
double luminance(const Patch& patch, const float* pixel);

// Rec. 601 luma of one pixel, 0 .. 1, laid over a middle grey where it is transparent.
float luma_over_grey(const Patch& patch, const float* pixel);

// Which pixels of an overlay are compared: the inside of strokes with what lies around them.
// Finding them costs as much as measuring; whoever measures twice finds them once.
struct Compared {
    std::vector<std::size_t> text;  // row-major in the overlay's rectangle
    std::vector<std::size_t> around;
};
Compared compared_pixels(const Overlay& overlay);

// The most transparent style that reaches `contrast` on this patch.
Style choose_style(const Patch& patch, const Overlay& overlay, double contrast);
Style choose_style(const Patch& patch, const Overlay& overlay, const Compared& compared,
                   double contrast);

void draw(Patch& patch, const Overlay& overlay, const Style& style);

// How much of the text's own colour and of the plate's colour a pixel of coverage (plate, text)
// gets; the rest is the picture.
struct Weights {
    float text = 0;
    float plate = 0;
};
Weights weights(std::uint8_t plate, std::uint8_t text, float plate_opacity);

// The contrast of what was drawn. `patch.rect` must contain the overlay's rectangle.
double measure_contrast(const Patch& patch, const Overlay& overlay, bool white_text);
double measure_contrast(const Patch& patch, const Overlay& overlay, const Compared& compared,
                        bool white_text);

// Between an image in memory and a patch. take_patch: of frame `frame`, palette colours resolved.
// put_patch writes only pixels that the plate covers.
Patch take_patch(const media::Image& image, const media::Rect& rect, int frame);
void put_patch(media::Image& image, const Patch& patch, const Overlay& overlay, int frame);

// Contrast aimed at before rounding and coding take their share.
inline constexpr double kContrastAim = 5.0;

}  // namespace colophon::label::internal
