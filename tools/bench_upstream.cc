// SPDX-License-Identifier: Apache-2.0
// A model that is none: an upstream in OpenAI's shape for tests and benchmarks. The name of the
// model says how it behaves, and the last message what it says:
//
//   echo           the last message, at once or as a stream of words
//   paced-N        the same, a word every N milliseconds
//   letters        a stream of single bytes' worth of text, the hardest cut there is
//   backwards      the last message from its end to its start: what a filter of requests lets pass
//   tools          a call of a tool, its arguments in pieces
//   error-N        the status N
//   flaky          503 for every other call
//   hang           takes the call and never answers
//   stall          a stream that stops in the middle and stays open
//   cut            a stream, or an answer, that breaks off in the middle
//   no-done        a stream without its "[DONE]"
//   garbage        200, and no JSON
//   huge           an answer without end
//   picture        /images/generations and /images/edits: a PNG of its own
//   picture-slow-N the same, N milliseconds later
//   video          /videos: the file that was put at /video (PUT), done at the third question
//   video-slow-N   the same, N milliseconds after it was asked for
//   video-answer-N begun at once, and its name said N milliseconds later
//   video-forever  never done
//   video-fails    says that it failed
//   video-text     done, and its content is a text; video-picture: a picture
//   video-half     its first half, as if it were whole; video-cut: it breaks off in the middle
//
// A video, or pictures, that were asked for before with the same Idempotency-Key are not made
// again.
//
// bench_upstream prints "PORT\n" and runs until it is ended. It counts calls that were given up by
// the other side, and what was made: GET /count.

#include "core/base64.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "core/task.h"
#include "http/exchange.h"
#include "http/limits.h"
#include "http/loop.h"
#include "http/message.h"
#include "http/multipart.h"
#include "http/server.h"
#include "http/sse.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

struct Counts {
    std::uint64_t calls = 0;
    std::uint64_t given_up = 0;
    std::uint64_t flaky = 0;
    std::uint64_t pictures = 0;
    std::uint64_t videos = 0;
    std::uint64_t videos_deleted = 0;
    std::uint64_t video_contents = 0;  // how often one was fetched
};

struct VideoTask {
    std::string model;
    std::string seconds;
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    int asked = 0;
};

std::map<std::string, VideoTask>& video_tasks() {
    static std::map<std::string, VideoTask> all;
    return all;
}

std::string& video_file() {
    static std::string file;
    return file;
}

Counts& counts() {
    static Counts all;
    return all;
}

// A PNG of 512 x 512 white dots, one bit each.
constexpr std::string_view kPicture =
    "iVBORw0KGgoAAAANSUhEUgAAAgAAAAIAAQAAAADcA+lXAAAAjElEQVR42u3MMQ0AAAwDoPo33YrYtQQEkB5FIBAIBA"
    "KBQCAQCAQCgUAgEAgEAoFAIBAIBAKBQCAQCAQCgUAgEAgEAoFAIBAIBAKBQCAQCAQCgUAgEAgEAoFAIBAIBAKBQCAQ"
    "CAQCgUAgEAgEAoFAIBAIBAKBQCAQCAQCgUAgEAgEAoFAIBAIBAKB4HcwNvqHcg2WKzYAAAAASUVORK5CYII=";

struct Ask {
    std::string model;
    std::string text;
    bool stream = false;
    bool chat = true;
    json::Value body;
};

std::string last_text(const json::Value& body) {
    if (const json::Value* messages = body.find("messages")) {
        const json::Array* list = messages->if_array();
        if (list != nullptr && !list->empty()) {
            const json::Value* content = list->back().find("content");
            const json::Array* parts = content == nullptr ? nullptr : content->if_array();
            if (parts != nullptr && !parts->empty()) {
                return parts->back().string_or("text", "");
            }
            return list->back().string_or("content", "");
        }
    }
    return body.string_or("prompt", body.string_or("input", ""));
}

// The Responses API: a text, or a list of messages.
std::string last_input(const json::Value& body) {
    const json::Value* input = body.find("input");
    const json::Array* list = input == nullptr ? nullptr : input->if_array();
    if (list == nullptr || list->empty()) {
        return body.string_or("input", "");
    }
    const json::Value* content = list->back().find("content");
    const json::Array* parts = content == nullptr ? nullptr : content->if_array();
    return parts == nullptr || parts->empty() ? list->back().string_or("content", "")
                                              : parts->back().string_or("text", "");
}

