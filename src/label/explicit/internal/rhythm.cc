// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/rhythm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr double kFrameSeconds = 0.03;
constexpr double kHopSeconds = 0.01;
constexpr double kToneFirstHertz = 500.0;
constexpr double kToneStepHertz = 50.0;
constexpr std::size_t kTones = 20;  // 500 .. 1450 Hz
// A pure tone between two of the bins has 0.85 of its energy in the nearer one; at 10 dB above
// white noise 0.75 are left.
constexpr float kPurityMin = 0.5F;
// Of the largest level nearby. The second one is above the echoes of a room, the first below what a
// fading or changing tone loses.
constexpr std::array kLevelMins{0.3F, 0.5F};
constexpr std::size_t kNearbyFrames = 200;  // 2 s to either side
constexpr float kAudibleMin = 0.0005F;      // -66 dBFS: below it there is nothing to hear
constexpr std::size_t kVoteFrames = 5;

// On and off runs of the pattern in units; the first is on.
constexpr std::array<std::size_t, 7> kPattern{1, 1, 3, 3, 1, 1, 1};
constexpr double kPatternUnits = 11.0;

struct Tracks {
    // [tone][frame]
    std::array<std::vector<float>, kTones> level;
    std::array<std::vector<float>, kTones> purity;
    std::size_t frames = 0;
};

using Tones = std::array<float, kTones>;

// 2 cos of the angle that each tone turns from one sample to the next.
Tones tone_factors(double rate) {
    Tones factors{};
    for (std::size_t t = 0; t < kTones; ++t) {
        const double hertz = kToneFirstHertz + kToneStepHertz * static_cast<double>(t);
        factors[t] = static_cast<float>(2.0 * std::cos(2.0 * std::numbers::pi * hertz / rate));
    }
    return factors;
}

// The amplitude of each tone in a windowed frame, after Goertzel. All tones in one pass over the
// samples, so that the compiler can take several at once.
Tones tone_amplitudes(const std::vector<float>& frame, const Tones& factors, float window_sum) {
    Tones s1{};
    Tones s2{};
    for (const float x : frame) {
        for (std::size_t t = 0; t < kTones; ++t) {
            const float s0 = x + factors[t] * s1[t] - s2[t];
            s2[t] = s1[t];
            s1[t] = s0;
        }
    }
    Tones out{};
    for (std::size_t t = 0; t < kTones; ++t) {
        const float power = s1[t] * s1[t] + s2[t] * s2[t] - factors[t] * s1[t] * s2[t];
        out[t] = 2.0F * std::sqrt(std::max(power, 0.0F)) / window_sum;
    }
    return out;
}

Tracks analyse(const std::vector<float>& samples, std::uint32_t rate) {
    const auto size = static_cast<std::size_t>(kFrameSeconds * rate);
    const auto hop = static_cast<std::size_t>(kHopSeconds * rate);
    Tracks tracks;
    if (hop == 0 || samples.size() < size) {
        return tracks;
    }
    tracks.frames = (samples.size() - size) / hop + 1;
    std::vector<float> window(size);
    float window_sum = 0;
    float window_squares = 0;
    for (std::size_t i = 0; i < size; ++i) {
        window[i] = static_cast<float>(
            0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * (static_cast<double>(i) + 0.5) /
                                 static_cast<double>(size)));
        window_sum += window[i];
        window_squares += window[i] * window[i];
    }
    for (std::size_t t = 0; t < kTones; ++t) {
        tracks.level[t].resize(tracks.frames);
        tracks.purity[t].resize(tracks.frames);
    }
    const Tones factors = tone_factors(rate);
    std::vector<float> frame(size);
    for (std::size_t f = 0; f < tracks.frames; ++f) {
        float energy = 0;
        for (std::size_t i = 0; i < size; ++i) {
            frame[i] = samples[f * hop + i] * window[i];
            energy += frame[i] * frame[i];
        }
        const Tones levels = tone_amplitudes(frame, factors, window_sum);
        for (std::size_t t = 0; t < kTones; ++t) {
            const float level = levels[t];
            tracks.level[t][f] = level;
            tracks.purity[t][f] =
                energy > 0 ? level * level * window_squares / (2.0F * energy) : 0.0F;
        }
    }
    return tracks;
}

// The largest value within kNearbyFrames of each, in linear time (van Herk's blocks).
std::vector<float> maximum_nearby(const std::vector<float>& values) {
    const std::size_t width = 2 * kNearbyFrames + 1;
    const std::size_t size = values.size() + 2 * kNearbyFrames;
    std::vector<float> padded(size, 0.0F);
    std::copy(values.begin(), values.end(),
              padded.begin() + static_cast<std::ptrdiff_t>(kNearbyFrames));
    std::vector<float> prefix = padded;
    std::vector<float> suffix = padded;
    for (std::size_t i = 1; i < size; ++i) {
        if (i % width != 0) {
            prefix[i] = std::max(prefix[i], prefix[i - 1]);
        }
        const std::size_t j = size - 1 - i;
        if (j % width != width - 1) {
            suffix[j] = std::max(suffix[j], suffix[j + 1]);
        }
    }
    std::vector<float> out(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        out[i] = std::max(suffix[i], prefix[i + width - 1]);
    }
    return out;
}

