// SPDX-License-Identifier: Apache-2.0
#include "identity/totp.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/hmac.h"
#include "core/random.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

constexpr int kDigits = 6;

std::string escaped(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        out += plain ? std::string(1, c)
                     : fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
    return out;
}

}  // namespace

Result<Buffer> make_totp_secret(Random& random) {
    Buffer secret(kTotpSecretBytes);
    TRY(random.fill(secret));
    return secret;
}

std::int64_t totp_step(Time time) noexcept {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
    return std::max<std::int64_t>(seconds, 0) / kTotpStepSeconds;
}

std::string totp_code(Bytes secret, std::int64_t step, int digits, HmacHash hash) {
    COLOPHON_ASSERT(digits >= 6 && digits <= 8);
    Buffer counter;
    append_be64(counter, static_cast<std::uint64_t>(step));
    const Buffer mac = hmac(hash, secret, counter);
    // RFC 4226, 5.3: the last nibble says where the four bytes stand; the sign bit is left out.
    const std::size_t offset = mac.back() & 0x0FU;
    const std::uint32_t number = load_be32(Bytes(mac).subspan(offset, 4)) & 0x7FFFFFFFU;
    std::uint32_t modulus = 1;
    for (int i = 0; i < digits; ++i) {
        modulus *= 10;
    }
    return fmt::format("{:0{}}", number % modulus, digits);
}

std::optional<std::int64_t> match_totp(Bytes secret, std::string_view code, Time now,
                                       std::int64_t last_used) {
    std::string typed(code.substr(0, 32));
    typed.erase(std::ranges::remove(typed, ' ').begin(), typed.end());
    const std::int64_t middle = totp_step(now);
    std::optional<std::int64_t> matched;
    // All steps are computed, whichever matches.
    for (std::int64_t step = middle - kTotpStepsOff; step <= middle + kTotpStepsOff; ++step) {
        const bool equal =
            equal_in_constant_time(as_bytes(totp_code(secret, step, kDigits)), as_bytes(typed));
        if (equal && step > last_used && !matched) {
            matched = step;
        }
    }
    return matched;
}

std::string totp_address(Bytes secret, std::string_view account_name) {
    return fmt::format("otpauth://totp/Colophon:{}?secret={}&issuer=Colophon",
                       escaped(account_name), to_base32(secret));
}

std::string to_base32(Bytes bytes) {
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    std::string out;
    std::uint32_t held = 0;
    unsigned bits = 0;
    for (const std::uint8_t byte : bytes) {
        held = (held << 8U) | byte;
        bits += 8;
        while (bits >= 5) {
            bits -= 5;
            out.push_back(kAlphabet[(held >> bits) & 31U]);
        }
    }
    if (bits > 0) {
        out.push_back(kAlphabet[(held << (5 - bits)) & 31U]);
    }
    return out;
}

}  // namespace colophon::identity
