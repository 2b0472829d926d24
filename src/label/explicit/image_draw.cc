// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/image_draw.h"

#include "core/assert.h"
#include "label/explicit/internal/image_layout.h"
#include "media/image.h"
#include "media/plane.h"
#include "media/text_raster.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::ColourSpace;
using media::Image;
using media::Rect;

constexpr float kOpacityLeast = 0.35F;
constexpr float kOpacityStep = 0.05F;
constexpr std::size_t kChannelsMax = 5;  // CMYK and alpha
constexpr int kThinStrokesBelow = 28;    // pixels of ink height

// The sRGB transfer function, from a table: pow() for every pixel would cost more than the drawing.
double linear(double v) {
    constexpr int kSteps = 1024;
    static const std::array<double, kSteps + 2> kTable = [] {
        std::array<double, kSteps + 2> table{};
        for (std::size_t i = 0; i < table.size(); ++i) {
            const double code = static_cast<double>(i) / kSteps;
            table[i] = code <= 0.04045 ? code / 12.92 : std::pow((code + 0.055) / 1.055, 2.4);
        }
        return table;
    }();
    const double place = std::clamp(v, 0.0, 1.0) * kSteps;
    const auto i = static_cast<std::size_t>(place);
    const double part = place - static_cast<double>(i);
    return kTable[i] * (1 - part) + kTable[i + 1] * part;
}

int colours_of(const Patch& patch) {
    return patch.channels - (patch.alpha ? 1 : 0);
}

// White or black in the channels of the patch.
float neutral(const Patch& patch, int channel, bool white) {
    if (patch.space == ColourSpace::kCmyk) {
        return !white && channel == 3 ? 1.0F : 0.0F;
    }
    return white ? 1.0F : 0.0F;
}

// The value below which `part` of the values lie.
double percentile(std::vector<double>& values, double part) {
    const auto nth = static_cast<std::ptrdiff_t>(part * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + nth, values.end());
    return values[static_cast<std::size_t>(nth)];
}

// Marks what lies at most `radius` places after something, along `count` places `step` apart.
void mark_after(const std::uint8_t* has, std::uint8_t* marked, std::size_t count,
                std::ptrdiff_t step, int radius) {
    int ago = radius + 1;
    for (std::size_t i = 0; i < count; ++i, has += step, marked += step) {
        ago = *has > 0 ? 0 : std::min(ago + 1, radius + 1);
        *marked = ago <= radius ? 1 : *marked;
    }
}

// Marks the pixels within `radius` of text, by two passes of running maxima.
std::vector<std::uint8_t> near_text(const media::Mask& text, int radius) {
    const auto w = static_cast<std::size_t>(text.width);
    const auto h = static_cast<std::size_t>(text.height);
    std::vector<std::uint8_t> across(w * h, 0);
    std::vector<std::uint8_t> out(w * h, 0);
    for (std::size_t begin = 0; begin < w * h; begin += w) {
        mark_after(&text.coverage[begin], &across[begin], w, 1, radius);
        mark_after(&text.coverage[begin + w - 1], &across[begin + w - 1], w, -1, radius);
    }
    // Down and up, all columns side by side: how many rows ago each had something.
    std::vector<int> ago(w, radius + 1);
    const auto pass = [&](std::size_t y) {
        for (std::size_t x = 0; x < w; ++x) {
            ago[x] = across[y * w + x] > 0 ? 0 : std::min(ago[x] + 1, radius + 1);
            out[y * w + x] = ago[x] <= radius ? 1 : out[y * w + x];
        }
    };
    for (std::size_t y = 0; y < h; ++y) {
        pass(y);
    }
    ago.assign(w, radius + 1);
    for (std::size_t y = h; y-- > 0;) {
        pass(y);
    }
    return out;
}

