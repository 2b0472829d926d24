// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/sound_index.h"

#include "core/bytes.h"
#include "fingerprint/sound.h"
#include "media/audio.h"
#include "support/music.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace colophon::fingerprint {
namespace {

SoundPrint print_of(const std::vector<std::int16_t>& samples) {
    SoundPrinter printer;
    printer.push(samples);
    return printer.print();
}

// From `begin` on, `seconds` of it, changed by FFmpeg.
SoundPrint copy_of(const test::TempDir& dir, const std::string& begin, const std::string& seconds,
                   const std::vector<std::string>& how, const std::string& name) {
    std::vector<std::string> argv{"ffmpeg", "-nostdin", "-v", "error",           "-y", "-ss", begin,
                                  "-t",     seconds,    "-i", dir.file("in.wav")};
    argv.insert(argv.end(), how.begin(), how.end());
    argv.push_back(dir.file(name));
    test::run_tool_ok(argv);
    const auto container =
        name.ends_with("mp3") ? media::AudioContainer::kMp3 : media::AudioContainer::kWav;
    auto print = print_sound(test::read_file(dir.file(name)), container);
    REQUIRE_MESSAGE(print.ok(), (print.ok() ? "" : print.error().what));
    return std::move(print).value();
}

std::vector<SoundEntry> many_sounds(std::uint32_t count) {
    std::vector<SoundEntry> sounds;
    for (std::uint32_t seed = 0; seed < count; ++seed) {
        sounds.push_back(
            {.print = print_of(test::make_music(100 + seed, 40, kSoundRate)), .id = seed});
    }
    return sounds;
}

TEST_CASE(
    "[DSP-10] ten seconds of music after MP3 at 64 kbit/s are found, and where they are from") {
    const test::TempDir dir;
    std::vector<SoundEntry> sounds = many_sounds(30);
    test::write_file(dir.file("in.wav"), test::wav_of(test::make_music(117, 40)));
    const SoundIndex index = *SoundIndex::create(std::move(sounds));
    CHECK(index.size() == 30);
    struct Case {
        const char* what;
        std::vector<std::string> how;
        const char* name;
    };
    for (const Case& each :
         {Case{"64 kbit/s", {"-b:a", "64k"}, "a.mp3"},
          Case{"32 kbit/s", {"-b:a", "32k", "-ar", "22050"}, "b.mp3"},
          Case{"quieter, without treble",
               {"-af", "volume=-10dB,lowpass=5000", "-b:a", "64k"},
               "c.mp3"},
          Case{"a hundredth faster", {"-af", "atempo=1.01"}, "d.wav"},
          Case{"under noise",
               {"-f", "lavfi", "-i", "anoisesrc=a=0.02:seed=4", "-filter_complex",
                "[0][1]amix=inputs=2:duration=first:weights=1 1"},
               "e.wav"}}) {
        CAPTURE(each.what);
        const SoundPrint query = copy_of(dir, "12.345", "10", each.how, each.name);
        const auto found = index.find(query);
        REQUIRE(found.size() == 1);
        CHECK(found[0].id == 17);
        CHECK(found[0].stretch.items >= 45);
        CHECK(found[0].stretch.bit_error < 0.17);
        CHECK(found[0].stretch.other_seconds() - found[0].stretch.query_seconds() ==
              doctest::Approx(12.345).epsilon(0.02));
    }
    // Seven seconds within half a minute of something else.
    std::vector<std::int16_t> mixed = test::make_music(7, 15, kSoundRate);
    const auto piece = test::make_music(105, 40, kSoundRate);
    mixed.insert(mixed.end(), piece.begin() + 10 * kSoundRate, piece.begin() + 19 * kSoundRate);
    const auto rest = test::make_music(8, 15, kSoundRate);
    mixed.insert(mixed.end(), rest.begin(), rest.end());
    const auto within = index.find(print_of(mixed));
    REQUIRE(within.size() == 1);
    CHECK(within[0].id == 5);
    // At its edges a stretch takes in what is only half the same: an item looks at 2.8 s.
    CHECK(std::abs(within[0].stretch.query_seconds() - 15) < 3);
    CHECK(std::abs(within[0].stretch.other_seconds() - 10) < 3);
}

TEST_CASE("other music, tones, noise and silence are not found") {
    const SoundIndex index = *SoundIndex::create(many_sounds(30));
    for (std::uint32_t seed = 1000; seed < 1040; ++seed) {
        CAPTURE(seed);
        CHECK(index.find(print_of(test::make_music(seed, 40, kSoundRate))).empty());
    }
    CHECK(index.find(print_of(std::vector<std::int16_t>(std::size_t{kSoundRate} * 30))).empty());
    CHECK(index.find(SoundPrint()).empty());
    CHECK(SoundIndex().find(print_of(test::make_music(100, 20, kSoundRate))).empty());
    // A tone is not like another recording of that tone: there is nothing to tell them by.
    std::vector<std::int16_t> tone(std::size_t{kSoundRate} * 20);
    for (std::size_t i = 0; i < tone.size(); ++i) {
        tone[i] = static_cast<std::int16_t>(
            9000 * std::sin(2 * std::numbers::pi * 440 * static_cast<double>(i) / kSoundRate));
    }
    const SoundPrint print = print_of(tone);
    CHECK_FALSE(match_sounds(print, print).has_value());
}

TEST_CASE("an index finds what comparing with every sound at every offset finds") {
    constexpr std::uint32_t kSeed = 20'261'127;
    std::mt19937 random(kSeed);
    std::vector<SoundEntry> sounds = many_sounds(12);
    const SoundIndex index = *SoundIndex::create(sounds);
    std::size_t found_at_all = 0;
    for (int round = 0; round < 60; ++round) {
        CAPTURE(round);
        const SoundPrint& from = sounds[random() % sounds.size()].print;
        SoundPrint query;
        const std::size_t begin = random() % (from.items.size() - 60);
        query.items.assign(from.items.begin() + static_cast<std::ptrdiff_t>(begin),
                           from.items.begin() + static_cast<std::ptrdiff_t>(begin + 60));
        // As coding it again does: in each item a few bits, here up to 12 of 32.
        const std::uint32_t most = static_cast<std::uint32_t>(round) % 13;
        for (std::uint32_t& item : query.items) {
            for (auto turned = random() % (most + 1); turned > 0; --turned) {
                item ^= std::uint32_t{1} << (random() % 32);
            }
        }
        const auto found = index.find(query);
        std::size_t expected = 0;
        for (const SoundEntry& sound : sounds) {
            const auto best = match_sounds(query, sound.print);
            expected += static_cast<std::size_t>(best.has_value());
            const auto same = std::ranges::find(found, sound.id, &SoundFound::id);
            REQUIRE(best.has_value() == (same != found.end()));
            if (best) {
                CHECK(same->stretch == *best);
            }
        }
        CHECK(found.size() == expected);
        found_at_all += found.size();
    }
    CHECK(found_at_all >= 30);
}

}  // namespace
}  // namespace colophon::fingerprint
