// SPDX-License-Identifier: Apache-2.0
#include "review/classifier.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "review/entry.h"
#include "review/labelled_texts.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/review.h"
#include "review/window_scan.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

// Sentences of common words; those that are meant hold two of a few others, and one in twenty is
// labelled wrong.
std::vector<Sample> sentences(std::size_t count, unsigned seed) {
    constexpr std::array<std::string_view, 12> kCommon{
        "今天", "我们", "去", "公园", "看见", "一只", "猫", "很", "高兴", "朋友", "吃饭", "回家"};
    constexpr std::array<std::string_view, 5> kMeant{"混蛋", "滚开", "蠢货", "去死", "垃圾"};
    std::mt19937 random(seed);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    std::vector<Sample> samples;
    for (std::size_t i = 0; i < count; ++i) {
        Sample sample;
        sample.positive = random() % 3 == 0;
        for (int word = 0; word < 10; ++word) {
            const bool meant = sample.positive && (word == 3 || word == 7);
            sample.text += meant ? kMeant[random() % kMeant.size()] : kCommon[random() % 12];
        }
        if (random() % 20 == 0) {
            sample.positive = !sample.positive;
        }
        samples.push_back(std::move(sample));
    }
    return samples;
}

Classifier trained() {
    auto model = train_classifier(
        sentences(2000, 1),
        {.category = "A2i", .precision = 0.9, .trained = "now", .data = "of the test"});
    REQUIRE(model.ok());
    return std::move(*model);
}

}  // namespace

TEST_CASE("[DSP-10] a classifier learns from labelled texts and says how good it is") {
    const Classifier model = trained();
    CHECK(model.hits("你这个混蛋，滚开"));
    CHECK_FALSE(model.hits("今天我们去公园看见一只猫"));
    CHECK(model.score("") == 0);
    CHECK(model.card().samples == 1600);
    CHECK(model.card().held_out.samples == 400);
    CHECK(model.card().held_out.precision >= 0.9);
    const Quality other = measure(model, sentences(1000, 2));
    CHECK(other.samples == 1000);
    CHECK(other.precision > 0.85);
    CHECK(other.recall > 0.8);
    CHECK(other.accuracy > other.majority + 0.15);
    CHECK(other.average_precision > 0.85);
    CHECK(other.calibration_error < 0.1);
    REQUIRE(other.curve.size() > 10);
    CHECK(other.curve.front().threshold > other.curve.back().threshold);
    // Disguises that nobody sees change nothing.
    CHECK(model.score("混\xE2\x80\x8B蛋") == model.score("混蛋"));
    // The same texts, the same model.
    CHECK(trained().version() == model.version());
}

TEST_CASE("a model is read back as it was, and nothing else is taken for one") {
    const Classifier model = trained();
    const Buffer file = model.write();
    const auto again = Classifier::parse(file);
    REQUIRE(again.ok());
    CHECK(again->version() == model.version());
    CHECK(again->score("混蛋") == model.score("混蛋"));
    CHECK(again->card().held_out.curve.size() == model.card().held_out.curve.size());
    for (const std::size_t length : {std::size_t{0}, std::size_t{10}, file.size() - 1}) {
        CHECK_FALSE(Classifier::parse(Bytes(file).first(length)).ok());
    }
    for (std::size_t at = 0; at < file.size(); at += file.size() / 97) {
        Buffer changed = file;
        changed[at] ^= 0x01U;
        CHECK_FALSE(Classifier::parse(changed).ok());
    }
    // A digest that fits does not make up for a weight that is no number.
    Buffer infinite(file.begin(), file.end() - 32);
    infinite[infinite.size() - 1] = 0x7f;
    infinite[infinite.size() - 2] = 0x80;
    const Digest256 digest = sha256(infinite);
    infinite.insert(infinite.end(), digest.begin(), digest.end());
    CHECK_FALSE(Classifier::parse(infinite).ok());
}

TEST_CASE("what nothing can be learned from is refused") {
    const TrainOptions options{.category = "A2i", .precision = 0.9, .trained = {}, .data = {}};
    CHECK(train_classifier(sentences(100, 1), options).error().code == ErrorCode::kInvalidArgument);
    std::vector<Sample> one_sided(500, {"text", false});
    CHECK(train_classifier(one_sided, options).error().code == ErrorCode::kInvalidArgument);
    // The labels have nothing to do with the texts.
    std::vector<Sample> noise = sentences(1000, 3);
    std::mt19937 random(4);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    for (Sample& sample : noise) {
        sample.positive = random() % 2 == 0;
    }
    CHECK(train_classifier(noise, options).error().code == ErrorCode::kConflict);
    TrainOptions wrong = options;
    wrong.precision = 1.5;
    CHECK_FALSE(train_classifier(sentences(500, 1), wrong).ok());
    const auto table = read_labelled_texts("\xEF\xBB\xBF,Label,TEXT\n1,1,\"a, b\"\n2,0,c\n",
                                           {"text", "label", "1"});
    REQUIRE(table.ok());
    CHECK((*table)[0].text == "a, b");
    CHECK((*table)[0].positive);
    CHECK_FALSE((*table)[1].positive);
    CHECK(read_labelled_texts("a,b\n", {"text", "label", "1"}).error().what.find("text") !=
          std::string::npos);
    CHECK_FALSE(read_labelled_texts("text,label\nx\n", {"text", "label", "1"}).ok());
}

TEST_CASE("[DSP-10] the classifier sees the same and lets out the same however a text is cut") {
    const auto model = std::make_shared<const Classifier>(trained());
    Entry word;
    word.id = "w";
    word.category = "c";
    word.phrase = "禁词";
    const std::string kBad = "混蛋滚开蠢货去死垃圾蠢货混蛋去死垃圾滚开混蛋蠢货滚开去死垃圾";
    std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same each time
    for (int round = 0; round < 60; ++round) {
        std::string text;
        const bool meant = random() % 2 == 0;
        for (int i = 0; i < 30; ++i) {
            text += meant && i == 17 ? kBad : "今天我们去公园看见一只猫很高兴";
        }
        if (round % 3 == 0) {
            text.insert(text.size() / 2 / 3 * 3, "禁词");
        }
        if (round % 2 == 0) {
            text += kBad;
        }
        auto matcher = Matcher::compile({word});
        REQUIRE(matcher.ok());
        const auto rules = std::make_shared<const Reviewer>(
            std::move(*matcher), PictureList(), ClassifierRule{model, Decision::kBlock});
        std::string first;
        Verdict verdict;
        for (int cut = 0; cut < 20; ++cut) {
            TextStream stream(rules);
            std::string out;
            for (std::size_t at = 0; at < text.size();) {
                const std::size_t length = cut == 0 ? text.size() : 1 + random() % 200;
                out += stream.push(std::string_view(text).substr(at, length));
                at += length;
            }
            out += stream.finish();
            if (cut == 0) {
                first = out;
                verdict = stream.verdict();
            }
            CHECK(out == first);
            CHECK(stream.verdict().rule == verdict.rule);
            CHECK(stream.verdict().score == verdict.score);
        }
        CHECK(text.starts_with(first));
        CHECK(first.find("混蛋滚开蠢货") == std::string::npos);
        CHECK((first == text) == !verdict.blocked());
        CHECK(rules->review(text).blocked() == verdict.blocked());
    }
}

}  // namespace colophon::review
