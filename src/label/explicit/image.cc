// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/image.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_find.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/format.h"
#include "media/jpeg_blocks.h"
#include "media/text_raster.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::Drawing;
using internal::Drawn;

struct PlaceName {
    ImagePlace place;
    std::string_view name;
};
constexpr std::array kPlaces{
    PlaceName{ImagePlace::kBottomRight, "bottom-right"},
    PlaceName{ImagePlace::kBottomLeft, "bottom-left"},
    PlaceName{ImagePlace::kTopRight, "top-right"},
    PlaceName{ImagePlace::kTopLeft, "top-left"},
    PlaceName{ImagePlace::kBottom, "bottom"},
    PlaceName{ImagePlace::kTop, "top"},
    PlaceName{ImagePlace::kLeft, "left"},
    PlaceName{ImagePlace::kRight, "right"},
};

struct Codec {
    Format format;
    Result<Drawn> (*draw)(const Drawing&);
};
constexpr std::array kCodecs{
    Codec{.format = Format::kPng, .draw = internal::draw_png},
    Codec{.format = Format::kWebp, .draw = internal::draw_webp},
    Codec{.format = Format::kGif, .draw = internal::draw_gif},
    Codec{.format = Format::kTiff, .draw = internal::draw_tiff},
    Codec{.format = Format::kHeic, .draw = internal::draw_heif},
    Codec{.format = Format::kAvif, .draw = internal::draw_heif},
    Codec{.format = Format::kSvg, .draw = internal::draw_svg},
};

// What is wrong with a mark that is there: too low, or too faint. [GB45438-5.2]
void judge(ExplicitReading& reading) {
    if (reading.height_percent && *reading.height_percent < kInkHeightPercentMin) {
        warn(reading.findings, "explicit.height",
             fmt::format("the mark is {:.2f} % of the shortest side high, the standard asks for at "
                         "least {:.0f} %",
                         *reading.height_percent, kInkHeightPercentMin));
    }
    if (reading.contrast && *reading.contrast < kContrastMin) {
        warn(reading.findings, "explicit.contrast",
             fmt::format("the contrast of the mark is {:.2f}:1, below {:.1f}:1", *reading.contrast,
                         kContrastMin));
    }
}

}  // namespace

std::string_view image_place_name(ImagePlace place) noexcept {
    return kPlaces[static_cast<std::size_t>(place)].name;
}

std::optional<ImagePlace> parse_image_place(std::string_view text) noexcept {
    for (const PlaceName& row : kPlaces) {
        if (row.name == text) {
            return row.place;
        }
    }
    return std::nullopt;
}

Result<ExplicitReading> find_image_mark(Bytes file, Format format, Bytes font,
                                        const std::vector<std::string>& wordings) {
    const media::Typeface typeface = TRY(media::Typeface::create(font));
    ExplicitReading reading = TRY(internal::find_mark(file, format, typeface, wordings));
    judge(reading);
    return reading;
}

namespace {

// Whether the mark that was found is as good as the one that would be drawn.
bool is_enough(const ExplicitReading& reading) {
    return reading.found && reading.findings.empty();
}

Result<Drawn> draw_with(const Drawing& drawing, Format format) {
    for (const Codec& codec : kCodecs) {
        if (codec.format == format) {
            return codec.draw(drawing);
        }
    }
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} is no picture format", facts(format).name)};
}

}  // namespace

Result<MarkedFile> mark_image(Bytes file, Format format, const ImageMark& mark, Bytes font) {
    const media::Typeface typeface = TRY(media::Typeface::create(font));
    const Drawing drawing{file, typeface, mark};
    std::optional<media::JpegBlocks> blocks;
    MarkedFile marked;
    if (format == Format::kJpeg) {
        blocks = TRY(media::JpegBlocks::open(file));
        marked.reading = TRY(internal::find_jpeg_mark(*blocks, internal::jpeg_orientation(file),
                                                      typeface, {mark.text}));
    } else {
        marked.reading = TRY(internal::find_mark(file, format, typeface, {mark.text}));
    }
    judge(marked.reading);
    if (is_enough(marked.reading)) {
        marked.changed = false;
        marked.splice.copy(0, file.size());
        return marked;
    }
    Drawn drawn =
        blocks ? TRY(internal::draw_jpeg(drawing, *blocks)) : TRY(draw_with(drawing, format));
    marked.splice = std::move(drawn.splice);
    marked.reading = {.found = true,
                      .text = mark.text,
                      .where = std::string(image_place_name(mark.place)),
                      .height_percent = drawn.height_percent,
                      .contrast = drawn.contrast,
                      .findings = std::move(drawn.findings)};
    judge(marked.reading);
    return marked;
}

}  // namespace colophon::label
