// SPDX-License-Identifier: Apache-2.0
// Upstreams that do not speak OpenAI's API, as a process of their own: tasks of DashScope, and what
// a file describes. What comes of them is reviewed, labelled and recorded like anything else.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "support/json_answer.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::error_code;
using test::object_of;
using test::RunningService;

std::string error_message(const json::Value& value) {
    const json::Value* error = value.find("error");
    return error == nullptr ? std::string() : error->string_or("message", "");
}

constexpr const char* kTextTemplate = R"(
[request]
path = "/odd/chat/{model}?seed={seed}"
body = '''{"ask": "{prompt}", "rules": "{system}", "all": "{messages}", "heat": "{temperature}",
  "note": "for {user}", "fixed": [1, true, null]}'''
[request.headers]
X-Token = "T {key}"
[answer]
text = "/out/0/words"
error = "/oops"
input_tokens = "/cost/in"
output_tokens = "/cost/out"
)";
constexpr const char* kImageTemplate = R"(
[request]
path = "/odd/draw"
body = '{"what": "{prompt}", "how_many": "{n}", "wide": "{size}"}'
[request.headers]
X-Token = "T {key}"
[answer]
images = "/pictures"
image = "/data"
)";
constexpr const char* kBareTemplate = R"(
[request]
method = "GET"
path = "/odd/draw-one?q={prompt}"
[request.headers]
X-Token = "T {key}"
)";
constexpr const char* kFilmTemplate = R"(
[request]
path = "/odd/film"
body = '{"what": "{prompt}", "long": "{seconds}", "first": "{input_reference}"}'
[request.headers]
X-Token = "T {key}"
[task]
id = "/job/number"
path = "/odd/films/{task}"
status = "/job/state"
done = ["ready"]
failed = ["burnt"]
progress = "/job/percent"
seconds = "/film/long"
video = "/film/data"
)";
constexpr const char* kSoundTemplate = R"(
[request]
path = "/odd/say"
body = '{"say": "{prompt}", "as": "{voice}"}'
[request.headers]
X-Token = "T {key}"
[answer]
audio = "/wave"
)";

