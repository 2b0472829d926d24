// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/lattice.h"

#include "core/parallel.h"
#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/kernels.h"
#include "label/watermark/internal/spectrum.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <span>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr double kPi = std::numbers::pi;
// Neighbouring hypotheses differ by half a correlation length at the farthest point that is read.
constexpr double kPeriodStep = 0.006;  // of the logarithm
constexpr double kTurnStep = 0.006;    // radians
constexpr double kStretchMax = 0.12;

// Half of the points around the origin, as steps along a and b; the other half is the same by
// symmetry.
constexpr std::array<std::array<int, 2>, 12> kNear{{{1, 0},
                                                    {0, 1},
                                                    {1, 1},
                                                    {1, -1},
                                                    {2, 0},
                                                    {0, 2},
                                                    {2, 1},
                                                    {2, -1},
                                                    {1, 2},
                                                    {1, -2},
                                                    {2, 2},
                                                    {2, -2}}};

bool within(const Autocorrelation& likeness, double x, double y) {
    return std::fabs(x) <= likeness.reach_x() && std::fabs(y) <= likeness.reach_y();
}

constexpr int kPointsMin = 3;  // that must be there
constexpr std::size_t kFirst = 4;
constexpr float kFirstMin = 1.2F;  // of their sum: three of four hypotheses end there

double score(const Autocorrelation& likeness, const Lattice& lattice) {
    double sum = 0;
    int count = 0;
    for (std::size_t i = 0; i < kNear.size(); ++i) {
        if (i == kFirst && sum < static_cast<double>(kFirstMin)) {
            return 0;
        }
        const double x = kNear[i][0] * lattice.ax + kNear[i][1] * lattice.bx;
        const double y = kNear[i][0] * lattice.ay + kNear[i][1] * lattice.by;
        if (within(likeness, x, y)) {
            sum += std::min(likeness.at(x, y), kPointMax);
            ++count;
        }
    }
    return count < kPointsMin ? 0 : sum / std::sqrt(count);
}

bool alike(const Lattice& a, const Lattice& b) {
    const auto square = [](double x, double y) { return x * x + y * y; };
    const double size = square(a.ax, a.ay) + square(a.bx, a.by);
    const double difference = square(a.ax - b.ax, a.ay - b.ay) + square(a.bx - b.bx, a.by - b.by);
    return difference < 0.015 * 0.015 * size;
}

// The best `count` of many hypotheses, no two of them neighbours.
class Best {
public:
    explicit Best(std::size_t count) : count_(count) {}

    void add(const Lattice& lattice, double value) {
        if (candidates_.size() == count_ && value <= candidates_.back().score) {
            return;
        }
        const auto neighbour =
            std::find_if(candidates_.begin(), candidates_.end(),
                         [&](const LatticeCandidate& c) { return alike(c.lattice, lattice); });
        if (neighbour != candidates_.end()) {
            if (neighbour->score >= value) {
                return;
            }
            candidates_.erase(neighbour);
        } else if (candidates_.size() == count_) {
            candidates_.pop_back();
        }
        const auto place = std::find_if(candidates_.begin(), candidates_.end(),
                                        [&](const LatticeCandidate& c) { return c.score < value; });
        candidates_.insert(place, {.lattice = lattice, .score = value});
    }
    std::vector<LatticeCandidate> take() { return std::move(candidates_); }

private:
    std::size_t count_;
    std::vector<LatticeCandidate> candidates_;
};

// The highest of the values around (x, y), and where it lies between them.
struct Peak {
    double x;
    double y;
    double height;
};

// Within `radius`; that and one pixel more must lie within the reach.
Peak peak_near(const Autocorrelation& likeness, double x, double y, int radius) {
    const int cx = static_cast<int>(std::lround(x));
    const int cy = static_cast<int>(std::lround(y));
    int best_x = cx;
    int best_y = cy;
    float highest = -1e9F;
    for (int dy = -radius; dy <= radius; ++dy) {
        for (int dx = -radius; dx <= radius; ++dx) {
            const float value = likeness.at_pixel(cx + dx, cy + dy);
            if (value > highest) {
                highest = value;
                best_x = cx + dx;
                best_y = cy + dy;
            }
        }
    }
    const auto height = static_cast<double>(highest);
    const auto offset = [&](float before, float after) {
        const auto first = static_cast<double>(before);
        const auto last = static_cast<double>(after);
        const double bend = first - 2 * height + last;
        return bend < 0 ? std::clamp(0.5 * (first - last) / bend, -0.5, 0.5) : 0;
    };
    return {.x = best_x + offset(likeness.at_pixel(best_x - 1, best_y),
                                 likeness.at_pixel(best_x + 1, best_y)),
            .y = best_y + offset(likeness.at_pixel(best_x, best_y - 1),
                                 likeness.at_pixel(best_x, best_y + 1)),
            .height = height};
}

