// SPDX-License-Identifier: Apache-2.0
#pragma once

// Requests and answers of whatever shape, as a file describes them: how a request is filled in, and
// where in an answer something lies. For upstreams (template_upstream.h) and for checks of others
// (template_check.h).

#include "core/json.h"
#include "core/result.h"
#include "http/message.h"

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::gateway {

// A JSON pointer (RFC 6901): "/data/0/url"; "" is the whole.
class JsonPointer {
public:
    JsonPointer() = default;
    // kInvalidArgument for what does not begin with a slash, or has a "~" that is no escape.
    static Result<JsonPointer> parse(std::string_view text);
    // nullptr when there is nothing.
    const json::Value* find(const json::Value& value) const noexcept;

private:
    std::vector<std::string> steps_;
};

// A request. Placeholders are {name}. A text that is nothing but a placeholder becomes the value,
// whatever its kind, and is left out where there is none; within a text it becomes text.
struct RequestTemplate {
    std::string method = "POST";
    std::string path;       // appended to the address; what is filled in is percent-encoded
    http::Headers headers;  // {key} stands for the key here, and nowhere else
    json::Value body;       // null: the request has none
};

using PlaceholderValue = std::function<json::Value(std::string_view name)>;

// The text with each placeholder replaced by what `text_of` says.
std::string fill_text(std::string_view pattern,
                      const std::function<std::string(std::string_view)>& text_of);
json::Value fill_value(const json::Value& pattern, const PlaceholderValue& value_of);
std::string fill_path(std::string_view pattern, const PlaceholderValue& value_of);
// kInvalidArgument: a value with a line break.
Result<http::Headers> fill_headers(const http::Headers& patterns,
                                   const std::function<std::string(std::string_view)>& text_of);
// Whether it has a placeholder of that name anywhere but in its headers.
bool has_placeholder(const RequestTemplate& request, std::string_view name);

// A text as it is, nothing for null, JSON for everything else.
std::string plain_text(const json::Value& value);

}  // namespace colophon::gateway