// The upstreams as a process, and a service before them.
struct Odd {
    Odd() {
        process = std::make_unique<test::Background>(
            std::vector<std::string>{"/usr/bin/env", "node",
                                     COLOPHON_SOURCE_DIR "/tests/witness/odd_upstream.js"},
            folder.file("odd"), std::vector<std::string>{"PATH=/usr/bin:/bin"});
        for (int i = 0; i < 200 && process->out().find('\n') == std::string::npos; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        const std::string told = process->out();
        REQUIRE_MESSAGE(told.starts_with("listening "), process->err());
        const std::string port = told.substr(10, told.find('\n') - 10);
        const std::string at = "http://127.0.0.1:" + port;
        std::string config =
            "[[upstream]]\nname = \"tasks\"\ndialect = \"dashscope\"\nurl = \"" + at +
            "/api/v1\"\nkey = \"env:ODD_KEY\"\nfetch = \"own\"\n"
            "task_seconds = 4\n"
            "[[model]]\nname = \"wanx\"\nkind = \"image\"\nupstream = \"tasks\"\n"
            "[[upstream]]\nname = \"strict\"\ndialect = \"dashscope\"\nurl = \"" +
            at +
            "/api/v1\"\nkey = \"env:ODD_KEY\"\n"
            "[[model]]\nname = \"strict\"\nkind = \"image\"\nupstream = \"strict\"\n"
            "[[model]]\nname = \"edits\"\nkind = \"image\"\n"
            "targets = [{upstream = \"tasks\", model = \"qwen-image-edit-plus\"}]\n"
            "[[model]]\nname = \"wan\"\nkind = \"video\"\nupstream = \"tasks\"\n"
            "second_price = \"0.25\"\n";
        odd_port = port;
        for (const auto& [name, kind, text] : {std::tuple{"odd-text", "text", kTextTemplate},
                                               std::tuple{"odd-image", "image", kImageTemplate},
                                               std::tuple{"odd-bare", "image", kBareTemplate},
                                               std::tuple{"odd-sound", "speech", kSoundTemplate},
                                               std::tuple{"odd-film", "video", kFilmTemplate}}) {
            const std::string file = folder.file(std::string(name) + ".toml");
            test::write_file(file, as_bytes(text));
            config += std::string("[[upstream]]\nname = \"") + name +
                      "\"\ndialect = \"template\"\nurl = \"" + at +
                      "\"\nkey = \"env:ODD_KEY\"\ntemplate = \"" + file +
                      "\"\n[[model]]\nname = \"" + name + "\"\nkind = \"" + kind +
                      "\"\nupstream = \"" + name +
                      "\"\nmodel = \"m-1\"\npicture_price = \"0.20\"\ncharacter_price = \"10\"\n";
        }
        service =
            std::make_unique<RunningService>(config, std::vector<std::string>{"ODD_KEY=sk-odd"});
        service->start();
    }
    json::Value draw(const std::string& model, const std::string& prompt,
                     const std::string& more = "") const {
        return object_of(service->curl({service->url("/v1/images/generations"), "-d",
                                        R"({"model":")" + model + R"(","user":"alice",)" + more +
                                            R"("prompt":")" + prompt + R"("})"}));
    }
    json::Value say(const std::string& path, const std::string& body) const {
        return object_of(service->curl({service->url(path), "-d", body}));
    }
    // What the upstreams were asked last at this path.
    json::Value asked(std::string_view path) const {
        const std::string out = process->out();
        json::Value last;
        std::string_view rest = out;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find('\n'), rest.size());
            if (rest.front() == '{') {
                json::Value line = object_of(rest.substr(0, end));
                if (line.string_or("path", "").starts_with(path)) {
                    last = std::move(line);
                }
            }
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        REQUIRE_FALSE(last.is_null());
        return last;
    }
    void check_labelled(const json::Value& answer, std::size_t count) const {
        const json::Value* data = answer.find("data");
        REQUIRE_MESSAGE(data != nullptr, json::write(answer).substr(0, 2000));
        CHECK(data->if_array()->size() == count);
        for (const json::Value& each : *data->if_array()) {
            CHECK(each.find("url") == nullptr);
            const auto picture = from_base64(each.string_or("b64_json", ""));
            REQUIRE(picture.ok());
            const std::string file = folder.file("made.png");
            test::write_file(file, *picture);
            CHECK(object_of(service->ok({"verify", "--json", file})).string_or("verdict", "") ==
                  "intact");
        }
    }

