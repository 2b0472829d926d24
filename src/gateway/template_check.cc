// SPDX-License-Identifier: Apache-2.0
#include "gateway/template_check.h"

#include "core/json.h"
#include "core/result.h"
#include "gateway/check_exchange.h"
#include "gateway/json_template.h"
#include "gateway/webhook_settings.h"
#include "http/upstream.h"
#include "review/scope.h"
#include "review/taxonomy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kLabelsMax = 1000;
constexpr std::size_t kCodeBytesMax = 60;
constexpr double kThousand = 1000;

using Action = WebhookAnswer::Action;

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
    return all;
}

json::Value text_or_null(std::string_view text) {
    return text.empty() ? json::Value() : json::Value(text);
}

json::Value value_of(std::string_view name, const CheckAbout& about, const WebhookSettings& webhook,
                     const WebhookView& view) {
    if (name == "text") {
        return all_texts(view);
    }
    if (name == "texts") {
        return json::Array(view.texts.begin(), view.texts.end());
    }
    if (name == "image") {
        return view.images.empty() ? json::Value() : json::Value(view.images.front());
    }
    if (name == "images") {
        return view.images.empty()
                   ? json::Value()
                   : json::Value(json::Array(view.images.begin(), view.images.end()));
    }
    if (name == "tool_calls") {
        return view.tool_calls;
    }
    if (name == "asked") {
        return text_or_null(view.stage == review::Stage::kOutput ? about.asked
                                                                 : std::string_view());
    }
    if (name == "stage") {
        return review::stage_name(view.stage);
    }
    for (const auto& [known, value] :
         {std::pair<std::string_view, std::string_view>{"model", about.model},
          {"service", about.service},
          {"operation", about.operation},
          {"record", about.record},
          {"tenant", about.tenant},
          {"subject", about.subject},
          {"check_model", webhook.model}}) {
        if (name == known) {
            return text_or_null(value);
        }
    }
    return {};
}

struct Label {
    std::string name;
    std::optional<double> score;  // 0 to 1
    bool set = true;              // {"porn": false} is not
};

std::string small_letters(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
    });
    return out;
}

bool is_among(const std::vector<std::string>& words, std::string_view word) {
    return std::ranges::any_of(
        words, [&](const std::string& each) { return small_letters(each) == small_letters(word); });
}

// Of a number, or of one written as a text; nothing for anything else.
std::optional<double> number_of(const json::Value& value, double most) {
    const json::Value* number = &value;
    json::Value parsed;
    if (const std::string* text = value.if_string()) {
        auto read = json::parse(*text);
        if (!read.ok()) {
            return std::nullopt;
        }
        parsed = std::move(*read);
        number = &parsed;
    }
    const auto read = number->as_double();
    if (!number->is_number() || !read.ok() || *read < 0 || *read > most) {
        return std::nullopt;
    }
    return *read / most;
}

Result<Label> named_label(const CheckTemplate& from, std::string name, const json::Value& value) {
    Label label{.name = std::move(name), .score = {}};
    if (const bool* set = value.if_bool()) {
        label.set = *set;
        return label;
    }
    label.score = number_of(value, from.score_most);
    if (!label.score) {
        return wrong_answer("a label has neither a truth value nor a score in its range");
    }
    return label;
}

Result<Label> element_label(const CheckTemplate& from, const json::Value& element) {
    if (const std::string* name = element.if_string()) {
        return Label{.name = *name, .score = {}};
    }
    const json::Value* name = from.label ? from.label->find(element) : nullptr;
    if (name == nullptr || name->is_null() || plain_text(*name).empty()) {
        return wrong_answer("a label has no name");
    }
    if (!from.label_score) {
        return Label{.name = plain_text(*name), .score = {}};
    }
    const json::Value* score = from.label_score->find(element);
    if (score == nullptr) {
        return wrong_answer("a label has no score");
    }
    return named_label(from, plain_text(*name), *score);
}

// Nothing where there are none.
Result<std::optional<std::vector<Label>>> labels_of(const CheckTemplate& from,
                                                    const json::Value& answer) {
    std::optional<std::vector<Label>> labels;
    const json::Value* found = from.labels ? from.labels->find(answer) : nullptr;
    if (found == nullptr || found->is_null()) {
        return labels;
    }
    labels.emplace();
    const json::Object* members = found->if_object();
    const json::Array* list = found->if_array();
    const std::size_t count =
        members != nullptr ? members->size() : (list != nullptr ? list->size() : 1);
    if (count > kLabelsMax) {
        return wrong_answer("it has too many labels");
    }
    if (members != nullptr) {
        for (const auto& [name, value] : *members) {
            labels->push_back(TRY(named_label(from, name, value)));
        }
    } else if (list != nullptr) {
        for (const json::Value& each : *list) {
            labels->push_back(TRY(element_label(from, each)));
        }
    } else if (const std::string* one = found->if_string()) {
        if (!one->empty()) {
            labels->push_back({.name = *one, .score = {}});
        }
    } else {
        return wrong_answer("its labels are no list, no object and no text");
    }
    std::erase_if(*labels, [&](const Label& each) { return is_among(from.harmless, each.name); });
    return labels;
}

