// SPDX-License-Identifier: Apache-2.0
#pragma once

// One table of a provider's file, read strictly. Only sources that already include toml++ take
// this.

#include "core/result.h"
#include "identity/limits.h"
#include "identity/request_signature.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity::internal {

inline constexpr std::size_t kTemplateValueBytesMax = 4'096;

inline Error wrong(std::string_view key, std::string_view what) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("'{}' of a verification provider {}", key, what)};
}

// One table of the file. Keys that nobody asked for are found at the end.
class Section {
public:
    Section(const toml::table* table, std::string name) : table_(table), name_(std::move(name)) {}

    bool exists() const noexcept { return table_ != nullptr; }
    std::string full(std::string_view key) const {
        return name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key);
    }

    const toml::node* find(std::string_view key) {
        asked_.emplace_back(key);
        return table_ == nullptr ? nullptr : table_->get(key);
    }

    Result<std::string> text(std::string_view key, std::string_view otherwise) {
        const toml::node* node = find(key);
        if (node == nullptr) {
            return std::string(otherwise);
        }
        const auto value = node->value_exact<std::string>();
        if (!value || value->size() > kTemplateValueBytesMax) {
            return wrong(full(key), "must be a text of at most 4096 bytes");
        }
        return *value;
    }

    Result<std::string> needed_text(std::string_view key) {
        std::string value = TRY(text(key, ""));
        if (value.empty()) {
            return wrong(full(key), "is missing");
        }
        return value;
    }

    Result<std::int64_t> number(std::string_view key, std::int64_t otherwise, std::int64_t max) {
        const toml::node* node = find(key);
        if (node == nullptr) {
            return otherwise;
        }
        const auto value = node->value_exact<std::int64_t>();
        if (!value || *value < 0 || *value > max) {
            return wrong(full(key), fmt::format("must be a number from 0 to {}", max));
        }
        return *value;
    }

    // A table within this one, empty when it is not there.
    Result<Section> section(std::string_view key) {
        const toml::node* node = find(key);
        if (node == nullptr) {
            return Section(nullptr, full(key));
        }
        if (node->as_table() == nullptr) {
            return wrong(full(key), "must be a table");
        }
        return Section(node->as_table(), full(key));
    }

    // All members, as texts.
    Result<Parameters> texts() {
        Parameters all;
        if (table_ == nullptr) {
            return all;
        }
        for (const auto& [key, node] : *table_) {
            if (all.size() >= kProviderPartsMax) {
                return wrong(name_, "has too many members");
            }
            all.emplace_back(key.str(), TRY(text(key.str(), "")));
        }
        return all;
    }

    Result<void> nothing_else() const {
        if (table_ == nullptr) {
            return {};
        }
        for (const auto& [key, node] : *table_) {
            if (std::ranges::find(asked_, key.str()) == asked_.end()) {
                return wrong(full(key.str().substr(0, 100)), "is no key that is known");
            }
        }
        return {};
    }

    const toml::table* table() const noexcept { return table_; }

private:
    const toml::table* table_;
    std::string name_;
    std::vector<std::string> asked_;
};

}  // namespace colophon::identity::internal