// The highest local maxima at distances that a period can have, of one half of the plane and,
// reversed, of the other.
std::vector<Peak> highest_peaks(const Autocorrelation& likeness) {
    constexpr std::size_t kPeaks = 48;
    std::vector<Peak> peaks;
    const int reach_x = static_cast<int>(std::min(likeness.reach_x() - 2, kPeriodMax));
    const int reach_y = static_cast<int>(std::min(likeness.reach_y() - 2, kPeriodMax));
    for (int y = 0; y <= reach_y; ++y) {
        for (int x = -reach_x; x <= reach_x; ++x) {
            const float height = likeness.at_pixel(x, y);
            const int square = x * x + y * y;
            if (height > 3 && square >= kPeriodMin * kPeriodMin &&
                square <= kPeriodMax * kPeriodMax && height >= likeness.at_pixel(x - 1, y) &&
                height > likeness.at_pixel(x + 1, y) && height >= likeness.at_pixel(x, y - 1) &&
                height > likeness.at_pixel(x, y + 1)) {
                peaks.push_back({.x = static_cast<double>(x),
                                 .y = static_cast<double>(y),
                                 .height = static_cast<double>(height)});
            }
        }
    }
    std::sort(peaks.begin(), peaks.end(),
              [](const Peak& a, const Peak& b) { return a.height > b.height; });
    peaks.resize(std::min(peaks.size(), kPeaks));
    const std::size_t found = peaks.size();
    for (std::size_t i = 0; i < found; ++i) {
        peaks[i] = peak_near(likeness, peaks[i].x, peaks[i].y, 0);
        const Peak reversed{.x = -peaks[i].x, .y = -peaks[i].y, .height = peaks[i].height};
        peaks.push_back(reversed);
    }
    return peaks;
}

// Weighted least squares for x = i * a + j * b, both coordinates with the same matrix.
class Fit {
public:
    void add(double i, double j, const Peak& peak) {
        const double w = peak.height * peak.height;
        ii_ += w * i * i;
        ij_ += w * i * j;
        jj_ += w * j * j;
        ix_ += w * i * peak.x;
        jx_ += w * j * peak.x;
        iy_ += w * i * peak.y;
        jy_ += w * j * peak.y;
    }
    Lattice solve(const Lattice& otherwise) const {
        const double d = ii_ * jj_ - ij_ * ij_;
        if (d <= 1e-9 * ii_ * jj_ || ii_ * jj_ == 0) {
            return otherwise;
        }
        return {.ax = (ix_ * jj_ - jx_ * ij_) / d,
                .ay = (iy_ * jj_ - jy_ * ij_) / d,
                .bx = (jx_ * ii_ - ix_ * ij_) / d,
                .by = (jy_ * ii_ - iy_ * ij_) / d};
    }

private:
    double ii_ = 0, ij_ = 0, jj_ = 0, ix_ = 0, jx_ = 0, iy_ = 0, jy_ = 0;
};

// Turns within a quarter, each a step beyond the one before, as cosines and sines.
struct Turns {
    Turns() {
        const int steps = static_cast<int>(std::ceil(kPi / 2 / kTurnStep));
        for (int i = 0; i < steps; ++i) {
            const double angle = i * kPi / 2 / steps;
            cosines.push_back(std::cos(angle));
            sines.push_back(std::sin(angle));
        }
    }
    std::vector<double> cosines;
    std::vector<double> sines;
};

// All periods, each a step longer than the one before.
std::vector<double> periods() {
    std::vector<double> all;
    const int steps = static_cast<int>(std::log(kPeriodMax / kPeriodMin) / kPeriodStep);
    all.reserve(static_cast<std::size_t>(steps) + 1);
    for (int i = 0; i <= steps; ++i) {
        all.push_back(kPeriodMin * std::exp(i * kPeriodStep));
    }
    return all;
}

