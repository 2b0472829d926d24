// SPDX-License-Identifier: Apache-2.0
// Pages whose samples are exchanged as a whole: palettes, and colour models that are read as RGB.
//
// Strips and tiles keep their number and shape, and so does whatever else the directory says; only
// the tags that describe samples change. New strips that need more room than the old ones go to the
// end of the file, and the old bytes stay there unused, as with every change of a TIFF in place.
#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "media/image.h"
#include "media/internal/tiff_state.h"
#include "media/plane.h"
#include "media/tiff_pages.h"

#include <tiff.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace colophon::media {
namespace {

// A pixel of TIFFReadRGBAImage, whose colours are multiplied by alpha.
void put_pixel(std::uint32_t abgr, std::uint8_t* to, int channels) {
    const std::array<std::uint32_t, 4> parts{TIFFGetR(abgr), TIFFGetG(abgr), TIFFGetB(abgr),
                                             TIFFGetA(abgr)};
    for (int c = 0; c < channels; ++c) {
        const std::uint32_t part = parts[static_cast<std::size_t>(c)];
        const bool scaled = channels == 4 && c < 3 && parts[3] > 0;
        const std::uint32_t value = scaled ? (part * 255 + parts[3] / 2) / parts[3] : part;
        to[c] = static_cast<std::uint8_t>(std::min(value, 255U));
    }
}

// What belongs to samples or codings that are no more.
void unset_sample_tags(TIFF* tiff) {
    for (const int tag : {TIFFTAG_JPEGTABLES,          TIFFTAG_JPEGPROC,
                          TIFFTAG_JPEGIFOFFSET,        TIFFTAG_JPEGIFBYTECOUNT,
                          TIFFTAG_JPEGRESTARTINTERVAL, TIFFTAG_JPEGQTABLES,
                          TIFFTAG_JPEGDCTABLES,        TIFFTAG_JPEGACTABLES,
                          TIFFTAG_GROUP3OPTIONS,       TIFFTAG_GROUP4OPTIONS,
                          TIFFTAG_YCBCRCOEFFICIENTS,   TIFFTAG_YCBCRSUBSAMPLING,
                          TIFFTAG_YCBCRPOSITIONING,    TIFFTAG_REFERENCEBLACKWHITE,
                          TIFFTAG_TRANSFERFUNCTION,    TIFFTAG_HALFTONEHINTS,
                          TIFFTAG_EXTRASAMPLES,        TIFFTAG_SMINSAMPLEVALUE,
                          TIFFTAG_SMAXSAMPLEVALUE,     TIFFTAG_MINSAMPLEVALUE,
                          TIFFTAG_MAXSAMPLEVALUE,      TIFFTAG_STONITS}) {
        TIFFUnsetField(tiff, static_cast<std::uint32_t>(tag));
    }
}

// The palette with 16 bits a channel, for samples of `bits` that had `old_bits`; colours that stay
// keep what the file says.
Result<void> set_palette(TIFF* tiff, const std::vector<std::uint32_t>& palette, int old_bits,
                         int bits) {
    const std::size_t entries = std::size_t{1} << static_cast<unsigned>(bits);
    std::array<std::uint16_t*, 3> old{};
    const bool had = TIFFGetField(tiff, TIFFTAG_COLORMAP, &old[0], &old[1], &old[2]) != 0;
    const std::size_t known = had ? std::size_t{1} << static_cast<unsigned>(old_bits) : 0;
    std::array<std::vector<std::uint16_t>, 3> map;
    for (std::size_t c = 0; c < map.size(); ++c) {
        map[c].resize(entries);
        for (std::size_t i = 0; i < std::min(entries, palette.size()); ++i) {
            const std::uint32_t value = palette[i] >> (16 - 8 * c) & 0xFFU;
            const bool same = i < known && internal::to_byte(old[c][i]) == value;
            map[c][i] = same ? old[c][i] : static_cast<std::uint16_t>(value * 257);
        }
    }
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, bits);
    if (TIFFSetField(tiff, TIFFTAG_COLORMAP, map[0].data(), map[1].data(), map[2].data()) == 0) {
        return Error{ErrorCode::kUnavailable, "the palette of the TIFF cannot be written"};
    }
    return {};
}

}  // namespace

