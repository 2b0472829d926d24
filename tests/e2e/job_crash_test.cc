// SPDX-License-Identifier: Apache-2.0
// Nodes that are killed while an upstream is asked to begin a job: it is never asked a second time,
// unless it is known to serve the same request once.

#include "core/json.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::error_code;
using test::object_of;
using test::RunningService;

// Two upstreams at one address: of the one nothing is known, the other honours idempotency keys.
struct Crash : RunningService {
    Crash() {
        std::ofstream config(dir.file("colophon.toml"), std::ios::app);
        for (const char* name : {"plain", "keyed"}) {
            const std::string named(name);
            config << "[[upstream]]\nname = \"" << named << "\"\nurl = \"" << upstream_url("/v1")
                   << "\"\n"
                   << (named == "keyed" ? "idempotency_keys = \"honoured\"\n" : "")
                   << "[[model]]\nname = \"" << named << "-video\"\nkind = \"video\"\n"
                   << "targets = [{upstream = \"" << named
                   << "\", model = \"video-answer-4000\"}]\n"
                   << "[[model]]\nname = \"" << named << "-picture\"\nkind = \"image\"\n"
                   << "targets = [{upstream = \"" << named
                   << "\", model = \"picture-slow-4000\"}]\n";
        }
        config.close();
        const std::string film = dir.file("film.mp4");
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=320x240:d=1", "-pix_fmt", "yuv420p", film});
        test::run_tool_ok({"curl", "-sS", "-T", film, upstream_url("/video")});
        start();
    }
    std::string upstream_url(const std::string& path) const {
        return "http://127.0.0.1:" + upstream_port + path;
    }
    std::int64_t counted(const char* what) const {
        const json::Value told =
            object_of(test::run_tool_ok({"curl", "-sS", upstream_url("/count")}));
        return told.find(what)->as_int().value();
    }
    // The address of the job.
    std::string create(const std::string& model, bool video) const {
        const json::Value created = object_of(curl(
            {url(video ? "/v1/videos" : "/v1/images/generations"), "-H", "Prefer: respond-async",
             "-d", R"({"model":")" + model + R"(","user":"alice","prompt":"a hill"})"}));
        REQUIRE_MESSAGE(error_code(created) == "none", json::write(created));
        return (video ? "/v1/videos/" : "/v1/images/jobs/") + created.string_or("id", "");
    }
    void wait_until_begun(const char* what, std::int64_t number) const {
        for (int i = 0; i < 400 && counted(what) < number; ++i) {
            std::this_thread::sleep_for(milliseconds(20));
        }
        REQUIRE(counted(what) == number);
    }
    void kill_and_start() {
        service->signal(SIGKILL);
        CHECK(service->wait() == 128 + SIGKILL);
        test::Node again = start_node("again");  // with a log of its own
        port = again.port;
        service = std::move(again.process);
    }
    json::Value ended(const std::string& address) const {
        const auto until = steady_clock::now() + std::chrono::seconds(90);
        for (;;) {
            json::Value now = object_of(curl({url(address)}));
            const std::string status = now.string_or("status", "");
            if (status == "completed" || status == "failed") {
                return now;
            }
            REQUIRE_MESSAGE(steady_clock::now() < until, json::write(now), service->err());
            std::this_thread::sleep_for(milliseconds(200));
        }
    }
    void limit_files(const char* size) const {
        test::run_tool_ok({"prlimit", "--pid", std::to_string(service->process()),
                           std::string("--fsize=") + size});
    }
};

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("a node that is killed while it asks leaves no second video and no second picture") {
        Crash crash;
        const std::string video = crash.create("plain-video", true);
        const std::string picture = crash.create("plain-picture", false);
        crash.wait_until_begun("videos", 1);
        crash.wait_until_begun("pictures", 1);
        crash.kill_and_start();
        for (const std::string& address : {video, picture}) {
            CAPTURE(address);
            const json::Value failed = crash.ended(address);
            CHECK_MESSAGE(failed.string_or("status", "") == "failed", json::write(failed));
            CHECK_MESSAGE(error_code(failed) == "submission_unknown", json::write(failed));
            CHECK(error_code(object_of(crash.curl({crash.url(address + "/content")}))) != "none");
        }
        CHECK(crash.counted("videos") == 1);
        CHECK(crash.counted("pictures") == 1);
        const std::string records = crash.ok({"ledger", "records", "--json", "--limit", "100"});
        std::size_t unknown = 0;
        for (std::size_t at = 0;
             (at = records.find("\"submission_unknown\"", at)) != std::string::npos; ++at) {
            ++unknown;
        }
        CHECK(unknown == 2);
        crash.ok({"ledger", "check"});
    }

    TEST_CASE("a node that is killed between the upstream's answer and the commit asks no more") {
        Crash crash;
        const std::string video = crash.create("plain-video", true);
        crash.wait_until_begun("videos", 1);
        // From now on nothing can be written: the answer comes, and where the task is cannot be
        // kept.
        crash.limit_files("1:unlimited");
        std::this_thread::sleep_for(std::chrono::seconds(6));
        crash.kill_and_start();
        const json::Value failed = crash.ended(video);
        CHECK_MESSAGE(error_code(failed) == "submission_unknown", json::write(failed));
        CHECK(crash.counted("videos") == 1);
    }

    TEST_CASE("an upstream that honours idempotency keys is asked again, and makes nothing twice") {
        Crash crash;
        const std::string video = crash.create("keyed-video", true);
        const std::string picture = crash.create("keyed-picture", false);
        crash.wait_until_begun("videos", 1);
        crash.wait_until_begun("pictures", 1);
        crash.kill_and_start();
        for (const std::string& address : {video, picture}) {
            CAPTURE(address);
            const json::Value done = crash.ended(address);
            CHECK_MESSAGE(done.string_or("status", "") == "completed", json::write(done));
        }
        CHECK(crash.counted("videos") == 1);
        CHECK(crash.counted("pictures") == 1);
        crash.ok({"ledger", "check"});
    }
}

}  // namespace colophon
