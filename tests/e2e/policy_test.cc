// SPDX-License-Identifier: Apache-2.0
// The policy of review as data: its steps, their order, what ends them and over which thresholds,
// for each tenant and class of service; its versions; and calls judged once more under them.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "support/api_client.h"
#include "support/guards.h"
#include "support/json_answer.h"
#include "support/postgres_server.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <chrono>
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

using test::Api;
using test::code_of_answer;
using test::guard_check;
using test::Guards;
using test::object_of;
using test::RunningService;

struct Ruled : RunningService {
    explicit Ruled(const std::string& more,
                   std::vector<std::string> given = {"COLOPHON_SERVER_ACCESS_LOG=none"})
        : RunningService(more, std::move(given)), api(*this) {
        test::write_file(
            dir.file("words.txt"),
            as_bytes(R"({"id":"no","category":"A1d","phrase":"forbidden"})"
                     "\n"
                     R"({"id":"wait","category":"A4e","phrase":"diary","action":"hold"})"
                     "\n"));
    }
    std::string say(std::string_view text, std::string_view model = "echo") const {
        return code_of_answer(
            object_of(curl({url("/v1/chat/completions"), "-d",
                            R"({"model":")" + std::string(model) +
                                R"(","user":"alice","messages":[{"role":"user","content":")" +
                                std::string(text) + R"("}]})"})));
    }
    // The number of the record of that call.
    std::string record_of(std::string_view text) const {
        const std::string heads =
            curl({"-D", "-", "-o", "/dev/null", url("/v1/chat/completions"), "-d",
                  R"({"model":"echo","user":"alice","messages":[{"role":"user","content":")" +
                      std::string(text) + R"("}]})"});
        const std::size_t at = heads.find("colophon-record: ");
        REQUIRE(at != std::string::npos);
        return heads.substr(at + 17, 32);
    }
    // The verdicts of the newest call, in their order: "input allow, input block, ...".
    std::string verdicts() const {
        const std::string records = ok({"ledger", "records", "--json", "--kind", "call"});
        const json::Value newest = object_of(records.substr(0, records.find('\n')));
        std::string all;
        const json::Value* list = newest.find("verdicts");
        REQUIRE(list != nullptr);
        for (const json::Value& each : *list->if_array()) {
            all += (all.empty() ? "" : ", ") + each.string_or("stage", "") + " " +
                   each.string_or("decision", "");
        }
        return all;
    }
    void configure(const std::string& before, const std::string& after) const {
        std::string config(as_text(test::read_file(dir.file("colophon.toml"))));
        const std::size_t at = config.find(before);
        REQUIRE(at != std::string::npos);
        config.replace(at, before.size(), after);
        test::write_file(dir.file("colophon.toml"), as_bytes(config));
    }
    void reload() {
        ++reloads;
        service->signal(SIGHUP);
        const auto count = [this] {
            std::size_t found = 0;
            const std::string told = service->err();
            for (std::size_t at = 0; (at = told.find("read again", at)) != std::string::npos;
                 ++at) {
                ++found;
            }
            return found;
        };
        for (int i = 0; i < 200 && count() < reloads; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        REQUIRE(count() == reloads);
    }
    std::size_t reloads = 0;
    Api api;
};

