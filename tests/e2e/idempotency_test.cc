// SPDX-License-Identifier: Apache-2.0
// Idempotency keys before a running service: the same call is answered the same, once.

#include "core/bytes.h"
#include "core/json.h"
#include "support/http_load.h"
#include "support/postgres_server.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::RunningService;

struct Answer {
    int status = 0;
    std::string head;
    std::string body;
    bool replayed() const { return head.find("idempotency-replayed: true") != std::string::npos; }
    // The head without what says when and how it came.
    std::string field(const std::string& name) const {
        const std::size_t at = head.find(name + ": ");
        return at == std::string::npos ? std::string() : head.substr(at, head.find('\r', at) - at);
    }
    std::string code() const {
        const auto parsed = json::parse(body);
        const json::Value* error = parsed.ok() ? parsed->find("error") : nullptr;
        return error == nullptr ? std::string("none") : error->string_or("code", "");
    }
};

struct Caller {
    explicit Caller(RunningService& of) : service(of) {}

    Answer post(const std::string& path, const std::string& key, const std::string& body,
                const std::string& port = "", const std::string& with = "") const {
        const std::string name = std::to_string(++count);
        const std::string head = service.dir.file("head" + name);
        const std::string out = service.dir.file("body" + name);
        std::vector<std::string> command{
            "curl",         "-sS", "-m",
            "60",           "-D",  head,
            "-o",           out,   "-w",
            "%{http_code}", "-H",  "Authorization: Bearer " + (with.empty() ? service.key : with),
            "-d",           body};
        if (!key.empty()) {
            command.insert(command.end(), {"-H", "Idempotency-Key: " + key});
        }
        command.push_back("http://127.0.0.1:" + (port.empty() ? service.port : port) + path);
        Answer answer;
        answer.status = std::stoi(test::run_tool(command).out);
        if (std::filesystem::exists(head)) {
            answer.head = as_text(test::read_file(head));
        }
        if (std::filesystem::exists(out)) {
            answer.body = as_text(test::read_file(out));
        }
        return answer;
    }
    std::int64_t upstream_calls() const {
        const auto told = json::parse(
            test::run_tool({"curl", "-sS", "http://127.0.0.1:" + service.upstream_port + "/count"})
                .out);
        return told->find("calls")->as_int().value();
    }

    RunningService& service;
    mutable int count = 0;
};

std::string chat(const std::string& model, const std::string& text, const std::string& more = "") {
    return R"({"model":")" + model + R"(","user":"alice",)" + more +
           R"("max_tokens":50,"messages":[{"role":"user","content":")" + text + R"("}]})";
}

