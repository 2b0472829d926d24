// SPDX-License-Identifier: Apache-2.0
#pragma once

// A decoded picture, and the codecs that hand one out and take one back: PNG as libpng has it,
// sample for sample; everything else through libvips.
//
// load() of codecs.h loads whatever the libraries load lazily; after it none of them opens a file,
// so that decoding can run in a process that may not.

#include "core/bytes.h"
#include "media/plane.h"

#include <cstdint>
#include <vector>

namespace colophon::media {

enum class ColourSpace : std::uint8_t { kGrey, kRgb, kCmyk, kPalette };

// All frames have the same size and stand one below the other.
struct Image {
    int width = 0;
    int height = 0;  // of one frame
    int frames = 1;
    int channels = 0;      // alpha included
    int sample_bytes = 1;  // 1, or 2 in the machine's byte order
    int sample_max = 255;  // 1, 3, 15 for unpacked samples below a byte, 255, 65535, 1023, 4095
    bool has_alpha = false;
    ColourSpace space = ColourSpace::kRgb;
    std::vector<std::uint32_t> palette;  // 0xAARRGGBB, for kPalette only
    std::vector<int> end_times_ms;       // of animated WebP: when each frame ends
    int loops = 0;                       // of animations; 0: for ever
    std::uint32_t background = 0;        // of animated WebP, as libwebp gives it
    Buffer pixels;

    std::size_t row_bytes() const noexcept {
        return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels) *
               static_cast<std::size_t>(sample_bytes);
    }
    int sample(int x, int y, int channel) const noexcept;  // inside
    void set_sample(int x, int y, int channel, int value) noexcept;
};

// PNG. Samples keep their depth and colour type; palette pictures come as indices.
struct PngImage {
    Image image;
    int bit_depth = 8;
    bool interlaced = false;
    // The one colour that a picture without alpha channel declares transparent (tRNS).
    bool has_transparent_colour = false;
    int transparent_colour[3] = {0, 0, 0};
};

// kLimit from the header, before a pixel is decoded; kCorrupt for the rest.
Result<PngImage> decode_png(Bytes file);
// A PNG file with IHDR, PLTE, tRNS, IDAT, IEND.
Result<Buffer> encode_png(const PngImage& png);

// GIF, TIFF, HEIC, AVIF through libvips: the first frame, page or primary picture, as displayed
// where the container itself turns it (HEIC, AVIF), as stored otherwise. kUnsupported for sample
// types other than 8 and 16 bits.
enum class VipsFormat : std::uint8_t { kGif, kTiff, kHeif };
Result<Image> decode_vips(Bytes file, VipsFormat format);

// HEVC or AV1 in a HEIF file without metadata and colour profile, the colours meant as in `like` (a
// HEIF file).
enum class HeifCoder : std::uint8_t { kHevc, kAv1 };
struct HeifOptions {
    HeifCoder coder = HeifCoder::kHevc;
    int quality = 90;
    int bits = 8;  // 8, 10 or 12 a sample
};
Result<Buffer> encode_heif(const Image& image, const HeifOptions& options, Bytes like);
int heif_bits(Bytes file);  // of the primary picture; 8 when unknown

// WebP through libwebp. Animations come with all frames, composed to the full canvas, always with
// four channels; stills with three or four.
enum class WebpFrames : std::uint8_t { kFirst, kAll };
Result<Image> decode_webp(Bytes file, WebpFrames frames);
struct WebpOptions {
    bool lossless = false;  // keeps colours under transparency too
    float quality = 90;     // of libwebp, 0 .. 100
};
Result<Buffer> encode_webp(const Image& image, const WebpOptions& options);

}  // namespace colophon::media
