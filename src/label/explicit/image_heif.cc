// SPDX-License-Identifier: Apache-2.0
// The mark in HEIC and AVIF: the primary picture is decoded, drawn and coded again with high
// quality; EXIF, XMP and the colour profile are carried over. Further pictures of the file
// (thumbnails, depth maps, bursts) are not, and the reading says so.
#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "label/finding.h"
#include "media/image.h"

#include <algorithm>
#include <cstddef>

namespace colophon::label::internal {
namespace {

// High, because the picture is coded once more; the loss has not been measured.
constexpr int kHevcQuality = 90;
constexpr int kAv1Quality = 85;

bool is_avif(Bytes file) {
    const std::size_t size = std::min<std::size_t>(file.size(), 64);
    return as_text(file.first(size)).find("avif") != std::string_view::npos;
}

}  // namespace

Result<Drawn> draw_heif(const Drawing& drawing) {
    media::Image image = TRY(media::decode_vips(drawing.file, media::VipsFormat::kHeif));
    const Overlay overlay = TRY(plan_overlay(drawing, image.width, image.height, 1));
    Drawn drawn;
    drawn.height_percent = height_percent(overlay, image.width, image.height);
    drawn.contrast = draw_frame(image, overlay, 0);
    const bool avif = is_avif(drawing.file);
    const Buffer coded =
        TRY(media::encode_heif(image,
                               {.coder = avif ? media::HeifCoder::kAv1 : media::HeifCoder::kHevc,
                                .quality = avif ? kAv1Quality : kHevcQuality,
                                .bits = media::heif_bits(drawing.file)},
                               drawing.file));
    note(drawn.findings, "explicit.recoded",
         "the picture is coded once more; further pictures in the file are left out");
    drawn.splice.insert(Bytes(coded));
    return drawn;
}

}  // namespace colophon::label::internal
