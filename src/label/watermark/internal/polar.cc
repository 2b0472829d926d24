// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/polar.h"

#include "core/assert.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

// Successive cancellation over all paths of the list in step.
//
// A node of height h decides 2^h bits from 2^h likelihoods. Its left half is decided first (f), its
// right half with the left one known (g); then both make the bits of the node:
//
//        likelihoods[h]                      bits[h] = left ^ right | right
//        /            \                       /             \.
//   f: left half   g: right half          bits[h-1]       bits[h-1]
//
// The bits of the left half wait in left[h] while the right one is decided.
struct Path {
    std::vector<float> likelihoods;  // height h begins at 2^h, and has 2^h
    std::vector<std::uint8_t> bits;  // the same
    std::vector<std::uint8_t> left;  // the same; height h uses the first half
    std::vector<std::uint8_t> information;
    float cost = 0;
};

float sign_min(float a, float b) {
    const float least = std::min(std::fabs(a), std::fabs(b));
    return (a < 0) == (b < 0) ? least : -least;
}

// What deciding `bit` against the likelihood costs.
float cost_of(float likelihood, std::uint8_t bit) {
    const bool agrees = (likelihood < 0) == (bit == 1);
    return agrees ? 0 : std::fabs(likelihood);
}

class Decoder {
public:
    Decoder(const std::vector<bool>& frozen, std::size_t list, std::span<const float> likelihoods)
        : frozen_(frozen), list_(list) {
        Path first;
        first.likelihoods.resize(2 * frozen.size());
        first.bits.resize(2 * frozen.size());
        first.left.resize(2 * frozen.size());
        std::copy(likelihoods.begin(), likelihoods.end(),
                  first.likelihoods.begin() + static_cast<std::ptrdiff_t>(frozen.size()));
        paths_.push_back(std::move(first));
    }

    // Best first.
    std::vector<Path> run() {
        node(frozen_.size(), 0);
        std::sort(paths_.begin(), paths_.end(),
                  [](const Path& a, const Path& b) { return a.cost < b.cost; });
        return std::move(paths_);
    }

private:
    void node(std::size_t size, std::size_t first_bit) {
        if (size == 1) {
            leaf(first_bit);
            return;
        }
        const std::size_t half = size / 2;
        for (Path& path : paths_) {
            const float* above = path.likelihoods.data() + size;
            float* below = path.likelihoods.data() + half;
            for (std::size_t i = 0; i < half; ++i) {
                below[i] = sign_min(above[i], above[i + half]);
            }
        }
        node(half, first_bit);
        for (Path& path : paths_) {
            const float* above = path.likelihoods.data() + size;
            float* below = path.likelihoods.data() + half;
            const std::uint8_t* decided = path.bits.data() + half;
            std::uint8_t* kept = path.left.data() + size;
            for (std::size_t i = 0; i < half; ++i) {
                kept[i] = decided[i];
                below[i] = above[i + half] + (decided[i] != 0 ? -above[i] : above[i]);
            }
        }
        node(half, first_bit + half);
        for (Path& path : paths_) {
            const std::uint8_t* right = path.bits.data() + half;
            const std::uint8_t* left = path.left.data() + size;
            std::uint8_t* out = path.bits.data() + size;
            for (std::size_t i = 0; i < half; ++i) {
                out[i] = static_cast<std::uint8_t>(left[i] ^ right[i]);
                out[i + half] = right[i];
            }
        }
    }

    void leaf(std::size_t bit) {
        if (frozen_[bit]) {
            for (Path& path : paths_) {
                path.bits[1] = 0;
                path.cost += cost_of(path.likelihoods[1], 0);
            }
            return;
        }
        fork();
    }

    // Every path goes both ways; the list_ cheapest stay.
    void fork() {
        struct Choice {
            std::size_t path;
            std::uint8_t bit;
            float cost;
        };
        std::vector<Choice> choices;
        for (std::size_t p = 0; p < paths_.size(); ++p) {
            for (const std::uint8_t bit : {std::uint8_t{0}, std::uint8_t{1}}) {
                choices.push_back(
                    {p, bit, paths_[p].cost + cost_of(paths_[p].likelihoods[1], bit)});
            }
        }
        if (choices.size() > list_) {
            std::nth_element(choices.begin(), choices.begin() + static_cast<std::ptrdiff_t>(list_),
                             choices.end(),
                             [](const Choice& a, const Choice& b) { return a.cost < b.cost; });
            choices.resize(list_);
        }
        std::vector<std::size_t> uses(paths_.size());
        for (const Choice& choice : choices) {
            ++uses[choice.path];
        }
        std::vector<Path> next;
        next.reserve(choices.size());
        for (const Choice& choice : choices) {
            // The last who wants a path takes it; the others copy.
            next.push_back(--uses[choice.path] == 0 ? std::move(paths_[choice.path])
                                                    : paths_[choice.path]);
            next.back().bits[1] = choice.bit;
            next.back().information.push_back(choice.bit);
            next.back().cost = choice.cost;
        }
        paths_ = std::move(next);
    }

    const std::vector<bool>& frozen_;
    std::size_t list_;
    std::vector<Path> paths_;
};

}  // namespace

PolarCode::PolarCode(std::size_t length, std::size_t information) : frozen_(length, true) {
    COLOPHON_ASSERT(std::has_single_bit(length) && information < length);
    const double beta = std::pow(2.0, 0.25);
    std::vector<double> weights(length);
    for (std::size_t place = 0; place < length; ++place) {
        double power = 1;
        for (std::size_t rest = place; rest != 0; rest >>= 1U) {
            weights[place] += (rest & 1U) != 0 ? power : 0;
            power *= beta;
        }
    }
    places_.resize(length);
    std::iota(places_.begin(), places_.end(), 0U);
    // No two places have the same weight.
    std::sort(places_.begin(), places_.end(),
              [&](std::size_t a, std::size_t b) { return weights[a] > weights[b]; });
    places_.resize(information);
    std::sort(places_.begin(), places_.end());
    for (const std::size_t place : places_) {
        frozen_[place] = false;
    }
}

std::vector<std::uint8_t> PolarCode::encode(std::span<const std::uint8_t> information) const {
    COLOPHON_ASSERT(information.size() == places_.size());
    std::vector<std::uint8_t> bits(frozen_.size());
    for (std::size_t i = 0; i < places_.size(); ++i) {
        bits[places_[i]] = information[i];
    }
    for (std::size_t half = 1; half < bits.size(); half *= 2) {
        for (std::size_t start = 0; start < bits.size(); start += 2 * half) {
            for (std::size_t i = start; i < start + half; ++i) {
                bits[i] = static_cast<std::uint8_t>(bits[i] ^ bits[i + half]);
            }
        }
    }
    return bits;
}

bool PolarCode::decode(
    std::span<const float> likelihoods, std::size_t list,
    const std::function<bool(std::span<const std::uint8_t> information)>& accept) const {
    COLOPHON_ASSERT(likelihoods.size() == frozen_.size() && list > 0);
    const std::vector<Path> paths = Decoder(frozen_, list, likelihoods).run();
    return std::any_of(paths.begin(), paths.end(),
                       [&](const Path& path) { return accept(path.information); });
}

}  // namespace colophon::label::internal
