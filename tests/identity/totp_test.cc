// SPDX-License-Identifier: Apache-2.0
#include "identity/totp.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;

Time at(std::int64_t seconds) {
    return Time(std::chrono::seconds(seconds));
}

TEST_CASE("codes are those of RFC 6238, appendix B") {
    struct Row {
        std::int64_t time;
        const char* sha1;
        const char* sha256;
        const char* sha512;
    };
    constexpr Row kRows[] = {
        {59, "94287082", "46119246", "90693936"},
        {1111111109, "07081804", "68084774", "25091201"},
        {1111111111, "14050471", "67062674", "99943326"},
        {1234567890, "89005924", "91819424", "93441116"},
        {2000000000, "69279037", "90698825", "38618901"},
        {20000000000, "65353130", "77737706", "47863826"},
    };
    const std::string digits = "1234567890123456789012345678901234567890123456789012345678901234";
    for (const Row& row : kRows) {
        const std::int64_t step = totp_step(at(row.time));
        CHECK(totp_code(as_bytes(digits.substr(0, 20)), step, 8, HmacHash::kSha1) == row.sha1);
        CHECK(totp_code(as_bytes(digits.substr(0, 32)), step, 8, HmacHash::kSha256) == row.sha256);
        CHECK(totp_code(as_bytes(digits), step, 8, HmacHash::kSha512) == row.sha512);
        CHECK(totp_code(as_bytes(digits.substr(0, 20)), step) == std::string(row.sha1).substr(2));
    }
}

TEST_CASE("codes are those of RFC 4226, appendix D") {
    const std::string secret = "12345678901234567890";
    constexpr const char* kCodes[] = {"755224", "287082", "359152", "969429", "338314",
                                      "254676", "287922", "162583", "399871", "520489"};
    for (std::int64_t i = 0; i < 10; ++i) {
        CHECK(totp_code(as_bytes(secret), i) == kCodes[i]);
    }
}

TEST_CASE("a code is good in its step and one to either side") {
    const std::string secret = "12345678901234567890";
    const Time now = at(1'700'000'010);
    const std::int64_t step = totp_step(now);
    for (std::int64_t off = -5; off <= 5; ++off) {
        const auto matched =
            match_totp(as_bytes(secret), totp_code(as_bytes(secret), step + off), now, 0);
        CHECK(matched.has_value() == (off >= -1 && off <= 1));
        if (matched) {
            CHECK(*matched == step + off);
        }
    }
}

TEST_CASE("a code is good once, and an earlier one is not good after a later one") {
    const std::string secret = "12345678901234567890";
    const Time now = at(1'700'000'010);
    const std::string code = totp_code(as_bytes(secret), totp_step(now));
    const auto used = match_totp(as_bytes(secret), code, now, 0);
    REQUIRE(used);
    CHECK_FALSE(match_totp(as_bytes(secret), code, now, *used));
    CHECK_FALSE(match_totp(as_bytes(secret), code, now + 20s, *used));
    CHECK_FALSE(match_totp(as_bytes(secret), totp_code(as_bytes(secret), *used - 1), now, *used));
    CHECK(match_totp(as_bytes(secret), totp_code(as_bytes(secret), *used + 1), now, *used));
}

TEST_CASE("what is typed may have blanks and nothing else") {
    const std::string secret = "12345678901234567890";
    const Time now = at(59);
    CHECK(match_totp(as_bytes(secret), "287 082", now, 0));
    for (const std::string_view bad : {"", "28708", "2870822", "94287082", "287-082", "287O82",
                                       "２８７０８２", "-287082", "287082\n"}) {
        CAPTURE(bad);
        CHECK_FALSE(match_totp(as_bytes(secret), bad, now, 0));
    }
    CHECK_FALSE(match_totp(as_bytes(secret), std::string(1'000'000, '2'), now, 0));
}

TEST_CASE("a secret goes to an authenticator in base32") {
    CHECK(to_base32(as_bytes("")) == "");
    CHECK(to_base32(as_bytes("f")) == "MY");
    CHECK(to_base32(as_bytes("foo")) == "MZXW6");
    CHECK(to_base32(as_bytes("foob")) == "MZXW6YQ");
    CHECK(to_base32(as_bytes("foobar")) == "MZXW6YTBOI");
    CHECK(
        totp_address(as_bytes("12345678901234567890"), "王 a@b") ==
        "otpauth://totp/Colophon:%E7%8E%8B%20a%40b?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer="
        "Colophon");
    SeededRandom random(1);
    CHECK(make_totp_secret(random).value().size() == kTotpSecretBytes);
}

TEST_CASE("times before 1970 have step 0") {
    CHECK(totp_step(at(-5)) == 0);
}

}  // namespace
}  // namespace colophon::identity
