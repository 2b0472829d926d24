// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/image_find.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/image.h"
#include "label/explicit/image_turn.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_layout.h"
#include "label/explicit/internal/image_svg.h"
#include "label/explicit/reading.h"
#include "label/format.h"
#include "media/image.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"
#include "media/text_raster.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::Image;
using media::JpegBlocks;
using media::Plane;
using media::Rect;

// Shortest side, at least, of the luma picture that is searched: at the lowest text looked for it
// is shrunk to 267.
constexpr int kSmallSide = 300;

// A patch of the stored picture, turned as it is displayed.
Patch turn(const Patch& stored, const Rect& displayed, const Turn& by) {
    if (by.upright()) {
        return stored;
    }
    Patch out = stored;
    out.rect = displayed;
    for (int y = displayed.y; y < displayed.bottom(); ++y) {
        for (int x = displayed.x; x < displayed.right(); ++x) {
            const auto [sx, sy] = by.stored(x, y);
            std::copy_n(stored.at(sx, sy), stored.channels, out.at(x, y));
        }
    }
    return out;
}

// JPEG planes reach over the picture to the end of their blocks.
Plane crop(const Plane& plane, int width, int height) {
    Plane out({0, 0, width, height});
    for (int y = 0; y < height; ++y) {
        std::copy_n(
            &plane
                 .samples[static_cast<std::size_t>(y) * static_cast<std::size_t>(plane.area.width)],
            width, &out.at(0, y));
    }
    return out;
}

Plane turn(const Plane& stored, int orientation) {
    const int width = stored.area.width;
    const int height = stored.area.height;
    const Turn by(orientation, width, height);
    const bool sideways = turns_sideways(orientation);
    Plane out({0, 0, sideways ? height : width, sideways ? width : height});
    for (int y = 0; y < out.area.height; ++y) {
        for (int x = 0; x < out.area.width; ++x) {
            const auto [sx, sy] = by.stored(x, y);
            out.at(x, y) = stored.at(sx, sy);
        }
    }
    return out;
}

SearchView jpeg_view(const JpegBlocks& blocks, int orientation) {
    SearchView view;
    const Turn by(orientation, blocks.width(), blocks.height());
    const bool sideways = turns_sideways(orientation);
    view.width = sideways ? blocks.height() : blocks.width();
    view.height = sideways ? blocks.width() : blocks.height();
    int per_block = 1;
    while (per_block < 8 &&
           std::min(blocks.width(), blocks.height()) * per_block / 8 < kSmallSide) {
        per_block *= 2;
    }
    const media::JpegComponent& luma = blocks.components()[0];
    view.small = per_block == 8 ? crop(blocks.read(0, {0, 0, luma.width, luma.height}), luma.width,
                                       luma.height)
                                : blocks.reduced(per_block);
    view.small = turn(view.small, orientation);
    view.full = [&blocks, by](const Rect& rect) {
        return turn(jpeg_patch(blocks, by.stored(rect)), rect, by);
    };
    return view;
}

ExplicitReading to_reading(const std::optional<Match>& match, const SearchView& view) {
    ExplicitReading reading;
    if (!match || match->score < kMatchAccept) {
        return reading;
    }
    reading.found = true;
    reading.text = match->text;
    reading.where = std::string(image_place_name(place_of(match->box, view.width, view.height)));
    reading.height_percent = match->height_percent;
    reading.contrast = match->contrast;
    return reading;
}

}  // namespace

ImagePlace place_of(const Rect& box, int width, int height) {
    const double x = (box.x + box.width / 2.0) / width;
    const double y = (box.y + box.height / 2.0) / height;
    const bool centre = std::abs(x - 0.5) < 0.08;
    if (y > 0.35 && y < 0.65 && !centre) {
        return x < 0.5 ? ImagePlace::kLeft : ImagePlace::kRight;
    }
    if (centre) {
        return y < 0.5 ? ImagePlace::kTop : ImagePlace::kBottom;
    }
    if (y < 0.5) {
        return x < 0.5 ? ImagePlace::kTopLeft : ImagePlace::kTopRight;
    }
    return x < 0.5 ? ImagePlace::kBottomLeft : ImagePlace::kBottomRight;
}

SearchView view_of(const Image& image, int orientation) {
    SearchView view;
    const Turn by(orientation, image.width, image.height);
    const bool sideways = turns_sideways(orientation);
    view.width = sideways ? image.height : image.width;
    view.height = sideways ? image.width : image.height;
    const int factor = std::max(1, std::min(image.width, image.height) / kSmallSide);
    Plane small({0, 0, std::max(1, image.width / factor), std::max(1, image.height / factor)});
    for (int y = 0; y < small.area.height; ++y) {
        const Rect strip{0, y * factor, small.area.width * factor, factor};
        const Patch patch = take_patch(image, strip, 0);
        for (int x = 0; x < small.area.width; ++x) {
            float sum = 0;
            for (int i = 0; i < factor * factor; ++i) {
                sum +=
                    luma_over_grey(patch, patch.at(x * factor + i % factor, strip.y + i / factor));
            }
            const float mean = 255.0F * sum / static_cast<float>(factor * factor);
            small.at(x, y) = static_cast<std::uint8_t>(std::clamp(mean, 0.0F, 255.0F));
        }
    }
    view.small = turn(small, orientation);
    view.full = [&image, by](const Rect& rect) {
        return turn(take_patch(image, by.stored(rect), 0), rect, by);
    };
    return view;
}

Result<ExplicitReading> find_jpeg_mark(const JpegBlocks& blocks, int orientation,
                                       const media::Typeface& typeface,
                                       const std::vector<std::string>& wordings) {
    const SearchView view = jpeg_view(blocks, orientation);
    return to_reading(TRY(search(view, typeface, wordings)), view);
}

Result<ExplicitReading> find_mark(Bytes file, Format format, const media::Typeface& typeface,
                                  const std::vector<std::string>& wordings) {
    if (format == Format::kSvg) {
        return find_svg_mark(file, wordings);
    }
    if (format == Format::kJpeg) {
        const JpegBlocks blocks = TRY(JpegBlocks::open(file));
        return find_jpeg_mark(blocks, jpeg_orientation(file), typeface, wordings);
    }
    const Stored picture = TRY(decode_first_frame(file, format));
    const SearchView view = view_of(picture.image, picture.orientation);
    return to_reading(TRY(search(view, typeface, wordings)), view);
}

}  // namespace colophon::label::internal
