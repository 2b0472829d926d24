// SPDX-License-Identifier: Apache-2.0
#include "core/digest.h"

#include "core/assert.h"
#include "core/bytes.h"

#include <openssl/evp.h>

#include <memory>

namespace colophon {

struct Hasher::State {
    struct Free {
        void operator()(EVP_MD_CTX* made) const { EVP_MD_CTX_free(made); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Hasher::Hasher(DigestAlgorithm algorithm) : state_(std::make_unique<State>()) {
    const EVP_MD* type = algorithm == DigestAlgorithm::kSha256 ? EVP_sha256() : EVP_sm3();
    COLOPHON_ASSERT(EVP_DigestInit_ex(state_->context.get(), type, nullptr) == 1);
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(Bytes bytes) {
    COLOPHON_ASSERT(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Digest256 Hasher::finish() {
    Digest256 digest{};
    COLOPHON_ASSERT(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
    return digest;
}

Digest256 sha256(Bytes bytes) {
    Hasher hasher(DigestAlgorithm::kSha256);
    hasher.update(bytes);
    return hasher.finish();
}

Digest256 sm3(Bytes bytes) {
    Hasher hasher(DigestAlgorithm::kSm3);
    hasher.update(bytes);
    return hasher.finish();
}

}  // namespace colophon
