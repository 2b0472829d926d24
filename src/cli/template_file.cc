// SPDX-License-Identifier: Apache-2.0
#include "cli/template_file.h"

#include "cli/files.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/json_template.h"
#include "http/message.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {

using gateway::JsonPointer;
using gateway::RequestTemplate;

namespace {

constexpr std::size_t kTemplateBytesMax = 64U << 10U;
constexpr int kBodyDepthMax = 16;

}  // namespace

Result<toml::table> read_template_file(const std::string& path, std::string& bytes) {
    bytes = TRY(read_small_file(path, kTemplateBytesMax));
    try {
        return toml::parse(bytes, path);
    } catch (const toml::parse_error& error) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("{}, line {}: {}", path, error.source().begin.line, error.description())};
    }
}

Error wrong_template(const std::string& path, const toml::node& node, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}, line {}: {}", path, node.source().begin.line, what)};
}

Result<std::string> template_text(const std::string& path, std::string_view key,
                                  const toml::node& node) {
    const auto text = node.value<std::string>();
    if (!text) {
        return wrong_template(path, node, fmt::format("{} must be a text in quotes", key));
    }
    return *text;
}

Result<JsonPointer> template_pointer(const std::string& path, const toml::node& node,
                                     std::string_view text) {
    auto pointer = JsonPointer::parse(text);
    if (!pointer.ok()) {
        return wrong_template(path, node, pointer.error().what);
    }
    return pointer;
}

Result<void> read_template_words(const std::string& path, std::string_view key,
                                 const toml::node& node, std::vector<std::string>& to) {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
        return wrong_template(path, node, fmt::format("{} must be a list of texts", key));
    }
    for (const toml::node& each : *list) {
        std::string word = TRY(template_text(path, key, each));
        to.push_back(std::move(word));
    }
    return {};
}

namespace {

Result<void> read_headers(const std::string& path, const toml::node& node, RequestTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong_template(path, node, fmt::format("{} must be a section", "request.headers"));
    }
    for (const auto& [name, value] : *table) {
        std::string small(name.str());
        std::ranges::transform(small, small.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        });
        const bool plain = !small.empty() && std::ranges::all_of(small, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        });
        if (!plain || small == "host" || small == "content-length" || small == "connection") {
            return wrong_template(path, value,
                                  fmt::format("there can be no header \"{}\" here", small));
        }
        std::string text = TRY(template_text(path, name.str(), value));
        to.headers.push_back({std::move(small), std::move(text)});
    }
    return {};
}

Result<void> read_body(const std::string& path, const toml::node& node, RequestTemplate& to) {
    const std::string text = TRY(template_text(path, "body", node));
    auto body = json::parse(text, {.depth_max = kBodyDepthMax, .bytes_max = kTemplateBytesMax});
    if (!body.ok()) {
        return wrong_template(path, node,
                              fmt::format("the body is no JSON: {}", body.error().what));
    }
    if (text.find("{key}") != std::string::npos) {
        return wrong_template(path, node, "the key may stand in a header only");
    }
    to.body = std::move(*body);
    return {};
}

}  // namespace

Result<void> read_template_request(const std::string& path, const toml::node& node,
                                   RequestTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong_template(path, node, fmt::format("{} must be a section", "request"));
    }
    for (const auto& [key, value] : *table) {
        if (key == "method") {
            to.method = TRY(template_text(path, key.str(), value));
            if (to.method != "POST" && to.method != "GET" && to.method != "PUT") {
                return wrong_template(path, value, "the method is POST, PUT or GET");
            }
        } else if (key == "path") {
            to.path = TRY(template_text(path, key.str(), value));
            if (to.path.find("{key}") != std::string::npos) {
                return wrong_template(path, value, "the key may stand in a header only");
            }
        } else if (key == "headers") {
            TRY(read_headers(path, value, to));
        } else if (key == "body") {
            TRY(read_body(path, value, to));
        } else {
            return wrong_template(path, value,
                                  fmt::format("[{}] has no key \"{}\"", "request", key.str()));
        }
    }
    return {};
}

void add_content_type(RequestTemplate& to) {
    const bool typed = std::ranges::any_of(
        to.headers, [](const http::Header& each) { return each.name == "content-type"; });
    if (!to.body.is_null() && !typed) {
        to.headers.push_back({"content-type", "application/json"});
    }
}

}  // namespace colophon::cli
