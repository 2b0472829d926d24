// SPDX-License-Identifier: Apache-2.0
#include "identity/throttle.h"

#include "core/bytes.h"
#include "core/clock.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

constexpr std::size_t kAddressBytesMax = 64;
constexpr std::int64_t kDoublingsMax = 30;

bool is_forgotten(const Throttle& throttle, const ThrottlePolicy& policy, Time now) noexcept {
    return throttle.failures == 0 || now >= throttle.last_failure + policy.forgotten;
}

}  // namespace

Time next_attempt(const Throttle& throttle, const ThrottlePolicy& policy, Time now) noexcept {
    if (is_forgotten(throttle, policy, now) || throttle.failures <= policy.free_failures) {
        return now;
    }
    const std::int64_t doublings =
        std::min(throttle.failures - policy.free_failures - 1, kDoublingsMax);
    const auto wait = std::min(policy.first * (std::int64_t{1} << doublings), policy.longest);
    return throttle.last_failure + wait;
}

Throttle after_failure(const Throttle& throttle, const ThrottlePolicy& policy, Time now) noexcept {
    const std::int64_t before = is_forgotten(throttle, policy, now) ? 0 : throttle.failures;
    return {.failures = before + 1, .last_failure = now};
}

std::string throttled_address(std::string_view address) {
    std::string text(address.substr(0, kAddressBytesMax));
    std::array<std::uint8_t, 16> six{};
    if (inet_pton(AF_INET6, text.c_str(), six.data()) != 1) {
        return text;
    }
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (std::ranges::equal(kMapped, Bytes(six).first(12))) {
        return std::to_string(six[12]) + "." + std::to_string(six[13]) + "." +
               std::to_string(six[14]) + "." + std::to_string(six[15]);
    }
    return to_hex(Bytes(six).first(8)) + "::/64";
}

}  // namespace colophon::identity
