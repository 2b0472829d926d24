// SPDX-License-Identifier: Apache-2.0
// /v1/audio/speech: a text read aloud, by the synthesizer of this machine or by an upstream.
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "core/utf8.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/held.h"
#include "gateway/image_upstreams.h"
#include "gateway/json_edit.h"
#include "gateway/media_label.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "gateway/request_body.h"
#include "gateway/routing.h"
#include "gateway/settings.h"
#include "gateway/sound_review.h"
#include "gateway/webhook_texts.h"
#include "http/message.h"
#include "http/upstream.h"
#include "label/format.h"
#include "ledger/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {
namespace {

constexpr std::size_t kInputCharsMax = 4096;  // as OpenAI has it

struct SpeechFormat {
    std::string_view name;  // response_format
    SoundFormat format;
    std::string_view asked;  // of an upstream
};
constexpr std::array kFormats{
    SpeechFormat{"mp3", SoundFormat::kMp3, "mp3"},
    SpeechFormat{"wav", SoundFormat::kWav, "wav"},
    SpeechFormat{"flac", SoundFormat::kFlac, "flac"},
    SpeechFormat{"opus", SoundFormat::kOpus, "opus"},
    SpeechFormat{"aac", SoundFormat::kM4a, ""},
    SpeechFormat{"m4a", SoundFormat::kM4a, ""},
};

struct SpeechRequest {
    json::Value body;
    Ask ask;
    Media::Voice voice;
    const SpeechFormat* format = nullptr;
};

std::optional<Refusal> read_format(const json::Value& body, SpeechRequest& request) {
    std::string_view name = text_member(body, "response_format");
    name = name.empty() ? "mp3" : name;
    const auto* format = std::ranges::find(kFormats, name, &SpeechFormat::name);
    if (format == kFormats.end()) {
        return invalid_request(
            name == "pcm" ? "bare pcm samples have no place for the implicit label that is owed; "
                            "ask for wav, flac, mp3, opus or aac"
                          : "the response_format is none of mp3, wav, flac, opus, aac and m4a",
            "response_format");
    }
    request.format = format;
    return std::nullopt;
}

std::optional<Refusal> read_request(const Call& call, const std::string& text,
                                    SpeechRequest& request) {
    if (auto refusal = read_json_body(text, request.body)) {
        return refusal;
    }
    const json::Value& body = request.body;
    request.ask.model = text_member(body, "model");
    request.ask.text = text_member(body, "input");
    request.ask.account = text_member(body, "user");
    if (request.ask.account.empty()) {
        request.ask.account = call.exchange.request().header("colophon-subject");
    }
    if (request.ask.model.empty()) {
        return invalid_request("the call names no model", "model");
    }
    if (request.ask.text.empty() || count_code_points(request.ask.text) > kInputCharsMax) {
        return invalid_request(fmt::format("input is a text of 1 to {} characters", kInputCharsMax),
                               "input");
    }
    if (!text_member(body, "stream_format").empty() &&
        text_member(body, "stream_format") != "audio") {
        return invalid_request(
            "sound is labelled as a whole file, so it cannot be streamed as "
            "events",
            "stream_format");
    }
    if (const json::Value* speed = body.find("speed")) {
        const auto number = speed->as_double();
        if (!number.ok() || *number < 0.25 || *number > 4.0) {
            return invalid_request("speed is a number from 0.25 to 4", "speed");
        }
        request.voice.speed = *number;
    }
    return read_format(body, request);
}

// Voices of OpenAI's list have no counterpart here; a voice of espeak-ng is named with its prefix.
std::string builtin_voice(const json::Value& body) {
    constexpr std::string_view kPrefix = "espeak:";
    const std::string_view voice = text_member(body, "voice");
    return voice.starts_with(kPrefix) ? std::string(voice.substr(kPrefix.size())) : std::string();
}

Task<Result<Buffer>> speak_here(Gateway& gateway, Call& call, SpeechRequest& request) {
    request.voice.name = builtin_voice(request.body);
    const auto speak = [&] {
        return gateway.parts().media.speak(request.ask.text, request.voice, request.format->format);
    };
    const auto began = std::chrono::steady_clock::now();
    auto spoken = co_await gateway.parts().workers.run(call.loop(), speak);
    call.facts().durations.upstream_ms = milliseconds_since(began);
    call.waited += std::chrono::steady_clock::now() - began;
    call.facts().model_version = "espeak-ng";
    call.target = &call.model->targets.front();
    co_return spoken;
}

Task<Result<Buffer>> speak_there(Gateway& gateway, Call& call, SpeechRequest& request) {
    const auto make = [&](const UpstreamSettings& upstream,
                          const Target& target) -> Result<http::UpstreamRequest> {
        return media_request(request.body, request.ask.text, "/audio/speech", upstream, target);
    };
    const auto began = std::chrono::steady_clock::now();
    auto sent = co_await gateway.routing().send(call, gateway.upstream(call.loop()), make);
    if (!sent.ok()) {
        co_return sent.error();
    }
    auto sound = co_await sound_answer(gateway, call, *sent);
    call.waited += std::chrono::steady_clock::now() - began;
    co_return sound;
}

bool is_builtin(const Call& call) {
    const std::string& upstream = call.model->targets.front().upstream;
    return call.settings->upstreams.find(upstream)->second.dialect == Dialect::kBuiltin;
}

// `held`: a check wants people to decide; then the sound is made and waits for them.
Task<std::optional<Refusal>> speak_and_label(Gateway& gateway, Call& call, SpeechRequest& request,
                                             std::optional<Refusal> held) {
    if (!is_builtin(call) && request.format->asked.empty()) {
        co_return invalid_request(
            "this model gives mp3, wav, flac and opus; aac has no place for "
            "the implicit label outside of an m4a file",
            "response_format");
    }
    Result<Buffer> sound = Buffer();
    if (is_builtin(call)) {
        sound = co_await speak_here(gateway, call, request);
    } else {
        sound = co_await speak_there(gateway, call, request);
    }
    if (!sound.ok()) {
        co_return upstream_failure(sound.error());
    }
    call.characters = static_cast<std::int64_t>(count_code_points(request.ask.text));
    auto refusal = co_await review_sound(gateway, call, *sound);
    if (refusal && refusal->code != kHeldForReview) {
        co_return refusal;
    }
    if (refusal) {
        held = std::move(refusal);
    }
    refusal = co_await make_label(gateway.stages(), call);
    if (refusal) {
        co_return refusal;
    }
    Buffer shown;
    if (held) {
        shown = *sound;
    }
    auto labelled = co_await label_content(gateway, call, std::move(*sound));
    if (!labelled.ok()) {
        co_return label_failure(labelled.error());
    }
    if (held) {
        Holding holding;
        holding.text = request.ask.text;
        holding.file = std::move(shown);
        co_await hold_labelled(gateway.stages(), call, std::move(holding), *labelled, *held);
        co_return held;
    }
    http::Headers headers = answer_headers(call, label::facts(labelled->format).media_type);
    headers.push_back({"colophon-aigc", call.aigc});
    std::string body(as_text(labelled->content));
    co_return co_await record_and_answer(gateway, call, std::move(headers), std::move(body));
}

Task<std::optional<Refusal>> serve_speech(Gateway& gateway, Call& call) {
    SpeechRequest request;
    const Wanted wanted{.kind = ModelKind::kSpeech, .otherwise = "this model does not speak"};
    auto refusal = co_await take_request(gateway, call, wanted, read_request, request);
    if (refusal) {
        co_return refusal;
    }
    json::Value* input = member(request.body, "input");
    refusal = co_await guard_prompt(gateway, call, input, request.ask.text);
    if (refusal) {
        co_return refusal;
    }
    // Sound has no place in the contract of webhooks; what will be said has.
    std::optional<Refusal> held;
    refusal = co_await guard_spoken(gateway, call, request.ask.text, held);
    if (refusal) {
        co_return refusal;
    }
    *input = request.ask.text;
    co_return co_await speak_and_label(gateway, call, request, std::move(held));
}

constexpr const char* kSpeechRequest =
    R"({"type":"object","required":["model","input"],"properties":{"model":{"type":"string"},)"
    R"("input":{"type":"string","maxLength":4096},"voice":{"type":"string"},)"
    R"("response_format":{"enum":["mp3","wav","flac","opus","aac","m4a"]},)"
    R"("speed":{"type":"number","minimum":0.25,"maximum":4},"user":{"type":"string"}},)"
    R"("additionalProperties":true})";

}  // namespace

void add_speech_routes(Gateway& gateway) {
    gateway.add_call({.method = "POST",
                      .pattern = "/v1/audio/speech",
                      .operation = "audio.speech",
                      .right = "generate",
                      .summary = "a text read aloud, as a labelled sound file",
                      .request_schema = kSpeechRequest,
                      .response_schema = {},
                      .handle = {}},
                     serve_speech);
}

}  // namespace colophon::gateway
