// SPDX-License-Identifier: Apache-2.0
// How people look at what was held: through a veil at first, and at the original when they ask for
// it, each look on record. And the tickets of speech, of large videos and of long streams.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "support/api_client.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon {
namespace {

using test::error_code;
using test::object_of;
using test::RunningService;

std::string at(const json::Value& value, std::string_view outer, std::string_view name) {
    const json::Value* found = value.find(outer);
    return found == nullptr ? std::string() : found->string_or(name, "");
}

// A classifier in another process, which finds "rabble" and red pictures bad.
struct Check {
    Check() {
        std::vector<std::string> command{"/usr/bin/env", "node",
                                         COLOPHON_SOURCE_DIR "/tests/witness/guard_model.js"};
        process = std::make_unique<test::Background>(
            command, dir.file("check"), std::vector<std::string>{"PATH=/usr/bin:/bin"});
        for (int i = 0; i < 200 && process->out().find('\n') == std::string::npos; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        const std::string told = process->out();
        REQUIRE_MESSAGE(told.starts_with("listening "), process->err());
        port = told.substr(10, told.find('\n') - 10);
    }
    std::string config() const {
        return "[[webhook]]\nname = \"mod\"\nshape = \"moderations\"\nmodel = \"m\"\n"
               "stage = \"output\"\naction = \"hold\"\ntimeout_ms = 5000\n"
               "url = \"http://127.0.0.1:" +
               port + "/v1\"\n";
    }

    test::TempDir dir;
    std::unique_ptr<test::Background> process;
    std::string port;
};

struct House : RunningService {
    explicit House(const std::string& more = "")
        : RunningService(
              "[[model]]\nname = \"video\"\nkind = \"video\"\nupstream = \"bench\"\n" + more,
              {"COLOPHON_SERVER_ACCESS_LOG=none", "COLOPHON_REVIEW_SAMPLE_PER_MILLE=0"}),
          api(*this) {}
    // With these words in force, and people at work.
    void open(const std::string& words = "") {
        test::write_file(dir.file("words.txt"), as_bytes(words));
        start();
        reviewer = api.session("li.wei", "reviewer");
        other = api.session("wang.fang", "reviewer");
        auditor = api.session("looks-on", "auditor");
    }
    json::Value look(const std::string& ticket, const std::string& view = "") const {
        return api.good(
            "POST", "/api/review/items/" + ticket + "/view" + (view.empty() ? "" : "?view=" + view),
            reviewer);
    }
    void claim(const std::string& ticket) const {
        api.good("POST", "/api/review/claims", reviewer, R"({"item":")" + ticket + R"("})");
    }
    void release(const std::string& ticket) const {
        api.good("POST", "/api/review/items/" + ticket + "/decision", reviewer,
                 R"({"ruling":"release","reason":"allowed_use"})");
    }
    std::string answer(const std::string& ticket) const {
        return url("/v1/tickets/" + ticket + "/answer");
    }
    std::vector<std::string> acts(const std::string& ticket) const {
        const json::Value item = api.good("GET", "/api/review/items/" + ticket, auditor);
        std::vector<std::string> all;
        for (const json::Value& each : *item.find("acts")->if_array()) {
            all.push_back(each.string_or("act", ""));
        }
        return all;
    }
    // Who saw the original.
    std::string reviewer_of(const std::string& ticket) const {
        const json::Value item = api.good("GET", "/api/review/items/" + ticket, auditor);
        return item.find("acts")->if_array()->back().string_or("by", "");
    }
    // The records of conduct of that operation, as one text.
    std::string conduct(std::string_view operation) const {
        const json::Value records =
            api.good("GET", "/api/records?kind=administration&limit=100", auditor);
        std::string all;
        for (const json::Value& each : *records.find("data")->if_array()) {
            if (each.string_or("operation", "") == operation) {
                all += json::write(each) + "\n";
            }
        }
        return all;
    }
    void check_intact(const std::string& file) const {
        CHECK(object_of(ok({"verify", "--json", file})).string_or("verdict", "") == "intact");
    }

