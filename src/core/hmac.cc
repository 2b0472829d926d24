// SPDX-License-Identifier: Apache-2.0
// HMAC-SHA256 is made of the bare hash, as in core/digest.cc and for its reason.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/hmac.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>

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
    return HmacSha256(key).of({message});
}

HmacSha256::HmacSha256(Bytes key) {
    std::array<std::uint8_t, SHA256_CBLOCK> block{};
    if (key.size() > block.size()) {
        std::ranges::copy(sha256(key), block.begin());
    } else {
        std::ranges::copy(key, block.begin());
    }
    const auto take = [&](std::uint8_t pad, std::array<std::uint32_t, 8>& state) {
        for (std::uint8_t& byte : block) {
            byte ^= pad;
        }
        SHA256_CTX sha;
        COLOPHON_ASSERT(SHA256_Init(&sha) == 1);
        SHA256_Transform(&sha, block.data());
        std::ranges::copy(sha.h, state.begin());
        OPENSSL_cleanse(&sha, sizeof(sha));
    };
    constexpr std::uint8_t kInnerPad = 0x36;
    constexpr std::uint8_t kOuterPad = 0x5c;
    take(kInnerPad, inner_);
    // The block has the inner pad in it.
    take(kInnerPad ^ kOuterPad, outer_);
    OPENSSL_cleanse(block.data(), block.size());
}

HmacSha256::~HmacSha256() {
    OPENSSL_cleanse(inner_.data(), sizeof(inner_));
    OPENSSL_cleanse(outer_.data(), sizeof(outer_));
}

Digest256 HmacSha256::of(std::initializer_list<Bytes> parts) const {
    const auto behind_block = [](const std::array<std::uint32_t, 8>& state) {
        SHA256_CTX sha;
        COLOPHON_ASSERT(SHA256_Init(&sha) == 1);
        std::ranges::copy(state, sha.h);
        sha.Nl = SHA256_CBLOCK * 8;  // bits so far
        return sha;
    };
    Digest256 digest{};
    SHA256_CTX sha = behind_block(inner_);
    for (const Bytes part : parts) {
        COLOPHON_ASSERT(SHA256_Update(&sha, part.data(), part.size()) == 1);
    }
    COLOPHON_ASSERT(SHA256_Final(digest.data(), &sha) == 1);
    sha = behind_block(outer_);
    COLOPHON_ASSERT(SHA256_Update(&sha, digest.data(), digest.size()) == 1 &&
                    SHA256_Final(digest.data(), &sha) == 1);
    return digest;
}

bool equal_in_constant_time(Bytes a, Bytes b) noexcept {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace colophon
