// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which content an entry is for.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

enum class Stage : std::uint8_t { kBoth, kInput, kOutput };
std::string_view stage_name(Stage stage) noexcept;  // "both", "input", "output"
std::optional<Stage> parse_stage(std::string_view name) noexcept;

inline constexpr std::size_t kScopeNamesMax = 64;

struct Scope {
    Stage stage = Stage::kBoth;
    std::vector<std::string> tenants;   // their ids; empty: all
    std::vector<std::string> services;  // classes of article 17: "dialogue", "voice"; empty: all
    bool is_all() const noexcept {
        return stage == Stage::kBoth && tenants.empty() && services.empty();
    }
    bool operator==(const Scope&) const = default;
};

// What is known of the content that is reviewed. What is not known is taken for what any entry is
// for: nothing passes because nobody said what it was.
struct Occasion {
    Stage stage = Stage::kBoth;
    std::string tenant;
    std::string service;
};

bool covers(const Scope& scope, const Occasion& occasion) noexcept;

}  // namespace colophon::review