std::vector<std::string> pieces_of(const Ask& ask) {
    std::vector<std::string> pieces;
    std::string piece;
    for (std::size_t i = 0; i < ask.text.size(); ++i) {
        const auto next =
            static_cast<unsigned char>(i + 1 < ask.text.size() ? ask.text[i + 1] : ' ');
        piece += ask.text[i];
        const bool whole = next < 0x80 || next >= 0xC0;
        if (whole && (ask.model == "letters" || ask.text[i] == ' ' || next >= 0xC0)) {
            pieces.push_back(std::move(piece));
            piece.clear();
        }
    }
    pieces.push_back(std::move(piece));
    return pieces;
}

json::Value tokens(const Ask& ask) {
    const auto number = static_cast<std::int64_t>(ask.text.size() / 4 + 1);
    return json::Object{
        {"input_tokens", number}, {"output_tokens", number}, {"total_tokens", 2 * number}};
}

json::Value usage(const Ask& ask) {
    return json::Object{{"prompt_tokens", static_cast<std::int64_t>(ask.text.size() / 4 + 1)},
                        {"completion_tokens", static_cast<std::int64_t>(ask.text.size() / 4 + 1)},
                        {"total_tokens", static_cast<std::int64_t>(ask.text.size() / 2 + 2)}};
}

json::Value frame(const Ask& ask, json::Value choice) {
    return json::Object{{"id", "chatcmpl-bench"},
                        {"object", ask.stream ? "chat.completion.chunk" : "chat.completion"},
                        {"created", 1700000000},
                        {"model", "bench-" + ask.model},
                        {"choices", json::Array{std::move(choice)}}};
}

std::string chunk(const Ask& ask, json::Object delta, json::Value finish) {
    json::Object choice{{"index", 0}};
    if (ask.chat) {
        choice.emplace_back("delta", std::move(delta));
    } else {
        choice.emplace_back("text", delta.empty() ? json::Value("") : delta.front().second);
    }
    choice.emplace_back("finish_reason", std::move(finish));
    return http::write_sse({}, json::write(frame(ask, std::move(choice))));
}

std::string content_chunk(const Ask& ask, const std::string& text) {
    return chunk(ask, json::Object{{"content", text}}, nullptr);
}

Task<bool> send(http::Exchange& exchange, std::string text) {
    const auto sent = co_await exchange.write(text);
    co_return sent.ok() && !exchange.gone().stop_requested();
}

Task<void> pause(http::Exchange& exchange, std::chrono::milliseconds time) {
    co_await exchange.loop().sleep(time, exchange.gone());
    if (exchange.gone().stop_requested()) {
        ++counts().given_up;
    }
}

std::int64_t number_behind(std::string_view model, std::string_view prefix) {
    std::int64_t value = 0;
    if (model.starts_with(prefix)) {
        const std::string_view digits = model.substr(prefix.size());
        std::from_chars(digits.data(), digits.data() + digits.size(), value);
    }
    return value;
}

Task<void> stream_tools(http::Exchange& exchange, const Ask& ask) {
    const std::string arguments = "{\"city\":\"" + ask.text + "\"}";
    for (std::size_t at = 0; at < arguments.size(); at += 5) {
        json::Object function{{"arguments", arguments.substr(at, 5)}};
        json::Object call{{"index", 0}};
        if (at == 0) {
            call.emplace_back("id", "call_1");
            call.emplace_back("type", "function");
            function.emplace_back("name", "weather");
        }
        call.emplace_back("function", std::move(function));
        json::Object delta{{"tool_calls", json::Array{std::move(call)}}};
        const bool taken = co_await send(exchange, chunk(ask, std::move(delta), nullptr));
        if (!taken) {
            co_return;
        }
    }
    const std::string last = chunk(ask, {}, "tool_calls");
    co_await send(exchange, last);
}

