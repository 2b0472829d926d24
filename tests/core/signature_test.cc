// SPDX-License-Identifier: Apache-2.0
#include "core/signature.h"

#include "core/bytes.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <string_view>

namespace colophon {
namespace {

TEST_CASE("Ed25519 agrees with the vectors of RFC 8032, section 7.1") {
    struct Row {
        std::string_view seed;
        std::string_view key;
        std::string_view message;
        std::string_view signature;
    };
    const Row rows[] = {
        {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
         "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
         "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701"
         "cf9b46bd25bf5f0595bbe24655141438e7a100b"},
        {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
         "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d"
         "0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
    };
    for (const Row& row : rows) {
        const Buffer seed = from_hex(row.seed).value();
        const Buffer key = from_hex(row.key).value();
        const Buffer message = from_hex(row.message).value();
        const Buffer signature = from_hex(row.signature).value();
        CHECK(to_hex(ed25519_public_key(seed).value()) == row.key);
        CHECK(ed25519_sign(seed, message).value() == signature);
        CHECK(ed25519_verify(key, message, signature));
        for (std::size_t i = 0; i < signature.size(); ++i) {
            Buffer wrong = signature;
            wrong[i] ^= 0x01U;
            CHECK_FALSE(ed25519_verify(key, message, wrong));
        }
        CHECK_FALSE(ed25519_verify(key, as_bytes("other"), signature));
        CHECK_FALSE(ed25519_verify(key, message, Bytes(signature).first(63)));
        CHECK_FALSE(ed25519_verify(Bytes(key).first(31), message, signature));
    }
    CHECK(ed25519_sign(Buffer(31), {}).error().code == ErrorCode::kInvalidArgument);
}

Buffer sm2_private(std::string_view hex) {
    return from_hex(hex).value();
}

TEST_CASE("SM2 agrees with the example key of GB/T 32918.5 and refuses whatever is changed") {
    const Buffer key =
        sm2_private("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8");
    const Buffer point = sm2_public_key(key).value();
    CHECK(to_hex(point) ==
          "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
          "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13");
    // The standard's own signature of "message digest", in DER.
    const Buffer published = from_hex(
                                 "3046022100f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7ea"
                                 "ceee720b3022100b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d484"
                                 "0b69c485bbc1aa")
                                 .value();
    const Bytes message = as_bytes(std::string_view("message digest"));
    CHECK(sm2_verify(point, message, published));
    const Buffer ours = sm2_sign(key, message).value();
    CHECK(sm2_verify(point, message, ours));
    for (std::size_t i = 0; i < ours.size(); ++i) {
        Buffer wrong = ours;
        wrong[i] ^= 0x01U;
        CHECK_FALSE(sm2_verify(point, message, wrong));
    }
    for (std::size_t i = 0; i < point.size(); ++i) {
        Buffer wrong = point;
        wrong[i] ^= 0x01U;
        CHECK_FALSE(sm2_verify(wrong, message, ours));
    }
    CHECK_FALSE(sm2_verify(point, as_bytes(std::string_view("message digesu")), ours));
    CHECK_FALSE(sm2_verify(Buffer{}, message, ours));
    CHECK_FALSE(sm2_verify(point, message, Buffer{}));
}

TEST_CASE("numbers that are no SM2 key are refused") {
    // The order n; n - 1 is the first that GB/T 32918.1 does not allow.
    for (const std::string_view each :
         {"0000000000000000000000000000000000000000000000000000000000000000",
          "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123",
          "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54122", "01", ""}) {
        CHECK_FALSE(sm2_public_key(sm2_private(each)).ok());
        CHECK_FALSE(sm2_sign(sm2_private(each), Buffer{}).ok());
    }
    CHECK(sm2_public_key(
              sm2_private("fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54121"))
              .ok());
}

}  // namespace
}  // namespace colophon
