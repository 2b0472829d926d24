// SPDX-License-Identifier: Apache-2.0
// Checks of others before a video goes out: they are shown frames of it, in colour, from its
// beginning to its end; what they hold waits for a person.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "support/api_client.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using std::chrono::milliseconds;
using test::error_code;
using test::object_of;
using test::RunningService;

// A check in another process.
struct Check {
    explicit Check(const std::string& script, const std::string& at = "0") {
        std::vector<std::string> command{"/usr/bin/env", "node",
                                         COLOPHON_SOURCE_DIR "/tests/witness/" + script, at};
        process = std::make_unique<test::Background>(
            command, dir.file("check"), std::vector<std::string>{"PATH=/usr/bin:/bin"});
        for (int i = 0; i < 200 && process->out().find('\n') == std::string::npos; ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        const std::string told = process->out();
        REQUIRE_MESSAGE(told.starts_with("listening "), process->err());
        port = told.substr(10, told.find('\n') - 10);
    }
    std::vector<json::Value> asked() const {
        std::vector<json::Value> all;
        const std::string told = process->out();
        for (std::size_t at = told.find('\n') + 1; at < told.size();) {
            const std::size_t end = std::min(told.find('\n', at), told.size());
            all.push_back(*object_of(told.substr(at, end - at)).find("asked"));
            at = end + 1;
        }
        return all;
    }

    test::TempDir dir;
    std::unique_ptr<test::Background> process;
    std::string port;
};

struct Cinema : RunningService {
    explicit Cinema(const std::string& more)
        : RunningService(
              "[[model]]\nname = \"video\"\nkind = \"video\"\nupstream = \"bench\"\n" + more,
              {"COLOPHON_SERVER_ACCESS_LOG=none"}) {}
    // The upstream's film from now on: of one colour, and red for its last half second, or not.
    void show_film(bool red_at_its_end, const std::string& more = "null",
                   const std::vector<std::string>& coding = {"-b:v", "1M"}) const {
        const std::string film = dir.file("film.mp4");
        const std::string box = red_at_its_end ? "gte(t,5.5)" : "0";
        std::vector<std::string> command{"ffmpeg",
                                         "-nostdin",
                                         "-y",
                                         "-v",
                                         "error",
                                         "-f",
                                         "lavfi",
                                         "-i",
                                         "testsrc2=size=320x240:rate=10:duration=6",
                                         "-vf",
                                         more + ",drawbox=c=red:t=fill:enable='" + box + "'",
                                         "-pix_fmt",
                                         "yuv420p"};
        command.insert(command.end(), coding.begin(), coding.end());
        command.push_back(film);
        test::run_tool_ok(command);
        test::run_tool_ok(
            {"curl", "-sS", "-T", film, "http://127.0.0.1:" + upstream_port + "/video"});
    }
    json::Value make(std::chrono::seconds time = std::chrono::seconds(90)) const {
        const json::Value created = object_of(
            curl({url("/v1/videos"), "-d",
                  R"({"model":"video","user":"alice","prompt":"a hill","seconds":"6"})"}));
        REQUIRE_MESSAGE(error_code(created) == "none", json::write(created));
        const std::string id = created.string_or("id", "");
        const auto until = std::chrono::steady_clock::now() + time;
        for (;;) {
            json::Value now = object_of(curl({url("/v1/videos/" + id)}));
            const std::string status = now.string_or("status", "");
            if (status == "completed" || status == "failed") {
                return now;
            }
            REQUIRE_MESSAGE(std::chrono::steady_clock::now() < until, json::write(now),
                            service->err());
            std::this_thread::sleep_for(milliseconds(200));
        }
    }
    json::Value newest_record() const {
        const std::string text = ok({"ledger", "records", "--json", "--limit", "1"});
        return object_of(text.substr(0, text.find('\n')));
    }
    void check_intact(const std::string& file) const {
        CHECK(object_of(ok({"verify", "--json", file})).string_or("verdict", "") == "intact");
    }
};

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-10] a webhook sees frames of a video to its end, and may block it") {
        auto check = std::make_unique<Check>("guard_server.js");
        Cinema cinema(
            "[[webhook]]\nname = \"guard\"\nstage = \"output\"\ntimeout_ms = 5000\n"
            "url = \"http://127.0.0.1:" +
            check->port + "\"\n");
        cinema.show_film(false);
        cinema.start();
        const json::Value good = cinema.make();
        CHECK_MESSAGE(good.string_or("status", "") == "completed", json::write(good));
        const std::string file = cinema.dir.file("good.mp4");
        cinema.curl(
            {cinema.url("/v1/videos/" + good.string_or("id", "") + "/content"), "-o", file});
        cinema.check_intact(file);
        const auto asked = check->asked();
        REQUIRE(asked.size() == 1);
        const json::Array& images = *asked.front().find("images")->if_array();
        CHECK(images.size() == 12);  // six seconds, each half of one
        CHECK(asked.front().string_or("input_type", "") == "response");
        const auto frame = from_base64(*images.front().if_string());
        REQUIRE(frame.ok());
        CHECK(as_text(*frame).substr(1, 3) == "PNG");
        const std::string record = cinema.ok({"ledger", "records", "--json", "--limit", "5"});
        CHECK(record.find("\\\"frames\\\":12") != std::string::npos);
        CHECK(record.find("webhook:guard") != std::string::npos);

        cinema.show_film(true);
        const json::Value blocked = cinema.make();
        CHECK_MESSAGE(error_code(blocked) == "output_blocked", json::write(blocked));
        CHECK(blocked.find("error")->string_or("message", "") == "Nothing red, please.");
        CHECK(cinema.newest_record().string_or("outcome", "") == "refused");

        // While nobody answers, nothing goes out; then it does, without a restart.
        cinema.show_film(false);
        const std::string port = check->port;
        check.reset();
        const json::Value created =
            object_of(cinema.curl({cinema.url("/v1/videos"), "-d",
                                   R"({"model":"video","user":"alice","prompt":"a hill"})"}));
        const std::string at = "/v1/videos/" + created.string_or("id", "");
        std::this_thread::sleep_for(std::chrono::seconds(6));
        CHECK(object_of(cinema.curl({cinema.url(at)})).string_or("status", "") != "completed");
        const Check again("guard_server.js", port);
        json::Value late;
        for (int i = 0; i < 300 && late.string_or("status", "") != "completed"; ++i) {
            late = object_of(cinema.curl({cinema.url(at)}));
            std::this_thread::sleep_for(milliseconds(200));
        }
        CHECK_MESSAGE(late.string_or("status", "") == "completed", json::write(late));
    }

    TEST_CASE("[DSP-10] a video that a classifier holds waits for a person") {
        const Check check("guard_model.js");
        Cinema cinema(
            "[[webhook]]\nname = \"mod\"\nshape = \"moderations\"\nmodel = \"m\"\n"
            "stage = \"output\"\naction = \"hold\"\ntimeout_ms = 5000\n"
            "url = \"http://127.0.0.1:" +
            check.port + "/v1\"\n");
        cinema.show_film(true);
        cinema.start();
        const test::Api api(cinema);
        const std::string reviewer = api.session("li.wei", "reviewer");
        const json::Value held = cinema.make();
        CHECK_MESSAGE(error_code(held) == "held_for_review", json::write(held));
        CHECK(held.find("error")->string_or("category", "") == "A2a");
        CHECK(check.asked().size() == 12);
        const std::string ticket = held.find("error")->string_or("ticket", "");
        REQUIRE(ticket.size() == 32);
        const std::string answer = cinema.url("/v1/tickets/" + ticket + "/answer");
        CHECK(error_code(object_of(cinema.curl({answer}))) == "ticket_waiting");
        api.good("POST", "/api/review/claims", reviewer, R"({"item":")" + ticket + R"("})");
        const json::Value seen =
            api.good("POST", "/api/review/items/" + ticket + "/view", reviewer);
        CHECK(seen.find("file")->string_or("media_type", "") == "video/mp4");
        api.good("POST", "/api/review/items/" + ticket + "/decision", reviewer,
                 R"({"ruling":"release","reason":"allowed_use"})");
        const std::string file = cinema.dir.file("released.mp4");
        cinema.curl({answer, "-o", file});
        cinema.check_intact(file);

        cinema.show_film(false);
        CHECK(cinema.make().string_or("status", "") == "completed");

        // So large that only one of the two has room: the person sees what is to go out.
        cinema.show_film(true, "scale=960:540:flags=neighbor,noise=alls=90:allf=t", {"-qp", "6"});
        const auto size = std::filesystem::file_size(cinema.dir.file("film.mp4"));
        const json::Value large = cinema.make();
        CHECK_MESSAGE(error_code(large) == "held_for_review", json::write(large));
        const std::string second = large.find("error")->string_or("ticket", "");
        REQUIRE_MESSAGE(second.size() == 32, size);
        api.good("POST", "/api/review/claims", reviewer, R"({"item":")" + second + R"("})");
        const json::Value labelled =
            api.good("POST", "/api/review/items/" + second + "/view?view=original", reviewer);
        const auto shown = from_base64(labelled.find("file")->string_or("base64", ""));
        REQUIRE(shown.ok());
        MESSAGE("a film of ", size, " bytes, shown ", shown->size());
        CHECK(size + shown->size() > (64U << 20U));
        test::write_file(file, *shown);
        cinema.check_intact(file);
    }

    TEST_CASE("[DSP-10] sounds within a chat are refused where the library has anything") {
        RunningService running;
        const std::string sound =
            R"({"model":"echo","user":"alice","messages":[{"role":"user","content":[)"
            R"({"type":"text","text":"hello"},{"type":"input_audio","input_audio":)"
            R"({"data":"UklGRg==","format":"wav"}}]}]})";
        const auto ask = [&] {
            return object_of(running.curl({running.url("/v1/chat/completions"), "-d", sound}));
        };
        running.start();
        const json::Value refused = ask();
        CHECK_MESSAGE(error_code(refused) == "invalid_request", json::write(refused));
        CHECK(refused.find("error")->string_or("param", "") == "messages");
        // The operator may let them by, on record.
        running.service->signal(SIGTERM);
        CHECK(running.service->wait() == 0);
        running.variables.emplace_back("COLOPHON_GATEWAY_UNSEEN_PARTS=pass");
        test::Node passing = running.start_node("passing");
        running.port = passing.port;
        CHECK(ask().find("choices") != nullptr);
        CHECK(running.ok({"ledger", "records", "--json", "--limit", "1"})
                  .find("\\\"unseen_parts\\\":1") != std::string::npos);
        // So they pass where nothing is looked for.
        passing.process->signal(SIGTERM);
        CHECK(passing.process->wait() == 0);
        running.variables.pop_back();
        test::write_file(running.dir.file("words.txt"), as_bytes("# none\n"));
        test::Node empty = running.start_node("empty");
        running.port = empty.port;
        CHECK(ask().find("choices") != nullptr);
    }
}

}  // namespace colophon
