// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/audio.h"

#include "label/explicit/internal/loudness.h"
#include "label/explicit/internal/rhythm.h"
#include "label/explicit/internal/wav_join.h"
#include "label/explicit/sounds.h"
#include "media/audio.h"
#include "media/speech.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using test::run_tool;
using test::run_tool_ok;
using test::TempDir;

bool has_finding(const ExplicitReading& reading, std::string_view code) {
    return std::ranges::any_of(reading.findings,
                               [&](const Finding& finding) { return finding.code == code; });
}

// [GB45438-5.3]
TEST_CASE("every sound format takes the rhythm at start, end and both, once, and reads it back") {
    const TempDir dir;
    for (const FormatRow& row : kSoundFormats) {
        const Buffer file = make(dir, programme(48000, 2, 2), {}, "in." + row.extension);
        CHECK(!find_ok(file, row.format).found);
        for (const auto& [place, where] : {std::pair{SoundPlace::kStart, "start"},
                                           {SoundPlace::kEnd, "end"},
                                           {SoundPlace::kBoth, "start and end"}}) {
            CAPTURE(row.extension);
            CAPTURE(where);
            const MarkedFile marked = mark_ok(file, row.format, rhythm(place));
            CHECK(marked.changed);
            CHECK(marked.reading.found);
            CHECK(marked.reading.where == where);
            CHECK(!has_finding(marked.reading, "explicit.not-heard"));
            const Buffer out = apply_splice(file, marked.splice);
            CHECK(find_ok(out, row.format).where == where);
            const MarkedFile again = mark_ok(out, row.format, rhythm(place));
            CHECK(!again.changed);
            CHECK(apply_splice(out, again.splice) == out);
        }
    }
}

// [GB45438-5.3]
TEST_CASE("every sound format takes spoken words and tells them from other words" *
          doctest::test_suite("slow sound")) {
    const TempDir dir;
    const SpokenPrompt prompt = say("本内容由人工智能生成");
    const SpokenPrompt other = say("以下声音由人工智能合成");
    for (const FormatRow& row : kSoundFormats) {
        CAPTURE(row.extension);
        const Buffer file = make(dir, programme(44100, 2, 2),
                                 row.format == Format::kOpus ? Words{"-ar", "48000"} : Words{},
                                 "in." + row.extension);
        CHECK(!find_ok(file, row.format, {prompt, other}).found);
        const MarkedFile marked = mark_ok(file, row.format, spoken(prompt, SoundPlace::kBoth));
        CHECK(marked.changed);
        CHECK(marked.reading.where == "start and end");
        const Buffer out = apply_splice(file, marked.splice);
        CHECK(find_ok(out, row.format, {other, prompt}).text == prompt.text);
        CHECK(!find_ok(out, row.format, {other}).found);
        CHECK(!mark_ok(out, row.format, spoken(prompt, SoundPlace::kStart)).changed);
    }
}

TEST_CASE("the shortest default words are found again") {
    const TempDir dir;
    const Buffer file = make(dir, programme(48000, 1, 2), {}, "in.wav");
    for (const auto& prompt :
         {say("AI生成"), say("AI generated", media::SpeechLanguage::kEnglish)}) {
        const MarkedFile marked = mark_ok(file, Format::kWav, spoken(prompt, SoundPlace::kBoth));
        CHECK(marked.reading.where == "start and end");
    }
}

TEST_CASE("a file marked at one place gets only the place that misses") {
    const TempDir dir;
    const Buffer file = make(dir, programme(48000, 1, 2), {}, "in.wav");
    const Buffer once =
        apply_splice(file, mark_ok(file, Format::kWav, rhythm(SoundPlace::kStart)).splice);
    const MarkedFile both = mark_ok(once, Format::kWav, rhythm(SoundPlace::kBoth));
    CHECK(both.changed);
    CHECK(both.reading.where == "start and end");
    // 11 units of 100 ms and half a second, mono, 16 bits.
    CHECK(both.splice.inserted() <= 48000 * 2 * 16 / 10 + 16);
    CHECK(apply_splice(once, both.splice).size() == once.size() + 48000 * 2 * 16 / 10);
}

