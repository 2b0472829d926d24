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
#include <utility>
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

TEST_CASE("pieces of any size give the print of the whole, and silence its own item") {
    const std::vector<std::int16_t> music = test::make_music(3, 20, kSoundRate);
    const SoundPrint whole = print_of(music);
    CHECK(whole.items.size() == items_in(20));
    CHECK(seconds_of_items(whole.items.size()) <= 20);
    CHECK(seconds_of_items(whole.items.size() + 1) > 20);
    SoundPrinter printer;
    std::mt19937 random(17);
    for (std::size_t at = 0; at < music.size();) {
        const std::size_t size = std::min<std::size_t>(random() % 9000, music.size() - at);
        printer.push(std::span(music).subspan(at, size));
        at += size;
    }
    CHECK(printer.print() == whole);
    const SoundPrint silence = print_of(std::vector<std::int16_t>(std::size_t{kSoundRate} * 5));
    CHECK(silence.items == std::vector<std::uint32_t>(silence.items.size(), kSilentItem));
    CHECK(silence.items ==
          foreign_print(std::vector<std::int16_t>(std::size_t{kSoundRate} * 5), "raw").items);
    CHECK(items_in(2.7) == 0);
    CHECK(print_of(std::span(music).first(30'000)).items.empty());
    CHECK(print_of(std::span(music).first(kSoundFrameSamples + 19 * kSoundStepSamples))
              .items.size() == 1);
}

TEST_CASE("files of every sound format give nearly the print of what went into them") {
    const test::TempDir dir;
    test::write_file(dir.file("in.wav"), test::wav_of(test::make_music(5, 12)));
    const SoundPrint straight = print_of(test::make_music(5, 12, kSoundRate));
    struct Case {
        const char* name;
        media::AudioContainer container;
    };
    for (const Case& each :
         {Case{"a.wav", media::AudioContainer::kWav}, Case{"a.mp3", media::AudioContainer::kMp3},
          Case{"a.flac", media::AudioContainer::kFlac}, Case{"a.ogg", media::AudioContainer::kOgg},
          Case{"a.opus", media::AudioContainer::kOgg},
          Case{"a.m4a", media::AudioContainer::kMp4}}) {
        CAPTURE(each.name);
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", dir.file("in.wav"), "-ac",
                           "2", dir.file(each.name)});
        const auto print = print_sound(test::read_file(dir.file(each.name)), each.container);
        REQUIRE_MESSAGE(print.ok(), (print.ok() ? "" : print.error().what));
        REQUIRE(print->items.size() + 2 > straight.items.size());
        std::size_t apart = 0;
        const std::size_t size = std::min(print->items.size(), straight.items.size());
        for (std::size_t i = 0; i < size; ++i) {
            apart += static_cast<std::size_t>(std::popcount(print->items[i] ^ straight.items[i]));
        }
        CHECK(apart * 10 < 32 * size);
    }
    CHECK(print_sound(as_bytes("no sound"), media::AudioContainer::kMp3).error().code ==
          ErrorCode::kCorrupt);
}

TEST_CASE("a print is read as fpcalc writes it, and what is none is told so") {
    const SoundPrint print = print_of(test::make_music(7, 15, kSoundRate));
    CHECK(parse_sound_print(to_text(print)).value() == print);
    CHECK(parse_sound_print_bytes(to_bytes(print)).value() == print);
    CHECK(to_text(SoundPrint()) == "AQAAAA");
    CHECK(parse_sound_print("AQAAAA").value().items.empty());
    const SoundPrint numbers = parse_sound_print("4294967295,0,-1,-2147483648").value();
    CHECK(numbers.items == std::vector<std::uint32_t>{0xffffffffU, 0, 0xffffffffU, 0x80000000U});
    CHECK(parse_sound_print(to_text(numbers)).value() == numbers);
    const std::string text = to_text(print);
    const auto refused = [](const std::string& given) {
        const auto read = parse_sound_print(given);
        REQUIRE_FALSE(read.ok());
        return read.error();
    };
    CHECK(refused("").what == "a sound print: it is empty");
    CHECK(refused("AQ").what == "a sound print: it is shorter than its head");
    CHECK(refused("AAAAAA").code == ErrorCode::kUnsupported);
    CHECK(refused(text.substr(0, (text.size() - 8) / 4 * 4)).what ==
          "a sound print: it ends within its items");
    CHECK(refused(text + "AAAA").what == "a sound print: bytes follow its items");
    CHECK(refused("AQAA AA").what ==
          "a sound print: it is not in base64 as URLs have it, without padding");
    CHECK(refused("1,2,x").code == ErrorCode::kInvalidArgument);
    CHECK(refused("1,,2").what == "a sound print: number 2 is none of 32 bits");
    CHECK(refused("1,4294967296").what == "a sound print: number 2 is none of 32 bits");
    CHECK(refused("Af___w").code == ErrorCode::kLimit);
    // 7 and 31 more: a bit beyond the last.
    CHECK(refused("AQAAAQcf").code == ErrorCode::kInvalidArgument);
    CHECK(parse_sound_print_bytes(as_bytes("12345")).error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace colophon::fingerprint
