// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/provider_code.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace colophon::label {
namespace {

constexpr std::string_view kProviderCodes[] = {
    "001191110102MACQD9K64010000", "00119144030008867405X210001", "00119144030008867405X220001",
    "001191310104MACE0YX63918020", "001191440300MA5G49LC9K1YO01", "001191440300708461136T1308L",
};
// [TC260-PG-20252A]
TEST_CASE("codes that providers really use are taken apart") {
    for (const std::string_view text : kProviderCodes) {
        CAPTURE(text);
        REQUIRE(looks_like_provider_code(text));
        const auto code = parse_provider_code(text);
        REQUIRE(code.ok());
        CHECK(code->credit_code == text.substr(4, 18));
        CHECK(code->model == text.substr(23));
    }
    CHECK(parse_provider_code(kProviderCodes[1])->service == ProviderService::kGeneration);
    CHECK(parse_provider_code(kProviderCodes[2])->service == ProviderService::kPropagation);
    CHECK(parse_provider_code("001191110102MACQD9K64000000")->service ==
          ProviderService::kUnstated);
}

TEST_CASE("a bad code is refused with its reason") {
    struct Row {
        std::string_view text;
        std::string_view reason;
        ErrorCode code = ErrorCode::kInvalidArgument;
    };
    constexpr Row kRows[] = {
        {"001191110102MACQD9K6401000", "27 characters, this has 26: 1 too few"},
        {"91110108335469089C", "nine characters more"},
        {"001191110102MACQD9K64110000", "check character '1'"},
        {"001191110102MACQD9K64O10000", "'O' at position 18"},
        {"001191110102macqd9k64010000", "'m' at position 13"},
        {"001191110102MACQD9K64 10000", "byte 0x20 at position 22"},
        {"011191110102MACQD9K64010000", "format code 00"},
        {"001191110102MACQD9K64030000", "position 23"},
        {"002191110102MACQD9K64010000", "subject type 2", ErrorCode::kUnsupported},
    };
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        const auto code = parse_provider_code(row.text);
        REQUIRE_FALSE(code.ok());
        CHECK(code.error().code == row.code);
        CHECK_MESSAGE(code.error().what.find(row.reason) != std::string::npos, code.error().what);
    }
    CHECK_FALSE(looks_like_provider_code("MiniMax"));
    CHECK(looks_like_provider_code("001191110102MACQD9K64110000"));
}

TEST_CASE("what was meant as a code is told from names") {
    for (const std::string_view good : kProviderCodes) {
        for (std::size_t i = 0; i < good.size(); ++i) {
            std::string less(good);
            less.erase(i, 1);
            std::string more(good);
            more.insert(i, 1, good[i]);
            std::string wrong(good);
            wrong[i] = wrong[i] == 'X' ? 'Y' : 'X';
            for (const std::string& text : {less, more, wrong}) {
                CAPTURE(text);
                CHECK(resembles_provider_code(text));
            }
        }
    }
    // The credit code alone.
    for (const std::string_view good : kProviderCodes) {
        CHECK(resembles_provider_code(good.substr(4, 18)));
    }
    CHECK(resembles_provider_code("00119144030008867405x21000"));
    for (const std::string_view name :
         {"", "MiniMax", "kling", "EXAMPLE-2025-11-26-0001-0002", "SHANGHAIEXAMPLEINTELLIGENCE",
          "d41d8cd98f00b204e9800998ec", "20251126", "910000000000000000"}) {
        CAPTURE(name);
        CHECK_FALSE(resembles_provider_code(name));
    }
}

}  // namespace
}  // namespace colophon::label
