// SPDX-License-Identifier: Apache-2.0
// Content without its explicit label, under an agreement that two people made: what goes out with
// and without one, and what is left of it in the records.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "support/json_answer.h"
#include "support/postgres_server.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <fstream>
#include <ios>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::object_of;
using test::RunningService;

constexpr const char* kNone = "Colophon-Explicit-Label: none";

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

std::string chat(std::string_view text, std::string_view more = "") {
    return R"({"model":"echo","user":"alice",)" + std::string(more) +
           R"("messages":[{"role":"user","content":")" + std::string(text) + R"("}]})";
}

std::string error_code(const std::string& body) {
    const json::Value value = object_of(body);
    const json::Value* error = value.find("error");
    return error == nullptr ? std::string("none") : error->string_or("code", "");
}

// A service with staff that are signed in.
struct House {
    explicit House(std::vector<std::string> variables = {}) : service("", std::move(variables)) {
        test::write_file(service.dir.file("password"), as_bytes("Correct-Horse-7-Battery\n"));
        test::write_file(service.dir.file("signed.txt"), as_bytes("I label it myself. Alice\n"));
        hire("olga", "operator");
        hire("li.wei", "lead");
        hire("wang", "lead");
        hire("sun", "auditor");
    }
    void hire(const std::string& name, const std::string& roles) {
        const std::string password = "file:" + service.dir.file("password");
        const json::Value made = object_of(service.ok(
            {"admin", "user", "create", name, "--roles", roles, "--password", password, "--json"}));
        const json::Array& codes = *made.find("recovery_codes")->if_array();
        test::write_file(service.dir.file("code"), as_bytes(*codes.front().if_string()));
        const json::Value in =
            object_of(service.ok({"admin", "user", "sign-in", name, "--password", password,
                                  "--code", "file:" + service.dir.file("code"), "--json"}));
        sessions[name] = in.string_or("session", "");
        test::write_file(service.dir.file(name), as_bytes(sessions[name]));
    }
    test::ToolRun run(const std::string& who, std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"admin", "agreement"});
        arguments.insert(arguments.end(), {"--session", "file:" + service.dir.file(who), "--json"});
        return service.colophon(arguments);
    }
    json::Value good(const std::string& who, std::vector<std::string> arguments) const {
        const test::ToolRun done = run(who, std::move(arguments));
        REQUIRE_MESSAGE(done.exit_code == 0, done.err);
        return object_of(done.out);
    }
    std::vector<std::string> proposal(std::chrono::seconds time) const {
        SystemClock clock;
        return {"propose",
                "demo",
                "alice",
                "--purpose",
                "dubbing of a film",
                "--file",
                service.dir.file("signed.txt"),
                "--until",
                format_time(clock.now() + time)};
    }
    // Proposed by one and granted by another.
    std::string agreement(std::chrono::seconds time = std::chrono::hours(24)) const {
        const std::string id = good("olga", proposal(time)).string_or("agreement", "");
        CHECK(good("li.wei", {"grant", id}).string_or("state", "") == "granted");
        return id;
    }
    std::string api(const std::string& who, const std::string& path, const std::string& body,
                    const std::string& port) const {
        return test::run_tool({"curl", "-sS", "-m", "20", "-H",
                               "Authorization: Bearer " + sessions.at(who), "-d", body,
                               "http://127.0.0.1:" + port + path})
            .out;
    }
    std::vector<json::Value> records(const char* kind) const {
        return lines_of(service.ok({"ledger", "records", "--json", "--kind", kind}));
    }

    RunningService service;
    std::map<std::string, std::string> sessions;
};

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[AILM-9] the explicit label is left out under an agreement, and only under one") {
        House house;
        RunningService& running = house.service;
        running.start();
        const std::string url = running.url("/v1/chat/completions");
        const auto ask = [&](const std::string& body) {
            return running.curl({url, "-H", kNone, "-d", body});
        };

        CHECK(error_code(ask(chat("hello"))) == "agreement_required");
        CHECK(house.records("call").front().string_or("outcome_code", "") == "agreement_required");
        CHECK(house.records("unlabelled_release").empty());

        // Nobody makes one alone, and who may only read makes none.
        const std::string own =
            house.good("li.wei", house.proposal(std::chrono::hours(1))).string_or("agreement", "");
        const test::ToolRun alone = house.run("li.wei", {"grant", own});
        CHECK(alone.exit_code != 0);
        CHECK(alone.err.find("another one grants") != std::string::npos);
        CHECK(house.run("sun", house.proposal(std::chrono::hours(1))).exit_code != 0);
        CHECK(house.run("olga", {"grant", own}).exit_code != 0);
        CHECK(house.run("wang", {"refuse", own, "--reason", "no film"}).exit_code == 0);
        CHECK(house.run("wang", {"grant", own}).err.find("refused") != std::string::npos);
        CHECK(error_code(ask(chat("hello"))) == "agreement_required");

        const std::string id = house.agreement();
        const json::Value whole = object_of(ask(chat("hello")));
        const json::Value* message = whole.find("choices")->if_array()->front().find("message");
        CHECK(message->string_or("content", "") == "hello");
        CHECK(whole.find("aigc")->string_or("Label", "") == "1");
        CHECK(whole.find("aigc_notice") == nullptr);
        const std::string stream = ask(chat("hello", R"("stream":true,)"));
        CHECK(stream.find("AI生成") == std::string::npos);
        CHECK(stream.find("\"aigc\":{") != std::string::npos);
        CHECK(stream.ends_with("data: [DONE]\n\n"));
        // Such a text could not bear words.
        CHECK(error_code(ask(chat("{}", R"("response_format":{"type":"json_object"},)"))) ==
              "none");
        const std::string head =
            running.curl({url, "-H", kNone, "-D", "-", "-o", "/dev/null", "-d", chat("hello")});
        CHECK(head.find("colophon-explicit-label: none") != std::string::npos);
        // Who does not ask gets the label as ever.
        CHECK(running.curl({url, "-d", chat("hello")}).find("AI生成") != std::string::npos);

        const std::string speech = running.dir.file("speech.wav");
        running.curl({running.url("/v1/audio/speech"), "-H", kNone, "-o", speech, "-d",
                      R"({"model":"espeak-ng","user":"alice","response_format":"wav",)"
                      R"("input":"Good evening."})"});
        const json::Value picture =
            object_of(running.curl({running.url("/v1/images/generations"), "-H", kNone, "-d",
                                    R"({"model":"picture","user":"alice","prompt":"a hill"})"}));
        REQUIRE_MESSAGE(picture.find("data") != nullptr, json::write(picture));
        const auto bytes =
            from_base64(picture.find("data")->if_array()->front().string_or("b64_json", ""));
        REQUIRE(bytes.ok());
        test::write_file(running.dir.file("picture.png"), *bytes);
        for (const char* file : {"speech.wav", "picture.png"}) {
            CAPTURE(file);
            const json::Value seen =
                object_of(running.ok({"verify", "--json", running.dir.file(file)}));
            CHECK(*seen.find("metadata")->find("found")->if_bool());
            const json::Value* words = seen.find("explicit");
            CHECK((words == nullptr || !*words->find("found")->if_bool()));
        }

        // A class of records of its own, each of which names the agreement.
        const auto releases = house.records("unlabelled_release");
        CHECK(releases.size() == 6);
        for (const json::Value& each : releases) {
            const json::Value detail = object_of(each.string_or("detail", "{}"));
            REQUIRE(detail.find("agreement") != nullptr);
            CHECK(detail.find("agreement")->string_or("id", "") == id);
            CHECK_FALSE(each.string_or("subject", "").empty());
        }
        CHECK(
            running.curl({running.url("/metrics")}).find("colophon_unlabelled_releases_total 6") !=
            std::string::npos);

        // What is kept for an idempotency key would outlive the agreement; other words mean
        // nothing.
        for (const std::vector<std::string>& more :
             {std::vector<std::string>{"-H", "Idempotency-Key: one", "-H", kNone},
              std::vector<std::string>{"-H", "Colophon-Explicit-Label: off"}}) {
            std::vector<std::string> words{url, "-d", chat("hello")};
            words.insert(words.end(), more.begin(), more.end());
            CHECK(error_code(running.curl(words)) == "invalid_request");
        }
        CHECK(error_code(running.curl({running.url("/v1/labels"), "-H", kNone, "--data-binary",
                                       "a text"})) == "invalid_request");

        const json::Value revoked =
            object_of(house.api("olga", "/api/agreements/" + id + "/revoke",
                                R"({"reason":"the film is out"})", running.port));
        CHECK(revoked.string_or("state", "") == "revoked");
        CHECK(error_code(ask(chat("hello"))) == "agreement_required");
        const std::string chinese =
            running.curl({url, "-H", kNone, "-H", "Accept-Language: zh-CN", "-d", chat("hello")});
        CHECK(chinese.find("协议") != std::string::npos);
        const std::string acts =
            running.ok({"ledger", "records", "--json", "--kind", "administration"});
        for (const char* act :
             {"agreement.propose", "agreement.refuse", "agreement.grant", "agreement.revoke"}) {
            CHECK_MESSAGE(acts.find(act) != std::string::npos, act);
        }
        CHECK(acts.find("dubbing") == std::string::npos);  // sealed
    }

    TEST_CASE(
        "[AILM-9] an agreement ends by itself, is for one user, and has terms that are whole") {
        House house;
        RunningService& running = house.service;
        running.start();
        const auto ask = [&](const std::string& user) {
            std::string body = chat("hello");
            body.replace(body.find("alice"), 5, user);
            return error_code(
                running.curl({running.url("/v1/chat/completions"), "-H", kNone, "-d", body}));
        };
        const std::string id = house.agreement(std::chrono::seconds(3));
        CHECK(ask("alice") == "none");
        CHECK(ask("bob") == "identity_required");
        std::string after = "none";
        for (int i = 0; i < 100 && after == "none"; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            after = ask("alice");
        }
        CHECK(after == "agreement_required");

        const std::string key = running.curl({running.url("/api/agreements")});
        const json::Value own = object_of(key);
        REQUIRE(own.find("data")->if_array()->size() == 1);
        const json::Value& listed = own.find("data")->if_array()->front();
        CHECK(listed.string_or("agreement", "") == id);
        CHECK(listed.string_or("document", "") == "signed.txt");
        CHECK(listed.string_or("document_sha256", "") ==
              test::run_tool({"sha256sum", running.dir.file("signed.txt")}).out.substr(0, 64));
        running.ok({"admin", "tenant", "create", "other"});
        const json::Value other =
            object_of(running.ok({"admin", "key", "create", "other", "--json"}));
        const std::string foreign =
            test::run_tool({"curl", "-sS", "-H",
                            "Authorization: Bearer " + other.string_or("secret", ""),
                            running.url("/api/agreements/" + id)})
                .out;
        CHECK(error_code(foreign) == "not_found");

        struct Wrong {
            const char* member;
            const char* value;
            const char* code;
        };
        for (const auto& [member, value, code] :
             {Wrong{"purpose", R"("")", "invalid_argument"},
              Wrong{"until", R"("2020-01-01T00:00:00Z")", "invalid_argument"},
              Wrong{"until", R"("2099-01-01T00:00:00Z")", "invalid_argument"},
              Wrong{"until", R"("soon")", "invalid_argument"},
              Wrong{"document_sha256", R"("12")", "invalid_argument"},
              Wrong{"document", "7", "invalid_argument"},
              Wrong{"subject", R"("00000000000000000000000000000000")", "not_found"},
              Wrong{"tenant", R"("nobody")", "not_found"}}) {
            CAPTURE(member);
            SystemClock clock;
            std::map<std::string, std::string> members{
                {"tenant", R"("demo")"},
                {"subject", "\"" + listed.string_or("subject", "") + "\""},
                {"purpose", R"("a film")"},
                {"document", R"("no. 7")"},
                {"document_sha256", "\"" + std::string(64, 'a') + "\""},
                {"until", "\"" + format_time(clock.now() + std::chrono::hours(1)) + "\""}};
            members[member] = value;
            std::string body;
            for (const auto& [name, text] : members) {
                body += (body.empty() ? "{\"" : ",\"") + name + "\":" + text;
            }
            CHECK(error_code(house.api("li.wei", "/api/agreements", body + "}", running.port)) ==
                  code);
        }
    }

    TEST_CASE("[AILM-9] an agreement that is revoked while content is made lets nothing go out") {
        House house;
        RunningService& running = house.service;
        test::Background odd(
            {"/usr/bin/env", "node", COLOPHON_SOURCE_DIR "/tests/witness/odd_upstream.js"},
            running.dir.file("odd"), {"PATH=/usr/bin:/bin"});
        for (int i = 0; i < 200 && odd.out().find('\n') == std::string::npos; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        const std::string port = odd.out().substr(10, odd.out().find('\n') - 10);
        test::write_file(running.dir.file("odd.key"), as_bytes("sk-odd\n"));
        std::ofstream config(running.dir.file("colophon.toml"), std::ios::app);
        config << "[[model]]\nname = \"video\"\nkind = \"video\"\nupstream = \"bench\"\n"
                  "[[upstream]]\nname = \"tasks\"\ndialect = \"dashscope\"\nfetch = \"own\"\n"
                  "key = \"file:"
               << running.dir.file("odd.key") << "\"\nurl = \"http://127.0.0.1:" << port
               << "/api/v1\"\n[[model]]\nname = \"wanx\"\nkind = \"image\"\n"
                  "upstream = \"tasks\"\n";
        config.close();
        const std::string film = running.dir.file("film.mp4");
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=320x240:d=2", "-pix_fmt", "yuv420p", film});
        test::run_tool_ok(
            {"curl", "-sS", "-T", film, "http://127.0.0.1:" + running.upstream_port + "/video"});
        running.start();
        const auto revoke = [&](const std::string& id) {
            house.good("wang", {"revoke", id, "--reason", "labels were not put on"});
        };

        const std::string first = house.agreement();
        const json::Value created =
            object_of(running.curl({running.url("/v1/videos"), "-H", kNone, "-d",
                                    R"({"model":"video","user":"alice","prompt":"a hill"})"}));
        CHECK(created.string_or("explicit_label", "") == "none");
        const std::string at = running.url("/v1/videos/" + created.string_or("id", ""));
        json::Value video;
        for (int i = 0; i < 600 && video.string_or("status", "") != "completed"; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            video = object_of(running.curl({at}));
        }
        CHECK_MESSAGE(video.string_or("status", "") == "completed", json::write(video));
        // Made, and not yet given to anybody.
        CHECK(house.records("unlabelled_release").empty());
        const std::string got = running.dir.file("got.mp4");
        const std::string head = running.curl({at + "/content", "-o", got, "-D", "-"});
        CHECK(head.find("colophon-explicit-label: none") != std::string::npos);
        const json::Value seen = object_of(running.ok({"verify", "--json", got}));
        CHECK_FALSE(*seen.find("explicit")->find("found")->if_bool());
        CHECK(*seen.find("metadata")->find("found")->if_bool());
        CHECK(house.records("unlabelled_release").size() == 1);
        revoke(first);
        CHECK(error_code(running.curl({at + "/content"})) == "agreement_required");

        // The same of a picture whose task takes a while.
        const std::string second = house.agreement();
        std::string answer;
        std::thread asking([&] {
            answer = running.curl({running.url("/v1/images/generations"), "-H", kNone, "-d",
                                   R"({"model":"wanx","user":"alice","prompt":"patient hill"})"});
        });
        for (int i = 0; i < 100 && odd.out().find("patient") == std::string::npos; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        revoke(second);
        asking.join();
        CHECK_MESSAGE(error_code(answer) == "agreement_required", answer.substr(0, 300));
        CHECK(house.records("unlabelled_release").size() == 1);
    }

    TEST_CASE("[AILM-9] a revoked agreement is over on every node within a second") {
        House house(RunningService::on_postgres(test::PostgresServer::shared().new_address()));
        RunningService& running = house.service;
        const test::Node first = running.start_node("first");
        const test::Node second = running.start_node("second");
        const std::string id = house.agreement();
        const auto ask = [&](const test::Node& node) {
            return error_code(
                running.curl({node.url("/v1/chat/completions"), "-H", kNone, "-d", chat("hello")}));
        };
        CHECK(ask(first) == "none");
        CHECK(ask(second) == "none");
        const json::Value revoked =
            object_of(house.api("wang", "/api/agreements/" + id + "/revoke",
                                R"({"reason":"labels were not put on"})", first.port));
        CHECK(revoked.string_or("revoked_by", "") == "wang");
        CHECK(ask(second) == "agreement_required");
        CHECK(ask(first) == "agreement_required");
        CHECK(house.records("unlabelled_release").size() == 2);
        const json::Value listed =
            house.good("sun", {"list", "--tenant", "demo", "--state", "revoked"});
        CHECK(listed.string_or("agreement", "") == id);
    }
}

}  // namespace colophon
