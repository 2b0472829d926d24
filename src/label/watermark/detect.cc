// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/detect.h"

#include "label/watermark/internal/box.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/lattice.h"
#include "label/watermark/internal/reader.h"
#include "label/watermark/internal/spectrum.h"
#include "label/watermark/luma.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::Lattice;
using internal::Placement;

constexpr std::size_t kPairsTried = 16;
constexpr std::size_t kLatticesTried = 200;
constexpr std::size_t kLatticesClimbed = 10;
constexpr std::size_t kLatticesPlaced = 8;
constexpr double kPilotWorthTrying = 5;  // noise alone reaches 4.6 at the best of 40,000 places
// Of whitened noise the mean energy of a line is 4 / pi, with a deviation of 0.06 over all lines; a
// mark that can be read adds 0.3 and more.
constexpr double kEnergyWorthClimbing = 1.36;
constexpr double kEnergyWorthTrying = 1.45;

// The picture at the size in which it is searched, and its pixels in pixels of that.
struct Working {
    Luma luma;
    double scale_x = 1;
    double scale_y = 1;
    double period = internal::kTile;  // of a mark that nobody touched, pixels of the picture
};

Working working_copy(const Luma& picture) {
    Working working;
    const int shortest = picture.shortest_side();
    if (shortest <= internal::kCanonicalSide) {
        working.luma = picture;
        return working;
    }
    working.period =
        std::round(internal::kTile * static_cast<double>(shortest) / internal::kCanonicalSide);
    const double factor = internal::kTile / working.period;
    const int width = static_cast<int>(std::lround(picture.width * factor));
    const int height = static_cast<int>(std::lround(picture.height * factor));
    working.luma = internal::shrink(picture, width, height);
    working.scale_x = static_cast<double>(width) / picture.width;
    working.scale_y = static_cast<double>(height) / picture.height;
    return working;
}

enum class Extent : std::uint8_t { kWhole, kWindow };

class Search {
public:
    Search(Working working, const internal::Carrier& carrier)
        : working_(std::move(working)),
          carrier_(carrier),
          reader_(carrier),
          spectrum_(working_.luma) {}

    WatermarkReading run(DetectEffort effort, Extent extent) {
        if (try_lattice(untouched()) ||
            (working_.period != internal::kTile && try_lattice(native()))) {
            return reading_;
        }
        if (effort == DetectEffort::kThorough) {
            const internal::Autocorrelation likeness(spectrum_);
            std::vector<internal::LatticeCandidate> pairs = pair_peaks(likeness, kPairsTried);
            for (internal::LatticeCandidate& pair : pairs) {
                pair.lattice = internal::fit_to_peaks(likeness, pair.lattice);
            }
            if (!try_all(pairs) && !try_all(find_lattices(likeness, kLatticesTried)) &&
                extent == Extent::kWhole) {
                try_all(find_stretched_lattices(likeness, kLatticesTried));
            }
        }
        if (reading_.state == WatermarkState::kAbsent && reading_.pilot_score >= kPilotScoreMin) {
            reading_.state = WatermarkState::kPresent;
        }
        return reading_;
    }

    WatermarkReading run_at(double period) {
        try_lattice(upright(period));
        return reading_;
    }

private:
    // Tiles of so many pixels of the picture.
    Lattice upright(double period) const {
        return {.ax = period * working_.scale_x, .ay = 0, .bx = 0, .by = period * working_.scale_y};
    }
    Lattice untouched() const { return upright(working_.period); }
    // Pixels of the picture as they were, cut out of a larger one that needed no stretching.
    Lattice native() const { return upright(internal::kTile); }

    bool try_lattice(const Lattice& lattice) {
        return try_placement(reader_.place(spectrum_, lattice));
    }

    bool try_placement(const Placement& rough) {
        reading_.pilot_score = std::max(reading_.pilot_score, rough.pilot_score);
        if (rough.pilot_score < kPilotWorthTrying) {
            return false;
        }
        std::optional<internal::Decoded> decoded = reader_.decode(spectrum_, rough);
        Placement placement = rough;
        if (!decoded) {
            placement = reader_.refine(spectrum_, rough);
            reading_.pilot_score = std::max(reading_.pilot_score, placement.pilot_score);
            decoded = reader_.decode(spectrum_, placement);
        }
        if (!decoded) {
            return false;
        }
        reading_.state = WatermarkState::kFound;
        reading_.payload = decoded->payload;
        reading_.score = decoded->score;
        reading_.geometry = geometry(placement.lattice);
        return true;
    }

