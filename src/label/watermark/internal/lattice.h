// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds the grid on which a tile repeats, without knowing the tile: by how a picture resembles
// itself when moved (Kutter 1998; Alattar and Meyer), refined on its spectrum. A grid is a hint
// where to decode, never evidence: pictures have grids of their own.

#include "label/watermark/internal/spectrum.h"

#include <array>
#include <cstddef>
#include <vector>

namespace colophon::label::internal {

// The two steps, in pixels, by which the tile repeats: along its own x axis and its own y axis.
struct Lattice {
    double ax = 0;
    double ay = 0;
    double bx = 0;
    double by = 0;

    double determinant() const noexcept { return ax * by - ay * bx; }
    // Cycles per pixel of coefficient (u, v) of the tile.
    std::array<double, 2> frequency(double u, double v) const noexcept {
        const FrequencyMap map = frequencies();
        return {map.xu * u + map.xv * v, map.yu * u + map.yv * v};
    }
    FrequencyMap frequencies() const noexcept {
        const double d = determinant();
        return {.xu = by / d, .xv = -ay / d, .yu = -bx / d, .yv = ax / d};
    }
};

inline constexpr double kPeriodMin = 28;   // pixels: scale 0.4
inline constexpr double kPeriodMax = 180;  // and 2.57

struct LatticeCandidate {
    Lattice lattice;
    double score = 0;  // how far the autocorrelation at its points is above noise, in deviations
};

// The `count` of highest score that reach `least`, best first.
void keep_best(std::vector<LatticeCandidate>& candidates, std::size_t count, double least);

// Lattices of any shape near a square, from pairs of the highest peaks: sheared, stretched, seen
// slightly aslant. Best first, at most `count`.
std::vector<LatticeCandidate> pair_peaks(const Autocorrelation& likeness, std::size_t count);
// The likeliest square lattices of any turn within a quarter, best first, at most `count`. What is
// found does not depend on the number of threads.
std::vector<LatticeCandidate> find_lattices(const Autocorrelation& likeness, std::size_t count,
                                            std::size_t threads = 1);
// The same for tiles that are upright but wider than high, or higher than wide, by up to 12 %.
std::vector<LatticeCandidate> find_stretched_lattices(const Autocorrelation& likeness,
                                                      std::size_t count);

// Fits the lattice to the peaks near its points, outwards.
Lattice fit_to_peaks(const Autocorrelation& likeness, const Lattice& start);

// Mean squared magnitude of the spectrum at the tile's coefficients; noise has about the same
// everywhere.
double line_energy(const Spectrum& spectrum, const Lattice& lattice);
// Climbs to the nearest lattice of the most line energy.
Lattice fit_to_lines(const Spectrum& spectrum, const Lattice& start);

}  // namespace colophon::label::internal
