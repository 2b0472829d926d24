// SPDX-License-Identifier: Apache-2.0
#include "review/near_texts.h"

#include "core/json.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/library.h"
#include "review/list_formats.h"
#include "review/live_library.h"
#include "review/review.h"
#include "review/scope.h"
#include "review/trial.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::string_view kRumour =
    "据知情人士透露，本市自来水厂昨夜发生严重泄漏，有毒物质已经进入供水管网，全市三天之内不能饮用自"
    "来水，"
    "请大家立即囤积瓶装水并转告亲友，目前官方正在封锁消息。";
constexpr std::string_view kOther =
    "本市自来水厂昨日举办开放日活动，市民参观了取水、沉淀、过滤和消毒的全过程，工作人员现场演示了水"
    "质检测，"
    "并回答了大家关心的问题，活动受到广泛欢迎。";

Entry near(const std::string& id, std::string_view text, Decision action = Decision::kBlock) {
    Entry entry;
    entry.id = id;
    entry.category = "A1g";
    entry.kind = EntryKind::kNear;
    entry.phrase = text;
    entry.action = action;
    return entry;
}

std::shared_ptr<const Reviewer> reviewer(const std::vector<AnyEntry>& entries) {
    auto made = make_reviewer({}, entries);
    REQUIRE_MESSAGE(made.ok(), (made.ok() ? "" : made.error().what));
    return *made;
}

std::string without(std::string text, std::string_view part) {
    const std::size_t at = text.find(part);
    REQUIRE(at != std::string::npos);
    return text.erase(at, part.size());
}

}  // namespace

TEST_CASE("[DSP-10] a near copy of a listed text is found, whatever stands around it") {
    const auto rules = reviewer({near("rumour", kRumour)});
    const std::string rumour(kRumour);
    const std::vector<std::string> copies{
        rumour,
        "转发：" + rumour + "（来自群聊）",
        without(rumour, "据知情人士透露，"),
        without(rumour, "，目前官方正在封锁消息"),
        "今天天气很好。" + rumour.substr(0, 120) + "\n\n  …… " + rumour.substr(120) +
            kRumour.data(),
        std::string(kOther) + rumour,
        "\xff\xfe" + rumour + "\x80",
    };
    for (const std::string& copy : copies) {
        CAPTURE(copy);
        const Verdict verdict = rules->review(copy);
        CHECK(verdict.decision == Decision::kBlock);
        CHECK(verdict.entries == std::vector<std::string>{"rumour"});
    }
    for (const std::string& other :
         {std::string(kOther), rumour.substr(0, 90), std::string(), std::string("自来水")}) {
        CAPTURE(other);
        CHECK(rules->review(other).decision == Decision::kAllow);
    }
    CHECK(rules->version() != reviewer({near("rumour", kOther)})->version());
}

TEST_CASE("[DSP-10] a near copy leaves no stream, however it is cut, nor what comes before it") {
    Entry word;
    word.id = "word";
    word.category = "A1d";
    word.phrase = "炸弹";
    const auto blocks = reviewer({near("rumour", kRumour), word});
    const auto flags = reviewer({near("rumour", kRumour, Decision::kFlag), word});
    const std::string bad = "前言。" + std::string(kRumour) + "后记。";
    const std::string two = std::string(kRumour) + "炸弹" + std::string(kOther);
    const std::string good = std::string(kOther) + "完。";
    std::mt19937 random(11);
    const auto shown = [&](const std::shared_ptr<const Reviewer>& rules, const std::string& text,
                           Verdict& verdict) {
        TextStream stream(rules);
        std::string out;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = std::min<std::size_t>(1 + random() % 40, text.size() - at);
            out += stream.push(std::string_view(text).substr(at, size));
            at += size;
        }
        out += stream.finish();
        verdict = stream.verdict();
        return out;
    };
    for (int round = 0; round < 500; ++round) {
        Verdict verdict;
        CHECK(shown(blocks, bad, verdict).empty());
        CHECK(verdict.entries == std::vector<std::string>{"rumour"});
        CHECK(shown(blocks, two, verdict).empty());
        CHECK(verdict.category == "A1d");
        CHECK(shown(blocks, good, verdict) == good);
        CHECK(verdict.decision == Decision::kAllow);
        CHECK(shown(flags, bad, verdict) == bad);
        CHECK(verdict.decision == Decision::kFlag);
        CHECK(shown(flags, two, verdict) == kRumour);
    }
    // What is only flagged holds nothing back.
    TextStream stream(flags);
    CHECK(stream.push(kOther) == kOther);
    // An entry for inputs holds no answer back.
    Entry input = near("rumour", kRumour);
    input.scope.stage = Stage::kInput;
    TextStream answer(
        reviewer({input})->on({.stage = Stage::kOutput, .tenant = {}, .service = {}}));
    CHECK(answer.push(kRumour) == kRumour);
}

TEST_CASE("[DSP-10] a near text is written, read, tried, and refused where it says nothing") {
    const AnyEntry entry = near("rumour", kRumour, Decision::kHold);
    const json::Object object = write_entry(entry);
    CHECK(object[2].first == "near");
    const std::vector<Proposal> proposals{
        {entry, {.reason = "seen", .evidence = {}, .source = {}, .owner = {}, .expires = {}}}};
    for (const ListFormat format : {ListFormat::kJson, ListFormat::kCsv}) {
        const auto lines = read_list(format, write_list(format, proposals), {});
        REQUIRE((lines.ok() && lines->size() == 1 && lines->front().proposal.ok()));
        CHECK(json::write(write_entry(lines->front().proposal->entry)) == json::write(object));
    }
    auto trial = Trial::create(std::vector<AnyEntry>{entry}, {});
    REQUIRE(trial.ok());
    trial->add_text(std::string(kRumour) + "!", {}, "1");
    trial->add_text(kOther, {}, "2");
    CHECK(trial->seen("rumour").contents == 2);
    CHECK(trial->seen("rumour").hits == 1);

    const auto refused = [](Entry wrong) {
        const auto made = make_reviewer({}, std::vector<AnyEntry>{std::move(wrong)});
        REQUIRE_FALSE(made.ok());
        return made.error().what;
    };
    CHECK(refused(near("n", "太短")).find("some 30 characters") != std::string::npos);
    CHECK(refused(near("n", "\xff")).find("entry n") != std::string::npos);
    CHECK(refused(near("n", kRumour, Decision::kAllow)).find("may pass") != std::string::npos);
    Entry company = near("n", kRumour);
    company.with = {"x"};
    CHECK(refused(company).find("no \"with\"") != std::string::npos);
}

}  // namespace colophon::review
