// SPDX-License-Identifier: Apache-2.0
#include "identity/api_key.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"

#include <doctest/doctest.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

std::string key_of(std::uint64_t seed, ApiKeyKind kind = ApiKeyKind::kLive) {
    SeededRandom random(seed);
    return make_api_key(kind, random).value().text;
}

TEST_CASE("a key is read back as the digest that was kept") {
    SeededRandom random(7);
    for (const ApiKeyKind kind : {ApiKeyKind::kLive, ApiKeyKind::kTest}) {
        const NewApiKey made = make_api_key(kind, random).value();
        const auto read = parse_api_key(made.text);
        REQUIRE(read.ok());
        CHECK(read->kind == kind);
        CHECK(read->digest == made.digest);
        CHECK(made.digest == sha256(as_bytes(made.text)));
        CHECK(made.hint == made.text.substr(38));
        CHECK(made.text.size() == kApiKeyChars);
    }
}

// The CRC was computed by zlib and written in base62 by another program.
TEST_CASE("the check characters are CRC-32 in base62") {
    CHECK(parse_api_key("clp_live_0123456789ABCDEFGHIJKLMNOP_4cYh2E").ok());
    CHECK(parse_api_key("clp_test_zzzzzzzzzzzzzzzzzzzzzzzzzz_32YNlN").ok());
}

TEST_CASE("every single wrong character and every exchange of neighbours is refused") {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        const std::string good = key_of(seed);
        for (std::size_t i = 0; i < good.size(); ++i) {
            for (int c = 0; c < 256; ++c) {
                std::string bad = good;
                bad[i] = static_cast<char>(c);
                if (bad != good) {
                    REQUIRE_FALSE(parse_api_key(bad).ok());
                }
            }
            if (i + 1 < good.size() && good[i] != good[i + 1]) {
                std::string bad = good;
                std::swap(bad[i], bad[i + 1]);
                REQUIRE_FALSE(parse_api_key(bad).ok());
            }
        }
    }
}

TEST_CASE("what is no key is refused without being repeated") {
    const std::string good = key_of(1);
    for (const std::string& bad :
         {std::string(), std::string("clp_live_"), std::string("Bearer ") + good, good + " ",
          good.substr(1), good.substr(0, 41), "sk-" + good, std::string(1'000'000, 'x'),
          "CLP" + good.substr(3), good + std::string(1, '\0')}) {
        const auto read = parse_api_key(bad);
        REQUIRE_FALSE(read.ok());
        CHECK(read.error().code == ErrorCode::kInvalidArgument);
        CHECK(read.error().what.find(good.substr(9, 26)) == std::string::npos);
    }
}

TEST_CASE("all characters are equally likely and no two keys are the same") {
    SystemRandom random;
    std::map<char, int> counts;
    std::set<std::string> keys;
    constexpr int kKeys = 4'000;
    for (int i = 0; i < kKeys; ++i) {
        const std::string text = make_api_key(ApiKeyKind::kLive, random).value().text;
        for (const char c : text.substr(9, 26)) {
            ++counts[c];
        }
        keys.insert(text);
    }
    CHECK(keys.size() == kKeys);
    REQUIRE(counts.size() == 62);
    const double expected = kKeys * 26.0 / 62.0;
    double chi_square = 0;
    for (const auto& [character, count] : counts) {
        chi_square += (count - expected) * (count - expected) / expected;
    }
    CHECK(chi_square < 140);  // 61 degrees of freedom: above it once in ten million runs
}

TEST_CASE("scopes are named") {
    CHECK(parse_scopes("all").value() == kAllScopes);
    CHECK(format_scopes(parse_scopes("records,generate").value()) == "generate,records");
    CHECK(format_scopes(kAllScopes) == "generate,label,moderate,subjects,records");
    CHECK(scope_name(Scope::kSubjects) == "subjects");
    CHECK(has_scope(parse_scopes("label").value(), Scope::kLabel));
    CHECK_FALSE(has_scope(parse_scopes("label").value(), Scope::kGenerate));
    for (const std::string_view bad : {"", ",", "generate,", "generates", "Generate",
                                       "generate label", "all,label", "generate,,label"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_scopes(bad).ok());
    }
}

}  // namespace
}  // namespace colophon::identity
