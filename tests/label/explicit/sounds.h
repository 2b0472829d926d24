// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sounds that FFmpeg makes for tests, and marks in them.

#include "core/splice.h"
#include "label/explicit/audio.h"
#include "label/format.h"
#include "media/audio.h"
#include "media/speech.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace colophon::label {

using Words = std::vector<std::string>;

struct FormatRow {
    Format format;
    std::string extension;
};
inline const std::vector<FormatRow> kSoundFormats{
    {Format::kWav, "wav"},       {Format::kFlac, "flac"}, {Format::kMp3, "mp3"},
    {Format::kOggVorbis, "ogg"}, {Format::kOpus, "opus"}, {Format::kM4a, "m4a"},
};

// A programme with a beat, noise, and a different sound in each channel.
inline Words programme(unsigned rate, unsigned channels, double seconds) {
    std::string expression;
    for (unsigned c = 0; c < channels; ++c) {
        expression += fmt::format("{}0.2*sin(2*PI*{}*t)*sin(2*PI*3*t)+0.05*(random({})-0.5)",
                                  c == 0 ? "" : "|", 300 + 70 * c, c);
    }
    return {"-f", "lavfi", "-i",
            fmt::format("aevalsrc={}:d={}:s={}{}", expression, seconds, rate,
                        channels == 6 ? ":c=5.1" : "")};
}

struct Making {
    Words input;   // FFmpeg's options of one input
    Words output;  // and of one file made of it
    std::string name;
};

// All of them in one run: starting FFmpeg takes longer than what it does here.
inline void make_all(const test::TempDir& dir, const std::vector<Making>& makings) {
    Words argv{"ffmpeg", "-y", "-v", "error", "-xerror"};
    for (const Making& making : makings) {
        argv.insert(argv.end(), making.input.begin(), making.input.end());
    }
    for (std::size_t i = 0; i < makings.size(); ++i) {
        argv.insert(argv.end(), {"-map", fmt::format("{}:a", i)});
        argv.insert(argv.end(), makings[i].output.begin(), makings[i].output.end());
        argv.push_back(dir.file(makings[i].name));
    }
    test::run_tool_ok(argv);
}

inline Buffer make(const test::TempDir& dir, const Words& input, const Words& output,
                   const std::string& name) {
    Words argv{"ffmpeg", "-y", "-v", "error"};
    argv.insert(argv.end(), input.begin(), input.end());
    argv.insert(argv.end(), output.begin(), output.end());
    argv.push_back(dir.file(name));
    test::run_tool_ok(argv);
    return test::read_file(dir.file(name));
}

// All samples as FFmpeg's own program decodes them.
inline std::string decode(const test::TempDir& dir, Bytes file, const std::string& name,
                          const std::string& form = "s32le") {
    test::write_file(dir.file(name), file);
    return test::run_tool_ok(
        {"ffmpeg", "-v", "error", "-xerror", "-i", dir.file(name), "-f", form, "-"});
}

inline SoundMark rhythm(SoundPlace place) {
    return {.form = SoundForm::kRhythm, .place = place, .prompt = {}};
}

inline SpokenPrompt say(const std::string& text,
                        media::SpeechLanguage language = media::SpeechLanguage::kMandarin) {
    auto spoken = media::speak(text, {.language = language});
    REQUIRE(spoken.ok());
    return {.text = text, .rate = spoken->rate, .samples = std::move(spoken.value().samples)};
}

inline SoundMark spoken(const SpokenPrompt& prompt, SoundPlace place) {
    return {.form = SoundForm::kSpoken, .place = place, .prompt = prompt};
}

inline MarkedFile mark_ok(Bytes file, Format format, const SoundMark& mark) {
    auto marked = mark_audio(file, format, mark);
    REQUIRE_MESSAGE(marked.ok(), marked.error().what);
    return std::move(marked).value();
}

inline ExplicitReading find_ok(Bytes file, Format format,
                               const std::vector<SpokenPrompt>& prompts = {}) {
    auto reading = find_audio_mark(file, format, prompts);
    REQUIRE_MESSAGE(reading.ok(), reading.error().what);
    return std::move(reading).value();
}

}  // namespace colophon::label
