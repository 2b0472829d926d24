// SPDX-License-Identifier: Apache-2.0
#pragma once

// Large pictures are worked on in bands of rows, each by a thread of its own. No result depends on
// how many there are.

#include "core/parallel.h"
#include "label/watermark/luma.h"

#include <algorithm>
#include <cstddef>

namespace colophon::label::internal {

inline constexpr std::size_t kThreadsMax = 4;
// What is worth a thread: some ten milliseconds of work.
inline constexpr std::size_t kPixelsPerThread = 1'000'000;

class Bands {
public:
    Bands(int width, int height)
        : rows_(height),
          count_(std::clamp<std::size_t>(
              static_cast<std::size_t>(width) * static_cast<std::size_t>(height) / kPixelsPerThread,
              1, useful_threads(kThreadsMax))) {}
    explicit Bands(const Luma& picture) : Bands(picture.width, picture.height) {}

    std::size_t count() const noexcept { return count_; }
    // Of bands 0 .. count(); the last is the picture's height. Multiples of eight, but for it.
    int first_row(std::size_t band) const noexcept {
        const auto rows = static_cast<std::size_t>(rows_);
        return band == count_ ? rows_ : static_cast<int>(rows * band / count_ / 8 * 8);
    }

private:
    int rows_;
    std::size_t count_;
};

// Calls work(first, last) for the rows first .. last - 1 of each band.
template <class Work>
void for_bands(const Luma& picture, const Work& work) {
    const Bands bands(picture);
    parallel_for(bands.count(), bands.count(),
                 [&](std::size_t band) { work(bands.first_row(band), bands.first_row(band + 1)); });
}

}  // namespace colophon::label::internal
