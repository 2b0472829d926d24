// SPDX-License-Identifier: Apache-2.0
// Checks of others before inputs and outputs: `colophon serve` as a process before a guard that is
// another process, written from LiteLLM's documentation, well behaved and not.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::object_of;
using test::RunningService;
using test::soon;

constexpr const char* kPhone = "13800138000";
constexpr const char* kPhoneBackwards = "00083100831";

std::vector<json::Value> lines_of(std::string_view text) {
    std::vector<json::Value> all;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end > 0 && text.front() == '{') {
            all.push_back(object_of(text.substr(0, end)));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return all;
}

// The guard as a process; its port is known once it listens.
struct Guard {
    std::unique_ptr<test::Background> process;
    std::string port;

    void start(const std::string& folder, const std::string& secret, const std::string& at = "0") {
        std::vector<std::string> command{"/usr/bin/env", "node",
                                         COLOPHON_SOURCE_DIR "/tests/witness/guard_server.js", at};
        if (!secret.empty()) {
            command.push_back(secret);
        }
        process = std::make_unique<test::Background>(
            command, folder + "/guard" + at, std::vector<std::string>{"PATH=/usr/bin:/bin"});
        REQUIRE_MESSAGE(soon([&] { return process->out().find('\n') != std::string::npos; }),
                        process->err());
        const std::string told = process->out();
        port = told.substr(std::string_view("listening ").size(),
                           told.find('\n') - std::string_view("listening ").size());
    }
    // What it was asked, in order.
    std::vector<json::Value> asked() const { return lines_of(process->out()); }
};

std::string config_of(const Guard& guard, const std::string& more) {
    return "[[webhook]]\nname = \"guard\"\nurl = \"http://127.0.0.1:" + guard.port +
           "/v7\"\ntimeout_ms = 500\n" + more;
}

std::string chat(std::string_view model, std::string_view text, std::string_view more = "") {
    return R"({"model":")" + std::string(model) + R"(","user":"alice",)" + std::string(more) +
           R"("messages":[{"role":"system","content":"be kind"},{"role":"user","content":")" +
           std::string(text) + R"("}]})";
}

const json::Value* error_of(const json::Value& body) {
    const json::Value* error = body.find("error");
    REQUIRE_MESSAGE(error != nullptr, json::write(body));
    return error;
}

std::string content_of(const std::string& body) {
    const json::Value value = object_of(body);
    const json::Value* choices = value.find("choices");
    REQUIRE_MESSAGE(choices != nullptr, body);
    return choices->if_array()->front().find("message")->string_or("content", "");
}

