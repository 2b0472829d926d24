// SPDX-License-Identifier: Apache-2.0
#pragma once

// A rectangle of pixels, and the samples of one component in such a rectangle.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::media {

struct Rect {
    int x = 0;
    int y = 0;
    int width = 0;
    int height = 0;

    int right() const noexcept { return x + width; }
    int bottom() const noexcept { return y + height; }
    bool empty() const noexcept { return width <= 0 || height <= 0; }
    std::size_t area() const noexcept {
        return empty() ? 0 : static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
    }
    bool contains(const Rect& other) const noexcept {
        return other.x >= x && other.y >= y && other.right() <= right() &&
               other.bottom() <= bottom();
    }
    bool operator==(const Rect&) const = default;
};

inline Rect intersect(const Rect& a, const Rect& b) noexcept {
    const int x = std::max(a.x, b.x);
    const int y = std::max(a.y, b.y);
    return {x, y, std::max(0, std::min(a.right(), b.right()) - x),
            std::max(0, std::min(a.bottom(), b.bottom()) - y)};
}

// 8-bit samples of one component, rows without padding.
struct Plane {
    Rect area;  // in samples of that component
    std::vector<std::uint8_t> samples;

    Plane() = default;
    explicit Plane(const Rect& rect) : area(rect), samples(rect.area()) {}

    // x, y in the coordinates of the whole component, inside the area.
    std::uint8_t& at(int x, int y) { return samples[index(x, y)]; }
    std::uint8_t at(int x, int y) const { return samples[index(x, y)]; }

private:
    std::size_t index(int x, int y) const noexcept {
        return static_cast<std::size_t>(y - area.y) * static_cast<std::size_t>(area.width) +
               static_cast<std::size_t>(x - area.x);
    }
};

}  // namespace colophon::media