Task<bool> stream_words(http::Exchange& exchange, const Ask& ask) {
    const std::vector<std::string> pieces = pieces_of(ask);
    const std::chrono::milliseconds step(number_behind(ask.model, "paced-"));
    std::size_t sent = 0;
    for (const std::string& piece : pieces) {
        const std::string event = content_chunk(ask, piece);
        const bool taken = co_await send(exchange, event);
        if (!taken) {
            ++counts().given_up;
            co_return false;
        }
        ++sent;
        if (ask.model == "cut" && sent > pieces.size() / 2) {
            co_return false;
        }
        if (ask.model == "stall" && sent > pieces.size() / 2) {
            co_await pause(exchange, std::chrono::hours(1));
            co_return false;
        }
        if (step.count() > 0) {
            co_await pause(exchange, step);
        }
    }
    if (ask.model == "huge") {
        const std::string event = content_chunk(ask, std::string(4096, 'x'));
        bool taken = true;
        while (taken) {
            taken = co_await send(exchange, event);
        }
        ++counts().given_up;
        co_return false;
    }
    const std::string last = chunk(ask, {}, "stop");
    co_await send(exchange, last);
    co_return true;
}

Task<void> answer_stream(http::Exchange& exchange, const Ask& ask) {
    http::Headers headers;
    headers.push_back({"content-type", "text/event-stream"});
    (void)co_await exchange.begin(200, std::move(headers));
    if (ask.model == "garbage") {
        const std::string garbage = "data: {not json\n\n";
        co_await send(exchange, garbage);
        (void)co_await exchange.end();
        co_return;
    }
    if (ask.chat) {
        const std::string first =
            chunk(ask, json::Object{{"role", "assistant"}, {"content", ""}}, nullptr);
        co_await send(exchange, first);
    }
    if (ask.model == "tools") {
        co_await stream_tools(exchange, ask);
    } else {
        const bool whole = co_await stream_words(exchange, ask);
        if (!whole) {
            co_return;
        }
    }
    json::Value last = frame(ask, nullptr);
    for (json::Member& each : *last.if_object()) {
        if (each.first == "choices") {
            each.second = json::Array{};
        }
    }
    last.if_object()->emplace_back("usage", usage(ask));
    co_await send(exchange, http::write_sse({}, json::write(last)));
    if (ask.model != "no-done") {
        const std::string done = "data: [DONE]\n\n";
        co_await send(exchange, done);
    }
    (void)co_await exchange.end();
}

Task<void> answer_json(http::Exchange& exchange, int status, json::Value value) {
    http::Headers headers;
    headers.push_back({"content-type", "application/json"});
    std::string body = json::write(value);
    (void)co_await exchange.answer(status, std::move(headers), std::move(body));
}

json::Value whole_choice(const Ask& ask) {
    json::Object choice{{"index", 0}, {"finish_reason", "stop"}};
    if (!ask.chat) {
        choice.emplace_back("text", ask.text);
        return choice;
    }
    json::Object message{{"role", "assistant"}, {"content", ask.text}};
    if (ask.model == "tools") {
        message = {
            {"role", "assistant"},
            {"content", nullptr},
            {"tool_calls",
             json::Array{json::Object{
                 {"id", "call_1"},
                 {"type", "function"},
                 {"function", json::Object{{"name", "weather"},
                                           {"arguments", "{\"city\":\"" + ask.text + "\"}"}}}}}}};
    }
    choice.emplace_back("message", std::move(message));
    return choice;
}

Task<void> answer_whole(http::Exchange& exchange, const Ask& ask) {
    if (ask.model == "garbage") {
        std::string garbage = "{not json";
        (void)co_await exchange.answer(200, http::Headers(), std::move(garbage));
        co_return;
    }
    const std::int64_t step = number_behind(ask.model, "paced-");
    if (step > 0) {
        co_await pause(exchange, std::chrono::milliseconds(step));
    }
    json::Value value = frame(ask, whole_choice(ask));
    value.if_object()->emplace_back("usage", usage(ask));
    if (ask.model == "cut") {
        (void)co_await exchange.begin(200, http::Headers());
        co_await send(exchange, json::write(value).substr(0, 40));
        co_return;
    }
    co_await answer_json(exchange, 200, std::move(value));
}

json::Value response_of(const Ask& ask, const char* status, json::Array output) {
    return json::Object{
        {"id", "resp_bench"},
        {"object", "response"},
        {"created_at", 1700000000},
        {"status", status},
        {"model", "bench-" + ask.model},
        {"store", ask.body.find("store") == nullptr ? json::Value(true) : *ask.body.find("store")},
        {"output", std::move(output)},
        {"usage", tokens(ask)}};
}

