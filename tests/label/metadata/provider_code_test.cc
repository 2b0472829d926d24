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
        {"001191110102MACQD9K6401000", "27 characters, this has 26"},
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

}  // namespace
}  // namespace colophon::label
