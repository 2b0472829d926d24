// SPDX-License-Identifier: Apache-2.0
#include "core/base64.h"

#include "core/bytes.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace colophon {
namespace {

TEST_CASE("base64 agrees with the vectors of RFC 4648") {
    struct Row {
        std::string_view bytes;
        std::string_view text;
    };
    const Row rows[] = {{"", ""},
                        {"f", "Zg=="},
                        {"fo", "Zm8="},
                        {"foo", "Zm9v"},
                        {"foob", "Zm9vYg=="},
                        {"fooba", "Zm9vYmE="},
                        {"foobar", "Zm9vYmFy"}};
    for (const Row& row : rows) {
        CHECK(to_base64(as_bytes(row.bytes)) == row.text);
        CHECK(as_text(from_base64(row.text).value()) == row.bytes);
    }
}

TEST_CASE("all pairs and triples of a few bytes come back") {
    for (unsigned a = 0; a < 256; ++a) {
        for (unsigned b = 0; b < 256; ++b) {
            const Buffer bytes{static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b),
                               static_cast<std::uint8_t>(a ^ 0x5AU)};
            for (std::size_t count = 0; count <= 3; ++count) {
                const Bytes part = Bytes(bytes).first(count);
                REQUIRE(from_base64(to_base64(part)).value() == to_buffer(part));
            }
        }
    }
}

TEST_CASE("a text that is not the canonical form is refused") {
    for (const std::string_view text :
         {"Zg", "Zg=", "Zh==", "Zm9=", "Zg==\n", " Zg==", "Z===", "====", "=", "Zg==Zg==", "Zm-v",
          "Zm_v", "Zm9v=", "Zm\xC3\xA4v", "A=AA", "AA=A"}) {
        CAPTURE(text);
        CHECK_FALSE(from_base64(text).ok());
    }
}

}  // namespace
}  // namespace colophon
