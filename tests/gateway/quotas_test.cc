// SPDX-License-Identifier: Apache-2.0
#include "gateway/quotas.h"

#include "gateway/refusal.h"
#include "gateway/settings.h"

#include <doctest/doctest.h>

#include <string>

namespace colophon::gateway {

TEST_CASE("calls at once are limited, each owner apart") {
    Quotas quotas;
    const Quota quota{.concurrency = 2};
    const Quotas::Key one{1};
    CHECK_FALSE(quotas.enter(one, quota).has_value());
    CHECK_FALSE(quotas.enter(one, quota).has_value());
    CHECK(quotas.enter(one, quota).has_value());
    CHECK_FALSE(quotas.enter(Quotas::Key{2}, quota).has_value());
    quotas.leave(one, quota, 0);
    CHECK_FALSE(quotas.enter(one, quota).has_value());
}

TEST_CASE("calls and tokens of a minute are limited, and it is said how long to wait") {
    Quotas quotas;
    const Quota calls{.requests_a_minute = 2};
    const Quotas::Key key{3};
    CHECK_FALSE(quotas.enter(key, calls).has_value());
    CHECK_FALSE(quotas.enter(key, calls).has_value());
    const auto refused = quotas.enter(key, calls);
    REQUIRE(refused.has_value());
    CHECK(refused->seconds >= 1);
    CHECK(refused->seconds <= 60);
    const Quota tokens{.tokens_a_minute = 100};
    const Quotas::Key other{4};
    CHECK_FALSE(quotas.enter(other, tokens).has_value());
    quotas.leave(other, tokens, 150);
    CHECK(quotas.enter(other, tokens).has_value());
}

TEST_CASE("errors speak the caller's language") {
    CHECK(tongue_of("zh-CN,zh;q=0.9,en;q=0.8") == Tongue::kChinese);
    CHECK(tongue_of("en-US,zh;q=0.1") == Tongue::kEnglish);
    CHECK(tongue_of("") == Tongue::kEnglish);
    const auto english = error_json(unauthorized(), {});
    CHECK(english.find("error")->string_or("code", "") == "invalid_api_key");
    const auto chinese =
        error_json(policy_refusal("account_restricted", "the end user's account is closed"),
                   {.tongue = Tongue::kChinese, .appeal = "https://a.example/"});
    CHECK(chinese.find("error")->string_or("message", "").find("账号") != std::string::npos);
    CHECK(chinese.find("error")->string_or("appeal", "") == "https://a.example/");
}

}  // namespace colophon::gateway