// The texts of all events of a stream of chat completions.
std::string streamed(const std::string& body) {
    std::string all;
    std::string_view rest = body;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        const std::string_view line = rest.substr(0, end);
        if (line.starts_with("data: {")) {
            const json::Value event = object_of(line.substr(6));
            const json::Value* choices = event.find("choices");
            REQUIRE(choices != nullptr);
            for (const json::Value& choice : *choices->if_array()) {
                all += choice.find("delta")->string_or("content", "");
            }
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return all;
}

struct Recorded {
    std::string code;
    std::string verdicts;  // "input allow, ..." of the webhook only
    std::string failed;
};

// The newest record of a call, once there are so many.
Recorded newest(const RunningService& running, std::size_t count) {
    std::vector<json::Value> all;
    REQUIRE(soon([&] {
        all = lines_of(running.ok({"ledger", "records", "--json", "--kind", "call"}));
        return all.size() >= count;
    }));
    const json::Value& record = all.front();
    Recorded out{.code = record.string_or("outcome_code", ""), .verdicts = {}, .failed = {}};
    const json::Value* verdicts = record.find("verdicts");
    for (const json::Value& each : *verdicts->if_array()) {
        if (each.string_or("rule", "") == "webhook:guard") {
            out.verdicts += out.verdicts.empty() ? "" : ", ";
            out.verdicts += each.string_or("stage", "") + " " + each.string_or("decision", "");
        }
    }
    const json::Value detail = object_of(record.string_or("detail", "{}"));
    if (const json::Value* webhooks = detail.find("webhooks")) {
        out.failed = webhooks->if_array()->front().string_or("failed", "");
    }
    return out;
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-10] a webhook sees what goes in and out, and its word counts") {
        const test::TempDir folder;
        Guard guard;
        guard.start(folder.path().string(), "s3cret");
        test::write_file(folder.file("secret"), as_bytes("s3cret\n"));
        RunningService running(config_of(guard, "key = \"env:GUARD_KEY\"\nsecret = \"file:" +
                                                    folder.file("secret") + "\"\n"),
                               {"GUARD_KEY=the key"});
        running.start();
        const std::string url = running.url("/v1/chat/completions");
        std::size_t calls = 0;
        const auto ask = [&](const std::string& body) {
            ++calls;
            return running.curl({url, "-d", body});
        };

        // What is harmless passes, and the guard got what the contract says.
        CHECK(content_of(ask(chat("echo", "hello",
                                  R"("tools":[{"type":"function","function":)"
                                  R"({"name":"weather"}}],)")))
                  .find("hello") != std::string::npos);
        CHECK(newest(running, calls).verdicts == "input allow, output allow");
        auto asked = guard.asked();
        REQUIRE(asked.size() == 2);
        CHECK(asked[0].string_or("path", "") == "/v7/beta/litellm_basic_guardrail_api");
        CHECK(asked[0].string_or("key", "") == "the key");
        CHECK(*asked[0].find("signed")->if_bool());
        const json::Value& in = *asked[0].find("asked");
        const json::Value& out = *asked[1].find("asked");
        CHECK(json::write(*in.find("texts")) == R"(["be kind","hello"])");
        CHECK(in.string_or("input_type", "") == "request");
        CHECK(json::write(*in.find("tools")) ==
              R"([{"type":"function","function":{"name":"weather"}}])");
        CHECK(in.find("structured_messages")->if_array()->size() == 2);
        CHECK(in.find("request_data")->string_or("user_api_key_team_id", "") == running.tenant);
        CHECK(in.find("request_data")->string_or("user_api_key_end_user_id", "").size() == 32);
        CHECK(json::write(in).find("alice") == std::string::npos);
        CHECK(out.string_or("input_type", "") == "response");
        CHECK(json::write(*out.find("texts")) == R"(["hello"])");
        CHECK(in.string_or("litellm_call_id", "") == out.string_or("litellm_call_id", "?"));

        // What it changes goes to the model, or out, in the place of what stood there.
        const std::string masked = content_of(ask(chat("echo", std::string("call ") + kPhone)));
        CHECK(masked.find("call [phone]") != std::string::npos);
        CHECK(masked.find(kPhone) == std::string::npos);
        CHECK(newest(running, calls).verdicts == "input change, output allow");
        const std::string back = content_of(ask(chat("backwards", kPhoneBackwards)));
        CHECK(back.find("[phone]") != std::string::npos);
        CHECK(back.find("AI生成") != std::string::npos);
        CHECK(back.find(kPhone) == std::string::npos);
        CHECK(newest(running, calls).verdicts == "input allow, output change");

        // What it blocks ends the call.
        const json::Value blocked = object_of(ask(chat("echo", "guard:block")));
        CHECK(error_of(blocked)->string_or("code", "") == "input_blocked");
        CHECK(error_of(blocked)->string_or("message", "") == "Nothing of this here, please.");
        CHECK(error_of(blocked)->string_or("category", "") == "webhook");
        CHECK(newest(running, calls).verdicts == "input block");
        const json::Value ended = object_of(ask(chat("backwards", "kcolb:draug")));
        CHECK(error_of(ended)->string_or("code", "") == "output_blocked");
        CHECK(newest(running, calls).verdicts == "input allow, output block");

        // A call of a tool is shown with the name of the tool.
        CHECK(ask(chat("tools", "Beijing")).find("weather") != std::string::npos);
        const json::Value last = *guard.asked().back().find("asked");
        CHECK(json::write(*last.find("tool_calls")->if_array()->front().find("function")) ==
              R"({"name":"weather","arguments":"{\"city\":\"Beijing\"}"})");

        const std::string metrics = running.curl({running.url("/metrics")});
        CHECK(metrics.find("colophon_webhook_calls_total{webhook=\"guard\",stage=\"input\","
                           "outcome=\"intervened\"} 1") != std::string::npos);
        CHECK(metrics.find("colophon_webhook_duration_seconds") != std::string::npos);
    }

    TEST_CASE("[DSP-10] a stream waits until the webhook has seen the whole of it") {
        const test::TempDir folder;
        Guard guard;
        guard.start(folder.path().string(), "");
        RunningService running(config_of(guard, "stage = \"output\"\n"));
        running.start();
        const auto ask = [&](const std::string& path, const std::string& body) {
            return running.curl({running.url(path), "-d", body});
        };
        const std::string text = std::string("and ") + kPhoneBackwards + " ok";
        for (const std::string model : {"backwards", "native-backwards"}) {
            CAPTURE(model);
            const std::string stream =
                ask("/v1/chat/completions", chat(model, text, R"("stream":true,)"));
            CHECK(streamed(stream).find("ko [phone] dna") != std::string::npos);
            CHECK(streamed(stream).find("AI生成") != std::string::npos);
            CHECK(stream.find(kPhone) == std::string::npos);
            CHECK(stream.ends_with("data: [DONE]\n\n"));
            const std::string messages =
                ask("/v1/messages", R"({"model":")" + model +
                                        R"(","stream":true,"max_tokens":9,"metadata":{"user_id":)"
                                        R"("alice"},"messages":[{"role":"user","content":")" +
                                        text + R"("}]})");
            CHECK(messages.find("ko [phone] dna") != std::string::npos);
            CHECK(messages.find(kPhone) == std::string::npos);
            CHECK(messages.find("event: message_stop") != std::string::npos);
        }
        const std::string responses =
            ask("/v1/responses",
                R"({"model":"backwards","user":"alice","stream":true,"input":")" + text + R"("})");
        CHECK(responses.find("ko [phone] dna") != std::string::npos);
        CHECK(responses.find(kPhone) == std::string::npos);
        CHECK(responses.find("response.completed") != std::string::npos);

        // Nothing of what it blocks was sent: the answer is an error and no stream.
        const json::Value ended = object_of(
            ask("/v1/chat/completions", chat("backwards", "kcolb:draug", R"("stream":true,)")));
        CHECK(error_of(ended)->string_or("code", "") == "output_blocked");
        const json::Value slow = object_of(
            ask("/v1/chat/completions", chat("backwards", "wols:draug", R"("stream":true,)")));
        CHECK(error_of(slow)->string_or("code", "") == "webhook_failed");
        const json::Value cut =
            object_of(ask("/v1/chat/completions", chat("cut", "a b c d", R"("stream":true,)")));
        CHECK(error_of(cut)->string_or("code", "") == "upstream_failed");
        // Calls of tools come in pieces, and are shown whole.
        CHECK(ask("/v1/chat/completions", chat("tools", "Beijing", R"("stream":true,)"))
                  .find("data: [DONE]") != std::string::npos);
        CHECK(json::write(*guard.asked().back().find("asked")->find("tool_calls"))
                  .find(R"("name":"weather","arguments":"{\"city\":\"Beijing\"}")") !=
              std::string::npos);
    }

    TEST_CASE("[DSP-10] a webhook that fails or lies refuses the call, and recovers by itself") {
        const test::TempDir folder;
        Guard guard;
        guard.start(folder.path().string(), "");
        RunningService running(config_of(guard, ""));
        running.start();
        const std::string url = running.url("/v1/chat/completions");
        std::size_t calls = 0;
        const auto ask = [&](const std::string& text) {
            ++calls;
            return object_of(running.curl({url, "-d", chat("echo", text)}));
        };
        const auto good = [&] { return ask("hello").find("choices") != nullptr; };
        struct Fault {
            const char* text;
            const char* why;
        };
        constexpr const char* kForm = "the check's answer is not of its form: ";
        for (const auto& [text, why] :
             {Fault{"guard:slow", "it did not answer within 500 ms"},
              Fault{"guard:hang", "it did not answer within 500 ms"},
              Fault{"guard:drip", "it did not answer within 500 ms"}, Fault{"guard:cut", ""},
              Fault{"guard:status", "it answered with status 500"},
              Fault{"guard:json", "it is no JSON object"},
              Fault{"guard:list", "it is no JSON object"},
              Fault{"guard:action", "its action is none of"},
              Fault{"guard:silent", "its action is none of"},
              Fault{"guard:count", "more or fewer texts"},
              Fault{"guard:empty", "does not say what"}, Fault{"guard:number", "lists of texts"},
              Fault{"guard:tools", "cannot be changed here"}, Fault{"guard:huge", ""}}) {
            CAPTURE(text);
            const auto began = std::chrono::steady_clock::now();
            const json::Value refused = ask(text);
            CHECK(std::chrono::steady_clock::now() - began < std::chrono::seconds(3));
            CHECK(error_of(refused)->string_or("code", "") == "webhook_failed");
            CHECK(error_of(refused)->string_or("type", "") == "server_error");
            const Recorded record = newest(running, calls);
            CHECK(record.code == "webhook_failed");
            CHECK(record.verdicts == "input error");
            CHECK_FALSE(record.failed.empty());
            CHECK_MESSAGE(record.failed.find(why) != std::string::npos, record.failed, kForm);
            CHECK(good());
            CHECK(good());
        }
        // Dead, then there again: calls are refused and then served, without a restart.
        const std::string port = guard.port;
        guard.process.reset();
        for (int i = 0; i < 30; ++i) {
            CHECK(error_of(ask("hello"))->string_or("code", "") == "webhook_failed");
        }
        guard.start(folder.path().string(), "", port);
        CHECK(soon(good));
    }

    TEST_CASE("a webhook that may be missed lets calls pass, and each record says so") {
        const test::TempDir folder;
        Guard guard;
        guard.start(folder.path().string(), "another secret");
        RunningService running(
            config_of(guard, "on_failure = \"pass\"\nsecret = \"env:GUARD_SECRET\"\n"),
            {"GUARD_SECRET=mine"});
        running.start();
        const std::string url = running.url("/v1/chat/completions");
        CHECK(content_of(running.curl({url, "-d", chat("echo", "hello")})).find("hello") !=
              std::string::npos);
        const Recorded record = newest(running, 1);
        CHECK(record.verdicts == "input error, output error");
        CHECK(record.failed == "it answered with status 401");
        CHECK_FALSE(*guard.asked().front().find("signed")->if_bool());
    }

    TEST_CASE("[DSP-17] pictures that a webhook replaces and speech that it changes are labelled") {
        const test::TempDir folder;
        Guard guard;
        guard.start(folder.path().string(), "");
        RunningService running(config_of(guard, ""));
        running.start();
        const auto draw = [&](const std::string& prompt) {
            return object_of(running.curl(
                {running.url("/v1/images/generations"), "-d",
                 R"({"model":"picture","user":"alice","prompt":")" + prompt + R"("})"}));
        };
        const json::Value made = draw("a hill, guard:repaint");
        const json::Value* data = made.find("data");
        REQUIRE_MESSAGE(data != nullptr, json::write(made));
        const auto picture = from_base64(data->if_array()->front().string_or("b64_json", ""));
        REQUIRE(picture.ok());
        const std::string file = running.dir.file("made.png");
        test::write_file(file, *picture);
        CHECK(object_of(running.ok({"verify", "--json", file})).string_or("verdict", "") ==
              "intact");
        // The guard's picture, not the upstream's: 400 dots wide (the IHDR chunk says so).
        CHECK(as_text(*picture).substr(16, 4) == std::string_view("\0\0\1\x90", 4));
        CHECK(error_of(draw("guard:block"))->string_or("code", "") == "input_blocked");

        const std::string speech = running.dir.file("speech.wav");
        running.curl(
            {running.url("/v1/audio/speech"), "-o", speech, "-d",
             std::string(R"({"model":"espeak-ng","user":"alice","response_format":"wav",)") +
                 R"("input":"Call )" + kPhone + R"("})"});
        CHECK(object_of(running.ok({"verify", "--json", speech})).string_or("verdict", "") ==
              "intact");
        const auto asked = guard.asked();
        CHECK(json::write(*asked.back().find("asked")->find("texts")) == R"(["Call [phone]"])");
        CHECK(newest(running, 3).verdicts == "input change, output allow");
    }

    TEST_CASE("a webhook is asked for the tenants and services that it is for") {
        const test::TempDir folder;
        Guard guard;
        guard.start(folder.path().string(), "");
        RunningService running(config_of(guard, "services = [\"voice\"]\n"));
        running.start();
        CHECK(content_of(running.curl({running.url("/v1/chat/completions"), "-d",
                                       chat("echo", "guard:block")}))
                  .find("guard:block") != std::string::npos);
        CHECK(guard.asked().empty());
        const json::Value refused = object_of(
            running.curl({running.url("/v1/audio/speech"), "-H", "Accept-Language: zh", "-d",
                          R"({"model":"espeak-ng","user":"alice","input":"guard:status"})"}));
        CHECK(error_of(refused)->string_or("message", "") ==
              "本服务每次调用必经的一项外部检查暂无应答");

        for (const auto& [lines, what] :
             {std::pair{"name = \"x\"\nurl = \"ftp://a\"\n", "webhook \"x\""},
              std::pair{"url = \"http://a\"\n", "has no name"},
              std::pair{"name = \"x\"\nurl = \"http://a\"\nstage = \"late\"\n", "none of"},
              std::pair{"name = \"x\"\nurl = \"http://a\"\nservices = [\"x\"]\n", "no service"},
              std::pair{"name = \"x\"\nurl = \"http://a\"\nservices = \"x\"\n", "a list of names"},
              std::pair{"name = \"x\"\nurl = \"http://a\"\nsecret = \"mine\"\n", "file:PATH"},
              std::pair{"name = \"x\"\nurl = \"http://a\"\ntimeout_ms = 1\n", "from 10 to 60000"},
              std::pair{"name = \"x\"\nurl = \"http://a\"\nfail = 1\n", "no key \"fail\""}}) {
            CAPTURE(lines);
            test::write_file(
                running.dir.file("colophon.toml"),
                as_bytes(std::string("[label]\nproducer = "
                                     "\"001191000000000000000K10000\"\n[[webhook]]\n") +
                         lines));
            const test::ToolRun run = running.colophon({"serve", "--check-config"});
            CHECK(run.exit_code != 0);
            CHECK_MESSAGE(run.err.find(what) != std::string::npos, run.err);
        }
    }
}

}  // namespace colophon
