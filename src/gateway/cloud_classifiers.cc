// SPDX-License-Identifier: Apache-2.0
#include "gateway/cloud_classifiers.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/http_exchange.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/check_exchange.h"
#include "gateway/webhook_settings.h"
#include "http/message.h"
#include "http/upstream.h"
#include "identity/request_signature.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 16;
// Of a confidence or score of theirs, which go to 100.
constexpr double kPercent = 100;
constexpr double kThousand = 1000;
// What they take of a text at once, in characters.
constexpr std::size_t kAliyunQueryChars = 2000;
constexpr std::size_t kAliyunResponseChars = 5000;
constexpr std::size_t kTencentChars = 10'000;

// A label, or the beginning of several; the first that fits counts.
struct LabelRow {
    std::string_view label;
    std::string_view risk;
};
constexpr std::array kAliyunLabels{
    LabelRow{"political_n", "A1a"},
    LabelRow{"political_prompts", "A1a"},
    LabelRow{"political_", "A1b"},
    LabelRow{"violent_weapons", "A1h"},
    LabelRow{"violent_", "A1d"},
    LabelRow{"pornographic_", "A1f"},
    LabelRow{"sexual_", "A1f"},
    LabelRow{"contraband_", "A1h"},
    LabelRow{"inappropriate_discrimination", "A2i"},
    LabelRow{"inappropriate_profanity", "A4c"},
    LabelRow{"inappropriate_oral", "A4c"},
    LabelRow{"inappropriate_ethics", "A4a"},
    LabelRow{"inappropriate_nonsense", "A5b"},
    LabelRow{"religion_", "A2b"},
    LabelRow{"pt_", "A3e"},
    LabelRow{"privacy_", "A4f"},
};
constexpr std::array kTencentLabels{
    LabelRow{"Polity", "A1b"},   LabelRow{"Terror", "A1d"}, LabelRow{"Porn", "A1f"},
    LabelRow{"Sexy", "A1f"},     LabelRow{"Moan", "A1f"},   LabelRow{"Abuse", "A4c"},
    LabelRow{"Teenager", "A4a"}, LabelRow{"Ad", "A3e"},     LabelRow{"Spam", "A3e"},
    LabelRow{"Illegal", "A1h"},
};
constexpr std::string_view kOtherRisk = "A1h";

Error wrong_answer(std::string_view what) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("the check's answer is not of its form: {}", what)};
}

std::size_t chars_max(const WebhookSettings& webhook, review::Stage stage) {
    if (webhook.shape == CheckShape::kTencent) {
        return kTencentChars;
    }
    // A service that the configuration names may be one of either.
    return stage == review::Stage::kOutput && webhook.model.empty() ? kAliyunResponseChars
                                                                    : kAliyunQueryChars;
}

// The bytes of so many characters from there on, or all.
std::size_t bytes_of_chars(std::string_view text, std::size_t from, std::size_t chars) {
    std::size_t at = from;
    while (at < text.size() && chars > 0) {
        ++at;
        while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U) {
            ++at;
        }
        --chars;
    }
    return at - from;
}

// Pieces that share kCloudOverlapChars with the one before.
void cut_text(std::string_view text, std::size_t most, std::vector<std::string>& pieces) {
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t size = bytes_of_chars(text, at, most);
        pieces.emplace_back(text.substr(at, size));
        if (at + size == text.size()) {
            return;
        }
        at += bytes_of_chars(text, at, most - kCloudOverlapChars);
    }
}

// "https://..." or base64, without what a data URL has in front.
struct Picture {
    std::string_view address;
    std::string_view base64;
};
Picture picture_of(std::string_view image) {
    if (image.starts_with("data:")) {
        const std::size_t comma = image.find(',');
        image.remove_prefix(comma == std::string_view::npos ? image.size() : comma + 1);
    } else if (image.find("://") != std::string_view::npos) {
        return {.address = image, .base64 = {}};
    }
    return {.address = {}, .base64 = image};
}

// The host of pictures stands beside that of texts.
http::Url url_for(const WebhookSettings& webhook, bool picture) {
    http::Url url = webhook.url;
    if (webhook.shape == CheckShape::kTencent && picture && url.host.starts_with("tms.")) {
        url.host.replace(0, 3, "ims");
    }
    return url;
}

void add_headers(std::span<const HttpHeader> from, http::UpstreamRequest& request) {
    for (const HttpHeader& each : from) {
        request.headers.push_back({each.name, each.value});
    }
}

std::string aliyun_service(const WebhookSettings& webhook, const WebhookView& piece) {
    const bool output = piece.stage == review::Stage::kOutput;
    if (!piece.images.empty()) {
        return output ? "img_response_security_check" : "img_query_security_check";
    }
    if (!webhook.model.empty()) {
        return webhook.model;
    }
    return output ? "llm_response_moderation" : "llm_query_moderation";
}

// The action, and where it wants the service: their own clients put it into the query of this one.
struct AliyunAction {
    std::string_view name;
    bool service_in_query = false;
};

