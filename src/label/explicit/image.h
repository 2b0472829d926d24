// SPDX-License-Identifier: Apache-2.0
#pragma once

// The explicit label of a picture [GB45438-5.2]: text at an edge or in a corner, at least 5 % of
// the shortest side high. We draw kInkHeightPercent and measure the result.

#include "core/bytes.h"
#include "label/explicit/reading.h"
#include "label/format.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

enum class ImagePlace : std::uint8_t {
    kBottomRight,
    kBottomLeft,
    kTopRight,
    kTopLeft,
    kBottom,
    kTop,
    kLeft,
    kRight,
};
std::string_view image_place_name(ImagePlace place) noexcept;  // "bottom-right", ...
std::optional<ImagePlace> parse_image_place(std::string_view text) noexcept;

inline constexpr double kInkHeightPercent = 5.5;     // what we draw
inline constexpr double kInkHeightPercentMin = 5.0;  // what the standard demands
inline constexpr double kContrastMin = 4.5;          // WCAG 2.2, 1.4.3

struct ImageMark {
    std::string text;
    ImagePlace place = ImagePlace::kBottomRight;
};

// Draws the mark and keeps everything else: metadata byte for byte, pixels outside the mark exactly
// where the codec allows. `font`: a TrueType or OpenType file that has the characters.
// kInvalidArgument when the picture cannot hold the text legibly (it says the least size).
Result<MarkedFile> mark_image(Bytes file, Format format, const ImageMark& mark, Bytes font);

// Looks at corners and edges for any of the wordings, measures height and contrast.
Result<ExplicitReading> find_image_mark(Bytes file, Format format, Bytes font,
                                        const std::vector<std::string>& wordings);

// How the file wants its (first) picture displayed: 1 .. 8 as EXIF has it (label/explicit/
// image_turn.h). 1 where it says nothing, and for formats whose decoder turns by itself.
int display_orientation(Bytes file, Format format);

}  // namespace colophon::label
