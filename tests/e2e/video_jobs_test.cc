// SPDX-License-Identifier: Apache-2.0
// /v1/videos: from the request to the labelled file, with upstreams that lie, nodes that die and
// callers who change their minds.

#include "core/bytes.h"
#include "core/json.h"
#include "support/json_answer.h"
#include "support/postgres_server.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/types.h>

#include <algorithm>
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
    std::string config =
        "[[model]]\nname = \"video\"\nkind = \"video\"\nupstream = \"bench\"\n"
        "video_price = \"0.5\"\nsecond_price = \"0.1\"\n";
    for (const char* name : {"video-slow-4000", "video-slow-8000", "video-fails", "video-text",
                             "video-picture", "video-half", "video-cut", "video-error-400"}) {
        config += std::string("[[model]]\nname = \"") + name +
                  "\"\nkind = \"video\"\nupstream = \"bench\"\n";
    }
    return config;
}

// A service before an upstream that has a film of two seconds.
struct Studio : RunningService {
    explicit Studio(const std::string& more = {}, std::vector<std::string> given = {})
        : RunningService(models() + more, std::move(given)) {
        film = dir.file("film.mp4");
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=320x240:d=2", "-f", "lavfi", "-i", "sine=d=2", "-pix_fmt",
                           "yuv420p", film});
        test::run_tool_ok({"curl", "-sS", "-T", film, upstream_url("/video")});
    }
    std::string upstream_url(const std::string& path) const {
        return "http://127.0.0.1:" + upstream_port + path;
    }
    // An upstream of which nothing is waited for.
    void add_hasty() const {
        std::ofstream config(dir.file("colophon.toml"), std::ios::app);
        config << "[[upstream]]\nname = \"hasty\"\nurl = \"" << upstream_url("/v1")
               << "\"\ntask_seconds = 2\n[[model]]\nname = \"video-forever\"\nkind = \"video\"\n"
                  "upstream = \"hasty\"\n";
    }
    std::int64_t counted(const char* what) const {
        const json::Value told =
            object_of(test::run_tool_ok({"curl", "-sS", upstream_url("/count")}));
        return told.find(what)->as_int().value();
    }
    json::Value create(const std::string& model, std::vector<std::string> more = {},
                       const std::string& node = {}) const {
        std::vector<std::string> arguments{
            node.empty() ? url("/v1/videos") : node, "-d",
            R"({"model":")" + model + R"(","user":"alice","prompt":"a hill","seconds":"2",)" +
                R"("size":"320x240"})"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return object_of(curl(arguments));
    }
    json::Value show(const std::string& id, std::vector<std::string> more = {}) const {
        more.insert(more.begin(), url("/v1/videos/" + id));
        return object_of(curl(more));
    }
    // Until it has ended; every state on the way is one of those that there are.
    json::Value ended(const std::string& id, std::chrono::seconds time = std::chrono::seconds(90)) {
        const auto until = steady_clock::now() + time;
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
            CHECK(progress >= last_progress);
            CHECK(progress < 100);
            last_progress = progress;
            std::this_thread::sleep_for(milliseconds(100));
        }
    }
    json::Value make(const std::string& model, std::vector<std::string> more = {}) {
        last_progress = 0;
        const json::Value created = create(model, std::move(more));
        REQUIRE_MESSAGE(error_code(created) == "none", json::write(created));
        return ended(created.string_or("id", ""));
    }
    // The status of the answer; its body lies in the file.
    std::string content(const std::string& id, const std::string& file,
                        std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {url("/v1/videos/" + id + "/content"), "-o", dir.file(file), "-w",
                                   "%{http_code}"});
        return curl(more);
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
    void check_intact(const std::string& file, const std::string& content_id) const {
        const json::Value seen = object_of(ok({"verify", "--json", dir.file(file)}));
        CHECK(seen.string_or("verdict", "") == "intact");
        for (const char* part : {"explicit", "watermark", "metadata"}) {
            CAPTURE(part);
            REQUIRE(seen.find(part) != nullptr);
            CHECK(*seen.find(part)->find("found")->if_bool());
        }
        CHECK(seen.find("metadata")->string_or("content_id", "") == content_id);
    }

    std::string film;
    std::int64_t last_progress = 0;
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
    TEST_CASE("[DSP-16] [DSP-17] a video is made by a job, labelled, recorded and given out") {
        Studio studio;
        studio.start();
        const json::Value created = studio.create("video");
        const std::string id = created.string_or("id", "");
        CHECK(id.starts_with("video_"));
        CHECK(created.string_or("object", "") == "video");
        CHECK(created.string_or("status", "") == "queued");
        CHECK(created.string_or("model", "") == "video");
        CHECK(created.string_or("seconds", "") == "2");
        const json::Value done = studio.ended(id);
        REQUIRE_MESSAGE(done.string_or("status", "") == "completed", json::write(done));
        CHECK(done.find("progress")->as_int().value() == 100);
        CHECK(done.find("error")->is_null());
        CHECK(done.find("expires_at")->as_int().value() >
              done.find("completed_at")->as_int().value());
        const std::string content_id = done.string_or("content_id", "");
        CHECK(done.find("aigc")->string_or("ProduceID", "") == content_id);

        CHECK(studio.content(id, "made.mp4") == "200");
        studio.check_intact("made.mp4", content_id);
        const test::ToolRun played =
            test::run_tool({"ffmpeg", "-nostdin", "-v", "warning", "-i",
                            studio.dir.file("made.mp4"), "-f", "null", "-"});
        CHECK(played.exit_code == 0);
        CHECK(played.err == "");

        const auto made = studio.records("videos.make");
        REQUIRE(made.size() == 1);
        CHECK(made.front().string_or("content_id", "") == content_id);
        CHECK(made.front().string_or("outcome", "") == "answered");
        CHECK(made.front().find("label_ms") != nullptr);
        CHECK(made.front().find("upstream_ms") != nullptr);
        // 0.5 for the video, 0.1 for each of its two seconds.
        CHECK(json::write(made.front()).find("0.700000") != std::string::npos);
        CHECK(studio.records("videos.create").size() == 1);
        CHECK(studio.records("videos.content").size() == 1);
        studio.ok({"ledger", "check"});

        // Of others it is not there, and of nobody's business.
        CHECK(error_code(studio.show(id, {"-H", "Colophon-Subject: alice"})) == "none");
        CHECK(error_code(studio.show(id, {"-H", "Colophon-Subject: bob"})) == "not_found");
        studio.ok({"admin", "tenant", "create", "other"});
        const json::Value key = object_of(studio.ok({"admin", "key", "create", "other", "--json"}));
        const std::string foreign =
            test::run_tool({"curl", "-sS", "-H",
                            "Authorization: Bearer " + key.string_or("secret", ""),
                            studio.url("/v1/videos/" + id)})
                .out;
        CHECK(error_code(object_of(foreign)) == "not_found");

        const json::Value second = studio.make("video");
        const json::Value page = object_of(studio.curl({studio.url("/v1/videos?limit=1")}));
        CHECK(page.find("data")->if_array()->size() == 1);
        CHECK(page.string_or("first_id", "") == second.string_or("id", ""));
        CHECK(*page.find("has_more")->if_bool());
        const json::Value rest = object_of(
            studio.curl({studio.url("/v1/videos?limit=9&after=" + page.string_or("last_id", ""))}));
        CHECK(rest.find("data")->if_array()->size() == 1);
        CHECK(rest.string_or("last_id", "") == id);
        CHECK_FALSE(*rest.find("has_more")->if_bool());
        CHECK(error_code(object_of(studio.curl({studio.url("/v1/videos?limit=0")}))) ==
              "invalid_request");

        const json::Value deleted =
            object_of(studio.curl({studio.url("/v1/videos/" + id), "-X", "DELETE"}));
        CHECK(*deleted.find("deleted")->if_bool());
        CHECK(error_code(studio.show(id)) == "not_found");
        CHECK(studio.content(id, "gone.mp4") == "404");
        // What was made stays on record.
        CHECK(studio.records("videos.make").size() == 2);
    }

    TEST_CASE("[DSP-17] the official client makes videos, unchanged") {
        Studio studio;
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, studio.dir.file("plain.png")});
        studio.start();
        const test::ToolRun run =
            test::run_tool({"node", COLOPHON_SOURCE_DIR "/tests/witness/openai_videos.js",
                            COLOPHON_SOURCE_DIR "/build/witness/node_modules", studio.url("/v1"),
                            studio.key, studio.dir.path().string()});
        const std::string told = run.err + run.out + studio.service->err();
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
        CHECK(text("created", "status") == "queued");
        CHECK(text("created", "size") == "1280x720");
        CHECK(text("early", "code") == "video_not_ready");
        CHECK_MESSAGE(text("done", "status") == "completed", told);
        CHECK(text("content", "type") == "video/mp4");
        CHECK(text("content", "id") == text("done", "content_id"));
        studio.check_intact("client.mp4", text("done", "content_id"));
        CHECK(text("thumbnail", "kind") == "BadRequestError");
        REQUIRE(said["listed"].find("ids")->if_array()->size() == 2);
        CHECK(*said["listed"].find("ids")->if_array()->back().if_string() == text("created", "id"));
        CHECK(*said["deleted"].find("deleted")->if_bool());
        CHECK(text("gone", "kind") == "NotFoundError");
        CHECK(text("blocked", "code") == "input_blocked");
        CHECK(text("no_model", "code") == "model_not_found");
    }

    TEST_CASE("[DSP-17] an upstream that lies, breaks or never ends gives nothing out") {
        Studio studio;
        studio.add_hasty();
        studio.start();
        for (const auto& [model, code] :
             {std::pair{"video-fails", "upstream_failed"},
              std::pair{"video-text", "upstream_failed"},
              std::pair{"video-picture", "upstream_failed"},
              std::pair{"video-half", "upstream_failed"}, std::pair{"video-cut", "upstream_failed"},
              std::pair{"video-error-400", "upstream_failed"},
              std::pair{"video-forever", "upstream_timeout"}}) {
            CAPTURE(model);
            const json::Value done = studio.make(model);
            CHECK_MESSAGE(done.string_or("status", "") == "failed", json::write(done));
            CHECK_MESSAGE(error_code(done) == code, json::write(done));
            const std::string id = done.string_or("id", "");
            CHECK(studio.content(id, "none.mp4") == "422");
        }
        // What is waited for no more is ended there too.
        CHECK(studio.counted("videos_deleted") == 1);
        const auto made = studio.records("videos.make");
        CHECK(made.size() == 7);
        for (const json::Value& record : made) {
            CHECK(record.string_or("outcome", "") == "failed");
        }
        CHECK(studio.make("video").string_or("status", "") == "completed");
    }

    TEST_CASE("[DSP-9] [DSP-10] what may not be asked for makes no job") {
        Studio studio;
        studio.start();
        const auto ask = [&](const std::string& body) {
            return error_code(object_of(studio.curl({studio.url("/v1/videos"), "-d", body})));
        };
        CHECK(ask(R"({"model":"video","user":"alice","prompt":"a forbidden hill"})") ==
              "input_blocked");
        CHECK(ask(R"({"model":"video","prompt":"a hill"})") == "identity_required");
        CHECK(ask(R"({"model":"video","user":"bob","prompt":"a hill"})") == "identity_required");
        CHECK(ask(R"({"model":"echo","user":"alice","prompt":"a hill"})") == "invalid_request");
        CHECK(ask(R"({"model":"none","user":"alice","prompt":"a hill"})") == "model_not_found");
        CHECK(ask(R"({"model":"video","user":"alice"})") == "invalid_request");
        CHECK(
            ask(R"({"model":"video","user":"alice","prompt":"a","input_reference":"http://a/b"})") ==
            "invalid_request");
        CHECK(ask("[]") == "invalid_request");
        CHECK(object_of(studio.curl({studio.url("/v1/videos")})).find("data")->if_array()->empty());
        CHECK(studio.counted("videos") == 0);
        CHECK(studio.records("videos.make").empty());
    }

    TEST_CASE("a video that its caller deletes ends at the upstream too") {
        Studio studio;
        studio.start();
        const json::Value created = studio.create("video-slow-8000");
        const std::string id = created.string_or("id", "");
        for (int i = 0; i < 200 && studio.counted("videos") == 0; ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        CHECK(studio.content(id, "early.mp4") == "409");
        const json::Value deleted =
            object_of(studio.curl({studio.url("/v1/videos/" + id), "-X", "DELETE"}));
        CHECK(*deleted.find("deleted")->if_bool());
        CHECK(error_code(studio.show(id)) == "not_found");
        for (int i = 0; i < 200 && studio.counted("videos_deleted") == 0; ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        CHECK(studio.counted("videos_deleted") == 1);
        for (int i = 0; i < 100 && studio.records("videos.make").empty(); ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        const auto made = studio.records("videos.make");
        REQUIRE(made.size() == 1);
        CHECK(made.front().string_or("outcome", "") == "cut_off");
        CHECK(made.front().string_or("outcome_code", "") == "cancelled");
    }

    TEST_CASE("so many videos at once, and no more, are made for one user") {
        Studio studio({}, {"COLOPHON_GATEWAY_SUBJECT_VIDEOS_AT_ONCE=1"});
        studio.start();
        const json::Value first = studio.create("video-slow-4000");
        CHECK(error_code(first) == "none");
        CHECK(error_code(studio.create("video")) == "rate_limit_exceeded");
        CHECK(studio.ended(first.string_or("id", "")).string_or("status", "") == "completed");
        CHECK(studio.make("video").string_or("status", "") == "completed");
    }

    TEST_CASE("a killed node's video is gone on with by another, and asked for once") {
        Studio studio({},
                      RunningService::on_postgres(test::PostgresServer::shared().new_address()));
        test::Node first = studio.start_node("first");
        studio.port = first.port;
        const json::Value created = studio.create("video-slow-4000");
        const std::string id = created.string_or("id", "");
        for (int i = 0; i < 200 && studio.show(id).find("progress")->as_int().value() == 0; ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        CHECK(studio.counted("videos") == 1);
        first.process->signal(SIGKILL);
        studio.start();
        const json::Value done = studio.ended(id);
        CHECK_MESSAGE(done.string_or("status", "") == "completed", json::write(done));
        CHECK(studio.counted("videos") == 1);
        CHECK(studio.content(id, "made.mp4") == "200");
        studio.check_intact("made.mp4", done.string_or("content_id", ""));
        CHECK(studio.records("videos.make").size() == 1);
        studio.ok({"ledger", "check"});
    }

    TEST_CASE("a stopped service gives its videos back, and goes on with them when it is there") {
        Studio studio;
        studio.start();
        const json::Value created = studio.create("video-slow-4000");
        const std::string id = created.string_or("id", "");
        for (int i = 0; i < 200 && studio.show(id).find("progress")->as_int().value() == 0; ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        studio.service->signal(SIGTERM);
        CHECK(studio.service->wait() == 0);
        test::Node again = studio.start_node("again");  // with a log of its own
        studio.port = again.port;
        studio.service = std::move(again.process);
        const json::Value done = studio.ended(id, std::chrono::seconds(30));
        CHECK_MESSAGE(done.string_or("status", "") == "completed", json::write(done));
        CHECK(studio.counted("videos") == 1);
    }

    TEST_CASE("a label worker that dies, and a store that cannot write, delay a video only") {
        Studio studio;
        studio.start();
        CHECK(studio.make("video").string_or("status", "") == "completed");
        const json::Value created = studio.create("video");
        const std::string id = created.string_or("id", "");
        studio.last_progress = 0;
        // Whenever it is about to be labelled, its worker dies; three times.
        for (int killed = 0, i = 0; killed < 3 && i < 400; ++i) {
            for (const pid_t child : children_of(studio.service->process())) {
                killed += ::kill(child, SIGKILL) == 0 ? 1 : 0;
            }
            std::this_thread::sleep_for(milliseconds(50));
        }
        const json::Value done = studio.ended(id);
        CHECK_MESSAGE(done.string_or("status", "") == "completed", json::write(done));

        const std::string later = studio.create("video-slow-4000").string_or("id", "");
        for (int i = 0; i < 200 && studio.show(later).find("progress")->as_int().value() == 0;
             ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        const std::string process = std::to_string(studio.service->process());
        const auto limit_files = [&](const char* size) {
            test::run_tool_ok({"prlimit", "--pid", process, std::string("--fsize=") + size});
        };
        limit_files("1:unlimited");
        CHECK(error_code(studio.create("video")) == "record_unavailable");
        std::this_thread::sleep_for(std::chrono::seconds(6));
        CHECK(studio.show(later).string_or("status", "") == "in_progress");
        CHECK(studio.content(id, "unrecorded.mp4") == "503");
        limit_files("unlimited:unlimited");
        const json::Value after = studio.ended(later);
        CHECK_MESSAGE(after.string_or("status", "") == "completed", json::write(after));
        CHECK(studio.content(later, "later.mp4") == "200");
        studio.check_intact("later.mp4", after.string_or("content_id", ""));
        CHECK(studio.counted("videos") == 3);
        CHECK(studio.records("videos.make").size() == 3);
    }

    TEST_CASE(
        "[DSP-10] a video with pictures of the library is not given out, or waits for a person") {
        Studio studio;
        const std::string still = studio.dir.file("still.png");
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-ss", "1", "-i", studio.film,
                           "-frames:v", "1", still});
        const json::Value scanned =
            object_of(test::run_tool({COLOPHON_PROGRAM, "scan", "--hash", "--json", still}).out);
        const std::string entry = R"({"id":"p","category":"A1f","pdq":")" +
                                  scanned.string_or("pdq", "") + R"(","action":")";
        test::write_file(studio.dir.file("words.txt"), as_bytes(entry + "block\"}\n"));
        studio.start();
        const json::Value blocked = studio.make("video");
        CHECK_MESSAGE(error_code(blocked) == "output_blocked", json::write(blocked));
        CHECK(blocked.find("error")->string_or("category", "") == "A1f");
        const auto made = studio.records("videos.make");
        CHECK(made.front().string_or("outcome", "") == "refused");

        test::write_file(studio.dir.file("words.txt"), as_bytes(entry + "hold\"}\n"));
        studio.service->signal(SIGHUP);
        for (int i = 0; i < 200 && studio.service->err().find("read again") == std::string::npos;
             ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
        const json::Value held = studio.make("video");
        CHECK_MESSAGE(error_code(held) == "held_for_review", json::write(held));
        const std::string ticket = held.find("error")->string_or("ticket", "");
        const json::Value waits = object_of(studio.curl({studio.url("/v1/tickets/" + ticket)}));
        CHECK(waits.string_or("state", "") == "waiting");
        CHECK(studio.content(held.string_or("id", ""), "held.mp4") == "422");
    }
}

}  // namespace colophon
