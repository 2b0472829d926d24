// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/key_use.h"

#include "core/bytes.h"
#include "label/provenance/signature_algorithm.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/types.h>

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::provenance::internal {
namespace {

struct Free {
    void operator()(ECDSA_SIG* made) const noexcept { ECDSA_SIG_free(made); }
    void operator()(unsigned char* made) const noexcept { OPENSSL_free(made); }
    void operator()(BIGNUM* made) const noexcept { BN_free(made); }
    void operator()(EVP_MD_CTX* made) const noexcept { EVP_MD_CTX_free(made); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

}  // namespace

std::optional<Buffer> raw_ecdsa(Bytes der, unsigned coordinate_bytes) {
    const unsigned char* at = der.data();
    const Owned<ECDSA_SIG> signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
    Buffer raw(std::size_t{2} * coordinate_bytes);
    const int size = static_cast<int>(coordinate_bytes);
    if (!signature || at != der.data() + der.size() ||
        BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), raw.data(), size) != size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(signature.get()), raw.data() + coordinate_bytes, size) !=
            size) {
        ERR_clear_error();
        return std::nullopt;
    }
    return raw;
}

std::optional<Buffer> der_ecdsa(Bytes raw, unsigned coordinate_bytes) {
    if (raw.size() != std::size_t{2} * coordinate_bytes) {
        return std::nullopt;
    }
    const int size = static_cast<int>(coordinate_bytes);
    const Owned<ECDSA_SIG> signature(ECDSA_SIG_new());
    Owned<BIGNUM> r(BN_bin2bn(raw.data(), size, nullptr));
    Owned<BIGNUM> s(BN_bin2bn(raw.data() + coordinate_bytes, size, nullptr));
    if (!signature || !r || !s || ECDSA_SIG_set0(signature.get(), r.get(), s.get()) != 1) {
        return std::nullopt;
    }
    // The signature owns them now.
    [[maybe_unused]] const BIGNUM* given_r = r.release();
    [[maybe_unused]] const BIGNUM* given_s = s.release();
    unsigned char* der = nullptr;
    const int der_size = i2d_ECDSA_SIG(signature.get(), &der);
    const Owned<unsigned char> owned(der);
    if (der_size <= 0) {
        return std::nullopt;
    }
    return to_buffer(Bytes(der, static_cast<std::size_t>(der_size)));
}

bool suits(EVP_PKEY* key, const SignatureAlgorithmFacts& row) {
    const int kind = EVP_PKEY_get_base_id(key);
    if (row.algorithm == SignatureAlgorithm::kEdDsa) {
        return kind == EVP_PKEY_ED25519;
    }
    if (row.curve.empty()) {
        return (kind == EVP_PKEY_RSA || kind == EVP_PKEY_RSA_PSS) &&
               EVP_PKEY_get_bits(key) >= kRsaBitsMin;
    }
    std::array<char, 64> group{};
    return kind == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) == 1 &&
           std::string_view(group.data()) == row.curve;
}

const EVP_MD* digest_of(const SignatureAlgorithmFacts& row) {
    return row.digest.empty() ? nullptr : EVP_get_digestbyname(std::string(row.digest).c_str());
}

bool set_padding(EVP_PKEY_CTX* context, const SignatureAlgorithmFacts& row) {
    if (!row.curve.empty() || row.digest.empty()) {
        return true;
    }
    return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) > 0 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(context, digest_of(row)) > 0;
}

// RSA keys say nothing of a digest; the length of the key does (SP 800-57 table 2, roughly).
std::optional<SignatureAlgorithm> algorithm_of_key(EVP_PKEY* key) {
    for (const SignatureAlgorithmFacts& row : all_signature_algorithms()) {
        if (!row.curve.empty() && suits(key, row)) {
            return row.algorithm;
        }
    }
    if (suits(key, facts(SignatureAlgorithm::kEdDsa))) {
        return SignatureAlgorithm::kEdDsa;
    }
    if (suits(key, facts(SignatureAlgorithm::kPs256))) {
        const int bits = EVP_PKEY_get_bits(key);
        return bits >= 4096   ? SignatureAlgorithm::kPs512
               : bits >= 3072 ? SignatureAlgorithm::kPs384
                              : SignatureAlgorithm::kPs256;
    }
    return std::nullopt;
}

bool verify_signature(EVP_PKEY* key, SignatureAlgorithm algorithm, Bytes message, Bytes signature) {
    const SignatureAlgorithmFacts& row = facts(algorithm);
    if (key == nullptr || !suits(key, row)) {
        ERR_clear_error();
        return false;
    }
    Buffer der = to_buffer(signature);
    if (row.coordinate_bytes != 0) {
        auto converted = der_ecdsa(signature, row.coordinate_bytes);
        if (!converted) {
            ERR_clear_error();
            return false;
        }
        der = std::move(*converted);
    }
    const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* key_context = nullptr;
    const bool good =
        context &&
        EVP_DigestVerifyInit(context.get(), &key_context, digest_of(row), nullptr, key) == 1 &&
        set_padding(key_context, row) &&
        EVP_DigestVerify(context.get(), der.data(), der.size(), message.data(), message.size()) ==
            1;
    ERR_clear_error();
    return good;
}

}  // namespace colophon::label::provenance::internal
