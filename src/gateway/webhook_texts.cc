// SPDX-License-Identifier: Apache-2.0
#include "gateway/webhook_texts.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/thread_pool.h"
#include "gateway/answer_texts.h"
#include "gateway/call.h"
#include "gateway/course.h"
#include "gateway/dialects.h"
#include "gateway/gateway.h"
#include "gateway/json_edit.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"
#include "gateway/webhooks.h"
#include "review/policy.h"
#include "review/review.h"
#include "review/scope.h"
#include "worker/frames.h"
#include "worker/spool.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

void add_slot(json::Value& value, RequestTexts& to) {
    if (const std::string* text = value.if_string()) {
        to.slots.push_back(&value);
        to.view.texts.push_back(*text);
    }
}

void add_call(std::string_view name, std::string arguments, json::Array& calls) {
    calls.push_back(json::Object{{"type", "function"},
                                 {"function", json::Object{{"name", std::string(name)},
                                                           {"arguments", std::move(arguments)}}}});
}

// The picture of a part, as an address (often data:) or as base64.
void add_image(const json::Value& part, RequestTexts& to) {
    if (const json::Value* image = part.find("image_url")) {
        const std::string* plain = image->if_string();
        const std::string_view url = plain == nullptr ? text_member(*image, "url") : *plain;
        if (!url.empty()) {
            to.view.images.emplace_back(url);
        }
    }
    if (const json::Value* source = part.find("source")) {
        for (const std::string_view name : {"data", "url"}) {
            const std::string_view said = text_member(*source, name);
            if (!said.empty()) {
                to.view.images.emplace_back(said);
            }
        }
    }
}

void add_content(json::Value& content, RequestTexts& to, json::Array& calls);

void add_part(json::Value& part, RequestTexts& to, json::Array& calls) {
    add_slot(part, to);
    for (const std::string_view name : {"text", "thinking"}) {
        if (json::Value* text = member(part, name)) {
            add_slot(*text, to);
        }
    }
    add_image(part, to);
    if (text_member(part, "type") == "tool_use") {
        const json::Value* input = part.find("input");
        add_call(text_member(part, "name"), input == nullptr ? "{}" : json::write(*input), calls);
    } else if (json::Value* inner = member(part, "content")) {
        add_content(*inner, to, calls);  // of the result of a tool
    }
}

// Its depth is that of the body, which was bounded when it was parsed.
void add_content(json::Value& content, RequestTexts& to, json::Array& calls) {
    add_slot(content, to);
    if (json::Array* parts = content.if_array()) {
        for (json::Value& part : *parts) {
            add_part(part, to, calls);
        }
    }
}

void add_messages(json::Value& body, RequestTexts& to, json::Array& calls) {
    json::Value* messages = member(body, "messages");
    json::Array* list = messages == nullptr ? nullptr : messages->if_array();
    if (list == nullptr) {
        return;
    }
    for (json::Value& message : *list) {
        if (json::Value* content = member(message, "content")) {
            add_content(*content, to, calls);
        }
        const json::Value* called = message.find("tool_calls");
        if (called != nullptr && called->if_array() != nullptr) {
            calls.insert(calls.end(), called->if_array()->begin(), called->if_array()->end());
        }
    }
}

void add_items(json::Value& body, RequestTexts& to, json::Array& calls) {
    json::Value* input = member(body, "input");
    if (input == nullptr) {
        return;
    }
    add_slot(*input, to);
    json::Array* items = input->if_array();
    if (items == nullptr) {
        return;
    }
    for (json::Value& item : *items) {
        for (const std::string_view name : {"content", "summary", "output"}) {
            if (json::Value* content = member(item, name)) {
                add_content(*content, to, calls);
            }
        }
        for (const std::string_view name : {"arguments", "input"}) {
            const std::string_view said = text_member(item, name);
            if (!said.empty()) {
                add_call(text_member(item, "name"), std::string(said), calls);
            }
        }
    }
}

// The tools of the other shapes in that of chat completions, in which the check reads them.
json::Value tools_of(const json::Value& body) {
    const json::Value* tools = body.find("tools");
    const json::Array* list = tools == nullptr ? nullptr : tools->if_array();
    if (list == nullptr || list->empty()) {
        return {};
    }
    json::Array out;
    for (const json::Value& tool : *list) {
        if (tool.find("function") != nullptr) {
            out.push_back(tool);
            continue;
        }
        json::Object function{{"name", std::string(text_member(tool, "name"))}};
        const json::Value* about = tool.find("description");
        if (about != nullptr) {
            function.emplace_back("description", *about);
        }
        for (const std::string_view name : {"parameters", "input_schema"}) {
            if (const json::Value* schema = tool.find(name)) {
                function.emplace_back("parameters", *schema);
            }
        }
        out.push_back(json::Object{{"type", "function"}, {"function", std::move(function)}});
    }
    return out;
}

