// SPDX-License-Identifier: Apache-2.0
#include "support/music.h"

#include "core/bytes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <random>
#include <string_view>
#include <vector>

namespace colophon::test {
namespace {

// A whole number below `most`: the same on every machine, as std::uniform_int_distribution is not.
std::uint32_t pick(std::mt19937& random, std::uint32_t most) {
    return static_cast<std::uint32_t>(random()) % most;
}

double hertz_of(int semitones) {
    return 440.0 * std::exp2(semitones / 12.0);
}

struct Note {
    double begin;
    double seconds;
    double hertz;
    double loudness;
};

void play(const Note& note, double rate, std::vector<double>& out) {
    const auto from = static_cast<std::size_t>(note.begin * rate);
    const auto size = static_cast<std::size_t>(note.seconds * rate);
    constexpr std::array kPartials{1.0, 0.5, 0.3, 0.2, 0.1};
    for (std::size_t i = 0; i < size && from + i < out.size(); ++i) {
        const double time = static_cast<double>(i) / rate;
        const double envelope = std::min(time / 0.01, 1.0) * std::exp(-2.5 * time / note.seconds) *
                                std::min((note.seconds - time) / 0.02, 1.0);
        double sum = 0;
        for (std::size_t p = 0; p < kPartials.size(); ++p) {
            sum += kPartials[p] *
                   std::sin(2 * std::numbers::pi * note.hertz * static_cast<double>(p + 1) * time);
        }
        out[from + i] += note.loudness * envelope * sum;
    }
}

// Its noise is its own, so that the notes are the same at every rate.
void beat(double begin, double rate, std::uint32_t seed, std::vector<double>& out) {
    std::mt19937 random(seed);
    const auto from = static_cast<std::size_t>(begin * rate);
    for (std::size_t i = 0; i < static_cast<std::size_t>(0.08 * rate) && from + i < out.size();
         ++i) {
        const double time = static_cast<double>(i) / rate;
        const double noise = static_cast<double>(pick(random, 2001)) / 1000 - 1;
        out[from + i] +=
            0.3 * std::exp(-40 * time) * (noise + 2 * std::sin(2 * std::numbers::pi * 60 * time));
    }
}

void put(Buffer& out, std::uint32_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) {
        out.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    }
}

void put(Buffer& out, std::string_view text) {
    out.insert(out.end(), text.begin(), text.end());
}

}  // namespace

std::vector<std::int16_t> make_music(std::uint32_t seed, double seconds, std::uint32_t rate) {
    std::mt19937 random(seed);
    std::vector<double> out(static_cast<std::size_t>(seconds * rate));
    constexpr std::array kScale{0, 2, 4, 5, 7, 9, 11};
    const int key = static_cast<int>(pick(random, 12)) - 12;  // semitones from A4
    const double step = 0.2 + 0.02 * pick(random, 10);        // an eighth note
    const auto note = [&](std::uint32_t degree) {
        return key + kScale[degree % kScale.size()] + 12 * static_cast<int>(degree / kScale.size());
    };
    std::uint32_t melody = 7 + pick(random, 7);
    for (int bar = 0; bar * 8 * step < seconds; ++bar) {
        const std::uint32_t root = pick(random, 7);
        for (const std::uint32_t third : {0U, 2U, 4U}) {
            play({bar * 8 * step, 8 * step, hertz_of(note(root + third) - 12), 0.15}, rate, out);
        }
        for (std::uint32_t eighth = 0; eighth < 8; ++eighth) {
            const double begin = (bar * 8 + static_cast<int>(eighth)) * step;
            beat(begin, rate, pick(random, 1000), out);
            if (pick(random, 4) == 0) {
                continue;
            }
            melody = std::clamp(melody + pick(random, 7), 8U, 22U) - 3;
            play({begin, step * (1 + pick(random, 3)), hertz_of(note(melody)), 0.3}, rate, out);
        }
    }
    std::vector<std::int16_t> samples;
    samples.reserve(out.size());
    for (const double value : out) {
        samples.push_back(static_cast<std::int16_t>(std::clamp(value, -1.0, 1.0) * 30'000));
    }
    return samples;
}

Buffer wav_of(const std::vector<std::int16_t>& samples, std::uint32_t rate) {
    const auto bytes = static_cast<std::uint32_t>(samples.size() * 2);
    Buffer out;
    put(out, "RIFF");
    put(out, 36 + bytes, 4);
    put(out, "WAVEfmt ");
    put(out, 16, 4);
    put(out, 1, 2);  // PCM
    put(out, 1, 2);  // channels
    put(out, rate, 4);
    put(out, rate * 2, 4);
    put(out, 2, 2);
    put(out, 16, 2);
    put(out, "data");
    put(out, bytes, 4);
    for (const std::int16_t sample : samples) {
        put(out, static_cast<std::uint16_t>(sample), 2);
    }
    return out;
}

}  // namespace colophon::test
