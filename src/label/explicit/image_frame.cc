// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/result.h"
#include "label/container/jpeg_segments.h"
#include "label/container/tiff_ifds.h"
#include "label/explicit/image.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_layout.h"
#include "media/image.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace colophon::label::internal {

int exif_orientation(Bytes tiff) {
    constexpr std::uint16_t kOrientation = 0x0112;
    const Result<TiffHeader> header = read_tiff_header(tiff);
    if (!header) {
        return 1;
    }
    const Result<TiffIfd> ifd = read_tiff_ifd(tiff, *header, header->ifd0_offset);
    const TiffEntry* entry = ifd ? ifd->find(kOrientation) : nullptr;
    const std::optional<std::uint64_t> value =
        entry == nullptr ? std::nullopt : tiff_number(*header, *entry);
    return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : 1;
}

int jpeg_orientation(Bytes file) {
    constexpr std::string_view kExif("Exif\0\0", 6);
    const Result<JpegFile> jpeg = walk_jpeg(file, JpegExtent::kHeaders);
    if (!jpeg) {
        return 1;
    }
    for (const JpegSegment& segment : jpeg->segments) {
        if (segment.marker == jpeg::kApp1 && starts_with(segment.payload, kExif)) {
            return exif_orientation(segment.payload.subspan(kExif.size()));
        }
    }
    return 1;
}

Result<Overlay> plan_overlay(const Drawing& drawing, int width, int height, int orientation) {
    const bool sideways = turns_sideways(orientation);
    const Overlay displayed = TRY(lay_out(drawing.typeface, drawing.mark, sideways ? height : width,
                                          sideways ? width : height));
    return orient(displayed, orientation, width, height);
}

double height_percent(const Overlay& overlay, int width, int height) {
    return 100.0 * overlay.ink_height / std::min(width, height);
}

double draw_frame(media::Image& image, const Overlay& overlay, int frame) {
    const Patch before = take_patch(image, overlay.rect, frame);
    const Compared compared = compared_pixels(overlay);
    Style style = choose_style(before, overlay, compared, kContrastAim);
    if (image.sample_max < 15) {
        style.plate_opacity = 1.0F;  // one or two bits cannot show a shade
    }
    for (;;) {
        Patch drawn = before;
        draw(drawn, overlay, style);
        put_patch(image, drawn, overlay, frame);
        const double contrast = measure_contrast(take_patch(image, overlay.rect, frame), overlay,
                                                 compared, style.white_text);
        if (contrast >= kContrastMin || style.plate_opacity >= 1.0F) {
            return contrast;
        }
        style.plate_opacity = std::min(1.0F, style.plate_opacity + 0.1F);
    }
}

}  // namespace colophon::label::internal