    // The energy at the tile's own frequencies tells a mark from the grids that pictures have by
    // themselves far better than the autocorrelation does, but must be looked at closely: so many
    // candidates are looked at once, the best of those are climbed from, and of what is reached the
    // best are decoded.
    bool try_all(const std::vector<internal::LatticeCandidate>& candidates) {
        const auto by_energy = [&](const Lattice& lattice) {
            return internal::LatticeCandidate{
                .lattice = lattice,
                .score = internal::line_energy(spectrum_, carrier_.bins(), lattice)};
        };
        std::vector<internal::LatticeCandidate> looked_at;
        for (const internal::LatticeCandidate& candidate : candidates) {
            looked_at.push_back(by_energy(candidate.lattice));
            if (looked_at.back().score < kEnergyWorthClimbing) {
                looked_at.pop_back();
            }
        }
        internal::keep_best(looked_at, kLatticesClimbed);
        for (internal::LatticeCandidate& candidate : looked_at) {
            candidate =
                by_energy(internal::fit_to_lines(spectrum_, carrier_.bins(), candidate.lattice));
        }
        internal::keep_best(looked_at, kLatticesPlaced);
        return std::any_of(
            looked_at.begin(), looked_at.end(), [&](const internal::LatticeCandidate& candidate) {
                return candidate.score > kEnergyWorthTrying && try_lattice(candidate.lattice);
            });
    }

    WatermarkGeometry geometry(const Lattice& found) const {
        // In pixels of the picture.
        const Lattice l{.ax = found.ax / working_.scale_x,
                        .ay = found.ay / working_.scale_y,
                        .bx = found.bx / working_.scale_x,
                        .by = found.by / working_.scale_y};
        WatermarkGeometry geometry;
        geometry.mirrored = l.determinant() < 0;
        const double degrees = 180 / std::numbers::pi;
        geometry.turn_degrees = geometry.mirrored ? std::atan2(-l.ay, -l.ax) * degrees
                                                  : std::atan2(l.ay, l.ax) * degrees;
        geometry.period_x = std::hypot(l.ax, l.ay);
        geometry.period_y = std::hypot(l.bx, l.by);
        const auto as_embedded = [&](double period) {
            return std::fabs(period / working_.period - 1) < 0.004;
        };
        geometry.untouched = !geometry.mirrored && std::fabs(geometry.turn_degrees) < 0.2 &&
                             as_embedded(geometry.period_x) && as_embedded(geometry.period_y);
        return geometry;
    }

    Working working_;
    const internal::Carrier& carrier_;
    internal::Reader reader_;
    internal::Spectrum spectrum_;
    WatermarkReading reading_;
};

constexpr int kSearchSideMin = 48;  // below lies nothing that a tile could show
constexpr int kWindowSideMin = 230;

// Part of a working copy.
Working cut(const Working& whole, int left, int top, int width, int height) {
    Working part = whole;
    part.luma = Luma(width, height);
    for (int y = 0; y < height; ++y) {
        const float* from = whole.luma.row(top + y) + left;
        std::copy(from, from + width, part.luma.row(y));
    }
    return part;
}

// Seen aslant, a picture has no one lattice; small parts of it nearly have. The middle, then the
// corners.
WatermarkReading find_in_windows(const Working& whole, const internal::Carrier& carrier) {
    const int width = whole.luma.width * 6 / 10;
    const int height = whole.luma.height * 6 / 10;
    WatermarkReading best;
    if (std::min(width, height) < kWindowSideMin) {
        return best;
    }
    const int right = whole.luma.width - width;
    const int bottom = whole.luma.height - height;
    constexpr std::array<std::array<int, 2>, 5> kPlaces{{{1, 1}, {0, 0}, {2, 0}, {0, 2}, {2, 2}}};
    for (const auto& [x, y] : kPlaces) {
        WatermarkReading reading =
            Search(cut(whole, right * x / 2, bottom * y / 2, width, height), carrier)
                .run(DetectEffort::kThorough, Extent::kWindow);
        if (reading.state == WatermarkState::kFound) {
            return reading;
        }
        if (reading.pilot_score > best.pilot_score) {
            best = reading;
        }
    }
    return best;
}

}  // namespace

WatermarkReading find_watermark(const Luma& picture, const internal::Carrier& carrier,
                                DetectEffort effort) {
    if (picture.shortest_side() < kSearchSideMin) {
        return {};
    }
    const Working working = working_copy(picture);
    WatermarkReading whole = Search(working, carrier).run(effort, Extent::kWhole);
    if (whole.state == WatermarkState::kFound || effort == DetectEffort::kFast) {
        return whole;
    }
    WatermarkReading part = find_in_windows(working, carrier);
    return part.pilot_score > whole.pilot_score || part.state == WatermarkState::kFound ? part
                                                                                        : whole;
}

WatermarkReading find_watermark_at(const Luma& picture, const internal::Carrier& carrier,
                                   double period) {
    if (picture.shortest_side() < kSearchSideMin) {
        return {};
    }
    return Search(working_copy(picture), carrier).run_at(period);
}

}  // namespace colophon::label
