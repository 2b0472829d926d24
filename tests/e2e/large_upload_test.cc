// SPDX-License-Identifier: Apache-2.0
// Files that are too large for memory: they pass /v1/labels, /v1/verifications and the jobs of
// /v1/videos through the spool, which has a limit and is empty when they have left.

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {
namespace {

using test::object_of;
using test::RunningService;
using test::soon;

constexpr std::size_t kMegabyte = 1U << 20U;

std::string error_of(const std::string& body) {
    return test::error_code(object_of(body));
}

// A picture that is small to look at and large to carry: with a chunk that belongs to nobody.
void make_large_picture(const std::string& path, std::size_t bytes) {
    test::run_tool_ok({COLOPHON_DEMO_PICTURE, path});
    const Buffer picture = test::read_file(path);
    Buffer chunk = to_buffer(std::string_view("prVt"));
    for (std::size_t i = 0; i < bytes; ++i) {
        chunk.push_back(static_cast<std::uint8_t>(i * 31 + i / 997));
    }
    constexpr std::size_t kEndBytes = 12;  // of IEND
    Buffer whole(picture.begin(), picture.end() - kEndBytes);
    append_be32(whole, static_cast<std::uint32_t>(bytes));
    append(whole, chunk);
    append_be32(whole, static_cast<std::uint32_t>(
                           ::crc32(0, chunk.data(), static_cast<uInt>(chunk.size()))));
    append(whole, Bytes(picture).last(kEndBytes));
    test::write_file(path, whole);
}

double spooled(const RunningService& running) {
    constexpr std::string_view kName = "\ncolophon_spool_bytes ";
    const std::string metrics = running.curl({running.url("/metrics")});
    const std::size_t at = metrics.find(kName);
    REQUIRE(at != std::string::npos);
    return std::strtod(metrics.c_str() + at + kName.size(), nullptr);
}

std::vector<std::string> spool_limits(std::size_t file_megabytes) {
    const std::string bytes = std::to_string(file_megabytes * kMegabyte);
    return {"COLOPHON_GATEWAY_FILE_BYTES_MAX=" + bytes, "COLOPHON_GATEWAY_VIDEO_BYTES_MAX=" + bytes,
            "COLOPHON_GATEWAY_SPOOL_BYTES_MAX=" + std::to_string(2 * file_megabytes * kMegabyte)};
}

// Who sends nothing more still holds what came: its own end of the pipe stays open.
std::unique_ptr<test::Background> waiting_upload(const RunningService& running,
                                                 const std::string& in, const std::string& name) {
    constexpr const char* kWaits =
        "mkfifo \"$1\"; exec 3<>\"$1\"; cat \"$2\" >\"$1\" 3<&- & "
        "exec curl -s -X POST -T \"$1\" -H \"$3\" \"$4\"";
    return std::make_unique<test::Background>(
        std::vector<std::string>{"/bin/sh", "-c", kWaits, "sh", running.dir.file(name + ".pipe"),
                                 in, "Authorization: Bearer " + running.key,
                                 running.url("/v1/verifications")},
        running.dir.file(name));
}

// A video that is short to look at and large to carry: with a box of nothing at its end.
void make_large_video(const std::string& path, std::size_t bytes) {
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                       "testsrc2=size=320x240:d=1", "-pix_fmt", "yuv420p", path});
    Buffer whole = test::read_file(path);
    append_be32(whole, static_cast<std::uint32_t>(bytes));
    append(whole, as_bytes("free"));
    whole.resize(whole.size() + bytes - 8);
    test::write_file(path, whole);
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("a large file is labelled and verified, however it comes, and nothing of it stays") {
        RunningService running({}, spool_limits(32));
        const std::string spool = running.dir.file("spool");
        std::filesystem::create_directory(spool);
        running.variables.push_back("COLOPHON_GATEWAY_SPOOL=" + spool);
        running.start();
        const std::string in = running.dir.file("in.png");
        make_large_picture(in, 20 * kMegabyte);
        const std::string chunked = "Transfer-Encoding: chunked";
        const std::string labels = running.url("/v1/labels");
        for (const std::vector<std::string>& how :
             {std::vector<std::string>{"-T", in, "-X", "POST"},
              {"-T", in, "-X", "POST", "-H", chunked},
              {"-F", "file=@" + in, "-F", "origin=edited"},
              {"-F", "origin=edited", "-F", "file=@" + in, "-H", chunked}}) {
            CAPTURE(how);
            const std::string out = running.dir.file("out.png");
            std::vector<std::string> words{labels, "-o", out, "-w",
                                           "%{http_code} %{size_download} %header{content-length}"};
            words.insert(words.end(), how.begin(), how.end());
            const std::string said = running.curl(words);
            const std::string size = std::to_string(std::filesystem::file_size(out));
            CHECK(said == "200 " + size + " " + size);
            CHECK(std::filesystem::file_size(out) > 20 * kMegabyte);
            CHECK(object_of(running.ok({"verify", "--json", out})).string_or("verdict", "") ==
                  "intact");
            CHECK(
                running.ok({"ledger", "records", "--json", "--file", out}).find("labels.create") !=
                std::string::npos);
            const std::string answer =
                running.curl({running.url("/v1/verifications"), "-F", "file=@" + out});
            CHECK(object_of(answer).string_or("verdict", "") == "intact");
            CHECK(object_of(answer).find("ledger")->find("record") != nullptr);
        }
        // The same call again has its answer, and a file that is the same is told from one that is
        // not.
        const std::vector<std::string> same{running.url("/v1/verifications"), "-H",
                                            "Idempotency-Key: large", "--data-binary", "@" + in};
        const std::string first = running.curl(same);
        CHECK(object_of(first).string_or("verdict", "") == "absent");
        CHECK(running.curl(same) == first);
        const std::string other = running.dir.file("other.png");
        make_large_picture(other, 20 * kMegabyte + 1);
        CHECK(error_of(running.curl({running.url("/v1/verifications"), "-H",
                                     "Idempotency-Key: large", "--data-binary", "@" + other})) ==
              "idempotency_key_reused");
        // Too large, said before or not.
        make_large_picture(other, 33 * kMegabyte);
        for (const std::vector<std::string>& how :
             {std::vector<std::string>{"-T", other, "-X", "POST"},
              {"-T", other, "-X", "POST", "-H", chunked},
              {"-F", "file=@" + other, "-H", chunked}}) {
            CAPTURE(how);
            std::vector<std::string> words{labels, "-o", "/dev/null", "-w", "%{http_code}"};
            words.insert(words.end(), how.begin(), how.end());
            CHECK(running.curl(words) == "413");
        }
        CHECK(soon([&] { return spooled(running) == 0; }));
        CHECK(std::filesystem::is_empty(spool));
    }

    TEST_CASE("the spool takes no more than it may, and has room again when clients leave") {
        RunningService running({}, spool_limits(32));
        running.start();
        const std::string in = running.dir.file("in.png");
        const std::string out = running.dir.file("out.png");
        make_large_picture(in, 28 * kMegabyte);
        auto one = waiting_upload(running, in, "one");
        auto two = waiting_upload(running, in, "two");
        REQUIRE(soon([&] { return spooled(running) > 55.0 * kMegabyte; }));
        const std::vector<std::string> label{
            running.url("/v1/labels"),          "-T", in, "-X", "POST", "-o", out, "-w",
            "%{http_code} %header{retry-after}"};
        CHECK(running.curl(label) == "503 1");
        CHECK(error_of(std::string(as_text(test::read_file(out)))) == "busy");
        // Small calls are served all the same.
        CHECK(running.curl({running.url("/v1/labels?name=a.txt"), "--data-binary", "words"})
                  .find("words") != std::string::npos);
        one.reset();
        two.reset();
        CHECK(soon([&] { return spooled(running) == 0; }));
        CHECK(running.curl(label) == "200 ");
        CHECK(object_of(running.ok({"verify", "--json", out})).string_or("verdict", "") ==
              "intact");
    }

    TEST_CASE("a video that finds the spool full is made when there is room") {
        RunningService running(
            "[[model]]\nname = \"video\"\nkind = \"video\"\nupstream = \"bench\"\n",
            spool_limits(16));
        const std::string film = running.dir.file("film.mp4");
        make_large_video(film, 12 * kMegabyte);
        const std::string upstream = "http://127.0.0.1:" + running.upstream_port;
        test::run_tool_ok({"curl", "-sS", "-T", film, upstream + "/video"});
        running.start();
        auto one = waiting_upload(running, film, "one");
        auto two = waiting_upload(running, film, "two");
        REQUIRE(soon([&] { return spooled(running) > 23.0 * kMegabyte; }));
        const std::string id =
            object_of(running.curl(
                          {running.url("/v1/videos"), "-d",
                           R"({"model":"video","user":"alice","prompt":"a hill","seconds":"1"})"}))
                .string_or("id", "");
        const auto shown = [&] {
            return object_of(running.curl({running.url("/v1/videos/" + id)}));
        };
        // It is made, and fetched in vain.
        const auto fetched = [&] {
            return object_of(test::run_tool_ok({"curl", "-sS", upstream + "/count"}))
                .find("video_contents")
                ->as_int()
                .value();
        };
        CHECK(soon([&] { return fetched() >= 2; }));
        const json::Value waits = shown();
        CHECK_MESSAGE(waits.string_or("status", "") == "in_progress", json::write(waits));
        one.reset();
        two.reset();
        CHECK(soon([&] { return shown().string_or("status", "") == "completed"; }));
        CHECK(soon([&] { return spooled(running) == 0; }));
        const std::string out = running.dir.file("made.mp4");
        CHECK(running.curl({running.url("/v1/videos/" + id + "/content"), "-o", out, "-w",
                            "%{http_code}"}) == "200");
        CHECK(object_of(running.ok({"verify", "--json", out})).string_or("verdict", "") ==
              "intact");
    }
}

}  // namespace colophon
