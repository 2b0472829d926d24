// SPDX-License-Identifier: Apache-2.0
#include "gateway/template_check.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/check_exchange.h"
#include "gateway/json_template.h"
#include "gateway/webhook_settings.h"
#include "http/upstream.h"
#include "review/scope.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

using Action = WebhookAnswer::Action;

JsonPointer at(std::string_view text) {
    return JsonPointer::parse(text).value();
}

CheckTemplate words() {
    CheckTemplate from;
    from.verdict = at("/outcome/suggestion");
    from.found = {"block"};
    from.passed = {"pass"};
    from.unsure = {"review"};
    from.labels = at("/outcome/details");
    from.label = at("/tag");
    from.label_score = at("/confidence");
    from.score_most = 100;
    from.harmless = {"normal"};
    from.error = at("/status/message");
    from.categories["mob"] = "A2a";
    return from;
}

Result<WebhookAnswer> read(const CheckTemplate& from, std::string_view body,
                           std::int64_t threshold = 0) {
    WebhookSettings settings;
    settings.threshold_per_mille = threshold;
    return read_template_answer(from, settings, body);
}

std::string outcome(std::string_view suggestion, std::string_view details) {
    return R"({"outcome":{"suggestion":)" + std::string(suggestion) + R"(,"details":)" +
           std::string(details) + "}}";
}

}  // namespace

TEST_CASE("[DSP-10] an answer of any shape is read as its template says") {
    const CheckTemplate from = words();
    const std::string mob = R"([{"tag":"Normal","confidence":99},{"tag":"Mob","confidence":91.5}])";
    const auto found = read(from, outcome(R"("block")", mob));
    REQUIRE(found.ok());
    CHECK(found->action == Action::kFound);
    CHECK(found->code == "Mob");
    CHECK(found->category == "A2a");
    CHECK(found->score == doctest::Approx(0.915));
    CHECK_FALSE(found->is_unsure);
    const auto passed = read(from, R"({"outcome":{"suggestion":"PASS"}})");
    REQUIRE(passed.ok());
    CHECK(passed->action == Action::kNone);
    const auto unsure = read(from, outcome(R"("review")", R"([{"tag":"A4c","confidence":55}])"));
    REQUIRE(unsure.ok());
    CHECK(unsure->is_unsure);
    CHECK(unsure->category == "A4c");
    // A threshold takes the place of the verdict.
    CHECK(read(from, outcome(R"("block")", mob), 950)->action == Action::kNone);
    CHECK(read(from, outcome(R"("pass")", mob), 900)->action == Action::kFound);
    // Without labels the verdict stands for itself.
    const auto bare = read(from, outcome(R"("block")", "[]"));
    REQUIRE(bare.ok());
    CHECK(bare->code == "unsafe");
    CHECK(bare->category == "A1h");
}

TEST_CASE("[DSP-10] an answer that is not of the template's form agrees to nothing") {
    const CheckTemplate from = words();
    for (const char* body :
         {"", "no", "[]", "{}", R"({"outcome":{}})", R"({"outcome":{"suggestion":null}})",
          R"({"outcome":{"suggestion":"shrug"}})", R"({"outcome":{"suggestion":{"a":1}}})",
          R"({"outcome":{"suggestion":"block","details":3}})",
          R"({"outcome":{"suggestion":"block","details":[{"tag":"x"}]}})",
          R"({"outcome":{"suggestion":"block","details":[{"confidence":5}]}})",
          R"({"outcome":{"suggestion":"block","details":[{"tag":"x","confidence":101}]}})",
          R"({"outcome":{"suggestion":"block","details":[{"tag":"x","confidence":"much"}]}})",
          R"({"outcome":{"suggestion":"pass"},"outcome":{"suggestion":"block"}})"}) {
        CAPTURE(body);
        const auto answer = read(from, body);
        REQUIRE_FALSE(answer.ok());
        CHECK(answer.error().code == ErrorCode::kCorrupt);
    }
    const auto failed =
        read(from, R"({"status":{"message":"busy"},"outcome":{"suggestion":"pass"}})");
    REQUIRE_FALSE(failed.ok());
    CHECK(failed.error().code == ErrorCode::kUnavailable);
    // Scores that nothing says what to do with.
    CheckTemplate scores;
    scores.labels = at("/scores");
    CHECK_FALSE(read(scores, R"({"scores":{"porn":0.01}})").ok());
    CHECK_FALSE(read(scores, R"({"scores":null})", 500).ok());
    CHECK_FALSE(read(scores, R"({})", 500).ok());
    CHECK_FALSE(read(scores, R"({"scores":{"porn":-1}})", 500).ok());
    CheckTemplate score;
    score.score = at("/p");
    CHECK_FALSE(read(score, R"({})", 500).ok());
    CHECK_FALSE(read(score, R"({"p":2})", 500).ok());
}

