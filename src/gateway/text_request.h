// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a call for text asks, read from its body, and made ready for an upstream. What is not known
// here passes through; what would bring content that nobody reviewed is refused by name.

#include "core/json.h"
#include "core/result.h"
#include "gateway/call.h"
#include "gateway/refusal.h"
#include "gateway/settings.h"
#include "gateway/text_gate.h"
#include "gateway/text_stream.h"
#include "http/upstream.h"

#include <optional>
#include <string>

namespace colophon::gateway {

struct TextRequest {
    TextShape shape = TextShape::kChat;
    json::Value body;
    Ask ask;
    bool stream = false;
    bool wants_usage = false;
    bool wants_json = false;  // response_format: words in the text would break it
};

// Fills the request, whose shape is set, from the body of the call.
std::optional<Refusal> read_text_request(const Call& call, const std::string& body,
                                         TextRequest& request);

// The words that the texts of this call bear, or that the application shall show.
struct Words {
    TextLabel label;
    std::string notice;
};
std::optional<Refusal> words_of(const Call& call, const TextRequest& request, Words& words);

// After the call was admitted: the upstream learns a handle of the end user, not the name that the
// application uses, and streams tell their usage.
void prepare_text_body(const Call& call, TextRequest& request);
// The request as the upstream's dialect has it. kInvalidArgument says what that dialect cannot ask.
Result<http::UpstreamRequest> text_upstream_request(TextRequest& request,
                                                    const UpstreamSettings& upstream,
                                                    const Target& target);
// Whether answers must be translated between these two; they can be when true or when the dialect
// is the shape's own.
bool is_translated(TextShape shape, Dialect dialect) noexcept;

}  // namespace colophon::gateway
