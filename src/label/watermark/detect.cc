// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/detect.h"

#include "core/assert.h"
#include "core/parallel.h"
#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/box.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/lattice.h"
#include "label/watermark/internal/reader.h"
#include "label/watermark/internal/spectrum.h"
#include "label/watermark/internal/working.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <numbers>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::Lattice;
using internal::Placement;
using internal::Working;
using Whitening = internal::Spectrum::Whitening;

constexpr std::size_t kPairsTried = 16;
constexpr std::size_t kLatticesTried = 200;
constexpr std::size_t kLatticesClimbed = 10;
constexpr std::size_t kLatticesPlaced = 8;
constexpr double kPilotWorthTrying = 5;  // noise alone reaches 4.6 at the best of 40,000 places
// Of whitened noise the mean energy of a line is 4 / pi, with a deviation of 0.06 over all lines; a
// mark that can be read adds 0.3 and more.
constexpr double kEnergyWorthClimbing = 1.36;
constexpr double kEnergyWorthTrying = 1.45;
// Cycles per pixel: the band of a tile of kTile pixels, and a little more.
constexpr double kReachInPlace = 1.03 * internal::kBandHigh;

// Where a tile may repeat, from the likeliest kind to the rarest.
enum class Grids : std::uint8_t { kPairs, kSquares, kStretched };

// One part of a picture, and what is known of it whatever the key.
class Part {
public:
    // Made for frequencies up to `reach`; the rest when it is needed.
    Part(Working working, Whitening whitening, double reach, std::size_t threads)
        : working_(std::move(working)),
          spectrum_(working_.luma, whitening, reach),
          threads_(threads) {}

    const Working& working() const noexcept { return working_; }
    const internal::Spectrum& spectrum() const noexcept { return spectrum_; }

    // Makes what it takes to read tiles that lie like this, or nearly.
    void cover(const Lattice& lattice) {
        constexpr double kNearly = 1.02;
        constexpr double kFarthest = kNearly * internal::kBandHigh * internal::kTile;
        const internal::FrequencyMap map = lattice.frequencies();
        const double reach =
            kFarthest * std::max(std::hypot(map.xu, map.xv), std::hypot(map.yu, map.yv));
        if (reach > spectrum_.reach()) {
            spectrum_.widen();
        }
    }

    // Tiles of so many pixels of the picture.
    Lattice upright(double period) const {
        return {.ax = period * working_.scale_x, .ay = 0, .bx = 0, .by = period * working_.scale_y};
    }

    // Best first.
    const std::vector<Lattice>& lattices(Grids grids) {
        std::optional<std::vector<Lattice>>& known = lattices_[static_cast<std::size_t>(grids)];
        if (!known) {
            spectrum_.widen();
            known = climb(candidates(grids));
        }
        return *known;
    }

private:
    std::vector<internal::LatticeCandidate> candidates(Grids grids) {
        if (!likeness_) {
            likeness_.emplace(spectrum_);
        }
        if (grids == Grids::kSquares) {
            return find_lattices(*likeness_, kLatticesTried, threads_);
        }
        if (grids == Grids::kStretched) {
            return find_stretched_lattices(*likeness_, kLatticesTried);
        }
        std::vector<internal::LatticeCandidate> pairs = pair_peaks(*likeness_, kPairsTried);
        parallel_for(pairs.size(), threads_, [&](std::size_t i) {
            pairs[i].lattice = internal::fit_to_peaks(*likeness_, pairs[i].lattice);
        });
        return pairs;
    }

    // The energy at the tile's own frequencies tells a mark from the grids that pictures have by
    // themselves far better than the autocorrelation does, but must be looked at closely: so many
    // candidates are looked at once, the best of those are climbed from, and of what is reached the
    // best are worth decoding.
    std::vector<Lattice> climb(std::vector<internal::LatticeCandidate> candidates) const {
        parallel_for(candidates.size(), threads_, [&](std::size_t i) {
            candidates[i].score = internal::line_energy(spectrum_, candidates[i].lattice);
        });
        internal::keep_best(candidates, kLatticesClimbed, kEnergyWorthClimbing);
        parallel_for(candidates.size(), threads_, [&](std::size_t i) {
            internal::LatticeCandidate& candidate = candidates[i];
            candidate.lattice = internal::fit_to_lines(spectrum_, candidate.lattice);
            candidate.score = internal::line_energy(spectrum_, candidate.lattice);
        });
        internal::keep_best(candidates, kLatticesPlaced, kEnergyWorthTrying);
        std::vector<Lattice> best;
        best.reserve(candidates.size());
        for (const internal::LatticeCandidate& candidate : candidates) {
            best.push_back(candidate.lattice);
        }
        return best;
    }

    Working working_;
    internal::Spectrum spectrum_;
    std::size_t threads_;
    std::optional<internal::Autocorrelation> likeness_;
    std::array<std::optional<std::vector<Lattice>>, 3> lattices_;
};

