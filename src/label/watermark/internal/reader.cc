// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/reader.h"

#include "label/watermark/detect.h"
#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/lattice.h"
#include "label/watermark/internal/polar.h"
#include "label/watermark/internal/spectrum.h"
#include "label/watermark/payload.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr float kTau = 6.28318530717958647692F;
constexpr std::size_t kListSize = 32;

// The eight symmetries of a square, as what a step along u and v becomes.
using Symmetry = std::array<int, 4>;  // a' = [0] a + [1] b, b' = [2] a + [3] b
constexpr std::array<Symmetry, 8> kSymmetries{{{1, 0, 0, 1},
                                               {0, -1, 1, 0},
                                               {-1, 0, 0, -1},
                                               {0, 1, -1, 0},
                                               {-1, 0, 0, 1},
                                               {1, 0, 0, -1},
                                               {0, 1, 1, 0},
                                               {0, -1, -1, 0}}};

// The steps of a lattice exchanged and reversed as the symmetry says.
Lattice turned(const Lattice& l, const Symmetry& s) {
    return {.ax = s[0] * l.ax + s[1] * l.bx,
            .ay = s[0] * l.ay + s[1] * l.by,
            .bx = s[2] * l.ax + s[3] * l.bx,
            .by = s[2] * l.ay + s[3] * l.by};
}

Complex unit(double turns) {
    const float angle = kTau * static_cast<float>(turns - std::floor(turns));
    return {std::cos(angle), std::sin(angle)};
}

// std::complex looks for infinities in each of its products.
Complex times(const Complex& a, const Complex& b) {
    return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

// By how much a coefficient (u, v) is turned when the tile is moved back by a shift.
class Shifts {
public:
    Shifts(double shift_u, double shift_v) {
        for (int i = 0; i < kCount; ++i) {
            along_u_[static_cast<std::size_t>(i)] = unit(-(i - kReach) * shift_u);
            along_v_[static_cast<std::size_t>(i)] = unit(-(i - kReach) * shift_v);
        }
    }
    Complex at(const Bin& bin) const {
        const int u = bin.u + kReach;
        const int v = bin.v + kReach;
        return times(along_u_[static_cast<std::size_t>(u)], along_v_[static_cast<std::size_t>(v)]);
    }

private:
    static constexpr int kReach = static_cast<int>(kBandHigh * kTile);
    static constexpr int kCount = 2 * kReach + 1;
    std::array<Complex, kCount> along_u_;
    std::array<Complex, kCount> along_v_;
};

// One of the four numbers of the lattice, or of the two of the shift, changed a little.
Placement nudge(const Placement& from, int way, double by) {
    Placement next = from;
    Lattice& l = next.lattice;
    const std::array<double*, 6> numbers{&l.ax, &l.ay, &l.bx, &l.by, &next.shift_u, &next.shift_v};
    *numbers[static_cast<std::size_t>(way)] +=
        way < 4 ? std::hypot(l.ax, l.ay) * by * 0.004 : by / kTile;
    return next;
}

// Noise in one degree of freedom, from everything that was received.
double noise_power(std::span<const Complex> received) {
    double sum = 0;
    for (const Complex& value : received) {
        sum += static_cast<double>(std::norm(value));
    }
    return sum / (2 * static_cast<double>(received.size()));
}

// How far what was received agrees with what should have been sent, in deviations of what is left
// when that is taken away.
double match_score(std::span<const Complex> received, std::span<const float> weights,
                   std::span<const Complex> sent) {
    double match = 0;
    double energy = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const double weight = weights[i];
        match += weight * static_cast<double>((std::conj(sent[i]) * received[i]).real());
        energy += 2 * weight * weight;
    }
    const double fitted = match / energy;
    double rest = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const auto expected = static_cast<float>(fitted * static_cast<double>(weights[i]));
        rest += static_cast<double>(std::norm(received[i] - expected * sent[i]));
    }
    const double sigma = std::sqrt(rest / (2 * static_cast<double>(sent.size())));
    return sigma > 0 ? match / (sigma * std::sqrt(energy)) : 0;
}

}  // namespace

