// SPDX-License-Identifier: Apache-2.0
// Real-name verification as an application meets it: `colophon serve` as a process, a provider over
// a real socket that does what providers do, and callbacks that are signed, forged, old or
// repeated.

#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "support/http_peer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::HttpPeer;
using test::PeerAnswer;
using test::PeerEnd;
using test::PeerRequest;
using test::RunningService;

constexpr const char* kSecret = "secret of the provider";

// The provider behind the service; `next` is what it does with the next request.
struct World {
    std::mutex mutex;
    PeerAnswer next = test::answer(200, R"({"result":"1"})");
    std::string order;
    HttpPeer peer;
    RunningService running;

    World()
        : peer([this](const PeerRequest& request) {
              const std::scoped_lock lock(mutex);
              order = json::parse(request.body)->string_or("order", "");
              return next;
          }),
          running("[identity]\nproviders = [\"p.toml\"]\n") {
        test::write_file(running.dir.file("secret"), as_bytes(kSecret));
        test::write_file(running.dir.file("p.toml"), as_bytes(file()));
        running.start();
    }

    std::string file() const {
        return "name = 'p'\nmeans = ['resident_id','credit_code','network_identity','mobile']\n"
               "assurance = 'both'\n[request]\nurl = '" +
               peer.url("/verify") +
               "'\ntimeout_ms = 700\nretries = 0\n[request.json]\norder = '{order}'\n"
               "[answer]\noutcome = 'result'\n[answer.outcomes]\n1 = 'match'\n2 = 'mismatch'\n"
               "later = 'pending'\n[callback]\nsecret = 'file:" +
               running.dir.file("secret") +
               "'\nmessage = '{timestamp}.{body}'\nsignature = 'X-Signature'\n"
               "timestamp = 'X-Timestamp'\norder = 'order'\noutcome = 'result'\n"
               "[callback.outcomes]\n1 = 'match'\n2 = 'mismatch'\n";
    }

    void will(PeerAnswer answer) {
        const std::scoped_lock lock(mutex);
        next = std::move(answer);
    }
    std::string last_order() {
        const std::scoped_lock lock(mutex);
        return order;
    }

    json::Value post(const std::string& path, const std::string& body) const {
        const std::string out = running.curl({running.url(path), "-d", body});
        const auto parsed = json::parse(out);
        REQUIRE_MESSAGE(parsed.ok(), out);
        return *parsed;
    }
    void enrol(const std::string& user) const {
        CHECK(post("/api/subjects", R"({"subject":")" + user + R"("})").find("verified") !=
              nullptr);
    }
    json::Value verify(const std::string& user, const std::string& number) const {
        return post("/api/subjects/verifications", R"({"subject":")" + user +
                                                       R"(","name":"张三","number":")" + number +
                                                       R"(","consent":"c-1"})");
    }
    // Whether the gateway serves this user.
    std::string chat(const std::string& user) const {
        const json::Value out =
            post("/v1/chat/completions", R"({"model":"echo","user":")" + user +
                                             R"(","messages":[{"role":"user","content":"hi"}]})");
        const json::Value* error = out.find("error");
        return error == nullptr ? "answered" : error->string_or("code", "");
    }

    // The status of a callback with this body, signed over `timestamp` and `signed_body`.
    std::string call_back(const std::string& body, std::int64_t timestamp,
                          const std::string& signed_body, std::string_view secret = kSecret) const {
        const std::string mac =
            test::run_tool_ok({"openssl", "dgst", "-sha256", "-r", "-hmac", std::string(secret)},
                              std::to_string(timestamp) + "." + signed_body);
        return running.curl({"-o", "/dev/null", "-w", "%{http_code}", "-H", "Authorization:", "-H",
                             "X-Timestamp: " + std::to_string(timestamp), "-H",
                             "X-Signature: " + mac.substr(0, 64), "-d", body,
                             running.url("/api/providers/p/callbacks")});
    }
};

std::string said(const std::string& order, const char* result) {
    return R"({"order":")" + order + R"(","result":")" + result + R"("})";
}