    json::Value film(const std::string& model, const std::string& prompt) const {
        json::Value video =
            say("/v1/videos", R"({"model":")" + model + R"(","user":"alice","seconds":"2",)" +
                                  R"("size":"320x240","prompt":")" + prompt + R"("})");
        const std::string at = service->url("/v1/videos/" + video.string_or("id", ""));
        for (int i = 0; i < 600; ++i) {
            const std::string status = video.string_or("status", "");
            if (status != "queued" && status != "in_progress") {
                break;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
            video = object_of(service->curl({at}));
        }
        return video;
    }

    std::string odd_port;
    test::TempDir folder;
    std::unique_ptr<test::Background> process;
    std::unique_ptr<RunningService> service;
};

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE("[DSP-17] pictures of DashScope's tasks come labelled from one call") {
        const Odd odd;
        const json::Value made =
            odd.draw("wanx", "a hill", R"("n":2,"size":"1024x768","negative_prompt":"rain",)");
        odd.check_labelled(made, 2);
        const json::Value asked = *odd.asked("/api/v1/services").find("asked");
        CHECK(asked.string_or("model", "") == "wanx");
        CHECK(json::write(*asked.find("input")) ==
              R"({"prompt":"a hill","negative_prompt":"rain"})");
        CHECK(json::write(*asked.find("parameters")) ==
              R"({"watermark":false,"n":2,"size":"1024*768"})");
        CHECK(json::write(made).find("Expires") == std::string::npos);

        odd.check_labelled(odd.draw("wanx", "flaky hill"), 1);
        odd.check_labelled(odd.draw("wanx", "partly a hill", R"("n":2,)"), 1);
        const json::Value failed = odd.draw("wanx", "fails");
        CHECK(error_code(failed) == "upstream_failed");
        CHECK(error_message(failed).find("inappropriate content") != std::string::npos);
        for (const char* prompt : {"gone", "garbage", "bad id", "elsewhere"}) {
            CAPTURE(prompt);
            CHECK(error_code(odd.draw("wanx", prompt)) == "upstream_failed");
        }
        CHECK(error_code(odd.draw("wanx", "forever")) == "upstream_timeout");
        // Where nobody said so, an address of the own network is not followed.
        CHECK(error_code(odd.draw("strict", "a hill")) == "upstream_failed");
        odd.check_labelled(odd.draw("wanx", "once more a hill"), 1);

        // The key is in no record, no log and no answer.
        const std::string records = odd.service->ok({"ledger", "records", "--json"});
        CHECK(records.find("sk-odd") == std::string::npos);
        CHECK(odd.service->service->err().find("sk-odd") == std::string::npos);
    }

    TEST_CASE("[DSP-17] DashScope edits pictures, by tasks and at once, and makes them by jobs") {
        const Odd odd;
        odd.check_labelled(odd.draw("wanx", "a hill"), 1);  // made.png
        const std::string picture = "=@" + odd.folder.file("made.png") + ";type=image/png";
        const auto edit = [&](const std::string& model, std::vector<std::string> more) {
            std::vector<std::string> arguments{odd.service->url("/v1/images/edits"), "-F",
                                               "model=" + model, "-F", "user=alice"};
            for (std::string& each : more) {
                arguments.emplace_back("-F");
                arguments.push_back(std::move(each));
            }
            return object_of(odd.service->curl(arguments));
        };
        const auto asked = [&](std::string_view service) {
            return *odd.asked("/api/v1/services/aigc/" + std::string(service)).find("asked");
        };
        const std::string data_address = "data:image/png;base64,";
        odd.check_labelled(edit("wanx", {"prompt=a hat", "image" + picture, "n=1", "strength=0.5",
                                         "size=640x480", "watermark=true"}),
                           1);
        json::Value sent = asked("image2image");
        CHECK(sent.find("input")->string_or("function", "") == "description_edit");
        CHECK(sent.find("input")->string_or("prompt", "") == "a hat");
        CHECK(sent.find("input")->string_or("base_image_url", "").starts_with(data_address));
        CHECK(sent.find("input")->find("mask_image_url") == nullptr);
        CHECK(json::write(*sent.find("parameters")) ==
              R"({"watermark":false,"n":1,"strength":"0.5","size":"640*480"})");
        odd.check_labelled(edit("wanx", {"prompt=a hat", "image" + picture, "mask" + picture}), 1);
        sent = asked("image2image");
        CHECK(sent.find("input")->string_or("function", "") == "description_edit_with_mask");
        CHECK(sent.find("input")->string_or("mask_image_url", "").starts_with(data_address));
        odd.check_labelled(edit("wanx", {"prompt=wider", "image" + picture, "function=expand"}), 1);
        CHECK(asked("image2image").find("input")->string_or("function", "") == "expand");
        CHECK(error_code(edit("wanx", {"prompt=a", "image[]" + picture, "image[]" + picture})) ==
              "invalid_request");
        CHECK(error_code(edit("wanx", {"prompt=fails", "image" + picture})) == "upstream_failed");

        odd.check_labelled(
            edit("edits", {"prompt=a hat", "image[]" + picture, "image[]" + picture}), 2);
        sent = asked("multimodal-generation");
        const json::Array& content =
            *sent.find("input")->find("messages")->if_array()->front().find("content")->if_array();
        REQUIRE(content.size() == 3);
        CHECK(content[1].string_or("image", "").starts_with(data_address));
        CHECK(content[2].string_or("text", "") == "a hat");
        CHECK(error_code(edit("edits", {"prompt=a", "image" + picture, "mask" + picture})) ==
              "invalid_request");
        CHECK(error_code(edit("edits", {"prompt=nothing", "image" + picture})) ==
              "upstream_failed");

        // The same by jobs: of tasks, and of what answers at once.
        for (const json::Value& created :
             {odd.draw("wanx", "a hill", R"("background":true,)"),
              edit("wanx", {"prompt=a hat", "image" + picture, "background=true"}),
              edit("edits", {"prompt=a hat", "image" + picture, "background=true"}),
              odd.draw("odd-image", "a hill", R"("background":true,)")}) {
            const std::string at =
                odd.service->url("/v1/images/jobs/" + created.string_or("id", ""));
            json::Value job = created;
            std::int64_t seen = 0;
            const auto goes_on = [&] {
                const std::string status = job.string_or("status", "");
                return status == "queued" || status == "in_progress";
            };
            for (int i = 0; i < 600 && goes_on(); ++i) {
                std::this_thread::sleep_for(std::chrono::milliseconds(100));
                job = object_of(odd.service->curl({at}));
                const std::int64_t progress = job.find("progress")->as_int().value();
                seen = progress < 80 ? std::max(progress, seen) : seen;
            }
            REQUIRE_MESSAGE(job.string_or("status", "") == "completed", json::write(job));
            odd.check_labelled(object_of(odd.service->curl({at + "/content"})), 1);
            MESSAGE(created.string_or("model", ""), ": at most ", seen, " before it was made");
        }
        const std::string records = odd.service->ok({"ledger", "records", "--json"});
        CHECK(records.find("\"images.make\"") != std::string::npos);
        CHECK(records.find("sk-odd") == std::string::npos);
    }

