// SPDX-License-Identifier: Apache-2.0
#include "identity/codes.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;

const std::string kKey = "key of the codes";
constexpr Time kNow{std::chrono::seconds(1'790'000'000)};

// [DSP-9]
TEST_CASE("a one-time code is right once") {
    SeededRandom random(3);
    auto [code, kept] = make_one_time_code(as_bytes(kKey), "phone 1", kNow, random).value();
    CHECK(code.size() == 8);
    CHECK(std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; }));
    OneTimeCode first = kept;
    CHECK(try_one_time_code(first, as_bytes(kKey), "phone 1", code, kNow) == CodeVerdict::kRight);
    CHECK(try_one_time_code(first, as_bytes(kKey), "phone 1", code, kNow) ==
          CodeVerdict::kExhausted);
    OneTimeCode spaced = kept;
    CHECK(try_one_time_code(spaced, as_bytes(kKey), "phone 1",
                            code.substr(0, 4) + " " + code.substr(4), kNow) == CodeVerdict::kRight);
}

TEST_CASE("a one-time code is bound to what it was made for, and to the key") {
    SeededRandom random(3);
    const auto made = make_one_time_code(as_bytes(kKey), "phone 1", kNow, random).value();
    for (const std::string_view other : {"phone 2", "phone ", "phone 1 ", ""}) {
        OneTimeCode kept = made.kept;
        CHECK(try_one_time_code(kept, as_bytes(kKey), other, made.code, kNow) ==
              CodeVerdict::kWrong);
    }
    OneTimeCode kept = made.kept;
    // The border between what is bound and the code cannot be moved.
    CHECK(try_one_time_code(kept, as_bytes(kKey), "phone 1" + made.code.substr(0, 1),
                            made.code.substr(1), kNow) == CodeVerdict::kWrong);
    kept = made.kept;
    CHECK(try_one_time_code(kept, as_bytes("another key"), "phone 1", made.code, kNow) ==
          CodeVerdict::kWrong);
}

TEST_CASE("a one-time code ends after five minutes or five attempts") {
    SeededRandom random(4);
    const auto made = make_one_time_code(as_bytes(kKey), "p", kNow, random).value();
    OneTimeCode late = made.kept;
    CHECK(try_one_time_code(late, as_bytes(kKey), "p", made.code, kNow + 5min) ==
          CodeVerdict::kExpired);
    CHECK(try_one_time_code(late, as_bytes(kKey), "p", made.code, kNow) == CodeVerdict::kExhausted);
    OneTimeCode in_time = made.kept;
    CHECK(try_one_time_code(in_time, as_bytes(kKey), "p", made.code, kNow + 5min - 1ms) ==
          CodeVerdict::kRight);
    OneTimeCode guessed = made.kept;
    for (int i = 0; i < kOneTimeCodeAttemptsMax; ++i) {
        CHECK(try_one_time_code(guessed, as_bytes(kKey), "p", "00000000", kNow) ==
              CodeVerdict::kWrong);
    }
    CHECK(try_one_time_code(guessed, as_bytes(kKey), "p", made.code, kNow) ==
          CodeVerdict::kExhausted);
}

TEST_CASE("recovery codes are many, different, and forgiving to type") {
    SystemRandom random;
    const RecoveryCodes made = make_recovery_codes(random).value();
    REQUIRE(made.codes.size() == kRecoveryCodes);
    CHECK(std::set<std::string>(made.codes.begin(), made.codes.end()).size() == kRecoveryCodes);
    for (std::size_t i = 0; i < made.codes.size(); ++i) {
        std::string typed = made.codes[i];
        CHECK(typed.size() == 27);
        CHECK(recovery_code_digest(typed) == made.digests[i]);
        std::ranges::transform(typed, typed.begin(), [](unsigned char c) {
            return static_cast<char>(c == '0' ? 'o' : c == '1' ? 'l' : std::tolower(c));
        });
        std::erase(typed, '-');
        CHECK(recovery_code_digest(" " + typed) == made.digests[i]);
        typed.back() = typed.back() == 'z' ? 'y' : 'z';
        CHECK(recovery_code_digest(typed) != made.digests[i]);
    }
    (void)recovery_code_digest(std::string(1'000'000, 'A'));
}

TEST_CASE("session tokens are 256 bits and read back strictly") {
    SystemRandom random;
    const NewSessionToken token = make_session_token(random).value();
    CHECK(token.text.size() == 64);
    CHECK(session_token_digest(token.text).value() == token.digest);
    CHECK(make_session_token(random).value().text != token.text);
    for (const std::string& bad : {std::string(), token.text + "0", token.text.substr(1),
                                   std::string(64, 'G'), std::string(64, 'A')}) {
        CHECK_FALSE(session_token_digest(bad).ok());
    }
}

TEST_CASE("a session ends when nobody uses it and in any case") {
    const SessionLimits limits{.idle = 30min, .absolute = 12h};
    CHECK(judge_session(kNow, kNow, kNow, limits) == SessionVerdict::kAlive);
    CHECK(judge_session(kNow, kNow, kNow + 30min - 1ms, limits) == SessionVerdict::kAlive);
    CHECK(judge_session(kNow, kNow, kNow + 30min, limits) == SessionVerdict::kIdle);
    CHECK(judge_session(kNow, kNow + 11h + 59min, kNow + 12h, limits) == SessionVerdict::kOver);
}

TEST_CASE("a blind index knows equality within its column and nothing else") {
    const Buffer one = blind_index(as_bytes(kKey), "subject.mobile", "+8613800001234");
    CHECK(one.size() == 16);
    CHECK(one == blind_index(as_bytes(kKey), "subject.mobile", "+8613800001234"));
    CHECK(one != blind_index(as_bytes(kKey), "subject.mobile", "+8613800001235"));
    CHECK(one != blind_index(as_bytes(kKey), "subject.resident", "+8613800001234"));
    CHECK(one != blind_index(as_bytes("other"), "subject.mobile", "+8613800001234"));
}

}  // namespace
}  // namespace colophon::identity
