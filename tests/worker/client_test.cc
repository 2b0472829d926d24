// SPDX-License-Identifier: Apache-2.0
#include "worker/client.h"

#include "core/bytes.h"
#include "label/apply.h"
#include "label/format.h"
#include "label/verify.h"
#include "support/sample_files.h"
#include "support/tools.h"
#include "worker/channel.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace colophon::worker {
namespace {

constexpr const char* kMarkdown = "# Title\n\nSome words.\n";

WorkerOptions metadata_only() {
    return {.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false};
}

label::ApplyOptions simple_options() {
    label::ApplyOptions options;
    options.record.producer_name = "example";
    options.record.content_id = ContentId{4711};
    options.marks.add(label::Mark::kMetadata);
    return options;
}

struct Files {
    Files() {
        test::write_file(dir.file("in.md"), as_bytes(kMarkdown));
        in = Fd(open(dir.file("in.md").c_str(), O_RDONLY));
        out = Fd(open(dir.file("out.md").c_str(), O_RDWR | O_CREAT, 0600));
    }
    test::TempDir dir;
    Fd in;
    Fd out;
};

TEST_CASE("a worker gives the same bytes and the same report as the call in process") {
    Files files;
    Worker worker(metadata_only());
    REQUIRE(worker.probe(files.in.get(), "in.md").value() == label::Format::kMarkdown);
    const auto report = worker.label({.input = files.in.get(), .output = files.out.get()},
                                     label::Format::kMarkdown, simple_options());
    REQUIRE_MESSAGE(report.ok(), (report.ok() ? "" : report.error().what));
    label::MemoryHolder holder;
    const auto applied =
        label::apply(as_bytes(kMarkdown), label::Format::kMarkdown, simple_options(), {}, holder);
    REQUIRE(applied.ok());
    CHECK(test::read_file(files.dir.file("out.md")) == to_buffer(applied->file));
    CHECK(report->label == applied->label);
    CHECK(report->where == applied->where);

    const auto seen = worker.verify(files.out.get(), label::Format::kMarkdown, {});
    REQUIRE(seen.ok());
    CHECK(seen->metadata->content_id == ContentId{4711});
}

TEST_CASE("an error inside is the answer of one call, and the worker lives on") {
    Files files;
    Worker worker(metadata_only());
    const pid_t before = [&] {
        REQUIRE(worker.probe(files.in.get(), "in.md").ok());
        return worker.process();
    }();
    const auto wrong = worker.label({.input = files.in.get(), .output = files.out.get()},
                                    label::Format::kPng, simple_options());
    REQUIRE(!wrong.ok());
    CHECK(wrong.error().code == ErrorCode::kCorrupt);
    CHECK(worker.probe(files.in.get(), "in.md").ok());
    CHECK(worker.process() == before);
}

TEST_CASE("a worker that dies costs one call") {
    Files files;
    Worker worker(metadata_only());
    REQUIRE(worker.probe(files.in.get(), "in.md").ok());
    REQUIRE(kill(worker.process(), SIGKILL) == 0);
    const auto failed = worker.probe(files.in.get(), "in.md");
    REQUIRE(!failed.ok());
    CHECK(failed.error().code == ErrorCode::kUnavailable);
    CHECK(failed.error().what.find("died") != std::string::npos);
    CHECK(worker.probe(files.in.get(), "in.md").ok());
}

TEST_CASE("a worker that hangs is ended and replaced") {
    Files files;
    WorkerOptions options = metadata_only();
    // Long enough for the next worker to start on a busy machine.
    options.call_max = std::chrono::seconds(3);
    Worker worker(options);
    REQUIRE(worker.probe(files.in.get(), "in.md").ok());
    REQUIRE(kill(worker.process(), SIGSTOP) == 0);
    const auto failed = worker.probe(files.in.get(), "in.md");
    REQUIRE(!failed.ok());
    CHECK(failed.error().what.find("ended after 3 s") != std::string::npos);
    CHECK(worker.probe(files.in.get(), "in.md").ok());
}

TEST_CASE("a recording is decoded in the worker, and again in the next one") {
    const test::TempDir dir;
    const std::string voice = dir.file("voice.wav");
    const std::string sound = dir.file("sound.wav");
    test::run_tool_ok({"espeak-ng", "-v", "cmn+f2", "-w", voice, "接下来的节目由人工智能生成"});
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", voice, "-af",
                       "aresample=44100,adelay=700,apad=pad_dur=2", sound});
    const Fd voice_file(open(voice.c_str(), O_RDONLY));
    const Fd sound_file(open(sound.c_str(), O_RDONLY));
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = true});
    const auto found = [&] {
        const auto seen = worker.verify(sound_file.get(), label::Format::kWav, {});
        REQUIRE(seen.ok());
        return seen->explicit_mark->found;
    };
    CHECK_FALSE(found());
    REQUIRE(worker.set_recording(voice_file.get(), "voice").ok());
    CHECK(found());
    REQUIRE(kill(worker.process(), SIGKILL) == 0);
    CHECK_FALSE(worker.verify(sound_file.get(), label::Format::kWav, {}).ok());
    CHECK(found());

    Files files;
    const auto refused = worker.set_recording(files.in.get(), "no sound");
    REQUIRE(!refused.ok());
    CHECK(refused.error().code == ErrorCode::kUnsupported);
    CHECK(found());
}