// kFound or kNone; `is_unsure` is set beside it.
Result<std::optional<Action>> verdict_of(const CheckTemplate& from, const json::Value& answer,
                                         bool& is_unsure) {
    std::optional<Action> said;
    if (!from.verdict) {
        return said;
    }
    const json::Value* found = from.verdict->find(answer);
    if (found == nullptr || found->is_null() || found->if_array() != nullptr ||
        found->if_object() != nullptr) {
        return wrong_answer("there is no verdict where it should be");
    }
    const std::string word = plain_text(*found);
    const bool explained = !from.found.empty() || !from.passed.empty() || !from.unsure.empty();
    if (is_among(from.unsure, word)) {
        is_unsure = true;
        said = Action::kFound;
    } else if (is_among(from.found, word) || (!explained && word == "true")) {
        said = Action::kFound;
    } else if (is_among(from.passed, word) || (!explained && word == "false")) {
        said = Action::kNone;
    } else {
        return wrong_answer("its verdict is a word that nobody explained");
    }
    return said;
}

Result<std::optional<double>> score_of(const CheckTemplate& from, const json::Value& answer) {
    const json::Value* score = from.score ? from.score->find(answer) : nullptr;
    if (score == nullptr || score->is_null()) {
        return std::optional<double>();
    }
    const auto number = number_of(*score, from.score_most);
    if (!number) {
        return wrong_answer("its score is no number in its range");
    }
    return number;
}

void set_category(const CheckTemplate& from, std::string_view name, WebhookAnswer& answer) {
    answer.code = name.empty() ? "unsafe" : std::string(name.substr(0, kCodeBytesMax));
    std::ranges::replace_if(
        answer.code, [](char c) { return static_cast<unsigned char>(c) < 0x20U; }, ' ');
    const auto mapped = from.categories.find(small_letters(name));
    const review::Risk* risk = review::find_risk(name);
    answer.category = mapped != from.categories.end() ? mapped->second
                      : risk != nullptr               ? std::string(risk->code)
                                                      : "A1h";
}

// The surest that is there; of several without scores the first.
const Label* surest(const std::vector<Label>& labels) {
    const Label* best = nullptr;
    for (const Label& each : labels) {
        if (each.set && (best == nullptr || each.score.value_or(1) > best->score.value_or(1))) {
            best = &each;
        }
    }
    return best;
}

}  // namespace

bool CheckTemplate::takes_one_image() const {
    return has_placeholder(request, "image");
}

bool CheckTemplate::takes_images() const {
    return takes_one_image() || has_placeholder(request, "images");
}

bool CheckTemplate::takes_texts() const {
    return has_placeholder(request, "text") || has_placeholder(request, "texts") ||
           has_placeholder(request, "tool_calls");
}

Result<http::UpstreamRequest> template_check_request(const CheckAbout& about,
                                                     const WebhookSettings& webhook,
                                                     const WebhookView& view) {
    const RequestTemplate& from = webhook.pattern->request;
    const PlaceholderValue value = [&](std::string_view name) {
        return value_of(name, about, webhook, view);
    };
    http::UpstreamRequest request;
    request.method = from.method;
    request.url = webhook.url;
    request.url.path += fill_path(from.path, value);
    request.headers = TRY(fill_headers(from.headers, [&](std::string_view name) {
        return name == "key" ? webhook.key : plain_text(value(name));
    }));
    if (!from.body.is_null()) {
        request.body = json::write(fill_value(from.body, value));
    }
    return request;
}

Result<WebhookAnswer> read_template_answer(const CheckTemplate& from,
                                           const WebhookSettings& webhook, std::string_view body) {
    const auto parsed = json::parse(
        body, {.depth_max = kDepthMax, .bytes_max = body.size() + 1, .unique_names = true});
    if (!parsed.ok()) {
        return wrong_answer("it is no JSON");
    }
    const json::Value* error = from.error ? from.error->find(*parsed) : nullptr;
    if (error != nullptr && !error->is_null() && !plain_text(*error).empty()) {
        return Error{ErrorCode::kUnavailable, "it says that it judged nothing"};
    }
    WebhookAnswer answer;
    const auto said = TRY(verdict_of(from, *parsed, answer.is_unsure));
    const auto labels = TRY(labels_of(from, *parsed));
    answer.score = TRY(score_of(from, *parsed));
    // What passed may leave the rest out; nothing else may.
    const bool has_any = said || labels || (!from.labels && answer.score);
    if (!has_any) {
        return wrong_answer("there are no labels and no score where they should be");
    }
    const Label* best = labels ? surest(*labels) : nullptr;
    if (best != nullptr && best->score) {
        answer.score = std::max(answer.score.value_or(0), *best->score);
    }
    if (!said && answer.score && webhook.threshold_per_mille == 0) {
        return wrong_answer("it gives scores, and no threshold is set");
    }
    const double threshold = static_cast<double>(webhook.threshold_per_mille) / kThousand;
    const bool by_score = webhook.threshold_per_mille > 0 && answer.score;
    bool over = said ? *said == Action::kFound : best != nullptr;
    if (by_score) {
        over = *answer.score >= threshold;
    }
    answer.is_unsure = answer.is_unsure && over && !by_score;
    if (over) {
        answer.action = Action::kFound;
        set_category(from, best == nullptr ? std::string_view() : best->name, answer);
    }
    return answer;
}

}  // namespace colophon::gateway
