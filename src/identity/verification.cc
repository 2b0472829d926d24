// SPDX-License-Identifier: Apache-2.0
#include "identity/verification.h"

#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace colophon::identity {
namespace {

constexpr std::array<std::string_view, 4> kMeans{"mobile", "resident_id", "credit_code",
                                                 "network_identity"};
constexpr std::array<std::string_view, 8> kOutcomes{
    "match",         "mismatch",       "no_record", "invalid_input",
    "provider_busy", "provider_error", "timeout",   "pending"};

}  // namespace

std::string_view means_name(Means means) noexcept {
    return kMeans[static_cast<std::size_t>(means)];
}

std::string_view outcome_name(Outcome outcome) noexcept {
    return kOutcomes[static_cast<std::size_t>(outcome)];
}

Result<Means> parse_means(std::string_view name) {
    const auto* found = std::ranges::find(kMeans, name);
    if (found == kMeans.end()) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("'{}' is no means of verification; there are mobile, resident_id, "
                                 "credit_code and network_identity",
                                 name.substr(0, 40))};
    }
    return static_cast<Means>(found - kMeans.begin());
}

Result<Outcome> parse_outcome(std::string_view name) {
    const auto* found = std::ranges::find(kOutcomes, name);
    if (found == kOutcomes.end()) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("'{}' is no outcome; there are match, mismatch, no_record, "
                        "invalid_input, provider_busy, provider_error, timeout and pending",
                        name.substr(0, 40))};
    }
    return static_cast<Outcome>(found - kOutcomes.begin());
}

}  // namespace colophon::identity
