// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rhythm label [GB45438-5.3]: short long, short short, the Morse letters A and I.
//
//   unit      0   1   2   3   4   5   6   7   8   9  10  11
//   tone      |###|   |###########|           |###|   |###|
//             short   long                    short   short
//
// The standard prescribes neither tempo nor pitch. We write units of 100 ms at 880 Hz with ramps
// of 5 ms; we find any unit of 50 .. 600 ms at 500 .. 1450 Hz.

#include "media/audio.h"

#include <cstdint>
#include <vector>

namespace colophon::label::internal {

inline constexpr double kRhythmUnitSeconds = 0.1;
inline constexpr double kRhythmHertz = 880.0;

// The rhythm at amplitude 1, one channel. It fits any rate of 2 kHz or more.
std::vector<float> make_rhythm(std::uint32_t rate);

struct RhythmHit {
    double start_seconds = 0;
    double end_seconds = 0;
    double unit_seconds = 0;
    double hertz = 0;
};

// Every rhythm in one channel of sound, in order of time. Frames of 30 ms (Hann) every 10 ms are
// compared with tones; a frame is on where most of its energy is in one tone whose level is at
// least 0.3 (or, against echoes, 0.5) of the largest nearby; flicker shorter than 5 frames is voted
// away; seven runs on and off must have the proportions of the pattern and silence of that tone
// around them.
std::vector<RhythmHit> find_rhythm(const std::vector<float>& samples, std::uint32_t rate);

}  // namespace colophon::label::internal
