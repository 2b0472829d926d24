// SPDX-License-Identifier: Apache-2.0
#include "gateway/cloud_classifiers.h"

#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "core/utf8.h"
#include "gateway/webhook_settings.h"
#include "gateway/webhooks.h"
#include "http/upstream.h"
#include "review/scope.h"
#include "review/taxonomy.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {
namespace {

using Action = WebhookAnswer::Action;

struct LabelledRisk {
    const char* label;
    const char* risk;
};

WebhookSettings cloud(CheckShape shape) {
    WebhookSettings settings;
    settings.name = "cloud";
    settings.shape = shape;
    settings.url =
        http::parse_url(shape == CheckShape::kAliyun ? "https://green-cip.cn-shanghai.aliyuncs.com/"
                                                     : "https://tms.tencentcloudapi.com/")
            .value();
    settings.key = "id";
    settings.secret = "secret";
    settings.region = "ap-guangzhou";
    return settings;
}

std::string header(const http::UpstreamRequest& request, std::string_view name) {
    for (const auto& each : request.headers) {
        if (each.name == name) {
            return each.value;
        }
    }
    return {};
}

}  // namespace

TEST_CASE("[DSP-10] what the clouds say is read, and named by the risk that it stands for") {
    struct Case {
        CheckShape shape;
        const char* body;
        Action action;
        const char* code;
        const char* category;
        bool unsure;
    };
    constexpr auto kAliyun = CheckShape::kAliyun;
    constexpr auto kTencent = CheckShape::kTencent;
    for (const Case& each :
         {Case{kAliyun,
               R"({"Code":200,"Data":{"RiskLevel":"none","Result":[{"Label":"nonLabel"}]}})",
               Action::kNone, "", "", false},
          Case{kAliyun,
               R"({"Code":200,"Data":{"RiskLevel":"high","Result":[{"Label":"contraband_drug",)"
               R"("Confidence":70},{"Label":"political_n","Confidence":99.5}]}})",
               Action::kFound, "political_n", "A1a", false},
          Case{kAliyun,
               R"({"Code":200,"Data":{"RiskLevel":"medium","Result":[{"Label":"pt_to_contact",)"
               R"("Confidence":60}]}})",
               Action::kFound, "pt_to_contact", "A3e", true},
          Case{kAliyun,
               R"({"Code":200,"Data":{"RiskLevel":"low","Result":[{"Label":"sexual_terms",)"
               R"("Confidence":30}]}})",
               Action::kNone, "", "", false},
          Case{kAliyun, R"({"Code":200,"Data":{"RiskLevel":"high","Result":[]}})", Action::kFound,
               "unnamed", "A1h", false},
          Case{kAliyun,
               R"({"Code":200,"Data":{"RiskLevel":"medium","Detail":[{"Suggestion":"block",)"
               R"("Result":[{"Label":"pornographic_adult","Confidence":88}]}]}})",
               Action::kFound, "pornographic_adult", "A1f", false},
          Case{kTencent, R"({"Response":{"Suggestion":"Pass","Label":"Normal","Score":0}})",
               Action::kNone, "", "", false},
          Case{kTencent, R"({"Response":{"Suggestion":"Block","Label":"Porn","Score":99}})",
               Action::kFound, "Porn", "A1f", false},
          Case{kTencent, R"({"Response":{"Suggestion":"Review","Label":"Abuse","Score":60}})",
               Action::kFound, "Abuse", "A4c", true},
          Case{kTencent, R"({"Response":{"Suggestion":"Block","Label":"Custom","Score":100}})",
               Action::kFound, "Custom", "A1h", false}}) {
        CAPTURE(each.body);
        const auto answer = read_cloud_answer(cloud(each.shape), each.body);
        REQUIRE_MESSAGE(answer.ok(), (answer.ok() ? "" : answer.error().what));
        CHECK(answer->action == each.action);
        CHECK(answer->code == each.code);
        CHECK(answer->category == each.category);
        CHECK(answer->is_unsure == each.unsure);
    }
    // By the score, where the configuration names one.
    WebhookSettings strict = cloud(kTencent);
    strict.threshold_per_mille = 500;
    const char* unsure = R"({"Response":{"Suggestion":"Pass","Label":"Ad","Score":55}})";
    CHECK(read_cloud_answer(strict, unsure)->action == Action::kFound);
    strict.threshold_per_mille = 600;
    CHECK(read_cloud_answer(strict, unsure)->action == Action::kNone);
    CHECK(*read_cloud_answer(strict, unsure)->score == doctest::Approx(0.55));
    for (const LabelledRisk& row :
         {LabelledRisk{"violent_weapons", "A1h"}, LabelledRisk{"violent_extremist", "A1d"},
          LabelledRisk{"political_figure", "A1b"}, LabelledRisk{"religion_b", "A2b"},
          LabelledRisk{"customized", "A1h"}}) {
        CHECK(cloud_risk(kAliyun, row.label) == row.risk);
        CHECK(review::find_risk(row.risk) != nullptr);
    }
}

