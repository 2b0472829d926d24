// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/spoken_find.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <optional>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::size_t kWindow = 256;  // 32 ms
constexpr std::size_t kHop = 128;     // 16 ms
constexpr std::size_t kBands = 20;
constexpr double kLowestHertz = 200.0;
constexpr double kHighestHertz = 3600.0;
constexpr std::array kStretches{1.0, 0.99, 1.01, 0.98, 1.02};
constexpr double kPromptSecondsMin = 0.5;
constexpr double kPromptSecondsMax = 12.0;  // of a longer one the beginning is enough

using Frame = std::array<float, kBands>;
using Picture = std::vector<Frame>;

// A spectrum with its parts apart, so that the compiler can take several lines at once.
struct Spectrum {
    alignas(32) std::array<float, kWindow> real;
    alignas(32) std::array<float, kWindow> imaginary;
};

// For each stage that joins halves of h lines, at h .. 2 h - 1: exp(-pi i k / h), k < h.
Spectrum turns() {
    Spectrum out{};
    for (std::size_t half = 1; half < kWindow; half *= 2) {
        for (std::size_t k = 0; k < half; ++k) {
            const double angle =
                -std::numbers::pi * static_cast<double>(k) / static_cast<double>(half);
            out.real[half + k] = static_cast<float>(std::cos(angle));
            out.imaginary[half + k] = static_cast<float>(std::sin(angle));
        }
    }
    return out;
}

// Where each sample goes before the first stage: its index with the bits reversed.
std::array<std::size_t, kWindow> places() {
    std::array<std::size_t, kWindow> out{};
    for (std::size_t i = 1; i < kWindow; ++i) {
        out[i] = out[i / 2] / 2 + (i % 2 == 1 ? kWindow / 2 : 0);
    }
    return out;
}

// The discrete Fourier transform of what stands at places().
void fft(Spectrum& x) {
    static const Spectrum kTurns = turns();
    for (std::size_t half = 1; half < kWindow; half *= 2) {
        const float* turn_real = kTurns.real.data() + half;
        const float* turn_imaginary = kTurns.imaginary.data() + half;
        for (std::size_t start = 0; start < kWindow; start += 2 * half) {
            float* real = x.real.data() + start;
            float* imaginary = x.imaginary.data() + start;
            for (std::size_t k = 0; k < half; ++k) {
                const float odd_real =
                    turn_real[k] * real[half + k] - turn_imaginary[k] * imaginary[half + k];
                const float odd_imaginary =
                    turn_real[k] * imaginary[half + k] + turn_imaginary[k] * real[half + k];
                real[half + k] = real[k] - odd_real;
                imaginary[half + k] = imaginary[k] - odd_imaginary;
                real[k] += odd_real;
                imaginary[k] += odd_imaginary;
            }
        }
    }
}

double mel(double hertz) {
    return 2595.0 * std::log10(1.0 + hertz / 700.0);
}

// The band of each spectral line, kBands for none.
std::array<std::size_t, kWindow / 2> bands_of_lines() {
    std::array<std::size_t, kWindow / 2> bands{};
    for (std::size_t line = 0; line < bands.size(); ++line) {
        const double hertz = static_cast<double>(line) * kDetectionRate / kWindow;
        const double place =
            (mel(hertz) - mel(kLowestHertz)) / (mel(kHighestHertz) - mel(kLowestHertz));
        const bool inside = place >= 0 && place < 1;
        bands[line] = inside ? static_cast<std::size_t>(place * kBands) : kBands;
    }
    return bands;
}

Picture picture_of(const std::vector<float>& samples) {
    static const auto kBandOfLine = bands_of_lines();
    static const auto kPlaces = places();
    std::array<float, kWindow> window{};
    for (std::size_t i = 0; i < kWindow; ++i) {
        window[i] = 0.5F - 0.5F * std::cos(2.0F * std::numbers::pi_v<float> *
                                           (static_cast<float>(i) + 0.5F) / kWindow);
    }
    Picture picture;
    Spectrum spectrum;
    for (std::size_t start = 0; start + kWindow <= samples.size(); start += kHop) {
        spectrum.imaginary.fill(0.0F);
        for (std::size_t i = 0; i < kWindow; ++i) {
            spectrum.real[kPlaces[i]] = samples[start + i] * window[i];
        }
        fft(spectrum);
        Frame frame{};
        for (std::size_t line = 0; line < kWindow / 2; ++line) {
            if (kBandOfLine[line] < kBands) {
                frame[kBandOfLine[line]] += spectrum.real[line] * spectrum.real[line] +
                                            spectrum.imaginary[line] * spectrum.imaginary[line];
            }
        }
        for (float& energy : frame) {
            energy = std::pow(energy, 0.2F);
        }
        picture.push_back(frame);
    }
    return picture;
}