Reader::Reader(const Carrier& carrier, std::vector<PayloadForm> forms)
    : carrier_(carrier), forms_(std::move(forms)) {
    const std::span<const Bin> bins = tile_bins();
    std::map<std::pair<int, int>, std::size_t> index;
    for (std::size_t i = 0; i < bins.size(); ++i) {
        index[{bins[i].u, bins[i].v}] = i;
    }
    for (std::size_t s = 0; s < kSymmetries.size(); ++s) {
        // A frequency with u cycles along a' and v along b' has these along a and b: the inverse,
        // which is the transpose, of the symmetry, applied to (u, v).
        const Symmetry& g = kSymmetries[s];
        for (const Bin& bin : bins) {
            const int u = g[0] * bin.u + g[2] * bin.v;
            const int v = g[1] * bin.u + g[3] * bin.v;
            const auto found = index.find({u, v});
            symmetric_[s].push_back(found != index.end()
                                        ? Source{.bin = found->second, .conjugate = false}
                                        : Source{.bin = index.at({-u, -v}), .conjugate = true});
        }
    }
    std::vector<double> radii;
    for (const Bin& bin : bins) {
        radii.push_back(std::hypot(bin.u, bin.v));
    }
    std::vector<double> sorted = radii;
    std::sort(sorted.begin(), sorted.end());
    for (const double radius : radii) {
        const auto below = static_cast<std::size_t>(
            std::lower_bound(sorted.begin(), sorted.end(), radius) - sorted.begin());
        rings_.push_back(below * kRings / bins.size());
    }
    for (std::size_t i = 0; i < bins.size(); ++i) {
        const Complex pilot = carrier.pilot()[i];
        if (std::norm(pilot) > 0) {
            pilot_bins_.push_back(i);
            pilot_places_.push_back(bins[i]);
            pilot_parts_ += static_cast<double>(std::norm(pilot));
        }
    }
}

std::vector<Complex> Reader::read(const Spectrum& spectrum, const Lattice& lattice) const {
    std::vector<Complex> received(tile_bins().size());
    spectrum.read(lattice.frequencies(), tile_bins(), received);
    return received;
}

Placement Reader::place(const Spectrum& spectrum, const Lattice& lattice) const {
    const std::vector<Complex> received = read(spectrum, lattice);
    const double sigma = std::sqrt(noise_power(received) * pilot_parts_);
    Placement best{.lattice = lattice};
    if (sigma <= 0) {
        return best;
    }
    // Half of the products, and the column u = 0 whole: the transform adds their conjugates.
    constexpr std::size_t kColumns = std::size_t{kTile} / 2 + 1;
    std::vector<Complex> products(kColumns * kTile);
    for (std::size_t s = 0; s < kSymmetries.size(); ++s) {
        std::fill(products.begin(), products.end(), Complex(0));
        for (const std::size_t i : pilot_bins_) {
            const Source& source = symmetric_[s][i];
            const Complex value =
                source.conjugate ? std::conj(received[source.bin]) : received[source.bin];
            const Bin& bin = tile_bins()[i];
            const Complex product = times(std::conj(value), carrier_.pilot()[i]);
            const auto row = static_cast<std::size_t>(bin.v < 0 ? bin.v + kTile : bin.v);
            products[row * kColumns + static_cast<std::size_t>(bin.u)] = product;
            if (bin.u == 0) {
                products[(kTile - row) * kColumns] = std::conj(product);
            }
        }
        const std::vector<float> sums = transform_back(products, kTile, kTile);
        const auto peak = std::max_element(sums.begin(), sums.end());
        const double score = static_cast<double>(*peak) / (2 * sigma);
        if (score > best.pilot_score) {
            const auto at = static_cast<int>(peak - sums.begin());
            const int row = at / kTile;
            best = {.lattice = turned(lattice, kSymmetries[s]),
                    .shift_u = static_cast<double>(at % kTile) / kTile,
                    .shift_v = static_cast<double>(row) / kTile,
                    .pilot_score = score};
        }
    }
    return best;
}

double Reader::pilot_correlation(const Spectrum& spectrum, const Placement& placement) const {
    std::vector<Complex> received(pilot_bins_.size());
    spectrum.read(placement.lattice.frequencies(), pilot_places_, received);
    const Shifts shifts(placement.shift_u, placement.shift_v);
    double sum = 0;
    for (std::size_t i = 0; i < received.size(); ++i) {
        const Complex value = times(received[i], shifts.at(pilot_places_[i]));
        sum +=
            static_cast<double>(times(std::conj(value), carrier_.pilot()[pilot_bins_[i]]).real());
    }
    return sum;
}

Placement Reader::refine(const Spectrum& spectrum, const Placement& start) const {
    constexpr int kRounds = 4;
    Placement best = start;
    double most = pilot_correlation(spectrum, best);
    const double before = most;
    double by = 0.25;  // canonical pixels of shift; a 250th of that of the lattice
    for (int round = 0; round < kRounds; ++round) {
        for (int way = 0; way < 6; ++way) {
            for (const double sign : {1.0, -1.0}) {
                const Placement next = nudge(best, way, sign * by);
                const double value = pilot_correlation(spectrum, next);
                if (value > most) {
                    most = value;
                    best = next;
                    break;
                }
            }
        }
        by /= 2;
    }
    if (before > 0) {
        best.pilot_score *= most / before;
    }
    return best;
}

