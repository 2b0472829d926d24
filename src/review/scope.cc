// SPDX-License-Identifier: Apache-2.0
#include "review/scope.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::array<std::string_view, 3> kStages{"both", "input", "output"};

bool names(const std::vector<std::string>& all, const std::string& one) noexcept {
    return all.empty() || one.empty() || std::ranges::find(all, one) != all.end();
}

}  // namespace

std::string_view stage_name(Stage stage) noexcept {
    return kStages[static_cast<std::size_t>(stage)];
}

std::optional<Stage> parse_stage(std::string_view name) noexcept {
    const auto* found = std::ranges::find(kStages, name);
    if (found == kStages.end()) {
        return std::nullopt;
    }
    return static_cast<Stage>(found - kStages.begin());
}

bool covers(const Scope& scope, const Occasion& occasion) noexcept {
    const bool stage = scope.stage == Stage::kBoth || occasion.stage == Stage::kBoth ||
                       scope.stage == occasion.stage;
    return stage && names(scope.tenants, occasion.tenant) &&
           names(scope.services, occasion.service);
}

}  // namespace colophon::review
