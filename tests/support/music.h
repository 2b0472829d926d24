// SPDX-License-Identifier: Apache-2.0
#pragma once

// Music that nobody owns: chords, a melody over them and a beat, drawn by a seed. For prints of
// sounds it is what music is: notes that change, over and over, in no other piece alike.

#include "core/bytes.h"

#include <cstdint>
#include <vector>

namespace colophon::test {

// One channel of that rate; the same numbers for the same seed.
std::vector<std::int16_t> make_music(std::uint32_t seed, double seconds,
                                     std::uint32_t rate = 44'100);

// As a WAV file of one channel.
Buffer wav_of(const std::vector<std::int16_t>& samples, std::uint32_t rate = 44'100);

}  // namespace colophon::test
