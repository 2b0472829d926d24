// SPDX-License-Identifier: Apache-2.0
#pragma once

// From the configuration to what the server and the gateway work with, checked as a whole.

#include "cli/config.h"
#include "core/result.h"
#include "gateway/settings.h"
#include "http/limits.h"

#include <cstdint>
#include <memory>
#include <string>

namespace colophon::cli {

struct ServeAddress {
    std::string host;
    std::uint16_t port = 0;
};
// "127.0.0.1:8080", "[::]:8080"; kInvalidArgument.
Result<ServeAddress> parse_address(const std::string& text);

// kInvalidArgument says which upstream or model is wrong, and where it stands. Reads the files that
// the configuration names.
Result<std::shared_ptr<const gateway::Settings>> make_settings(const Config& config);
// Of these only what reviews calls: checks, policies and rules, without labels and models.
Result<std::shared_ptr<const gateway::Settings>> make_review_settings(const Config& config);
http::ServerLimits make_limits(const ServerConfig& config);

}  // namespace colophon::cli
