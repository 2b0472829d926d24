// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/pixels.h"

#include "core/result.h"
#include "label/watermark/internal/bands.h"
#include "label/watermark/internal/kernels.h"
#include "label/watermark/luma.h"
#include "media/image.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::ColourSpace;
using media::Image;
using media::JpegBlocks;
using media::JpegColours;
using media::Plane;

int colours_of(const Image& image) {
    return image.channels - (image.has_alpha ? 1 : 0);
}

std::size_t row_offset(const Image& image, int frame, int y) {
    return (static_cast<std::size_t>(frame) * static_cast<std::size_t>(image.height) +
            static_cast<std::size_t>(y)) *
           image.row_bytes();
}

// Bright is large in RGB and small in inks.
bool is_ink(const Image& image) {
    return image.space == ColourSpace::kCmyk;
}

// One row of samples of a frame, as numbers. Depths below and above a byte come as they are.
class Row {
public:
    Row(Image& image, int y) : image_(image), y_(y) {}

    int get(int x, int channel) const { return image_.sample(x, y_, channel); }
    void set(int x, int channel, int value) { image_.set_sample(x, y_, channel, value); }

private:
    Image& image_;
    int y_;
};

float luma_of_pixel(const Image& image, int x, int y) {
    const int colours = colours_of(image);
    if (colours < 3) {
        return static_cast<float>(image.sample(x, y, 0));
    }
    float sum = 0;
    for (int c = 0; c < 3; ++c) {
        sum +=
            kLumaWeights[static_cast<std::size_t>(c)] * static_cast<float>(image.sample(x, y, c));
    }
    if (!is_ink(image)) {
        return sum;
    }
    const auto most = static_cast<float>(image.sample_max);
    const float black = colours > 3 ? static_cast<float>(image.sample(x, y, 3)) : 0;
    return (most - sum) * (most - black) / most;
}

// The usual picture, 8-bit RGB or RGBA, without a call per sample.
void luma_of_bytes(const Image& image, int frame, Luma& luma) {
    for_bands(luma, [&](int first, int last) {
        for (int y = first; y < last; ++y) {
            luma_of_rgb(image.pixels.data() + row_offset(image, frame, y), image.channels,
                        luma.row(y), static_cast<std::size_t>(image.width));
        }
    });
}

bool is_plain_rgb(const Image& image) {
    return image.space == ColourSpace::kRgb && image.sample_bytes == 1 && image.sample_max == 255 &&
           colours_of(image) == 3;
}

// The components that a colour's brightness is in, and the one of black ink beside them. A sample
// says either how bright it is or how much ink there is.
struct Bright {
    std::vector<std::size_t> colours;
    std::optional<std::size_t> black;
    bool colours_are_ink = false;
    bool black_is_ink = false;
};

Bright bright_components(JpegColours colours) {
    switch (colours) {
        case JpegColours::kGrey:
        case JpegColours::kYcc:
            return {.colours = {0}, .black = {}};
        case JpegColours::kRgb:
            return {.colours = {0, 1, 2}, .black = {}};
        case JpegColours::kYcck:
            return {.colours = {0}, .black = 3, .colours_are_ink = true};
        case JpegColours::kCmykInverted:
            return {.colours = {0, 1, 2}, .black = 3};
        case JpegColours::kCmyk:
            return {
                .colours = {0, 1, 2}, .black = 3, .colours_are_ink = true, .black_is_ink = true};
    }
    return {};
}

// How many levels brighter the black ink and the other colours become, for a luma that is to change
// by `levels`: where there is black, less of it; darker, more of the others, whose ink shows only
// as far as black lets it.
struct Share {
    int black = 0;
    int colours = 0;
};

Share share_levels(int levels, int black_brightness) {
    constexpr int kLevels = 255;
    Share share;
    if (levels > 0) {
        share.black = std::min(levels, kLevels - black_brightness);
        share.colours = levels - share.black;
    } else {
        constexpr int kFactorMax = 3;
        const int least = kLevels / kFactorMax;
        share.colours = levels * kLevels / std::max(black_brightness, least);
    }
    return share;
}

// The pattern in whole levels, a few rows at a time; what rounding takes from one pixel goes to the
// next.
class WholeLevels {
public:
    static constexpr int kRows = static_cast<int>(kRowsRounded);

    explicit WholeLevels(const Luma& pattern)
        : pattern_(pattern), levels_(kRowsRounded * static_cast<std::size_t>(pattern.width)) {}

    // Rows first .. last - 1, up to kRows of them.
    void load(int first, int last) {
        first_ = first;
        std::array<const float*, kRowsRounded> from{};
        std::array<std::int16_t*, kRowsRounded> to{};
        for (int i = 0; i < kRows; ++i) {
            from[static_cast<std::size_t>(i)] = pattern_.row(std::min(first + i, last - 1));
            to[static_cast<std::size_t>(i)] = row(first + i);
        }
        Rounding rounding;
        round_rows(from, rounding, to, static_cast<std::size_t>(pattern_.width));
    }
    std::int16_t* row(int y) {
        return levels_.data() +
               static_cast<std::size_t>(y - first_) * static_cast<std::size_t>(pattern_.width);
    }

private:
    const Luma& pattern_;
    std::vector<std::int16_t> levels_;
    int first_ = 0;
};

