// SPDX-License-Identifier: Apache-2.0
// Classifiers of others before inputs and outputs: `colophon serve` before guard models that are
// another process.

#include "core/bytes.h"
#include "core/json.h"
#include "support/api_client.h"
#include "support/guards.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::Api;
using test::code_of_answer;
using test::guard_check;
using test::Guards;
using test::object_of;
using test::RunningService;

std::string at(const json::Value& value, std::string_view outer, std::string_view name) {
    const json::Value* found = value.find(outer);
    return found == nullptr ? std::string() : found->string_or(name, "");
}

json::Value say(const RunningService& service, std::string_view text,
                const std::string& ticket = {}) {
    std::vector<std::string> arguments{
        service.url("/v1/chat/completions"), "-d",
        R"({"model":"echo","user":"alice","messages":[{"role":"user","content":")" +
            std::string(text) + R"("}]})"};
    if (!ticket.empty()) {
        arguments.insert(arguments.end(), {"-H", "Colophon-Ticket: " + ticket});
    }
    return object_of(service.curl(arguments));
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-10] classifiers of others block by the risk that they found") {
        const Guards guards;
        for (const char* shape : {"moderations", "llama-guard", "qwen3guard"}) {
            CAPTURE(shape);
            RunningService running(guard_check(guards,
                                               std::string(shape) == "llama-guard" ? "llama" : "m",
                                               shape, "stage = \"input\"\n"));
            running.start();
            CHECK(code_of_answer(say(running, "a quiet crowd")) == "none");
            const json::Value refused = say(running, "a loud rabble");
            CHECK(at(refused, "error", "code") == "input_blocked");
            CHECK(at(refused, "error", "category") == (std::string(shape) == "qwen3guard" ? "A1d"
                                                       : std::string(shape) == "llama-guard"
                                                           ? "A1e"
                                                           : "A2a"));
            // The same question is not asked twice within minutes.
            const std::size_t asked = guards.asked();
            CHECK(code_of_answer(say(running, "a loud rabble")) == "input_blocked");
            CHECK(guards.asked() == asked);
            if (std::string(shape) != "moderations") {
                CHECK(code_of_answer(say(running, "babble")) == "webhook_failed");
            }
        }
    }

    TEST_CASE("[DSP-10] what a guard model is not sure of waits for a person, in and out") {
        const Guards guards;
        RunningService running(guard_check(guards, "qwen", "qwen3guard", "stage = \"input\"\n") +
                                   guard_check(guards, "llama", "llama-guard",
                                               "stage = \"output\"\naction = \"hold\"\n"),
                               {"COLOPHON_SERVER_ACCESS_LOG=none"});
        running.start();
        const Api api(running);
        const std::string reviewer = api.session("li.wei", "reviewer");
        const auto release = [&](const std::string& item) {
            api.good("POST", "/api/review/claims", reviewer, R"({"item":")" + item + R"("})");
            api.good("POST", "/api/review/items/" + item + "/decision", reviewer,
                     R"({"ruling":"release","reason":"allowed_use"})");
        };
        const json::Value unsure = say(running, "perhaps");
        CHECK(at(unsure, "error", "code") == "held_for_review");
        const std::string ticket = at(unsure, "error", "ticket");
        REQUIRE(ticket.size() == 32);
        release(ticket);
        CHECK(code_of_answer(say(running, "perhaps", ticket)) == "none");

        // What comes out: at once and as a stream. The model says it backwards.
        const std::string ask =
            R"("user":"alice","messages":[{"role":"user","content":"elbbar"}]})";
        const json::Value held = object_of(running.curl(
            {running.url("/v1/chat/completions"), "-d", R"({"model":"backwards",)" + ask}));
        CHECK(at(held, "error", "code") == "held_for_review");
        CHECK(at(held, "error", "category") == "A1e");
        const std::string first = at(held, "error", "ticket");
        REQUIRE(first.size() == 32);
        release(first);
        CHECK(running.curl({running.url("/v1/tickets/" + first + "/answer")}).find("rabble") !=
              std::string::npos);
        const json::Value streamed =
            object_of(running.curl({running.url("/v1/chat/completions"), "-d",
                                    R"({"model":"backwards","stream":true,)" + ask}));
        const std::string second = at(streamed, "error", "ticket");
        REQUIRE(second.size() == 32);
        release(second);
        const std::string whole = running.curl({running.url("/v1/tickets/" + second + "/answer")});
        CHECK(whole.find("rabble") != std::string::npos);
        CHECK(whole.find("[DONE]") != std::string::npos);
    }

    TEST_CASE("[DSP-10] what a check that fails did not judge waits for a person, in and out") {
        const Guards guards;
        RunningService running(
            guard_check(guards, "llama", "llama-guard", "on_failure = \"hold\"\n"),
            {"COLOPHON_SERVER_ACCESS_LOG=none"});
        running.start();
        const Api api(running);
        const std::string reviewer = api.session("li.wei", "reviewer");
        const auto release = [&](const std::string& item) {
            api.good("POST", "/api/review/claims", reviewer, R"({"item":")" + item + R"("})");
            api.good("POST", "/api/review/items/" + item + "/decision", reviewer,
                     R"({"ruling":"release","reason":"allowed_use"})");
        };
        const json::Value asked = say(running, "babble");
        CHECK(at(asked, "error", "code") == "held_for_review");
        CHECK(at(asked, "error", "category") == "unreviewed");
        const std::string ticket = at(asked, "error", "ticket");
        REQUIRE(ticket.size() == 32);
        release(ticket);
        // It goes in, and comes out as it is: nobody judged that either.
        const json::Value answered = say(running, "babble", ticket);
        CHECK(at(answered, "error", "code") == "held_for_review");
        const std::string second = at(answered, "error", "ticket");
        REQUIRE(second.size() == 32);
        CHECK(second != ticket);
        release(second);
        CHECK(running.curl({running.url("/v1/tickets/" + second + "/answer")}).find("babble") !=
              std::string::npos);
        const std::string records = running.ok({"ledger", "records", "--json", "--kind", "call"});
        CHECK(records.find("webhook:llama/missed") != std::string::npos);
        CHECK(code_of_answer(say(running, "hello")) == "none");
    }

    TEST_CASE("[DSP-10] the moderation of two clouds is asked, signed, about texts and pictures") {
        const Guards clouds("cloud_moderation.js");
        for (const std::string shape : {"aliyun", "tencent"}) {
            CAPTURE(shape);
            const auto with = [&](const std::string& secret) {
                return "[[webhook]]\nname = \"cloud\"\nshape = \"" + shape +
                       "\"\nurl = \"http://127.0.0.1:" + clouds.port +
                       "\"\nkey = \"env:CLOUD_ID\"\nsecret = \"env:" + secret +
                       "\"\ntimeout_ms = 20000\n";
            };
            const std::vector<std::string> keys{"COLOPHON_SERVER_ACCESS_LOG=none",
                                                "CLOUD_ID=example-id", "CLOUD_KEY=example-secret",
                                                "OTHER_KEY=another"};
            RunningService running(with("CLOUD_KEY"), keys);
            running.start();
            CHECK(code_of_answer(say(running, "a quiet crowd")) == "none");
            const json::Value refused = say(running, "a loud rabble");
            CHECK(at(refused, "error", "code") == "input_blocked");
            CHECK(at(refused, "error", "category") == (shape == "aliyun" ? "A1a" : "A1d"));
            const std::size_t asked = clouds.asked();
            CHECK(code_of_answer(say(running, "a loud rabble")) == "input_blocked");
            CHECK(clouds.asked() == asked);
            CHECK(code_of_answer(say(running, "perhaps")) == "held_for_review");
            CHECK(code_of_answer(say(running, "babble")) == "webhook_failed");
            // What stands at the end of a long text is looked at too.
            std::string longest;
            for (int i = 0; i < 4000; ++i) {
                longest += "word ";
            }
            CHECK(code_of_answer(say(running, longest)) == "none");
            CHECK(code_of_answer(say(running, longest + "rabble")) == "input_blocked");
            const auto draw = [&](const std::string& prompt) {
                return object_of(running.curl(
                    {running.url("/v1/images/generations"), "-d",
                     R"({"model":"picture","user":"alice","response_format":"b64_json",)"
                     R"("prompt":")" +
                         prompt + R"("})"}));
            };
            CHECK(draw("a lighthouse").find("data") != nullptr);
            CHECK(clouds.process->out().find(shape == "aliyun"
                                                 ? "img_response_security_check"
                                                 : "ImageModeration") != std::string::npos);
            // Another key signs what they do not believe: nothing passes.
            RunningService wrong(with("OTHER_KEY"), keys);
            wrong.start();
            CHECK(code_of_answer(say(wrong, "a quiet crowd")) == "webhook_failed");
        }
    }

    TEST_CASE("[DSP-10] a classifier of any shape is asked as a file describes it") {
        const Guards odd("odd_moderation.js");
        const std::string check =
            "[[webhook]]\nname = \"odd\"\nshape = \"template\"\ntemplate = \"odd.toml\"\n"
            "url = \"http://127.0.0.1:" +
            odd.port + "/base\"\nkey = \"env:ODD_TOKEN\"\ntimeout_ms = 6000\n";
        const std::vector<std::string> variables{"COLOPHON_SERVER_ACCESS_LOG=none",
                                                 "ODD_TOKEN=secret-7"};
        const std::string file = R"([request]
path = "/v3/{stage}"
body = '''{"content":{"text":"{text}","picture":"{image}"},"scene":"{service}"}'''
[request.headers]
X-Token = "{key}"
X-Scene = "s-{service}"
[answer]
error = "/status/message"
verdict = "/outcome/suggestion"
found = ["block"]
passed = ["pass"]
unsure = ["review"]
labels = "/outcome/details"
label = "/tag"
label_score = "/confidence"
score_most = 100
harmless = ["normal"]
[categories]
mob = "A2a"
gore = "A1f"
)";
        RunningService running({}, variables);
        test::write_file(running.dir.file("odd.toml"), as_bytes(file));
        std::string config(as_text(test::read_file(running.dir.file("colophon.toml"))));
        const auto configure = [&](const std::string& more) {
            test::write_file(running.dir.file("colophon.toml"), as_bytes(config + check + more));
        };
        configure("");
        running.start();
        CHECK(code_of_answer(say(running, "a quiet crowd")) == "none");
        const std::string told = odd.process->out();
        CHECK(told.find(R"("path":"/base/v3/input","token":"secret-7","scene":"s-dialogue")") !=
              std::string::npos);
        CHECK(told.find(R"("path":"/base/v3/output")") != std::string::npos);
        const json::Value refused = say(running, "a loud rabble");
        CHECK(at(refused, "error", "code") == "input_blocked");
        CHECK(at(refused, "error", "category") == "A2a");
        const std::size_t asked = odd.asked();
        CHECK(code_of_answer(say(running, "a loud rabble")) == "input_blocked");
        CHECK(odd.asked() == asked);
        const json::Value unsure = say(running, "perhaps");
        CHECK(at(unsure, "error", "code") == "held_for_review");
        CHECK(at(unsure, "error", "category") == "A4c");
        // A picture that comes out.
        const json::Value drawn = object_of(
            running.curl({running.url("/v1/images/generations"), "-d",
                          R"({"model":"picture","user":"alice","response_format":"b64_json",)"
                          R"("prompt":"a lighthouse"})"}));
        CHECK_MESSAGE(drawn.find("data") != nullptr, json::write(drawn));
        CHECK(odd.process->out().find(R"("picture":")") != std::string::npos);
        // What it does not judge passes nowhere; then it rests.
        for (const char* text : {"babble", "gibberish", "go slowly"}) {
            CAPTURE(text);
            CHECK(code_of_answer(say(running, text)) == "webhook_failed");
        }
        const std::string records = running.ok({"ledger", "records", "--json", "--kind", "call"});
        CHECK(records.find("webhook:odd/Mob") != std::string::npos);
        CHECK(records.find(R"(\"odd:input\":0.915)") != std::string::npos);
        CHECK(records.find("it says that it judged nothing") != std::string::npos);
        CHECK(records.find("a word that nobody explained") != std::string::npos);
        CHECK(records.find("it did not answer within 6000 ms") != std::string::npos);
        // What is wrong with a file is said, with its line; another key is believed by nobody.
        for (const auto& [wrong, said] : std::vector<std::pair<std::string, std::string>>{
                 {"[answer]\nverdict = \"outcome\"\n", "line 2: \"outcome\" is no JSON pointer"},
                 {"[answer]\nscore_most = 1\n", "[answer] needs verdict, labels or score"},
                 {"[answer]\nverdict = \"/a\"\n", "the request shows nothing"},
                 {"[answer]\nscore = \"/a\"\n[request]\nbody = \'\'\'[\"{text}\"]\'\'\'\n",
                  "scores without a verdict need threshold_per_mille"},
                 {"[answer]\nverdict = \"/a\"\nlabel = \"/b\"\n", "belong to labels"},
                 {"[answers]\n", "there is no section \"answers\""},
                 {"[request]\nbody = \"{key}\"\n", "the body is no JSON"}}) {
            CAPTURE(wrong);
            test::write_file(running.dir.file("odd.toml"), as_bytes(wrong));
            const test::ToolRun run = running.colophon({"serve", "--check-config"});
            CHECK(run.exit_code == 64);
            CHECK_MESSAGE(run.err.find(said) != std::string::npos, run.err);
        }
        test::write_file(running.dir.file("odd.toml"), as_bytes(file));
        configure("secret = \"env:ODD_TOKEN\"\n");
        CHECK(running.colophon({"serve", "--check-config"}).err.find("has a key and no secret") !=
              std::string::npos);
    }
}

}  // namespace colophon
