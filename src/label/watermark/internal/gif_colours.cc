// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/gif_colours.h"

#include "core/sort.h"
#include "label/picture/gif_frames.h"
#include "label/watermark/internal/kernels.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

// Levels from a colour to its shades: half of what the pattern reaches where pictures are busy.
constexpr int kShadeStep = 3;
// Shades farther away are worth less: the pattern seldom asks for them.
constexpr std::array<std::uint32_t, 3> kShadeWorth{16, 3, 1};
// Farther from its colour no pixel goes: where no entry is near, a flat part would show specks.
constexpr float kDistanceMax = 30;

int channel(std::uint32_t colour, unsigned shift) {
    return static_cast<int>(colour >> shift & 0xFFU);
}

std::uint32_t brighter(std::uint32_t colour, int by) {
    std::uint32_t result = 0xFF000000U;
    for (const unsigned shift : {16U, 8U, 0U}) {
        result |= static_cast<std::uint32_t>(std::clamp(channel(colour, shift) + by, 0, 255))
                  << shift;
    }
    return result;
}

// Squared; levels of brightness count twice, because those are the pattern's.
template <class Colour>
float distance(const Colour& a, const Colour& b) {
    const float red = a.red - b.red;
    const float green = a.green - b.green;
    const float blue = a.blue - b.blue;
    const float luma = kLumaWeights[0] * red + kLumaWeights[1] * green + kLumaWeights[2] * blue;
    return (red * red + green * green + blue * blue) / 3 + luma * luma;
}

}  // namespace

float luma_of_colour(std::uint32_t colour) noexcept {
    return kLumaWeights[0] * static_cast<float>(channel(colour, 16)) +
           kLumaWeights[1] * static_cast<float>(channel(colour, 8)) +
           kLumaWeights[2] * static_cast<float>(channel(colour, 0));
}

std::vector<std::uint32_t> add_shades(const std::vector<std::uint32_t>& colours,
                                      const ColourCounts& counts, int transparent) {
    std::vector<std::uint32_t> result = colours;
    std::vector<std::size_t> free;
    for (std::size_t i = 0; i < kGifColoursMax; ++i) {
        if (counts[i] == 0 && static_cast<int>(i) != transparent) {
            free.push_back(i);
        }
    }
    struct Wish {
        std::uint64_t worth;
        std::size_t entry;
        int step;
    };
    std::vector<Wish> wishes;
    for (std::size_t i = 0; i < colours.size(); ++i) {
        for (std::size_t k = 0; k < kShadeWorth.size() && counts[i] > 0; ++k) {
            wishes.push_back({.worth = std::uint64_t{counts[i]} * kShadeWorth[k],
                              .entry = i,
                              .step = kShadeStep * static_cast<int>(k + 1)});
        }
    }
    // The worthiest first: what is missing to the greatest there is.
    sort_stably(wishes, [](const Wish& wish) { return ~wish.worth; });
    std::size_t used = 0;
    for (const Wish& wish : wishes) {
        for (const int by : {wish.step, -wish.step}) {
            const std::uint32_t shade = brighter(colours[wish.entry], by);
            const bool there = std::ranges::find(result, shade) != result.end();
            if (used == free.size() || there) {
                continue;
            }
            const std::size_t entry = free[used++];
            result.resize(std::max(result.size(), entry + 1), 0xFF000000U);
            result[entry] = shade;
        }
    }
    return result;
}

Ditherer::Ditherer(const std::vector<std::uint32_t>& colours, const ColourCounts& counts,
                   int transparent, int width)
    : near_(kGifColoursMax),
      transparent_(transparent),
      width_(static_cast<std::size_t>(width)),
      owed_(width_ + 2),
      owed_next_(width_ + 2) {
    for (const std::uint32_t colour : colours) {
        colours_.push_back({.red = static_cast<float>(channel(colour, 16)),
                            .green = static_cast<float>(channel(colour, 8)),
                            .blue = static_cast<float>(channel(colour, 0))});
    }
    for (std::size_t i = 0; i < colours_.size(); ++i) {
        if (counts[i] == 0) {
            continue;
        }
        std::vector<std::pair<float, std::uint8_t>> all;
        for (std::size_t k = 0; k < colours_.size(); ++k) {
            const float far = distance(colours_[i], colours_[k]);
            const bool paints = static_cast<int>(k) != transparent;
            if (paints && far <= kDistanceMax * kDistanceMax) {
                all.emplace_back(far, static_cast<std::uint8_t>(k));
            }
        }
        std::sort(all.begin(), all.end());
        all.resize(std::min(all.size(), kNear));
        for (const auto& [far, entry] : all) {
            near_[i].push_back(entry);
        }
    }
}

std::uint8_t Ditherer::nearest(std::uint8_t from, const Colour& wanted) const {
    std::uint8_t best = from;
    float least = distance(colours_[from], wanted);
    for (const std::uint8_t entry : near_[from]) {
        const float far = distance(colours_[entry], wanted);
        if (far < least) {
            least = far;
            best = entry;
        }
    }
    return best;
}

void Ditherer::row(const float* pattern, const int* wanted, std::uint8_t* indices) {
    const auto add = [](Colour& to, const Colour& error, float share) {
        to.red += share * error.red;
        to.green += share * error.green;
        to.blue += share * error.blue;
    };
    std::fill(owed_next_.begin(), owed_next_.end(), Colour());
    for (std::size_t x = 0; x < width_; ++x) {
        const std::uint8_t index = indices[x];
        // An index beyond the table shows what the viewer likes.
        if (static_cast<int>(index) == transparent_ || index >= colours_.size()) {
            continue;
        }
        const Colour& own = colours_[index];
        const Colour& owed = owed_[x + 1];
        const auto level = [&](float value, float debt) {
            return std::clamp(value + pattern[x] + debt, 0.0F, 255.0F);
        };
        const Colour aim{.red = level(own.red, owed.red),
                         .green = level(own.green, owed.green),
                         .blue = level(own.blue, owed.blue)};
        const std::uint8_t given =
            wanted[x] == kFree ? nearest(index, aim) : static_cast<std::uint8_t>(wanted[x]);
        indices[x] = given;
        // Where no entry is near, nothing piles up.
        const auto rest = [](float asked, float got) {
            return std::clamp(asked - got, -kDistanceMax, kDistanceMax);
        };
        const Colour error{.red = rest(aim.red, colours_[given].red),
                           .green = rest(aim.green, colours_[given].green),
                           .blue = rest(aim.blue, colours_[given].blue)};
        add(owed_[x + 2], error, 7.0F / 16);
        add(owed_next_[x], error, 3.0F / 16);
        add(owed_next_[x + 1], error, 5.0F / 16);
        if (x + 2 < owed_next_.size()) {
            add(owed_next_[x + 2], error, 1.0F / 16);
        }
    }
    std::swap(owed_, owed_next_);
}

}  // namespace colophon::label::internal
