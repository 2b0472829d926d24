// SPDX-License-Identifier: Apache-2.0
#pragma once

// The other secrets that prove who somebody is: codes sent to a mobile number [DSP-9], recovery
// codes in a drawer, tokens of a session. Pure: what is to be kept comes in and goes out.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/random.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::identity {

// --- One-time codes: eight digits (26.6 bits), good once, for five minutes and five attempts.

inline constexpr std::size_t kOneTimeCodeDigits = 8;
inline constexpr std::chrono::minutes kOneTimeCodeLife{5};
inline constexpr int kOneTimeCodeAttemptsMax = 5;

// What is kept of a code. The digest is keyed: without the key a dump of the database gives up no
// code, although there are only 10^8.
struct OneTimeCode {
    Digest256 digest{};
    Time expires;
    int attempts_left = 0;
};

struct NewOneTimeCode {
    std::string code;  // for the message
    OneTimeCode kept;
};

// `bound_to` is what it shall prove: purpose, subject and number. The same code for anything else
// is wrong.
Result<NewOneTimeCode> make_one_time_code(Bytes key, std::string_view bound_to, Time now,
                                          Random& random);

enum class CodeVerdict : std::uint8_t { kRight, kWrong, kExpired, kExhausted };

// Uses up an attempt of `kept`, all of them when the code is right: keep what it became before the
// answer is given. Blanks between digits are forgiven.
CodeVerdict try_one_time_code(OneTimeCode& kept, Bytes key, std::string_view bound_to,
                              std::string_view code, Time now);

// --- Recovery codes: 120 bits each, so that a plain digest is enough to keep.

inline constexpr std::size_t kRecoveryCodes = 10;

struct RecoveryCodes {
    std::vector<std::string> codes;  // "4Z7Q0K-...": four groups of six, to be shown once
    std::vector<Digest256> digests;  // to be kept; one is deleted when its code is used
};

Result<RecoveryCodes> make_recovery_codes(Random& random);
// The digest of a code as it was typed: small letters, o for 0, i and l for 1, any hyphens, blanks.
Digest256 recovery_code_digest(std::string_view typed);

// --- Session tokens: 256 bits, kept as their digest.

struct NewSessionToken {
    std::string text;  // 64 hexadecimal digits
    Digest256 digest{};
};

Result<NewSessionToken> make_session_token(Random& random);
// kInvalidArgument when this cannot be a token.
Result<Digest256> session_token_digest(std::string_view text);

struct SessionLimits {
    std::chrono::minutes idle{30};
    std::chrono::hours absolute{12};
};

enum class SessionVerdict : std::uint8_t { kAlive, kIdle, kOver };
SessionVerdict judge_session(Time signed_in, Time last_seen, Time now,
                             const SessionLimits& limits) noexcept;

// --- Blind indexes: equality of sealed values, and nothing else.

// HMAC-SHA256 under a key of the column's own, cut to 128 bits. Whoever may look up values has an
// oracle: callers bound how often.
Buffer blind_index(Bytes key, std::string_view column, std::string_view normalised_value);

}  // namespace colophon::identity