json::Value messages_of(TextShape shape, const json::Value& body) {
    if (shape == TextShape::kChat) {
        const json::Value* messages = body.find("messages");
        return messages == nullptr ? json::Value() : *messages;
    }
    if (shape == TextShape::kMessages) {
        const auto chat = messages_to_chat(body);
        const json::Value* messages = chat.ok() ? chat->find("messages") : nullptr;
        return messages == nullptr ? json::Value() : *messages;
    }
    return {};
}

}  // namespace

RequestTexts texts_of_request(TextShape shape, json::Value& body) {
    RequestTexts to;
    json::Array calls;
    for (const std::string_view name : {"instructions", "system", "prompt"}) {
        json::Value* content = member(body, name);
        if (content != nullptr) {
            add_content(*content, to, calls);
        }
    }
    if (shape == TextShape::kResponses) {
        add_items(body, to, calls);
    } else {
        add_messages(body, to, calls);
    }
    to.view.tools = tools_of(body);
    to.view.messages = messages_of(shape, body);
    if (!calls.empty()) {
        to.view.tool_calls = std::move(calls);
    }
    return to;
}

Task<std::optional<Refusal>> review_asked(Gateway& gateway, Call& call, const std::string& text) {
    if (!Webhooks::wanted(call, review::Stage::kInput)) {
        co_return co_await review_input(gateway.stages(), call, text);
    }
    if (!course_of(call, review::Stage::kInput).library_first) {
        co_return std::nullopt;  // guard_request() does it after the checks
    }
    co_return co_await review_input_first(gateway.stages(), call, text);
}

namespace {

// What the checks want instead, into the request.
void take_changes(Call& call, RequestTexts& request, std::string& text) {
    std::string all;
    for (std::size_t i = 0; i < request.slots.size(); ++i) {
        all += request.view.texts[i];
        all += '\n';
        *request.slots[i] = std::move(request.view.texts[i]);
    }
    text = std::move(all);
    // The record keeps what was asked, and the digest of what the model got instead.
    call.record.content_digests.push_back(sha256(as_bytes(text)));
}

}  // namespace

Task<std::optional<Refusal>> guard_request(Gateway& gateway, Call& call, RequestTexts request,
                                           std::string& text) {
    WebhookView& view = request.view;
    view.stage = review::Stage::kInput;
    const StageCourse& course = course_of(call, review::Stage::kInput);
    auto refusal = co_await gateway.webhooks().ask(gateway.stages(), call,
                                                   gateway.upstream(call.loop()), view);
    const bool goes_on = !refusal || course.stop == review::StopAt::kNever;
    if (goes_on && view.changed) {
        take_changes(call, request, text);
    }
    if (goes_on && (view.changed || !course.library_first)) {
        auto own = co_await review_input_first(gateway.stages(), call, text);
        if (!refusal) {
            refusal = std::move(own);
        }
    }
    co_return co_await settle_input(gateway.stages(), call, std::move(refusal));
}

Task<std::optional<Refusal>> guard_prompt(Gateway& gateway, Call& call, json::Value* prompt,
                                          std::string& text, std::vector<std::string> pictures) {
    if (!Webhooks::wanted(call, review::Stage::kInput)) {
        co_return std::nullopt;
    }
    RequestTexts request;
    request.slots.push_back(prompt);
    request.view.texts.push_back(text);
    request.view.images = std::move(pictures);
    auto refusal = co_await guard_request(gateway, call, std::move(request), text);
    const std::string* now = prompt->if_string();
    if (now != nullptr) {
        text = *now;
    }
    co_return refusal;
}

Task<std::optional<Refusal>> guard_answer(Gateway& gateway, Call& call, AnswerTexts& texts) {
    WebhookView view;
    view.stage = review::Stage::kOutput;
    json::Array calls;
    std::vector<AnswerText*> places;
    for (AnswerText& each : texts.all()) {
        if (each.said.empty()) {
            continue;
        }
        if (each.is_call) {
            add_call(each.name, each.said, calls);
        } else {
            places.push_back(&each);
            view.texts.push_back(each.said);
        }
    }
    if (!calls.empty()) {
        view.tool_calls = std::move(calls);
    }
    auto refusal = co_await gateway.webhooks().ask(gateway.stages(), call,
                                                   gateway.upstream(call.loop()), view);
    // What is held waits as it was changed.
    const bool goes_on = !refusal || refusal->code == kHeldForReview;
    if (goes_on && view.changed) {
        for (std::size_t i = 0; i < places.size(); ++i) {
            places[i]->instead = std::move(view.texts[i]);
        }
    }
    texts.let_go();
    co_return refusal;
}