// For each pixel whether it and its neighbours all lie inside a stroke, or all outside: the fringe
// of a stroke says nothing about its colour, and where a mark was found it may be off by a pixel.
std::vector<std::uint8_t> inner_pixels(const media::Mask& text, int core_least) {
    constexpr std::uint8_t kCore = 1;
    constexpr std::uint8_t kOutside = 2;
    const auto w = static_cast<std::size_t>(text.width);
    std::vector<std::uint8_t> sides(text.coverage.size());
    std::ranges::transform(text.coverage, sides.begin(), [&](std::uint8_t ink) {
        return ink >= core_least ? kCore : ink == 0 ? kOutside : std::uint8_t{0};
    });
    // What stays of a pixel's side when all of its neighbours have their say.
    std::vector<std::uint8_t> inner = sides;
    const int reach = text.height >= 80 ? 2 : 1;
    for (int y = 0; y < text.height; ++y) {
        std::uint8_t* row = &inner[static_cast<std::size_t>(y) * w];
        for (int dy = -reach; dy <= reach; ++dy) {
            const int ny = std::clamp(y + dy, 0, text.height - 1);
            const std::uint8_t* from = &sides[static_cast<std::size_t>(ny) * w];
            const int across = reach - std::abs(dy);
            for (int dx = -across; dx <= across; ++dx) {
                const int begin = std::max(0, -dx);
                const int end = std::min(text.width, text.width - dx);
                for (int x = begin; x < end; ++x) {
                    row[x] = static_cast<std::uint8_t>(row[x] & from[x + dx]);
                }
            }
        }
    }
    return inner;
}

}  // namespace

double luminance(const Patch& patch, const float* pixel) {
    if (patch.space == ColourSpace::kGrey) {
        return linear(pixel[0]);
    }
    if (patch.space == ColourSpace::kCmyk) {
        const double light = 1.0 - pixel[3];
        return 0.2126 * linear((1.0 - pixel[0]) * light) +
               0.7152 * linear((1.0 - pixel[1]) * light) +
               0.0722 * linear((1.0 - pixel[2]) * light);
    }
    return 0.2126 * linear(pixel[0]) + 0.7152 * linear(pixel[1]) + 0.0722 * linear(pixel[2]);
}

Weights weights(std::uint8_t plate, std::uint8_t text, float plate_opacity) {
    const float t = static_cast<float>(text) / 255.0F;
    const float p = static_cast<float>(plate) / 255.0F * plate_opacity;
    return {t, p * (1.0F - t)};
}

namespace {

// One pixel under so much plate and text.
struct Cover {
    std::uint8_t plate = 0;
    std::uint8_t text = 0;
};
void draw_pixel(const Patch& patch, float* pixel, const Cover& cover, const Style& style) {
    const int colours = colours_of(patch);
    // Transparent pixels lend no colour: the less there is, the more the plate gives.
    const float own = patch.alpha ? pixel[colours] : 1.0F;
    const float opacity = 1.0F - (1.0F - style.plate_opacity) * own;
    const float inside = static_cast<float>(cover.plate) / 255.0F;
    const float ink = static_cast<float>(cover.text) / 255.0F;
    const float alpha = own + (1.0F - own) * inside;
    // Over the rim of the plate colours mix by opacity, as compositing does.
    const float from_plate = alpha > 0 ? inside / alpha : 0.0F;
    const float mix = patch.alpha ? from_plate : inside;
    for (int c = 0; c < colours; ++c) {
        const float base = neutral(patch, c, !style.white_text);
        const float drawn = (pixel[c] * (1 - opacity) + base * opacity) * (1 - ink) +
                            neutral(patch, c, style.white_text) * ink;
        pixel[c] = pixel[c] * (1 - mix) + drawn * mix;
    }
    if (patch.alpha) {
        pixel[colours] = alpha;
    }
}

}  // namespace