json::Value item_of(const Ask& ask, const char* status, const std::string& text) {
    if (ask.model == "tools") {
        return json::Object{{"type", "function_call"}, {"id", "fc_1"},     {"call_id", "call_1"},
                            {"name", "weather"},       {"status", status}, {"arguments", text}};
    }
    json::Array content;
    if (!text.empty()) {
        content.push_back(
            json::Object{{"type", "output_text"}, {"text", text}, {"annotations", json::Array{}}});
    }
    return json::Object{{"type", "message"},
                        {"id", "msg_1"},
                        {"role", "assistant"},
                        {"status", status},
                        {"content", std::move(content)}};
}

// The events of the Responses API, numbered.
class ResponseEvents {
public:
    explicit ResponseEvents(http::Exchange& exchange) : exchange_(exchange) {}

    Task<bool> say(const char* type, json::Object members) {
        members.insert(members.begin(), {"type", std::string(type)});
        members.emplace_back("sequence_number", number_++);
        const std::string event = http::write_sse(type, json::write(members));
        co_return co_await send(exchange_, event);
    }

private:
    http::Exchange& exchange_;
    std::int64_t number_ = 0;
};

Task<void> stream_response(http::Exchange& exchange, const Ask& ask) {
    http::Headers headers;
    headers.push_back({"content-type", "text/event-stream"});
    (void)co_await exchange.begin(200, std::move(headers));
    const bool tools = ask.model == "tools";
    const std::string said = tools ? "{\"city\":\"" + ask.text + "\"}" : ask.text;
    const std::string stem = tools ? "response.function_call_arguments" : "response.output_text";
    ResponseEvents events(exchange);
    json::Object created{{"response", response_of(ask, "in_progress", {})}};
    co_await events.say("response.created", std::move(created));
    json::Object added{{"output_index", 0}, {"item", item_of(ask, "in_progress", "")}};
    co_await events.say("response.output_item.added", std::move(added));
    json::Object where{{"item_id", tools ? "fc_1" : "msg_1"}, {"output_index", 0}};
    const json::Value part =
        json::Object{{"type", "output_text"}, {"text", ""}, {"annotations", json::Array{}}};
    if (!tools) {
        where.emplace_back("content_index", 0);
        json::Object begun = where;
        begun.emplace_back("part", part);
        co_await events.say("response.content_part.added", std::move(begun));
    }
    Ask spoken = ask;
    spoken.text = said;
    const std::vector<std::string> pieces = pieces_of(spoken);
    const std::chrono::milliseconds step(number_behind(ask.model, "paced-"));
    std::size_t sent = 0;
    for (const std::string& piece : pieces) {
        json::Object delta = where;
        delta.emplace_back("delta", piece);
        const bool taken = co_await events.say((stem + ".delta").c_str(), std::move(delta));
        if (!taken || (ask.model == "cut" && ++sent > pieces.size() / 2)) {
            co_return;
        }
        co_await pause(exchange, step);
    }
    json::Object done = where;
    done.emplace_back(tools ? "arguments" : "text", said);
    co_await events.say((stem + ".done").c_str(), std::move(done));
    json::Object item{{"output_index", 0}, {"item", item_of(ask, "completed", said)}};
    co_await events.say("response.output_item.done", std::move(item));
    json::Object completed{
        {"response", response_of(ask, "completed", {item_of(ask, "completed", said)})}};
    co_await events.say("response.completed", std::move(completed));
    (void)co_await exchange.end();
}

Task<void> answer_response(http::Exchange& exchange, const Ask& ask) {
    if (ask.stream) {
        co_await stream_response(exchange, ask);
        co_return;
    }
    const std::string said = ask.model == "tools" ? "{\"city\":\"" + ask.text + "\"}" : ask.text;
    json::Value response = response_of(ask, "completed", {item_of(ask, "completed", said)});
    co_await answer_json(exchange, 200, std::move(response));
}

json::Value message_of(const Ask& ask, json::Array content, json::Value reason) {
    const auto number = static_cast<std::int64_t>(ask.text.size() / 4 + 1);
    return json::Object{
        {"id", "msg_bench"},
        {"type", "message"},
        {"role", "assistant"},
        {"model", "bench-" + ask.model},
        {"content", std::move(content)},
        {"stop_reason", std::move(reason)},
        {"stop_sequence", nullptr},
        {"usage", json::Object{{"input_tokens", number}, {"output_tokens", number}}}};
}

json::Value block_of(const Ask& ask, bool whole) {
    if (ask.model == "tools") {
        json::Object input;
        if (whole) {
            input.emplace_back("city", ask.text);
        }
        return json::Object{{"type", "tool_use"},
                            {"id", "toolu_1"},
                            {"name", "weather"},
                            {"input", std::move(input)}};
    }
    return json::Object{{"type", "text"}, {"text", whole ? ask.text : std::string()}};
}

