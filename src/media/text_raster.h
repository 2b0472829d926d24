// SPDX-License-Identifier: Apache-2.0
#pragma once

// A line of text as a coverage mask or as outlines, at an exact height of its ink in pixels.
//
// [GB45438-5.2] speaks of the height of the text, so type is not set by its em here but by its ink:
// ideographs, or capitals where there are none, are scaled until their ink fills the wanted height;
// capitals beside ideographs fill 93 % of it, which looks even. Only descenders and punctuation may
// leave that box.

#include "core/bytes.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace colophon::media {

// Rows of 8-bit coverage, 255 inside the ink.
struct Mask {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> coverage;

    std::uint8_t at(int x, int y) const {
        return coverage[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                        static_cast<std::size_t>(x)];
    }
};

// A mask of text. Rows [ink_top, ink_top + ink_height) are the box of ideographs and capitals.
struct TextMask {
    Mask mask;
    int ink_top = 0;
    int ink_height = 0;
};

enum class PathVerb : std::uint8_t { kMove, kLine, kQuadratic, kCubic };
struct PathPoint {
    double x = 0;
    double y = 0;
};
// The last point is the target; a figure closes before the next kMove.
struct PathCommand {
    PathVerb verb = PathVerb::kMove;
    PathPoint points[3];  // 1, 1, 2 or 3 of them count
    int count() const noexcept {
        return verb == PathVerb::kCubic ? 3 : verb == PathVerb::kQuadratic ? 2 : 1;
    }
};

// y grows downwards; the ink box is (0, 0) .. (width, 1); descenders end at `descent` >= 1.
struct TextOutline {
    double width = 0;
    double descent = 1;
    std::vector<PathCommand> path;
};

class Typeface {
public:
    // `font`: a TrueType or OpenType file (of a collection: the first face), which must outlive the
    // typeface. kCorrupt when it is none.
    static Result<Typeface> create(Bytes font);
    Typeface(Typeface&&) noexcept;
    Typeface& operator=(Typeface&&) noexcept;
    Typeface(const Typeface&) = delete;
    Typeface& operator=(const Typeface&) = delete;
    ~Typeface();

    // Both: kInvalidArgument for bad UTF-8, an empty or blank line, more than 256 bytes, and for
    // characters that the font lacks (it names the first one).
    // `ink_height`: 1 .. 8192 pixels. kLimit when the line would be wider than 65500 pixels.
    Result<TextMask> raster(std::string_view text, int ink_height) const;
    Result<TextOutline> outline(std::string_view text) const;

private:
    struct State;
    explicit Typeface(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace colophon::media