    TEST_CASE("[DSP-17] videos of DashScope, and of an upstream that a file describes") {
        const Odd odd;
        const std::string film = odd.folder.file("film.mp4");
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=320x240:d=2", "-pix_fmt", "yuv420p", film});
        test::run_tool_ok(
            {"curl", "-sS", "-T", film, "http://127.0.0.1:" + odd.odd_port + "/film"});
        for (const char* model : {"wan", "odd-film"}) {
            CAPTURE(model);
            const json::Value made = odd.film(model, "a hill");
            REQUIRE_MESSAGE(made.string_or("status", "") == "completed", json::write(made),
                            odd.process->err());
            const std::string got = odd.folder.file("got.mp4");
            odd.service->curl(
                {odd.service->url("/v1/videos/" + made.string_or("id", "") + "/content"), "-o",
                 got});
            CHECK(object_of(odd.service->ok({"verify", "--json", got})).string_or("verdict", "") ==
                  "intact");
        }
        const json::Value asked = *odd.asked("/api/v1/services").find("asked");
        CHECK(json::write(*asked.find("input")) == R"({"prompt":"a hill"})");
        CHECK(json::write(*asked.find("parameters")) ==
              R"({"watermark":false,"duration":2,"size":"320*240"})");
        CHECK(json::write(*odd.asked("/odd/film").find("asked")) != "");
        const std::string metrics = odd.service->curl({odd.service->url("/metrics")});
        // Two seconds at 0.25.
        CHECK(metrics.find("{gen_ai_request_model=\"wan\",upstream=\"tasks\",currency=\"CNY\"} "
                           "500000\n") != std::string::npos);
        const json::Value failed = odd.film("wan", "fails");
        CHECK(error_code(failed) == "upstream_failed");
        CHECK(error_message(failed).find("inappropriate content") != std::string::npos);
        for (const char* prompt : {"bad id", "elsewhere"}) {
            CAPTURE(prompt);
            CHECK(error_code(odd.film("wan", prompt)) == "upstream_failed");
        }
        // Its time is over after four seconds, and the task is ended there.
        CHECK(error_code(odd.film("wan", "forever")) == "upstream_timeout");
        CHECK(odd.process->out().find("/cancel") != std::string::npos);
    }

