// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/internal/expansion.h"
#include "media/internal/late.h"

#include <fmt/format.h>
#include <glib-object.h>
#include <glib.h>
#include <glibconfig.h>
#include <stdlib.h>
#include <vips/vips.h>

#include <algorithm>
#include <cstdarg>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <string>

namespace colophon::media {
namespace {

struct Unref {
    void operator()(VipsImage* image) const { g_object_unref(image); }
};
using Handle = std::unique_ptr<VipsImage, Unref>;

std::string last_words() {
    std::string text = vips_error_buffer();
    vips_error_clear();
    while (!text.empty() && text.back() == '\n') {
        text.pop_back();
    }
    std::replace(text.begin(), text.end(), '\n', ';');
    return text.empty() ? "no reason given" : text;
}

void stay_silent(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

// The pixels come from top to bottom, once.
Result<Handle> open(Bytes file, VipsFormat format) {
    VipsImage* image = nullptr;
    void* data = const_cast<std::uint8_t*>(file.data());  // NOLINT: libvips only reads it
    int failed = 0;
    switch (format) {
        case VipsFormat::kGif:
            failed = vips_gifload_buffer(data, file.size(), &image, "n", 1, "access",
                                         VIPS_ACCESS_SEQUENTIAL, nullptr);
            break;
        case VipsFormat::kTiff:
            failed = vips_tiffload_buffer(data, file.size(), &image, "access",
                                          VIPS_ACCESS_SEQUENTIAL, nullptr);
            break;
        case VipsFormat::kHeif:
            failed = vips_heifload_buffer(data, file.size(), &image, "access",
                                          VIPS_ACCESS_SEQUENTIAL, nullptr);
            break;
    }
    if (failed != 0) {
        return Error{ErrorCode::kCorrupt, "the picture cannot be read: " + last_words()};
    }
    Handle handle(image);
    const auto width = static_cast<std::uint64_t>(vips_image_get_width(image));
    const auto height = static_cast<std::uint64_t>(vips_image_get_height(image));
    const std::uint64_t pixel_bytes = static_cast<std::uint64_t>(vips_image_get_bands(image)) *
                                      vips_format_sizeof(vips_image_get_format(image));
    if (std::max(width, height) > limits::kImageSideMax ||
        width * height > limits::kImagePixelsMax ||
        width * height * pixel_bytes > limits::kImageBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a picture of {} x {} pixels is above the limit", width, height)};
    }
    TRY(internal::check_expansion(width * height * pixel_bytes, file.size()));
    return handle;
}

Result<Image> describe(VipsImage* in) {
    Image image;
    image.width = vips_image_get_width(in);
    image.height = vips_image_get_height(in);
    image.channels = vips_image_get_bands(in);
    image.has_alpha = vips_image_hasalpha(in) != 0;
    const VipsBandFormat format = vips_image_get_format(in);
    if (format != VIPS_FORMAT_UCHAR && format != VIPS_FORMAT_USHORT) {
        return Error{ErrorCode::kUnsupported,
                     "a picture whose samples are neither 8 nor 16 bits; convert it first"};
    }
    image.sample_bytes = format == VIPS_FORMAT_USHORT ? 2 : 1;
    image.sample_max = image.sample_bytes == 2 ? 65535 : 255;
    const int colours = image.channels - (image.has_alpha ? 1 : 0);
    const VipsInterpretation meaning = vips_image_get_interpretation(in);
    if (colours == 1) {
        image.space = ColourSpace::kGrey;
    } else if (colours == 4 && meaning == VIPS_INTERPRETATION_CMYK) {
        image.space = ColourSpace::kCmyk;
    } else if (colours == 3 && meaning != VIPS_INTERPRETATION_LAB) {
        image.space = ColourSpace::kRgb;
    } else {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a picture with {} channels of a meaning that we cannot draw in",
                                 image.channels)};
    }
    return image;
}

struct UnrefRegion {
    void operator()(VipsRegion* region) const { g_object_unref(region); }
};

// A band of rows at a time, so that the picture is not held twice.
Result<void> read_pixels(VipsImage* in, Image& image) {
    constexpr int kBandRows = 64;
    const std::unique_ptr<VipsRegion, UnrefRegion> region(vips_region_new(in));
    const std::size_t row_bytes = image.row_bytes();
    image.pixels.resize(row_bytes * static_cast<std::size_t>(image.height));
    for (int top = 0; top < image.height; top += kBandRows) {
        const VipsRect band{0, top, image.width, std::min(kBandRows, image.height - top)};
        if (region == nullptr || vips_region_prepare(region.get(), &band) != 0) {
            return Error{ErrorCode::kCorrupt, "the picture cannot be read: " + last_words()};
        }
        // Whole rows: the region may hold more of them than were asked for, but starts at x = 0.
        for (int y = top; y < top + band.height; ++y) {
            const auto below = static_cast<std::size_t>(y - region->valid.top);
            std::memcpy(image.pixels.data() + static_cast<std::size_t>(y) * row_bytes,
                        region->data + below * static_cast<std::size_t>(region->bpl), row_bytes);
        }
    }
    return {};
}

}  // namespace

