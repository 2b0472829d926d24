// SPDX-License-Identifier: Apache-2.0
#pragma once

// A faint pattern in a picture of at most 256 colours. What it asks of a pixel lies between two
// colours nearly always; error diffusion (Floyd and Steinberg 1976) makes it true on the mean of
// neighbours, and the noise of that lies at frequencies above the pattern's. How much noise depends
// on how far the colours are apart, so entries that a frame does not use become shades of those
// that it uses most.

#include "label/picture/gif_frames.h"
#include "label/watermark/luma.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {

using ColourCounts = std::array<std::uint32_t, kGifColoursMax>;

// The colour table (0xFFRRGGBB) with a brighter and a darker shade of the colours that count most,
// as far as there are entries without pixels. Entries with pixels and `transparent` (-1: none)
// stay.
std::vector<std::uint32_t> add_shades(const std::vector<std::uint32_t>& colours,
                                      const ColourCounts& counts, int transparent);

// What a frame is dithered with. Rows from top to bottom.
class Ditherer {
public:
    // `counts`: of the pixels of each entry, in the frame.
    Ditherer(const std::vector<std::uint32_t>& colours, const ColourCounts& counts, int transparent,
             int width);

    static constexpr int kFree = -1;
    // One row of indices, `width` of them: each becomes the entry that is nearest to its colour,
    // the pattern's levels and what its neighbours were denied; where `wanted` is an entry and not
    // kFree, that.
    void row(const float* pattern, const int* wanted, std::uint8_t* indices);

private:
    struct Colour {
        float red = 0;
        float green = 0;
        float blue = 0;
    };
    static constexpr std::size_t kNear = 24;
    std::uint8_t nearest(std::uint8_t from, const Colour& wanted) const;

    std::vector<Colour> colours_;
    std::vector<std::vector<std::uint8_t>> near_;  // of each entry with pixels, nearest first
    int transparent_;
    std::size_t width_;
    std::vector<Colour> owed_;       // to this row, from a pixel to the left of it on
    std::vector<Colour> owed_next_;  // to the next
};

float luma_of_colour(std::uint32_t colour) noexcept;  // 0xFFRRGGBB, BT.601, 0 .. 255

}  // namespace colophon::label::internal
