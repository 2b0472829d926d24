// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/sound.h"

#include "core/bytes.h"
#include "core/result.h"
#include "media/audio.h"
#include "support/music.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace colophon::fingerprint {
namespace {

SoundPrint print_of(std::span<const std::int16_t> samples) {
    SoundPrinter printer;
    printer.push(samples);
    return printer.print();
}

// What Chromaprint itself says of the same samples, through FFmpeg's muxer.
SoundPrint foreign_print(const std::vector<std::int16_t>& samples, const std::string& format) {
    const test::TempDir dir;
    test::write_file(dir.file("in.wav"), test::wav_of(samples, kSoundRate));
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", dir.file("in.wav"), "-f",
                       "chromaprint", "-algorithm", "1", "-fp_format", format, dir.file("out")});
    const Buffer out = test::read_file(dir.file("out"));
    if (format == "raw") {
        SoundPrint print;
        for (std::size_t i = 0; i + 4 <= out.size(); i += 4) {  // of the machine's own order
            print.items.push_back(std::uint32_t{out[i]} | (std::uint32_t{out[i + 1]} << 8U) |
                                  (std::uint32_t{out[i + 2]} << 16U) |
                                  (std::uint32_t{out[i + 3]} << 24U));
        }
        return print;
    }
    auto print = parse_sound_print(as_text(out));
    REQUIRE_MESSAGE(print.ok(), (print.ok() ? "" : print.error().what));
    CHECK(to_text(*print) == as_text(out));
    return std::move(print).value();
}

std::vector<std::int16_t> noise(std::uint32_t seed, std::size_t size) {
    std::mt19937 random(seed);
    std::vector<std::int16_t> samples(size);
    for (std::int16_t& sample : samples) {
        sample = static_cast<std::int16_t>(random());
    }
    return samples;
}

TEST_CASE("prints are those of Chromaprint, bit for bit but for one bit in ten thousand") {
    std::size_t bits = 0;
    std::size_t apart = 0;
    const auto check = [&](const std::vector<std::int16_t>& samples) {
        const SoundPrint ours = print_of(samples);
        const SoundPrint theirs = foreign_print(samples, "raw");
        REQUIRE(ours.items.size() == theirs.items.size());
        for (std::size_t i = 0; i < ours.items.size(); ++i) {
            bits += 32;
            apart += static_cast<std::size_t>(std::popcount(ours.items[i] ^ theirs.items[i]));
        }
        CHECK(foreign_print(samples, "base64") == theirs);
    };
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
        check(test::make_music(seed, 30, kSoundRate));
    }
    check(noise(9, std::size_t{kSoundRate} * 60));
    MESSAGE(apart << " of " << bits << " bits differ");
    CHECK(apart * 10'000 <= bits);
    CHECK(bits > 70'000);
}

}  // namespace
}  // namespace colophon::fingerprint