AliyunAction aliyun_action(const WebhookView& piece) {
    if (piece.images.empty()) {
        return {.name = "TextModerationPlus"};
    }
    return picture_of(piece.images.front()).address.empty()
               ? AliyunAction{.name = "MultiModalGuardForBase64", .service_in_query = true}
               : AliyunAction{.name = "MultiModalGuard"};
}

void ask_aliyun(const WebhookSettings& webhook, const WebhookView& piece,
                identity::UnsignedRequest& request) {
    const AliyunAction action = aliyun_action(piece);
    request.headers = {{.name = "content-type", .value = "application/x-www-form-urlencoded"},
                       {.name = "x-acs-action", .value = std::string(action.name)},
                       {.name = "x-acs-version", .value = "2022-03-02"}};
    identity::Parameters form;
    (action.service_in_query ? request.query : form)
        .emplace_back("Service", aliyun_service(webhook, piece));
    json::Object parameters;
    if (piece.images.empty()) {
        parameters.emplace_back("content", piece.texts.front());
    } else if (const Picture shown = picture_of(piece.images.front()); shown.address.empty()) {
        form.emplace_back("ImageBase64Str", std::string(shown.base64));
    } else {
        parameters.emplace_back("imageUrls", json::Array{json::Value(std::string(shown.address))});
    }
    form.emplace_back("ServiceParameters", json::write(parameters));
    request.body = identity::format_parameters(std::move(form), false);
}

void ask_tencent(const WebhookSettings& webhook, const WebhookView& piece,
                 identity::UnsignedRequest& request) {
    const bool picture = !piece.images.empty();
    request.headers = {
        {.name = "content-type", .value = "application/json; charset=utf-8"},
        {.name = "x-tc-action", .value = picture ? "ImageModeration" : "TextModeration"},
        {.name = "x-tc-version", .value = "2020-12-29"},
        {.name = "x-tc-region", .value = webhook.region}};
    json::Object body;
    if (!picture) {
        body.emplace_back("Content", to_base64(as_bytes(piece.texts.front())));
    } else if (const Picture shown = picture_of(piece.images.front()); shown.address.empty()) {
        body.emplace_back("FileContent", std::string(shown.base64));
    } else {
        body.emplace_back("FileUrl", std::string(shown.address));
    }
    if (!webhook.model.empty()) {
        body.emplace_back("BizType", webhook.model);
    }
    request.body = json::write(body);
}

void set_finding(const WebhookSettings& webhook, std::string_view label, WebhookAnswer& answer) {
    answer.action = WebhookAnswer::Action::kFound;
    answer.code = label.empty() ? "unnamed" : std::string(label.substr(0, 60));
    answer.category = std::string(cloud_risk(webhook.shape, label));
}

double threshold_of(const WebhookSettings& webhook) {
    return static_cast<double>(webhook.threshold_per_mille) / kThousand;
}

// The labels of a result, the surest first in `answer`. "nonLabel" is none.
void read_aliyun_labels(const json::Value* list, std::string& label, WebhookAnswer& answer) {
    const json::Array* results = list == nullptr ? nullptr : list->if_array();
    for (const json::Value& each : results == nullptr ? json::Array() : *results) {
        const std::string name = each.string_or("Label", "");
        if (name.empty() || name == "nonLabel") {
            continue;
        }
        const json::Value* confidence = each.find("Confidence");
        const auto number =
            confidence == nullptr ? Result<double>(kPercent) : confidence->as_double();
        const double score = number.ok() ? *number / kPercent : 1;
        if (label.empty() || score > answer.score.value_or(0)) {
            label = name;
            answer.score = score;
        }
    }
}

Result<WebhookAnswer> read_aliyun(const WebhookSettings& webhook, const json::Value& value) {
    const json::Value* code = value.find("Code");
    const auto number = code == nullptr ? Result<std::uint64_t>(0) : code->as_uint();
    if (!number.ok() || *number != 200) {
        return wrong_answer(fmt::format("its code is {}, \"{}\"",
                                        code == nullptr ? "none" : json::write(*code),
                                        value.string_or("Message", "").substr(0, 200)));
    }
    const json::Value* data = value.find("Data");
    if (data == nullptr || data->if_object() == nullptr) {
        return wrong_answer("it has no Data");
    }
    WebhookAnswer answer;
    answer.score = 0;
    std::string label;
    read_aliyun_labels(data->find("Result"), label, answer);
    std::string level = data->string_or("RiskLevel", "");
    // Pictures: a list of what was looked for, each with labels of its own.
    if (const json::Value* details = data->find("Detail");
        details != nullptr && details->if_array() != nullptr) {
        for (const json::Value& each : *details->if_array()) {
            read_aliyun_labels(each.find("Result"), label, answer);
            if (each.string_or("Suggestion", "") == "block") {
                level = "high";
            }
        }
    }
    if (level != "high" && level != "medium" && level != "low" && level != "none") {
        return wrong_answer("it does not say how high the risk is");
    }
    const bool by_score = webhook.threshold_per_mille > 0 && !label.empty();
    const bool over =
        by_score ? *answer.score >= threshold_of(webhook) : level == "high" || level == "medium";
    if (over) {
        set_finding(webhook, label, answer);
        answer.is_unsure = !by_score && level == "medium";
    }
    return answer;
}

