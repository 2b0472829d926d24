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

}  // namespace
}  // namespace colophon