void draw(Patch& patch, const Overlay& overlay, const Style& style) {
    const Rect area = media::intersect(patch.rect, overlay.rect);
    for (int y = area.y; y < area.bottom(); ++y) {
        for (int x = area.x; x < area.right(); ++x) {
            const Cover cover{overlay.plate.at(x - overlay.rect.x, y - overlay.rect.y),
                              overlay.text.at(x - overlay.rect.x, y - overlay.rect.y)};
            if (cover.plate != 0) {
                draw_pixel(patch, patch.at(x, y), cover, style);
            }
        }
    }
}

Compared compared_pixels(const Overlay& overlay) {
    const std::uint8_t most =
        *std::max_element(overlay.text.coverage.begin(), overlay.text.coverage.end());
    // Strokes of small text are thinner than a pixel: there the pixels that they mostly cover
    // count.
    const bool thin = overlay.ink_height < kThinStrokesBelow;
    const int core_least = thin ? most * 3 / 4 : most - most / 16;
    const std::vector<std::uint8_t> near =
        near_text(overlay.text, std::max(2, overlay.ink_height / 3));
    const std::vector<std::uint8_t> inner =
        thin ? std::vector<std::uint8_t>() : inner_pixels(overlay.text, core_least);
    Compared compared;
    for (std::size_t i = 0; i < near.size(); ++i) {
        const std::uint8_t ink = overlay.text.coverage[i];
        const bool core = ink >= core_least;
        const bool background = ink == 0 && near[i] != 0 && overlay.plate.coverage[i] == 255;
        if ((core || background) && (thin || inner[i] != 0)) {
            (core ? compared.text : compared.around).push_back(i);
        }
    }
    return compared;
}

namespace {

// The contrast between the luminances of both, which are put into another order.
double contrast_of(std::vector<double>& text, std::vector<double>& around, bool white_text) {
    if (text.empty() || around.empty()) {
        return 1.0;
    }
    const double t = percentile(text, white_text ? 0.05 : 0.95);
    const double b = percentile(around, white_text ? 0.95 : 0.05);
    const double contrast = white_text ? (t + 0.05) / (b + 0.05) : (b + 0.05) / (t + 0.05);
    return std::max(1.0, contrast);
}

const float* pixel_at(const Patch& patch, const Overlay& overlay, std::size_t index) {
    const auto width = static_cast<std::size_t>(overlay.rect.width);
    return patch.at(overlay.rect.x + static_cast<int>(index % width),
                    overlay.rect.y + static_cast<int>(index / width));
}

// What measure_contrast() would say after draw(), without drawing what is not compared.
double contrast_when_drawn(const Patch& patch, const Overlay& overlay, const Compared& compared,
                           const Style& style) {
    const auto luminances = [&](const std::vector<std::size_t>& pixels) {
        std::vector<double> values;
        values.reserve(pixels.size());
        std::array<float, kChannelsMax> drawn{};
        for (const std::size_t i : pixels) {
            std::copy_n(pixel_at(patch, overlay, i), patch.channels, drawn.begin());
            draw_pixel(patch, drawn.data(), {overlay.plate.coverage[i], overlay.text.coverage[i]},
                       style);
            values.push_back(luminance(patch, drawn.data()));
        }
        return values;
    };
    std::vector<double> text = luminances(compared.text);
    std::vector<double> around = luminances(compared.around);
    return contrast_of(text, around, style.white_text);
}

}  // namespace

double measure_contrast(const Patch& patch, const Overlay& overlay, bool white_text) {
    return measure_contrast(patch, overlay, compared_pixels(overlay), white_text);
}

double measure_contrast(const Patch& patch, const Overlay& overlay, const Compared& compared,
                        bool white_text) {
    const auto luminances = [&](const std::vector<std::size_t>& pixels) {
        std::vector<double> values;
        values.reserve(pixels.size());
        for (const std::size_t i : pixels) {
            values.push_back(luminance(patch, pixel_at(patch, overlay, i)));
        }
        return values;
    };
    std::vector<double> text = luminances(compared.text);
    std::vector<double> around = luminances(compared.around);
    return contrast_of(text, around, white_text);
}

