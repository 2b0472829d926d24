// SPDX-License-Identifier: Apache-2.0
#include "cli/check_template.h"

#include "cli/template_file.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "gateway/json_template.h"
#include "gateway/template_check.h"

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

using gateway::CheckTemplate;
using gateway::JsonPointer;

struct Pointer {
    std::string_view name;
    std::optional<JsonPointer> CheckTemplate::* member;
};
constexpr std::array kPointers{
    Pointer{"error", &CheckTemplate::error},
    Pointer{"verdict", &CheckTemplate::verdict},
    Pointer{"labels", &CheckTemplate::labels},
    Pointer{"label", &CheckTemplate::label},
    Pointer{"label_score", &CheckTemplate::label_score},
    Pointer{"score", &CheckTemplate::score},
};
struct Words {
    std::string_view name;
    std::vector<std::string> CheckTemplate::* member;
};
constexpr std::array kWords{
    Words{"found", &CheckTemplate::found},
    Words{"passed", &CheckTemplate::passed},
    Words{"unsure", &CheckTemplate::unsure},
    Words{"harmless", &CheckTemplate::harmless},
};

Result<void> read_answer_key(const std::string& path, std::string_view key, const toml::node& value,
                             CheckTemplate& to) {
    const auto* words = std::ranges::find(kWords, key, &Words::name);
    if (words != kWords.end()) {
        return read_template_words(path, key, value, to.*(words->member));
    }
    if (key == "score_most") {
        const auto most = value.value<double>();
        if (!most || !(*most > 0)) {
            return wrong_template(path, value, "score_most must be a number over 0");
        }
        to.score_most = *most;
        return {};
    }
    const auto* row = std::ranges::find(kPointers, key, &Pointer::name);
    if (row == kPointers.end()) {
        return wrong_template(path, value, fmt::format("[{}] has no key \"{}\"", "answer", key));
    }
    const std::string text = TRY(template_text(path, key, value));
    to.*(row->member) = TRY(template_pointer(path, value, text));
    return {};
}

Result<void> read_answer(const std::string& path, const toml::node& node, CheckTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong_template(path, node, fmt::format("{} must be a section", "answer"));
    }
    for (const auto& [key, value] : *table) {
        TRY(read_answer_key(path, key.str(), value, to));
    }
    if (!to.verdict && !to.labels && !to.score) {
        return wrong_template(path, node, "[answer] needs verdict, labels or score");
    }
    if (!to.labels && (to.label || to.label_score || !to.harmless.empty())) {
        return wrong_template(path, node, "label, label_score and harmless belong to labels");
    }
    if (to.label_score && !to.label) {
        return wrong_template(path, node, "label_score belongs to label");
    }
    if (!to.verdict && (!to.found.empty() || !to.passed.empty() || !to.unsure.empty())) {
        return wrong_template(path, node, "found, passed and unsure belong to verdict");
    }
    return {};
}

Result<void> read_categories(const std::string& path, const toml::node& node, CheckTemplate& to) {
    const toml::table* table = node.as_table();
    if (table == nullptr) {
        return wrong_template(path, node, fmt::format("{} must be a section", "categories"));
    }
    for (const auto& [name, value] : *table) {
        std::string small(name.str());
        std::ranges::transform(small, small.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
        });
        std::string category = TRY(template_text(path, name.str(), value));
        if (category.empty()) {
            return wrong_template(path, value, "a category has a name");
        }
        to.categories[std::move(small)] = std::move(category);
    }
    return {};
}

}  // namespace

Result<CheckTemplate> read_check_template(const std::string& path) {
    std::string bytes;
    const toml::table root = TRY(read_template_file(path, bytes));
    CheckTemplate to;
    for (const auto& [key, value] : root) {
        if (key == "request") {
            TRY(read_template_request(path, value, to.request));
        } else if (key == "answer") {
            TRY(read_answer(path, value, to));
        } else if (key == "categories") {
            TRY(read_categories(path, value, to));
        } else {
            return wrong_template(path, value,
                                  fmt::format("there is no section \"{}\"", key.str()));
        }
    }
    if (!to.verdict && !to.labels && !to.score) {
        return wrong_template(path, root, "[answer] needs verdict, labels or score");
    }
    if (!to.takes_texts() && !to.takes_images()) {
        return wrong_template(path, root,
                              "the request shows nothing: no placeholder of it is a text or a "
                              "picture");
    }
    add_content_type(to.request);
    to.digest = to_hex(sha256(as_bytes(bytes)));
    return to;
}

}  // namespace colophon::cli