// The picture at another tempo, and with the mean of each band taken off; its norm.
Picture stretched(const Picture& picture, double factor, double& norm) {
    const auto size = static_cast<std::size_t>(static_cast<double>(picture.size()) * factor);
    Picture out(size);
    Frame mean{};
    for (std::size_t f = 0; f < size; ++f) {
        const double place = static_cast<double>(f) / factor;
        const std::size_t low = std::min(static_cast<std::size_t>(place), picture.size() - 1);
        const std::size_t high = std::min(low + 1, picture.size() - 1);
        const auto part = static_cast<float>(place - static_cast<double>(low));
        for (std::size_t b = 0; b < kBands; ++b) {
            out[f][b] = picture[low][b] * (1 - part) + picture[high][b] * part;
            mean[b] += out[f][b] / static_cast<float>(size);
        }
    }
    norm = 0;
    for (Frame& frame : out) {
        for (std::size_t b = 0; b < kBands; ++b) {
            frame[b] -= mean[b];
            norm += static_cast<double>(frame[b]) * static_cast<double>(frame[b]);
        }
    }
    norm = std::sqrt(norm);
    return out;
}

// Sums of the sound's picture and of its squares up to each frame, for the norm of every place.
struct Sums {
    std::vector<std::array<double, kBands>> sum;
    std::vector<double> squares;
};

Sums sums_of(const Picture& picture) {
    Sums sums;
    sums.sum.resize(picture.size() + 1);
    sums.squares.resize(picture.size() + 1);
    for (std::size_t f = 0; f < picture.size(); ++f) {
        sums.squares[f + 1] = sums.squares[f];
        for (std::size_t b = 0; b < kBands; ++b) {
            const auto value = static_cast<double>(picture[f][b]);
            sums.sum[f + 1][b] = sums.sum[f][b] + value;
            sums.squares[f + 1] += value * value;
        }
    }
    return sums;
}

double norm_at(const Sums& sums, std::size_t start, std::size_t size) {
    double square = sums.squares[start + size] - sums.squares[start];
    for (std::size_t b = 0; b < kBands; ++b) {
        const double sum = sums.sum[start + size][b] - sums.sum[start][b];
        square -= sum * sum / static_cast<double>(size);
    }
    return std::sqrt(std::max(square, 0.0));
}

double score_at(const Picture& sound, const Picture& prompt, std::size_t start) {
    // A sum for each band, so that the compiler can take several bands at once.
    Frame sums{};
    for (std::size_t f = 0; f < prompt.size(); ++f) {
        const Frame& a = sound[start + f];
        const Frame& b = prompt[f];
        for (std::size_t band = 0; band < kBands; ++band) {
            sums[band] += a[band] * b[band];
        }
    }
    double sum = 0;
    for (const float part : sums) {
        sum += static_cast<double>(part);
    }
    return sum;
}

}  // namespace

std::optional<SpokenHit> best_spoken(const std::vector<float>& samples,
                                     const std::vector<float>& prompt) {
    if (static_cast<double>(prompt.size()) < kPromptSecondsMin * kDetectionRate) {
        return std::nullopt;
    }
    const auto longest = static_cast<std::size_t>(kPromptSecondsMax * kDetectionRate);
    const Picture wanted = picture_of(
        {prompt.begin(),
         prompt.begin() + static_cast<std::ptrdiff_t>(std::min(longest, prompt.size()))});
    const Picture sound = picture_of(samples);
    const Sums sums = sums_of(sound);
    std::optional<SpokenHit> best;
    for (const double stretch : kStretches) {
        double norm = 0;
        const Picture copy = stretched(wanted, stretch, norm);
        for (std::size_t start = 0; norm > 0 && start + copy.size() <= sound.size(); ++start) {
            const double other = norm_at(sums, start, copy.size());
            // A place that hardly changes has no shape to compare.
            if (other <= 1e-3 * norm) {
                continue;
            }
            const double score = score_at(sound, copy, start) / (norm * other);
            if (!best || score > best->score) {
                const double seconds = static_cast<double>(kHop) / kDetectionRate;
                best = {.start_seconds = static_cast<double>(start) * seconds,
                        .end_seconds = static_cast<double>(start + copy.size()) * seconds,
                        .score = score};
            }
        }
    }
    return best;
}

std::optional<SpokenHit> find_spoken(const std::vector<float>& samples,
                                     const std::vector<float>& prompt) {
    const auto best = best_spoken(samples, prompt);
    const bool is_short = prompt.size() < std::size_t{2} * kDetectionRate;
    const double score_min = is_short ? kShortSpokenScoreMin : kSpokenScoreMin;
    return best && best->score >= score_min ? best : std::nullopt;
}

}  // namespace colophon::label::internal
