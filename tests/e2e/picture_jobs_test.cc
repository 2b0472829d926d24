// SPDX-License-Identifier: Apache-2.0
// Pictures for which their caller comes back: from the request to the labelled answer, with nodes
// that die, workers that are killed, and upstreams that take their time.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "support/api_client.h"
#include "support/json_answer.h"
#include "support/postgres_server.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
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

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using test::error_code;
using test::object_of;
using test::RunningService;

std::string models() {
    std::string config;
    for (const char* name : {"picture-slow-2500", "picture-slow-4000", "picture-slow-9000"}) {
        config += std::string("[[model]]\nname = \"") + name +
                  "\"\nkind = \"image\"\nupstream = \"bench\"\npicture_price = \"0.25\"\n";
    }
    return config;
}

struct Easel : RunningService {
    explicit Easel(std::vector<std::string> given = {})
        : RunningService(models(), std::move(given)) {
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, dir.file("plain.png")});
    }
    std::int64_t counted(const char* what) const {
        const json::Value told = object_of(
            test::run_tool_ok({"curl", "-sS", "http://127.0.0.1:" + upstream_port + "/count"}));
        return told.find(what)->as_int().value();
    }
    json::Value ask(const std::string& model, const std::string& members,
                    std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {url("/v1/images/generations"), "-d",
                                   R"({"model":")" + model + R"(","user":"alice",)" + members +
                                       R"("prompt":"a hill"})"});
        return object_of(curl(more));
    }
    json::Value create(const std::string& model, std::vector<std::string> more = {}) const {
        return ask(model, R"("background":true,)", std::move(more));
    }
    json::Value edit(std::vector<std::string> more = {}) const {
        more.insert(more.begin(),
                    {url("/v1/images/edits"), "-F", "model=picture", "-F", "user=alice", "-F",
                     "prompt=a hill", "-F", "image=@" + dir.file("plain.png") + ";type=image/png"});
        return object_of(curl(more));
    }
    json::Value show(const std::string& id, std::vector<std::string> more = {}) const {
        more.insert(more.begin(), url("/v1/images/jobs/" + id));
        return object_of(curl(more));
    }
    json::Value ended(const std::string& id, std::chrono::seconds time = std::chrono::seconds(60)) {
        const auto until = steady_clock::now() + time;
        std::int64_t last = 0;
        for (;;) {
            json::Value now = show(id);
            const std::string status = now.string_or("status", "");
            if (status == "completed" || status == "failed") {
                return now;
            }
            const bool known = status == "queued" || status == "in_progress";
            REQUIRE_MESSAGE(known, json::write(now), service->err());
            REQUIRE_MESSAGE(steady_clock::now() < until, json::write(now), service->err());
            const std::int64_t progress = now.find("progress")->as_int().value();
            CHECK(progress >= last);
            CHECK(progress < 100);
            last = progress;
            std::this_thread::sleep_for(milliseconds(100));
        }
    }
    json::Value made(const json::Value& created) {
        REQUIRE_MESSAGE(error_code(created) == "none", json::write(created));
        return ended(created.string_or("id", ""));
    }
    json::Value content(const std::string& id, std::vector<std::string> more = {}) const {
        more.insert(more.begin(), url("/v1/images/jobs/" + id + "/content"));
        return object_of(curl(more));
    }
    void wait_until_asked() const {
        for (int i = 0; i < 200 && counted("pictures") == 0; ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        REQUIRE(counted("pictures") == 1);
    }
    std::vector<json::Value> records(std::string_view operation) const {
        std::vector<json::Value> all;
        const std::string text = ok({"ledger", "records", "--json", "--limit", "1000"});
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find('\n', at);
            json::Value record = object_of(text.substr(at, end - at));
            if (record.string_or("operation", "") == operation) {
                all.push_back(std::move(record));
            }
            at = end + 1;
        }
        return all;
    }
    void check_intact(const json::Value& answer, const std::string& content_id) const {
        const json::Array* data = answer.find("data")->if_array();
        REQUIRE(data != nullptr);
        REQUIRE(data->size() == 1);
        const auto picture = from_base64(data->front().string_or("b64_json", ""));
        REQUIRE(picture.ok());
        test::write_file(dir.file("job.png"), *picture);
        check_file("job.png", content_id);
    }
    void check_file(const std::string& file, const std::string& content_id) const {
        const json::Value seen = object_of(ok({"verify", "--json", dir.file(file)}));
        CHECK(seen.string_or("verdict", "") == "intact");
        CHECK(seen.find("metadata")->string_or("content_id", "") == content_id);
    }
    void add_words(const std::string& lines) const {
        test::write_file(dir.file("words.txt"), as_bytes(lines));
    }
};