    test::Api api;
    std::string reviewer;
    std::string other;
    std::string auditor;
};

Buffer file_of(const json::Value& seen) {
    const auto bytes = from_base64(at(seen, "file", "base64"));
    REQUIRE(bytes.ok());
    return *bytes;
}

std::string hex_of(Bytes bytes) {
    return to_hex(sha256(bytes));
}

// As another program decodes it: three samples a pixel, scaled to 640 x 480.
Buffer pixels_of(const House& house, const Buffer& file) {
    const std::string path = house.dir.file("shown");
    test::write_file(path, file);
    test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-i", path, "-frames:v", "1",
                       "-vf", "scale=640:480:flags=area", "-pix_fmt", "rgb24", "-f", "rawvideo",
                       path + ".rgb"});
    return test::read_file(path + ".rgb");
}

// How much of it neighbours do not share.
double detail(const Buffer& rgb) {
    double sum = 0;
    for (std::size_t i = 3; i < rgb.size(); ++i) {
        const double step = double(rgb[i]) - double(rgb[i - 3]);
        sum += step * step;
    }
    return sum / static_cast<double>(rgb.size());
}

bool is_grey(const Buffer& rgb) {
    for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
        if (rgb[i] != rgb[i + 1] || rgb[i] != rgb[i + 2]) {
            return false;
        }
    }
    return true;
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-10] a picture that was held is shown veiled, and sharp to who asks for it") {
        House house;
        const std::string path = house.dir.file("fractal.png");
        test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i",
                           "mandelbrot=size=1280x960:rate=1", "-frames:v", "1", path});
        const Buffer sent = test::read_file(path);
        const std::string hash =
            object_of(house.ok({"scan", "--hash", path, "--json"})).string_or("pdq", "");
        house.open(R"({"id":"p","category":"A1f","action":"hold","pdq":")" + hash + "\"}\n");
        const json::Value refused =
            object_of(house.curl({house.url("/v1/labels"), "--data-binary", "@" + path}));
        CHECK(error_code(refused) == "held_for_review");
        const std::string ticket = at(refused, "error", "ticket");
        REQUIRE(ticket.size() == 32);
        house.claim(ticket);

        const json::Value seen = house.look(ticket);
        CHECK(at(seen, "file", "view") == "veiled");
        CHECK(at(seen, "file", "media_type") == "image/png");
        CHECK(*seen.find("file")->find("blur")->if_bool());
        CHECK(*seen.find("file")->find("greyscale")->if_bool());
        const json::Value* original = seen.find("file")->find("original");
        REQUIRE(original != nullptr);
        CHECK(original->find("bytes")->as_uint().value() == sent.size());
        CHECK(original->string_or("media_type", "") == "image/png");
        const Buffer veil = file_of(seen);
        CHECK(veil != sent);
        CHECK(veil.size() < sent.size() / 2);
        const Buffer sharp = pixels_of(house, sent);
        const Buffer shown = pixels_of(house, veil);
        CHECK(!is_grey(sharp));
        CHECK(is_grey(shown));
        const double kept = detail(shown) / detail(sharp);
        MESSAGE("a veil of ", veil.size(), " bytes for ", sent.size(), "; detail kept: ", kept);
        CHECK(kept < 0.05);
        CHECK(house.acts(ticket) == std::vector<std::string>{"queued", "claimed", "viewed"});
        const std::string first = house.conduct("review.view");
        CHECK(first.find(hex_of(veil)) != std::string::npos);
        CHECK(house.conduct("review.view_original").empty());

        const json::Value bare = house.look(ticket, "original");
        CHECK(at(bare, "file", "view") == "original");
        CHECK(!*bare.find("file")->find("blur")->if_bool());
        CHECK(file_of(bare) == sent);
        CHECK(house.acts(ticket) ==
              std::vector<std::string>{"queued", "claimed", "viewed", "viewed_original"});
        const std::string second = house.conduct("review.view_original");
        CHECK(std::ranges::count(second, '\n') == 1);
        CHECK(second.find(ticket) != std::string::npos);
        CHECK(house.reviewer_of(ticket) == "li.wei");
        const std::string sealed = house.api.good("GET", "/api/review/items/" + ticket, house.other)
                                       .string_or("content_sha256", "-");
        CHECK(first.find(sealed) != std::string::npos);
        CHECK(second.find(sealed) != std::string::npos);

        // Who has not claimed it, may not decide, or is nobody here sees neither; no third view.
        const std::string place = "/api/review/items/" + ticket + "/view";
        for (const char* view : {"", "?view=original", "?view=veiled"}) {
            CAPTURE(view);
            CHECK(house.api.call("POST", place + view, house.other).status == 409);
            CHECK(house.api.call("POST", place + view, house.auditor).status == 403);
            CHECK(house.api.call("POST", place + view, house.key).status == 403);
            CHECK(house.api.call("POST", place + view, "").status == 401);
        }
        CHECK(house.api.call("POST", place + "?view=sharp", house.reviewer).status == 400);
        CHECK(house.acts(ticket).size() == 4);
        house.release(ticket);
        const std::string out = house.dir.file("out.png");
        house.curl({house.answer(ticket), "-o", out});
        house.check_intact(out);
    }

    TEST_CASE(
        "[DSP-10] a large video that was held has a ticket, a film for a veil, and goes out") {
        const Check check;
        House house(check.config());
        house.open("# none\n");
        const std::string film = house.dir.file("film.mp4");
        // Its last half second is red, the rest is noise that no codec makes small.
        test::run_tool_ok({"ffmpeg",
                           "-nostdin",
                           "-y",
                           "-v",
                           "error",
                           "-f",
                           "lavfi",
                           "-i",
                           "testsrc2=size=320x240:rate=10:duration=6",
                           "-f",
                           "lavfi",
                           "-i",
                           "sine=duration=6",
                           "-vf",
                           "noise=alls=90:allf=t,scale=640:480:flags=neighbor,"
                           "drawbox=c=red:t=fill:enable='gte(t,5.5)'",
                           "-pix_fmt",
                           "yuv420p",
                           "-qp",
                           "1",
                           film});
        const Buffer sent = test::read_file(film);
        REQUIRE(sent.size() > (16U << 20U));
        test::run_tool_ok(
            {"curl", "-sS", "-T", film, "http://127.0.0.1:" + house.upstream_port + "/video"});
        const json::Value created = object_of(
            house.curl({house.url("/v1/videos"), "-d",
                        R"({"model":"video","user":"alice","prompt":"a hill","seconds":"6"})"}));
        json::Value made;
        for (int i = 0; i < 600 && made.string_or("status", "") != "failed"; ++i) {
            made = object_of(house.curl({house.url("/v1/videos/" + created.string_or("id", ""))}));
            REQUIRE(made.string_or("status", "") != "completed");
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
        }
        CHECK_MESSAGE(error_code(made) == "held_for_review", json::write(made));
        const std::string ticket = at(made, "error", "ticket");
        REQUIRE(ticket.size() == 32);
        house.claim(ticket);
        const json::Value seen = house.look(ticket);
        CHECK(at(seen, "file", "media_type") == "video/mp4");
        CHECK(at(seen, "file", "view") == "veiled");
        CHECK(seen.find("file")->find("speed")->as_int().value() == 1);
        const Buffer veil = file_of(seen);
        MESSAGE("a veil of ", veil.size(), " bytes for a film of ", sent.size());
        CHECK(veil.size() < (1U << 20U));
        const std::string shown = house.dir.file("veil.mp4");
        test::write_file(shown, veil);
        CHECK(test::run_tool_ok({"ffprobe", "-v", "error", "-count_frames", "-show_entries",
                                 "stream=codec_type,width,height,nb_read_frames", "-of", "csv=p=0",
                                 shown}) == "video,320,240,30\n");
        // Red has no colour left.
        const Buffer rgb = pixels_of(house, veil);
        int apart = 0;
        for (std::size_t i = 0; i + 2 < rgb.size(); i += 3) {
            apart = std::max(apart, std::abs(int{rgb[i]} - int{rgb[i + 2]}));
        }
        CHECK(apart <= 4);
        CHECK(file_of(house.look(ticket, "original")) == sent);
        CHECK(house.acts(ticket) ==
              std::vector<std::string>{"queued", "claimed", "viewed", "viewed_original"});
        house.release(ticket);
        const std::string out = house.dir.file("out.mp4");
        house.curl({house.answer(ticket), "-o", out});
        house.check_intact(out);

        // Both films lie in one object, which goes when the person is erased.
        const auto objects = [&] {
            std::size_t count = 0;
            for (const auto& each : std::filesystem::recursive_directory_iterator(
                     house.dir.path() / "data" / "objects" / "blobs")) {
                count += each.is_regular_file() && each.file_size() > sent.size() ? 1U : 0U;
            }
            return count;
        };
        CHECK(objects() == 1);
        house.ok({"admin", "subject", "erase", "demo", "alice", "--reason", "asked for",
                  "--despite-retention"});
        CHECK(objects() == 0);
        CHECK(error_code(object_of(house.curl({house.answer(ticket)}))) == "not_found");
    }

    TEST_CASE("[DSP-10] speech that a check holds waits, is heard by a person, and goes out") {
        const Check check;
        House house(check.config() +
                    "[[model]]\nname = \"voice\"\nkind = \"speech\"\nupstream = \"builtin\"\n");
        house.open("# none\n");
        const std::string out = house.dir.file("out.wav");
        const auto speak = [&](const std::string& words) {
            house.curl({house.url("/v1/audio/speech"), "-o", out, "-d",
                        R"({"model":"voice","user":"alice","response_format":"wav","input":")" +
                            words + R"("})"});
        };
        speak("the crowd goes home");
        house.check_intact(out);
        speak("the rabble goes home");
        const json::Value refused = object_of(std::string(as_text(test::read_file(out))));
        CHECK_MESSAGE(error_code(refused) == "held_for_review", json::write(refused));
        const std::string ticket = at(refused, "error", "ticket");
        REQUIRE(ticket.size() == 32);
        CHECK(error_code(object_of(house.curl({house.answer(ticket)}))) == "ticket_waiting");
        house.claim(ticket);
        const json::Value heard = house.look(ticket);
        CHECK(heard.string_or("text", "") == "the rabble goes home");
        CHECK(at(heard, "file", "media_type") == "audio/wav");
        CHECK(at(heard, "file", "view") == "original");
        CHECK(*heard.find("file")->find("muted")->if_bool());
        CHECK(as_text(file_of(heard)).starts_with("RIFF"));
        CHECK(house.acts(ticket) == std::vector<std::string>{"queued", "claimed", "viewed"});
        house.release(ticket);
        house.curl({house.answer(ticket), "-o", out});
        house.check_intact(out);
        const json::Value verified = object_of(house.ok({"verify", "--json", out}));
        CHECK(*verified.find("explicit")->find("found")->if_bool());
        CHECK(house.ok({"ledger", "records", "--json"}).find("\"operation\":\"tickets.answer\"") !=
              std::string::npos);
    }

    TEST_CASE("[DSP-10] a stream of more than eight megabytes that was held waits as a whole") {
        House house;
        house.open(R"({"id":"out","category":"A1f","phrase":"sesame","action":"hold",)"
                   R"("stage":"output"})"
                   "\n");
        // Few and long words: each is an event.
        std::string words;
        while (words.size() < (9U << 20U)) {
            words += std::string(2000, static_cast<char>('a' + words.size() % 7)) + " ";
        }
        test::write_file(house.dir.file("ask.json"),
                         as_bytes(R"({"model":"echo","user":"alice","stream":true,)"
                                  R"("messages":[{"role":"user","content":")" +
                                  words + R"(open sesame at last"}]})"));
        const std::string stream = house.curl(
            {"-N", house.url("/v1/chat/completions"), "-d", "@" + house.dir.file("ask.json")});
        MESSAGE("a stream of ", stream.size(), " bytes");
        CHECK(stream.size() > (8U << 20U));
        CHECK(stream.find("\"content_filter\"") != std::string::npos);
        const std::size_t place = stream.find("\"ticket\":\"");
        REQUIRE(place != std::string::npos);
        const std::string ticket = stream.substr(place + 10, 32);
        house.claim(ticket);
        CHECK(house.look(ticket).string_or("text", "").find(" open sesame at last") !=
              std::string::npos);
        house.release(ticket);
        const std::string whole = house.curl({house.answer(ticket)});
        CHECK(whole.size() > (8U << 20U));
        CHECK(whole.find("data: [DONE]") != std::string::npos);
    }
}

}  // namespace colophon
