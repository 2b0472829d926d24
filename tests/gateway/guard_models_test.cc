// SPDX-License-Identifier: Apache-2.0
#include "gateway/guard_models.h"

#include "core/result.h"
#include "gateway/webhook_settings.h"
#include "gateway/webhooks.h"
#include "review/taxonomy.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <string_view>

namespace colophon::gateway {
namespace {

WebhookSettings classifier(CheckShape shape) {
    WebhookSettings settings;
    settings.name = "guard";
    settings.shape = shape;
    settings.model = "m";
    return settings;
}

std::string said(std::string_view text) {
    return R"({"choices":[{"message":{"role":"assistant","content":")" + std::string(text) +
           R"("}}]})";
}

using Action = WebhookAnswer::Action;

}  // namespace

TEST_CASE("what guard models say is read, and named by the risk that it stands for") {
    struct Case {
        CheckShape shape;
        const char* text;
        Action action;
        const char* code;
        const char* category;
        bool unsure;
    };
    for (const Case& each :
         {Case{CheckShape::kLlamaGuard, "\\n\\nsafe", Action::kNone, "", "", false},
          Case{CheckShape::kLlamaGuard, "\\n\\nunsafe\\nS10", Action::kFound, "S10", "A1e", false},
          Case{CheckShape::kLlamaGuard, "unsafe\\nS12,S1", Action::kFound, "S12", "A1f", false},
          Case{CheckShape::kLlamaGuard, "unsafe", Action::kFound, "unsafe", "A1h", false},
          Case{CheckShape::kLlamaGuard, "unsafe\\nS99", Action::kFound, "S99", "A1h", false},
          Case{CheckShape::kQwen3Guard, "Safety: Safe\\nCategories: None", Action::kNone, "", "",
               false},
          Case{CheckShape::kQwen3Guard, "Safety: Unsafe\\nCategories: Violent", Action::kFound,
               "Violent", "A1d", false},
          Case{CheckShape::kQwen3Guard, "Safety: Controversial\\nCategories: PII\\nRefusal: No",
               Action::kFound, "PII", "A4e", true}}) {
        CAPTURE(each.text);
        const auto answer = read_guard_answer(classifier(each.shape), said(each.text));
        REQUIRE(answer.ok());
        CHECK(answer->action == each.action);
        CHECK(answer->code == each.code);
        CHECK(answer->category == each.category);
        CHECK(answer->is_unsure == each.unsure);
    }
}

TEST_CASE("scores of moderations count over the threshold, or what is flagged without one") {
    const std::string body = R"({"id":"m","model":"x","results":[{"flagged":false,"categories":{},)"
                             R"("category_scores":{"hate":0.1,"self-harm":0.62}},)"
                             R"({"flagged":false,"category_scores":{"sexual":0.3}}]})";
    WebhookSettings settings = classifier(CheckShape::kModerations);
    CHECK(read_guard_answer(settings, body)->action == Action::kNone);
    settings.threshold_per_mille = 600;
    const auto over = read_guard_answer(settings, body);
    REQUIRE(over.ok());
    CHECK(over->action == Action::kFound);
    CHECK(over->code == "self-harm");
    CHECK(over->category == "A4a");
    CHECK(over->score == doctest::Approx(0.62));
    settings.threshold_per_mille = 700;
    CHECK(read_guard_answer(settings, body)->action == Action::kNone);
    // Where no score is given, what is flagged counts.
    CHECK(read_guard_answer(settings, R"({"results":[{"flagged":true}]})")->action ==
          Action::kFound);
    settings.threshold_per_mille = 0;
    CHECK(read_guard_answer(settings, R"({"results":[{"flagged":true}]})")->action ==
          Action::kFound);
}

TEST_CASE("a classifier that says something else has agreed to nothing") {
    for (const CheckShape shape :
         {CheckShape::kModerations, CheckShape::kLlamaGuard, CheckShape::kQwen3Guard}) {
        for (const std::string& body :
             {std::string(), std::string("[]"), std::string("{}"), std::string("{\"results\":[]}"),
              std::string("{\"results\":[{}]}"), said(""), said("I think that is fine."),
              said("SAFE"), said("unsafely"), said("Safety: Perhaps"),
              std::string("{\"choices\":[{\"message\":{\"content\":null}}]}"),
              std::string("{\"choices\":[]}")}) {
            CAPTURE(body);
            const auto answer = read_guard_answer(classifier(shape), body);
            REQUIRE(!answer.ok());
            CHECK(answer.error().code == ErrorCode::kCorrupt);
        }
    }
}

TEST_CASE("the taxonomy has the 31 risks, and every other name leads back to one") {
    CHECK(review::risks().size() == 31);
    std::set<std::string_view> codes;
    for (const review::Risk& risk : review::risks()) {
        CHECK(codes.insert(risk.code).second);
        CHECK(!risk.name.empty());
        CHECK(review::find_risk(risk.code) == &risk);
    }
    for (int i = 1; i <= 13; ++i) {
        CHECK(review::risk_of(review::Scheme::kLlamaGuard, "S" + std::to_string(i)) != nullptr);
    }
    for (const char* name :
         {"sexual", "sexual/minors", "harassment", "harassment/threatening", "hate",
          "hate/threatening", "illicit", "illicit/violent", "self-harm", "self-harm/intent",
          "self-harm/instructions", "violence", "violence/graphic"}) {
        CAPTURE(name);
        CHECK(review::risk_of(review::Scheme::kOpenai, name) != nullptr);
    }
    CHECK(review::risk_of(review::Scheme::kLlamaGuard, "cse")->code == "A1f");
    CHECK(review::risk_of(review::Scheme::kOpenai, "VIOLENCE")->code == "A1f");
    CHECK(review::risk_of(review::Scheme::kOpenai, "weather") == nullptr);
    CHECK(review::risk_of(review::Scheme::kOpenai, "") == nullptr);
}

}  // namespace colophon::gateway
