// SPDX-License-Identifier: Apache-2.0
#include "core/hmac.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace colophon {
namespace {

const EVP_MD* algorithm(HmacHash hash) noexcept {
    switch (hash) {
        case HmacHash::kSha1:
            return EVP_sha1();
        case HmacHash::kSha256:
            return EVP_sha256();
        case HmacHash::kSha512:
            return EVP_sha512();
        case HmacHash::kSm3:
            return EVP_sm3();
    }
    return nullptr;
}

}  // namespace

Buffer hmac(HmacHash hash, Bytes key, Bytes message) {
    // OpenSSL takes a null key for "the one of before"; an empty key is a key.
    constexpr std::array<std::uint8_t, 1> kNothing{};
    Buffer out(EVP_MAX_MD_SIZE);
    unsigned size = 0;
    const unsigned char* const done =
        HMAC(algorithm(hash), key.empty() ? kNothing.data() : key.data(),
             static_cast<int>(key.size()), message.data(), message.size(), out.data(), &size);
    COLOPHON_ASSERT(done != nullptr);
    out.resize(size);
    return out;
}

Digest256 hmac_sha256(Bytes key, Bytes message) {
    const Buffer mac = hmac(HmacHash::kSha256, key, message);
    Digest256 digest{};
    COLOPHON_ASSERT(mac.size() == digest.size());
    std::ranges::copy(mac, digest.begin());
    return digest;
}

bool equal_in_constant_time(Bytes a, Bytes b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace colophon