std::vector<float> Reader::weigh(const Spectrum& spectrum, const Placement& placement,
                                 std::span<const Complex> received) const {
    // A signal that was flat arrives as strong as whitening left it, times what the way has done to
    // its frequencies: coding and shrinking take the high ones. The pilot shows how much, ring by
    // ring.
    std::vector<float> weights;
    std::array<double, kRings> match{};
    std::array<double, kRings> energy{};
    for (std::size_t i = 0; i < received.size(); ++i) {
        const Bin& bin = tile_bins()[i];
        const auto [fx, fy] = placement.lattice.frequency(bin.u, bin.v);
        const float gain = spectrum.gain(fx, fy);
        weights.push_back(gain);
        const Complex known = carrier_.pilot()[i];
        match[rings_[i]] += static_cast<double>(gain * (std::conj(known) * received[i]).real());
        energy[rings_[i]] += static_cast<double>(gain * gain * std::norm(known));
    }
    std::array<double, kRings> amplitude{};
    for (std::size_t r = 0; r < kRings; ++r) {
        const std::size_t inner = r == 0 ? r : r - 1;
        const std::size_t outer = r + 1 == kRings ? r : r + 1;
        const double sum = match[inner] + 2 * match[r] + match[outer];
        const double over = energy[inner] + 2 * energy[r] + energy[outer];
        amplitude[r] = over > 0 ? std::max(0.0, sum / over) : 0;
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
        weights[i] *= static_cast<float>(amplitude[rings_[i]]);
    }
    return weights;
}

std::optional<Reader::Heard> Reader::hear(const Spectrum& spectrum,
                                          const Placement& placement) const {
    Heard heard{.received = read(spectrum, placement.lattice), .weights = {}};
    const Shifts shifts(placement.shift_u, placement.shift_v);
    for (std::size_t i = 0; i < heard.received.size(); ++i) {
        heard.received[i] = times(heard.received[i], shifts.at(tile_bins()[i]));
    }
    // The expected amplitude of each coefficient, so that a likelihood is twice amplitude times
    // value over noise.
    heard.weights = weigh(spectrum, placement, heard.received);
    double signal = 0;
    for (const float weight : heard.weights) {
        signal += static_cast<double>(weight) * weight;
    }
    if (signal <= 0) {
        return std::nullopt;
    }
    signal /= static_cast<double>(heard.weights.size());
    const double power = noise_power(heard.received);
    heard.noise = std::max(power - signal, 0.1 * power);
    return heard;
}

void Reader::listen(const Heard& heard, PayloadForm form,
                    const std::function<bool(std::span<const std::uint8_t>)>& accept) const {
    std::vector<float> values = carrier_.demodulate(heard.received, heard.weights, form);
    for (float& value : values) {
        value *= static_cast<float>(2 / heard.noise);
    }
    payload_code(form).decode(values, kListSize, accept);
}

std::optional<Decoded> Reader::decode(const Spectrum& spectrum, const Placement& placement) const {
    const std::optional<Heard> heard = hear(spectrum, placement);
    if (!heard) {
        return std::nullopt;
    }
    for (const PayloadForm form : forms_) {
        std::optional<WatermarkPayload> payload;
        listen(*heard, form, [&](std::span<const std::uint8_t> bits) {
            payload = unpack_payload(bits, form, carrier_.key());
            return payload.has_value();
        });
        if (payload) {
            const double score =
                match_score(heard->received, heard->weights, carrier_.modulate(*payload));
            if (score >= score_min(form)) {
                return Decoded{.payload = *payload, .score = score};
            }
        }
    }
    return std::nullopt;
}

std::vector<Gates> Reader::gates(const Spectrum& spectrum, const Placement& placement) const {
    std::vector<Gates> all;
    const std::optional<Heard> heard = hear(spectrum, placement);
    if (!heard) {
        return all;
    }
    for (const PayloadForm form : forms_) {
        Gates gates;
        bool first = true;
        listen(*heard, form, [&](std::span<const std::uint8_t> bits) {
            const auto score = [&] {
                return match_score(heard->received, heard->weights, carrier_.modulate(bits, form));
            };
            if (first) {
                gates.likeliest_score = score();
                first = false;
            }
            const auto payload = unpack_payload(bits, form, carrier_.key());
            if (payload) {
                gates.fits = Decoded{.payload = *payload, .score = score()};
            }
            return payload.has_value();
        });
        all.push_back(gates);
    }
    return all;
}

}  // namespace colophon::label::internal
