// SPDX-License-Identifier: Apache-2.0
// The mark in a TIFF: on every page, in place where its kind of samples can be changed so,
// otherwise by giving the page other samples. Thumbnails of pages are left alone.
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_layout.h"
#include "label/explicit/internal/image_palette.h"
#include "label/finding.h"
#include "label/picture/recode.h"
#include "media/image.h"
#include "media/tiff_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace colophon::label::internal {
namespace {

// Draws where only the strips or tiles under the mark are coded again.
Result<double> draw_in_place(media::TiffPages& pages, const media::TiffPage& page,
                             const Overlay& overlay) {
    media::Image region = TRY(pages.read(overlay.rect));
    Overlay local = overlay;
    local.rect.x = 0;
    local.rect.y = 0;
    const double contrast = draw_frame(region, local, 0);
    TRY(pages.write(overlay.rect, region));
    if (page.form != media::TiffForm::kJpeg) {
        return contrast;
    }
    // Coding has taken its share. Which of the two is the text's colour is seen, not told.
    const media::Image coded = TRY(pages.read(overlay.rect));
    const Patch patch = take_patch(coded, local.rect, 0);
    return std::max(measure_contrast(patch, local, false), measure_contrast(patch, local, true));
}

// Draws on the whole page, whose samples are then others.
Result<double> draw_and_replace(media::TiffPages& pages, const media::TiffPage& page,
                                const Overlay& overlay, std::string& change) {
    media::Image image = TRY(pages.read({0, 0, page.width, page.height}));
    double contrast = 0;
    if (page.form == media::TiffForm::kPalette) {
        const PaletteDrawn drawn = draw_palette(image, overlay);
        contrast = drawn.contrast;
        if (drawn.promoted) {
            change = "had a palette without room for the mark and is RGB now";
        } else if (image.palette.size() > std::size_t{1} << static_cast<unsigned>(page.bits)) {
            change = "has a palette of 256 colours now, which the mark needs some of";
        }
    } else {
        contrast = draw_frame(image, overlay, 0);
        change = fmt::format(
            "is RGB of 8 bits without loss now, because a picture of its kind ({}) "
            "cannot be changed in places",
            page.model);
    }
    TRY(pages.replace(image));
    return contrast;
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
        const bool in_place =
            page.form == media::TiffForm::kSamples || page.form == media::TiffForm::kJpeg;
        std::string change;
        double contrast = 0;
        if (in_place) {
            contrast = TRY(draw_in_place(pages, page, overlay));
        } else {
            contrast = TRY(draw_and_replace(pages, page, overlay, change));
        }
        if (!change.empty()) {
            note(drawn.findings, "explicit.converted",
                 fmt::format("page {} of the TIFF {}", i + 1, change));
        }
        drawn.contrast = std::min(drawn.contrast, contrast);
        drawn.height_percent =
            std::min(drawn.height_percent, height_percent(overlay, page.width, page.height));
    }
    const Buffer marked = TRY(pages.finish());
    drawn.splice = splice_what_changed(drawing.file, marked);
    return drawn;
}

}  // namespace colophon::label::internal
