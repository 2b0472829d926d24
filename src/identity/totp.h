// SPDX-License-Identifier: Apache-2.0
#pragma once

// Time-based one-time passwords (RFC 6238 over RFC 4226): the second factor of staff.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/hmac.h"
#include "core/random.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::identity {

inline constexpr std::size_t kTotpSecretBytes = 20;
inline constexpr int kTotpStepSeconds = 30;
inline constexpr int kTotpStepsOff = 1;  // a clock may be one step before or behind ours

// 20 random bytes.
Result<Buffer> make_totp_secret(Random& random);

// The number of the step in which `time` lies; times before 1970 are step 0.
std::int64_t totp_step(Time time) noexcept;

// The code of a step: `digits` (6 to 8) decimal digits.
std::string totp_code(Bytes secret, std::int64_t step, int digits = 6,
                      HmacHash hash = HmacHash::kSha1);

// The step whose code this is, or nothing when it is wrong, or of a step that is not later than
// `last_used` (a code is good once). Keep the answer as the next `last_used`. Blanks between digits
// are what people type.
std::optional<std::int64_t> match_totp(Bytes secret, std::string_view code, Time now,
                                       std::int64_t last_used);

// "otpauth://totp/Colophon:NAME?secret=...&issuer=Colophon" for an authenticator.
std::string totp_address(Bytes secret, std::string_view account_name);

// RFC 4648 base32 without padding, which is how authenticators want a secret typed.
std::string to_base32(Bytes bytes);

}  // namespace colophon::identity
