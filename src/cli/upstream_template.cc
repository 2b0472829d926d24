// SPDX-License-Identifier: Apache-2.0
#include "cli/upstream_template.h"

#include "cli/files.h"
#include "core/json.h"
#include "core/result.h"
#include "gateway/template_upstream.h"
#include "http/message.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::cli {
namespace {

using gateway::JsonPointer;
using gateway::TemplateTask;
using gateway::UpstreamTemplate;

constexpr std::size_t kTemplateBytesMax = 64U << 10U;
constexpr int kBodyDepthMax = 16;

struct Pointer {
    std::string_view name;
    std::optional<JsonPointer> UpstreamTemplate::* member;
};
constexpr std::array kPointers{
    Pointer{"text", &UpstreamTemplate::text},
    Pointer{"images", &UpstreamTemplate::images},
    Pointer{"image", &UpstreamTemplate::image},
    Pointer{"audio", &UpstreamTemplate::audio},
    Pointer{"error", &UpstreamTemplate::error},
    Pointer{"input_tokens", &UpstreamTemplate::input_tokens},
    Pointer{"output_tokens", &UpstreamTemplate::output_tokens},
};

Error wrong(const std::string& path, const toml::node& node, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{}, line {}: {}", path, node.source().begin.line, what)};
}

Result<std::string> text_at(const std::string& path, std::string_view key, const toml::node& node) {
    const auto text = node.value<std::string>();
    if (!text) {
        return wrong(path, node, fmt::format("{} must be a text in quotes", key));
    }
    return *text;
}

Result<void> read_headers(const std::string& path, const toml::node& node, UpstreamTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong(path, node, fmt::format("{} must be a section", "request.headers"));
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
            return wrong(path, value, fmt::format("there can be no header \"{}\" here", small));
        }
        std::string text = TRY(text_at(path, name.str(), value));
        to.headers.push_back({std::move(small), std::move(text)});
    }
    return {};
}

Result<void> read_body(const std::string& path, const toml::node& node, UpstreamTemplate& to) {
    const std::string text = TRY(text_at(path, "body", node));
    auto body = json::parse(text, {.depth_max = kBodyDepthMax, .bytes_max = kTemplateBytesMax});
    if (!body.ok()) {
        return wrong(path, node, fmt::format("the body is no JSON: {}", body.error().what));
    }
    if (text.find("{key}") != std::string::npos) {
        return wrong(path, node, "the key may stand in a header only");
    }
    to.body = std::move(*body);
    return {};
}

Result<void> read_request(const std::string& path, const toml::node& node, UpstreamTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong(path, node, fmt::format("{} must be a section", "request"));
    }
    for (const auto& [key, value] : *table) {
        if (key == "method") {
            to.method = TRY(text_at(path, key.str(), value));
            if (to.method != "POST" && to.method != "GET" && to.method != "PUT") {
                return wrong(path, value, "the method is POST, PUT or GET");
            }
        } else if (key == "path") {
            to.path = TRY(text_at(path, key.str(), value));
            if (to.path.find("{key}") != std::string::npos) {
                return wrong(path, value, "the key may stand in a header only");
            }
        } else if (key == "headers") {
            TRY(read_headers(path, value, to));
        } else if (key == "body") {
            TRY(read_body(path, value, to));
        } else {
            return wrong(path, value, fmt::format("[{}] has no key \"{}\"", "request", key.str()));
        }
    }
    return {};
}

Result<void> read_answer(const std::string& path, const toml::node& node, UpstreamTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong(path, node, fmt::format("{} must be a section", "answer"));
    }
    for (const auto& [key, value] : *table) {
        const auto* row = std::ranges::find(kPointers, key.str(), &Pointer::name);
        if (row == kPointers.end()) {
            return wrong(path, value, fmt::format("[{}] has no key \"{}\"", "answer", key.str()));
        }
        const std::string text = TRY(text_at(path, key.str(), value));
        auto pointer = JsonPointer::parse(text);
        if (!pointer.ok()) {
            return wrong(path, value, pointer.error().what);
        }
        to.*(row->member) = std::move(*pointer);
    }
    return {};
}

