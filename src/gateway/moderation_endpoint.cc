// SPDX-License-Identifier: Apache-2.0
// /v1/moderations: what the review of this service says of texts that did not pass through it.
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/course.h"
#include "gateway/gateway.h"
#include "gateway/refusal.h"
#include "gateway/request_body.h"
#include "http/message.h"
#include "ledger/record.h"
#include "review/entry.h"
#include "review/review.h"
#include "review/scope.h"
#include "review/taxonomy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kInputsMax = 128;

// "input" is a text or a list of texts, or of parts of type "text".
std::optional<Refusal> read_inputs(const std::string& body, std::vector<std::string>& inputs) {
    json::Value root;
    if (auto refusal = read_json_body(body, root)) {
        return refusal;
    }
    const json::Value* input = root.find("input");
    if (input == nullptr) {
        return invalid_request("the field input is missing", "input");
    }
    if (const std::string* text = input->if_string()) {
        inputs.push_back(*text);
        return std::nullopt;
    }
    const json::Array* list = input->if_array();
    if (list == nullptr || list->empty() || list->size() > kInputsMax) {
        return invalid_request("input is a text, or a list of at most 128 texts", "input");
    }
    for (const json::Value& each : *list) {
        const std::string* text = each.if_string();
        if (text == nullptr && each.string_or("type", "") != "text") {
            return invalid_request("only texts can be reviewed here", "input");
        }
        inputs.push_back(text != nullptr ? *text : each.string_or("text", ""));
    }
    return std::nullopt;
}

// The categories that OpenAI's clients look for, each of them in every result.
constexpr std::array<std::string_view, 13> kOpenai{"harassment",
                                                   "harassment/threatening",
                                                   "hate",
                                                   "hate/threatening",
                                                   "illicit",
                                                   "illicit/violent",
                                                   "self-harm",
                                                   "self-harm/instructions",
                                                   "self-harm/intent",
                                                   "sexual",
                                                   "sexual/minors",
                                                   "violence",
                                                   "violence/graphic"};

// Of the names that a risk has there the first is what it stands for.
std::string_view openai_name(std::string_view category) {
    const review::Risk* risk = review::find_risk(category);
    return risk == nullptr ? std::string_view() : risk->openai.substr(0, risk->openai.find('|'));
}

json::Value result_of(const review::Verdict& verdict) {
    json::Object categories;
    json::Object scores;
    const std::string_view theirs = openai_name(verdict.category);
    // What an entry matches is certain; the classifier says how sure it is.
    const bool by_classifier =
        verdict.score && verdict.rule.find("/classifier/") != std::string::npos;
    const double score = by_classifier ? *verdict.score : 1.0;
    for (const std::string_view each : kOpenai) {
        categories.emplace_back(each, each == theirs);
        scores.emplace_back(each, each == theirs ? score : 0.0);
    }
    if (!verdict.category.empty()) {
        categories.emplace_back(verdict.category, true);
        scores.emplace_back(verdict.category, score);
    }
    return json::Object{{"flagged", verdict.decision != review::Decision::kAllow},
                        {"categories", std::move(categories)},
                        {"category_scores", std::move(scores)}};
}

Task<std::optional<Refusal>> serve_moderation(Gateway& gateway, Call& call) {
    note_source(call);
    const auto body = co_await call.exchange.read_body(call.settings->body_bytes_max);
    if (!body.ok()) {
        co_return body_failure(body.error());
    }
    std::vector<std::string> inputs;
    if (auto refusal = read_inputs(*body, inputs)) {
        co_return refusal;
    }
    json::Array results;
    std::optional<double> highest;
    // Of which service it is, and whether it goes in or came out, is not said.
    const auto reviewer = call.settings->reviewer->on({.stage = review::Stage::kBoth,
                                                       .tenant = to_string(call.caller.tenant),
                                                       .service = std::string()});
    for (const std::string& input : inputs) {
        const review::Verdict verdict = reviewer->review(input);
        call.facts().verdicts.push_back({.stage = "input",
                                         .decision = std::string(decision_name(verdict.decision)),
                                         .category = verdict.category,
                                         .rule = verdict.rule});
        call.matched.insert(call.matched.end(), verdict.entries.begin(), verdict.entries.end());
        if (verdict.score) {
            highest = std::max(highest.value_or(0), *verdict.score);
        }
        call.record.personal.input += input + "\n";
        results.push_back(result_of(verdict));
    }
    if (highest) {
        call.scores.emplace_back("input", *highest);
    }
    if (call.record.personal.input.size() > ledger::kRecordTextBytesMax) {
        call.record.personal.input.clear();
        co_return invalid_request("the texts of the call are too long", "input");
    }
    json::Object answer{{"id", "modr-" + to_string(call.facts().id)},
                        {"model", policy_version(*call.settings)},
                        {"results", std::move(results)}};
    http::Headers headers = answer_headers(call, "application/json");
    std::string out = json::write(std::move(answer));
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(out));
}

}  // namespace

void add_moderation_routes(Gateway& gateway) {
    gateway.add_call({.method = "POST",
                      .pattern = "/v1/moderations",
                      .operation = "moderations",
                      .right = "moderate",
                      .summary = "what the review of this service says of texts",
                      .request_schema = R"({"type":"object","required":["input"]})",
                      .response_schema = R"({"type":"object"})",
                      .handle = {}},
                     serve_moderation);
}

}  // namespace colophon::gateway
