// SPDX-License-Identifier: Apache-2.0
#include "cli/upstream_template.h"

#include "cli/template_file.h"
#include "core/result.h"
#include "gateway/json_template.h"
#include "gateway/template_upstream.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
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

Result<void> read_answer(const std::string& path, const toml::node& node, UpstreamTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong_template(path, node, fmt::format("{} must be a section", "answer"));
    }
    for (const auto& [key, value] : *table) {
        const auto* row = std::ranges::find(kPointers, key.str(), &Pointer::name);
        if (row == kPointers.end()) {
            return wrong_template(path, value,
                                  fmt::format("[{}] has no key \"{}\"", "answer", key.str()));
        }
        const std::string text = TRY(template_text(path, key.str(), value));
        to.*(row->member) = TRY(template_pointer(path, value, text));
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

Result<void> read_task_key(const std::string& path, std::string_view key, const toml::node& value,
                           TemplateTask& to) {
    const auto* words = std::ranges::find(kTaskWords, key, &TaskWords::name);
    if (words != kTaskWords.end()) {
        return read_template_words(path, key, value, to.*(words->member));
    }
    std::string text = TRY(template_text(path, key, value));
    const auto* plain = std::ranges::find(kTaskTexts, key, &TaskText::name);
    if (plain != kTaskTexts.end()) {
        if (text.find("{key}") != std::string::npos) {
            return wrong_template(path, value, "the key may stand in a header only");
        }
        to.*(plain->member) = std::move(text);
        return {};
    }
    const auto* row = std::ranges::find(kTaskPointers, key, &TaskPointer::name);
    if (row == kTaskPointers.end()) {
        return wrong_template(path, value, fmt::format("[{}] has no key \"{}\"", "task", key));
    }
    to.*(row->member) = TRY(template_pointer(path, value, text));
    return {};
}

Result<void> read_task(const std::string& path, const toml::node& node, UpstreamTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong_template(path, node, fmt::format("{} must be a section", "task"));
    }
    TemplateTask task;
    for (const auto& [key, value] : *table) {
        TRY(read_task_key(path, key.str(), value, task));
    }
    if (!task.id || !task.status || task.path.empty() || task.done.empty() ||
        task.video.has_value() != task.video_path.empty()) {
        return wrong_template(
            path, node, "[task] needs id, path, status, done, and either video or video_path");
    }
    if (task.cancel_method.empty()) {
        task.cancel_method = "POST";
    }
    if (task.cancel_method != "POST" && task.cancel_method != "DELETE") {
        return wrong_template(path, node, "cancel_method is POST or DELETE");
    }
    to.task = std::move(task);
    return {};
}

Result<UpstreamTemplate> read_template(const std::string& path, const toml::table& root) {
    UpstreamTemplate to;
    for (const auto& [key, value] : root) {
        if (key == "request") {
            TRY(read_template_request(path, value, to));
        } else if (key == "answer") {
            TRY(read_answer(path, value, to));
        } else if (key == "task") {
            TRY(read_task(path, value, to));
        } else {
            return wrong_template(path, value,
                                  fmt::format("there is no section \"{}\"", key.str()));
        }
    }
    add_content_type(to);
    return to;
}

}  // namespace

Result<UpstreamTemplate> read_upstream_template(const std::string& path) {
    std::string bytes;
    const toml::table root = TRY(read_template_file(path, bytes));
    return read_template(path, root);
}

}  // namespace colophon::cli