float luma_over_grey(const Patch& patch, const float* pixel) {
    float luma = pixel[0];
    if (patch.space == ColourSpace::kRgb) {
        luma = 0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2];
    } else if (patch.space == ColourSpace::kCmyk) {
        luma = (1.0F - (0.299F * pixel[0] + 0.587F * pixel[1] + 0.114F * pixel[2])) *
               (1.0F - pixel[3]);
    }
    const float alpha = patch.alpha ? pixel[patch.channels - 1] : 1.0F;
    return luma * alpha + 0.5F * (1.0F - alpha);
}

Style choose_style(const Patch& patch, const Overlay& overlay, double contrast) {
    return choose_style(patch, overlay, compared_pixels(overlay), contrast);
}

Style choose_style(const Patch& patch, const Overlay& overlay, const Compared& compared,
                   double contrast) {
    COLOPHON_ASSERT(patch.channels <= static_cast<int>(kChannelsMax));
    for (int step = 0;; ++step) {
        const float opacity = kOpacityLeast + kOpacityStep * static_cast<float>(step);
        if (opacity >= 1.0F) {
            return {true, 1.0F};
        }
        double best = 0;
        Style chosen;
        for (const bool white : {true, false}) {
            const Style style{white, opacity};
            const double reached = contrast_when_drawn(patch, overlay, compared, style);
            if (reached > best) {
                best = reached;
                chosen = style;
            }
        }
        if (best >= contrast) {
            return chosen;
        }
    }
}

namespace {

// The colour of a palette entry as red, green, blue, alpha. Entries that are not there are black.
void put_palette_colour(const Image& image, std::size_t index, float* pixel) {
    const std::uint32_t c = index < image.palette.size() ? image.palette[index] : 0xFF000000U;
    for (unsigned i = 0; i < 4; ++i) {
        const unsigned shift = i == 3 ? 24U : 16U - 8U * i;
        pixel[i] = static_cast<float>(c >> shift & 0xFFU) / 255.0F;
    }
}

}  // namespace

Patch take_patch(const Image& image, const Rect& rect, int frame) {
    Patch patch;
    patch.rect = rect;
    const bool palette = image.space == ColourSpace::kPalette;
    patch.space = palette ? ColourSpace::kRgb : image.space;
    patch.alpha = palette || image.has_alpha;
    patch.channels = palette ? 4 : image.channels;
    patch.values.resize(rect.area() * static_cast<std::size_t>(patch.channels));
    const int top = frame * image.height;
    const float unit = 1.0F / static_cast<float>(image.sample_max);
    for (int y = rect.y; y < rect.bottom(); ++y) {
        for (int x = rect.x; x < rect.right(); ++x) {
            float* pixel = patch.at(x, y);
            if (palette) {
                put_palette_colour(image, static_cast<std::size_t>(image.sample(x, top + y, 0)),
                                   pixel);
                continue;
            }
            for (int c = 0; c < image.channels; ++c) {
                pixel[c] = static_cast<float>(image.sample(x, top + y, c)) * unit;
            }
        }
    }
    return patch;
}

void put_patch(Image& image, const Patch& patch, const Overlay& overlay, int frame) {
    COLOPHON_ASSERT(image.space != ColourSpace::kPalette && image.channels == patch.channels);
    const int top = frame * image.height;
    const auto most = static_cast<float>(image.sample_max);
    const Rect area = media::intersect(patch.rect, overlay.rect);
    for (int y = area.y; y < area.bottom(); ++y) {
        for (int x = area.x; x < area.right(); ++x) {
            if (overlay.plate.at(x - overlay.rect.x, y - overlay.rect.y) == 0) {
                continue;
            }
            const float* pixel = patch.at(x, y);
            for (int c = 0; c < image.channels; ++c) {
                const float value = std::clamp(pixel[c], 0.0F, 1.0F) * most;
                image.set_sample(x, top + y, c, static_cast<int>(std::lround(value)));
            }
        }
    }
}

}  // namespace colophon::label::internal
