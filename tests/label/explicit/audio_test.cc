// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/audio.h"

#include "media/speech.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using test::run_tool_ok;
using test::TempDir;

Buffer make(const TempDir& dir, const std::vector<std::string>& input,
            const std::vector<std::string>& output, const std::string& name) {
    std::vector<std::string> argv{"ffmpeg", "-y", "-v", "error"};
    argv.insert(argv.end(), input.begin(), input.end());
    argv.insert(argv.end(), output.begin(), output.end());
    argv.push_back(dir.file(name));
    run_tool_ok(argv);
    return test::read_file(dir.file(name));
}

SpokenPrompt mandarin(const std::string& text) {
    auto spoken = media::speak(text, {});
    REQUIRE(spoken.ok());
    return {.text = text, .rate = spoken->rate, .samples = std::move(spoken.value().samples)};
}

MarkedFile mark_ok(Bytes file, Format format, const SoundMark& mark) {
    auto marked = mark_audio(file, format, mark);
    REQUIRE_MESSAGE(marked.ok(), marked.error().what);
    return std::move(marked).value();
}

SoundMark rhythm(SoundPlace place) {
    return {.form = SoundForm::kRhythm, .place = place, .prompt = {}};
}

const std::vector<std::string> kProgramme{
    "-f", "lavfi", "-i", "aevalsrc=0.2*sin(2*PI*300*t)*sin(2*PI*3*t)+0.05*random(0):d=3:s=48000"};

TEST_CASE("a WAV file gets the rhythm and reads back") {
    const TempDir dir;
    const Buffer file = make(dir, kProgramme, {}, "a.wav");
    const MarkedFile marked = mark_ok(file, Format::kWav, rhythm(SoundPlace::kBoth));
    CHECK(marked.changed);
    CHECK(marked.reading.where == "start and end");
    for (const Finding& finding : marked.reading.findings) {
        MESSAGE(finding.code, " ", finding.what);
    }
    const Buffer out = apply_splice(file, marked.splice);
    const auto again = mark_audio(out, Format::kWav, rhythm(SoundPlace::kBoth));
    CHECK(!again->changed);
    CHECK(!find_audio_mark(file, Format::kWav, {})->found);
}

TEST_CASE("a FLAC file gets the rhythm and reads back") {
    const TempDir dir;
    const Buffer file = make(dir, kProgramme, {"-metadata", "title=x"}, "a.flac");
    const MarkedFile marked = mark_ok(file, Format::kFlac, rhythm(SoundPlace::kBoth));
    CHECK(marked.reading.where == "start and end");
    test::write_file(dir.file("b.flac"), apply_splice(file, marked.splice));
    MESSAGE(run_tool_ok({"flac", "-t", dir.file("b.flac")}));
    MESSAGE(run_tool_ok({"metaflac", "--list", dir.file("b.flac")}));
}

TEST_CASE("lossy files get the rhythm and read back") {
    const TempDir dir;
    struct Row {
        Format format;
        std::string name;
    };
    for (const Row& row : {Row{Format::kMp3, "a.mp3"}, {Format::kOggVorbis, "a.ogg"}, {Format::kOpus, "a.opus"}, {Format::kM4a, "a.m4a"}}) {
        CAPTURE(row.name);
        const Buffer file = make(dir, kProgramme, {"-metadata", "title=x"}, row.name);
        const MarkedFile marked = mark_ok(file, row.format, rhythm(SoundPlace::kBoth));
        CHECK(marked.reading.where == "start and end");
        for (const Finding& finding : marked.reading.findings) {
            MESSAGE(finding.code, " ", finding.what);
        }
    }
}

TEST_CASE("a WAV file gets a spoken label and reads back") {
    const TempDir dir;
    const Buffer file = make(dir, kProgramme, {}, "a.wav");
    const SpokenPrompt prompt = mandarin("本内容由人工智能生成");
    const SoundMark mark{.form = SoundForm::kSpoken, .place = SoundPlace::kBoth, .prompt = prompt};
    const MarkedFile marked = mark_ok(file, Format::kWav, mark);
    CHECK(marked.changed);
    CHECK(marked.reading.where == "start and end");
    CHECK(marked.reading.text == "本内容由人工智能生成");
    for (const Finding& finding : marked.reading.findings) {
        MESSAGE(finding.code, " ", finding.what);
    }
    const Buffer out = apply_splice(file, marked.splice);
    CHECK(!mark_ok(out, Format::kWav, mark).changed);
}

}  // namespace
}  // namespace colophon::label
