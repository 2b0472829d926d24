// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/hmac.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/digest.h"
#include "core/hmac.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

namespace colophon::storage {
namespace {

// Looking an algorithm up costs more than a short message, so it is done once.
EVP_MAC* hmac_algorithm() {
    static EVP_MAC* const kAlgorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    COLOPHON_ASSERT(kAlgorithm != nullptr);
    return kAlgorithm;
}

}  // namespace

struct Hmac::State {
    struct Free {
        void operator()(EVP_MAC_CTX* made) const { EVP_MAC_CTX_free(made); }
    };
    std::unique_ptr<EVP_MAC_CTX, Free> context{EVP_MAC_CTX_new(hmac_algorithm())};
};

Hmac::Hmac(DigestAlgorithm algorithm, Bytes key) : state_(std::make_unique<State>()) {
    std::string name = algorithm == DigestAlgorithm::kSha256 ? "SHA256" : "SM3";
    const std::array<OSSL_PARAM, 2> parameters{
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name.data(), 0),
        OSSL_PARAM_construct_end()};
    COLOPHON_ASSERT(
        EVP_MAC_init(state_->context.get(), key.data(), key.size(), parameters.data()) == 1);
}

Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;

void Hmac::update(Bytes bytes) {
    COLOPHON_ASSERT(EVP_MAC_update(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Digest256 Hmac::finish() {
    Digest256 digest{};
    std::size_t size = 0;
    COLOPHON_ASSERT(EVP_MAC_final(state_->context.get(), digest.data(), &size, digest.size()) == 1);
    COLOPHON_ASSERT(size == digest.size());
    return digest;
}

void Hmac::restart() {
    COLOPHON_ASSERT(EVP_MAC_init(state_->context.get(), nullptr, 0, nullptr) == 1);
}

Digest256 hmac(DigestAlgorithm algorithm, Bytes key, std::initializer_list<Bytes> parts) {
    if (algorithm == DigestAlgorithm::kSha256) {
        return HmacSha256(key).of(parts);
    }
    Hmac mac(algorithm, key);
    for (const Bytes part : parts) {
        mac.update(part);
    }
    return mac.finish();
}

void append_counted(Buffer& out, std::string_view text) {
    append_be32(out, static_cast<std::uint32_t>(text.size()));
    append(out, text);
}

}  // namespace colophon::storage
