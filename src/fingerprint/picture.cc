// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/picture.h"

#include "core/bytes.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"
#include "media/tiff_pages.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::fingerprint {
namespace {

using media::ColourSpace;
using media::Image;
using media::JpegBlocks;
using media::JpegColours;
using media::Plane;

constexpr int kWhite = 255;

// Which source pixels become which: all, or the nearest of 512 in both directions.
class Grid {
public:
    Grid(int width, int height) : width_(width), height_(height) {}

    bool reduces() const noexcept { return width_ > kPdqSideMax || height_ > kPdqSideMax; }
    Luma make() const { return reduces() ? Luma(kPdqSideMax, kPdqSideMax) : Luma(width_, height_); }
    int x(int column) const noexcept { return reduces() ? nearest(column, width_) : column; }
    int y(int row) const noexcept { return reduces() ? nearest(row, height_) : row; }

private:
    static int nearest(int index, int side) noexcept {
        return static_cast<int>(static_cast<std::int64_t>(index) * side / kPdqSideMax);
    }
    int width_;
    int height_;
};

struct Rgb {
    int red = 0;
    int green = 0;
    int blue = 0;
};

int before_white(int value, int alpha) noexcept {
    return (value * alpha + kWhite * (kWhite - alpha) + kWhite / 2) / kWhite;
}

float luma_of_colour(const Rgb& colour, int alpha) noexcept {
    const auto seen = [alpha](int value) {
        return static_cast<std::uint8_t>(before_white(value, alpha));
    };
    return pdq_luma(seen(colour.red), seen(colour.green), seen(colour.blue));
}

// 255 is full ink.
Rgb of_inks(int cyan, int magenta, int yellow, int black) noexcept {
    const auto light = [black](int ink) {
        return ((kWhite - ink) * (kWhite - black) + kWhite / 2) / kWhite;
    };
    return {.red = light(cyan), .green = light(magenta), .blue = light(yellow)};
}

float luma_of_pixel(const Image& image, int x, int y) {
    const auto byte = [&](int channel) {
        const auto most = static_cast<std::int64_t>(image.sample_max);
        return static_cast<int>((std::int64_t{image.sample(x, y, channel)} * kWhite + most / 2) /
                                most);
    };
    if (image.space == ColourSpace::kPalette) {
        const auto index = static_cast<std::size_t>(image.sample(x, y, 0));
        const std::uint32_t entry =
            index < image.palette.size() ? image.palette[index] : 0xff000000U;
        const auto part = [entry](unsigned shift) {
            return static_cast<int>((entry >> shift) & 0xffU);
        };
        return luma_of_colour({.red = part(16), .green = part(8), .blue = part(0)}, part(24));
    }
    const int alpha = image.has_alpha ? byte(image.channels - 1) : kWhite;
    const int colours = image.channels - (image.has_alpha ? 1 : 0);
    if (colours < 3) {
        const int grey = byte(0);
        return luma_of_colour({.red = grey, .green = grey, .blue = grey}, alpha);
    }
    if (image.space == ColourSpace::kCmyk) {
        return luma_of_colour(of_inks(byte(0), byte(1), byte(2), colours > 3 ? byte(3) : 0), alpha);
    }
    return luma_of_colour({.red = byte(0), .green = byte(1), .blue = byte(2)}, alpha);
}

// One row of the picture from the planes of a JPEG, whose components may be stored smaller.
class JpegRow {
public:
    JpegRow(const JpegBlocks& blocks, int y) : blocks_(blocks), y_(y) {
        for (std::size_t c = 0; c < used(); ++c) {
            const media::JpegComponent& component = blocks.components()[c];
            rows_.push_back(blocks.read(c, {0, row_of(component), component.width, 1}));
        }
    }