std::vector<char> majority(const std::vector<char>& on) {
    std::vector<char> out(on.size());
    constexpr std::size_t kHalf = kVoteFrames / 2;
    for (std::size_t i = 0; i < on.size(); ++i) {
        std::size_t votes = 0;
        for (std::size_t j = i - std::min(i, kHalf); j < std::min(on.size(), i + kHalf + 1); ++j) {
            votes += static_cast<std::size_t>(on[j]);
        }
        out[i] = votes * 2 > kVoteFrames ? 1 : 0;
    }
    return out;
}

struct Run {
    std::size_t start = 0;
    std::size_t size = 0;
    bool on = false;
};

std::vector<Run> runs_of(const std::vector<char>& on) {
    std::vector<Run> runs;
    for (std::size_t i = 0; i < on.size(); ++i) {
        if (runs.empty() || runs.back().on != (on[i] != 0)) {
            runs.push_back({.start = i, .size = 0, .on = on[i] != 0});
        }
        ++runs.back().size;
    }
    return runs;
}

// Whether runs[first ..] have the proportions of the pattern, and the tone rests around them.
bool matches(const std::vector<Run>& runs, std::size_t first, double unit) {
    for (std::size_t r = 0; r < kPattern.size(); ++r) {
        const double units = static_cast<double>(runs[first + r].size) / unit;
        const bool longer = kPattern[r] == 3;
        if (units < (longer ? 2.0 : 0.5) || units > (longer ? 4.2 : 1.7)) {
            return false;
        }
    }
    const double rest = 1.5 * unit;
    const std::size_t after = first + kPattern.size();
    // At the edge of the sound there is nothing that could sound.
    const bool before_ok =
        first == 0 || first == 1 || static_cast<double>(runs[first - 1].size) >= rest;
    const bool after_ok = after + 1 >= runs.size() || static_cast<double>(runs[after].size) >= rest;
    return before_ok && after_ok;
}

void find_in_runs(const std::vector<Run>& runs, double hertz, std::vector<RhythmHit>& hits) {
    for (std::size_t r = 0; r + kPattern.size() <= runs.size(); ++r) {
        if (!runs[r].on) {
            continue;
        }
        const Run& last = runs[r + kPattern.size() - 1];
        const auto frames = static_cast<double>(last.start + last.size - runs[r].start);
        const double unit = frames / kPatternUnits;
        if (unit * kHopSeconds < 0.05 || unit * kHopSeconds > 0.6 || !matches(runs, r, unit)) {
            continue;
        }
        const double half = kFrameSeconds / 2;
        hits.push_back(
            {.start_seconds = static_cast<double>(runs[r].start) * kHopSeconds + half,
             .end_seconds = static_cast<double>(last.start + last.size) * kHopSeconds + half,
             .unit_seconds = unit * kHopSeconds,
             .hertz = hertz});
    }
}

void find_in_tone(const Tracks& tracks, std::size_t tone, std::vector<RhythmHit>& hits) {
    const std::vector<float>& level = tracks.level[tone];
    const std::vector<float> largest = maximum_nearby(level);
    const double hertz = kToneFirstHertz + kToneStepHertz * static_cast<double>(tone);
    std::vector<char> on(tracks.frames);
    for (const float level_min : kLevelMins) {
        for (std::size_t f = 0; f < tracks.frames; ++f) {
            const bool loud = level[f] >= kAudibleMin && level[f] >= level_min * largest[f];
            on[f] = loud && tracks.purity[tone][f] >= kPurityMin ? 1 : 0;
        }
        find_in_runs(runs_of(majority(on)), hertz, hits);
    }
}

}  // namespace

std::vector<float> make_rhythm(std::uint32_t rate) {
    const auto unit = static_cast<std::size_t>(kRhythmUnitSeconds * rate);
    const double ramp = 0.005 * rate;
    std::vector<float> out;
    for (std::size_t r = 0; r < kPattern.size(); ++r) {
        const std::size_t size = kPattern[r] * unit;
        if (r % 2 == 1) {
            out.resize(out.size() + size, 0.0F);
            continue;
        }
        for (std::size_t i = 0; i < size; ++i) {
            const double edge = static_cast<double>(std::min(i, size - 1 - i)) + 0.5;
            const double fade =
                edge < ramp ? 0.5 - 0.5 * std::cos(std::numbers::pi * edge / ramp) : 1.0;
            const double phase = 2.0 * std::numbers::pi * kRhythmHertz * static_cast<double>(i) /
                                 static_cast<double>(rate);
            out.push_back(static_cast<float>(fade * std::sin(phase)));
        }
    }
    return out;
}

std::vector<RhythmHit> find_rhythm(const std::vector<float>& samples, std::uint32_t rate) {
    const Tracks tracks = analyse(samples, rate);
    std::vector<RhythmHit> hits;
    for (std::size_t tone = 0; tracks.frames > 0 && tone < kTones; ++tone) {
        find_in_tone(tracks, tone, hits);
    }
    // Neighbouring bins see the same tone: one hit is kept of those that overlap.
    std::ranges::sort(hits, {}, &RhythmHit::start_seconds);
    std::vector<RhythmHit> kept;
    for (const RhythmHit& hit : hits) {
        if (kept.empty() || hit.start_seconds >= kept.back().end_seconds) {
            kept.push_back(hit);
        }
    }
    return kept;
}

}  // namespace colophon::label::internal
