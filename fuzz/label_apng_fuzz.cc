// SPDX-License-Identifier: Apache-2.0
// Any bytes as an animated PNG, or an animation of any frames: marking it fails, or gives one with
// as many frames of which every one can be decoded, lies in the picture and has the next number,
// and in which the mark is found.
//
//   [even] [a PNG file]
//   [odd] [width] [height] [samples] [frames, 5 bytes each: x, y, width, height, disposal ...]

#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/png_chunks.h"
#include "label/explicit/image.h"
#include "label/explicit/internal/image_codecs.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/text_raster.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <ios>
#include <iterator>
#include <string_view>
#include <utility>

namespace colophon::label::internal {
namespace {

using media::ColourSpace;

constexpr std::size_t kFramesMax = 6;
// Above it marking takes longer than a fuzzer should wait; larger pictures take the same ways.
constexpr std::uint64_t kPixelsMax = std::uint64_t{1} << 16U;

// The typeface that the product takes.
const media::Typeface& typeface() {
    static const Buffer kFont = [] {
        std::ifstream in("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", std::ios::binary);
        return Buffer(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }();
    static const auto kTypeface = media::Typeface::create(kFont);
    COLOPHON_ASSERT(kTypeface.ok());
    return *kTypeface;
}

struct Samples {
    ColourSpace space = ColourSpace::kGrey;
    int channels = 1;  // an even number: with alpha
    int bit_depth = 8;
};
constexpr std::array kSamples{
    Samples{.space = ColourSpace::kGrey, .channels = 1, .bit_depth = 8},
    Samples{.space = ColourSpace::kGrey, .channels = 2, .bit_depth = 8},
    Samples{.space = ColourSpace::kRgb, .channels = 3, .bit_depth = 8},
    Samples{.space = ColourSpace::kRgb, .channels = 4, .bit_depth = 8},
    Samples{.space = ColourSpace::kRgb, .channels = 4, .bit_depth = 16},
    Samples{.space = ColourSpace::kGrey, .channels = 1, .bit_depth = 16},
    Samples{.space = ColourSpace::kPalette, .channels = 1, .bit_depth = 8},
    Samples{.space = ColourSpace::kPalette, .channels = 1, .bit_depth = 4},
};

// A still whose samples are the bytes of `data`, over and over.
Buffer make_still(const Samples& samples, int width, int height, Bytes data, bool interlaced) {
    media::PngImage png;
    png.bit_depth = samples.bit_depth;
    png.interlaced = interlaced;
    media::Image& image = png.image;
    image.width = width;
    image.height = height;
    image.space = samples.space;
    image.channels = samples.channels;
    image.has_alpha = samples.channels % 2 == 0;
    image.sample_bytes = samples.bit_depth / 8 == 2 ? 2 : 1;
    image.sample_max = (1 << samples.bit_depth) - 1;
    if (samples.space == ColourSpace::kPalette) {
        for (std::uint32_t i = 0; i < (1U << static_cast<unsigned>(samples.bit_depth)); ++i) {
            image.palette.push_back((i % 3 == 2 ? 0x80000000U : 0xFF000000U) |
                                    i * 0x030711U % 0xFFFFFFU);
        }
    }
    image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(height));
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
        // Below a byte a sample must stay in its range.
        const auto mask = static_cast<std::uint8_t>(samples.bit_depth < 8 ? image.sample_max : 255);
        image.pixels[i] = static_cast<std::uint8_t>(data[i / 16 % data.size()] & mask);
    }
    return media::encode_png(png).value();
}

void append_control(Buffer& file, std::uint32_t number, std::array<std::uint32_t, 4> rect,
                    std::uint8_t ways) {
    Buffer data;
    append_be32(data, number);
    for (const std::uint32_t value : {rect[2], rect[3], rect[0], rect[1]}) {
        append_be32(data, value);
    }
    append_be32(data, 0x00010019);
    data.push_back(ways % 3);
    data.push_back(ways / 4 % 2);
    append(file, make_png_chunk("fcTL", data));
}

// An animation in form; what its frames do to each other is up to the data.
Buffer make_animation(Bytes data) {
    const int width = 8 + data[0] % 120;
    const int height = 8 + data[1] % 120;
    const Samples& samples = kSamples[data[2] % kSamples.size()];
    const bool interlaced = (data[2] & 0x80U) != 0;
    const bool still_apart = (data[2] & 0x40U) != 0;
    const std::size_t frames = 1 + data[3] % kFramesMax;
    const Buffer first = make_still(samples, width, height, data, interlaced);
    const PngFile whole = walk_png(first).value();
    Buffer file = to_buffer(kPngSignature);
    std::uint32_t number = 0;
    for (const PngChunk& chunk : whole.chunks) {
        if (chunk.type == "IDAT" && number == 0 && !still_apart) {
            append_control(
                file, number++,
                {0, 0, static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)},
                data[3] / 16);
        }
        if (chunk.type == "IEND") {
            break;
        }
        append(file, Bytes(first).subspan(chunk.offset, chunk.size));
        if (chunk.type == "IHDR") {
            Buffer control;
            append_be32(control, static_cast<std::uint32_t>(frames));
            append_be32(control, 0);
            append(file, make_png_chunk("acTL", control));
        }
    }
    for (std::size_t i = still_apart ? 0 : 1; i < frames; ++i) {
        const auto at = [&](std::size_t k) { return data[(4 + 5 * i + k) % data.size()]; };
        // Sometimes outside, which is refused.
        const auto x = static_cast<std::uint32_t>(at(0) % width);
        const auto y = static_cast<std::uint32_t>(at(1) % height);
        const int w = 1 + at(2) % (width - static_cast<int>(x) + (at(4) >= 0xF0 ? 1 : 0));
        const int h = 1 + at(3) % (height - static_cast<int>(y));
        append_control(file, number++,
                       {x, y, static_cast<std::uint32_t>(w), static_cast<std::uint32_t>(h)}, at(4));
        const Buffer still =
            make_still(samples, w, h, data.subspan(std::min(data.size() - 1, 4 + i)), interlaced);
        const PngFile pieces = walk_png(still).value();
        for (const PngChunk& chunk : pieces.chunks) {
            if (chunk.type == "IDAT") {
                Buffer piece;
                append_be32(piece, number++);
                append(piece, chunk.data);
                append(file, make_png_chunk("fdAT", piece));
            }
        }
    }
    append(file, make_png_chunk("IEND", {}));
    return file;
}