    float luma(int x) const {
        switch (blocks_.colours()) {
            case JpegColours::kGrey:
            case JpegColours::kYcc:
                return static_cast<float>(sample(0, x));
            case JpegColours::kRgb:
                return luma_of_colour(
                    {.red = sample(0, x), .green = sample(1, x), .blue = sample(2, x)}, kWhite);
            case JpegColours::kCmyk:
                return of(sample(0, x), sample(1, x), sample(2, x), sample(3, x));
            case JpegColours::kCmykInverted:
                return of(kWhite - sample(0, x), kWhite - sample(1, x), kWhite - sample(2, x),
                          kWhite - sample(3, x));
            case JpegColours::kYcck: {
                const int ink = sample(0, x);
                return of(ink, ink, ink, kWhite - sample(3, x));
            }
        }
        return 0;
    }

private:
    static float of(int cyan, int magenta, int yellow, int black) {
        return luma_of_colour(of_inks(cyan, magenta, yellow, black), kWhite);
    }
    std::size_t used() const {
        return blocks_.colours() == JpegColours::kYcc ? 1 : blocks_.components().size();
    }
    int row_of(const media::JpegComponent& component) const {
        return y_ * component.vertical / blocks_.vertical_max();
    }
    int sample(std::size_t c, int x) const {
        const media::JpegComponent& component = blocks_.components()[c];
        return rows_[c].at(x * component.horizontal / blocks_.horizontal_max(), row_of(component));
    }

    const JpegBlocks& blocks_;
    int y_;
    std::vector<Plane> rows_;
};

Result<Luma> read_jpeg(Bytes file) {
    const JpegBlocks blocks = TRY(JpegBlocks::open(file));
    const Grid grid(blocks.width(), blocks.height());
    Luma luma = grid.make();
    for (int y = 0; y < luma.height; ++y) {
        const JpegRow row(blocks, grid.y(y));
        for (int x = 0; x < luma.width; ++x) {
            luma.row(y)[x] = row.luma(grid.x(x));
        }
    }
    return luma;
}

Result<Luma> read_tiff(Bytes file) {
    media::TiffPages pages = TRY(media::TiffPages::open(file));
    const media::TiffPage page = TRY(pages.select(0));
    const Image image = TRY(pages.read({0, 0, page.width, page.height}));
    return luma_of(image, 0);
}

}  // namespace

Luma luma_of(const Image& image, int frame) {
    const Grid grid(image.width, image.height);
    Luma luma = grid.make();
    for (int y = 0; y < luma.height; ++y) {
        for (int x = 0; x < luma.width; ++x) {
            luma.row(y)[x] = luma_of_pixel(image, grid.x(x), frame * image.height + grid.y(y));
        }
    }
    return luma;
}

Luma luma_of(const Plane& plane) {
    const Grid grid(plane.area.width, plane.area.height);
    Luma luma = grid.make();
    for (int y = 0; y < luma.height; ++y) {
        for (int x = 0; x < luma.width; ++x) {
            luma.row(y)[x] = static_cast<float>(plane.at(grid.x(x), grid.y(y)));
        }
    }
    return luma;
}

media::CodecSet codecs_for(PictureCoding coding) noexcept {
    using media::Codec;
    switch (coding) {
        case PictureCoding::kJpeg:
            return {Codec::kJpeg};
        case PictureCoding::kPng:
            return {Codec::kPng};
        case PictureCoding::kWebp:
            return {Codec::kWebp};
        case PictureCoding::kTiff:
            return {Codec::kTiff};
        case PictureCoding::kGif:
        case PictureCoding::kHeif:
            return {Codec::kVips};
    }
    return {};
}

Result<Luma> read_luma(Bytes file, PictureCoding coding) {
    switch (coding) {
        case PictureCoding::kJpeg:
            return read_jpeg(file);
        case PictureCoding::kPng: {
            const media::PngImage png = TRY(media::decode_png(file));
            return luma_of(png.image, 0);
        }
        case PictureCoding::kWebp: {
            const Image image = TRY(media::decode_webp(file, media::WebpFrames::kFirst));
            return luma_of(image, 0);
        }
        case PictureCoding::kTiff:
            return read_tiff(file);
        case PictureCoding::kGif: {
            const Image image = TRY(media::decode_vips(file, media::VipsFormat::kGif));
            return luma_of(image, 0);
        }
        case PictureCoding::kHeif: {
            const Image image = TRY(media::decode_vips(file, media::VipsFormat::kHeif));
            return luma_of(image, 0);
        }
    }
    return Error{ErrorCode::kInvalidArgument, "no picture format"};
}

}  // namespace colophon::fingerprint
