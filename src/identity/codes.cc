// SPDX-License-Identifier: Apache-2.0
#include "identity/codes.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/random.h"
#include "identity/internal/random_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::identity {
namespace {

constexpr std::size_t kRecoveryChars = 24;
constexpr std::size_t kRecoveryGroup = 6;
constexpr std::size_t kBlindIndexBytes = 16;
constexpr std::size_t kTypedBytesMax = 64;

// The bound text may hold anything, so its length goes first.
Digest256 code_digest(Bytes key, std::string_view bound_to, std::string_view code) {
    Buffer message = to_buffer("colophon/one-time-code/v1\n");
    append_be64(message, bound_to.size());
    append(message, bound_to);
    append(message, code);
    return hmac_sha256(key, message);
}

}  // namespace

Result<NewOneTimeCode> make_one_time_code(Bytes key, std::string_view bound_to, Time now,
                                          Random& random) {
    NewOneTimeCode made;
    made.code = TRY(internal::random_text(random, "0123456789", kOneTimeCodeDigits));
    made.kept = OneTimeCode{.digest = code_digest(key, bound_to, made.code),
                            .expires = now + kOneTimeCodeLife,
                            .attempts_left = kOneTimeCodeAttemptsMax};
    return made;
}

CodeVerdict try_one_time_code(OneTimeCode& kept, Bytes key, std::string_view bound_to,
                              std::string_view code, Time now) {
    if (kept.attempts_left <= 0) {
        return CodeVerdict::kExhausted;
    }
    --kept.attempts_left;
    if (now >= kept.expires) {
        kept.attempts_left = 0;
        return CodeVerdict::kExpired;
    }
    std::string typed(code.substr(0, kTypedBytesMax));
    typed.erase(std::ranges::remove(typed, ' ').begin(), typed.end());
    if (!equal_in_constant_time(code_digest(key, bound_to, typed), kept.digest)) {
        return CodeVerdict::kWrong;
    }
    kept.attempts_left = 0;
    return CodeVerdict::kRight;
}

Result<RecoveryCodes> make_recovery_codes(Random& random) {
    RecoveryCodes made;
    for (std::size_t i = 0; i < kRecoveryCodes; ++i) {
        std::string code = TRY(internal::random_text(random, internal::kBase32, kRecoveryChars));
        made.digests.push_back(sha256(as_bytes(code)));
        for (std::size_t at = kRecoveryChars - kRecoveryGroup; at > 0; at -= kRecoveryGroup) {
            code.insert(at, 1, '-');
        }
        made.codes.push_back(std::move(code));
    }
    return made;
}

Digest256 recovery_code_digest(std::string_view typed) {
    std::string code;
    for (const char c : typed.substr(0, kTypedBytesMax)) {
        const char upper = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
        if (upper == 'O') {
            code.push_back('0');
        } else if (upper == 'I' || upper == 'L') {
            code.push_back('1');
        } else if (upper != '-' && upper != ' ') {
            code.push_back(upper);
        }
    }
    return sha256(as_bytes(code));
}

Result<NewSessionToken> make_session_token(Random& random) {
    std::array<std::uint8_t, 32> bytes{};
    TRY(random.fill(bytes));
    NewSessionToken token;
    token.text = to_hex(bytes);
    token.digest = sha256(as_bytes(token.text));
    return token;
}

Result<Digest256> session_token_digest(std::string_view text) {
    const bool hexadecimal = std::ranges::all_of(
        text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
    if (text.size() != 64 || !hexadecimal) {
        return Error{ErrorCode::kInvalidArgument, "this is no token of a session"};
    }
    return sha256(as_bytes(text));
}

SessionVerdict judge_session(Time signed_in, Time last_seen, Time now,
                             const SessionLimits& limits) noexcept {
    if (now >= signed_in + limits.absolute) {
        return SessionVerdict::kOver;
    }
    return now >= last_seen + limits.idle ? SessionVerdict::kIdle : SessionVerdict::kAlive;
}

Buffer blind_index(Bytes key, std::string_view column, std::string_view normalised_value) {
    const Digest256 column_key =
        hmac_sha256(key, as_bytes("colophon/blind-index/v1\n" + std::string(column)));
    const Digest256 index = hmac_sha256(column_key, as_bytes(normalised_value));
    return to_buffer(Bytes(index).first(kBlindIndexBytes));
}

}  // namespace colophon::identity
