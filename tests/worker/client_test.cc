// SPDX-License-Identifier: Apache-2.0
#include "worker/client.h"

#include "core/bytes.h"
#include "label/apply.h"
#include "label/format.h"
#include "label/verify.h"
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

namespace colophon::worker {
namespace {

constexpr const char* kMarkdown = "# Title\n\nSome words.\n";

WorkerOptions metadata_only() {
    return {.program = COLOPHON_PROGRAM, .font_path = {}, .with_media = false};
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
    const auto report =
        worker.label(files.in.get(), files.out.get(), label::Format::kMarkdown, simple_options());
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
    const auto wrong =
        worker.label(files.in.get(), files.out.get(), label::Format::kPng, simple_options());
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

TEST_CASE("a program that is no worker is an error, not a hang") {
    Files files;
    Worker worker({.program = "/bin/false", .font_path = {}, .with_media = false});
    const auto failed = worker.probe(files.in.get(), "in.md");
    REQUIRE(!failed.ok());
    CHECK(failed.error().what.find("did not start") != std::string::npos);
    Worker missing({.program = "/nonexistent", .font_path = {}, .with_media = false});
    CHECK_FALSE(missing.probe(files.in.get(), "in.md").ok());
}

}  // namespace
}  // namespace colophon::worker
