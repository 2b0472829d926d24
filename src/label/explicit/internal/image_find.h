// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds text of known wording at the edges of a picture, by correlation with the glyphs.
//
//   1. The picture as luma, shrunk so far that text of the height looked for is 8 pixels high, for
//      each height of a ladder from 3 % to 12 % of the shortest side (20 % in small pictures). At
//      each place within three heights of an edge: the normalized correlation with the wording.
//      White and black text differ only in its sign.
//   2. The best places are looked at again in the full picture, with text 24 pixels high, at a few
//      sizes and places around the first guess. What correlates by kAccept is a mark.
//   3. On the full pixels: the ink's first and last row, and the contrast.
//
// Normalized correlation does not change with brightness and contrast of the text, so faint marks
// are found too and reported with their contrast.

#include "label/explicit/image.h"
#include "label/explicit/internal/image_draw.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"
#include "media/text_raster.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label::internal {

// A picture as it is displayed.
struct SearchView {
    int width = 0;
    int height = 0;
    media::Plane small;  // luma of the whole picture, shrunk
    std::function<Patch(const media::Rect&)> full;
};

struct Match {
    std::string text;
    double score = 0;  // correlation, 0 .. 1
    bool white_text = true;
    media::Rect box;  // of the ink, in displayed pixels
    double height_percent = 0;
    double contrast = 0;
};

// The best match, also one below kMatchAccept: the caller compares.
Result<std::optional<Match>> search(const SearchView& view, const media::Typeface& typeface,
                                    const std::vector<std::string>& wordings);

inline constexpr double kMatchAccept = 0.62;

Result<ExplicitReading> find_mark(Bytes file, Format format, const media::Typeface& typeface,
                                  const std::vector<std::string>& wordings);

// The same for a JPEG that is open already.
Result<ExplicitReading> find_jpeg_mark(const media::JpegBlocks& blocks, int orientation,
                                       const media::Typeface& typeface,
                                       const std::vector<std::string>& wordings);

// Views of decoded pictures; the picture must outlive the view.
SearchView view_of(const media::Image& image, int orientation);
ImagePlace place_of(const media::Rect& box, int width, int height);

}  // namespace colophon::label::internal
