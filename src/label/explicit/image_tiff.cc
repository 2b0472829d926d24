// SPDX-License-Identifier: Apache-2.0
// The mark in a TIFF: on every page, in place. Thumbnails of pages are left alone.
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_layout.h"
#include "media/image.h"
#include "media/tiff_pages.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace colophon::label::internal {
namespace {

// The new file told as copies of the old one where the same bytes stand at the same place.
Splice splice_in_place(Bytes before, Bytes after) {
    constexpr std::size_t kRun = 256;  // shorter equal runs are not worth a piece
    Splice splice;
    const std::size_t common = std::min(before.size(), after.size());
    std::size_t written = 0;
    std::size_t at = 0;
    while (at < common) {
        const auto start = before.begin() + static_cast<std::ptrdiff_t>(at);
        const auto differs =
            std::mismatch(start, before.begin() + static_cast<std::ptrdiff_t>(common),
                          after.begin() + static_cast<std::ptrdiff_t>(at));
        const auto run = static_cast<std::size_t>(differs.first - start);
        if (run >= kRun) {
            splice.insert(after.subspan(written, at - written));
            splice.copy(at, run);
            written = at + run;
        }
        at += run + 1;
    }
    splice.insert(after.subspan(written));
    return splice;
}

}  // namespace

Result<Drawn> draw_tiff(const Drawing& drawing) {
    media::TiffPages pages = TRY(media::TiffPages::open(drawing.file));
    Drawn drawn;
    drawn.contrast = 21;
    drawn.height_percent = 100;
    for (int i = 0; i < pages.count(); ++i) {
        const media::TiffPage page = TRY(pages.select(i));
        if (page.reduced && pages.count() > 1) {
            continue;
        }
        const Overlay overlay =
            TRY(plan_overlay(drawing, page.width, page.height, page.orientation));
        media::Image region = TRY(pages.read(overlay.rect));
        Overlay local = overlay;
        local.rect.x = 0;
        local.rect.y = 0;
        drawn.contrast = std::min(drawn.contrast, draw_frame(region, local, 0));
        drawn.height_percent =
            std::min(drawn.height_percent, height_percent(overlay, page.width, page.height));
        TRY(pages.write(overlay.rect, region));
    }
    const Buffer marked = TRY(pages.finish());
    drawn.splice = splice_in_place(drawing.file, marked);
    return drawn;
}

}  // namespace colophon::label::internal