Task<bool> say(http::Exchange& exchange, json::Value event) {
    co_return co_await send(exchange,
                            http::write_sse(event.string_or("type", ""), json::write(event)));
}

// Anthropic's messages, as events.
Task<void> stream_message(http::Exchange& exchange, const Ask& ask) {
    http::Headers headers;
    headers.push_back({"content-type", "text/event-stream"});
    (void)co_await exchange.begin(200, std::move(headers));
    const bool tools = ask.model == "tools";
    json::Object start{{"type", "message_start"}, {"message", message_of(ask, {}, nullptr)}};
    co_await say(exchange, std::move(start));
    json::Object block{
        {"type", "content_block_start"}, {"index", 0}, {"content_block", block_of(ask, false)}};
    co_await say(exchange, std::move(block));
    json::Object ping{{"type", "ping"}};
    co_await say(exchange, std::move(ping));
    Ask spoken = ask;
    spoken.text = tools ? "{\"city\":\"" + ask.text + "\"}" : ask.text;
    const std::vector<std::string> pieces = pieces_of(spoken);
    std::size_t sent = 0;
    for (const std::string& piece : pieces) {
        json::Object delta{{"type", tools ? "input_json_delta" : "text_delta"},
                           {tools ? "partial_json" : "text", piece}};
        json::Object event{
            {"type", "content_block_delta"}, {"index", 0}, {"delta", std::move(delta)}};
        const bool taken = co_await say(exchange, std::move(event));
        if (!taken || (ask.model == "cut" && ++sent > pieces.size() / 2)) {
            co_return;
        }
    }
    json::Object stop{{"type", "content_block_stop"}, {"index", 0}};
    co_await say(exchange, std::move(stop));
    json::Object last{{"type", "message_delta"},
                      {"delta", json::Object{{"stop_reason", tools ? "tool_use" : "end_turn"},
                                             {"stop_sequence", nullptr}}},
                      {"usage", *message_of(ask, {}, nullptr).find("usage")}};
    co_await say(exchange, std::move(last));
    json::Object end{{"type", "message_stop"}};
    co_await say(exchange, std::move(end));
    (void)co_await exchange.end();
}

// Whoever forgets the version, or how long an answer may become, is refused, as at Anthropic.
Task<void> answer_message(http::Exchange& exchange, const Ask& ask) {
    const http::Request& request = exchange.request();
    if (request.header("anthropic-version").empty() || ask.body.find("max_tokens") == nullptr) {
        json::Object error{{"type", "invalid_request_error"}, {"message", "max_tokens: required"}};
        json::Object answer{{"type", "error"}, {"error", std::move(error)}};
        co_await answer_json(exchange, 400, std::move(answer));
        co_return;
    }
    if (ask.stream) {
        co_await stream_message(exchange, ask);
        co_return;
    }
    json::Array content{block_of(ask, true)};
    json::Value message =
        message_of(ask, std::move(content), ask.model == "tools" ? "tool_use" : "end_turn");
    co_await answer_json(exchange, 200, std::move(message));
}

// Whether what this request asks for was not made yet.
bool is_new(const http::Exchange& exchange, const std::string& made, std::string& before) {
    static std::map<std::string, std::string> by_key;
    const std::string key(exchange.request().header("idempotency-key"));
    if (key.empty()) {
        return true;
    }
    const auto [found, fresh] = by_key.emplace(key, made);
    before = found->second;
    return fresh;
}

Task<void> answer_picture(http::Exchange& exchange, const std::string& model) {
    std::string before;
    if (is_new(exchange, "pictures", before)) {
        ++counts().pictures;
    }
    if (const std::int64_t slow = number_behind(model, "picture-slow-"); slow > 0) {
        co_await pause(exchange, std::chrono::milliseconds(slow));
    }
    json::Array data;
    data.push_back(json::Object{{"b64_json", std::string(kPicture)}});
    json::Object answer{{"created", 1700000000}, {"data", std::move(data)}};
    co_await answer_json(exchange, 200, std::move(answer));
}

