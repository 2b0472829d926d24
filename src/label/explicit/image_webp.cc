// SPDX-License-Identifier: Apache-2.0
// The mark in WebP, on every frame.
#include "core/bytes.h"
#include "core/result.h"
#include "label/container/riff_chunks.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "label/finding.h"
#include "label/picture/recode.h"
#include "media/image.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace colophon::label::internal {

int webp_orientation(Bytes file) {
    const Result<RiffFile> riff = walk_riff(file);
    for (const RiffChunk& chunk : riff ? riff->chunks : std::vector<RiffChunk>()) {
        if (chunk.id == "EXIF") {
            const Bytes data = riff_data(file, chunk);
            const bool prefixed = starts_with(data, "Exif");
            return exif_orientation(prefixed && data.size() > 6 ? data.subspan(6) : data);
        }
    }
    return 1;
}

Result<Drawn> draw_webp(const Drawing& drawing) {
    media::Image image = TRY(media::decode_webp(drawing.file, media::WebpFrames::kAll));
    const Overlay overlay =
        TRY(plan_overlay(drawing, image.width, image.height, webp_orientation(drawing.file)));
    Drawn drawn;
    drawn.height_percent = height_percent(overlay, image.width, image.height);
    drawn.contrast = 21;
    for (int frame = 0; frame < image.frames; ++frame) {
        drawn.contrast = std::min(drawn.contrast, draw_frame(image, overlay, frame));
    }
    Recoded recoded = TRY(recode_webp(drawing.file, image));
    if (!recoded.loss.empty()) {
        note(drawn.findings, "explicit.recoded", std::move(recoded.loss));
    }
    drawn.splice = std::move(recoded.splice);
    return drawn;
}

}  // namespace colophon::label::internal
