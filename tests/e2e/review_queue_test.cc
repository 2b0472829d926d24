// SPDX-License-Identifier: Apache-2.0
// What review held, from the refusal with a ticket to the answer that a person has released.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "support/api_client.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon {
namespace {

using test::Api;
using test::object_of;
using test::Reply;
using test::RunningService;

std::string at(const json::Value& value, std::string_view outer, std::string_view name) {
    const json::Value* found = value.find(outer);
    return found == nullptr ? std::string() : found->string_or(name, "");
}

struct Held : RunningService {
    explicit Held(const std::string& flagged = "pass")
        : RunningService(
              {}, {"COLOPHON_SERVER_ACCESS_LOG=none", "COLOPHON_REVIEW_BENIGN=benign",
                   "COLOPHON_REVIEW_SAMPLE_PER_MILLE=0", "COLOPHON_REVIEW_FLAGGED=" + flagged}),
          api(*this) {
        std::filesystem::create_directory(dir.file("benign"));
        test::write_file(dir.file("benign/lines.txt"), as_bytes("harmless\nfine\n"));
        test::write_file(
            dir.file("words.txt"),
            as_bytes(R"({"id":"out","category":"A1f","phrase":"sesame","action":"hold",)"
                     R"("stage":"output"})"
                     "\n"
                     R"({"id":"in","category":"A4e","phrase":"diary","action":"hold",)"
                     R"("stage":"input"})"
                     "\n"
                     R"({"id":"never","category":"A1d","phrase":"forbidden","stage":"output"})"
                     "\n"
                     R"({"id":"seen","category":"A1h","phrase":"lantern","action":"flag"})"
                     "\n"));
        start();
        reviewer = api.session("li.wei", "reviewer");
        other = api.session("wang.fang", "reviewer");
        lead = api.session("chen.jie", "lead");
    }
    void reload() const {
        service->signal(SIGHUP);
        for (int i = 0; i < 200 && service->err().find("read again") == std::string::npos; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        REQUIRE(service->err().find("read again") != std::string::npos);
    }
    static std::string ask(std::string_view text, bool stream = false,
                           std::string_view model = "echo") {
        return R"({"model":")" + std::string(model) + R"(","user":"alice","stream":)" +
               (stream ? "true" : "false") + R"(,"max_tokens":100,"messages":[{"role":"user",)" +
               R"("content":")" + std::string(text) + R"("}]})";
    }
    json::Value say(std::string_view text, const std::string& ticket = {}) const {
        std::vector<std::string> arguments{url("/v1/chat/completions"), "-d", ask(text)};
        if (!ticket.empty()) {
            arguments.insert(arguments.end(), {"-H", "Colophon-Ticket: " + ticket});
        }
        return object_of(curl(arguments));
    }
    json::Value decide(const std::string& item, const std::string& who, const std::string& ruling,
                       const std::string& reason) const {
        api.good("POST", "/api/review/claims", who, R"({"item":")" + item + R"("})");
        return api.good("POST", "/api/review/items/" + item + "/decision", who,
                        R"({"ruling":")" + ruling + R"(","reason":")" + reason + R"("})");
    }
    std::string state(const std::string& ticket) const {
        return object_of(curl({url("/v1/tickets/" + ticket)})).string_or("state", "");
    }
    std::string answer(const std::string& ticket) const {
        return curl({url("/v1/tickets/" + ticket + "/answer")});
    }

    Api api;
    std::string reviewer;
    std::string other;
    std::string lead;
};

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-10] an answer that was held goes out when a person has released it") {
        const Held held;
        const json::Value refused = held.say("open sesame");
        CHECK(at(refused, "error", "code") == "held_for_review");
        CHECK(at(refused, "error", "category") == "A1f");
        const std::string ticket = at(refused, "error", "ticket");
        REQUIRE(ticket.size() == 32);
        CHECK(at(refused, "error", "ticket_url") == "/v1/tickets/" + ticket);
        CHECK(held.state(ticket) == "waiting");
        CHECK(at(object_of(held.answer(ticket)), "error", "code") == "ticket_waiting");

