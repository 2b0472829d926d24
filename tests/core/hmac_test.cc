// SPDX-License-Identifier: Apache-2.0
#include "core/hmac.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon {
namespace {

TEST_CASE("keyed digests are those of RFC 4231 and RFC 2202") {
    const Buffer key(20, 0x0B);
    CHECK(to_hex(hmac_sha256(key, as_bytes("Hi There"))) ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    CHECK(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(to_hex(hmac(HmacHash::kSha1, key, as_bytes("Hi There"))) ==
          "b617318655057264e28bc0b6fb378c8ef146be00");
    CHECK(
        to_hex(
            hmac(HmacHash::kSha512, as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))) ==
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8"
        "f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
    const Buffer large(131, 0xAA);
    CHECK(to_hex(hmac_sha256(large, as_bytes("Test Using Larger Than Block-Size Key - Hash Key "
                                             "First"))) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("keyed digests of each size, in parts, are those of OpenSSL") {
    const Buffer key = to_buffer(as_bytes("a key of some bytes"));
    const HmacSha256 keyed(key);
    Buffer data;
    for (std::size_t size = 0; size <= 200; ++size) {
        CAPTURE(size);
        const Digest256 digest =
            keyed.of({Bytes(data).first(size / 3), {}, Bytes(data).subspan(size / 3)});
        CHECK(to_buffer(digest) == hmac(HmacHash::kSha256, key, data));
        data.push_back(static_cast<std::uint8_t>(size * 37 + 11));
    }
}

TEST_CASE("an empty key is a key") {
    CHECK(to_hex(hmac_sha256({}, {})) ==
          "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    (void)hmac_sha256(as_bytes("other"), {});
    CHECK(to_hex(hmac_sha256({}, {})) ==
          "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST_CASE("SM3 under a key is what openssl makes") {
    const std::string printed = test::run_tool_ok(
        {"openssl", "dgst", "-sm3", "-mac", "HMAC", "-macopt", "key:colophon"}, "message");
    CHECK(printed.find(to_hex(hmac(HmacHash::kSm3, as_bytes("colophon"), as_bytes("message")))) !=
          std::string::npos);
}

TEST_CASE("comparison in constant time compares") {
    CHECK(equal_in_constant_time(as_bytes("abc"), as_bytes("abc")));
    CHECK(equal_in_constant_time({}, {}));
    CHECK_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("abd")));
    CHECK_FALSE(equal_in_constant_time(as_bytes("abc"), as_bytes("ab")));
}

}  // namespace
TEST_CASE("a key that was taken in once gives what OpenSSL's HMAC gives, in however many parts") {
    Buffer key;
    Buffer message;
    for (std::size_t size = 0; size < 200; ++size) {
        const HmacSha256 mac(key);
        const Digest256 whole = mac.of({message});
        CHECK(to_buffer(whole) == hmac(HmacHash::kSha256, key, message));
        const std::size_t cut = message.size() / 3;
        const Bytes all = message;
        CHECK(mac.of({all.first(cut), Bytes(), all.subspan(cut)}) == whole);
        CHECK(hmac_sha256(key, message) == whole);
        key.push_back(static_cast<std::uint8_t>(7 * size + 1));
        message.push_back(static_cast<std::uint8_t>(3 * size));
        message.push_back(static_cast<std::uint8_t>(size));
    }
}

}  // namespace colophon