// The picture that came, under the name that it had here: what arrived is what the test sent.
Task<void> answer_edit(http::Exchange& exchange, const std::string& body) {
    json::Array data;
    json::Array names;
    const auto boundary = http::form_boundary(exchange.request().header("content-type"));
    if (boundary.ok()) {
        const auto parts = http::parse_form(body, *boundary);
        for (const http::FormPart& part : parts.ok() ? *parts : std::vector<http::FormPart>()) {
            names.push_back(part.name + (part.file_name ? "=" + *part.file_name
                                                        : "=" + std::string(part.data)));
            if (part.file_name && part.name.starts_with("image")) {
                data.push_back(json::Object{{"b64_json", to_base64(as_bytes(part.data))}});
            }
        }
    }
    json::Object answer{
        {"created", 1700000000}, {"data", std::move(data)}, {"parts", std::move(names)}};
    co_await answer_json(exchange, 200, std::move(answer));
}

Task<void> answer_error(http::Exchange& exchange, int status) {
    json::Object error{{"error", json::Object{{"message", "the bench upstream was told to fail"},
                                              {"type", "bench"}}}};
    co_await answer_json(exchange, status, std::move(error));
}

// The fields of a request for a video, whichever way they came.
json::Value video_fields(http::Exchange& exchange, const std::string& body) {
    const auto boundary = http::form_boundary(exchange.request().header("content-type"));
    if (!boundary.ok()) {
        auto parsed = json::parse(body, {.bytes_max = body.size() + 1});
        return parsed.ok() ? std::move(*parsed) : json::Value();
    }
    json::Object fields;
    const auto parts = http::parse_form(body, *boundary);
    for (const http::FormPart& part : parts.ok() ? *parts : std::vector<http::FormPart>()) {
        fields.emplace_back(part.name, part.file_name ? "a file" : std::string(part.data));
    }
    return fields;
}

json::Value video_object(const std::string& id, const VideoTask& task) {
    const std::int64_t slow = number_behind(task.model, "video-slow-");
    const auto took = std::chrono::steady_clock::now() - task.began;
    const bool done = slow > 0 ? took >= std::chrono::milliseconds(slow) : task.asked >= 3;
    std::string status = done ? "completed" : task.asked == 0 ? "queued" : "in_progress";
    json::Value error;
    if (task.model == "video-forever" && task.asked > 0) {
        status = "in_progress";
    }
    if (task.model == "video-fails" && task.asked > 0) {
        status = "failed";
        error = json::Object{{"code", "moderation_blocked"}, {"message", "not this one"}};
    }
    return json::Object{{"id", id},
                        {"object", "video"},
                        {"status", status},
                        {"model", "bench-" + task.model},
                        {"progress", std::int64_t{std::min(task.asked * 33, 100)}},
                        {"seconds", task.seconds},
                        {"error", std::move(error)}};
}

Task<void> answer_video_content(http::Exchange& exchange, const std::string& model) {
    http::Headers headers;
    headers.push_back({"content-type", "video/mp4"});
    std::string file = video_file();
    if (model == "video-text") {
        file = "This is no video at all.";
    } else if (model == "video-picture") {
        const auto picture = from_base64(kPicture);
        file = picture.ok() ? std::string(as_text(*picture)) : std::string();
    } else if (model == "video-half") {
        file.resize(file.size() / 2);
    } else if (model == "video-cut") {
        (void)co_await exchange.begin(200, std::move(headers));
        co_await send(exchange, file.substr(0, file.size() / 2));
        co_return;
    }
    (void)co_await exchange.answer(200, std::move(headers), std::move(file));
}

// POST /videos, and GET, DELETE /videos/ID, GET /videos/ID/content. `path` begins behind "/videos".
Task<void> answer_video(http::Exchange& exchange, std::string path, const std::string& body) {
    if (path.empty()) {
        const json::Value fields = video_fields(exchange, body);
        const std::string model = fields.string_or("model", "");
        if (const std::int64_t status = number_behind(model, "video-error-"); status > 0) {
            co_await answer_error(exchange, static_cast<int>(status));
            co_return;
        }
        std::string id = "video_" + std::to_string(counts().videos + 1);
        std::string before;
        if (is_new(exchange, id, before)) {
            ++counts().videos;
        } else {
            id = before;
        }
        const VideoTask& task =
            video_tasks()
                .insert_or_assign(
                    id, VideoTask{.model = model, .seconds = fields.string_or("seconds", "4")})
                .first->second;
        json::Value object = video_object(id, task);
        if (const std::int64_t late = number_behind(model, "video-answer-"); late > 0) {
            co_await pause(exchange, std::chrono::milliseconds(late));
        }
        co_await answer_json(exchange, 200, std::move(object));
        co_return;
    }
    const bool content = path.ends_with("/content");
    const std::string id = path.substr(1, path.size() - (content ? 9 : 1));
    const auto task = video_tasks().find(id);
    if (task == video_tasks().end()) {
        co_await answer_error(exchange, 404);
        co_return;
    }
    if (content) {
        ++counts().video_contents;
        co_await answer_video_content(exchange, task->second.model);
        co_return;
    }
    if (exchange.request().method == "DELETE") {
        ++counts().videos_deleted;
        json::Object told{{"id", id}, {"deleted", true}};
        co_await answer_json(exchange, 200, std::move(told));
        co_return;
    }
    ++task->second.asked;
    co_await answer_json(exchange, 200, video_object(id, task->second));
}