TEST_CASE("WAV and FLAC keep every sample between the marks, at every rate, width and channel" *
          doctest::test_suite("slow sound")) {
    const TempDir dir;
    struct Row {
        std::string extension;
        std::string codec;
    };
    const std::vector<Row> rows{{"wav", "pcm_u8"},    {"wav", "pcm_s16le"}, {"wav", "pcm_s24le"},
                                {"wav", "pcm_s32le"}, {"wav", "pcm_f32le"}, {"wav", "pcm_f64le"},
                                {"wav", "pcm_mulaw"}, {"wav", "pcm_alaw"},  {"flac", "flac"}};
    struct Case {
        std::string name;
        Format format;
        std::size_t added_bytes;  // by the mark at one end, as f64le
    };
    std::vector<Case> cases;
    std::vector<Making> makings;
    for (const Row& row : rows) {
        for (const unsigned channels : {1U, 2U, 6U}) {
            const std::vector<unsigned> rates = row.codec == "pcm_s16le" || row.codec == "flac"
                                                    ? std::vector{8000U, 22050U, 44100U, 48000U}
                                                    : std::vector{44100U};
            for (const unsigned rate : rates) {
                Words codec{"-c:a", row.codec};
                if (row.codec == "flac" && rate == 44100) {
                    codec.insert(codec.end(), {"-sample_fmt", "s16"});
                }
                const std::string name =
                    fmt::format("{}-{}-{}.{}", row.codec, channels, rate, row.extension);
                makings.push_back({programme(rate, channels, 0.7), codec, name});
                cases.push_back({name, row.extension == "wav" ? Format::kWav : Format::kFlac,
                                 (11 * (rate / 10) + rate / 2) * channels * std::size_t{8}});
            }
        }
    }
    make_all(dir, makings);
    std::vector<Making> decodings;
    for (const Case& each : cases) {
        CAPTURE(each.name);
        const Buffer file = test::read_file(dir.file(each.name));
        const MarkedFile marked = mark_ok(file, each.format, rhythm(SoundPlace::kBoth));
        CHECK(marked.reading.where == "start and end");
        test::write_file(dir.file("marked-" + each.name), apply_splice(file, marked.splice));
        for (const std::string& name : {each.name, "marked-" + each.name}) {
            decodings.push_back({{"-i", dir.file(name)}, {"-f", "f64le"}, name + ".raw"});
        }
    }
    make_all(dir, decodings);
    for (const Case& each : cases) {
        CAPTURE(each.name);
        const Buffer before = test::read_file(dir.file(each.name + ".raw"));
        const Buffer after = test::read_file(dir.file("marked-" + each.name + ".raw"));
        REQUIRE(after.size() == before.size() + 2 * each.added_bytes);
        CHECK(std::equal(before.begin(), before.end(),
                         after.begin() + static_cast<std::ptrdiff_t>(each.added_bytes)));
    }
}

TEST_CASE("FLAC passes the reference decoder's test of its checksum") {
    const TempDir dir;
    for (const std::string depth : {"s16", "s32"}) {
        const Buffer file = make(dir, programme(48000, 2, 1),
                                 {"-sample_fmt", depth, "-metadata", "title=x"}, "in.flac");
        const MarkedFile marked = mark_ok(file, Format::kFlac, rhythm(SoundPlace::kBoth));
        test::write_file(dir.file("out.flac"), apply_splice(file, marked.splice));
        run_tool_ok({"flac", "-s", "-t", "-w", dir.file("out.flac")});
        const auto list = [&](const std::string& name) {
            return run_tool_ok(
                {"metaflac", "--list", "--except-block-type=STREAMINFO,SEEKTABLE", dir.file(name)});
        };
        // Every other block is the same.
        const auto tail = [](const std::string& text) { return text.substr(text.find("type: 4")); };
        CHECK(tail(list("out.flac")) == tail(list("in.flac")));
    }
}