// The lattice under 1 + small: larger, turned, stretched or sheared.
Lattice nudge(const Lattice& l, int way, double by) {
    constexpr std::array<std::array<int, 4>, 4> kWays{
        {{1, 0, 0, 1}, {0, -1, 1, 0}, {1, 0, 0, -1}, {0, 1, 1, 0}}};
    const std::array<int, 4>& m = kWays[static_cast<std::size_t>(way)];
    return {.ax = l.ax + by * (m[0] * l.ax + m[1] * l.ay),
            .ay = l.ay + by * (m[2] * l.ax + m[3] * l.ay),
            .bx = l.bx + by * (m[0] * l.bx + m[1] * l.by),
            .by = l.by + by * (m[2] * l.bx + m[3] * l.by)};
}

// The scores of square lattices of one period and all turns, several at a time.
class SquareScores {
public:
    explicit SquareScores(const Autocorrelation& likeness) : likeness_(likeness) {
        for (const auto& [first, second] : kNear) {
            points_.push_back(
                {.first = static_cast<float>(first), .second = static_cast<float>(second)});
        }
    }

    std::vector<LatticeCandidate> of(double period) {
        std::vector<LatticeCandidate> scored;
        const std::span<const LatticePoint> points(points_);
        x_.clear();
        y_.clear();
        for (std::size_t i = 0; i < turns_.sines.size(); ++i) {
            x_.push_back(static_cast<float>(period * turns_.cosines[i]));
            y_.push_back(static_cast<float>(period * turns_.sines[i]));
        }
        // Of long periods not all points are there.
        const auto all_within = [&](double farthest) {
            return within(likeness_, farthest + 2, farthest + 2);
        };
        sum(points.first(kFirst), all_within(std::numbers::sqrt2 * period), first_, counts_);
        std::size_t left = 0;
        for (std::size_t i = 0; i < x_.size(); ++i) {
            if (first_[i] >= kFirstMin) {
                x_[left] = x_[i];
                y_[left] = y_[i];
                first_[left] = first_[i];
                counts_[left] = counts_[i];
                ++left;
            }
        }
        x_.resize(left);
        y_.resize(left);
        sum(points.subspan(kFirst), all_within(2 * std::numbers::sqrt2 * period), rest_,
            rest_counts_);
        scored.reserve(left);
        for (std::size_t i = 0; i < left; ++i) {
            const auto count = static_cast<int>(counts_[i] + rest_counts_[i]);
            if (count >= kPointsMin) {
                scored.push_back(
                    {.lattice = square(i),
                     .score = static_cast<double>(first_[i] + rest_[i]) / std::sqrt(count)});
            }
        }
        return scored;
    }

private:
    Lattice square(std::size_t i) const {
        const auto x = static_cast<double>(x_[i]);
        const auto y = static_cast<double>(y_[i]);
        return {.ax = x, .ay = y, .bx = -y, .by = x};
    }
    // Of those points that are there, and how many are.
    void sum(std::span<const LatticePoint> points, bool all_there, std::vector<float>& out,
             std::vector<float>& counts) const {
        out.resize(x_.size());
        counts.assign(x_.size(), static_cast<float>(points.size()));
        const Steps steps{.x = x_.data(), .y = y_.data()};
        if (all_there) {
            sum_points(likeness_.plane(), points, steps, out.data(), out.size());
        } else {
            const PlaneWithin within{.plane = likeness_.plane(),
                                     .reach_x = static_cast<float>(likeness_.reach_x()),
                                     .reach_y = static_cast<float>(likeness_.reach_y())};
            sum_points_within(within, points, steps, {.sums = out.data(), .counts = counts.data()},
                              out.size());
        }
    }

    const Autocorrelation& likeness_;
    Turns turns_;
    std::vector<LatticePoint> points_;
    std::vector<float> x_;
    std::vector<float> y_;
    std::vector<float> first_;
    std::vector<float> rest_;
    std::vector<float> counts_;
    std::vector<float> rest_counts_;
};

}  // namespace