    TEST_CASE("[DSP-17] an upstream that a file describes gives texts, pictures and sound") {
        const Odd odd;
        const std::string chat =
            R"({"model":"odd-text","user":"alice","seed":7,"temperature":0.5,"messages":[)"
            R"({"role":"system","content":"be kind"},{"role":"user","content":"say \"hi\""}])";
        const json::Value answer = odd.say("/v1/chat/completions", chat + "}");
        REQUIRE_MESSAGE(answer.find("choices") != nullptr, json::write(answer));
        const std::string said =
            answer.find("choices")->if_array()->front().find("message")->string_or("content", "");
        CHECK(said.find("You said: say \"hi\"") != std::string::npos);
        CHECK(said.find("AI生成") != std::string::npos);
        CHECK(answer.find("usage")->find("completion_tokens")->as_int().value() == 4);
        const json::Value asked = odd.asked("/odd/chat");
        CHECK(asked.string_or("path", "") == "/odd/chat/m-1?seed=7");
        const json::Value& body = *asked.find("asked");
        CHECK(body.string_or("ask", "") == "say \"hi\"");
        CHECK(body.string_or("rules", "") == "be kind");
        CHECK(body.find("all")->if_array()->size() == 2);
        CHECK(body.find("heat")->as_double().value() == doctest::Approx(0.5));
        CHECK(body.string_or("note", "").size() == std::string_view("for ").size() + 32);
        CHECK(json::write(*body.find("fixed")) == "[1,true,null]");
        CHECK(json::write(body).find("sk-odd") == std::string::npos);

        const std::string stream = odd.service->curl(
            {odd.service->url("/v1/chat/completions"), "-d", chat + R"(,"stream":true})"});
        CHECK(stream.find("You said: say") != std::string::npos);
        CHECK(stream.find("AI生成") != std::string::npos);
        CHECK(stream.ends_with("data: [DONE]\n\n"));
        const std::string messages = odd.service->curl(
            {odd.service->url("/v1/messages"), "-d",
             R"({"model":"odd-text","max_tokens":9,"stream":true,"metadata":{"user_id":"alice"},)"
             R"("messages":[{"role":"user","content":"hello"}]})"});
        CHECK(messages.find("You said: hello") != std::string::npos);
        CHECK(messages.find("event: message_stop") != std::string::npos);
        const json::Value completion =
            odd.say("/v1/completions", R"({"model":"odd-text","user":"alice","prompt":"once"})");
        CHECK(completion.find("choices")
                  ->if_array()
                  ->front()
                  .string_or("text", "")
                  .find("You said: once") != std::string::npos);

        const auto ask = [&](const std::string& text, const std::string& more = "") {
            return odd.say("/v1/chat/completions", R"({"model":"odd-text","user":"alice",)" + more +
                                                       R"("messages":[{"role":"user","content":")" +
                                                       text + R"("}]})");
        };
        CHECK(error_message(ask("fail")).find("the machine is tired") != std::string::npos);
        CHECK(error_code(ask("fail", R"("stream":true,)")) == "upstream_failed");
        CHECK(error_message(ask("number")).find("has no text") != std::string::npos);
        CHECK(error_code(odd.say("/v1/responses",
                                 R"({"model":"odd-text","user":"alice","input":"hello"})")) ==
              "invalid_request");

        odd.check_labelled(odd.draw("odd-image", "a hill", R"("n":1,)"), 1);
        CHECK(json::write(*odd.asked("/odd/draw").find("asked")) ==
              R"({"what":"a hill","how_many":1})");
        odd.check_labelled(odd.draw("odd-bare", "a hill & a river"), 1);
        CHECK(odd.asked("/odd/draw-one").string_or("path", "") ==
              "/odd/draw-one?q=a%20hill%20%26%20a%20river");

        const std::string speech = odd.folder.file("speech.wav");
        odd.service->curl({odd.service->url("/v1/audio/speech"), "-o", speech, "-d",
                           R"({"model":"odd-sound","user":"alice","voice":"bass",)"
                           R"("response_format":"wav","input":"Good evening."})"});
        CHECK(object_of(odd.service->ok({"verify", "--json", speech})).string_or("verdict", "") ==
              "intact");
        CHECK(json::write(*odd.asked("/odd/say").find("asked")) ==
              R"({"say":"Good evening.","as":"bass"})");
        // Two pictures at 0.20, and 13 characters at 10 a million.
        const std::string metrics = odd.service->curl({odd.service->url("/metrics")});
        for (const char* line :
             {"{gen_ai_request_model=\"odd-image\",upstream=\"odd-image\",currency=\"CNY\"} "
              "200000\n",
              "{gen_ai_request_model=\"odd-bare\",upstream=\"odd-bare\",currency=\"CNY\"} 200000\n",
              "{gen_ai_request_model=\"odd-sound\",upstream=\"odd-sound\",currency=\"CNY\"} "
              "130\n"}) {
            CHECK_MESSAGE(metrics.find(std::string("colophon_cost_millionths_total") + line) !=
                              std::string::npos,
                          line);
        }
    }

    TEST_CASE("a template that is wrong is refused with the place of what is wrong") {
        const RunningService running;
        const auto check = [&](const std::string& text) {
            test::write_file(running.dir.file("odd.toml"), as_bytes(text));
            test::write_file(running.dir.file("colophon.toml"),
                             as_bytes("[label]\nproducer = \"001191000000000000000K10000\"\n"
                                      "[[upstream]]\nname = \"odd\"\ndialect = \"template\"\n"
                                      "url = \"http://a\"\ntemplate = \"odd.toml\"\n"));
            return running.colophon({"serve", "--check-config"});
        };
        CHECK(check("[answer]\ntext = \"/a\"\n").exit_code == 0);
        for (const auto& [text, what] :
             {std::pair{"[answer]\ntext = \"a\"\n", "line 2: \"a\" is no JSON pointer"},
              std::pair{"[answer]\ntext = \"/~2\"\n", "is written ~0"},
              std::pair{"[answer]\nwords = \"/a\"\n", "no key \"words\""},
              std::pair{"[request]\nbody = \"{\"\n", "the body is no JSON"},
              std::pair{"[request]\nbody = '{\"a\":\"{key}\"}'\n", "in a header only"},
              std::pair{"[request]\npath = \"/?k={key}\"\n", "in a header only"},
              std::pair{"[request]\nmethod = \"DELETE\"\n", "POST, PUT or GET"},
              std::pair{"[request.headers]\nHost = \"a\"\n", "no header \"host\""},
              std::pair{"[requests]\n", "no section \"requests\""},
              std::pair{"[task]\nid = \"/a\"\n", "[task] needs id, path"},
              std::pair{"[task]\ndone = \"x\"\n", "must be a list"},
              std::pair{"[task]\npath = \"/{key}\"\n", "in a header only"},
              std::pair{"[task]\nwords = \"/a\"\n", "no key \"words\""},
              std::pair{"request = [\n", "odd.toml, line"}}) {
            CAPTURE(text);
            const test::ToolRun run = check(text);
            CHECK(run.exit_code != 0);
            CHECK_MESSAGE(run.err.find(what) != std::string::npos, run.err);
        }
    }
}

}  // namespace colophon