TEST_CASE("verdicts may be truth values and numbers, labels names or a map of scores") {
    CheckTemplate flag;
    flag.verdict = at("/flagged");
    CHECK(read(flag, R"({"flagged":true})")->action == Action::kFound);
    CHECK(read(flag, R"({"flagged":false})")->action == Action::kNone);
    CHECK_FALSE(read(flag, R"({"flagged":"yes"})").ok());
    CheckTemplate code;
    code.verdict = at("/code");
    code.found = {"2"};
    code.passed = {"0", "1"};
    CHECK(read(code, R"({"code":2})")->action == Action::kFound);
    CHECK(read(code, R"({"code":"1"})")->action == Action::kNone);
    CHECK_FALSE(read(code, R"({"code":3})").ok());
    CheckTemplate names;
    names.labels = at("/tags");
    names.categories["gore"] = "A1f";
    CHECK(read(names, R"({"tags":[]})")->action == Action::kNone);
    CHECK(read(names, R"({"tags":""})")->action == Action::kNone);
    CHECK(read(names, R"({"tags":["gore","x"]})")->category == "A1f");
    CHECK(read(names, R"({"tags":"x"})")->category == "A1h");
    CHECK(read(names, R"({"tags":{"a":false,"gore":true}})")->category == "A1f");
    CHECK(read(names, R"({"tags":{"a":false}})")->action == Action::kNone);
    CheckTemplate scores;
    scores.labels = at("/scores");
    const auto over = read(scores, R"({"scores":{"a":0.2,"A1d":"0.7","b":0.5}})", 600);
    REQUIRE(over.ok());
    CHECK(over->category == "A1d");
    CHECK(over->score == doctest::Approx(0.7));
    CHECK(read(scores, R"({"scores":{"a":0.2}})", 600)->action == Action::kNone);
    CHECK(read(scores, R"({"scores":{}})", 600)->action == Action::kNone);
}

TEST_CASE("a request is filled in from the text, the pictures and the call") {
    CheckTemplate from;
    from.request.path = "/v3/{stage}?who={tenant}";
    from.request.headers = {{"x-token", "{key}"}, {"x-scene", "s-{service}"}};
    from.request.body =
        json::parse(
            R"({"text":"{text}","all":"{texts}","picture":"{image}","note":"of {model}","n":7})")
            .value();
    WebhookSettings settings;
    settings.url = http::parse_url("http://a.example/base").value();
    settings.key = "k-1";
    settings.pattern = std::make_shared<const CheckTemplate>(std::move(from));
    WebhookView view;
    view.stage = review::Stage::kOutput;
    view.texts = {"one", "two"};
    const CheckAbout about{.asked = "what?",
                           .operation = "chat",
                           .model = "m",
                           .service = "dialogue",
                           .trace = {},
                           .record = {},
                           .key = {},
                           .tenant = "t t",
                           .subject = {}};
    const auto request = template_check_request(about, settings, view);
    REQUIRE(request.ok());
    CHECK(request->url.path == "/base/v3/output?who=t%20t");
    REQUIRE(request->headers.size() == 2);
    CHECK(request->headers[0].value == "k-1");
    CHECK(request->headers[1].value == "s-dialogue");
    CHECK(request->body == R"({"text":"one\n\ntwo","all":["one","two"],"note":"of m","n":7})");
    view.images = {"AAAA", "BBBB"};
    CHECK(is_for(settings, view));
    // One picture a question.
    WebhookSettings template_check = settings;
    template_check.shape = CheckShape::kTemplate;
    const auto pieces = check_pieces(template_check, view);
    REQUIRE(pieces.ok());
    CHECK(pieces->size() == 2);
    CHECK(pieces->back().texts.empty());
    view.texts.clear();
    CheckTemplate texts_only;
    texts_only.request.body = json::parse(R"({"text":"{text}"})").value();
    template_check.pattern = std::make_shared<const CheckTemplate>(std::move(texts_only));
    CHECK_FALSE(is_for(template_check, view));
    settings.key = "k\r\nx: y";
    CHECK_FALSE(template_check_request(about, settings, view).ok());
}

}  // namespace colophon::gateway