WatermarkGeometry geometry_of(const Working& working, const Lattice& found) {
    // In pixels of the picture.
    const Lattice l{.ax = found.ax / working.scale_x,
                    .ay = found.ay / working.scale_y,
                    .bx = found.bx / working.scale_x,
                    .by = found.by / working.scale_y};
    WatermarkGeometry geometry;
    geometry.mirrored = l.determinant() < 0;
    const double degrees = 180 / std::numbers::pi;
    geometry.turn_degrees =
        geometry.mirrored ? std::atan2(-l.ay, -l.ax) * degrees : std::atan2(l.ay, l.ax) * degrees;
    geometry.period_x = std::hypot(l.ax, l.ay);
    geometry.period_y = std::hypot(l.bx, l.by);
    const auto as_embedded = [&](double period) {
        return std::fabs(period / working.period - 1) < 0.004;
    };
    geometry.untouched = !geometry.mirrored && std::fabs(geometry.turn_degrees) < 0.2 &&
                         as_embedded(geometry.period_x) && as_embedded(geometry.period_y);
    return geometry;
}

// Looks for the mark of one key.
class Search {
public:
    Search(const internal::Carrier& carrier, std::vector<PayloadForm> forms)
        : reader_(carrier, std::move(forms)) {}

    // As the embedder leaves it: in a picture of this size, or cut out of a larger one that needed
    // no stretching.
    bool find_in_place(Part& part) {
        return try_lattice(part, part.upright(part.working().period)) ||
               (part.working().period != internal::kTile &&
                try_lattice(part, part.upright(internal::kTile)));
    }
    bool find_anywhere(Part& part, std::span<const Grids> grids) {
        return std::any_of(grids.begin(), grids.end(), [&](Grids each) {
            const std::vector<Lattice>& lattices = part.lattices(each);
            return std::any_of(lattices.begin(), lattices.end(),
                               [&](const Lattice& lattice) { return try_lattice(part, lattice); });
        });
    }
    bool try_lattice(Part& part, const Lattice& lattice) {
        part.cover(lattice);
        const Placement rough = reader_.place(part.spectrum(), lattice);
        keep_pilot(part, rough);
        if (rough.pilot_score < kPilotWorthTrying) {
            return false;
        }
        Placement placement = rough;
        std::optional<internal::Decoded> decoded = reader_.decode(part.spectrum(), rough);
        if (!decoded) {
            placement = reader_.refine(part.spectrum(), rough);
            keep_pilot(part, placement);
            decoded = reader_.decode(part.spectrum(), placement);
        }
        if (!decoded) {
            return false;
        }
        reading_.state = WatermarkState::kFound;
        reading_.payload = decoded->payload;
        reading_.score = decoded->score;
        reading_.geometry = geometry_of(part.working(), placement.lattice);
        best_ = placement.lattice;
        return true;
    }
    // In pixels of the part that was looked at.
    const Lattice& best_lattice() const noexcept { return best_; }

    WatermarkReading reading() const {
        WatermarkReading reading = reading_;
        if (reading.state == WatermarkState::kAbsent && reading.pilot_score >= kPilotScoreMin) {
            reading.state = WatermarkState::kPresent;
        }
        return reading;
    }

private:
    void keep_pilot(const Part& part, const Placement& placement) {
        if (placement.pilot_score > reading_.pilot_score) {
            reading_.pilot_score = placement.pilot_score;
            reading_.geometry = geometry_of(part.working(), placement.lattice);
            best_ = placement.lattice;
        }
    }

    internal::Reader reader_;
    WatermarkReading reading_;
    Lattice best_;
};

constexpr int kSearchSideMin = 48;  // below lies nothing that a tile could show
constexpr int kWindowSideMin = 230;

// Part of a working copy.
Working cut(const Working& whole, int left, int top, int width, int height) {
    Working part{.luma = Luma(width, height),
                 .scale_x = whole.scale_x,
                 .scale_y = whole.scale_y,
                 .period = whole.period};
    for (int y = 0; y < height; ++y) {
        const float* from = whole.luma.row(top + y) + left;
        std::copy(from, from + width, part.luma.row(y));
    }
    return part;
}

// Seen aslant, a picture has no one lattice; small parts of it nearly have.
constexpr std::array<std::array<int, 2>, 5> kWindows{{{1, 1}, {0, 0}, {2, 0}, {0, 2}, {2, 2}}};

constexpr std::array kWindowGrids{Grids::kPairs, Grids::kSquares};

bool has_windows(const Working& whole) {
    return std::min(whole.luma.width, whole.luma.height) * 6 / 10 >= kWindowSideMin;
}

// The middle, then the corners.
Working window(const Working& whole, const std::array<int, 2>& place) {
    const int width = whole.luma.width * 6 / 10;
    const int height = whole.luma.height * 6 / 10;
    return cut(whole, (whole.luma.width - width) * place[0] / 2,
               (whole.luma.height - height) * place[1] / 2, width, height);
}

}  // namespace