struct Rows {
    int first;
    int last;
};

// Whether a pixel is fully transparent.
bool shows_through(const Image& image, int frame, const Rows& rows) {
    if (!image.has_alpha) {
        return false;
    }
    const auto channels = static_cast<std::size_t>(image.channels);
    for (std::size_t i = row_offset(image, frame, rows.first) + channels - 1;
         i < row_offset(image, frame, rows.last); i += channels) {
        if (image.pixels[i] == 0) {
            return true;
        }
    }
    return false;
}

// Whatever the samples are.
void add_slowly(Image& image, int frame, const Luma& pattern, const Rows& rows) {
    const int most = image.sample_max;
    const float scale = static_cast<float>(most) / 255.0F;
    const int carriers = std::min(colours_of(image), 3);
    const int sign = is_ink(image) ? -1 : 1;
    const bool black = is_ink(image) && colours_of(image) > 3;
    for (int y = rows.first; y < rows.last; ++y) {
        Row row(image, frame * image.height + y);
        float carried = 0;
        for (int x = 0; x < image.width; ++x) {
            if (image.has_alpha && row.get(x, image.channels - 1) == 0) {
                continue;
            }
            const float wanted = scale * pattern.at(x, y) + carried;
            const int given = static_cast<int>(std::lrint(wanted));
            carried = wanted - static_cast<float>(given);
            Share share{.colours = given};
            if (black) {
                const int ink = row.get(x, 3);
                share = share_levels(given * 255 / most, 255 - ink * 255 / most);
                share = {.black = share.black * most / 255, .colours = share.colours * most / 255};
                row.set(x, 3, std::clamp(ink - share.black, 0, most));
            }
            for (int c = 0; c < carriers && share.colours != 0; ++c) {
                row.set(x, c, std::clamp(row.get(x, c) + sign * share.colours, 0, most));
            }
        }
    }
}

std::uint8_t* row_of(Plane& plane, int y) {
    return plane.samples.data() +
           static_cast<std::size_t>(y) * static_cast<std::size_t>(plane.area.width);
}
const std::uint8_t* row_of(const Plane& plane, int y) {
    return plane.samples.data() +
           static_cast<std::size_t>(y) * static_cast<std::size_t>(plane.area.width);
}

// The same levels in all of them.
void add_to_planes(std::vector<Plane>& planes, const Luma& pattern) {
    for_bands(pattern, [&](int first, int last) {
        WholeLevels levels(pattern);
        for (int y = first; y < last; y += WholeLevels::kRows) {
            const int end = std::min(y + WholeLevels::kRows, last);
            levels.load(y, end);
            for (int row = y; row < end; ++row) {
                for (Plane& plane : planes) {
                    add_levels(levels.row(row), 1, row_of(plane, row),
                               static_cast<std::size_t>(pattern.width));
                }
            }
        }
    });
}

media::Rect whole(const JpegBlocks& blocks) {
    return {0, 0, blocks.width(), blocks.height()};
}

}  // namespace

Luma luma_of(const Image& image, int frame) {
    Luma luma(image.width, image.height);
    if (is_plain_rgb(image)) {
        luma_of_bytes(image, frame, luma);
        return luma;
    }
    const float scale = 255.0F / static_cast<float>(image.sample_max);
    for (int y = 0; y < image.height; ++y) {
        float* to = luma.row(y);
        for (int x = 0; x < image.width; ++x) {
            to[x] = scale * luma_of_pixel(image, x, frame * image.height + y);
        }
    }
    return luma;
}

void add_to_image(Image& image, int frame, const Luma& pattern) {
    const bool bytes = image.sample_bytes == 1 && image.sample_max == 255 && !is_ink(image) &&
                       (colours_of(image) == 3 || image.channels == 1);
    for_bands(pattern, [&](int first, int last) {
        WholeLevels levels(pattern);
        for (int y = first; y < last; y += WholeLevels::kRows) {
            const int end = std::min(y + WholeLevels::kRows, last);
            const Rows rows{.first = y, .last = end};
            if (!bytes || shows_through(image, frame, rows)) {
                add_slowly(image, frame, pattern, rows);
                continue;
            }
            levels.load(y, end);
            for (int row = y; row < end; ++row) {
                add_levels(levels.row(row), image.channels,
                           image.pixels.data() + row_offset(image, frame, row),
                           static_cast<std::size_t>(image.width));
            }
        }
    });
}