Result<WebhookAnswer> read_tencent(const WebhookSettings& webhook, const json::Value& value) {
    const json::Value* response = value.find("Response");
    if (response == nullptr || response->if_object() == nullptr) {
        return wrong_answer("it has no Response");
    }
    // With status 200, as everything.
    if (const json::Value* error = response->find("Error")) {
        return wrong_answer(fmt::format("its error is {}", error->string_or("Code", "unnamed")));
    }
    const std::string suggestion = response->string_or("Suggestion", "");
    if (suggestion != "Pass" && suggestion != "Review" && suggestion != "Block") {
        return wrong_answer("it suggests none of Pass, Review and Block");
    }
    WebhookAnswer answer;
    const json::Value* score = response->find("Score");
    const auto number = score == nullptr ? Result<double>(0.0) : score->as_double();
    answer.score = number.ok() ? *number / kPercent : 0;
    const std::string label = response->string_or("Label", "");
    const bool by_score = webhook.threshold_per_mille > 0 && score != nullptr;
    const bool over = by_score ? label != "Normal" && *answer.score >= threshold_of(webhook)
                               : suggestion != "Pass";
    if (over) {
        set_finding(webhook, label, answer);
        answer.is_unsure = !by_score && suggestion == "Review";
    } else if (label == "Normal") {
        answer.score = 0;  // it is how sure they are of that
    }
    return answer;
}

}  // namespace

std::string_view cloud_risk(CheckShape shape, std::string_view label) noexcept {
    const std::span<const LabelRow> rows = shape == CheckShape::kAliyun
                                               ? std::span<const LabelRow>(kAliyunLabels)
                                               : std::span<const LabelRow>(kTencentLabels);
    const auto row = std::ranges::find_if(rows, [&](const LabelRow& each) {
        return each.label.ends_with('_') ? label.starts_with(each.label) : label == each.label;
    });
    return row == rows.end() ? kOtherRisk : row->risk;
}

Result<std::vector<WebhookView>> cloud_pieces(const WebhookSettings& webhook,
                                              const WebhookView& view) {
    std::vector<std::string> texts;
    const std::size_t most = chars_max(webhook, view.stage);
    for (const std::string& each : view.texts) {
        cut_text(each, most, texts);
    }
    if (!view.tool_calls.is_null()) {
        cut_text(json::write(view.tool_calls), most, texts);
    }
    if (texts.size() + view.images.size() > kCloudPiecesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a cloud is asked about at most {} texts and "
                                                    "pictures of one call",
                                                    kCloudPiecesMax)};
    }
    std::vector<WebhookView> pieces;
    const auto add = [&]() -> WebhookView& {
        pieces.emplace_back();
        pieces.back().stage = view.stage;
        return pieces.back();
    };
    for (std::string& each : texts) {
        add().texts.push_back(std::move(each));
    }
    for (const std::string& each : view.images) {
        if (each.size() > kCloudPictureBytesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a cloud is asked about pictures of at most {} bytes",
                                     kCloudPictureBytesMax)};
        }
        add().images.push_back(each);
    }
    return pieces;
}

http::UpstreamRequest cloud_request(const WebhookSettings& webhook, const WebhookView& piece,
                                    Time now, std::string_view nonce) {
    http::UpstreamRequest out;
    out.url = url_for(webhook, !piece.images.empty());
    identity::UnsignedRequest request;
    request.method = "POST";
    request.scheme_and_host =
        fmt::format("{}://{}", out.url.secure ? "https" : "http", out.url.authority());
    request.path = out.url.path;
    const identity::SigningKey key{.key_id = webhook.key, .secret = webhook.secret};
    std::vector<HttpHeader> added;
    if (webhook.shape == CheckShape::kAliyun) {
        ask_aliyun(webhook, piece, request);
        added = identity::sign_acs3(request, key, now, nonce);
    } else {
        ask_tencent(webhook, piece, request);
        added = identity::sign_tc3(request, key, now, piece.images.empty() ? "tms" : "ims");
    }
    if (!request.query.empty()) {
        out.url.path += "?" + identity::format_parameters(request.query, false);
    }
    add_headers(request.headers, out);
    add_headers(added, out);
    out.headers.push_back({"accept", "application/json"});
    out.body = std::move(request.body);
    out.times = {.connect = webhook.time, .first_byte = webhook.time, .idle = webhook.time};
    return out;
}

Result<WebhookAnswer> read_cloud_answer(const WebhookSettings& webhook, std::string_view body) {
    const auto parsed = json::parse(
        body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1, .unique_names = true});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return wrong_answer("it is no JSON object");
    }
    return webhook.shape == CheckShape::kAliyun ? read_aliyun(webhook, *parsed)
                                                : read_tencent(webhook, *parsed);
}

}  // namespace colophon::gateway
