// SPDX-License-Identifier: Apache-2.0
// Keys that sign claims, and the certificates that go with them.
#include "core/bytes.h"
#include "core/result.h"
#include "label/provenance/certificate.h"
#include "label/provenance/internal/key_use.h"
#include "label/provenance/internal/x509.h"
#include "label/provenance/signature_algorithm.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/types.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using internal::algorithm_of_key;
using internal::digest_of;
using internal::raw_ecdsa;
using internal::set_padding;

struct Free {
    void operator()(EVP_PKEY* made) const noexcept { EVP_PKEY_free(made); }
    void operator()(EVP_MD_CTX* made) const noexcept { EVP_MD_CTX_free(made); }
    void operator()(BIO* made) const noexcept { BIO_free(made); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Error openssl_failed(std::string_view what) {
    ERR_clear_error();
    return Error{ErrorCode::kUnavailable, std::string(what)};
}

// ECDSA in DER as r and s of equal length; empty when it is neither.
Buffer as_cose(Buffer signature, SignatureAlgorithm algorithm) {
    const unsigned coordinate_bytes = facts(algorithm).coordinate_bytes;
    if (coordinate_bytes == 0 || signature.size() == std::size_t{2} * coordinate_bytes) {
        return signature;
    }
    return raw_ecdsa(signature, coordinate_bytes).value_or(Buffer());
}

// A key in this process.
class PemKey final : public SigningKey {
public:
    explicit PemKey(Owned<EVP_PKEY> key) : key_(std::move(key)) {}

    Result<Buffer> sign(SignatureAlgorithm algorithm, Bytes message) override {
        const SignatureAlgorithmFacts& row = facts(algorithm);
        const Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
        EVP_PKEY_CTX* key_context = nullptr;
        std::size_t size = 0;
        if (!context ||
            EVP_DigestSignInit(context.get(), &key_context, digest_of(row), nullptr, key_.get()) !=
                1 ||
            !set_padding(key_context, row) ||
            EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1) {
            return openssl_failed("OpenSSL could not sign with the key");
        }
        Buffer signature(size);
        if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                           message.size()) != 1) {
            return openssl_failed("OpenSSL could not sign with the key");
        }
        signature.resize(size);
        return signature;
    }

private:
    Owned<EVP_PKEY> key_;
};

// A key that is elsewhere, and may be another one by now or no key at all: what it signs counts
// when the certificate confirms it. Otherwise only those who check the file would notice.
class ConfirmedKey final : public SigningKey {
public:
    ConfirmedKey(std::shared_ptr<SigningKey> key, Certificate leaf)
        : key_(std::move(key)), leaf_(std::move(leaf)) {}

    Result<Buffer> sign(SignatureAlgorithm algorithm, Bytes message) override {
        Buffer signature = as_cose(TRY(key_->sign(algorithm, message)), algorithm);
        if (!leaf_.verify(algorithm, message, signature)) {
            return Error{ErrorCode::kUnavailable,
                         "what the key signed is not confirmed by the first certificate; does the "
                         "key belong to it?"};
        }
        return signature;
    }

private:
    std::shared_ptr<SigningKey> key_;
    Certificate leaf_;
};

// The certificates of a signer, of which the first may sign claims.
Result<std::vector<Certificate>> signing_chain(std::string_view pem) {
    std::vector<Certificate> chain = TRY(certificates_from_pem(pem, 16));
    const std::string problem = chain.front().profile_problem(Purpose::kClaim);
    if (!problem.empty()) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("the first certificate cannot sign Content Credentials: {}", problem)};
    }
    return chain;
}

Error no_algorithm() {
    return {ErrorCode::kInvalidArgument,
            "Content Credentials are signed by keys on P-256, P-384 or P-521, by RSA of "
            "2048 bits or more, or by Ed25519; this key is none of these"};
}

}  // namespace

// A root at the end is left out of what goes into files.
SigningCredential::SigningCredential(std::shared_ptr<SigningKey> key, SignatureAlgorithm algorithm,
                                     std::vector<Certificate> certificates)
    : key_(std::move(key)), algorithm_(algorithm), chain_(std::move(certificates)) {
    const auto above = std::ranges::find_if(
        chain_, [&](const Certificate& each) { return each.issued(chain_.front()); });
    if (above != chain_.end()) {
        issuer_ = *above;
    }
    X509* last = internal::X509Access::get(chain_.back());
    if (chain_.size() > 1 &&
        X509_NAME_cmp(X509_get_subject_name(last), X509_get_issuer_name(last)) == 0) {
        chain_.pop_back();
    }
}

Result<SigningCredential> SigningCredential::from_pem(std::string_view key_pem,
                                                      std::string_view chain_pem) {
    const Owned<BIO> bio(BIO_new_mem_buf(key_pem.data(), static_cast<int>(key_pem.size())));
    // The empty password keeps OpenSSL from asking for one on the terminal.
    std::string no_password;
    Owned<EVP_PKEY> key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, no_password.data()));
    ERR_clear_error();
    if (!key) {
        return Error{ErrorCode::kInvalidArgument,
                     "no private key in PEM form, without a password, is in the file"};
    }
    const auto algorithm = algorithm_of_key(key.get());
    if (!algorithm) {
        return no_algorithm();
    }
    std::vector<Certificate> chain = TRY(signing_chain(chain_pem));
    X509* leaf = internal::X509Access::get(chain.front());
    const bool pair = X509_check_private_key(leaf, key.get()) == 1;
    ERR_clear_error();
    if (!pair) {
        return Error{ErrorCode::kInvalidArgument,
                     "the private key does not belong to the first certificate"};
    }
    return SigningCredential(std::make_shared<PemKey>(std::move(key)), *algorithm,
                             std::move(chain));
}

Result<SigningCredential> SigningCredential::from_key(std::shared_ptr<SigningKey> key,
                                                      std::string_view chain_pem) {
    std::vector<Certificate> chain = TRY(signing_chain(chain_pem));
    EVP_PKEY* public_key = X509_get0_pubkey(internal::X509Access::get(chain.front()));
    ERR_clear_error();
    const auto algorithm =
        public_key == nullptr ? std::optional<SignatureAlgorithm>() : algorithm_of_key(public_key);
    if (!algorithm) {
        return no_algorithm();
    }
    auto confirmed = std::make_shared<ConfirmedKey>(std::move(key), chain.front());
    SigningCredential credential(std::move(confirmed), *algorithm, std::move(chain));
    TRY(credential.sign(as_bytes("Colophon: does this key belong to the certificate?")));
    return credential;
}

Result<Buffer> SigningCredential::sign(Bytes message) const {
    return as_cose(TRY(key_->sign(algorithm_, message)), algorithm_);
}

Result<Buffer> digest_to_sign(SignatureAlgorithm algorithm, Bytes message) {
    const EVP_MD* kind = digest_of(facts(algorithm));
    if (kind == nullptr) {
        return to_buffer(message);
    }
    Buffer digest(static_cast<std::size_t>(EVP_MD_get_size(kind)));
    if (EVP_Digest(message.data(), message.size(), digest.data(), nullptr, kind, nullptr) != 1) {
        return openssl_failed("OpenSSL could not make the digest");
    }
    return digest;
}

}  // namespace colophon::label::provenance