TEST_CASE("a worker inherits nothing of the environment and no other descriptor") {
    REQUIRE(setenv("COLOPHON_TEST_SECRET", "hunter2", 1) == 0);
    Files files;
    Worker worker(metadata_only());
    REQUIRE(worker.probe(files.in.get(), "in.md").ok());
    std::ifstream in("/proc/" + std::to_string(worker.process()) + "/environ");
    const std::string environment{std::istreambuf_iterator<char>(in), {}};
    CHECK(environment.find("hunter2") == std::string::npos);
    unsetenv("COLOPHON_TEST_SECRET");
}

TEST_CASE("a worker that lacks the codecs of a call is replaced by one that has them") {
    const test::TempDir dir;
    WorkerOptions options = metadata_only();
    options.font_path = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc";
    Worker worker(options);
    for (const std::string_view name : test::writable_formats()) {
        CAPTURE(name);
        const std::string path = test::make_sample(dir, name);
        const Fd in(open(path.c_str(), O_RDONLY));
        const auto format = worker.probe(in.get(), path);
        REQUIRE(format.ok());
        const auto seen = worker.verify(in.get(), *format, {});
        REQUIRE_MESSAGE(seen.ok(), (seen.ok() ? "" : seen.error().what));
        // Without its codec the picture or sound could not be looked at.
        CHECK(seen->explicit_mark.has_value() == (name != "pdf"));
        const pid_t process = worker.process();
        CHECK(worker.verify(in.get(), *format, {}).ok());
        CHECK(worker.process() == process);
    }
}

TEST_CASE("the name of the first file decides what its worker starts with") {
    const test::TempDir dir;
    WorkerOptions options = metadata_only();
    options.font_path = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc";
    const std::string path = test::make_sample(dir, "jpeg");
    const Fd in(open(path.c_str(), O_RDONLY));
    const auto survives = [&](bool expects_media, std::string_view name) {
        options.expects_media = expects_media;
        Worker worker(options);
        REQUIRE(worker.probe(in.get(), name).ok());
        const pid_t process = worker.process();
        const auto seen = worker.verify(in.get(), label::Format::kJpeg, {});
        REQUIRE(seen.ok());
        CHECK(seen->explicit_mark.has_value());
        return worker.process() == process;
    };
    CHECK(survives(true, "folder/Photo.JPG"));
    CHECK_FALSE(survives(true, "photo.wav"));
    CHECK_FALSE(survives(false, "photo.jpg"));
}

TEST_CASE("a program that is no worker is an error, not a hang") {
    Files files;
    Worker worker({.program = "/bin/false", .font_path = {}, .expects_media = false});
    const auto failed = worker.probe(files.in.get(), "in.md");
    REQUIRE(!failed.ok());
    CHECK(failed.error().what.find("did not start") != std::string::npos);
    Worker missing({.program = "/nonexistent", .font_path = {}, .expects_media = false});
    CHECK_FALSE(missing.probe(files.in.get(), "in.md").ok());
}

}  // namespace
}  // namespace colophon::worker