Result<Image> TiffPages::State::read_foreign() {
    std::vector<std::uint32_t> raster(static_cast<std::size_t>(page.width) *
                                      static_cast<std::size_t>(page.height));
    // Asked for in the orientation that it has, the picture comes as it is stored.
    if (TIFFReadRGBAImageOriented(tiff, static_cast<std::uint32_t>(page.width),
                                  static_cast<std::uint32_t>(page.height), raster.data(),
                                  page.orientation, 1) == 0) {
        return Error{ErrorCode::kCorrupt, "a page of the TIFF cannot be decoded"};
    }
    const bool opaque =
        std::ranges::all_of(raster, [](std::uint32_t pixel) { return TIFFGetA(pixel) == 255; });
    Image image;
    image.width = page.width;
    image.height = page.height;
    image.channels = opaque || separate ? 3 : 4;
    image.has_alpha = image.channels == 4;
    image.space = ColourSpace::kRgb;
    image.pixels.resize(raster.size() * static_cast<std::size_t>(image.channels));
    for (std::size_t i = 0; i < raster.size(); ++i) {
        put_pixel(raster[i], &image.pixels[i * static_cast<std::size_t>(image.channels)],
                  image.channels);
    }
    return image;
}

Result<void> TiffPages::replace(const Image& pixels) {
    State& state = *state_;
    TIFF* tiff = state.tiff;
    COLOPHON_ASSERT(pixels.width == state.page.width && pixels.height == state.page.height);
    COLOPHON_ASSERT(pixels.sample_bytes == 1 && pixels.frames == 1);
    const bool palette = pixels.space == ColourSpace::kPalette;
    COLOPHON_ASSERT(palette || pixels.space == ColourSpace::kRgb);
    const auto count_blocks = [&] {
        return state.tiled ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
    };
    const std::uint32_t blocks = count_blocks();
    std::uint16_t compression = COMPRESSION_NONE;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    const bool fits = palette && pixels.palette.size() <= std::size_t{1}
                                                              << static_cast<unsigned>(state.bits);
    const int bits = fits ? state.bits : 8;
    if (palette) {
        TRY(set_palette(tiff, pixels.palette, state.bits, bits));
    } else {
        TIFFUnsetField(tiff, TIFFTAG_COLORMAP);
    }
    unset_sample_tags(tiff);
    if (!internal::is_usual_lossless(compression)) {
        TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_ADOBE_DEFLATE);
    }
    TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, bits);
    TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, pixels.channels);
    TIFFSetField(tiff, TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
    TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC, palette ? PHOTOMETRIC_PALETTE : PHOTOMETRIC_RGB);
    TIFFSetField(tiff, TIFFTAG_PLANARCONFIG,
                 state.separate ? PLANARCONFIG_SEPARATE : PLANARCONFIG_CONTIG);
    if (pixels.has_alpha) {
        const std::uint16_t kind = EXTRASAMPLE_UNASSALPHA;
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &kind);
    }
    if (count_blocks() != blocks) {
        return Error{ErrorCode::kUnsupported, "a TIFF whose strips have an unusual size"};
    }
    state.samples = state.shown = pixels.channels;
    state.bits = bits;
    state.bytes = 1;
    state.alpha = pixels.has_alpha;
    state.memory.most += 2 * pixels.pixels.size() + (std::uint64_t{1} << 20U);
    Image image = pixels;
    const Rect all{0, 0, pixels.width, pixels.height};
    return state.for_blocks(
        all, [&](std::uint32_t block, const Rect& area, int plane) -> Result<void> {
            Buffer content(state.row_bytes() * static_cast<std::size_t>(state.block_height));
            state.copy_part(content, area, plane, image, all, State::Direction::kToBlock);
            return state.store(block, area, content);
        });
}

}  // namespace colophon::media