namespace internal {

Result<void> start_vips() {
    static std::once_flag once;
    static bool started = false;
    std::call_once(once, [] {
        // Nothing may be read from the environment's folders, printed, or kept between calls.
        setenv("VIPS_NOVECTOR", "1", 0);
        setenv("LIBHEIF_PLUGIN_PATH", "/nonexistent", 1);
        started = VIPS_INIT("colophon") == 0;
        if (!started) {
            return;
        }
        g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_MASK), stay_silent,
                          nullptr);
        vips_cache_set_max(0);
        vips_block_untrusted_set(TRUE);
        vips_concurrency_set(1);
    });
    if (!started) {
        return Error{ErrorCode::kUnavailable, "libvips does not start: " + last_words()};
    }
    return {};
}

Result<void> prepare_heif() {
    static std::once_flag once;
    std::call_once(once, [] {
        // x265 looks at the machine's processors when it codes for the first time.
        VipsImage* black = nullptr;
        void* bytes = nullptr;
        std::size_t size = 0;
        if (vips_black(&black, 64, 64, "bands", 3, nullptr) == 0) {
            if (vips_heifsave_buffer(black, &bytes, &size, nullptr) == 0) {
                g_free(bytes);
            }
            g_object_unref(black);
        }
        vips_error_clear();
    });
    return {};
}

}  // namespace internal

Result<Image> decode_vips(Bytes file, VipsFormat format) {
    TRY(load({Codec::kVips}));
    const Handle in = TRY(open(file, format));
    Image image = TRY(describe(in.get()));
    TRY(read_pixels(in.get(), image));
    return image;
}

int heif_bits(Bytes file) {
    if (!load({Codec::kVips}).ok()) {
        return 8;
    }
    const Result<Handle> in = open(file, VipsFormat::kHeif);
    int bits = 8;
    if (in && vips_image_get_typeof(in->get(), "heif-bitdepth") != 0) {
        vips_image_get_int(in->get(), "heif-bitdepth", &bits);
    }
    return bits;
}

Result<Buffer> encode_heif(const Image& image, const HeifOptions& options, Bytes like) {
    TRY(load({Codec::kHeif}));
    const Handle source = TRY(open(like, VipsFormat::kHeif));
    const Handle raw(vips_image_new_from_memory(
        image.pixels.data(), image.pixels.size(), image.width, image.height, image.channels,
        image.sample_bytes == 2 ? VIPS_FORMAT_USHORT : VIPS_FORMAT_UCHAR));
    if (raw == nullptr) {
        return Error{ErrorCode::kUnavailable, last_words()};
    }
    VipsImage* copied = nullptr;
    if (vips_copy(raw.get(), &copied, "interpretation", vips_image_get_interpretation(source.get()),
                  nullptr) != 0) {
        return Error{ErrorCode::kUnavailable, last_words()};
    }
    const Handle out(copied);
    void* bytes = nullptr;
    std::size_t size = 0;
    const bool av1 = options.coder == HeifCoder::kAv1;
    if (vips_heifsave_buffer(
            out.get(), &bytes, &size, "Q", options.quality, "bitdepth", options.bits, "compression",
            av1 ? VIPS_FOREIGN_HEIF_COMPRESSION_AV1 : VIPS_FOREIGN_HEIF_COMPRESSION_HEVC,
            "subsample_mode", VIPS_FOREIGN_SUBSAMPLE_OFF, "effort", av1 ? 3 : 4, "strip", TRUE,
            nullptr) != 0) {
        return Error{ErrorCode::kUnavailable, "the picture cannot be written: " + last_words()};
    }
    const auto* begin = static_cast<const std::uint8_t*>(bytes);
    Buffer result(begin, begin + size);
    g_free(bytes);
    return result;
}

}  // namespace colophon::media