std::vector<pid_t> children_of(pid_t process) {
    std::vector<pid_t> children;
    const test::ToolRun run = test::run_tool({"pgrep", "-P", std::to_string(process)});
    for (std::size_t at = 0; at < run.out.size();) {
        const std::size_t end = run.out.find('\n', at);
        children.push_back(static_cast<pid_t>(std::stol(run.out.substr(at, end - at))));
        at = end + 1;
    }
    return children;
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-16] [DSP-17] pictures are made by a job, labelled, recorded and given out") {
        Easel easel;
        easel.start();
        // Longer than the upstream may take for a call: at once there is nothing to be had.
        CHECK(error_code(easel.ask("picture-slow-2500", "")) == "upstream_timeout");
        const json::Value created = easel.create("picture-slow-2500");
        const std::string id = created.string_or("id", "");
        CHECK(id.starts_with("imgjob_"));
        CHECK(created.string_or("object", "") == "image.job");
        CHECK(created.string_or("status", "") == "queued");
        CHECK(created.string_or("model", "") == "picture-slow-2500");
        CHECK(error_code(easel.content(id)) == "image_not_ready");
        const json::Value done = easel.ended(id);
        REQUIRE_MESSAGE(done.string_or("status", "") == "completed", json::write(done));
        CHECK(done.find("progress")->as_int().value() == 100);
        CHECK(done.find("error")->is_null());
        const std::string content_id = done.string_or("content_id", "");
        CHECK(done.find("aigc")->string_or("ProduceID", "") == content_id);
        CHECK(done.string_or("content_url", "") == "/v1/images/jobs/" + id + "/content");
        easel.check_intact(easel.content(id), content_id);

        // As a URL, where the client asked for one, whether in JSON or in a form.
        const auto url_of = [&](const json::Value& job) {
            const json::Value answer = easel.content(job.string_or("id", ""));
            const json::Value& picture = answer.find("data")->if_array()->front();
            CHECK(picture.find("b64_json") == nullptr);
            return picture.string_or("url", "");
        };
        const json::Value drawn =
            easel.made(easel.ask("picture", R"("background":true,"response_format":"url",)"));
        CHECK(url_of(drawn).starts_with("data:image/png;base64,iVBORw0KGgo"));
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, easel.dir.file("plain.png")});
        const json::Value edited =
            easel.made(easel.edit({"-F", "background=true", "-F", "response_format=url"}));
        CHECK(url_of(edited).starts_with("data:image/png;base64,iVBORw0KGgo"));

        const auto made = easel.records("images.make");
        REQUIRE(made.size() == 3);
        CHECK(made.back().string_or("content_id", "") == content_id);
        CHECK(made.back().string_or("outcome", "") == "answered");
        CHECK(made.back().find("label_ms") != nullptr);
        CHECK(made.back().find("upstream_ms")->as_int().value() >= 2400);
        CHECK(json::write(made.back()).find("0.250000") != std::string::npos);
        CHECK(easel.records("images.generations").size() == 3);
        CHECK(easel.records("images.edits").size() == 1);
        CHECK(easel.records("images.jobs.content").size() == 4);
        easel.ok({"ledger", "check"});
        // The picture that came out finds the call that gave it and the one that made it.
        const std::string found =
            easel.ok({"ledger", "records", "--json", "--digest",
                      test::run_tool_ok({"sha256sum", easel.dir.file("job.png")}).substr(0, 64)});
        CHECK(found.find("\"images.make\"") != std::string::npos);
        CHECK(found.find("\"images.jobs.content\"") != std::string::npos);

        // Of others it is not there; nor is it a video.
        CHECK(error_code(easel.show(id, {"-H", "Colophon-Subject: alice"})) == "none");
        CHECK(error_code(easel.show(id, {"-H", "Colophon-Subject: bob"})) == "not_found");
        CHECK(error_code(easel.content(id, {"-H", "Colophon-Subject: bob"})) == "not_found");
        CHECK(error_code(object_of(easel.curl({easel.url("/v1/videos/video_" + id.substr(7))}))) ==
              "not_found");
        easel.ok({"admin", "tenant", "create", "other"});
        const json::Value key = object_of(easel.ok({"admin", "key", "create", "other", "--json"}));
        const std::string foreign = "Authorization: Bearer " + key.string_or("secret", "");
        for (const std::string& path : {id, id + "/content"}) {
            CAPTURE(path);
            CHECK(error_code(object_of(test::run_tool({"curl", "-sS", "-H", foreign,
                                                       easel.url("/v1/images/jobs/" + path)})
                                           .out)) == "not_found");
        }
        // Whose account is closed gets nothing any more.
        easel.ok({"admin", "subject", "close", "demo", "alice"});
        for (int i = 0; i < 100 && error_code(easel.content(id)) == "none"; ++i) {
            std::this_thread::sleep_for(milliseconds(20));
        }
        CHECK(error_code(easel.content(id)) == "account_restricted");

        const json::Value deleted =
            object_of(easel.curl({easel.url("/v1/images/jobs/" + id), "-X", "DELETE"}));
        CHECK(*deleted.find("deleted")->if_bool());
        CHECK(error_code(easel.show(id)) == "not_found");
        CHECK(easel.records("images.make").size() == 3);
    }

    TEST_CASE("[DSP-17] the official client comes back for pictures, in both ways that there are") {
        Easel easel;
        easel.start();
        const test::ToolRun run =
            test::run_tool({"node", COLOPHON_SOURCE_DIR "/tests/witness/openai_image_jobs.js",
                            COLOPHON_SOURCE_DIR "/build/witness/node_modules", easel.url("/v1"),
                            easel.key, easel.dir.path().string()});
        const std::string told = run.err + run.out + easel.service->err();
        REQUIRE_MESSAGE(run.exit_code == 0, told);
        std::map<std::string, json::Value> said;
        for (std::size_t at = 0; at < run.out.size();) {
            const std::size_t end = run.out.find('\n', at);
            json::Value line = object_of(run.out.substr(at, end - at));
            at = end + 1;
            said[line.string_or("what", "")] = std::move(line);
        }
        const auto text = [&](const char* what, const char* member) {
            return said[what].string_or(member, "");
        };
        const auto number = [&](const char* what, const char* member) {
            return said[what].find(member)->as_int().value();
        };
        CHECK(number("created", "http") == 202);
        CHECK(text("created", "location") == "/v1/images/jobs/" + text("created", "id"));
        CHECK(text("created", "size") == "512x512");
        CHECK(text("early", "code") == "image_not_ready");
        CHECK_MESSAGE(text("done", "status") == "completed", told);
        CHECK(text("content", "id") == text("done", "content_id"));
        easel.check_file("job.png", text("done", "content_id"));
        CHECK(number("edit", "http") == 202);
        CHECK(text("edit", "applied") == "respond-async");
        CHECK_MESSAGE(text("edited", "status") == "completed", told);
        easel.check_file("edited.png", text("edited", "content_id"));
        CHECK(number("opaque", "pictures") == 1);
        CHECK(*said["listed"].find("ids")->if_array()->front().if_string() == text("edited", "id"));
        CHECK(*said["listed"].find("more")->if_bool());
        CHECK(*said["deleted"].find("deleted")->if_bool());
        CHECK(text("gone", "kind") == "NotFoundError");
        CHECK(text("blocked", "code") == "input_blocked");
        CHECK(easel.records("images.make").size() == 2);
    }

    TEST_CASE("[DSP-9] [DSP-10] what may not be asked for makes no job, and one key makes one") {
        Easel easel({"COLOPHON_GATEWAY_SUBJECT_PICTURE_JOBS_AT_ONCE=1"});
        easel.start();
        const auto ask = [&](const std::string& body) {
            return error_code(object_of(easel.curl({easel.url("/v1/images/generations"), "-H",
                                                    "Prefer: wait=9, Respond-Async", "-d", body})));
        };
        CHECK(ask(R"({"model":"picture","user":"alice","prompt":"a forbidden hill"})") ==
              "input_blocked");
        CHECK(ask(R"({"model":"picture","prompt":"a hill"})") == "identity_required");
        CHECK(ask(R"({"model":"picture","user":"bob","prompt":"a hill"})") == "identity_required");
        CHECK(ask(R"({"model":"echo","user":"alice","prompt":"a hill"})") == "invalid_request");
        CHECK(ask(R"({"model":"none","user":"alice","prompt":"a hill"})") == "model_not_found");
        CHECK(ask(R"({"model":"picture","user":"alice","prompt":"a","stream":true})") ==
              "invalid_request");
        CHECK(easel.edit({"-F", "background=true", "-F", "background=true"}).find("error") !=
              nullptr);
        CHECK(easel.counted("pictures") == 0);
        CHECK(easel.records("images.make").empty());

        const std::vector<std::string> key{"-H", "Idempotency-Key: once"};
        const json::Value first = easel.create("picture-slow-2500", key);
        const json::Value again = easel.create("picture-slow-2500", key);
        CHECK(first.string_or("id", "x") == again.string_or("id", "y"));
        CHECK(error_code(easel.create("picture")) == "rate_limit_exceeded");
        CHECK(easel.made(first).string_or("status", "") == "completed");
        CHECK(easel.counted("pictures") == 1);
        CHECK(easel.made(easel.create("picture")).string_or("status", "") == "completed");
    }

    TEST_CASE("[DSP-10] pictures of a job are reviewed, and wait for a person like any others") {
        Easel easel;
        const json::Value scanned =
            object_of(test::run_tool({COLOPHON_PROGRAM, "scan", "--hash", "--json",
                                      easel.dir.file("plain.png")})
                          .out);
        const std::string entry = R"({"id":"p","category":"A1f","pdq":")" +
                                  scanned.string_or("pdq", "") + R"(","stage":"output","action":")";
        easel.add_words(entry + "block\"}\n");
        easel.start();
        const test::Api api(easel);
        const std::string reviewer = api.session("li.wei", "reviewer");
        const json::Value blocked = easel.made(easel.edit({"-F", "background=true"}));
        CHECK_MESSAGE(error_code(blocked) == "output_blocked", json::write(blocked));
        CHECK(blocked.find("error")->string_or("category", "") == "A1f");
        CHECK(error_code(easel.content(blocked.string_or("id", ""))) == "image_failed");
        CHECK(easel.records("images.make").front().string_or("outcome", "") == "refused");

        easel.add_words(entry + "hold\"}\n");
        easel.service->signal(SIGHUP);
        for (int i = 0; i < 200 && easel.service->err().find("read again") == std::string::npos;
             ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        const json::Value held = easel.made(easel.edit({"-F", "background=true"}));
        CHECK_MESSAGE(error_code(held) == "held_for_review", json::write(held));
        const std::string ticket = held.find("error")->string_or("ticket", "");
        const auto answer = [&] {
            return object_of(easel.curl({easel.url("/v1/tickets/" + ticket + "/answer")}));
        };
        CHECK(error_code(answer()) == "ticket_waiting");
        api.good("POST", "/api/review/claims", reviewer, R"({"item":")" + ticket + R"("})");
        const json::Value seen =
            api.good("POST", "/api/review/items/" + ticket + "/view", reviewer);
        CHECK(seen.find("file")->string_or("media_type", "") == "image/png");
        api.good("POST", "/api/review/items/" + ticket + "/decision", reviewer,
                 R"({"ruling":"release","reason":"allowed_use"})");
        const json::Value released = answer();
        REQUIRE_MESSAGE(released.find("aigc") != nullptr, json::write(released));
        easel.check_intact(released, released.find("aigc")->string_or("ProduceID", ""));
    }

    TEST_CASE("a label worker that dies, and a store that cannot write, ask for nothing twice") {
        Easel easel;
        easel.start();
        CHECK(easel.made(easel.create("picture")).string_or("status", "") == "completed");
        REQUIRE(easel.counted("pictures") == 1);
        const json::Value created = easel.create("picture-slow-2500");
        // From when the upstream is asked on, each worker dies for as long as it may take.
        const auto until = steady_clock::now() + milliseconds(3600);
        int killed = 0;
        while (steady_clock::now() < until) {
            for (const pid_t child : children_of(easel.service->process())) {
                killed += ::kill(child, SIGKILL) == 0 ? 1 : 0;
            }
            std::this_thread::sleep_for(milliseconds(20));
        }
        CHECK(killed > 0);
        const json::Value done = easel.ended(created.string_or("id", ""));
        CHECK_MESSAGE(done.string_or("status", "") == "completed", json::write(done));
        easel.check_intact(easel.content(created.string_or("id", "")),
                           done.string_or("content_id", ""));
        CHECK(easel.counted("pictures") == 2);

        const std::string later = easel.create("picture-slow-4000").string_or("id", "");
        for (int i = 0; i < 200 && easel.counted("pictures") == 2; ++i) {
            std::this_thread::sleep_for(milliseconds(20));
        }
        const std::string process = std::to_string(easel.service->process());
        const auto limit_files = [&](const char* size) {
            test::run_tool_ok({"prlimit", "--pid", process, std::string("--fsize=") + size});
        };
        limit_files("1:unlimited");
        CHECK(error_code(easel.create("picture")) == "record_unavailable");
        std::this_thread::sleep_for(std::chrono::seconds(5));
        CHECK(easel.show(later).string_or("status", "") != "completed");
        CHECK(easel.show(later).string_or("status", "") != "failed");
        limit_files("unlimited:unlimited");
        const json::Value after = easel.ended(later);
        CHECK_MESSAGE(after.string_or("status", "") == "completed", json::write(after));
        easel.check_intact(easel.content(later), after.string_or("content_id", ""));
        CHECK(easel.counted("pictures") == 3);
        CHECK(easel.records("images.make").size() == 3);
        easel.ok({"ledger", "check"});
    }

    TEST_CASE("any node answers for a job, and a stopped one brings to its end what it asked for") {
        Easel easel(RunningService::on_postgres(test::PostgresServer::shared().new_address()));
        test::Node first = easel.start_node("first");
        easel.port = first.port;
        const std::string id = easel.create("picture-slow-2500").string_or("id", "");
        easel.wait_until_asked();
        first.process->signal(SIGTERM);
        easel.start();
        const json::Value done = easel.ended(id);
        CHECK_MESSAGE(done.string_or("status", "") == "completed", json::write(done));
        CHECK(first.process->wait() == 0);
        CHECK(easel.counted("pictures") == 1);
        easel.check_intact(easel.content(id), done.string_or("content_id", ""));
        CHECK(easel.records("images.make").size() == 1);
    }

    TEST_CASE("a job that its caller deletes is waited for no more") {
        Easel easel;
        easel.start();
        const std::string id = easel.create("picture-slow-9000").string_or("id", "");
        easel.wait_until_asked();
        const json::Value deleted =
            object_of(easel.curl({easel.url("/v1/images/jobs/" + id), "-X", "DELETE"}));
        CHECK(*deleted.find("deleted")->if_bool());
        CHECK(error_code(easel.show(id)) == "not_found");
        for (int i = 0; i < 120 && easel.records("images.make").empty(); ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        const auto made = easel.records("images.make");
        REQUIRE(made.size() == 1);
        CHECK(made.front().string_or("outcome", "") == "cut_off");
        CHECK(made.front().string_or("outcome_code", "") == "cancelled");
        CHECK(easel.counted("given_up") == 1);
    }
}

}  // namespace colophon
