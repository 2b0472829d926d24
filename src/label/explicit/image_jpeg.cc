// SPDX-License-Identifier: Apache-2.0
// The mark in a JPEG: only the 8x8 blocks under the plate are coded again.
//
// All colour models of JPEG are affine images of RGB or of inks, so mixing towards black and white
// can be done on the components themselves, each at its own resolution: a subsampled component
// takes the mean of the coverage that its sample stands for.
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/explicit/image.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_layout.h"
#include "label/picture/recode.h"
#include "media/image.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::ColourSpace;
using media::JpegBlocks;
using media::JpegColours;
using media::JpegComponent;
using media::Plane;
using media::Rect;

// The value of black and white in component `component`.
float neutral(JpegColours colours, std::size_t component, bool white) {
    switch (colours) {
        case JpegColours::kGrey:
        case JpegColours::kRgb:
            return white ? 255 : 0;
        case JpegColours::kYcc:
            return component == 0 ? (white ? 255.0F : 0.0F) : 128.0F;
        case JpegColours::kCmyk:
            return component == 3 && !white ? 255 : 0;
        case JpegColours::kCmykInverted:
            return component == 3 && !white ? 0 : 255;
        case JpegColours::kYcck:
            return component == 0 ? 0.0F : component == 3 ? (white ? 255.0F : 0.0F) : 128.0F;
    }
    return 0;
}

// The samples of component `component` that stand for pixels of `area`.
Rect component_rect(const JpegBlocks& blocks, std::size_t component, const Rect& area) {
    const JpegComponent& facts = blocks.components()[component];
    const int h = blocks.horizontal_max();
    const int v = blocks.vertical_max();
    const int left = area.x * facts.horizontal / h;
    const int top = area.y * facts.vertical / v;
    const int right = std::min(facts.width, (area.right() * facts.horizontal + h - 1) / h);
    const int bottom = std::min(facts.height, (area.bottom() * facts.vertical + v - 1) / v);
    return {left, top, right - left, bottom - top};
}

// Mean weights over some pixels, at least one.
Weights mean_weights(const Overlay& overlay, const Rect& pixels, float opacity) {
    Weights sum;
    for (int py = pixels.y; py < pixels.bottom(); ++py) {
        for (int px = pixels.x; px < pixels.right(); ++px) {
            const int ox = px - overlay.rect.x;
            const int oy = py - overlay.rect.y;
            if (ox >= 0 && oy >= 0 && ox < overlay.rect.width && oy < overlay.rect.height) {
                const Weights w =
                    weights(overlay.plate.at(ox, oy), overlay.text.at(ox, oy), opacity);
                sum.text += w.text;
                sum.plate += w.plate;
            }
        }
    }
    const auto count = static_cast<float>(pixels.area());
    return {sum.text / count, sum.plate / count};
}

// The pixels that the sample (x, y) of a component stands for.
Rect pixels_of(const JpegBlocks& blocks, const JpegComponent& facts, int x, int y) {
    const int h = blocks.horizontal_max();
    const int v = blocks.vertical_max();
    const int left = x * h / facts.horizontal;
    const int top = y * v / facts.vertical;
    return {left, top, std::max(1, (x + 1) * h / facts.horizontal - left),
            std::max(1, (y + 1) * v / facts.vertical - top)};
}

std::vector<Plane> read_planes(const JpegBlocks& blocks, const Rect& area) {
    std::vector<Plane> planes;
    planes.reserve(blocks.components().size());
    for (std::size_t c = 0; c < blocks.components().size(); ++c) {
        planes.push_back(blocks.read(c, component_rect(blocks, c, area)));
    }
    return planes;
}

Plane draw_plane(const JpegBlocks& blocks, std::size_t component, const Plane& before,
                 const Overlay& overlay, const Style& style) {
    Plane plane = before;
    const JpegComponent& facts = blocks.components()[component];
    const Rect area = component_rect(blocks, component, overlay.rect);
    const bool full =
        facts.horizontal == blocks.horizontal_max() && facts.vertical == blocks.vertical_max();
    const float text = neutral(blocks.colours(), component, style.white_text);
    const float base = neutral(blocks.colours(), component, !style.white_text);
    for (int y = area.y; y < area.bottom(); ++y) {
        for (int x = area.x; x < area.right(); ++x) {
            const int ox = x - overlay.rect.x;
            const int oy = y - overlay.rect.y;
            const Weights w =
                full ? weights(overlay.plate.at(ox, oy), overlay.text.at(ox, oy),
                               style.plate_opacity)
                     : mean_weights(overlay, pixels_of(blocks, facts, x, y), style.plate_opacity);
            if (w.text > 0 || w.plate > 0) {
                const float own = plane.at(x, y);
                const float value = own * (1 - w.text - w.plate) + text * w.text + base * w.plate;
                // As lround() does it, which costs a call.
                const float level = std::clamp(value, 0.0F, 255.0F);
                const int below = static_cast<int>(level);
                const bool up = level - static_cast<float>(below) >= 0.5F;
                plane.at(x, y) = static_cast<std::uint8_t>(below + (up ? 1 : 0));
            }
        }
    }
    return plane;
}

}  // namespace

