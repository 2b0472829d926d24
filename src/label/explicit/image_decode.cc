// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/image.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/format.h"
#include "media/image.h"
#include "media/tiff_pages.h"

#include <fmt/format.h>

#include <utility>

namespace colophon::label::internal {

namespace {

Result<Stored> decode_first_page(Bytes file) {
    media::TiffPages pages = TRY(media::TiffPages::open(file));
    const media::TiffPage page = TRY(pages.select(0));
    Stored stored;
    stored.image = TRY(pages.read({0, 0, page.width, page.height}));
    stored.orientation = page.orientation;
    return stored;
}

}  // namespace

Result<Stored> decode_first_frame(Bytes file, Format format) {
    Stored stored;
    switch (format) {
        case Format::kPng:
            stored.image = std::move(TRY(media::decode_png(file)).image);
            stored.orientation = png_orientation(file);
            return stored;
        case Format::kWebp:
            stored.image = TRY(media::decode_webp(file, media::WebpFrames::kFirst));
            stored.orientation = webp_orientation(file);
            return stored;
        case Format::kGif:
            stored.image = TRY(media::decode_vips(file, media::VipsFormat::kGif));
            return stored;
        case Format::kTiff:
            return decode_first_page(file);
        case Format::kHeic:
        case Format::kAvif:
            stored.image = TRY(media::decode_vips(file, media::VipsFormat::kHeif));
            return stored;
        default:
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("{} is no picture format", facts(format).name)};
    }
}

}  // namespace colophon::label::internal

namespace colophon::label {

int display_orientation(Bytes file, Format format) {
    switch (format) {
        case Format::kJpeg:
            return internal::jpeg_orientation(file);
        case Format::kPng:
            return internal::png_orientation(file);
        case Format::kWebp:
            return internal::webp_orientation(file);
        case Format::kTiff: {
            auto pages = media::TiffPages::open(file);
            const auto page = pages.ok() ? pages->select(0) : pages.error();
            return page.ok() ? page->orientation : 1;
        }
        default:
            return 1;
    }
}

}  // namespace colophon::label