std::string state_of(const json::Value& answer) {
    const json::Value* verified = answer.find("verified");
    const bool is_verified =
        verified != nullptr && verified->if_bool() != nullptr && *verified->if_bool();
    const std::string state = answer.string_or("state", "none");
    CHECK(is_verified == (state == "verified"));
    return state;
}

bool soon_answered(const World& world, const std::string& user) {
    for (int i = 0; i < 60; ++i) {
        if (world.chat(user) == "answered") {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
}

}  // namespace

TEST_SUITE_BEGIN("slow gateway");

// [DSP-9]
TEST_CASE("an application registers its user, verifies it over HTTP, and the gateway serves it") {
    World world;
    world.enrol("carol");
    CHECK(world.chat("carol") == "identity_required");
    // Check digits first: nobody is asked about what can be no number.
    const json::Value wrong = world.verify("carol", "110105194912310021");
    CHECK(wrong.find("error")->string_or("code", "") == "invalid_argument");
    CHECK(wrong.find("error")->string_or("message", "").find("11010519") == std::string::npos);
    CHECK(world.peer.requests().empty());
    CHECK(world.verify("nobody", "11010519491231002X").find("error")->string_or("code", "") ==
          "not_found");
    CHECK(state_of(world.verify("carol", "11010519491231002X")) == "verified");
    CHECK(soon_answered(world, "carol"));
    const std::string standing = world.running.curl(
        {world.running.url("/api/subjects/standing"), "-H", "Colophon-Subject: carol"});
    CHECK(standing.find(R"("shown":"110105********002X")") != std::string::npos);
    CHECK(standing.find("11010519491231002X") == std::string::npos);
    // By mobile number, with a code that the application sends.
    world.enrol("dave");
    const std::string number = R"({"subject":"dave","number":"13912345678")";
    const std::string code = world.post("/api/subjects/codes", number + "}").string_or("code", "");
    CHECK(code.size() == 8);
    const std::string other = code == "00000000" ? "00000001" : "00000000";
    CHECK(world.post("/api/subjects/codes/confirmations", number + R"(,"code":")" + other + R"("})")
              .find("error")
              ->string_or("code", "") == "denied");
    CHECK(state_of(world.post("/api/subjects/codes/confirmations",
                              number + R"(,"code":")" + code + R"("})")) == "verified");
    const std::string records =
        world.running.ok({"ledger", "records", "--json", "--kind", "verification"});
    CHECK(records.find("110105") == std::string::npos);
    CHECK(records.find("\\\"state\\\":\\\"refused\\\"") != std::string::npos);
    CHECK(records.find("\\\"outcome\\\":\\\"match\\\"") != std::string::npos);
    // Nothing of a person in the log of the service.
    const std::string log = world.running.service->err();
    for (const char* trace : {"11010519491231002X", "13912345678", "carol", "张三"}) {
        CHECK(log.find(trace) == std::string::npos);
    }
}

TEST_CASE(
    "a provider that hangs, lies or half-closes leaves a user unverified, with a clear state") {
    struct Row {
        const char* what;
        PeerAnswer answer;
        const char* state;
    };
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    const std::vector<Row> rows{
        {"hangs at once", {.bytes = "", .end = PeerEnd::kHang}, "unverified"},
        {"hangs in the head", {.bytes = "HTTP/1.1 200", .end = PeerEnd::kHang}, "unverified"},
        {"hangs in the body",
         {.bytes = head + "Content-Length: 14\r\n\r\n{\"result\":\"1", .end = PeerEnd::kHang},
         "unverified"},
        {"closes half way",
         {.bytes = head + "Content-Length: 140\r\n\r\n{\"result\":\"1\"}", .end = PeerEnd::kClose},
         "unverified"},
        {"resets half way",
         {.bytes = head + "Content-Length: 140\r\n\r\n{\"result\":\"1\"}", .end = PeerEnd::kReset},
         "unverified"},
        {"drips",
         {.bytes = head + "\r\n{\"result\":\"1\"}",
          .between_bytes = std::chrono::milliseconds(100)},
         "unverified"},
        {"no HTTP", {.bytes = "{\"result\":\"1\"}"}, "unverified"},
        {"matches with status 500", test::answer(500, R"({"result":"1"})"), "unverified"},
        {"redirects to a match", test::answer(302, R"({"result":"1"})", "Location: /verify\r\n"),
         "unverified"},
        {"says both", test::answer(200, R"({"result":"2","result":"1"})"), "unverified"},
        {"says it elsewhere", test::answer(200, R"({"data":{"result":"1"}})"), "unverified"},
        {"says a number that is not mapped", test::answer(200, R"({"result":"11"})"), "unverified"},
        {"ends in the middle of JSON", test::answer(200, R"({"result":"1")"), "unverified"},
        {"says no", test::answer(200, R"({"result":"2"})"), "mismatch"},
    };
    std::optional<World> place;
    int user = 0;
    for (const Row& row : rows) {
        CAPTURE(std::string(row.what));
        // A provider that failed in half of ten calls is left alone for a while: a new one is
        // asked before that.
        if (user % 8 == 0) {
            place.emplace();
        }
        World& world = *place;
        const std::string name = "user-" + std::to_string(user++);
        world.enrol(name);
        world.will(row.answer);
        const json::Value answer = world.verify(name, "11010519491231002X");
        CHECK(state_of(answer) == row.state);
        CHECK(answer.string_or("outcome", "match") != "match");
        CHECK(world.chat(name) == "identity_required");
    }
    place->will(test::answer(200, R"({"result":"1"})"));
    CHECK(state_of(place->verify("user-8", "11010519491231002X")) == "verified");
}

TEST_CASE("a provider's callback counts when it is signed, of this time, of this order, and once") {
    World world;
    world.enrol("erin");
    world.will(test::answer(200, R"({"result":"later"})"));
    CHECK(state_of(world.verify("erin", "11010519491231002X")) == "pending");
    CHECK(world.chat("erin") == "identity_required");
    const std::string order = world.last_order();
    REQUIRE(order.size() == 32);
    const std::string match = said(order, "1");
    const std::int64_t now = std::time(nullptr);
    CHECK(world.call_back(match, now, match, "another secret") == "403");
    CHECK(world.call_back(match, now, said(order, "2")) == "403");  // the body was changed
    CHECK(world.call_back(match, now - 3600, match) == "403");
    CHECK(world.call_back(match, now + 3600, match) == "403");
    CHECK(world.call_back("no JSON", now, "no JSON") == "400");
    const std::string strange = said(std::string(32, 'a'), "1");
    CHECK(world.call_back(strange, now, strange) == "404");
    CHECK(world.running.curl({"-o", "/dev/null", "-w", "%{http_code}", "-d", match,
                              world.running.url("/api/providers/q/callbacks")}) == "404");
    CHECK(world.chat("erin") == "identity_required");
    CHECK(world.call_back(match, now, match) == "200");
    CHECK(soon_answered(world, "erin"));
    CHECK(world.call_back(match, now, match) == "404");  // a replay finds nothing open

    // An order that ended without a judgement is over: what was signed for it later is worth
    // nothing, and the next ask has a number of its own.
    world.enrol("frank");
    CHECK(state_of(world.verify("frank", "11010519491231002X")) == "pending");
    const std::string first = world.last_order();
    const std::string nonsense = said(first, "strange");
    CHECK(world.call_back(nonsense, now, nonsense) == "200");
    CHECK(state_of(world.verify("frank", "11010519491231002X")) == "pending");
    CHECK(world.last_order() != first);
    const std::string late = said(first, "1");
    CHECK(world.call_back(late, now, late) == "404");
    CHECK(world.chat("frank") == "identity_required");
    const std::string no = said(world.last_order(), "2");
    CHECK(world.call_back(no, now, no) == "200");
    CHECK(world.chat("frank") == "identity_required");
}

TEST_SUITE_END();

}  // namespace colophon
