// SPDX-License-Identifier: Apache-2.0
// `colophon serve` as a process, before a bench upstream, as its users meet it.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "support/http_peer.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/sample_files.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/types.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::object_of;
using test::RunningService;
using test::soon;

std::vector<json::Value> lines_of(std::string_view text) {
    std::vector<json::Value> all;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (end > 0) {
            all.push_back(object_of(text.substr(0, end)));
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return all;
}

std::string chat(std::string_view model, std::string_view text, std::string_view more = "") {
    return R"({"model":")" + std::string(model) + R"(","user":"alice",)" + std::string(more) +
           R"("messages":[{"role":"user","content":")" + std::string(text) + R"("}]})";
}

std::string error_code(const std::string& body) {
    const json::Value value = object_of(body);
    const json::Value* error = value.find("error");
    return error == nullptr ? std::string("none") : error->string_or("code", "");
}

std::vector<pid_t> children_of(pid_t process) {
    const std::string id = std::to_string(process);
    std::vector<pid_t> children;
    for (const auto& task : std::filesystem::directory_iterator("/proc/" + id + "/task")) {
        std::ifstream list(task.path() / "children");
        for (pid_t child = 0; list >> child;) {
            children.push_back(child);
        }
    }
    return children;
}

// The records, newest first, once there are so many.
std::vector<json::Value> records(const RunningService& running, std::size_t count) {
    std::vector<json::Value> all;
    CHECK(soon([&] {
        all = lines_of(running.ok({"ledger", "records", "--json", "--kind", "call"}));
        return all.size() >= count;
    }));
    return all;
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE(
        "[DSP-16] [DSP-17] the official client runs unchanged, and what it gets is labelled") {
        RunningService running;
        running.start();
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, running.dir.file("plain.png")});
        const test::ToolRun run =
            test::run_tool({"node", COLOPHON_SOURCE_DIR "/tests/witness/openai_client.js",
                            COLOPHON_SOURCE_DIR "/build/witness/node_modules", running.url("/v1"),
                            running.key, running.dir.path().string()});
        const std::string told = run.err + run.out + running.service->err();
        REQUIRE_MESSAGE(run.exit_code == 0, told);
        std::map<std::string, json::Value> said;
        std::vector<std::pair<std::string, std::string>> speeches;
        for (const json::Value& line : lines_of(run.out)) {
            said[line.string_or("what", "")] = line;
            if (line.string_or("what", "") == "speech") {
                speeches.emplace_back(line.string_or("format", ""), line.string_or("id", ""));
            }
        }
        const auto text = [&](const char* what, const char* member) {
            return said[what].string_or(member, "");
        };
        CHECK(text("chat", "content").find("AI生成") != std::string::npos);
        CHECK(text("chat", "content").ends_with("Hello wide world"));
        CHECK(text("chat", "id") == text("chat", "header"));
        CHECK(text("stream", "content").find("Hello wide world") != std::string::npos);
        CHECK(text("stream", "content").find("AI生成") != std::string::npos);
        CHECK(text("stream", "finish") == "stop");
        CHECK(text("tools", "name") == "weather");
        CHECK(text("tools", "arguments") == R"({"city":"Beijing"})");
        CHECK(text("completion", "text").find("once") != std::string::npos);

        for (const char* what : {"response", "response_stream"}) {
            CAPTURE(what);
            const std::string all = text(what, "text");
            CHECK(all.find("AI生成") < all.find("Hello wide world"));
            CHECK(all.find("Hello wide world") != std::string::npos);
            CHECK(text(what, "status") == "completed");
            CHECK_FALSE(text(what, "id").empty());
            CHECK(said[what].find("tokens")->as_int().value() == 10);
        }
        CHECK_FALSE(*said["response"].find("kept")->if_bool());
        CHECK(*said["response_stream"].find("ordered")->if_bool());
        CHECK(text("response_stream", "pieces") == text("response_stream", "text"));
        CHECK(text("response_tools", "name") == "weather");
        CHECK(text("response_tools", "arguments") == R"({"city":"Beijing"})");
        CHECK(text("response_blocked", "type") == "response.incomplete");
        CHECK(text("response_blocked", "reason") == "content_filter");
        CHECK(text("response_blocked", "text") == text("response_blocked", "output"));
        CHECK(text("response_blocked", "text").find("almost") != std::string::npos);
        CHECK(text("response_blocked", "text").find("forb") == std::string::npos);

        CHECK(json::write(*said["moderation"].find("flagged")) == "[false,true]");

        struct Failure {
            const char* what;
            const char* kind;
            const char* code;
        };
        for (const Failure& each :
             {Failure{"input_blocked", "PermissionDeniedError", "input_blocked"},
              Failure{"no_user", "PermissionDeniedError", "identity_required"},
              Failure{"stranger", "PermissionDeniedError", "identity_required"},
              Failure{"no_model", "NotFoundError", "model_not_found"},
              Failure{"upstream_500", "InternalServerError", "upstream_failed"},
              Failure{"upstream_hangs", "InternalServerError", "upstream_timeout"},
              Failure{"garbage", "InternalServerError", "upstream_failed"},
              Failure{"cut", "InternalServerError", "upstream_failed"},
              Failure{"stream_cut", "APIError", "upstream_failed"},
              Failure{"stream_garbage", "InternalServerError", "upstream_failed"},
              Failure{"stream_huge", "APIError", "upstream_failed"},
              Failure{"stream_stalls", "APIError", "upstream_timeout"},
              Failure{"pcm", "BadRequestError", "invalid_request"},
              Failure{"response_blocked_whole", "PermissionDeniedError", "output_blocked"},
              Failure{"response_input_blocked", "PermissionDeniedError", "input_blocked"},
              Failure{"response_cut", "APIError", "upstream_failed"},
              Failure{"response_kept", "BadRequestError", "invalid_request"},
              Failure{"response_search", "BadRequestError", "invalid_request"},
              Failure{"edit_blocked", "PermissionDeniedError", "input_blocked"},
              Failure{"edit_empty", "BadRequestError", "invalid_request"},
              Failure{"output_blocked_whole", "PermissionDeniedError", "output_blocked"}}) {
            CAPTURE(each.what);
            CHECK(text(each.what, "kind") == each.kind);
            CHECK(text(each.what, "code") == each.code);
        }
        CHECK(text("output_blocked", "reason") == "content_filter");
        CHECK(text("output_blocked", "text").find("forb") == std::string::npos);

        // Every speech file is intact, its number finds its record, and the log proves it.
        REQUIRE(speeches.size() == 5);
        for (const auto& [format, id] : speeches) {
            CAPTURE(format);
            const std::string file = running.dir.file("speech." + format);
            const json::Value seen = object_of(running.ok({"verify", "--json", file}));
            CHECK(seen.string_or("verdict", "") == "intact");
            CHECK(seen.find("metadata")->string_or("content_id", "") == id);
            const std::string proof = running.dir.file(format + ".evidence");
            CHECK(soon([&] {
                return test::run_tool({"curl", "-fsS", "-o", proof,
                                       running.url("/ledger/proof?content_id=" + id)})
                           .exit_code == 0;
            }));
            const auto log =
                lines_of(running.ok({"ledger", "checkpoint", "--json", "--log", "service"}));
            REQUIRE_FALSE(log.empty());
            const std::string key = *log.front().find("keys")->if_array()->front().if_string();
            running.ok({"ledger", "check", proof, "--key", key});
        }
        const json::Value picture =
            object_of(running.ok({"verify", "--json", running.dir.file("picture.png")}));
        CHECK(picture.string_or("verdict", "") == "intact");
        CHECK(picture.find("explicit")->find("found") != nullptr);

        const json::Value edited =
            object_of(running.ok({"verify", "--json", running.dir.file("edited.png")}));
        CHECK(edited.string_or("verdict", "") == "intact");
        CHECK(edited.find("metadata")->string_or("content_id", "") == text("edit", "id"));
        CHECK(text("edit", "parts") == "image=file.png model=picture n=1 prompt=with a hat");

        // 39 calls that made something, failed, were refused or were left, and none twice.
        const auto kept = records(running, 39);
        CHECK(kept.size() == 39);
        std::set<std::string> ids;
        std::map<std::string, int> codes;
        for (const json::Value& record : kept) {
            ids.insert(record.string_or("id", ""));
            ++codes[record.string_or("outcome_code", "")];
        }
        CHECK(ids.size() == kept.size());
        CHECK(codes["input_blocked"] == 3);
        CHECK(codes["output_blocked"] == 4);
        CHECK(codes["identity_required"] == 2);
        CHECK(soon([&] {
            for (const json::Value& record : records(running, kept.size())) {
                if (record.string_or("outcome_code", "") == "client_gone") {
                    return true;
                }
            }
            return false;
        }));
    }

    TEST_CASE("[DSP-17] Anthropic's client runs unchanged, before upstreams of either dialect") {
        RunningService running;
        running.start();
        const test::ToolRun run = test::run_tool(
            {"node", COLOPHON_SOURCE_DIR "/tests/witness/anthropic_client.js",
             COLOPHON_SOURCE_DIR "/build/witness/node_modules", running.url(""), running.key});
        const std::string told = run.err + run.out + running.service->err();
        REQUIRE_MESSAGE(run.exit_code == 0, told);
        std::map<std::string, json::Value> said;
        for (const json::Value& line : lines_of(run.out)) {
            said[line.string_or("what", "")] = line;
        }
        const auto text = [&](const std::string& what, const char* member) {
            return said[what].string_or(member, "");
        };
        for (const std::string prefix : {"", "native-"}) {
            CAPTURE(prefix);
            for (const std::string& what : {prefix + "message", prefix + "stream"}) {
                CAPTURE(what);
                const std::string all = text(what, "text");
                CHECK(all.find("AI生成") < all.find("Hello wide world"));
                CHECK(all.find("Hello wide world") != std::string::npos);
                CHECK(text(what, "reason") == "end_turn");
                CHECK_FALSE(text(what, "id").empty());
                CHECK(said[what].find("tokens")->as_int().value() >= 5);
            }
            CHECK(text(prefix + "stream", "pieces") == text(prefix + "stream", "text"));
            CHECK(text(prefix + "tools", "name") == "weather");
            CHECK(text(prefix + "tools", "input") == "Beijing");
            CHECK(text(prefix + "stream_tools", "input") == "Beijing");
            CHECK(text(prefix + "stream_tools", "reason") == "tool_use");
            CHECK(text(prefix + "blocked", "reason") == "refusal");
            CHECK(text(prefix + "blocked", "text").find("almost") != std::string::npos);
            CHECK(text(prefix + "blocked", "text").find("forb") == std::string::npos);
            for (const auto& [what, kind, code] :
                 {std::tuple{"blocked_whole", "PermissionDeniedError", "output_blocked"},
                  std::tuple{"input_blocked", "PermissionDeniedError", "input_blocked"},
                  std::tuple{"no_user", "PermissionDeniedError", "identity_required"},
                  std::tuple{"cut", "APIError", "upstream_failed"},
                  std::tuple{"search", "BadRequestError", "invalid_request"}}) {
                CAPTURE(what);
                CHECK(text(prefix + what, "kind") == kind);
                CHECK(text(prefix + what, "code") == code);
            }
        }
        CHECK(text("no_model", "type") == "not_found_error");
        CHECK(text("no_key", "kind") == "AuthenticationError");
        CHECK(text("no_key", "type") == "authentication_error");
        for (const char* what : {"chat", "chat_stream"}) {
            CAPTURE(what);
            CHECK(text(what, "text").find("AI生成") < text(what, "text").find("Hello wide world"));
            CHECK(text(what, "text").find("Hello wide world") != std::string::npos);
            CHECK(text(what, "reason") == "stop");
            CHECK(said[what].find("tokens")->as_int().value() == 10);
        }
        CHECK(text("chat_tools", "name") == "weather");
        CHECK(text("chat_tools", "arguments") == R"({"city":"Beijing"})");
        CHECK(text("chat_choices", "kind") == "BadRequestError");
        // 5 tokens in and 5 out at 2.50 and 10 for a million.
        const std::string metrics = running.curl({running.url("/metrics")});
        CHECK(metrics.find("colophon_cost_millionths_total{gen_ai_request_model=\"native-letters\","
                           "upstream=\"native\",currency=\"CNY\"} 126") != std::string::npos);
        // Each call with a key has its record: ten for each kind of upstream, and five more.
        const auto kept = records(running, 25);
        CHECK(kept.size() == 25);
        CHECK(std::ranges::any_of(kept, [](const json::Value& record) {
            return json::write(record).find("0.000063") != std::string::npos;
        }));
    }

    TEST_CASE("a key that was revoked and a user who was closed are refused within a second") {
        RunningService running;
        running.start();
        const auto ask = [&] {
            return error_code(
                running.curl({running.url("/v1/chat/completions"), "-d", chat("echo", "hello")}));
        };
        CHECK(ask() == "none");
        // The last question was put 900 ms after the change at the latest.
        const auto within_a_second = [&](std::string_view code) {
            const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(900);
            while (std::chrono::steady_clock::now() < until) {
                if (ask() == code) {
                    return true;
                }
            }
            return ask() == code;
        };
        running.ok({"admin", "subject", "close", "demo", "alice"});
        CHECK(within_a_second("account_restricted"));
        running.ok({"admin", "key", "revoke", running.key_id});
        CHECK(within_a_second("invalid_api_key"));
    }

    TEST_CASE("a worker that dies is one failed call at most, and nothing unlabelled goes out") {
        RunningService running;
        running.start();
        const auto speak = [&](const std::string& file) {
            return running.curl({running.url("/v1/audio/speech"), "-d",
                                 R"({"model":"espeak-ng","user":"alice","input":"hello",)"
                                 R"("response_format":"wav"})",
                                 "-o", running.dir.file(file), "-w", "%{http_code}"});
        };
        CHECK(speak("first.wav") == "200");
        std::size_t killed = 0;
        for (const pid_t child : children_of(running.service->process())) {
            ::kill(child, SIGKILL);
            ++killed;
        }
        CHECK(killed >= 1);
        const std::string second = speak("second.wav");
        if (second == "200") {
            running.ok({"verify", running.dir.file("second.wav")});
        } else {
            CHECK(second == "503");
            CHECK(error_code(std::string(
                      as_text(test::read_file(running.dir.file("second.wav"))))) == "label_failed");
        }
        CHECK(speak("third.wav") == "200");
        running.ok({"verify", running.dir.file("third.wav")});
        CHECK(records(running, 3).size() == 3);
    }

    TEST_CASE("a store that cannot write ends calls with an error, and goes on when it can again") {
        RunningService running;
        running.start();
        const auto ask = [&](std::string_view more = "") {
            return running.curl({running.url("/v1/chat/completions"), "-d",
                                 chat("echo", "Hello wide world", more)});
        };
        CHECK(error_code(ask()) == "none");
        const std::string process = std::to_string(running.service->process());
        const auto limit_files = [&](const char* size) {
            test::run_tool_ok({"prlimit", "--pid", process, std::string("--fsize=") + size});
        };
        // No file may grow any more: the system says so to every write, as it does on a full disk.
        limit_files("1:unlimited");
        const std::string whole = ask();
        CHECK(error_code(whole) == "record_unavailable");
        CHECK(whole.find("wide world") == std::string::npos);
        const std::string stream = ask(R"("stream":true,)");
        CHECK(stream.find("record_unavailable") != std::string::npos);
        CHECK(stream.find("[DONE]") == std::string::npos);
        // What went out of that stream is owed a record: until it is kept no call is served.
        CHECK(error_code(ask()) == "record_unavailable");
        CHECK(running.curl({running.url("/readyz")}) == "records cannot be kept\n");
        limit_files("unlimited:unlimited");
        CHECK(soon([&] { return error_code(ask()) == "none"; }));
        std::size_t streams = 0;
        for (const json::Value& record : records(running, 3)) {
            streams += record.string_or("outcome", "") == "answered" ? 1U : 0U;
        }
        CHECK(streams == 3);
        CHECK(running.curl({running.url("/readyz")}) == "ready\n");
    }

    TEST_CASE("a configuration that is wrong is told with its line before anything is served") {
        const RunningService running("[[model]]\nname = \"x\"\nupstream = \"nowhere\"\n");
        const test::ToolRun wrong = running.colophon({"serve", "--check-config"});
        CHECK(wrong.exit_code != 0);
        CHECK(wrong.err.find("there is no upstream \"nowhere\"") != std::string::npos);
        CHECK(wrong.err.find("line ") != std::string::npos);
    }

    TEST_CASE("files are labelled and verified for content made elsewhere") {
        RunningService running;
        running.start();
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, running.dir.file("in.png")});
        running.curl({running.url("/v1/labels?service=content"), "--data-binary",
                      "@" + running.dir.file("in.png"), "-o", running.dir.file("out.png")});
        const json::Value seen =
            object_of(running.ok({"verify", "--json", running.dir.file("out.png")}));
        CHECK(seen.string_or("verdict", "") == "intact");
        const json::Value answer =
            object_of(running.curl({running.url("/v1/verifications?name=out.png"), "--data-binary",
                                    "@" + running.dir.file("out.png")}));
        CHECK(answer.string_or("verdict", "") == "intact");
        CHECK(answer.find("ledger")->string_or("operation", "") == "labels.create");
        const std::string known =
            running.ok({"ledger", "records", "--json", "--file", running.dir.file("out.png")});
        CHECK(known.find("labels.create") != std::string::npos);
        CHECK(known.find("verifications.create") != std::string::npos);
        CHECK(error_code(running.curl({running.url("/v1/labels"), "-d", "\x01\x02"})) != "none");
    }

    TEST_CASE("a picture comes as a URL where that is asked for, labelled all the same") {
        RunningService running;
        running.start();
        const auto drawn = [&](const std::string& form) {
            const json::Value answer = object_of(running.curl(
                {running.url("/v1/images/generations"), "-d",
                 R"({"model":"picture","user":"alice","prompt":"a harbour")" + form + "}"}));
            const json::Value* data = answer.find("data");
            REQUIRE_MESSAGE(data != nullptr, json::write(answer).substr(0, 1000));
            return data->if_array()->front();
        };
        const json::Value coded = drawn(R"(,"response_format":"b64_json")");
        CHECK(coded.find("url") == nullptr);
        CHECK(!coded.string_or("b64_json", "").empty());
        CHECK(!drawn("").string_or("b64_json", "").empty());
        const json::Value linked = drawn(R"(,"response_format":"url")");
        CHECK(linked.find("b64_json") == nullptr);
        constexpr std::string_view kStart = "data:image/png;base64,";
        const std::string url = linked.string_or("url", "");
        REQUIRE(url.starts_with(kStart));
        const std::string file = running.dir.file("linked.png");
        test::write_file(file, from_base64(url.substr(kStart.size())).value());
        CHECK(object_of(running.ok({"verify", "--json", file})).string_or("verdict", "") ==
              "intact");
    }

    TEST_CASE("trace context is passed on to upstreams, of texts and of pictures") {
        const test::TempDir folder;
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, folder.file("in.png")});
        const std::string picture = to_base64(test::read_file(folder.file("in.png")));
        const test::HttpPeer peer([&](const test::PeerRequest& request) {
            return test::answer(200,
                                request.target.ends_with("/images/generations")
                                    ? R"({"created":1,"data":[{"b64_json":")" + picture + R"("}]})"
                                    : R"({"choices":[{"index":0,"message":{"role":"assistant",)"
                                      R"("content":"Good evening."},"finish_reason":"stop"}]})");
        });
        RunningService running("[[upstream]]\nname = \"watched\"\nurl = \"" + peer.url("/v1") +
                               "\"\n[[model]]\nname = \"watched\"\nupstream = \"watched\"\n"
                               "[[model]]\nname = \"drawn\"\nkind = \"image\"\n"
                               "upstream = \"watched\"\n");
        running.start();
        const std::string trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        const auto ask = [&](const std::string& path, const std::string& body,
                             const std::string& parent) {
            return error_code(running.curl({running.url(path), "-H", "traceparent: " + parent, "-H",
                                            "tracestate: shop=1,line=2", "-d", body}));
        };
        CHECK(ask("/v1/chat/completions", chat("watched", "hello"), trace) == "none");
        CHECK(ask("/v1/images/generations", R"({"model":"drawn","user":"alice","prompt":"a"})",
                  trace) == "none");
        CHECK(ask("/v1/chat/completions", chat("watched", "hello"), "00-nonsense") == "none");
        const auto requests = peer.requests();
        REQUIRE(requests.size() == 3);
        for (std::size_t i = 0; i < 2; ++i) {
            CHECK(requests[i].header("traceparent") == trace);
            CHECK(requests[i].header("tracestate") == "shop=1,line=2");
        }
        CHECK(requests[2].header("traceparent").empty());
        CHECK(requests[2].header("tracestate").empty());
        CHECK(running.service->err().find("0af7651916cd43dd8448eb211c80319c") != std::string::npos);
    }

    // [DSP-17] Words are owed, and there is no place for them: nothing goes out.
    TEST_CASE("a document that can bear no explicit label is refused, and on record") {
        RunningService running;
        running.start();
        const std::string in = test::make_sample(running.dir, "pdf");
        const std::string out = running.dir.file("out.pdf");
        CHECK(running.curl({running.url("/v1/labels?service=content"), "--data-binary", "@" + in,
                            "-o", out, "-w", "%{http_code}"}) == "415");
        const std::string said(as_text(test::read_file(out)));
        CHECK_MESSAGE(said.find("no explicit label in") != std::string::npos, said);
        const std::string known = running.ok({"ledger", "records", "--json", "--kind", "call"});
        CHECK(known.find("labels.create") != std::string::npos);
        CHECK(known.find("\"outcome\":\"answered\"") == std::string::npos);
    }

    TEST_CASE("where the profile owes Content Credentials, files get them, and they are verified") {
        RunningService running;
        const std::string path = running.dir.file("colophon.toml");
        std::string config(as_text(test::read_file(path)));
        const std::size_t at = config.find("[label]\n");
        REQUIRE(at != std::string::npos);
        config.insert(at + 8, "profile = \"eu\"\n");
        test::write_file(path, as_bytes(config));
        running.start();
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, running.dir.file("in.png")});
        running.curl({running.url("/v1/labels?service=content"), "--data-binary",
                      "@" + running.dir.file("in.png"), "-o", running.dir.file("out.png")});
        const json::Value answer =
            object_of(running.curl({running.url("/v1/verifications?name=out.png"), "--data-binary",
                                    "@" + running.dir.file("out.png")}));
        CHECK(answer.string_or("verdict", "") == "intact");
        const json::Value* provenance = answer.find("provenance");
        REQUIRE_MESSAGE(provenance != nullptr, json::write(answer));
        for (const std::string_view member : {"found", "intact", "trusted"}) {
            const json::Value* value = provenance->find(member);
            REQUIRE_MESSAGE(value != nullptr, json::write(answer));
            CHECK(*value->if_bool());
        }
    }

    TEST_CASE("the service drains, reloads, and says how it is") {
        RunningService running;
        running.start();
        CHECK(running.curl({running.url("/healthz")}) == "alive\n");
        CHECK(running.curl({running.url("/readyz")}) == "ready\n");
        CHECK(
            object_of(running.curl({running.url("/api/openapi.json")})).string_or("openapi", "") ==
            "3.1.0");
        CHECK(error_code(running.curl({running.url("/nothing")})) == "not_found");
        (void)running.curl({running.url("/v1/chat/completions"), "-d", chat("echo", "hello")});
        const std::string metrics = running.curl({running.url("/metrics")});
        CHECK(metrics.find("colophon_calls_total{gen_ai_operation_name=\"chat\","
                           "gen_ai_request_model=\"echo\",outcome=\"answered\"} 1") !=
              std::string::npos);
        // A word that is added is forbidden after a reload; a broken file changes nothing.
        test::write_file(running.dir.file("words.txt"), as_bytes("forbidden\nhello\n"));
        running.service->signal(SIGHUP);
        CHECK(soon([&] {
            return error_code(running.curl({running.url("/v1/chat/completions"), "-d",
                                            chat("echo", "hello")})) == "input_blocked";
        }));
        test::write_file(running.dir.file("colophon.toml"), as_bytes("[nonsense]\n"));
        running.service->signal(SIGHUP);
        CHECK(soon([&] {
            return running.service->err().find("the old configuration stays") != std::string::npos;
        }));
        CHECK(running.curl({running.url("/healthz")}) == "alive\n");
        // A log line names no person and no address.
        CHECK(running.service->err().find("alice") == std::string::npos);
        CHECK(running.service->err().find("\"127.0.0.1\"") == std::string::npos);
        running.service->signal(SIGTERM);
        CHECK(running.service->wait() == 0);
    }
}

}  // namespace colophon