void keep_still_pixels(const FrameBefore& last, const Image& shown, Image& marked) {
    const std::size_t pixel =
        static_cast<std::size_t>(shown.channels) * static_cast<std::size_t>(shown.sample_bytes);
    const std::size_t size = shown.row_bytes() * static_cast<std::size_t>(shown.height);
    const std::uint8_t* now = shown.pixels.data();
    const std::uint8_t* before = last.before.pixels.data();
    std::uint8_t* to = marked.pixels.data();
    for (std::size_t i = 0; i < size; i += pixel) {
        if (std::equal(now + i, now + i + pixel, before + i)) {
            std::copy_n(last.marked_before.pixels.data() + i, pixel, to + i);
        }
    }
}

Image without_palette(const Image& image) {
    Image result = image;
    const bool transparent = std::any_of(image.palette.begin(), image.palette.end(),
                                         [](std::uint32_t entry) { return entry >> 24U != 0xff; });
    result.space = ColourSpace::kRgb;
    result.has_alpha = transparent;
    result.channels = transparent ? 4 : 3;
    result.sample_bytes = 1;
    result.sample_max = 255;
    result.palette.clear();
    result.pixels.clear();
    for (int y = 0; y < image.height * image.frames; ++y) {
        for (int x = 0; x < image.width; ++x) {
            const auto index = static_cast<std::size_t>(image.sample(x, y, 0));
            const std::uint32_t entry =
                index < image.palette.size() ? image.palette[index] : 0xff000000U;
            for (const unsigned shift : {16U, 8U, 0U, 24U}) {
                if (shift != 24 || transparent) {
                    result.pixels.push_back(static_cast<std::uint8_t>(entry >> shift));
                }
            }
        }
    }
    return result;
}

Result<Luma> luma_of(const JpegBlocks& blocks) {
    const Bright bright = bright_components(blocks.colours());
    std::vector<std::size_t> all = bright.colours;
    if (bright.black) {
        all.push_back(*bright.black);
    }
    for (const std::size_t c : all) {
        const media::JpegComponent& component = blocks.components()[c];
        if (component.width != blocks.width() || component.height != blocks.height()) {
            return Error{ErrorCode::kUnsupported,
                         "this JPEG stores its luma at less than its full size; no watermark is "
                         "written into that"};
        }
    }
    Luma luma(blocks.width(), blocks.height());
    const auto brightness = [](std::uint8_t sample, bool ink) {
        return static_cast<float>(ink ? 255 - sample : sample);
    };
    for (std::size_t k = 0; k < bright.colours.size(); ++k) {
        const Plane plane = blocks.read(bright.colours[k], whole(blocks));
        const float weight = bright.colours.size() == 1 ? 1.0F : kLumaWeights[k];
        for (int y = 0; y < luma.height; ++y) {
            float* to = luma.row(y);
            const std::uint8_t* from = row_of(plane, y);
            for (int x = 0; x < luma.width; ++x) {
                to[x] += weight * brightness(from[x], bright.colours_are_ink);
            }
        }
    }
    if (bright.black) {
        const Plane plane = blocks.read(*bright.black, whole(blocks));
        for (int y = 0; y < luma.height; ++y) {
            for (int x = 0; x < luma.width; ++x) {
                luma.row(y)[x] *= brightness(plane.at(x, y), bright.black_is_ink) / 255;
            }
        }
    }
    return luma;
}

void add_to_jpeg(JpegBlocks& blocks, const Luma& pattern) {
    const Bright bright = bright_components(blocks.colours());
    std::vector<Plane> colours;
    colours.reserve(bright.colours.size());
    for (const std::size_t c : bright.colours) {
        colours.push_back(blocks.read(c, whole(blocks)));
    }
    std::optional<Plane> black;
    if (bright.black) {
        black = blocks.read(*bright.black, whole(blocks));
    }
    const auto change = [&] {
        for (std::size_t k = 0; k < colours.size(); ++k) {
            blocks.change(bright.colours[k], colours[k]);
        }
        if (black) {
            blocks.change(*bright.black, *black);
        }
    };
    if (!black && !bright.colours_are_ink) {
        add_to_planes(colours, pattern);
        change();
        return;
    }
    const auto brighten = [](std::uint8_t& sample, int levels, bool ink) {
        sample = static_cast<std::uint8_t>(std::clamp(sample + (ink ? -levels : levels), 0, 255));
    };
    for (int y = 0; y < pattern.height; ++y) {
        float carried = 0;
        for (int x = 0; x < pattern.width; ++x) {
            const float wanted = pattern.at(x, y) + carried;
            const int given = static_cast<int>(std::lrint(wanted));
            carried = wanted - static_cast<float>(given);
            Share share{.colours = given};
            if (black) {
                std::uint8_t& sample = black->at(x, y);
                share = share_levels(given, bright.black_is_ink ? 255 - sample : sample);
                brighten(sample, share.black, bright.black_is_ink);
            }
            for (Plane& plane : colours) {
                brighten(plane.at(x, y), share.colours, bright.colours_are_ink);
            }
        }
    }
    change();
}

}  // namespace colophon::label::internal
