// SPDX-License-Identifier: Apache-2.0
#include "identity/mobile_number.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

struct Row {
    std::string_view text;
    MobileVerdict verdict;
};

constexpr std::string_view kStored = "+8613800001234";

constexpr Row kRows[] = {
    {"13800001234", MobileVerdict::kValid},
    {"+8613800001234", MobileVerdict::kValid},
    {"+86 138 0000 1234", MobileVerdict::kValid},
    {"+86-138-0000-1234", MobileVerdict::kValid},
    {"8613800001234", MobileVerdict::kValid},
    {"008613800001234", MobileVerdict::kValid},
    {"0086 13800001234", MobileVerdict::kValid},
    {"138-0000-1234", MobileVerdict::kValid},
    {"138 0000 1234", MobileVerdict::kValid},
    {" 13800001234 ", MobileVerdict::kValid},
    {"\t13800001234\r\n", MobileVerdict::kValid},
    {"１３８００００１２３４", MobileVerdict::kValid},
    {"＋８６１３８００００１２３４", MobileVerdict::kValid},
    {"138－0000－1234", MobileVerdict::kValid},
    {"\xE3\x80\x80"
     "13800001234",
     MobileVerdict::kValid},
    {"", MobileVerdict::kEmpty},
    {"   ", MobileVerdict::kEmpty},
    {"1380000123", MobileVerdict::kLength},
    {"138000012345", MobileVerdict::kLength},
    {"138", MobileVerdict::kLength},
    {"+861380000123", MobileVerdict::kLength},
    {"+86138000012345", MobileVerdict::kLength},
    {"+86", MobileVerdict::kLength},
    {"99999999999999", MobileVerdict::kLength},
    {"12800001234", MobileVerdict::kPrefix},
    {"11000001234", MobileVerdict::kPrefix},
    {"10000001234", MobileVerdict::kPrefix},
    {"23800001234", MobileVerdict::kPrefix},
    {"01012345678", MobileVerdict::kPrefix},
    {"+8602112345678", MobileVerdict::kPrefix},
    {"1064712345678", MobileVerdict::kThing},
    {"1400012345678", MobileVerdict::kThing},
    {"+861440012345678", MobileVerdict::kThing},
    {"+85251234567", MobileVerdict::kForeign},
    {"+85366123456", MobileVerdict::kForeign},
    {"+12025550123", MobileVerdict::kForeign},
    {"0014155550123", MobileVerdict::kForeign},
    {"+1 202 555 0123", MobileVerdict::kForeign},
    {"+", MobileVerdict::kForeign},
    {"00", MobileVerdict::kForeign},
    {"1380000123a", MobileVerdict::kCharacter},
    {"138.0000.1234", MobileVerdict::kCharacter},
    {"138  00001234", MobileVerdict::kCharacter},
    {"138--00001234", MobileVerdict::kCharacter},
    {"-13800001234", MobileVerdict::kCharacter},
    {"13800001234-", MobileVerdict::kCharacter},
    {"++8613800001234", MobileVerdict::kCharacter},
    {"13800001234;", MobileVerdict::kCharacter},
    {"(138)00001234", MobileVerdict::kCharacter},
    {"138\n00001234", MobileVerdict::kCharacter},
    {"13800001234\xE2\x80\x8B", MobileVerdict::kCharacter},
    {"1380000\xFF"
     "1234",
     MobileVerdict::kCharacter},
    {"一三八零零零零一二三四", MobileVerdict::kCharacter},
};

// [DSP-9]
TEST_CASE("mobile numbers are kept in E.164 or refused with the reason of the table") {
    for (const Row& row : kRows) {
        CAPTURE(row.text);
        const MobileReading reading = read_mobile_number(row.text);
        CHECK(describe_english(reading.verdict) == describe_english(row.verdict));
        CHECK(reading.number == (row.verdict == MobileVerdict::kValid ? kStored : ""));
        CHECK_FALSE(describe_chinese(reading.verdict).empty());
    }
}

TEST_CASE("all of 13 to 19 are mobile numbers, whatever the carrier") {
    for (int prefix = 100; prefix < 200; ++prefix) {
        const auto number = parse_mobile_number(std::to_string(prefix) + "00001234");
        CHECK(number.ok() == (prefix >= 130));
    }
}

TEST_CASE("no message repeats a number, and a foreign one is unsupported") {
    const auto foreign = parse_mobile_number("+85251234567");
    REQUIRE_FALSE(foreign.ok());
    CHECK(foreign.error().code == ErrorCode::kUnsupported);
    CHECK(foreign.error().what.find("51234567") == std::string::npos);
    const auto wrong = parse_mobile_number("12345678901");
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.error().code == ErrorCode::kInvalidArgument);
    CHECK(wrong.error().what.find("123456") == std::string::npos);
    CHECK(read_mobile_number(std::string(100'000, '1')).verdict == MobileVerdict::kCharacter);
}

TEST_CASE("a masked mobile number shows three and four digits") {
    CHECK(masked_mobile_number("+8613800001234") == "138****1234");
    CHECK(masked_mobile_number("13800001234") == "***********");
    CHECK(masked_mobile_number("") == "");
    CHECK(masked_mobile_number("+85251234567890123") == "***********");
}

}  // namespace
}  // namespace colophon::identity