std::size_t count(const PngFile& png, std::string_view type) {
    return static_cast<std::size_t>(std::ranges::count(png.chunks, type, &PngChunk::type));
}

// Sizes from the header and the count of frames, before anything is decoded.
bool is_small(const PngFile& png) {
    const Bytes header = png.chunks.front().data;
    return header.size() >= 8 && std::uint64_t{load_be32(header)} * load_be32(header.subspan(4)) *
                                         (1 + count(png, "fcTL")) <=
                                     kPixelsMax * kFramesMax;
}

void check_frames(const PngFile& png) {
    const Bytes header = png.chunks.front().data;
    std::uint32_t number = 0;
    for (const PngChunk& chunk : png.chunks) {
        if (chunk.type != "fcTL" && chunk.type != "fdAT") {
            continue;
        }
        COLOPHON_ASSERT(load_be32(chunk.data) == number);
        ++number;
        if (chunk.type == "fcTL") {
            const auto value = [&](std::size_t at) {
                return std::uint64_t{load_be32(chunk.data.subspan(at))};
            };
            COLOPHON_ASSERT(value(4) > 0 && value(12) + value(4) <= load_be32(header));
            COLOPHON_ASSERT(value(8) > 0 && value(16) + value(8) <= load_be32(header.subspan(4)));
        }
    }
}

void check_animation(Bytes file) {
    auto png = walk_png(file);
    if (!png.ok() || count(*png, "acTL") == 0 || !is_small(*png)) {
        return;
    }
    const std::size_t frames = count(*png, "fcTL");
    const ImageMark mark{.text = "AI生成", .place = ImagePlace::kBottomRight};
    const auto drawn = draw_apng({file, typeface(), mark}, std::move(*png));
    if (!drawn.ok()) {
        return;
    }
    COLOPHON_ASSERT(drawn->contrast >= 1);
    const Buffer marked = apply_splice(file, drawn->splice);
    auto again = walk_png(marked);
    COLOPHON_ASSERT(again.ok());
    COLOPHON_ASSERT(count(*again, "fcTL") == frames);
    check_frames(*again);
    COLOPHON_ASSERT(media::decode_png(marked).ok());
    // Every frame is decoded once more to be drawn upon.
    COLOPHON_ASSERT(draw_apng({marked, typeface(), mark}, std::move(*again)).ok());
}

}  // namespace
}  // namespace colophon::label::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    namespace internal = colophon::label::internal;
    using colophon::media::Codec;
    static const bool kStarted = colophon::media::load({Codec::kPng, Codec::kLetters}).ok();
    COLOPHON_ASSERT(kStarted);
    if (size > 1 && data[0] % 2 == 0) {
        internal::check_animation({data + 1, size - 1});
    } else if (size > 5) {
        internal::check_animation(internal::make_animation({data + 1, size - 1}));
    }
    return 0;
}
