// SPDX-License-Identifier: Apache-2.0
// What is kept of a call that asked for a job comes back as it was, and nothing else does.

#include "gateway/job_order.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/pictures.h"
#include "gateway/video_upstreams.h"
#include "http/multipart.h"
#include "ledger/media_jobs.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace colophon::gateway {
namespace {

ledger::Private somebody() {
    ledger::Private from;
    from.account = "alice";
    from.source_address = "192.0.2.1";
    from.source_port = 4711;
    from.target_address = "192.0.2.2";
    from.client = "curl/8";
    from.input = "a hill";
    from.files.push_back({.stage = "input",
                          .kind = "picture",
                          .print = std::string(64, 'a'),
                          .sound = {},
                          .lacks = {}});
    return from;
}

JobOrder again(const JobOrder& order, ledger::JobKind kind) {
    const auto read = read_order(kind, write_order(order));
    REQUIRE(read.ok());
    return *read;
}

}  // namespace

TEST_CASE("an order for a video comes back as it was") {
    JobOrder order;
    VideoAsk ask;
    ask.model = "film";
    ask.prompt = "a hill";
    ask.body = json::Object{{"model", "film"}, {"seconds", "8"}};
    ask.form = true;
    ask.reference = std::string("\0\xFF picture", 10);
    ask.reference_type = "image/png";
    order.ask = ask;
    order.from = somebody();
    order.unlabelled = true;
    order.trace = "0af7";
    const JobOrder read = again(order, ledger::JobKind::kVideo);
    const VideoAsk& to = std::get<VideoAsk>(read.ask);
    CHECK(to.model == "film");
    CHECK(to.prompt == "a hill");
    CHECK(json::write(to.body) == json::write(ask.body));
    CHECK(to.form);
    CHECK(to.reference == ask.reference);
    CHECK(to.reference_type == "image/png");
    CHECK(read.from.account == "alice");
    CHECK(read.from.source_address == "192.0.2.1");
    CHECK(read.from.source_port == 4711);
    CHECK(read.from.target_address == "192.0.2.2");
    CHECK(read.from.client == "curl/8");
    CHECK(read.from.input == "a hill");
    CHECK(read.from == somebody());
    CHECK(read.unlabelled);
    CHECK(read.trace == "0af7");
}

TEST_CASE("an order for pictures comes back as it was, with the files of an edit") {
    JobOrder order;
    PictureAsk ask;
    ask.model = "picture";
    ask.prompt = "a hill";
    ask.body = json::Object{{"prompt", "a hill"}, {"n", 2}};
    order.ask = ask;
    const JobOrder plain = again(order, ledger::JobKind::kPictures);
    CHECK_FALSE(std::get<PictureAsk>(plain.ask).edit);
    CHECK(json::write(std::get<PictureAsk>(plain.ask).body) == json::write(ask.body));
    CHECK_FALSE(plain.unlabelled);

    const std::string file("\r\n--colophon\r\n\0\xFE", 16);
    ask.edit = true;
    ask.form = std::make_shared<const std::string>("the form that came, of whichever boundary");
    ask.parts = {
        {.name = "prompt", .file_name = {}, .media_type = {}, .data = "another hill"},
        {.name = "image[]", .file_name = "a.png", .media_type = "image/png", .data = file}};
    order.ask = ask;
    const JobOrder read = again(order, ledger::JobKind::kPictures);
    const PictureAsk& to = std::get<PictureAsk>(read.ask);
    CHECK(to.edit);
    REQUIRE(to.parts.size() == 2);
    CHECK(to.parts[0].name == "prompt");
    CHECK(to.parts[0].data == "another hill");
    CHECK_FALSE(to.parts[0].file_name.has_value());
    CHECK(to.parts[1].name == "image[]");
    CHECK(to.parts[1].file_name == "a.png");
    CHECK(to.parts[1].media_type == "image/png");
    CHECK(to.parts[1].data == file);
    CHECK(boundary_of(to) != boundary_of(ask));
}

TEST_CASE("what is no order is an error") {
    for (const char* text :
         {"", "[]", "{}", R"({"from":{}})", R"({"body":{}})", R"({"body":[],"from":{}})",
          R"({"body":{},"from":{"source_port":"x"}})",
          R"({"body":{},"edit":true,"parts":"?","boundary":"b","from":{}})",
          R"({"body":{},"edit":true,"parts":"AAAA","boundary":"b","from":{}})"}) {
        CAPTURE(text);
        CHECK_FALSE(read_order(ledger::JobKind::kPictures, text).ok());
    }
    CHECK_FALSE(
        read_order(ledger::JobKind::kVideo, R"({"body":{},"reference":"?","from":{}})").ok());
}

}  // namespace colophon::gateway
