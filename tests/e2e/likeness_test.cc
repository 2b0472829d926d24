// SPDX-License-Identifier: Apache-2.0
// Records found by near copies of what the server gave out, and contents that no record holds.

#include "core/bytes.h"
#include "core/json.h"
#include "support/music.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>

namespace colophon {
namespace {

using test::RunningService;

std::string number_of(const std::string& json_lines) {
    const auto first = json::parse(json_lines.substr(0, json_lines.find('\n')));
    REQUIRE(first.ok());
    return first->string_or("id", "");
}

void chat(const RunningService& running, const std::string& text) {
    const std::string body = running.dir.file("body.json");
    test::write_file(body, as_bytes(R"({"model":"echo","user":"alice","messages":[{"role":"user",)"
                                    R"("content":")" +
                                    text + R"("}]})"));
    const std::string answer =
        running.curl({running.url("/v1/chat/completions"), "-H", "content-type: application/json",
                      "--data-binary", "@" + body});
    REQUIRE_MESSAGE(answer.find("\"choices\"") != std::string::npos, answer.substr(0, 300));
}

}  // namespace

TEST_SUITE_BEGIN("slow gateway");

// [DSP-10]
TEST_CASE(
    "a picture, a sound and a text that the server gave out are found by near copies of them") {
    RunningService running;
    running.start();
    // A labelled picture, then scaled down and coded as JPEG by another program.
    const std::string plain = running.dir.file("plain.png");
    const std::string labelled = running.dir.file("labelled.png");
    const std::string copy = running.dir.file("copy.jpg");
    test::run_tool_ok({COLOPHON_DEMO_PICTURE, plain});
    running.curl({running.url("/v1/labels"), "--data-binary", "@" + plain, "-o", labelled});
    test::run_tool_ok({"vips", "thumbnail", labelled, copy + "[Q=60]", "300"});
    const std::string like = running.ok({"ledger", "records", "--like", copy, "--json"});
    CHECK(like.find("labels.create") != std::string::npos);
    CHECK(like.starts_with("{\"likeness\":"));
    CHECK(running.ok({"ledger", "records", "--like", copy}).starts_with("0.9"));
    CHECK(running.colophon({"ledger", "records", "--like", copy, "--kind", "purge"}).exit_code ==
          3);
    // A labelled sound, of which 10 s were coded again.
    const std::string song = running.dir.file("song.wav");
    const std::string sung = running.dir.file("sung.wav");
    const std::string part = running.dir.file("part.mp3");
    test::write_file(song, test::wav_of(test::make_music(77, 40)));
    running.curl({running.url("/v1/labels"), "--data-binary", "@" + song, "-o", sung});
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-ss", "15", "-t", "10", "-i", sung,
                       "-b:a", "64k", part});
    CHECK(running.ok({"ledger", "records", "--like", part, "--json"}).find("labels.create") !=
          std::string::npos);
    test::write_file(song, test::wav_of(test::make_music(78, 40)));
    CHECK(running.colophon({"ledger", "records", "--like", song}).exit_code == 3);
    // A text, of which a tenth was changed.
    std::string text;
    for (int i = 0; i < 200; ++i) {
        text += "sentence " + std::to_string(i * i * 7919 % 100'003) + " of the answer. ";
    }
    chat(running, text);
    std::string changed = text;
    changed.replace(1000, 300, "These words are others, which somebody put in their place. ");
    test::write_file(running.dir.file("copy.txt"), as_bytes(changed));
    const std::string found =
        running.ok({"ledger", "records", "--like", running.dir.file("copy.txt"), "--json"});
    CHECK(found.find("\"operation\":\"chat\"") != std::string::npos);
    test::write_file(running.dir.file("other.txt"), as_bytes("nothing that anybody was told"));
    CHECK(running.colophon({"ledger", "records", "--like", running.dir.file("other.txt")})
              .exit_code == 3);
}

TEST_CASE(
    "a text that no record holds lies beside it, is shown on record, and goes with its person") {
    RunningService running;
    running.start();
    std::string text;
    while (text.size() < (5U << 20U)) {
        text += "a line of a long text that one user sent, number " + std::to_string(text.size());
    }
    chat(running, text);
    const std::string id =
        number_of(running.ok({"ledger", "records", "--kind", "call", "--limit", "1", "--json"}));
    CHECK(running.ok({"ledger", "content", id, "--role", "input"}).find(text) != std::string::npos);
    CHECK(running.ok({"ledger", "content", id}).find(text) != std::string::npos);
    CHECK(running.ok({"ledger", "records", "--kind", "administration"}).find("record.content") !=
          std::string::npos);
    // Nothing of it in the clear, in objects or rows.
    const test::ToolRun grep =
        test::run_tool({"grep", "-r", "-l", "-a", "one user sent", running.dir.file("data")});
    CHECK_MESSAGE(grep.exit_code == 1, grep.out);
    running.ok(
        {"admin", "subject", "erase", "demo", "alice", "--reason", "r", "--despite-retention"});
    CHECK(running.colophon({"ledger", "content", id}).exit_code == 1);
    const test::ToolRun blobs =
        test::run_tool({"find", running.dir.file("data/objects/blobs"), "-type", "f"});
    CHECK(blobs.out.empty());
}

TEST_SUITE_END();

}  // namespace colophon