namespace {

review::Verdict verdict_of(OwnView own) {
    review::Verdict all;
    for (const AnswerText& each : own.texts.all()) {
        const review::Verdict seen = own.reviewer.review(each.said);
        add_verdict(seen, all);
        if (seen.score) {
            all.score = std::max(all.score.value_or(0), *seen.score);
        }
    }
    return all;
}

}  // namespace

bool asks_checks(const Call& call, OwnView own) {
    const StageCourse& course = course_of(call, review::Stage::kOutput);
    return !course.library_first || course.stop == review::StopAt::kNever ||
           goes_on_after(course.stop, verdict_of(own).decision);
}

void note_own_verdict(Call& call, const std::optional<Refusal>& refused, OwnView own) {
    const bool ends = refused && refused->code != kHeldForReview;
    if (ends && course_of(call, review::Stage::kOutput).stop == review::StopAt::kNever) {
        (void)note_verdict(call, review::Stage::kOutput, verdict_of(own));
    }
}

Task<std::optional<Refusal>> guard_spoken(Gateway& gateway, Call& call, std::string& text,
                                          std::optional<Refusal>& held) {
    if (!Webhooks::wanted(call, review::Stage::kOutput)) {
        co_return std::nullopt;
    }
    WebhookView view;
    view.stage = review::Stage::kOutput;
    view.texts.push_back(text);
    auto refusal = co_await gateway.webhooks().ask(gateway.stages(), call,
                                                   gateway.upstream(call.loop()), view);
    if (refusal && refusal->code != kHeldForReview) {
        co_return refusal;
    }
    held = std::move(refusal);
    if (!view.changed) {
        co_return std::nullopt;
    }
    // What is held waits as it was changed.
    text = std::move(view.texts.front());
    co_return co_await review_input(gateway.stages(), call, text);
}

Task<std::optional<Refusal>> guard_picture(Gateway& gateway, Call& call, Buffer& picture) {
    if (!Webhooks::wanted(call, review::Stage::kOutput)) {
        co_return std::nullopt;
    }
    WebhookView view;
    view.stage = review::Stage::kOutput;
    view.images.push_back(to_base64(picture));
    view.images_may_change = true;
    auto refusal = co_await gateway.webhooks().ask(gateway.stages(), call,
                                                   gateway.upstream(call.loop()), view);
    const bool goes_on = !refusal || refusal->code == kHeldForReview;
    if (!goes_on || !view.changed) {
        co_return refusal;
    }
    auto changed = from_base64(view.images.front());
    if (!changed.ok()) {
        co_return own_failure("webhook_failed", "a check gave back a picture that is no base64");
    }
    picture = std::move(*changed);
    co_return refusal;
}

Task<std::optional<Refusal>> guard_video(Gateway& gateway, Call& call,
                                         const worker::SpooledFile& video) {
    if (!Webhooks::wanted(call, review::Stage::kOutput)) {
        co_return std::nullopt;
    }
    const auto take = [&] { return gateway.parts().media.video_frames(video); };
    const auto frames = co_await gateway.parts().workers.run(call.loop(), take);
    if (!frames.ok()) {
        const bool theirs = frames.error().code == ErrorCode::kCorrupt ||
                            frames.error().code == ErrorCode::kUnsupported;
        call.detail.emplace_back("frames_failed", frames.error().what);
        if (Webhooks::can_pass_unseen(call, review::Stage::kOutput)) {
            co_return std::nullopt;
        }
        co_return theirs
            ? upstream_failure(frames.error())
            : own_failure("review_failed", "a video could not be reviewed: " + frames.error().what);
    }
    WebhookView view;
    view.stage = review::Stage::kOutput;
    for (const worker::FileFrame& each : *frames) {
        view.images.push_back(to_base64(each.picture));
    }
    call.detail.emplace_back("frames", static_cast<std::int64_t>(view.images.size()));
    co_return co_await gateway.webhooks().ask(gateway.stages(), call, gateway.upstream(call.loop()),
                                              view);
}

}  // namespace colophon::gateway
