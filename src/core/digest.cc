// SPDX-License-Identifier: Apache-2.0
// SHA-256 by OpenSSL's own loop without its envelope: what that looks up and allocates for each
// digest takes longer than hashing the hundred bytes that most of ours are of.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "core/digest.h"

#include "core/assert.h"
#include "core/bytes.h"

#include <openssl/evp.h>
#include <openssl/sha.h>

#include <memory>
#include <variant>

namespace colophon {
namespace {

// Looked up once.
const EVP_MD* sm3_algorithm() {
    static const EVP_MD* const kAlgorithm = EVP_MD_fetch(nullptr, "SM3", nullptr);
    COLOPHON_ASSERT(kAlgorithm != nullptr);
    return kAlgorithm;
}

struct FreeContext {
    void operator()(EVP_MD_CTX* made) const { EVP_MD_CTX_free(made); }
};
using Sm3 = std::unique_ptr<EVP_MD_CTX, FreeContext>;

}  // namespace

struct Hasher::State {
    std::variant<SHA256_CTX, Sm3> of;
};

Hasher::Hasher(DigestAlgorithm algorithm) : state_(std::make_unique<State>()) {
    if (algorithm == DigestAlgorithm::kSha256) {
        COLOPHON_ASSERT(SHA256_Init(&state_->of.emplace<SHA256_CTX>()) == 1);
        return;
    }
    Sm3& context = state_->of.emplace<Sm3>(EVP_MD_CTX_new());
    COLOPHON_ASSERT(EVP_DigestInit_ex(context.get(), sm3_algorithm(), nullptr) == 1);
}

Hasher::~Hasher() = default;
Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;

void Hasher::update(Bytes bytes) {
    if (auto* const sha = std::get_if<SHA256_CTX>(&state_->of)) {
        COLOPHON_ASSERT(SHA256_Update(sha, bytes.data(), bytes.size()) == 1);
        return;
    }
    COLOPHON_ASSERT(EVP_DigestUpdate(std::get<Sm3>(state_->of).get(), bytes.data(), bytes.size()) ==
                    1);
}

Digest256 Hasher::finish() {
    Digest256 digest{};
    if (auto* const sha = std::get_if<SHA256_CTX>(&state_->of)) {
        COLOPHON_ASSERT(SHA256_Final(digest.data(), sha) == 1);
        return digest;
    }
    COLOPHON_ASSERT(EVP_DigestFinal_ex(std::get<Sm3>(state_->of).get(), digest.data(), nullptr) ==
                    1);
    return digest;
}

Digest256 sha256(Bytes bytes) {
    SHA256_CTX sha;
    Digest256 digest{};
    COLOPHON_ASSERT(SHA256_Init(&sha) == 1 &&
                    SHA256_Update(&sha, bytes.data(), bytes.size()) == 1 &&
                    SHA256_Final(digest.data(), &sha) == 1);
    return digest;
}

Digest256 sm3(Bytes bytes) {
    Hasher hasher(DigestAlgorithm::kSm3);
    hasher.update(bytes);
    return hasher.finish();
}

}  // namespace colophon