const std::string kTwo = "[[policy]]\nname = \"p\"\n";

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-10] a policy says in which order inputs are looked at, and what ends that") {
        const Guards guards;
        const std::string check =
            guard_check(guards, "llama", "llama-guard", "stage = \"input\"\n");
        struct Case {
            const char* policy;
            const char* text;
            const char* code;
            const char* verdicts;
            std::size_t asked;
        };
        // "rabble" is what the check blocks.
        for (const Case& each : std::vector<Case>{
                 {"", "forbidden rabble", "input_blocked", "input block", 0},
                 {"", "a rabble", "input_blocked", "input allow, input block", 1},
                 {"", "diary rabble", "held_for_review", "input hold", 0},
                 {"input = [\"library\"]\n", "a rabble", "none", "input allow, output allow", 0},
                 {"input = [\"llama\", \"library\"]\n", "forbidden rabble", "input_blocked",
                  "input block", 1},
                 {"input = [\"llama\", \"library\"]\n", "forbidden crowd", "input_blocked",
                  "input allow, input block", 1},
                 {"input_stop = \"block\"\n", "diary rabble", "input_blocked",
                  "input block, input hold", 1},
                 {"input_stop = \"block\"\n", "diary crowd", "held_for_review",
                  "input allow, input hold", 1},
                 {"input_stop = \"never\"\n", "forbidden rabble", "input_blocked",
                  "input block, input block", 1},
                 {"input = [\"llama\", \"library\"]\ninput_stop = \"never\"\n", "forbidden rabble",
                  "input_blocked", "input block, input block", 1},
                 {"services = [\"voice\"]\ninput = [\"library\"]\n", "a rabble", "input_blocked",
                  "input allow, input block", 1},
                 {"services = [\"dialogue\"]\n[policy.actions]\nllama = \"flag\"\n", "a rabble",
                  "none", "input allow, input flag, output allow", 1},
             }) {
            CAPTURE(each.policy);
            CAPTURE(each.text);
            Ruled ruled(check + kTwo + each.policy);
            ruled.start();
            const std::size_t before = guards.asked();
            CHECK(ruled.say(each.text) == each.code);
            CHECK(guards.asked() - before == each.asked);
            CHECK(ruled.verdicts() == each.verdicts);
        }
    }

    TEST_CASE("[DSP-10] a policy says the same of outputs, at once and in streams") {
        const Guards guards;
        const std::string check =
            guard_check(guards, "llama", "llama-guard", "stage = \"output\"\n");
        struct Case {
            const char* policy;
            const char* text;  // backwards: what comes out is not what went in
            const char* code;
            std::size_t asked;
        };
        for (const Case& each : std::vector<Case>{
                 {"", "elbbar neddibrof", "output_blocked", 0},
                 {"", "elbbar a", "output_blocked", 1},
                 {"", "elbbar yraid", "output_blocked", 1},
                 {"output_stop = \"hold\"\n", "elbbar yraid", "held_for_review", 0},
                 {"output_stop = \"never\"\n", "elbbar neddibrof", "output_blocked", 1},
                 {"output = [\"llama\", \"library\"]\n", "elbbar neddibrof", "output_blocked", 1},
                 {"output = [\"library\"]\n", "elbbar a", "none", 0},
             }) {
            CAPTURE(each.policy);
            CAPTURE(each.text);
            Ruled ruled(check + kTwo + each.policy);
            ruled.start();
            std::size_t before = guards.asked();
            CHECK(ruled.say(each.text, "backwards") == each.code);
            CHECK(guards.asked() - before == each.asked);
            // Classifiers are not asked the same twice, so the stream has other words.
            before = guards.asked();
            const std::string stream = ruled.curl(
                {ruled.url("/v1/chat/completions"), "-d",
                 R"({"model":"backwards","stream":true,"user":"alice","messages":[{"role":"user",)"
                 R"("content":")" +
                     std::string(each.text) + R"( rehtona"}]})"});
            CHECK(guards.asked() - before == each.asked);
            if (std::string_view(each.code) == "none") {
                CHECK(stream.find("[DONE]") != std::string::npos);
            } else {
                CHECK(stream.find("rabble") == std::string::npos);
                CHECK(stream.find("forbidden") == std::string::npos);
            }
        }
    }

    TEST_CASE("[DSP-10] thresholds are those of the tenant and of the class of service") {
        const Guards guards;
        std::string config = guard_check(guards, "m", "moderations", "stage = \"input\"\n");
        Ruled ruled(config +
                    "[[policy]]\nname = \"ours\"\ntenants = [\"TENANT\"]\n"
                    "services = [\"dialogue\"]\n[policy.thresholds]\nm = 900\n");
        std::string text = "text,label\n";
        for (int i = 0; i < 400; ++i) {
            text += "number " + std::to_string(i * 7919 % 1000) +
                    (i % 2 == 0 ? " you stupid fool,1\n" : " a fine day for all,0\n");
        }
        test::write_file(ruled.dir.file("texts.csv"), as_bytes(text));
        ruled.ok({"library", "train", "texts.csv", "--category", "A2i", "-o", "model"});
        // A policy of another tenant.
        ruled.configure("tenants = [\"TENANT\"]",
                        "tenants = [\"00000000000000000000000000000000\"]");
        ruled.configure("words = ",
                        "classifier = \"model\"\nclassifier_action = \"block\"\nwords = ");
        ruled.start();
        CHECK(ruled.say("a loud rabble") == "input_blocked");  // 0.8
        CHECK(ruled.say("what a stupid fool") == "input_blocked");
        // Of this one: over 0.8 the check says nothing, and the own classifier is not asked.
        ruled.configure("00000000000000000000000000000000", ruled.tenant);
        ruled.configure("[policy.thresholds]", "classifier_action = \"off\"\n[policy.thresholds]");
        ruled.reload();
        CHECK(ruled.say("a loud rabble") == "none");
        CHECK(ruled.say("what a stupid fool") == "none");
        // And asked, but only what it is quite sure of.
        ruled.configure("classifier_action = \"off\"", "classifier_action = \"flag\"");
        ruled.reload();
        CHECK(ruled.say("what a stupid fool") == "none");
        CHECK(ruled.verdicts() == "input flag, input allow, output flag");
        ruled.configure("classifier_action = \"flag\"",
                        "classifier_action = \"block\"\nclassifier_threshold_per_mille = 1000");
        ruled.reload();
        CHECK(ruled.say("what a stupid fool") == "none");
    }

    TEST_CASE("[DSP-10] /v1/moderations answers in OpenAI's shape, with the risk beside it") {
        Ruled ruled("");
        ruled.start();
        const json::Value answer = object_of(ruled.curl(
            {ruled.url("/v1/moderations"), "-d", R"({"input":["a fine day","forbidden"]})"}));
        CHECK(answer.string_or("model", "").starts_with("policy-"));
        const json::Array& results = *answer.find("results")->if_array();
        REQUIRE(results.size() == 2);
        CHECK_FALSE(results[0].find("flagged")->if_bool()[0]);
        CHECK(results[0].find("categories")->if_object()->size() == 13);
        CHECK(results[1].find("flagged")->if_bool()[0]);
        CHECK(results[1].find("categories")->find("A1d")->if_bool()[0]);
        CHECK(results[1].find("categories")->find("illicit/violent")->if_bool()[0]);
        CHECK_FALSE(results[1].find("categories")->find("hate")->if_bool()[0]);
        CHECK(results[1].find("category_scores")->find("illicit/violent")->as_double().value() ==
              1);
        CHECK(ruled.verdicts() == "input allow, input block");
        CHECK(ruled.ok({"ledger", "records", "--json", "--kind", "call"})
                  .find(R"(\"entries\":[\"no\"])") != std::string::npos);
    }

    TEST_CASE("a policy that is none is refused with its name, before anything is served") {
        const Guards guards;
        const std::string check =
            guard_check(guards, "llama", "llama-guard", "stage = \"input\"\n") +
            "[[webhook]]\nname = \"rail\"\nurl = \"http://127.0.0.1:1\"\n";
        const RunningService service(check);
        const std::string config(as_text(test::read_file(service.dir.file("colophon.toml"))));
        for (const auto& [policy, said] : std::vector<std::pair<std::string, std::string>>{
                 {"input = [\"llama\"]\n", "\"library\" is the first or the last step"},
                 {"input = [\"library\", \"lama\"]\n", "there is no check \"lama\""},
                 {"output = [\"library\", \"llama\"]\n", "not for all of its calls"},
                 {"input_stop = \"flag\"\n", "input_stop and output_stop are one of"},
                 {"classifier_action = \"ask\"\n", "classifier_action is one of off"},
                 {"services = [\"song\"]\n", "there is no service \"song\""},
                 {"steps = []\n", "has no key \"steps\""},
                 {"[policy.thresholds]\nrail = 5\n", "a guardrail, which decides for itself"},
                 {"[policy.thresholds]\nllama = 5000\n", "a number from 0 to 1000"},
                 {"[policy.actions]\nllama = \"off\"\n", "actions are one of flag, hold, block"},
                 {"[[policy]]\nname = \"p\"\n", "it stands there twice"}}) {
            CAPTURE(policy);
            test::write_file(service.dir.file("colophon.toml"), as_bytes(config + kTwo + policy));
            const test::ToolRun run = service.colophon({"serve", "--check-config"});
            CHECK(run.exit_code == 64);
            CHECK(run.err.find(said) != std::string::npos);
        }
    }

    TEST_CASE("[DSP-10] each policy is a version, and calls are judged under any of them") {
        for (const bool postgres : {false, true}) {
            CAPTURE(postgres);
            const Guards guards;
            std::vector<std::string> variables{"COLOPHON_SERVER_ACCESS_LOG=none"};
            if (postgres) {
                for (std::string& each :
                     RunningService::on_postgres(test::PostgresServer::shared().new_address())) {
                    variables.push_back(std::move(each));
                }
            }
            Ruled ruled(guard_check(guards, "llama", "llama-guard", "stage = \"input\"\n"),
                        variables);
            ruled.start();
            const std::string auditor = ruled.api.session("chen.jie", "auditor");
            test::write_file(ruled.dir.file("session"), as_bytes(auditor));
            const std::string session = "file:" + ruled.dir.file("session");
            const std::string call = ruled.record_of("a nice plum");
            // A second node of the same configuration is no other version.
            const test::Node second = ruled.start_node("second");
            const auto versions = [&] {
                return *ruled.api.good("GET", "/api/library/policies", auditor)
                            .find("data")
                            ->if_array();
            };
            REQUIRE(versions().size() == 1);
            const std::string first = versions().front().string_or("policy", "");
            const json::Value record = object_of(ruled.ok({"ledger", "records", call, "--json"}));
            CHECK(record.string_or("policy_version", "").starts_with(first + "/library-"));
            CHECK(record.string_or("detail", "").find(R"("service":"dialogue")") !=
                  std::string::npos);

            // Another list of words, read again.
            test::write_file(ruled.dir.file("words.txt"), as_bytes("A1f\tplum\n"));
            ruled.reload();
            CHECK(ruled.say("a nice plum") == "input_blocked");
            const json::Array both = versions();
            REQUIRE(both.size() == 2);
            CHECK(both[0].find("in_force")->if_bool()[0]);
            CHECK_FALSE(both[1].find("in_force")->if_bool()[0]);
            const std::string now = both[0].string_or("policy", "");
            CHECK(ruled.ok({"ledger", "records", "--json", "--kind", "administration"})
                      .find("review.policy") != std::string::npos);
            const json::Value shown =
                ruled.api.good("GET", "/api/library/policies/" + now + "?against=1", auditor);
            REQUIRE(shown.find("differences")->if_array()->size() == 2);
            CHECK(shown.find("differences")->if_array()->front().string_or("place", "") ==
                  "/words/bytes");
            CHECK(json::write(*shown.find("content")).find("\"name\":\"llama\"") !=
                  std::string::npos);
            CHECK(ruled.ok({"library", "policies", "--session", session}).find(first) !=
                  std::string::npos);
            const std::string told = ruled.ok({"library", "policies", "2", "--session", session});
            CHECK(told.find("/checks/llama/action  \"block\"") != std::string::npos);
            CHECK(ruled.ok({"library", "policies", now, "--against", first, "--session", session})
                      .find("/words/sha256") != std::string::npos);

            // The call, under each of them. The check is named and not asked.
            const auto replay = [&](const std::string& rest) {
                const json::Value said =
                    ruled.api.good("POST", "/api/library/replays", auditor,
                                   R"({"records":[")" + call + R"("])" + rest + "}");
                return json::write(said.find("data")->if_array()->front());
            };
            const std::size_t asked = guards.asked();
            const std::string then = replay(R"(,"policy":"recorded")");
            CHECK(then.find(R"("decision":"allow")") != std::string::npos);
            CHECK(then.find(R"("policy":")" + record.string_or("policy_version", "") + "\"") !=
                  std::string::npos);
            CHECK(then.find(R"("checks":[{"name":"llama","said":"not_asked"}],"complete":false)") !=
                  std::string::npos);
            CHECK(replay(R"(,"policy":"2")").find(R"("decision":"block")") != std::string::npos);
            CHECK(replay("").find(R"("decision":"block")") != std::string::npos);
            CHECK(guards.asked() == asked);
            const std::string really = replay(R"(,"policy":"1","ask":true)");
            CHECK(guards.asked() == asked + 1);
            CHECK(really.find(R"("checks":[{"name":"llama","said":"allow"}],"complete":true)") !=
                  std::string::npos);
            const std::string by_hand = ruled.ok({"library", "replay", call, "--policy", first,
                                                  "--json", "--session", session, "--ask"});
            CHECK(by_hand.find(R"("decision":"allow")") != std::string::npos);
            CHECK(by_hand.find(R"("said":"allow")") != std::string::npos);
            // Where the check is no longer, nobody is asked in its place.
            ruled.configure("name = \"llama\"", "name = \"other\"");
            const std::string elsewhere = ruled.ok({"library", "replay", call, "--policy", first,
                                                    "--json", "--session", session, "--ask"});
            CHECK(elsewhere.find(R"("said":"failed","why":"the configuration has no check)") !=
                  std::string::npos);
            CHECK(ruled.api
                      .call("POST", "/api/library/replays", auditor,
                            R"({"records":[")" + call + R"("],"policy":"policy-000000"})")
                      .status == 404);
            // Words that are gone are said to be.
            const std::string digest =
                object_of(json::write(ruled.api.good("GET", "/api/library/policies/1", auditor)
                                          .find("content")
                                          ->find("words")[0]))
                    .string_or("sha256", "");
            for (const auto& entry :
                 std::filesystem::recursive_directory_iterator(ruled.dir.path())) {
                if (entry.path().filename() == digest) {
                    std::filesystem::remove(entry.path());
                    break;
                }
            }
            const test::ToolRun gone =
                ruled.colophon({"library", "replay", call, "--policy", "1", "--session", session});
            CHECK(gone.exit_code == 1);
            CHECK(gone.err.find("a part of this policy is gone") != std::string::npos);
            // Back to the words of before: the first version is in force once more.
            test::write_file(
                ruled.dir.file("words.txt"),
                as_bytes(R"({"id":"no","category":"A1d","phrase":"forbidden"})"
                         "\n"
                         R"({"id":"wait","category":"A4e","phrase":"diary","action":"hold"})"
                         "\n"));
            ruled.configure("name = \"other\"", "name = \"llama\"");
            ruled.reload();
            CHECK(versions().size() == 2);
            const json::Value back = ruled.api.good("GET", "/api/library/policies/1", auditor);
            CHECK(back.find("in_force")->if_bool()[0]);
            CHECK(back.find("uses")->if_array()->size() == 2);
        }
    }
}

}  // namespace colophon