Task<void> serve(http::Exchange& exchange) {
    const std::string path = exchange.request().path;
    if (path == "/count") {
        json::Object told{{"calls", counts().calls},
                          {"given_up", counts().given_up},
                          {"pictures", counts().pictures},
                          {"videos", counts().videos},
                          {"videos_deleted", counts().videos_deleted},
                          {"video_contents", counts().video_contents}};
        co_await answer_json(exchange, 200, std::move(told));
        co_return;
    }
    ++counts().calls;
    const auto body = co_await exchange.read_body(std::uint64_t{64} << 20U);
    if (!body.ok()) {
        co_return;
    }
    if (path == "/video") {
        video_file() = *body;
        json::Object told{{"bytes", body->size()}};
        co_await answer_json(exchange, 200, std::move(told));
        co_return;
    }
    constexpr std::string_view kVideos = "/v1/videos";
    if (path.starts_with(kVideos)) {
        co_await answer_video(exchange, path.substr(kVideos.size()), *body);
        co_return;
    }
    if (path.ends_with("/images/edits")) {
        co_await answer_edit(exchange, *body);
        co_return;
    }
    auto parsed = json::parse(*body, {.depth_max = 64, .bytes_max = body->size() + 1});
    if (!parsed.ok()) {
        co_await answer_error(exchange, 400);
        co_return;
    }
    Ask ask;
    ask.body = std::move(*parsed);
    ask.model = ask.body.string_or("model", "");
    const bool responses = path.ends_with("/responses");
    ask.text = responses ? last_input(ask.body) : last_text(ask.body);
    if (ask.model == "backwards") {
        std::ranges::reverse(ask.text);
    }
    ask.chat = path.ends_with("/chat/completions");
    const json::Value* stream = ask.body.find("stream");
    ask.stream = stream != nullptr && stream->if_bool() != nullptr && *stream->if_bool();
    if (const std::int64_t status = number_behind(ask.model, "error-"); status > 0) {
        co_await answer_error(exchange, static_cast<int>(status));
    } else if (ask.model == "flaky" && counts().flaky++ % 2 == 0) {
        co_await answer_error(exchange, 503);
    } else if (ask.model == "hang") {
        co_await pause(exchange, std::chrono::hours(1));
    } else if (path.ends_with("/images/generations")) {
        co_await answer_picture(exchange, ask.model);
    } else if (path.ends_with("/messages")) {
        co_await answer_message(exchange, ask);
    } else if (responses) {
        co_await answer_response(exchange, ask);
    } else if (ask.stream) {
        co_await answer_stream(exchange, ask);
    } else {
        co_await answer_whole(exchange, ask);
    }
}

int run(std::uint16_t port) {
    (void)std::signal(SIGPIPE, SIG_IGN);
    http::Loop loop;
    http::ServerLimits limits;
    limits.connections_max = 100'000;
    limits.per_peer_max = 100'000;
    http::Server server({&loop}, {.limits = limits, .handler = serve, .refusal = {}});
    const auto listening = server.listen("127.0.0.1", port);
    if (!listening.ok()) {
        (void)std::fprintf(stderr, "bench_upstream: %s\n", listening.error().what.c_str());
        return 1;
    }
    (void)std::printf("%u\n", static_cast<unsigned>(server.port()));
    (void)std::fflush(stdout);
    loop.on_signals({SIGTERM, SIGINT}, [&loop](int) { loop.stop(); });
    loop.run();
    return 0;
}

}  // namespace
}  // namespace colophon

int main(int argc, char** argv) {
    const unsigned long port = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 0;
    return colophon::run(static_cast<std::uint16_t>(port));
}