TEST_CASE("the coded frames of MP3, Opus and AAC-LC programmes keep their bytes" *
          doctest::test_suite("slow sound")) {
    const TempDir dir;
    for (const FormatRow& row : kSoundFormats) {
        if (row.format != Format::kMp3 && row.format != Format::kOpus &&
            row.format != Format::kM4a) {
            continue;
        }
        for (const unsigned channels : {1U, 2U, 6U}) {
            if (channels == 6 && row.format == Format::kMp3) {
                continue;  // MPEG layer III has one or two
            }
            CAPTURE(row.extension);
            CAPTURE(channels);
            const std::string name = "in." + row.extension;
            const Buffer file = make(dir, programme(48000, channels, 2), {}, name);
            const MarkedFile marked = mark_ok(file, row.format, rhythm(SoundPlace::kBoth));
            CHECK(!has_finding(marked.reading, "explicit.reencoded"));
            CHECK(marked.reading.where == "start and end");
            const Buffer out = apply_splice(file, marked.splice);
            test::write_file(dir.file("out." + row.extension), out);
            // ffprobe prints a checksum of each packet; the old ones stand in the new in order.
            const auto packets = [&](const std::string& path) {
                const std::string rows =
                    run_tool_ok({"ffprobe", "-v", "error", "-show_data_hash", "md5",
                                 "-show_entries", "packet=data_hash", "-of", "csv=p=0", path});
                std::string hashes;
                for (std::size_t at = rows.find("MD5:"); at != std::string::npos;
                     at = rows.find("MD5:", at + 1)) {
                    hashes += rows.substr(at, 36) + "\n";
                }
                return hashes;
            };
            const std::string old = packets(dir.file(name));
            CHECK(old.size() > 2000);
            CHECK(packets(dir.file("out." + row.extension)).find(old) != std::string::npos);
            decode(dir, out, "again." + row.extension);
        }
    }
}

TEST_CASE("formats that must be coded again say so and keep rate, channels and about the size" *
          doctest::test_suite("slow sound")) {
    const TempDir dir;
    for (const unsigned rate : {22050U, 44100U, 48000U}) {
        for (const unsigned channels : {1U, 2U, 6U}) {
            CAPTURE(rate);
            CAPTURE(channels);
            const Buffer file = make(dir, programme(rate, channels, 2), {}, "in.ogg");
            const MarkedFile marked = mark_ok(file, Format::kOggVorbis, rhythm(SoundPlace::kStart));
            CHECK(has_finding(marked.reading, "explicit.reencoded"));
            const Buffer out = apply_splice(file, marked.splice);
            const auto before = media::probe_audio(file, media::AudioContainer::kOgg);
            const auto after = media::probe_audio(out, media::AudioContainer::kOgg);
            CHECK(before->rate == after->rate);
            CHECK(before->channel_mask == after->channel_mask);
            CHECK(out.size() < file.size() * 3);
            CHECK(decode(dir, out, "out.ogg").size() ==
                  decode(dir, file, "a.ogg").size() + std::size_t{17} * (rate / 10) * channels * 4);
        }
    }
}

TEST_CASE("low rates work in every format that has them" * doctest::test_suite("slow sound")) {
    const TempDir dir;
    for (const FormatRow& row : kSoundFormats) {
        for (const unsigned rate : {8000U, 22050U}) {
            if (row.format == Format::kOpus) {
                continue;  // always 48 kHz
            }
            CAPTURE(row.extension);
            CAPTURE(rate);
            const Buffer file =
                make(dir, programme(rate, 1, 2), {"-b:a", "24k"}, "in." + row.extension);
            const MarkedFile marked = mark_ok(file, row.format, rhythm(SoundPlace::kBoth));
            CHECK(marked.reading.where == "start and end");
            decode(dir, apply_splice(file, marked.splice), "out." + row.extension);
        }
    }
}

TEST_CASE("tags and pictures survive in every format" * doctest::test_suite("slow sound")) {
    const TempDir dir;
    make(dir, {"-f", "lavfi", "-i", "testsrc=s=64x64:d=0.04"}, {"-frames:v", "1"}, "cover.jpg");
    for (const FormatRow& row : kSoundFormats) {
        CAPTURE(row.extension);
        const bool cover =
            row.format == Format::kMp3 || row.format == Format::kFlac || row.format == Format::kM4a;
        Words input = programme(48000, 2, 1);
        Words output{"-metadata", "title=标题 A", "-metadata",
                     "artist=B",  "-metadata",    "comment=C"};
        if (cover) {
            input.insert(input.end(), {"-i", dir.file("cover.jpg")});
            output.insert(output.end(), {"-map", "0:a", "-map", "1:v", "-c:v", "copy",
                                         "-disposition:v", "attached_pic"});
        }
        const Buffer file = make(dir, input, output, "in." + row.extension);
        const MarkedFile marked = mark_ok(file, row.format, rhythm(SoundPlace::kBoth));
        test::write_file(dir.file("out." + row.extension), apply_splice(file, marked.splice));
        const auto tags = [&](const std::string& name) {
            return run_tool_ok({"exiftool", "-s", "-Title", "-Artist", "-Comment", "-Picture",
                                "-CoverArt", "-PictureMIMEType", dir.file(name)});
        };
        const std::string old = tags("in." + row.extension);
        CHECK(old.find("Title") != std::string::npos);
        CHECK(tags("out." + row.extension) == old);
    }
}