std::vector<LatticeCandidate> find_lattices(const Autocorrelation& likeness, std::size_t count,
                                            std::size_t threads) {
    const std::vector<double> all = periods();
    std::vector<std::vector<LatticeCandidate>> scored(all.size());
    // A few periods at a time, because what is kept of one costs little to make again.
    constexpr std::size_t kAtOnce = 16;
    parallel_for((all.size() + kAtOnce - 1) / kAtOnce, threads, [&](std::size_t part) {
        SquareScores scores(likeness);
        for (std::size_t i = part * kAtOnce; i < std::min(all.size(), (part + 1) * kAtOnce); ++i) {
            scored[i] = scores.of(all[i]);
        }
    });
    // In their order, on which depends which of two neighbours stays.
    Best best(count);
    for (const std::vector<LatticeCandidate>& period : scored) {
        for (const LatticeCandidate& candidate : period) {
            best.add(candidate.lattice, candidate.score);
        }
    }
    return best.take();
}

std::vector<LatticeCandidate> find_stretched_lattices(const Autocorrelation& likeness,
                                                      std::size_t count) {
    Best best(count);
    const int steps = static_cast<int>(kStretchMax / kPeriodStep);
    for (const double period : periods()) {
        for (int step = -steps; step <= steps; ++step) {
            const double height = period * (1 + step * kPeriodStep);
            const Lattice lattice{.ax = period, .ay = 0, .bx = 0, .by = height};
            best.add(lattice, score(likeness, lattice));
        }
    }
    return best.take();
}

void keep_best(std::vector<LatticeCandidate>& candidates, std::size_t count, double least) {
    std::erase_if(candidates, [&](const LatticeCandidate& each) { return each.score < least; });
    std::sort(
        candidates.begin(), candidates.end(),
        [](const LatticeCandidate& a, const LatticeCandidate& b) { return a.score > b.score; });
    candidates.resize(std::min(candidates.size(), count));
}

std::vector<LatticeCandidate> pair_peaks(const Autocorrelation& likeness, std::size_t count) {
    const std::vector<Peak> peaks = highest_peaks(likeness);
    Best best(count);
    for (const Peak& a : peaks) {
        // Each lattice once: a points to the right, b a quarter turn on, give or take 18 degrees.
        if (a.x < std::fabs(a.y)) {
            continue;
        }
        const double length_a = std::hypot(a.x, a.y);
        for (const Peak& b : peaks) {
            const double length_b = std::hypot(b.x, b.y);
            const double area = a.x * b.y - a.y * b.x;
            if (area > 0.95 * length_a * length_b &&
                std::fabs(std::log(length_a / length_b)) < 0.2) {
                const Lattice lattice{.ax = a.x, .ay = a.y, .bx = b.x, .by = b.y};
                best.add(lattice, score(likeness, lattice));
            }
        }
    }
    return best.take();
}

Lattice fit_to_peaks(const Autocorrelation& likeness, const Lattice& start) {
    constexpr int kRingsMax = 8;
    Lattice lattice = start;
    for (int rings = 1; rings <= kRingsMax; ++rings) {
        Fit fit;
        bool reached = false;
        for (int i = 0; i <= rings; ++i) {
            for (int j = i == 0 ? 1 : -rings; j <= rings; ++j) {
                const double x = i * lattice.ax + j * lattice.bx;
                const double y = i * lattice.ay + j * lattice.by;
                constexpr int kRadius = 2;
                if (!within(likeness, std::fabs(x) + kRadius + 2, std::fabs(y) + kRadius + 2)) {
                    continue;
                }
                const Peak peak = peak_near(likeness, x, y, kRadius);
                if (peak.height > 1.5) {
                    fit.add(i, j, peak);
                }
                reached = reached || i == rings || std::abs(j) == rings;
            }
        }
        lattice = fit.solve(lattice);
        if (!reached) {
            break;
        }
    }
    return lattice;
}

double line_energy(const Spectrum& spectrum, const Lattice& lattice) {
    const std::span<const Bin> bins = tile_bins();
    return spectrum.energy(lattice.frequencies(), bins) / static_cast<double>(bins.size());
}

Lattice fit_to_lines(const Spectrum& spectrum, const Lattice& start) {
    Lattice lattice = start;
    double energy = line_energy(spectrum, lattice);
    constexpr int kRounds = 4;
    double by = 0.003;
    for (int round = 0; round < kRounds; ++round) {
        for (int way = 0; way < 4; ++way) {
            for (const double signed_by : {by, -by}) {
                const Lattice next = nudge(lattice, way, signed_by);
                const double next_energy = line_energy(spectrum, next);
                if (next_energy > energy) {
                    lattice = next;
                    energy = next_energy;
                    break;
                }
            }
        }
        by /= 2;
    }
    return lattice;
}

}  // namespace colophon::label::internal
