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
constexpr int kThinStrokesBelow = 28;  // pixels of ink height

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

// Marks the pixels within `radius` of text, by two passes of running maxima.
std::vector<std::uint8_t> near_text(const media::Mask& text, int radius) {
    const auto w = static_cast<std::size_t>(text.width);
    const auto h = static_cast<std::size_t>(text.height);
    std::vector<std::uint8_t> across(w * h, 0);
    std::vector<std::uint8_t> out(w * h, 0);
    const auto spread = [radius](std::size_t count, auto has, auto set) {
        long last = -1L - radius * 2L;
        for (std::size_t i = 0; i < count; ++i) {
            last = has(i) ? static_cast<long>(i) : last;
            if (static_cast<long>(i) - last <= radius) {
                set(i);
            }
        }
        last = static_cast<long>(count) + radius * 2L;
        for (std::size_t i = count; i-- > 0;) {
            last = has(i) ? static_cast<long>(i) : last;
            if (last - static_cast<long>(i) <= radius) {
                set(i);
            }
        }
    };
    for (std::size_t y = 0; y < h; ++y) {
        spread(
            w, [&](std::size_t x) { return text.coverage[y * w + x] > 0; },
            [&](std::size_t x) { across[y * w + x] = 1; });
    }
    for (std::size_t x = 0; x < w; ++x) {
        spread(
            h, [&](std::size_t y) { return across[y * w + x] > 0; },
            [&](std::size_t y) { out[y * w + x] = 1; });
    }
    return out;
}

// Whether a pixel and its neighbours all lie inside a stroke, or all outside: the fringe of a
// stroke says nothing about its colour, and where a mark was found it may be off by a pixel.
bool is_inner(const media::Mask& text, int x, int y, int core_least) {
    const bool core = text.at(x, y) >= core_least;
    const int reach = text.height >= 80 ? 2 : 1;
    for (int dy = -reach; dy <= reach; ++dy) {
        for (int dx = -reach; dx <= reach; ++dx) {
            const int nx = std::clamp(x + dx, 0, text.width - 1);
            const int ny = std::clamp(y + dy, 0, text.height - 1);
            const bool far = std::abs(dx) + std::abs(dy) > reach;
            const int ink = text.at(nx, ny);
            if (!far && (core ? ink < core_least : ink > 0)) {
                return false;
            }
        }
    }
    return true;
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

void draw(Patch& patch, const Overlay& overlay, const Style& style) {
    const int colours = colours_of(patch);
    const Rect area = media::intersect(patch.rect, overlay.rect);
    for (int y = area.y; y < area.bottom(); ++y) {
        for (int x = area.x; x < area.right(); ++x) {
            const std::uint8_t plate = overlay.plate.at(x - overlay.rect.x, y - overlay.rect.y);
            if (plate == 0) {
                continue;
            }
            const std::uint8_t text = overlay.text.at(x - overlay.rect.x, y - overlay.rect.y);
            float* pixel = patch.at(x, y);
            // Transparent pixels lend no colour: the less there is, the more the plate gives.
            const float own = patch.alpha ? pixel[colours] : 1.0F;
            const float opacity = 1.0F - (1.0F - style.plate_opacity) * own;
            const float inside = static_cast<float>(plate) / 255.0F;
            const float ink = static_cast<float>(text) / 255.0F;
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
    }
}

double measure_contrast(const Patch& patch, const Overlay& overlay, bool white_text) {
    const std::uint8_t most =
        *std::max_element(overlay.text.coverage.begin(), overlay.text.coverage.end());
    // Strokes of small text are thinner than a pixel: there the pixels that they mostly cover
    // count.
    const bool thin = overlay.ink_height < kThinStrokesBelow;
    const int core_least = thin ? most * 3 / 4 : most - most / 16;
    const std::vector<std::uint8_t> near =
        near_text(overlay.text, std::max(2, overlay.ink_height / 3));
    std::vector<double> text;
    std::vector<double> around;
    for (int y = 0; y < overlay.rect.height; ++y) {
        for (int x = 0; x < overlay.rect.width; ++x) {
            const std::size_t i =
                static_cast<std::size_t>(y) * static_cast<std::size_t>(overlay.rect.width) +
                static_cast<std::size_t>(x);
            const std::uint8_t ink = overlay.text.coverage[i];
            const bool inner = thin || is_inner(overlay.text, x, y, core_least);
            const bool core = ink >= core_least && inner;
            const bool background =
                ink == 0 && near[i] != 0 && overlay.plate.coverage[i] == 255 && inner;
            if (core || background) {
                const double l = luminance(patch, patch.at(overlay.rect.x + x, overlay.rect.y + y));
                (core ? text : around).push_back(l);
            }
        }
    }
    if (text.empty() || around.empty()) {
        return 1.0;
    }
    const double t = percentile(text, white_text ? 0.05 : 0.95);
    const double b = percentile(around, white_text ? 0.95 : 0.05);
    const double contrast = white_text ? (t + 0.05) / (b + 0.05) : (b + 0.05) / (t + 0.05);
    return std::max(1.0, contrast);
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
    for (int step = 0;; ++step) {
        const float opacity = kOpacityLeast + kOpacityStep * static_cast<float>(step);
        if (opacity >= 1.0F) {
            return {true, 1.0F};
        }
        double best = 0;
        Style chosen;
        for (const bool white : {true, false}) {
            Patch trial = patch;
            const Style style{white, opacity};
            draw(trial, overlay, style);
            const double reached = measure_contrast(trial, overlay, white);
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
