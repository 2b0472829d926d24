// SPDX-License-Identifier: Apache-2.0
#include "gateway/guard_models.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/check_exchange.h"
#include "gateway/webhook_settings.h"
#include "review/scope.h"
#include "review/taxonomy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 16;
constexpr std::int64_t kTokensMax = 128;  // of what a guard says
constexpr double kThousand = 1000;

Error wrong_answer(std::string_view what) {
    return Error{ErrorCode::kCorrupt,
                 fmt::format("the check's answer is not of its form: {}", what)};
}

std::string all_texts(const WebhookView& view) {
    std::string all;
    for (const std::string& each : view.texts) {
        all += all.empty() ? "" : "\n\n";
        all += each;
    }
    if (!view.tool_calls.is_null()) {
        all += (all.empty() ? "" : "\n\n") + json::write(view.tool_calls);
    }
    return all;
}

json::Value moderations_input(const WebhookView& view) {
    json::Array parts;
    for (const std::string& each : view.texts) {
        parts.emplace_back(json::Object{{"type", "text"}, {"text", each}});
    }
    if (!view.tool_calls.is_null()) {
        parts.emplace_back(json::Object{{"type", "text"}, {"text", json::write(view.tool_calls)}});
    }
    for (const std::string& each : view.images) {
        const bool address = each.starts_with("data:") || each.find("://") != std::string::npos;
        parts.emplace_back(json::Object{
            {"type", "image_url"},
            {"image_url",
             json::Object{{"url", address ? each : "data:image/png;base64," + each}}}});
    }
    return parts;
}

json::Array chat_of(std::string_view asked, const WebhookView& view) {
    json::Array messages;
    const bool output = view.stage == review::Stage::kOutput;
    if (output) {
        messages.emplace_back(json::Object{{"role", "user"}, {"content", asked}});
    }
    messages.emplace_back(
        json::Object{{"role", output ? "assistant" : "user"}, {"content", all_texts(view)}});
    return messages;
}

std::string_view trimmed(std::string_view text) {
    const auto blank = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
    while (!text.empty() && blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

// Until the separator, or all; `text` is what comes after it.
std::string_view cut(std::string_view& text, char separator) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return trimmed(part);
}

void set_finding(WebhookAnswer& answer, review::Scheme scheme, std::string_view code) {
    const review::Risk* risk = review::risk_of(scheme, code);
    answer.action = WebhookAnswer::Action::kFound;
    answer.code = code.empty() ? "unsafe" : std::string(code.substr(0, 60));
    answer.category = risk == nullptr ? "A1h" : std::string(risk->code);
}

// The highest score over the threshold; without scores, what is flagged.
Result<WebhookAnswer> read_moderations(const WebhookSettings& webhook, const json::Value& value) {
    const json::Value* results = value.find("results");
    if (results == nullptr || results->if_array() == nullptr || results->if_array()->empty()) {
        return wrong_answer("it has no results");
    }
    WebhookAnswer answer;
    answer.score = 0;
    std::string highest;
    bool any_score = false;
    bool flagged = false;
    for (const json::Value& result : *results->if_array()) {
        const json::Value* flag = result.find("flagged");
        if (flag == nullptr || flag->if_bool() == nullptr) {
            return wrong_answer("a result does not say whether it is flagged");
        }
        flagged = flagged || *flag->if_bool();
        const json::Value* scores = result.find("category_scores");
        if (scores == nullptr || scores->if_object() == nullptr) {
            continue;
        }
        for (const auto& [name, score] : *scores->if_object()) {
            const auto number = score.as_double();
            any_score = any_score || number.ok();
            if (number.ok() && *number > *answer.score) {
                answer.score = *number;
                highest = name;
            }
        }
    }
    const double threshold = static_cast<double>(webhook.threshold_per_mille) / kThousand;
    const bool by_score = webhook.threshold_per_mille > 0 && any_score;
    const bool over = by_score ? *answer.score >= threshold : flagged;
    if (over) {
        set_finding(answer, review::Scheme::kOpenai, highest);
    }
    return answer;
}

Result<WebhookAnswer> read_llama_guard(std::string_view said) {
    WebhookAnswer answer;
    said = trimmed(said);
    const std::string_view word = cut(said, '\n');
    if (word == "safe") {
        return answer;
    }
    if (word != "unsafe") {
        return wrong_answer("it begins with neither safe nor unsafe");
    }
    set_finding(answer, review::Scheme::kLlamaGuard, cut(said, ','));
    return answer;
}

Result<WebhookAnswer> read_qwen3guard(std::string_view said) {
    WebhookAnswer answer;
    std::string_view safety;
    std::string_view categories;
    while (!said.empty()) {
        std::string_view line = cut(said, '\n');
        const std::string_view name = cut(line, ':');
        if (name == "Safety") {
            safety = trimmed(line);
        } else if (name == "Categories") {
            categories = trimmed(line);
        }
    }
    if (safety == "Safe") {
        return answer;
    }
    if (safety != "Unsafe" && safety != "Controversial") {
        return wrong_answer("it does not say whether it is safe");
    }
    set_finding(answer, review::Scheme::kQwen3Guard, cut(categories, ','));
    answer.is_unsure = safety == "Controversial";
    return answer;
}

}  // namespace

Result<std::string> guard_request_body(std::string_view asked, const WebhookSettings& webhook,
                                       const WebhookView& view) {
    json::Object body{{"model", webhook.model}};
    if (webhook.shape == CheckShape::kModerations) {
        body.emplace_back("input", moderations_input(view));
    } else {
        body.emplace_back("messages", chat_of(asked, view));
        body.emplace_back("temperature", 0);
        body.emplace_back("max_tokens", kTokensMax);
    }
    std::string text = json::write(body);
    if (webhook.shape != CheckShape::kModerations && text.size() > kGuardTextBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a guard model is asked about at most {} bytes",
                                                    kGuardTextBytesMax)};
    }
    return text;
}

Result<WebhookAnswer> read_guard_answer(const WebhookSettings& webhook, std::string_view body) {
    const auto parsed = json::parse(
        body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1, .unique_names = true});
    if (!parsed.ok() || parsed->if_object() == nullptr) {
        return wrong_answer("it is no JSON object");
    }
    if (webhook.shape == CheckShape::kModerations) {
        return read_moderations(webhook, *parsed);
    }
    const json::Value* choices = parsed->find("choices");
    const json::Value* message =
        choices == nullptr || choices->if_array() == nullptr || choices->if_array()->empty()
            ? nullptr
            : choices->if_array()->front().find("message");
    const json::Value* content = message == nullptr ? nullptr : message->find("content");
    if (content == nullptr || content->if_string() == nullptr) {
        return wrong_answer("it has no message");
    }
    return webhook.shape == CheckShape::kLlamaGuard ? read_llama_guard(*content->if_string())
                                                    : read_qwen3guard(*content->if_string());
}

}  // namespace colophon::gateway