TEST_CASE("cue points and loops of WAV move with their samples, and fact counts them") {
    const TempDir dir;
    Buffer file = make(dir, programme(8000, 1, 1), {"-c:a", "pcm_mulaw"}, "in.wav");
    append(file, "cue ");
    append_le32(file, 28);
    append_le32(file, 1);
    append_le32(file, 7);
    append_le32(file, 4000);
    append(file, "data");
    append_le32(file, 0);
    append_le32(file, 0);
    append_le32(file, 4000);
    append(file, "LIST");
    append_le32(file, 4);
    append(file, "xtra");
    store_le32(file, 4, static_cast<std::uint32_t>(file.size() - 8));
    const MarkedFile marked = mark_ok(file, Format::kWav, rhythm(SoundPlace::kStart));
    const Buffer out = apply_splice(file, marked.splice);
    CHECK(out.size() == file.size() + 8000 * 16 / 10);
    CHECK(load_le32(Bytes(out).subspan(4)) == out.size() - 8);
    const std::string_view text = as_text(out);
    const std::size_t cue = text.find("cue ");
    CHECK(load_le32(Bytes(out).subspan(cue + 16)) == 4000 + 12800);
    CHECK(load_le32(Bytes(out).subspan(cue + 32)) == 4000 + 12800);
    const std::size_t fact = text.find("fact");
    REQUIRE(fact != std::string_view::npos);
    CHECK(load_le32(Bytes(out).subspan(fact + 8)) == 8000 + 12800);
    CHECK(text.substr(text.size() - 12) == as_text(Bytes(file)).substr(file.size() - 12));
}

TEST_CASE("RF64 keeps its kind and counts in ds64") {
    const TempDir dir;
    const Buffer file = make(dir, programme(48000, 2, 1), {"-rf64", "always"}, "in.wav");
    REQUIRE(starts_with(file, "RF64"));
    const MarkedFile marked = mark_ok(file, Format::kWav, rhythm(SoundPlace::kBoth));
    const Buffer out = apply_splice(file, marked.splice);
    CHECK(starts_with(out, "RF64"));
    CHECK(decode(dir, out, "out.wav").size() ==
          decode(dir, file, "a.wav").size() + 2 * 76800 * 2 * 4);
    const std::size_t ds64 = as_text(out).find("ds64");
    CHECK(load_le64(Bytes(out).subspan(ds64 + 8)) == out.size() - 8);
}

TEST_CASE("the mark is 0 to 3 LU louder than the programme and never clips" *
          doctest::test_suite("slow sound")) {
    const TempDir dir;
    const SpokenPrompt prompt = say("本内容由人工智能生成");
    struct Row {
        std::string what;
        double gain;
    };
    for (const Row& row : {Row{"quiet", 0.1}, {"usual", 0.5}, {"loud", 2.5}}) {
        for (const bool words : {false, true}) {
            CAPTURE(row.what);
            CAPTURE(words);
            Words input = programme(48000, 2, 6);
            input.insert(input.end(), {"-af", fmt::format("volume={}", row.gain)});
            const Buffer file = make(dir, input, {}, "in.wav");
            const SoundMark mark =
                words ? spoken(prompt, SoundPlace::kStart) : rhythm(SoundPlace::kStart);
            const Buffer out = apply_splice(file, mark_ok(file, Format::kWav, mark).splice);
            const auto all = media::decode_head(out, media::AudioContainer::kWav, 60);
            const std::size_t added = all->samples() - 6 * 48000 - 24000;
            media::Pcm head = *all;
            for (auto& plane : head.planes) {
                plane.resize(added);
            }
            const auto programme_level = internal::integrated_loudness(
                {media::decode_head(file, media::AudioContainer::kWav, 60).value()});
            const auto mark_level = internal::integrated_loudness({head});
            const double above = *mark_level - *programme_level;
            MESSAGE(std::string(row.what), std::string(words ? " words" : " rhythm"),
                    ": programme ", *programme_level, " LUFS, mark ", *mark_level, " LUFS, peak ",
                    internal::peak(head));
            CHECK(internal::peak(head) <= 0.8915F);
            CHECK(above >= 0);
            CHECK(above <= 3.0);
        }
    }
}