TEST_CASE("an answer of another form, and an error of theirs, agree to nothing") {
    for (const char* body :
         {"", "[]", "{}", R"({"Code":200})", R"({"Code":200,"Data":{}})",
          R"({"Code":200,"Data":{"RiskLevel":"dreadful"}})",
          R"({"Code":408,"Message":"no permission","Data":{"RiskLevel":"none"}})",
          R"({"Code":"SignatureDoesNotMatch"})"}) {
        CAPTURE(body);
        CHECK(read_cloud_answer(cloud(CheckShape::kAliyun), body).error().code ==
              ErrorCode::kCorrupt);
    }
    for (const char* body :
         {"", "{}", R"({"Response":{}})", R"({"Response":{"Suggestion":"Perhaps"}})",
          R"({"Response":{"Suggestion":"Pass","Error":{"Code":"AuthFailure"}}})"}) {
        CAPTURE(body);
        CHECK(read_cloud_answer(cloud(CheckShape::kTencent), body).error().code ==
              ErrorCode::kCorrupt);
    }
}

TEST_CASE("a long text is asked about in pieces that overlap, each picture apart") {
    WebhookView view;
    view.stage = review::Stage::kInput;
    std::string text;
    for (int i = 0; i < 900; ++i) {
        text += std::to_string(1000 + i) + "字";
    }
    view.texts = {text, "short"};
    view.images = {"aGVsbG8=", "data:image/png;base64,aGVsbG8="};
    const auto pieces = cloud_pieces(cloud(CheckShape::kAliyun), view);
    REQUIRE(pieces.ok());
    REQUIRE(pieces->size() == 6);
    std::string joined = (*pieces)[0].texts[0];
    for (std::size_t i = 0; i < 3; ++i) {
        const std::string& piece = (*pieces)[i].texts[0];
        CHECK(count_code_points(piece) <= 2000);
        CHECK_FALSE(find_invalid_utf8(piece).has_value());
        if (i > 0) {
            const std::string& before = (*pieces)[i - 1].texts[0];
            std::size_t shared = piece.size();
            while (!before.ends_with(piece.substr(0, shared))) {
                --shared;
            }
            CHECK(count_code_points(piece.substr(0, shared)) >= kCloudOverlapChars);
            joined += piece.substr(shared);
        }
    }
    CHECK(joined == text);
    CHECK(count_code_points((*pieces)[2].texts[0]) < 2000);
    CHECK((*pieces)[3].texts[0] == "short");
    CHECK((*pieces)[4].images[0] == "aGVsbG8=");
    view.stage = review::Stage::kOutput;
    CHECK(cloud_pieces(cloud(CheckShape::kAliyun), view)->size() == 4);
    view.images.assign(kCloudPiecesMax, "aGVsbG8=");
    CHECK(cloud_pieces(cloud(CheckShape::kTencent), view).error().code == ErrorCode::kLimit);
    view.images = {std::string(kCloudPictureBytesMax + 1, 'a')};
    CHECK(cloud_pieces(cloud(CheckShape::kTencent), view).error().code == ErrorCode::kLimit);
}

TEST_CASE("what is asked does not depend on when, and names what each cloud wants") {
    WebhookView view;
    view.texts = {"你好 & goodbye"};
    const Time now{std::chrono::seconds{1'700'000'000}};
    const auto first = cloud_request(cloud(CheckShape::kAliyun), view, now, "aa");
    const auto later =
        cloud_request(cloud(CheckShape::kAliyun), view, now + std::chrono::seconds{9}, "bb");
    CHECK(first.body == later.body);
    CHECK(first.body ==
          "Service=llm_query_moderation&ServiceParameters=%7B%22content%22%3A%22%E4%BD%A0%E5%A5%BD%"
          "20%26%20goodbye%22%7D");
    CHECK(header(first, "Authorization") != header(later, "Authorization"));
    CHECK(header(first, "x-acs-action") == "TextModerationPlus");
    WebhookView picture;
    picture.images = {"data:image/png;base64,aGVsbG8="};
    const auto shown = cloud_request(cloud(CheckShape::kAliyun), picture, now, "aa");
    CHECK(shown.url.path == "/?Service=img_query_security_check");
    CHECK(shown.body == "ImageBase64Str=aGVsbG8%3D&ServiceParameters=%7B%7D");
    WebhookView named;
    named.images = {"https://example.com/a.png"};
    const auto by_name = cloud_request(cloud(CheckShape::kAliyun), named, now, "aa");
    CHECK(header(by_name, "x-acs-action") == "MultiModalGuard");
    CHECK(by_name.body.find("imageUrls") != std::string::npos);
    CHECK(by_name.body.starts_with("Service=img_query_security_check&"));
    WebhookSettings tencent = cloud(CheckShape::kTencent);
    tencent.model = "policy_1";
    const auto text = cloud_request(tencent, view, now, "aa");
    CHECK(text.body == R"({"Content":"5L2g5aW9ICYgZ29vZGJ5ZQ==","BizType":"policy_1"})");
    CHECK(text.url.host == "tms.tencentcloudapi.com");
    CHECK(header(text, "x-tc-region") == "ap-guangzhou");
    const auto image = cloud_request(tencent, picture, now, "aa");
    CHECK(image.url.host == "ims.tencentcloudapi.com");
    CHECK(image.body == R"({"FileContent":"aGVsbG8=","BizType":"policy_1"})");
    CHECK(header(image, "Authorization").find("/ims/tc3_request") != std::string::npos);
}

}  // namespace colophon::gateway
