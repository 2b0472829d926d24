// SPDX-License-Identifier: Apache-2.0
// The private half of SecurityData: keys, and the value that we write into ReservedCode1.

#include "core/bytes.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/metadata/aigc.h"
#include "label/metadata/internal/sm2.h"
#include "label/metadata/security_data.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/buffer.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/types.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label {
namespace {

constexpr std::size_t kPemBytesMax = 64U << 10U;

struct FreeBio {
    void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

// Answers OpenSSL's question for a passphrase with "none"; without this it would ask the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*context*/) {
    return -1;
}

Result<Bio> open_pem(std::string_view pem) {
    if (pem.size() > kPemBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a key file of {} bytes; at most {} are read",
                                                    pem.size(), kPemBytesMax)};
    }
    Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    if (!bio) {
        return Error{ErrorCode::kUnavailable, "no memory for a key"};
    }
    return bio;
}

}  // namespace

struct SigningKey::State {
    internal::Key key;
};

SigningKey::SigningKey(std::unique_ptr<State> state) : state_(std::move(state)) {}
SigningKey::~SigningKey() = default;
SigningKey::SigningKey(SigningKey&&) noexcept = default;
SigningKey& SigningKey::operator=(SigningKey&&) noexcept = default;

Result<SigningKey> SigningKey::generate() {
    internal::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "SM2"));
    if (!key) {
        ERR_clear_error();
        return Error{ErrorCode::kUnavailable, "OpenSSL could not make an SM2 key"};
    }
    return SigningKey(std::make_unique<State>(State{std::move(key)}));
}

Result<SigningKey> SigningKey::from_pem(std::string_view pem) {
    const Bio bio = TRY(open_pem(pem));
    internal::Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
    ERR_clear_error();
    if (!key) {
        return Error{ErrorCode::kInvalidArgument,
                     "no private key in PEM form without a passphrase; make one with: openssl "
                     "genpkey -algorithm SM2"};
    }
    if (!internal::is_sm2(key.get())) {
        return Error{ErrorCode::kInvalidArgument,
                     "the private key is not an SM2 key; make one with: openssl genpkey "
                     "-algorithm SM2"};
    }
    // A file whose public half belongs to another private key would sign what nobody can verify.
    Buffer probe = TRY(internal::sign_sm2(key.get(), as_bytes("probe")));
    if (!internal::verify_sm2(key.get(), as_bytes("probe"), probe)) {
        return Error{ErrorCode::kInvalidArgument,
                     "the public half of the SM2 key does not belong to its private half"};
    }
    return SigningKey(std::make_unique<State>(State{std::move(key)}));
}

Result<std::string> SigningKey::to_pem() const {
    const Error failed{ErrorCode::kUnavailable, "OpenSSL could not write the key"};
    const Bio bio(BIO_new(BIO_s_mem()));
    if (!bio || PEM_write_bio_PKCS8PrivateKey(bio.get(), state_->key.get(), nullptr, nullptr, 0,
                                              nullptr, nullptr) != 1) {
        ERR_clear_error();
        return failed;
    }
    BUF_MEM* memory = nullptr;
    BIO_get_mem_ptr(bio.get(), &memory);
    if (memory == nullptr) {
        return failed;
    }
    std::string pem(memory->data, memory->length);
    OPENSSL_cleanse(memory->data, memory->max);
    return pem;
}

Buffer SigningKey::public_key() const {
    return internal::to_spki(state_->key.get());
}

std::string SigningKey::key_id() const {
    return internal::key_id_of_spki(public_key());
}

Result<Buffer> SigningKey::sign(Bytes message) const {
    return internal::sign_sm2(state_->key.get(), message);
}

// The values are quoted as JSON quotes them, so that no value can play the part of another field.
std::string signed_message(const AigcLabel& label) {
    return "\"Label\":" + json::quote(label.label) +
           ",\"ContentProducer\":" + json::quote(label.content_producer) +
           ",\"ProduceID\":" + json::quote(label.produce_id);
}

// [TC260-PG-202511A] One signature over the producer's part, one key, no bindings to the content.
// The spelling LabelMataData is the one that producers use.
Result<std::string> make_security_data(const AigcLabel& label, const SigningKey& key,
                                       std::string_view key_id) {
    const auto odd = [](char c) { return c < 0x21 || c > 0x7E || c == '"' || c == '\\'; };
    if (key_id.size() > limits::kLabelFieldCharsMax / 8 || std::ranges::any_of(key_id, odd)) {
        return Error{ErrorCode::kInvalidArgument,
                     "a key id has at most 256 printable ASCII characters without spaces, "
                     "quotation marks and backslashes"};
    }
    const std::string_view algorithm = internal::kSm2WithSm3;
    const Buffer signature = TRY(key.sign(as_bytes(signed_message(label))));
    json::Object protection{
        {"Type", "DS"},
        {"AlgID", algorithm},
        {"TBSData", json::Object{{"Type", "LabelMataData"}}},
        {"Signature", to_hex(signature)},
    };
    json::Object public_key{
        {"Type", "PubKey"},
        {"AlgID", algorithm},
        {"KeyValue", to_hex(key.public_key())},
        {"KeyID", key_id.empty() ? key.key_id() : std::string(key_id)},
    };
    json::Object data{
        {"Type", "TC260PG"},
        {"Version", 1},
        {"PubSD", json::Array{std::move(protection), std::move(public_key)}},
        {"Bindings", json::Array{}},
    };
    return json::write(json::Object{{"SecurityData", std::move(data)}});
}

Result<TrustedKey> trusted_key_from_pem(std::string_view name, std::string_view pem) {
    if (pem.find("PRIVATE KEY") != std::string_view::npos) {
        return Error{ErrorCode::kInvalidArgument,
                     "a private key was given as a trusted key; give only its public half: openssl "
                     "pkey -pubout"};
    }
    Bio bio = TRY(open_pem(pem));
    internal::Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr));
    if (!key) {
        bio = TRY(open_pem(pem));
        X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr);
        key.reset(certificate == nullptr ? nullptr : X509_get_pubkey(certificate));
        X509_free(certificate);
    }
    ERR_clear_error();
    if (!internal::is_sm2(key.get()) && !internal::is_rsa(key.get())) {
        return Error{ErrorCode::kInvalidArgument,
                     "no public key or certificate in PEM form for SM2 or RSA (up to 8192 bits)"};
    }
    return TrustedKey{.name = std::string(name), .public_key = internal::to_spki(key.get())};
}

}  // namespace colophon::label
