// SPDX-License-Identifier: Apache-2.0
// Any bytes as a picture of the format in the first byte: decoding fails, or gives as many pixels
// as it says, and a PNG can be written again and is the same.

#include "core/assert.h"
#include "core/bytes.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/plane.h"
#include "media/tiff_pages.h"

#include <cstddef>
#include <cstdint>

namespace colophon::media {
namespace {

void check_image(const Result<Image>& image) {
    if (!image.ok()) {
        return;
    }
    COLOPHON_ASSERT(image->width > 0 && image->height > 0 && image->frames > 0);
    COLOPHON_ASSERT(image->pixels.size() == image->row_bytes() *
                                                static_cast<std::size_t>(image->height) *
                                                static_cast<std::size_t>(image->frames));
}

void check_png(Bytes file) {
    const auto png = decode_png(file);
    if (!png.ok()) {
        return;
    }
    check_image(png->image);
    const auto written = encode_png(*png);
    // A palette picture without a palette, and the like, cannot be written.
    if (written.ok()) {
        const auto again = decode_png(*written);
        COLOPHON_ASSERT(again.ok());
        COLOPHON_ASSERT(again->image.pixels == png->image.pixels);
    }
}

void check_tiff(Bytes file) {
    auto pages = TiffPages::open(file);
    if (!pages.ok()) {
        return;
    }
    for (int i = 0; i < pages->count() && i < 8; ++i) {
        const auto page = pages->select(i);
        if (!page.ok()) {
            continue;
        }
        const Rect all{0, 0, page->width, page->height};
        const auto image = pages->read(all);
        check_image(image);
        const bool in_place = page->form == TiffForm::kSamples || page->form == TiffForm::kJpeg;
        if (image.ok() && in_place) {
            Image changed = *image;  // or JPEG would not be coded again
            changed.set_sample(0, 0, 0, changed.sample_max - changed.sample(0, 0, 0));
            (void)pages->write(all, changed);
        } else if (image.ok()) {
            (void)pages->replace(*image);
        }
    }
    (void)pages->finish();
}

void check_picture(std::uint8_t choice, Bytes file) {
    switch (choice % 7) {
        case 0:
            return check_png(file);
        case 1:
            return check_image(decode_webp(file, WebpFrames::kFirst));
        case 2:
            return check_image(decode_webp(file, WebpFrames::kAll));
        case 3:
            return check_image(decode_vips(file, VipsFormat::kGif));
        case 4:
            return check_image(decode_vips(file, VipsFormat::kTiff));
        case 5:
            return check_image(decode_vips(file, VipsFormat::kHeif));
        default:
            return check_tiff(file);
    }
}

}  // namespace
}  // namespace colophon::media

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using colophon::media::Codec;
    static const bool kStarted =
        colophon::media::load({Codec::kJpeg, Codec::kPng, Codec::kWebp, Codec::kTiff, Codec::kVips})
            .ok();
    COLOPHON_ASSERT(kStarted);
    if (size > 0) {
        colophon::media::check_picture(data[0], colophon::Bytes(data + 1, size - 1));
    }
    return 0;
}
