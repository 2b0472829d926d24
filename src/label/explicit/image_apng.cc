// SPDX-License-Identifier: Apache-2.0
// The mark in an animated PNG, on every canvas that it shows.
#include "core/result.h"
#include "label/container/png_chunks.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "label/picture/apng.h"
#include "media/image.h"

#include <algorithm>
#include <utility>

namespace colophon::label::internal {

Result<Drawn> draw_apng(const Drawing& drawing, PngFile png) {
    ApngCanvases canvases = TRY(ApngCanvases::open(drawing.file, std::move(png)));
    const Overlay overlay = TRY(
        plan_overlay(drawing, canvases.width(), canvases.height(), png_orientation(drawing.file)));
    Drawn drawn;
    drawn.contrast = 21;
    drawn.height_percent = height_percent(overlay, canvases.width(), canvases.height());
    for (int i = 0; i < canvases.count(); ++i) {
        media::Image image = *TRY(canvases.next());
        drawn.contrast = std::min(drawn.contrast, draw_frame(image, overlay, 0));
        TRY(canvases.put(std::move(image)));
    }
    drawn.splice = canvases.finish();
    return drawn;
}

}  // namespace colophon::label::internal
