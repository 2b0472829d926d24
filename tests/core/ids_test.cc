// SPDX-License-Identifier: Apache-2.0
#include "core/ids.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/random.h"
#include "core/utf8.h"

#include <doctest/doctest.h>

namespace colophon {
namespace {

TEST_CASE("content ids round trip through Crockford base32") {
    SeededRandom random(7);
    for (int i = 0; i < 1000; ++i) {
        const ContentId id{random.next().value() & ContentId::kMax};
        CHECK(parse_content_id(to_string(id)).value() == id);
    }
    CHECK(to_string(ContentId{ContentId::kMax}) == "7ZZZZZZZZZ");
    CHECK(parse_content_id("ooooooooil").value() == ContentId{33});
    CHECK_FALSE(parse_content_id("8000000000").ok());
    CHECK_FALSE(parse_content_id("123").ok());
    CHECK_FALSE(parse_content_id("00000000U0").ok());
}

TEST_CASE("random ids round trip as 32 hexadecimal digits and nothing else is one") {
    SeededRandom random(9);
    const auto id = make_random_id<SubjectId>(random).value();
    CHECK(to_string(id).size() == 32);
    CHECK(parse_random_id<SubjectId>(to_string(id)).value() == id);
    CHECK(make_random_id<SubjectId>(random).value() != id);
    for (const char* wrong :
         {"", "00", "0123456789abcdef0123456789abcdeF", "0123456789abcdef0123456789abcdeg",
          "0123456789abcdef0123456789abcdef0"}) {
        CHECK(parse_random_id<SubjectId>(wrong).error().code == ErrorCode::kInvalidArgument);
    }
}

TEST_CASE("times are written in UTC and read back") {
    const Time time = parse_time("2026-11-23T08:15:30Z").value();
    CHECK(format_time(time) == "2026-11-23T08:15:30Z");
    CHECK(format_time(time + std::chrono::milliseconds(7)) == "2026-11-23T08:15:30.007Z");
    CHECK(parse_time("2026-11-23T08:15:30.007Z").value() == time + std::chrono::milliseconds(7));
    CHECK_FALSE(parse_time("2026-02-30T00:00:00Z").ok());
    CHECK_FALSE(parse_time("2026-11-23").ok());
}

TEST_CASE("digests agree with the published examples") {
    CHECK(to_hex(sha256(as_bytes("abc"))) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // GB/T 32905-2016, example 1.
    CHECK(to_hex(sm3(as_bytes("abc"))) ==
          "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

TEST_CASE("UTF-8 refuses what RFC 3629 forbids") {
    CHECK_FALSE(find_invalid_utf8("\xE4\xBA\xBA AI").has_value());
    CHECK(find_invalid_utf8("ab\xC0\x80") == 2);
    CHECK(find_invalid_utf8("\xED\xA0\x80") == 0);
    CHECK(find_invalid_utf8("a\xE4\xBA") == 1);
    CHECK(find_invalid_utf8("\xF4\x90\x80\x80") == 0);
    CHECK(count_code_points("\xE4\xBA\xBA\xE5\xB7\xA5") == 2);
}

}  // namespace
}  // namespace colophon
