// SPDX-License-Identifier: Apache-2.0
// Which upstream answers: by weight, another one where one fails, and none that fails all the time.

#include "core/json.h"
#include "support/http_peer.h"
#include "support/json_answer.h"
#include "support/running_service.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <string>

namespace colophon {
namespace {

using test::HttpPeer;
using test::PeerRequest;
using test::RunningService;

std::string said(const std::string& text) {
    return R"({"choices":[{"index":0,"message":{"role":"assistant","content":")" + text +
           R"("},"finish_reason":"stop"}]})";
}

std::string upstream(const std::string& name, const HttpPeer& peer) {
    return "[[upstream]]\nname = \"" + name + "\"\nurl = \"" + peer.url("/v1") + "\"\n";
}

// The words of the answer; of an error its code.
std::string ask(const RunningService& running, const std::string& model) {
    const json::Value answer = test::object_of(
        running.curl({running.url("/v1/chat/completions"), "-d",
                      R"({"model":")" + model +
                          R"(","user":"alice","messages":[{"role":"user","content":"hello"}]})"}));
    if (const json::Value* error = answer.find("error")) {
        return error->string_or("code", "");
    }
    const json::Value& first = answer.find("choices")->if_array()->front();
    return first.find("message")->string_or("content", "");
}

TEST_CASE("upstreams answer by their weight") {
    const HttpPeer heavy([](const PeerRequest&) { return test::answer(200, said("heavy")); });
    const HttpPeer light([](const PeerRequest&) { return test::answer(200, said("light")); });
    RunningService running(upstream("heavy", heavy) + upstream("light", light) +
                           "[[model]]\nname = \"both\"\ntargets = [{upstream = \"heavy\", model = "
                           "\"x\", weight = 3}, {upstream = \"light\", model = \"y\"}]\n");
    running.start();
    constexpr std::size_t kCalls = 120;
    for (std::size_t i = 0; i < kCalls; ++i) {
        const std::string words = ask(running, "both");
        CHECK(
            (words.find("heavy") != std::string::npos || words.find("light") != std::string::npos));
    }
    CHECK(heavy.requests().size() + light.requests().size() == kCalls);
    // Three quarters, and five standard deviations to either side.
    CHECK(heavy.requests().size() >= 66);
    CHECK(heavy.requests().size() <= 114);
    CHECK(heavy.requests().front().body.find("\"model\":\"x\"") != std::string::npos);
    CHECK(light.requests().front().body.find("\"model\":\"y\"") != std::string::npos);
}

TEST_CASE("where an upstream fails another one answers, and after a while it is left alone") {
    std::atomic<bool> ill = true;
    const HttpPeer first([&](const PeerRequest&) {
        return ill ? test::answer(503, R"({"error":{"message":"overloaded"}})")
                   : test::answer(200, said("first"));
    });
    const HttpPeer second([](const PeerRequest&) { return test::answer(200, said("second")); });
    RunningService running(
        upstream("first", first) + upstream("second", second) +
        "[[model]]\nname = \"both\"\nattempts = 2\ntargets = [{upstream = \"first\", model = "
        "\"x\", "
        "weight = 1000}, {upstream = \"second\", model = \"y\"}]\n"
        "[[model]]\nname = \"alone\"\nattempts = 3\ntargets = [{upstream = \"first\", model = "
        "\"z\"}]\n");
    running.start();
    for (int i = 0; i < 30; ++i) {
        CHECK(ask(running, "both").find("second") != std::string::npos);
    }
    const std::size_t asked = first.requests().size();
    MESSAGE("asked ", asked, " times before it was left alone");
    CHECK(asked > 0);
    CHECK(asked < 20);
    for (int i = 0; i < 10; ++i) {
        CHECK(ask(running, "both").find("second") != std::string::npos);
    }
    CHECK(first.requests().size() == asked);
    // Another model of the same upstream has its own health: three attempts, then its error.
    CHECK(ask(running, "alone") == "upstream_failed");
    CHECK(first.requests().size() == asked + 3);
    ill = false;
    CHECK(ask(running, "alone").find("first") != std::string::npos);
}

}  // namespace
}  // namespace colophon
