// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/image_palette.h"

#include "core/bytes.h"
#include "label/explicit/image.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_layout.h"
#include "media/image.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::ColourSpace;
using media::Image;

constexpr int kGreys = 8;

std::uint32_t to_colour(const float* pixel) {
    std::uint32_t colour = 0;
    for (const int c : {3, 0, 1, 2}) {
        const float value = std::clamp(pixel[c], 0.0F, 1.0F) * 255.0F;
        colour = colour << 8U | static_cast<std::uint32_t>(std::lround(value));
    }
    return colour;
}

// Gives the palette the greys of the mark as far as there is room.
void add_greys(Image& image, bool white_text) {
    std::vector<std::uint8_t> used(256, 0);
    for (const std::uint8_t index : image.pixels) {
        used[index] = 1;
    }
    for (const std::uint32_t grey : mark_greys(white_text)) {
        if (std::find(image.palette.begin(), image.palette.end(), grey) != image.palette.end()) {
            continue;
        }
        std::optional<std::size_t> free;
        for (std::size_t i = 0; i < image.palette.size() && !free; ++i) {
            free = used[i] == 0 ? std::optional(i) : std::nullopt;
        }
        if (free) {
            image.palette[*free] = grey;
            used[*free] = 1;
        } else if (image.palette.size() < 256) {
            used[image.palette.size()] = 1;
            image.palette.push_back(grey);
        }
    }
}

void promote(Image& image) {
    const bool alpha = std::any_of(image.palette.begin(), image.palette.end(),
                                   [](std::uint32_t c) { return c >> 24U != 255; });
    const std::size_t channels = alpha ? 4 : 3;
    Buffer pixels;
    pixels.reserve(image.pixels.size() * channels);
    for (const std::uint8_t index : image.pixels) {
        const std::uint32_t c = index < image.palette.size() ? image.palette[index] : 0xFF000000U;
        for (std::size_t i = 0; i < channels; ++i) {
            const unsigned shift = i == 3 ? 24U : 16U - 8U * static_cast<unsigned>(i);
            pixels.push_back(static_cast<std::uint8_t>(c >> shift));
        }
    }
    image.pixels = std::move(pixels);
    image.channels = static_cast<int>(channels);
    image.has_alpha = alpha;
    image.space = ColourSpace::kRgb;
    image.sample_max = 255;
    image.palette.clear();
}

}  // namespace

std::vector<std::uint32_t> mark_greys(bool white_text) {
    std::vector<std::uint32_t> greys;
    // Both ends first: they matter most when room is short.
    for (const int i : {0, kGreys - 1, 3, 5, 1, 6, 2, 4}) {
        const auto level =
            static_cast<std::uint32_t>((white_text ? i : kGreys - 1 - i) * 255 / (kGreys - 1));
        greys.push_back(0xFF000000U | level << 16U | level << 8U | level);
    }
    return greys;
}

std::size_t nearest_entry(const std::vector<std::uint32_t>& palette, std::uint32_t colour,
                          int skip) {
    std::size_t best = 0;
    int least = std::numeric_limits<int>::max();
    for (std::size_t i = 0; i < palette.size(); ++i) {
        int distance = 0;
        for (const unsigned shift : {24U, 16U, 8U, 0U}) {
            const int d = static_cast<int>(palette[i] >> shift & 0xFFU) -
                          static_cast<int>(colour >> shift & 0xFFU);
            distance += d * d * (shift == 24U ? 4 : 1);
        }
        if (static_cast<int>(i) != skip && distance < least) {
            least = distance;
            best = i;
        }
    }
    return best;
}

PaletteDrawn draw_palette(Image& image, const Overlay& overlay) {
    const Image untouched = image;
    const Patch before = take_patch(image, overlay.rect, 0);
    Style style = choose_style(before, overlay, kContrastAim);
    style.plate_opacity = 1.0F;
    add_greys(image, style.white_text);
    Patch drawn = before;
    draw(drawn, overlay, style);
    for (int y = overlay.rect.y; y < overlay.rect.bottom(); ++y) {
        for (int x = overlay.rect.x; x < overlay.rect.right(); ++x) {
            if (overlay.plate.at(x - overlay.rect.x, y - overlay.rect.y) != 0) {
                const std::size_t entry =
                    nearest_entry(image.palette, to_colour(drawn.at(x, y)), -1);
                image.set_sample(x, y, 0, static_cast<int>(entry));
            }
        }
    }
    const double contrast =
        measure_contrast(take_patch(image, overlay.rect, 0), overlay, style.white_text);
    if (contrast >= kContrastMin) {
        image.sample_max = 255;
        return {contrast, false};
    }
    image = untouched;
    promote(image);
    const Patch plain = take_patch(image, overlay.rect, 0);
    Patch again = plain;
    style = choose_style(plain, overlay, kContrastAim);
    draw(again, overlay, style);
    put_patch(image, again, overlay, 0);
    return {measure_contrast(again, overlay, style.white_text), true};
}

}  // namespace colophon::label::internal