TEST_CASE("silence gets a mark of -20 LUFS") {
    const TempDir dir;
    const Buffer file =
        make(dir, {"-f", "lavfi", "-i", "anullsrc=r=48000:cl=stereo:d=2"}, {}, "in.wav");
    const MarkedFile marked = mark_ok(file, Format::kWav, rhythm(SoundPlace::kStart));
    const Buffer out = apply_splice(file, marked.splice);
    const auto pcm = media::decode_head(out, media::AudioContainer::kWav, 1.1);
    CHECK(*internal::integrated_loudness({*pcm}) == doctest::Approx(-20.0).epsilon(0.01));
}

TEST_CASE("loudness agrees with FFmpeg's ebur128 within 0.2 LU" *
          doctest::test_suite("slow sound")) {
    const TempDir dir;
    for (const unsigned rate : {8000U, 44100U, 48000U, 96000U}) {
        for (const unsigned channels : {1U, 2U, 6U}) {
            CAPTURE(rate);
            CAPTURE(channels);
            Words input = programme(rate, channels, 5);
            // A part 30 dB lower, so that the relative gate matters.
            input.insert(input.end(), {"-af", "volume='if(lt(t,2),1,0.03)':eval=frame"});
            const Buffer file = make(dir, input, {"-c:a", "pcm_s24le"}, "in.wav");
            const std::string log = run_tool({"ffmpeg", "-nostats", "-i", dir.file("in.wav"), "-af",
                                              "ebur128=framelog=verbose", "-f", "null", "-"})
                                        .err;
            const std::size_t at = log.rfind("    I:");
            REQUIRE(at != std::string::npos);
            const double witness = std::strtod(log.c_str() + at + 6, nullptr);
            const auto own = internal::integrated_loudness(
                {media::decode_head(file, media::AudioContainer::kWav, 60).value()});
            REQUIRE(own.has_value());
            CHECK(std::abs(*own - witness) <= 0.2);
        }
    }
}

TEST_CASE("the rhythm is found at other tempos and pitches, and not in other patterns") {
    struct Row {
        std::string_view pattern;  // units, on first
        double unit;
        double hertz;
        bool found;
    };
    const Row rows[] = {
        {"1133111", 0.06, 600, true},  {"1133111", 0.1, 880, true},  {"1133111", 0.25, 1000, true},
        {"1133111", 0.55, 520, true},  {"1133111", 0.1, 1400, true}, {"1131113", 0.1, 880, false},
        {"1111111", 0.1, 880, false},  {"3133111", 0.1, 880, false}, {"1133113", 0.1, 880, false},
        {"1133111", 0.1, 3000, false}, {"1133311", 0.1, 880, false},
    };
    for (const Row& row : rows) {
        CAPTURE(row.pattern);
        CAPTURE(row.unit);
        CAPTURE(row.hertz);
        std::vector<float> sound(4000, 0.0F);
        for (std::size_t r = 0; r < row.pattern.size(); ++r) {
            const auto size = static_cast<std::size_t>((row.pattern[r] - '0') * row.unit * 8000);
            for (std::size_t i = 0; i < size; ++i) {
                sound.push_back(
                    r % 2 == 0 ? static_cast<float>(0.2 * std::sin(6.28318530718 * row.hertz *
                                                                   static_cast<double>(i) / 8000))
                               : 0.0F);
            }
        }
        sound.resize(sound.size() + 16000);
        CHECK(!internal::find_rhythm(sound, 8000).empty() == row.found);
    }
}

TEST_CASE("nonsense is refused with the reason") {
    const TempDir dir;
    const Buffer file = make(dir, programme(48000, 1, 1), {}, "in.wav");
    CHECK(mark_audio(file, Format::kPng, rhythm(SoundPlace::kStart)).error().code ==
          ErrorCode::kUnsupported);
    CHECK(mark_audio(file, Format::kWav, {}).error().code == ErrorCode::kInvalidArgument);
    const SpokenPrompt silent{.text = "x", .rate = 8000, .samples = std::vector<float>(8000, 0.0F)};
    CHECK(mark_audio(file, Format::kWav, spoken(silent, SoundPlace::kStart)).error().code ==
          ErrorCode::kInvalidArgument);
    for (const FormatRow& row : kSoundFormats) {
        CAPTURE(row.extension);
        CHECK(
            !mark_audio(as_bytes("no sound at all"), row.format, rhythm(SoundPlace::kStart)).ok());
        CHECK(!find_audio_mark({}, row.format, {}).ok());
    }
}

}  // namespace
}  // namespace colophon::label
