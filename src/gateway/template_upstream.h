// SPDX-License-Identifier: Apache-2.0
#pragma once

// An upstream that a file describes: how a request is made out of a call, and where in its answer
// the content lies. What it gives becomes an answer in OpenAI's shape before it is reviewed and
// labelled, so that everything behind it knows one shape only.

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/json_template.h"
#include "http/message.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {

struct UpstreamSettings;
struct Target;

// Placeholders (json_template.h) are model, prompt, system, messages, user, and every member of the
// request itself (temperature, size, voice, ...).

// What is not there at once: a task that is asked about until it has ended. {task} is its number in
// the paths.
struct TemplateTask {
    std::optional<JsonPointer> id;  // in the answer to the request
    std::string path;               // of the question, by GET
    std::optional<JsonPointer> status;
    std::vector<std::string> done;        // what the status is then
    std::vector<std::string> failed;      // any other word: not yet
    std::optional<JsonPointer> progress;  // 0 .. 100
    std::optional<JsonPointer> seconds;   // how long the video is
    std::optional<JsonPointer> video;     // base64 or an address
    std::string video_path;               // or this is where the video lies
    std::string cancel_method;
    std::string cancel_path;  // empty: it cannot be cancelled
};

struct UpstreamTemplate : RequestTemplate {
    // Of the answer. Without `text`, `images` or `audio` its body is the content itself.
    std::optional<JsonPointer> text;
    std::optional<JsonPointer> images;  // a list, or one picture
    std::optional<JsonPointer> image;   // within an element of it; base64 or an address
    std::optional<JsonPointer> audio;   // base64 or an address
    std::optional<JsonPointer> error;   // says why there is no content
    std::optional<JsonPointer> input_tokens;
    std::optional<JsonPointer> output_tokens;
    std::optional<TemplateTask> task;
};

// What a call asks, for the placeholders.
struct TemplateAsk {
    const json::Value& body;  // in OpenAI's shape
    std::string prompt;       // the last text of the user
};

// The last text of a user, and what the system says, of a chat's messages.
std::string last_prompt(const json::Value& chat);

// kInvalidArgument: a value with a line break.
Result<http::Headers> template_headers(const UpstreamSettings& upstream, const Target& target);
std::string template_path(const UpstreamSettings& upstream, const Target& target,
                          const TemplateAsk& ask);
// A path of its task.
std::string template_task_path(std::string_view path, std::string_view task);
std::string template_body(const UpstreamSettings& upstream, const Target& target,
                          const TemplateAsk& ask);

// The answer as a chat completion, and as what /images/generations answers. kUnavailable when it
// says that it failed, kCorrupt when the content is not where it should be. `created`: Unix time.
Result<json::Value> template_chat(const UpstreamTemplate& from, std::string_view body,
                                  std::string_view model, std::int64_t created);
Result<json::Value> template_images(const UpstreamTemplate& from, std::string_view body);
// A chat of one choice as one of the older completions.
json::Value chat_as_completion(json::Value chat);
// The same answer, either of them, as the events of a stream, with the "[DONE]" at their end.
std::vector<std::string> chat_as_chunks(const json::Value& chat);

// What it says when it failed is an error; kCorrupt for what is no JSON.
Result<json::Value> template_answer(const UpstreamTemplate& from, std::string_view body);

// Sound: its bytes, or the address where it lies.
struct TemplateSound {
    Buffer bytes;
    std::string address;
};
Result<TemplateSound> template_sound(const UpstreamTemplate& from, std::string_view body);

}  // namespace colophon::gateway
