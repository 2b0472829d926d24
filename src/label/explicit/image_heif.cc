// SPDX-License-Identifier: Apache-2.0
// The mark in the primary picture of HEIC and AVIF.
#include "core/result.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "label/finding.h"
#include "label/picture/recode.h"
#include "media/image.h"

#include <utility>

namespace colophon::label::internal {

Result<Drawn> draw_heif(const Drawing& drawing) {
    media::Image image = TRY(media::decode_vips(drawing.file, media::VipsFormat::kHeif));
    const Overlay overlay = TRY(plan_overlay(drawing, image.width, image.height, 1));
    Drawn drawn;
    drawn.height_percent = height_percent(overlay, image.width, image.height);
    drawn.contrast = draw_frame(image, overlay, 0);
    Recoded recoded = TRY(recode_heif(drawing.file, image));
    note(drawn.findings, "explicit.recoded", std::move(recoded.loss));
    drawn.splice = std::move(recoded.splice);
    return drawn;
}

}  // namespace colophon::label::internal
