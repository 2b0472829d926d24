// SPDX-License-Identifier: Apache-2.0
#include "identity/password.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::identity {
namespace {

TEST_CASE("passwords are taken or refused by the table") {
    struct Row {
        std::string_view password;
        bool taken;
    };
    constexpr Row kRows[] = {
        {"correct horse battery staple", true},
        {"twelve chars", true},
        {"eleven char", false},
        {"", false},
        {"长城内外惟余莽莽大河上下", true},
        {"长城内外惟余莽莽", false},
        {"aaaaaaaaaaaaaaaaaaaa", false},
        {"abababababab", false},
        {"123456789012", false},
        {"12345678901234567890", false},
        {"abcdefghijklmnop", false},
        {"zyxwvutsrqponm", false},
        {"Password1234", false},
        {"1QAZ2wsx3edc", false},
        {"woaini1314520", false},
        {"wang.fang1234", false},
        {"wang.fangXkQ7#pq2", true},
        {"colophon1234", false},
        {"no upper no digit", true},
        {"\xFF\xFE\xFD twelve bytes", false},
        {"tabs\tand blanks are fine", true},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.password);
        const auto verdict = check_new_password(row.password, "wang.fang");
        CHECK(verdict.ok() == row.taken);
        if (!verdict.ok() && row.password.size() > 10) {
            CHECK(verdict.error().what.find(row.password) == std::string::npos);
        }
    }
    std::string longest;
    for (int i = 0; i < 128; ++i) {
        longest.push_back(static_cast<char>('a' + i * i % 23));
    }
    CHECK(check_new_password(longest, "").ok());
    CHECK_FALSE(check_new_password(longest + "x", "").ok());
}

TEST_CASE("a password is hashed with argon2id and the parameters of the ASVS") {
    const auto hasher = PasswordHasher::create().value();
    const std::string hash = hasher->hash("correct horse battery staple").value();
    CHECK(hash.starts_with("$argon2id$v=19$m=47104,t=1,p=1$"));
    CHECK(hash.size() < 128);
    CHECK(hasher->verify("correct horse battery staple", hash)->right);
    CHECK_FALSE(hasher->verify("correct horse battery staple", hash)->outdated);
    CHECK_FALSE(hasher->verify("correct horse battery stapl", hash)->right);
    CHECK_FALSE(hasher->verify("", hash)->right);
    CHECK(hasher->hash("correct horse battery staple").value() != hash);
    REQUIRE(hasher->verify_nobody("x").ok());
}

TEST_CASE("a hash of other parameters is right and outdated, and rubbish is never right") {
    const auto hasher = PasswordHasher::create().value();
    // Two passes over 8 MiB.
    constexpr std::string_view kOther =
        "$argon2id$v=19$m=8192,t=2,p=1$S3zEQPvqyzEnVZsu+Juqiw$"
        "zVedQgtD0oo3iY0iVcIsoIAYjywXHAe0ZzBdMYSEmm8";
    const auto verdict = hasher->verify("password", kOther).value();
    CHECK(verdict.right);
    CHECK(verdict.outdated);
    for (const std::string& bad :
         {std::string(), std::string("$argon2id$"), std::string("plain"), std::string(500, '$'),
          std::string("$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$aGFzaA"),
          std::string(kOther.substr(0, kOther.size() - 1))}) {
        CAPTURE(bad);
        const auto refused = hasher->verify("password", bad);
        CHECK((!refused.ok() || !refused->right));
    }
}

TEST_CASE("many sign-ins at once take turns and all get their answer") {
    const auto hasher = PasswordHasher::create().value();
    const std::string hash = hasher->hash("correct horse battery staple").value();
    std::vector<std::thread> threads;
    std::vector<int> right(12, -1);
    for (std::size_t i = 0; i < right.size(); ++i) {
        threads.emplace_back([&, i] {
            const auto verdict =
                hasher->verify(i % 2 == 0 ? "correct horse battery staple" : "wrong", hash);
            right[i] = verdict.ok() && verdict->right ? 1 : 0;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    for (std::size_t i = 0; i < right.size(); ++i) {
        CHECK(right[i] == (i % 2 == 0 ? 1 : 0));
    }
}

}  // namespace
}  // namespace colophon::identity