struct TaskPointer {
    std::string_view name;
    std::optional<JsonPointer> TemplateTask::* member;
};
constexpr std::array kTaskPointers{
    TaskPointer{"id", &TemplateTask::id},
    TaskPointer{"status", &TemplateTask::status},
    TaskPointer{"progress", &TemplateTask::progress},
    TaskPointer{"seconds", &TemplateTask::seconds},
    TaskPointer{"video", &TemplateTask::video},
};
struct TaskText {
    std::string_view name;
    std::string TemplateTask::* member;
};
constexpr std::array kTaskTexts{
    TaskText{"path", &TemplateTask::path},
    TaskText{"video_path", &TemplateTask::video_path},
    TaskText{"cancel_method", &TemplateTask::cancel_method},
    TaskText{"cancel_path", &TemplateTask::cancel_path},
};
struct TaskWords {
    std::string_view name;
    std::vector<std::string> TemplateTask::* member;
};
constexpr std::array kTaskWords{
    TaskWords{"done", &TemplateTask::done},
    TaskWords{"failed", &TemplateTask::failed},
};

Result<void> read_words(const std::string& path, std::string_view key, const toml::node& node,
                        std::vector<std::string>& to) {
    const toml::array* list = node.as_array();
    if (list == nullptr) {
        return wrong(path, node, fmt::format("{} must be a list of texts", key));
    }
    for (const toml::node& each : *list) {
        std::string word = TRY(text_at(path, key, each));
        to.push_back(std::move(word));
    }
    return {};
}

Result<void> read_task_key(const std::string& path, std::string_view key, const toml::node& value,
                           TemplateTask& to) {
    const auto* words = std::ranges::find(kTaskWords, key, &TaskWords::name);
    if (words != kTaskWords.end()) {
        return read_words(path, key, value, to.*(words->member));
    }
    std::string text = TRY(text_at(path, key, value));
    const auto* plain = std::ranges::find(kTaskTexts, key, &TaskText::name);
    if (plain != kTaskTexts.end()) {
        if (text.find("{key}") != std::string::npos) {
            return wrong(path, value, "the key may stand in a header only");
        }
        to.*(plain->member) = std::move(text);
        return {};
    }
    const auto* row = std::ranges::find(kTaskPointers, key, &TaskPointer::name);
    if (row == kTaskPointers.end()) {
        return wrong(path, value, fmt::format("[{}] has no key \"{}\"", "task", key));
    }
    auto pointer = JsonPointer::parse(text);
    if (!pointer.ok()) {
        return wrong(path, value, pointer.error().what);
    }
    to.*(row->member) = std::move(*pointer);
    return {};
}

Result<void> read_task(const std::string& path, const toml::node& node, UpstreamTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong(path, node, fmt::format("{} must be a section", "task"));
    }
    TemplateTask task;
    for (const auto& [key, value] : *table) {
        TRY(read_task_key(path, key.str(), value, task));
    }
    if (!task.id || !task.status || task.path.empty() || task.done.empty() ||
        task.video.has_value() != task.video_path.empty()) {
        return wrong(path, node,
                     "[task] needs id, path, status, done, and either video or video_path");
    }
    if (task.cancel_method.empty()) {
        task.cancel_method = "POST";
    }
    if (task.cancel_method != "POST" && task.cancel_method != "DELETE") {
        return wrong(path, node, "cancel_method is POST or DELETE");
    }
    to.task = std::move(task);
    return {};
}

Result<UpstreamTemplate> read_template(const std::string& path, const toml::table& root) {
    UpstreamTemplate to;
    for (const auto& [key, value] : root) {
        if (key == "request") {
            TRY(read_request(path, value, to));
        } else if (key == "answer") {
            TRY(read_answer(path, value, to));
        } else if (key == "task") {
            TRY(read_task(path, value, to));
        } else {
            return wrong(path, value, fmt::format("there is no section \"{}\"", key.str()));
        }
    }
    const bool typed = std::ranges::any_of(
        to.headers, [](const http::Header& each) { return each.name == "content-type"; });
    if (!to.body.is_null() && !typed) {
        to.headers.push_back({"content-type", "application/json"});
    }
    return to;
}

}  // namespace

Result<UpstreamTemplate> read_upstream_template(const std::string& path) {
    const std::string text = TRY(read_small_file(path, kTemplateBytesMax));
    std::optional<toml::table> root;
    try {
        root = toml::parse(text, path);
    } catch (const toml::parse_error& error) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("{}, line {}: {}", path, error.source().begin.line, error.description())};
    }
    return read_template(path, *root);
}

}  // namespace colophon::cli
