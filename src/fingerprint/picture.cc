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

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
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

// One row after the other from the planes of a JPEG, whose components may be stored smaller.
class JpegRows {
public:
    explicit JpegRows(const JpegBlocks& blocks) : blocks_(blocks), planes_(used()) {}

    // What was read for a row holds those that lie in the same blocks.
    void go_to(int y) {
        y_ = y;
        for (std::size_t c = 0; c < planes_.size(); ++c) {
            const media::JpegComponent& component = blocks_.components()[c];
            const media::Rect row{0, row_of(component), component.width, 1};
            if (!planes_[c].area.contains(row)) {
                planes_[c] = blocks_.read(c, row);
            }
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
        return planes_[c].at(x * component.horizontal / blocks_.horizontal_max(),
                             row_of(component));
    }

    const JpegBlocks& blocks_;
    int y_ = 0;
    std::vector<Plane> planes_;
};

// The whole picture with each pixel the mean of those that it stands for.
class Reduction {
public:
    Reduction(int width, int height, int side_max)
        : from_width_(width), from_height_(height), width_(width), height_(height) {
        const int longer = std::max(width, height);
        if (longer > side_max) {
            width_ = scaled(width, side_max, longer);
            height_ = scaled(height, side_max, longer);
        }
    }

    // `row(y)` gives a function from x to the luma there.
    template <class Row>
    Luma make(Row row) const {
        Luma luma(width_, height_);
        for (int y = 0; y < height_; ++y) {
            const int top = edge(y, height_, from_height_);
            const int bottom = edge(y + 1, height_, from_height_);
            for (int from = top; from < bottom; ++from) {
                add(row(from), luma.row(y));
            }
            for (int x = 0; x < width_; ++x) {
                const int across = edge(x + 1, width_, from_width_) - edge(x, width_, from_width_);
                luma.row(y)[x] /= static_cast<float>(across) * static_cast<float>(bottom - top);
            }
        }
        return luma;
    }

private:
    static int scaled(int side, int side_max, int longer) noexcept {
        return std::max(1, static_cast<int>(std::int64_t{side} * side_max / longer));
    }
    static int edge(int at, int of, int all) noexcept {
        return static_cast<int>(std::int64_t{at} * all / of);
    }
    template <class Pixel>
    void add(Pixel pixel, float* to) const {
        for (int x = 0; x < width_; ++x) {
            float sum = 0;
            const int right = edge(x + 1, width_, from_width_);
            for (int from = edge(x, width_, from_width_); from < right; ++from) {
                sum += pixel(from);
            }
            to[x] += sum;
        }
    }

    int from_width_;
    int from_height_;
    int width_;
    int height_;
};

Result<Luma> read_jpeg(Bytes file) {
    const JpegBlocks blocks = TRY(JpegBlocks::open(file));
    const Grid grid(blocks.width(), blocks.height());
    Luma luma = grid.make();
    JpegRows rows(blocks);
    for (int y = 0; y < luma.height; ++y) {
        rows.go_to(grid.y(y));
        for (int x = 0; x < luma.width; ++x) {
            luma.row(y)[x] = rows.luma(grid.x(x));
        }
    }
    return luma;
}

Result<Luma> read_small_jpeg(Bytes file, int side_max) {
    const JpegBlocks blocks = TRY(JpegBlocks::open(file));
    JpegRows rows(blocks);
    return Reduction(blocks.width(), blocks.height(), side_max).make([&rows](int y) {
        rows.go_to(y);
        return [&rows](int x) { return rows.luma(x); };
    });
}

Result<Image> read_tiff(Bytes file) {
    media::TiffPages pages = TRY(media::TiffPages::open(file));
    const media::TiffPage page = TRY(pages.select(0));
    return pages.read({0, 0, page.width, page.height});
}

// The first picture of a file that is no JPEG.
Result<Image> read_image(Bytes file, PictureCoding coding) {
    switch (coding) {
        case PictureCoding::kPng:
            return std::move(TRY(media::decode_png(file)).image);
        case PictureCoding::kWebp:
            return media::decode_webp(file, media::WebpFrames::kFirst);
        case PictureCoding::kTiff:
            return read_tiff(file);
        case PictureCoding::kGif:
            return media::decode_vips(file, media::VipsFormat::kGif);
        case PictureCoding::kHeif:
            return media::decode_vips(file, media::VipsFormat::kHeif);
        case PictureCoding::kJpeg:
            break;
    }
    return Error{ErrorCode::kInvalidArgument, "no picture format"};
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
    if (coding == PictureCoding::kJpeg) {
        return read_jpeg(file);
    }
    const Image image = TRY(read_image(file, coding));
    return luma_of(image, 0);
}

Result<Luma> read_small_luma(Bytes file, PictureCoding coding, int side_max) {
    if (coding == PictureCoding::kJpeg) {
        return read_small_jpeg(file, side_max);
    }
    const Image image = TRY(read_image(file, coding));
    return small_luma_of(image, 0, side_max);
}

Luma small_luma_of(const Image& image, int frame, int side_max) {
    const int top = frame * image.height;
    return Reduction(image.width, image.height, side_max).make([&image, top](int y) {
        return [&image, row = top + y](int x) { return luma_of_pixel(image, x, row); };
    });
}

}  // namespace colophon::fingerprint
