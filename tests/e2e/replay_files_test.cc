// SPDX-License-Identifier: Apache-2.0
// Pictures, sounds and videos of calls that were made, judged once more by what is in the library
// now, or was at a time: by the prints that records keep.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "support/api_client.h"
#include "support/json_answer.h"
#include "support/music.h"
#include "support/running_service.h"
#include "support/tools.h"
#include "support/two_leads.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon {
namespace {

using test::object_of;

// Files of each kind, and other files that the trials are made against.
struct Past : test::TwoLeads {
    explicit Past(const std::string& prints = "always")
        : TwoLeads(
              "[[model]]\nname = \"video\"\nkind = \"video\"\nupstream = \"bench\"\n",
              {"COLOPHON_SERVER_ACCESS_LOG=none", "COLOPHON_GATEWAY_PICTURE_PRINTS=" + prints}) {
        start();
    }
    void retire(const std::string& id) const {
        as("wang.fang", {"retire", id, "--reason", "over"});
    }
    // The number of the record of a call.
    std::string record_of(std::vector<std::string> arguments) const {
        arguments.insert(arguments.begin(), {"-D", dir.file("heads"), "-o", dir.file("body")});
        curl(arguments);
        const std::string heads(as_text(test::read_file(dir.file("heads"))));
        const std::size_t at = heads.find("colophon-record: ");
        REQUIRE_MESSAGE(at != std::string::npos, heads);
        return heads.substr(at + 17, 32);
    }
    // A chat with this part beside its text.
    std::string chat_with(const std::string& part, const std::string& text = "look") const {
        test::write_file(
            dir.file("ask.json"),
            as_bytes(R"({"model":"echo","user":"alice","messages":[{"role":"user","content":[)"
                     R"({"type":"text","text":")" +
                     text + R"("},)" + part + "]}]}"));
        return record_of({url("/v1/chat/completions"), "-d", "@" + dir.file("ask.json")});
    }
    std::string picture_part(const std::string& file) const {
        return R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
               to_base64(test::read_file(file)) + R"("}})";
    }
    std::string session() const { return "file:" + dir.file("li.wei"); }
    std::vector<json::Value> replay(const std::string& record,
                                    std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"library", "replay", record, "--json", "--session", session()});
        const std::string lines = ok(more);
        std::vector<json::Value> all;
        for (std::size_t at = 0; at < lines.size();) {
            const std::size_t end = lines.find('\n', at);
            all.push_back(object_of(lines.substr(at, end - at)));
            at = end + 1;
        }
        return all;
    }
    // Asks for something that a job makes, and waits for it; the number of the job's own record.
    std::string made_by_job(std::vector<std::string> arguments,
                            const std::string& operation) const {
        arguments.insert(arguments.begin(),
                         url(operation == "videos.make" ? "/v1/videos" : "/v1/images/edits"));
        const json::Value created = object_of(curl(arguments));
        const std::string path = (operation == "videos.make" ? "/v1/videos/" : "/v1/images/jobs/") +
                                 created.string_or("id", "");
        std::string status;
        for (int i = 0; i < 300 && status != "completed"; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(200));
            status = object_of(curl({url(path)})).string_or("status", "");
            REQUIRE_MESSAGE(status != "failed", json::write(created));
        }
        REQUIRE_MESSAGE(status == "completed", json::write(created));
        const std::string records = ok({"ledger", "records", "--json", "--kind", "call"});
        const std::size_t found = records.find("\"operation\":\"" + operation + "\"");
        REQUIRE_MESSAGE(found != std::string::npos, records);
        const std::size_t line = records.rfind('\n', found) + 1;
        return object_of(records.substr(line, records.find('\n', found) - line))
            .string_or("id", "");
    }
    static std::string now() {
        SystemClock clock;
        return format_time(clock.now());
    }
};

const json::Value* member_of(const json::Value& value, std::string_view outer,
                             std::string_view name) {
    const json::Value* found = value.find(outer);
    return found == nullptr ? nullptr : found->find(name);
}

// "input picture 1 block p-1", "input text allow": each thing that was judged.
std::string told(const std::vector<json::Value>& all) {
    std::string text;
    for (const json::Value& each : all) {
        const json::Value* kind = member_of(each, "file", "kind");
        text += (text.empty() ? "" : ", ") + each.string_or("stage", "none") + " " +
                (kind == nullptr
                     ? std::string("text")
                     : *kind->if_string() + " " +
                           std::to_string(member_of(each, "file", "number")->as_int().value())) +
                " " + each.string_or("decision", "left_out");
        for (const json::Value& entry : *each.find("entries")->if_array()) {
            text += " " + *entry.if_string();
        }
    }
    return text;
}