namespace {

// YCC of a row of pixels into RGB, and samples into parts of one; inks the right way round.
void finish_row(float* pixels, std::size_t count, std::size_t channels, JpegColours colours) {
    const bool ycc = colours == JpegColours::kYcc || colours == JpegColours::kYcck;
    const auto inverted = [colours](std::size_t channel) {
        return colours == JpegColours::kCmykInverted ||
               (colours == JpegColours::kYcck && channel == 3);
    };
    for (float* pixel = pixels; pixel != pixels + count * channels; pixel += channels) {
        if (ycc) {
            const float luma = pixel[0];
            const float cb = pixel[1] - 128.0F;
            const float cr = pixel[2] - 128.0F;
            pixel[0] = luma + 1.402F * cr;
            pixel[1] = luma - 0.344136F * cb - 0.714136F * cr;
            pixel[2] = luma + 1.772F * cb;
        }
        for (std::size_t c = 0; c < channels; ++c) {
            const float value = std::clamp(pixel[c], 0.0F, 255.0F) / 255.0F;
            pixel[c] = inverted(c) ? 1.0F - value : value;
        }
    }
}

// What planes that read_planes() gave for `area` look like.
Patch patch_of(const JpegBlocks& blocks, const std::vector<Plane>& planes, const Rect& area) {
    Patch patch;
    patch.rect = area;
    patch.channels = static_cast<int>(planes.size());
    patch.space = planes.size() == 1   ? ColourSpace::kGrey
                  : planes.size() == 4 ? ColourSpace::kCmyk
                                       : ColourSpace::kRgb;
    patch.values.resize(area.area() * planes.size());
    std::vector<int> columns(static_cast<std::size_t>(area.width));
    for (std::size_t c = 0; c < planes.size() && !area.empty(); ++c) {
        const JpegComponent& facts = blocks.components()[c];
        for (int x = 0; x < area.width; ++x) {
            columns[static_cast<std::size_t>(x)] =
                (area.x + x) * facts.horizontal / blocks.horizontal_max() - planes[c].area.x;
        }
        for (int y = area.y; y < area.bottom(); ++y) {
            const int row = y * facts.vertical / blocks.vertical_max() - planes[c].area.y;
            const std::uint8_t* samples =
                planes[c].samples.data() +
                static_cast<std::size_t>(row) * static_cast<std::size_t>(planes[c].area.width);
            float* to = patch.at(area.x, y) + c;
            for (const int column : columns) {
                *to = samples[column];
                to += planes.size();
            }
        }
    }
    for (int y = area.y; y < area.bottom() && !area.empty(); ++y) {
        finish_row(patch.at(area.x, y), columns.size(), planes.size(), blocks.colours());
    }
    return patch;
}

}  // namespace

// The pixels of `area` as a decoder without chroma smoothing shows them.
Patch jpeg_patch(const JpegBlocks& blocks, const Rect& area) {
    return patch_of(blocks, read_planes(blocks, area), area);
}

Result<Drawn> draw_jpeg(const Drawing& drawing, JpegBlocks& blocks) {
    const Overlay overlay =
        TRY(plan_overlay(drawing, blocks.width(), blocks.height(), jpeg_orientation(drawing.file)));
    const std::vector<Plane> before = read_planes(blocks, overlay.rect);
    const Compared compared = compared_pixels(overlay);
    Style style =
        choose_style(patch_of(blocks, before, overlay.rect), overlay, compared, kContrastAim);
    Drawn drawn;
    drawn.height_percent = height_percent(overlay, blocks.width(), blocks.height());
    for (;;) {
        for (std::size_t c = 0; c < before.size(); ++c) {
            blocks.change(c, draw_plane(blocks, c, before[c], overlay, style));
        }
        drawn.contrast =
            measure_contrast(jpeg_patch(blocks, overlay.rect), overlay, compared, style.white_text);
        if (drawn.contrast >= kContrastMin || style.plate_opacity >= 1.0F) {
            break;
        }
        style.plate_opacity = std::min(1.0F, style.plate_opacity + 0.1F);
    }
    const Buffer coded = TRY(blocks.write());
    drawn.splice = TRY(exchange_jpeg_picture(drawing.file, coded));
    return drawn;
}

}  // namespace colophon::label::internal