void check_given_again(const Caller& caller, const std::string& path, const std::string& key,
                       const std::string& body) {
    CAPTURE(path);
    CAPTURE(key);
    const Answer first = caller.post(path, key, body);
    const std::int64_t calls = caller.upstream_calls();
    const Answer second = caller.post(path, key, body);
    CHECK_FALSE(first.replayed());
    CHECK(second.replayed());
    CHECK(second.status == first.status);
    CHECK(second.body == first.body);
    CHECK_FALSE(first.body.empty());
    for (const char* name :
         {"content-type", "colophon-content-id", "colophon-record", "colophon-aigc"}) {
        CHECK(second.field(name) == first.field(name));
    }
    CHECK(caller.upstream_calls() == calls);
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("the same call with the same idempotency key gets the same bytes, once made") {
        RunningService running("", {"COLOPHON_GATEWAY_IDEMPOTENCY_ANSWER_BYTES_MAX=60000"});
        running.start();
        const Caller caller(running);
        constexpr const char* kChat = "/v1/chat/completions";
        check_given_again(caller, kChat, "one", chat("echo", "unmistakable phrase"));
        check_given_again(caller, kChat, "two", chat("echo", "hello there", R"("stream":true,)"));
        check_given_again(caller, "/v1/messages", "three",
                          R"({"model":"native-echo","metadata":{"user_id":"alice"},"max_tokens":9,)"
                          R"("messages":[{"role":"user","content":"hi"}]})");
        check_given_again(caller, "/v1/audio/speech", "four",
                          R"({"model":"espeak-ng","user":"alice","input":"Hi","voice":"en"})");
        // What the review of an answer refused was made, too.
        check_given_again(caller, kChat, "five", chat("backwards", "neddibrof"));
        check_given_again(caller, kChat, "six",
                          chat("backwards", "neddibrof tsomla", R"("stream":true,)"));

        // Each has its record, and names the one before it.
        const std::string records = running.ok({"ledger", "records", "--json", "--kind", "call"});
        std::size_t replays = 0;
        for (std::size_t at = 0; (at = records.find("replay_of", at)) != std::string::npos; ++at) {
            ++replays;
        }
        CHECK(replays == 6);

        // Another body is told so in the protocol's own words.
        const Answer other = caller.post(kChat, "one", chat("echo", "something else"));
        CHECK(other.status == 422);
        CHECK(other.code() == "idempotency_key_reused");
        const Answer message =
            caller.post("/v1/messages", "three", R"({"model":"native-echo","max_tokens":9})");
        CHECK(message.status == 422);
        CHECK(message.body.starts_with(R"({"type":"error")"));
        CHECK(caller.post(kChat, std::string(256, 'k'), chat("echo", "x")).status == 400);

        // Another tenant's key of that name is another key.
        running.ok({"admin", "tenant", "create", "second"});
        const auto key = json::parse(running.ok({"admin", "key", "create", "second", "--json"}));
        const Answer stranger = caller.post(kChat, "one", chat("echo", "unmistakable phrase"), "",
                                            key->string_or("secret", ""));
        CHECK(stranger.code() == "identity_required");

        // A failure lets the key go.
        const std::int64_t before = caller.upstream_calls();
        CHECK(caller.post(kChat, "seven", chat("error-500", "x")).status == 502);
        const std::int64_t between = caller.upstream_calls();
        CHECK(between > before);
        CHECK(caller.post(kChat, "seven", chat("error-500", "x")).status == 502);
        CHECK(caller.upstream_calls() > between);

        // An answer that is too large to be kept is not made twice either.
        const std::string large = chat("echo", std::string(70'000, 'x'));
        CHECK(caller.post(kChat, "eight", large).status == 200);
        const std::int64_t calls = caller.upstream_calls();
        CHECK(caller.post(kChat, "eight", large).code() == "idempotency_answer_too_large");
        CHECK(caller.upstream_calls() == calls);

        // Nothing of it lies in the database in clear.
        for (const char* name : {"data/colophon.db", "data/colophon.db-wal"}) {
            const std::string path = running.dir.file(name);
            if (std::filesystem::exists(path)) {
                CHECK(as_text(test::read_file(path)).find("unmistakable phrase") ==
                      std::string_view::npos);
            }
        }
        // The person is erased, and with it the answer.
        running.ok({"admin", "subject", "erase", "demo", "alice", "--reason", "request 1",
                    "--despite-retention"});
        running.service->signal(SIGTERM);
        CHECK(running.service->wait() == 0);
        const test::Node later = running.start_node("later");
        const Answer erased =
            caller.post(kChat, "one", chat("echo", "unmistakable phrase"), later.port);
        CHECK(erased.code() == "idempotency_answer_erased");
    }

    TEST_CASE(
        "calls of one key at the same time are served once, over nodes, restarts and deaths") {
        std::vector<std::string> variables =
            RunningService::on_postgres(test::PostgresServer::shared().new_address());
        RunningService running("", std::move(variables));
        running.start();
        test::Node other = running.start_node("other");
        const Caller caller(running);
        constexpr const char* kChat = "/v1/chat/completions";
        // Twenty words at 100 ms are two seconds.
        const std::string slow =
            chat("paced-100", "a b c d e f g h i j k l m n o p q r s t", R"("stream":true,)");
        Answer first;
        std::thread begun([&] { first = caller.post(kChat, "slow", slow); });
        std::this_thread::sleep_for(std::chrono::milliseconds(700));
        Answer busy;
        {
            test::HttpConnection connection(other.port);
            const test::HttpReply reply =
                connection.post(kChat,
                                {"Authorization: Bearer " + running.key, "Idempotency-Key: slow",
                                 "Content-Type: application/x-www-form-urlencoded"},
                                slow);
            busy.status = reply.status;
            busy.body = reply.body;
        }
        CHECK(busy.status == 409);
        CHECK(busy.code() == "idempotency_in_progress");
        begun.join();
        CHECK(first.status == 200);
        const std::int64_t calls = caller.upstream_calls();
        const Answer replayed = caller.post(kChat, "slow", slow, other.port);
        CHECK(replayed.replayed());
        CHECK(replayed.body == first.body);
        CHECK(caller.upstream_calls() == calls);

        // A node that dies in the middle holds its key for a while, and then another serves it.
        std::thread cut([&] {
            test::run_tool({"curl", "-sS", "-m", "30", "-o", "/dev/null", "-H",
                            "Authorization: Bearer " + running.key, "-H", "Idempotency-Key: dies",
                            "-d", slow, other.url(kChat)});
        });
        std::this_thread::sleep_for(std::chrono::milliseconds(700));
        other.process->signal(SIGKILL);
        cut.join();
        CHECK(caller.post(kChat, "dies", slow).code() == "idempotency_in_progress");
        Answer served;
        for (int i = 0; i < 60 && served.status != 200; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(500));
            served = caller.post(kChat, "dies", slow);
        }
        CHECK(served.status == 200);
        CHECK(served.body.find("[DONE]") != std::string::npos);
    }
}

}  // namespace colophon
