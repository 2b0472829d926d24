// SPDX-License-Identifier: Apache-2.0
#pragma once

// Finds a known spoken label in sound: the prompt's picture over time and frequency (20 bands from
// 200 to 3600 Hz, 16 ms steps, fifth root of the energy) is laid over the sound's at every place
// and correlated. The root keeps level out of it (a constant factor vanishes in the correlation),
// taking each band's mean off keeps the channel's colour out of it, and a handful of stretched
// copies of the prompt allows 2 % of tempo.

#include <cstdint>
#include <optional>
#include <vector>

namespace colophon::label::internal {

inline constexpr std::uint32_t kDetectionRate = 8000;  // both detectors listen at this rate

// Of the correlation, -1 .. 1. docs/formats/sound-mark.md has the measured distributions of the
// same prompt after coding, and of other speech.
inline constexpr double kSpokenScoreMin = 0.6;
// Of prompts shorter than two seconds, which other speech comes nearer to.
inline constexpr double kShortSpokenScoreMin = 0.7;

struct SpokenHit {
    double start_seconds = 0;
    double end_seconds = 0;
    double score = 0;
};

// The best place, when its score reaches kSpokenScoreMin (kShortSpokenScoreMin). Both at
// kDetectionRate. Prompts shorter than 0.5 s are never found: too many sounds are like them.
std::optional<SpokenHit> find_spoken(const std::vector<float>& samples,
                                     const std::vector<float>& prompt);

// The best score anywhere, for measurements.
std::optional<SpokenHit> best_spoken(const std::vector<float>& samples,
                                     const std::vector<float>& prompt);

}  // namespace colophon::label::internal