namespace internal {

int tile_period(int shortest_side, int canonical_side) {
    const double scale = std::max(1.0, static_cast<double>(shortest_side) / canonical_side);
    return static_cast<int>(std::lround(kTile * scale));
}

Working working_copy(const Luma& picture, int canonical_side) {
    Working working;
    const int shortest = picture.shortest_side();
    if (shortest <= canonical_side) {
        working.luma = picture;
        return working;
    }
    working.period = tile_period(shortest, canonical_side);
    const double factor = kTile / working.period;
    const int width = static_cast<int>(std::lround(picture.width * factor));
    const int height = static_cast<int>(std::lround(picture.height * factor));
    working.luma = shrink(picture, width, height);
    working.scale_x = static_cast<double>(width) / picture.width;
    working.scale_y = static_cast<double>(height) / picture.height;
    return working;
}

}  // namespace internal

struct WatermarkSearch::State {
    State(Working working, Whitening how, std::span<const PayloadForm> looked_for,
          std::size_t threads_max)
        : threads(std::max<std::size_t>(threads_max, 1)),
          // As far as tiles need that lie as the embedder leaves them.
          whole(std::move(working), how, kReachInPlace, threads),
          whitening(how),
          forms(looked_for.begin(), looked_for.end()) {}

    WatermarkReading keep(const Search& search) {
        best = search.best_lattice();
        return search.reading();
    }

    // Those from `first` on that are made side by side, with what a search asks of them whatever
    // the key. The middle one is made alone: most of what windows find is found there.
    void make_windows(std::size_t first) {
        const std::size_t count = first == 0 ? 1 : std::min(threads, kWindows.size() - first);
        parallel_for(count, threads, [&](std::size_t i) {
            windows[first + i] = std::make_unique<Part>(
                window(whole.working(), kWindows[first + i]), whitening,
                internal::Spectrum::kFrequencyMax, count > 1 ? std::size_t{1} : threads);
            for (const Grids grids : kWindowGrids) {
                if (count > 1) {
                    windows[first + i]->lattices(grids);
                }
            }
        });
    }

    std::size_t threads;
    Part whole;
    Whitening whitening;
    std::vector<PayloadForm> forms;
    std::array<std::unique_ptr<Part>, kWindows.size()> windows;
    Lattice best;
};

WatermarkSearch::WatermarkSearch(const Luma& picture, std::size_t threads) {
    if (picture.shortest_side() >= kSearchSideMin) {
        state_ = std::make_unique<State>(internal::working_copy(picture, internal::kCanonicalSide),
                                         Whitening::kFull, kPayloadForms, threads);
    }
}

WatermarkSearch::WatermarkSearch(Working sum, std::span<const PayloadForm> forms,
                                 std::size_t threads) {
    if (sum.luma.shortest_side() >= kSearchSideMin) {
        state_ = std::make_unique<State>(std::move(sum), Whitening::kFrequencies, forms, threads);
    }
}

WatermarkSearch::~WatermarkSearch() = default;

WatermarkReading WatermarkSearch::find(const internal::Carrier& carrier, DetectEffort effort,
                                       SearchParts parts) {
    if (state_ == nullptr) {
        return {};
    }
    Search search(carrier, state_->forms);
    if (search.find_in_place(state_->whole) || effort == DetectEffort::kFast) {
        return state_->keep(search);
    }
    constexpr std::array kAll{Grids::kPairs, Grids::kSquares, Grids::kStretched};
    if (search.find_anywhere(state_->whole, kAll) || !has_windows(state_->whole.working()) ||
        state_->whitening != Whitening::kFull) {
        return state_->keep(search);
    }
    for (std::size_t i = 0; i < kWindows.size(); ++i) {
        if (state_->windows[i] == nullptr) {
            state_->make_windows(i);
        }
        Part& part = *state_->windows[i];
        if (search.find_in_place(part) || search.find_anywhere(part, kWindowGrids)) {
            break;
        }
        if (parts == SearchParts::kForget) {
            state_->windows[i].reset();
        }
    }
    return state_->keep(search);
}

WatermarkReading WatermarkSearch::find_at(const internal::Carrier& carrier, double period) {
    return state_ == nullptr ? WatermarkReading() : find_on(carrier, state_->whole.upright(period));
}

WatermarkReading WatermarkSearch::find_on(const internal::Carrier& carrier,
                                          const internal::Lattice& lattice) {
    if (state_ == nullptr) {
        return {};
    }
    Search search(carrier, state_->forms);
    search.try_lattice(state_->whole, lattice);
    return state_->keep(search);
}

const internal::Lattice& WatermarkSearch::best_lattice() const {
    COLOPHON_ASSERT(state_ != nullptr);
    return state_->best;
}

WatermarkReading find_watermark(const Luma& picture, const internal::Carrier& carrier,
                                DetectEffort effort) {
    return WatermarkSearch(picture).find(carrier, effort, SearchParts::kForget);
}

}  // namespace colophon::label
