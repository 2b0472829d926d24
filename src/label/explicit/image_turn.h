// SPDX-License-Identifier: Apache-2.0
#pragma once

// The eight orientations of EXIF (CIPA DC-008, tag 0x0112): where a pixel of the stored picture is
// displayed, and the other way round.

#include "media/plane.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <utility>

namespace colophon::label {

// A picture of width x height pixels as stored. Any orientation outside 2 .. 8 is upright.
class Turn {
public:
    Turn(int orientation, int width, int height)
        : step_(kSteps[orientation >= 1 && orientation <= 8
                           ? static_cast<std::size_t>(orientation) - 1
                           : 0]),
          width_(width),
          height_(height) {}

    // Where the displayed pixel (x, y) is stored.
    std::pair<int, int> stored(int x, int y) const noexcept {
        return flip(step_.swap ? std::pair(y, x) : std::pair(x, y));
    }
    // Where the stored pixel (x, y) is displayed.
    std::pair<int, int> shown(int x, int y) const noexcept {
        const auto [u, v] = flip({x, y});
        return step_.swap ? std::pair(v, u) : std::pair(u, v);
    }
    // The same of a rectangle of displayed pixels.
    media::Rect stored(const media::Rect& rect) const noexcept {
        const auto [ax, ay] = stored(rect.x, rect.y);
        const auto [bx, by] = stored(rect.right() - 1, rect.bottom() - 1);
        return {std::min(ax, bx), std::min(ay, by), std::abs(ax - bx) + 1, std::abs(ay - by) + 1};
    }
    bool upright() const noexcept { return !step_.swap && !step_.flip_x && !step_.flip_y; }

private:
    // From displayed to stored: first the axes are swapped, then the stored ones are mirrored.
    struct Step {
        bool swap, flip_x, flip_y;
    };
    static constexpr std::array<Step, 8> kSteps{{{.swap = false, .flip_x = false, .flip_y = false},
                                                 {.swap = false, .flip_x = true, .flip_y = false},
                                                 {.swap = false, .flip_x = true, .flip_y = true},
                                                 {.swap = false, .flip_x = false, .flip_y = true},
                                                 {.swap = true, .flip_x = false, .flip_y = false},
                                                 {.swap = true, .flip_x = false, .flip_y = true},
                                                 {.swap = true, .flip_x = true, .flip_y = true},
                                                 {.swap = true, .flip_x = true, .flip_y = false}}};

    std::pair<int, int> flip(std::pair<int, int> at) const noexcept {
        return {step_.flip_x ? width_ - 1 - at.first : at.first,
                step_.flip_y ? height_ - 1 - at.second : at.second};
    }

    Step step_;
    int width_;
    int height_;
};

}  // namespace colophon::label