std::string left_out(const json::Value& one) {
    const json::Array& all = *one.find("left_out")->if_array();
    REQUIRE(all.size() == 1);
    return *all.front().if_string();
}

std::int64_t match_number(const json::Value& one, std::string_view name) {
    const json::Array& matches = *one.find("matches")->if_array();
    REQUIRE_FALSE(matches.empty());
    const json::Value* found = matches.front().find(name);
    REQUIRE_MESSAGE(found != nullptr, json::write(matches.front()));
    return found->as_int().value();
}

void draw(const std::string& source, const std::string& file) {
    test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", source,
                       "-frames:v", "1", file});
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-10] pictures of a past call are judged by what the library has learnt since") {
        const Past past;
        const std::string plain = past.dir.file("plain.png");
        const std::string other = past.dir.file("other.png");
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, plain});
        draw("mandelbrot=size=320x240", other);
        draw("testsrc2=size=320x240", past.dir.file("benign/test.png"));
        // The library has no picture yet, so nothing is compared, and all of these pass.
        const std::string edited =
            past.record_of({past.url("/v1/images/edits"), "-F", "model=picture", "-F", "user=alice",
                            "-F", "prompt=brighter", "-F", "image=@" + plain});
        const std::string chat = past.chat_with(past.picture_part(plain));
        const std::string named = past.chat_with(
            R"({"type":"image_url","image_url":{"url":"http://127.0.0.1:1/x.png"}})");
        const std::string broken = past.chat_with(
            R"({"type":"image_url","image_url":{"url":"data:image/png;base64,bm9uZQ=="}})");
        const std::string labels =
            past.record_of({past.url("/v1/labels"), "--data-binary", "@" + plain});
        const std::string refused = past.chat_with(past.picture_part(plain), "forbidden");
        const std::string before = Past::now();

        CHECK(told(past.replay(edited)) ==
              "input text allow, input picture 1 allow, output picture 1 allow");
        past.put_in_force("p-1", {"--like", plain});
        // The same picture came in and was made: it is judged without the label that it got.
        const auto now = past.replay(edited);
        REQUIRE(told(now) ==
                "input text allow, input picture 1 block p-1, output picture 1 block p-1");
        CHECK(match_number(now[1], "distance") == 0);
        CHECK(*member_of(now[1], "file", "labelled")->if_bool() == false);
        CHECK(match_number(now[2], "distance") == 0);
        CHECK(*member_of(now[2], "file", "labelled")->if_bool() == false);
        CHECK(now[1].string_or("category", "") == "A1d");
        CHECK(now[1].string_or("recorded", "") == "allow");
        CHECK(now[1].string_or("policy", "").find("/library-") != std::string::npos);
        CHECK(*now[1].find("complete")->if_bool());
        CHECK(told(past.replay(edited, {"--at", before})) ==
              "input text allow, input picture 1 allow, output picture 1 allow");
        CHECK(told(past.replay(edited, {"--policy", "recorded", "--at", Past::now()})) ==
              told(now));
        CHECK(told(past.replay(edited, {"--policy", "recorded"})) ==
              told(past.replay(edited, {"--at", before})));
        const std::string shown =
            past.ok({"library", "replay", edited, "--session", past.session()});
        CHECK(shown.find("input picture 1") != std::string::npos);
        CHECK(shown.find("p-1 (0 bits)") != std::string::npos);
        CHECK(told(past.replay(chat)) == "input text allow, input picture 1 block p-1");
        CHECK(told(past.replay(labels)) == "both picture 1 block p-1");

        // What cannot be known is said, and never allowed.
        const auto unknown = past.replay(named);
        REQUIRE(told(unknown) == "input text allow, input picture 1 left_out");
        CHECK(left_out(unknown[1]).find("not fetched") != std::string::npos);
        CHECK(unknown[1].find("decision")->is_null());
        CHECK_FALSE(*unknown[1].find("complete")->if_bool());
        CHECK(told(past.replay(broken)) == "input text allow, input picture 1 left_out");
        const auto early = past.replay(refused);
        REQUIRE(told(early) == "input text block words/1, input picture 1 left_out");
        CHECK(left_out(early[1]).find("refused before") != std::string::npos);
        CHECK(past.colophon({"library", "replay", named, "--session", past.session()})
                  .err.find("left out: it was not fetched") != std::string::npos);

        // Entries for other stages and tenants are not for it; a turned picture is the same.
        past.retire("p-1");
        past.put_in_force("p-2", {"--like", plain, "--stage", "output"});
        CHECK(told(past.replay(edited)) ==
              "input text allow, input picture 1 allow, output picture 1 block p-2");
        CHECK(told(past.replay(labels)) == "both picture 1 block p-2");
        past.retire("p-2");
        past.put_in_force("p-3", {"--like", plain, "--tenant", "00000000000000000000000000000000"});
        CHECK(told(past.replay(chat)) == "input text allow, input picture 1 allow");
        past.retire("p-3");
        const std::string turned = past.dir.file("turned.png");
        test::run_tool_ok({"vips", "rot", plain, turned, "d90"});
        past.put_in_force("p-4", {"--like", turned, "--action", "hold"});
        CHECK(told(past.replay(chat)) == "input text allow, input picture 1 hold p-4");

        // Now that there are pictures, what comes is compared, and replayed by the same print.
        std::string compared;
        for (int i = 0; i < 20 && compared.find("hold p-4") == std::string::npos; ++i) {
            compared = told(past.replay(past.chat_with(past.picture_part(plain))));
        }
        CHECK(compared.find("input picture 1 hold p-4") != std::string::npos);
        const auto fine = past.replay(past.chat_with(past.picture_part(other)));
        CHECK(told(fine) == "input text allow, input picture 1 allow");

        // Over the API, by the policy in force there.
        const test::Api api(past);
        const json::Value answer =
            api.good("POST", "/api/library/replays",
                     std::string(as_text(test::read_file(past.dir.file("li.wei")))).substr(0, 64),
                     R"({"records":[")" + chat + R"("]})");
        CHECK(json::write(answer).find(
                  R"("file":{"kind":"picture","number":1,"labelled":false})") != std::string::npos);
        CHECK(json::write(answer).find(R"("matches":[{"entry":"p-4","distance":)") !=
              std::string::npos);

        // A check that looks at pictures cannot be shown one.
        std::string config(as_text(test::read_file(past.dir.file("colophon.toml"))));
        config += "[[webhook]]\nname = \"eyes\"\nurl = \"http://127.0.0.1:1/\"\n";
        test::write_file(past.dir.file("colophon.toml"), as_bytes(config));
        const auto with_check = past.replay(edited, {"--at", before});
        CHECK_FALSE(*with_check[1].find("complete")->if_bool());
        const json::Value& check = with_check[1].find("checks")->if_array()->front();
        CHECK(check.string_or("name", "") == "eyes");
        CHECK(check.string_or("said", "") == "left_out");
    }

    TEST_CASE("[DSP-10] sounds and videos of a past call are judged again by what they were") {
        const Past past;
        const std::string song = past.dir.file("song.wav");
        const std::string spoken = past.dir.file("spoken.wav");
        const std::string film = past.dir.file("film.mp4");
        test::write_file(song, test::wav_of(test::make_music(41, 20)));
        test::write_file(past.dir.file("benign/other.wav"), test::wav_of(test::make_music(42, 20)));
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=160x120:rate=5:duration=9", "-i", song, "-c:a", "aac",
                           "-b:a", "96k", "-shortest", "-pix_fmt", "yuv420p", film});
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "mandelbrot=size=160x120:rate=5", "-t", "3", "-pix_fmt", "yuv420p",
                           past.dir.file("benign/other.mp4")});
        const std::string words =
            "A lighthouse keeper climbs one hundred and twelve steps each evening, trims the lamp, "
            "winds the clockwork, and writes down which ships went by, from where, and whither.";
        const std::string speak = R"({"model":"espeak-ng","user":"alice","response_format":"wav",)"
                                  R"("input":")" +
                                  words + R"("})";
        const std::string speech = past.record_of({past.url("/v1/audio/speech"), "-d", speak});
        std::filesystem::copy_file(past.dir.file("body"), spoken);
        const std::string labelled =
            past.record_of({past.url("/v1/labels"), "--data-binary", "@" + film});
        const std::string before = Past::now();
        CHECK(told(past.replay(speech)) == "input text allow, output sound 1 allow");
        CHECK(told(past.replay(labelled)) == "both video 1 allow");

        past.put_in_force("s-1", {"--like", spoken});
        const auto now = past.replay(speech);
        REQUIRE(told(now) == "input text allow, output sound 1 block s-1");
        CHECK(match_number(now[1], "length_ms") > 6000);
        CHECK(*member_of(now[1], "file", "labelled")->if_bool());
        CHECK(told(past.replay(speech, {"--at", before})) ==
              "input text allow, output sound 1 allow");
        CHECK(past.ok({"library", "replay", speech, "--session", past.session()}).find(" s)") !=
              std::string::npos);
        CHECK(told(past.replay(labelled)) == "both video 1 allow");

        // Now sounds are compared: one within a chat has its print in the record.
        const std::string part = R"({"type":"input_audio","input_audio":{"format":"wav","data":")" +
                                 to_base64(test::read_file(song)) + R"("}})";
        std::vector<json::Value> heard;
        for (int i = 0; i < 20 && heard.size() != 2; ++i) {
            heard = past.replay(past.chat_with(part));
        }
        CHECK(told(heard) == "input text allow, input sound 1 allow");
        // The song is in the film as well.
        past.put_in_force("s-2", {"--like", song});
        CHECK(told(past.replay(heard.front().string_or("record", ""))) ==
              "input text allow, input sound 1 block s-2");
        const auto sung = past.replay(labelled);
        REQUIRE(told(sung) == "both video 1 block s-2");
        CHECK(match_number(sung[0], "length_ms") > 6000);
        past.retire("s-2");
        past.put_in_force("v-1", {"--like", film});
        const auto seen = past.replay(labelled);
        REQUIRE(told(seen) == "both video 1 block v-1");
        CHECK(match_number(seen[0], "percent") >= 80);
        CHECK(told(past.replay(labelled, {"--at", before})) == "both video 1 allow");
    }

    TEST_CASE(
        "[DSP-10] what a job made is judged again, beside the picture that it was made from") {
        const Past past;
        const std::string plain = past.dir.file("plain.png");
        const std::string film = past.dir.file("film.mp4");
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, plain});
        draw("testsrc2=size=320x240", past.dir.file("benign/test.png"));
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "mandelbrot=size=160x120:rate=5", "-t", "3", "-pix_fmt", "yuv420p",
                           past.dir.file("benign/other.mp4")});
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=320x240:rate=10:duration=6", "-pix_fmt", "yuv420p",
                           film});
        test::run_tool_ok(
            {"curl", "-sS", "-T", film, "http://127.0.0.1:" + past.upstream_port + "/video"});
        const std::string edit =
            past.made_by_job({"-F", "model=picture", "-F", "user=alice", "-F", "prompt=brighter",
                              "-F", "background=true", "-F", "image=@" + plain},
                             "images.make");
        CHECK(told(past.replay(edit)) ==
              "input text allow, input picture 1 allow, output picture 1 allow");
        const std::string video =
            past.made_by_job({"-F", "model=video", "-F", "user=alice", "-F", "prompt=a hill", "-F",
                              "input_reference=@" + plain + ";type=image/png"},
                             "videos.make");
        CHECK(told(past.replay(video)) ==
              "input text allow, input picture 1 allow, output video 1 allow");
        past.put_in_force("p-1", {"--like", plain});
        past.put_in_force("v-1", {"--like", film});
        CHECK(told(past.replay(edit)) ==
              "input text allow, input picture 1 block p-1, output picture 1 block p-1");
        CHECK(told(past.replay(video)) ==
              "input text allow, input picture 1 block p-1, output video 1 block v-1");
    }

    TEST_CASE("[DSP-10] a record that says nothing of files is not taken for one without") {
        const Past past("compared");
        const std::string plain = past.dir.file("plain.png");
        test::run_tool_ok({COLOPHON_DEMO_PICTURE, plain});
        const std::string unprinted = past.chat_with(past.picture_part(plain));
        const auto told_so = past.replay(unprinted);
        REQUIRE(told(told_so) == "input text allow, input picture 1 left_out");
        CHECK(left_out(told_so[1]).find("the library had no pictures") != std::string::npos);
        const std::string text = past.record_of(
            {past.url("/v1/chat/completions"), "-d",
             R"({"model":"echo","user":"alice","messages":[{"role":"user","content":"hi"}]})"});
        CHECK(told(past.replay(text)) == "input text allow, output text allow");
        // What goes out is printed with its label then, which says so.
        draw("testsrc2=size=320x240", past.dir.file("benign/test.png"));
        const std::string labels =
            past.record_of({past.url("/v1/labels"), "--data-binary", "@" + plain});
        past.put_in_force("p-1", {"--like", plain});
        const auto with_label = past.replay(labels);
        REQUIRE(told(with_label) == "both picture 1 block p-1");
        CHECK(*member_of(with_label[0], "file", "labelled")->if_bool());
        CHECK(match_number(with_label[0], "distance") > 0);
        CHECK(left_out(with_label[0]) == "the picture as it was before its label");
        // As after an update from a version whose records said nothing of files.
        test::run_tool_ok({"/usr/bin/python3", "-c",
                           "import sqlite3, sys\n"
                           "with sqlite3.connect(sys.argv[1]) as store:\n"
                           "    store.execute('INSERT INTO record_marks VALUES (?, ?)',\n"
                           "                  ('files', bytes.fromhex(sys.argv[2])))\n",
                           past.dir.file("data/colophon.db"), text});
        const auto old = past.replay(text);
        REQUIRE(told(old) == "input text allow, output text allow, input file 1 left_out");
        CHECK(left_out(old[2]).find("older than their prints") != std::string::npos);
    }
}

}  // namespace colophon