        const json::Value claimed =
            held.api.good("POST", "/api/review/claims", held.reviewer, "{}");
        REQUIRE(claimed.find("item")->if_object() != nullptr);
        CHECK(at(claimed, "item", "item") == ticket);
        CHECK(at(claimed, "item", "claimed_by") == "li.wei");
        const json::Value none = held.api.good("POST", "/api/review/claims", held.other, "{}");
        CHECK(none.find("item")->is_null());
        const json::Value seen =
            held.api.good("POST", "/api/review/items/" + ticket + "/view", held.reviewer);
        const std::string text = seen.string_or("text", "");
        CHECK(text.find("open sesame") != std::string::npos);
        const json::Array& spans = *seen.find("spans")->if_array();
        REQUIRE(spans.size() == 1);
        CHECK(text.substr(spans[0].find("begin")->as_uint().value(), 6) == "sesame");
        CHECK(seen.string_or("context", "").find("open sesame") != std::string::npos);
        const json::Value done =
            held.api.good("POST", "/api/review/items/" + ticket + "/decision", held.reviewer,
                          R"({"ruling":"release","reason":"allowed_use","note":"a tale"})");
        CHECK(done.string_or("state", "") == "released");

        CHECK(held.state(ticket) == "released");
        const json::Value answer = object_of(held.answer(ticket));
        REQUIRE_MESSAGE(answer.find("choices") != nullptr, json::write(answer));
        const json::Value& choice = answer.find("choices")->if_array()->front();
        const std::string content = at(choice, "message", "content");
        CHECK(content.find("open sesame") != std::string::npos);
        CHECK(content.find("AI") != std::string::npos);
        CHECK(answer.find("aigc") != nullptr);
        // Again, for a client that lost it.
        CHECK(object_of(held.answer(ticket)).find("choices") != nullptr);
        // Its record says what was given out, under the number of the call that made it.
        const std::string records = held.ok({"ledger", "records", "--json", "--kind", "call"});
        CHECK(records.find("\"operation\":\"tickets.answer\"") != std::string::npos);
        CHECK(records.find(R"(\"ticket\":\")" + ticket) != std::string::npos);
        const json::Value entry = held.api.good("GET", "/api/review/items/" + ticket, held.lead);
        CHECK(entry.find("delivered")->if_string() != nullptr);
        const json::Value conduct =
            held.api.good("GET", "/api/records?kind=administration&limit=100",
                          held.api.session("looks-on", "auditor"));
        std::vector<std::string> operations;
        for (const json::Value& each : *conduct.find("data")->if_array()) {
            operations.push_back(each.string_or("operation", ""));
        }
        CHECK(std::ranges::count(operations, "review.view") == 1);
        CHECK(std::ranges::count(operations, "review.decide") == 1);
    }

    TEST_CASE("[DSP-10] an answer that a person refused, or that holds worse, never goes out") {
        const Held held;
        const std::string ticket = at(held.say("a sesame bun"), "error", "ticket");
        held.decide(ticket, held.reviewer, "refuse", "confirmed");
        CHECK(held.state(ticket) == "refused");
        CHECK(at(object_of(held.answer(ticket)), "error", "code") == "output_blocked");
        // What is also forbidden waits for nobody.
        const json::Value worse = held.say("sesame is not forbidden");
        CHECK(at(worse, "error", "code") == "output_blocked");
        CHECK(at(worse, "error", "ticket").empty());
        CHECK(at(object_of(held.answer("00000000000000000000000000000000")), "error", "code") ==
              "not_found");
        CHECK(at(object_of(held.answer("no-ticket")), "error", "code") == "not_found");
    }

    TEST_CASE("[DSP-10] a request that was released passes as it was, with its ticket") {
        const Held held;
        const json::Value refused = held.say("read her diary");
        CHECK(at(refused, "error", "code") == "held_for_review");
        const std::string ticket = at(refused, "error", "ticket");
        // Sent again while it waits, it is the same item.
        CHECK(at(held.say("read her diary", ticket), "error", "ticket") == ticket);
        held.decide(ticket, held.reviewer, "release", "minor");
        CHECK(held.say("read her diary", ticket).find("choices") != nullptr);
        CHECK(held.say("read her diary", std::string(32, '0') + ", " + ticket).find("choices") !=
              nullptr);
        CHECK(at(held.say("read her diary"), "error", "code") == "held_for_review");
        CHECK(at(held.say("read his diary", ticket), "error", "code") == "held_for_review");
        CHECK(at(held.say("read her diary", "nonsense"), "error", "code") != "");
        CHECK(at(object_of(held.answer(ticket)), "error", "message").find("Colophon-Ticket") !=
              std::string::npos);
        const std::string records = held.ok({"ledger", "records", "--json", "--kind", "call"});
        CHECK(records.find(R"(\"released_by\":\")" + ticket) != std::string::npos);
    }

    TEST_CASE("[DSP-10] a stream that was held ends with a ticket for the whole of it") {
        const Held held;
        struct Shape {
            const char* path;
            const char* model;
            const char* last;
        };
        for (const Shape& shape :
             {Shape{"/v1/chat/completions", "echo", "\"content_filter\""},
              Shape{"/v1/chat/completions", "native-echo", "\"content_filter\""},
              Shape{"/v1/messages", "echo", "\"refusal\""},
              Shape{"/v1/messages", "native-echo", "\"refusal\""},
              Shape{"/v1/responses", "echo", "response.incomplete"}}) {
            CAPTURE(shape.path);
            CAPTURE(shape.model);
            const std::string_view path = shape.path;
            const std::string asked =
                path == "/v1/responses"
                    ? std::string(R"({"model":"echo","stream":true,"user":"alice",)"
                                  R"("input":"one two sesame four five"})")
                    : Held::ask("one two sesame four five", true, shape.model);
            const std::string stream = held.curl(
                {"-N", held.url(shape.path), "-d", asked, "-H", "Colophon-Subject: alice"});
            CHECK(stream.find("sesame") == std::string::npos);
            CHECK(stream.find("five") == std::string::npos);
            CHECK(stream.find(shape.last) != std::string::npos);
            const std::size_t place = stream.find("\"ticket\":\"");
            REQUIRE_MESSAGE(place != std::string::npos, stream);
            const std::string ticket = stream.substr(place + 10, 32);
            held.decide(ticket, held.reviewer, "release", "false_match");
            const std::string whole = held.answer(ticket);
            for (const char* word : {"sesame", "five", "aigc", "data: "}) {
                CAPTURE(word);
                CHECK(whole.find(word) != std::string::npos);
            }
            CHECK(whole.find(shape.last) == std::string::npos);
        }
    }

    TEST_CASE("[DSP-10] a picture that was held is seen by a person, and goes out with its marks") {
        const Held held;
        const std::string ask = R"({"model":"picture","user":"alice","prompt":"a lighthouse",)"
                                R"("response_format":"b64_json"})";
        const auto draw = [&] {
            return object_of(held.curl({held.url("/v1/images/generations"), "-d", ask}));
        };
        const json::Value drawn = object_of(held.curl(
            {"http://127.0.0.1:" + held.upstream_port + "/v1/images/generations", "-d", ask}));
        const std::string coded = drawn.find("data")->if_array()->front().string_or("b64_json", "");
        test::write_file(held.dir.file("drawn.png"), from_base64(coded).value());
        const std::string hash =
            object_of(held.ok({"scan", "--hash", held.dir.file("drawn.png"), "--json"}))
                .string_or("pdq", "");
        test::write_file(
            held.dir.file("words.txt"),
            as_bytes(R"({"id":"p","category":"A1f","action":"hold","pdq":")" + hash + "\"}\n"));
        held.reload();
        const json::Value refused = draw();
        CHECK(at(refused, "error", "code") == "held_for_review");
        const std::string ticket = at(refused, "error", "ticket");
        REQUIRE(ticket.size() == 32);
        held.api.good("POST", "/api/review/claims", held.reviewer, "{}");
        const json::Value seen =
            held.api.good("POST", "/api/review/items/" + ticket + "/view", held.reviewer);
        CHECK(seen.string_or("text", "") == "a lighthouse");
        CHECK(at(seen, "file", "media_type") == "image/png");
        CHECK(at(seen, "file", "view") == "veiled");
        const json::Value bare = held.api.good(
            "POST", "/api/review/items/" + ticket + "/view?view=original", held.reviewer);
        CHECK(at(bare, "file", "base64") == coded);
        held.api.good("POST", "/api/review/items/" + ticket + "/decision", held.reviewer,
                      R"({"ruling":"release","reason":"false_match"})");
        const json::Value answer = object_of(held.answer(ticket));
        REQUIRE_MESSAGE(answer.find("data") != nullptr, json::write(answer));
        test::write_file(
            held.dir.file("out.png"),
            from_base64(answer.find("data")->if_array()->front().string_or("b64_json", ""))
                .value());
        const json::Value verified =
            object_of(held.ok({"verify", held.dir.file("out.png"), "--json"}));
        CHECK(verified.string_or("verdict", "") == "intact");
        CHECK(verified.find("explicit")->find("found")->if_bool() != nullptr);
        CHECK(at(verified, "metadata", "content_id") == at(answer, "aigc", "ProduceID"));
        // The same of a picture that is to be edited: it is sent again with its ticket.
        const auto edit = [&](const std::string& named) {
            std::vector<std::string> arguments{held.url("/v1/images/edits"),
                                               "-F",
                                               "model=picture",
                                               "-F",
                                               "user=alice",
                                               "-F",
                                               "prompt=brighter",
                                               "-F",
                                               "image=@" + held.dir.file("drawn.png")};
            if (!named.empty()) {
                arguments.insert(arguments.end(), {"-H", "Colophon-Ticket: " + named});
            }
            return object_of(held.curl(arguments));
        };
        const std::string other = at(edit(""), "error", "ticket");
        REQUIRE(other.size() == 32);
        held.decide(other, held.reviewer, "release", "allowed_use");
        // It may go in now; what comes out is held again.
        const json::Value edited = edit(other);
        CHECK(at(edited, "error", "code") == "held_for_review");
        const json::Value items =
            held.api.good("GET", "/api/review/items?state=waiting", held.reviewer);
        REQUIRE(items.find("data")->if_array()->size() == 1);
        CHECK(items.find("data")->if_array()->front().string_or("stage", "") == "output");
    }

    TEST_CASE("[DSP-10] a file that is to be labelled is reviewed, and waits when it is held") {
        const Held held;
        const auto label = [&](const std::string& text) {
            test::write_file(held.dir.file("in.md"), as_bytes(text));
            return held.curl(
                {held.url("/v1/labels?name=in.md"), "--data-binary", "@" + held.dir.file("in.md")});
        };
        CHECK(label("a harmless text\n").find("AIGC") != std::string::npos);
        CHECK(at(object_of(label("what is forbidden\n")), "error", "code") == "input_blocked");
        const json::Value refused = object_of(label("open sesame\n"));
        CHECK(at(refused, "error", "code") == "held_for_review");
        const std::string ticket = at(refused, "error", "ticket");
        REQUIRE(ticket.size() == 32);
        held.decide(ticket, held.reviewer, "release", "minor");
        test::write_file(held.dir.file("out.md"), as_bytes(held.answer(ticket)));
        const json::Value verified =
            object_of(held.ok({"verify", held.dir.file("out.md"), "--json"}));
        CHECK(verified.string_or("verdict", "") == "intact");
        const std::string content = at(verified, "metadata", "content_id");
        const std::string record = held.curl({held.url("/api/records/" + content)});
        CHECK(record.find("tickets.answer") != std::string::npos);
    }

    TEST_CASE(
        "[DSP-10] what was only flagged comes before people where the configuration says so") {
        const auto waiting = [](const Held& held) {
            return held.api.good("GET", "/api/review/items?state=waiting", held.reviewer);
        };
        const Held passing;
        CHECK(passing.say("light the lantern").find("choices") != nullptr);
        CHECK(waiting(passing).find("data")->if_array()->empty());

        const Held held("queue");
        CHECK(held.say("light the lantern").find("choices") != nullptr);
        CHECK(held.say("light the lamp").find("choices") != nullptr);
        const json::Value listed = waiting(held);
        const json::Array& items = *listed.find("data")->if_array();
        // What was asked, and what was answered: the model says the same.
        REQUIRE_MESSAGE(items.size() == 2, held.ok({"ledger", "records", "--json"}));
        for (const json::Value& item : items) {
            CHECK(item.string_or("cause", "") == "flagged");
            CHECK(item.string_or("category", "") == "A1h");
            const std::string id = item.string_or("item", "");
            CHECK(held.state(id).empty());
            held.api.good("POST", "/api/review/claims", held.reviewer,
                          R"({"item":")" + id + R"("})");
            const json::Value seen =
                held.api.good("POST", "/api/review/items/" + id + "/view", held.reviewer);
            CHECK(seen.string_or("text", "").find("lantern") != std::string::npos);
        }
        const std::string records = held.ok({"ledger", "records", "--json", "--kind", "call"});
        CHECK(records.find(R"(flagged_items)") != std::string::npos);
        // The same again is the same item; a decision is a decision.
        CHECK(held.say("light the lantern").find("choices") != nullptr);
        CHECK(waiting(held).find("data")->if_array()->size() == 2);
        const std::string first = items.front().string_or("item", "");
        held.decide(first, held.reviewer, "refuse", "confirmed");
        CHECK(waiting(held).find("data")->if_array()->size() == 1);
        // A file keeps what it was.
        test::write_file(held.dir.file("in.md"), as_bytes("a lantern in a text\n"));
        held.curl(
            {held.url("/v1/labels?name=in.md"), "--data-binary", "@" + held.dir.file("in.md")});
        const json::Value more = waiting(held);
        CHECK(more.find("data")->if_array()->size() == 2);
    }

    TEST_CASE("[DSP-10] decisions teach a classifier, and a call is judged again by other rules") {
        const Held held;
        test::write_file(held.dir.file("session"), as_bytes(held.lead));
        const std::string session = "file:" + held.dir.file("session");
        const std::string released = at(held.say("sesame, bread"), "error", "ticket");
        const std::string refused = at(held.say("open sesame"), "error", "ticket");
        const std::string waiting = at(held.say("sesame seeds"), "error", "ticket");
        held.decide(released, held.reviewer, "release", "false_match");
        held.decide(refused, held.reviewer, "refuse", "confirmed");
        const json::Value told = object_of(
            held.ok({"library", "decisions", "-o", "decided.csv", "--json", "--session", session}));
        CHECK(told.find("released")->as_uint().value() == 1);
        CHECK(told.find("refused")->as_uint().value() == 1);
        const std::string table(as_text(test::read_file(held.dir.file("decided.csv"))));
        CHECK(table.starts_with("text,label\n"));
        CHECK(table.find("sesame, bread") != std::string::npos);
        CHECK(table.find("seeds") == std::string::npos);
        held.ok(
            {"library", "decisions", "--category", "A4e", "-o", "none.csv", "--session", session});
        CHECK(as_text(test::read_file(held.dir.file("none.csv"))) == "text,label\n");

        // A text that passed, under the rules that came after it, and under those of its time.
        const json::Value passed = held.say("a plum");
        const std::string content = at(passed, "aigc", "ProduceID");
        SystemClock clock;
        const std::string before = format_time(clock.now());
        held.api.good(
            "POST", "/api/library/entries", held.reviewer,
            R"({"entries":[{"id":"a-1","category":"A2i","phrase":"plum"}],"reason":"x"})");
        held.api.good("POST", "/api/library/trials", held.reviewer, R"({"ids":["a-1"]})");
        held.api.good("POST", "/api/library/approvals", held.lead, R"({"ids":["a-1"]})");
        const std::string now =
            held.ok({"library", "replay", content, "--json", "--session", session});
        CHECK(now.find(R"("stage":"output","recorded":"allow","decision":"block")") !=
              std::string::npos);
        CHECK(now.find(R"("entries":["a-1"])") != std::string::npos);
        const std::string then =
            held.ok({"library", "replay", content, "--json", "--session", session, "--at", before});
        CHECK(then.find(R"("stage":"output","recorded":"allow","decision":"allow")") !=
              std::string::npos);
        test::write_file(held.dir.file("session"), as_bytes(held.reviewer));
        CHECK(held.colophon({"library", "decisions", "-o", "no.csv", "--session", session})
                  .exit_code == 1);
        CHECK(!std::filesystem::exists(held.dir.file("no.csv")));
    }

    TEST_CASE("[DSP-10] two decide where the configuration wants it, and a change of it holds") {
        const Held held;
        std::string config(as_text(test::read_file(held.dir.file("colophon.toml"))));
        config.insert(config.find("words = "), "four_eyes = \"A1f, A1a\"\nsample_per_mille = 0\n");
        test::write_file(held.dir.file("colophon.toml"), as_bytes(config));
        held.reload();
        const std::string ticket = at(held.say("open sesame"), "error", "ticket");
        CHECK(held.decide(ticket, held.reviewer, "release", "minor").string_or("state", "") ==
              "second");
        CHECK(held.state(ticket) == "waiting");
        CHECK(held.api
                  .call("POST", "/api/review/claims", held.reviewer,
                        R"({"item":")" + ticket + R"("})")
                  .status == 409);
        CHECK(held.decide(ticket, held.other, "refuse", "confirmed").string_or("state", "") ==
              "escalated");
        CHECK(held.api
                  .call("POST", "/api/review/claims", held.reviewer,
                        R"({"item":")" + ticket + R"("})")
                  .status == 403);
        CHECK(held.decide(ticket, held.lead, "release", "false_match").string_or("state", "") ==
              "released");
        const json::Value figures = held.api.good("GET", "/api/review/figures", held.lead);
        CHECK(figures.find("pairs")->as_uint().value() == 1);
        CHECK(figures.find("agreed")->as_uint().value() == 0);
        CHECK(figures.find("released")->as_uint().value() == 1);
    }

    TEST_CASE("[DSP-10] an entry lives its life over the API, and tells what people overturned") {
        const Held held;
        CHECK(held.api.call("POST", "/api/library/entries", held.reviewer, "{}").status == 400);
        const std::string entries =
            R"({"entries":[{"id":"a-1","category":"A2i","phrase":"plum","action":"hold",)"
            R"("stage":"output"}],"reason":"seen"})";
        held.api.good("POST", "/api/library/entries", held.reviewer, entries);
        CHECK(held.api.call("POST", "/api/library/entries", held.other, entries).status == 409);
        CHECK(held.api.call("POST", "/api/library/approvals", held.reviewer, R"({"ids":["a-1"]})")
                  .status == 403);
        const json::Value untried =
            held.api.good("POST", "/api/library/approvals", held.lead, R"({"ids":["a-1"]})");
        CHECK(untried.find("untried")->as_uint().value() == 1);
        const json::Value tried =
            held.api.good("POST", "/api/library/trials", held.reviewer, R"({"ids":["a-1"]})");
        CHECK(tried.find("data")->if_array()->size() == 1);
        held.api.good("POST", "/api/library/approvals", held.lead, R"({"ids":["a-1"]})");
        std::string ticket;
        for (int i = 0; i < 20 && ticket.empty(); ++i) {
            ticket = at(held.say("a plum"), "error", "ticket");
        }
        REQUIRE(!ticket.empty());
        held.decide(ticket, held.reviewer, "release", "false_match");
        const json::Value shown = held.api.good("GET", "/api/library/entries/a-1", held.reviewer);
        const json::Value& entry = shown.find("data")->if_array()->front();
        CHECK(entry.string_or("state", "") == "live");
        CHECK(entry.find("overturned")->as_uint().value() == 1);
        const json::Value listed =
            held.api.good("GET", "/api/library/entries?state=live&limit=1", held.reviewer);
        CHECK(listed.find("data")->if_array()->size() == 1);
        CHECK(listed.find("next")->is_null());
        CHECK(held.api.call("POST", "/api/library/retirements", held.lead, R"({"ids":["a-1"]})")
                  .status == 400);
        held.api.good("POST", "/api/library/retirements", held.lead,
                      R"({"ids":["a-1"],"reason":"plums are fine"})");
        const json::Value figures = held.api.good("GET", "/api/library/figures", held.reviewer);
        CHECK(figures.find("data")->if_array()->empty());
        CHECK(figures.find("standard")->find("risks")->if_array()->size() == 31);
        CHECK(figures.find("standard")->find("banks_changed")->is_null());
    }
}

}  // namespace colophon
