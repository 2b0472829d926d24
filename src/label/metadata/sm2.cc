// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/sm2.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/types.h>
#include <openssl/x509.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::internal {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
constexpr int kRsaBitsMax = 8192;

template <auto kFree>
struct Freed {
    template <class T>
    void operator()(T* value) const noexcept {
        kFree(value);
    }
};
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BN_free>>;
using EcSignature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG_free>>;

// A failed attempt leaves entries in OpenSSL's error queue, which belongs to the whole thread.
class ErrorQueue {
public:
    ErrorQueue() { ERR_set_mark(); }
    ~ErrorQueue() { ERR_pop_to_mark(); }
    ErrorQueue(const ErrorQueue&) = delete;
    ErrorQueue& operator=(const ErrorQueue&) = delete;
    ErrorQueue(ErrorQueue&&) = delete;
    ErrorQueue& operator=(ErrorQueue&&) = delete;
};

// SubjectPublicKeyInfo around an SM2 point: SEQUENCE { SEQUENCE { id-ecPublicKey, sm2p256v1 },
// BIT STRING { 0 unused bits, point } }. All lengths fit one byte.
Buffer spki_around(Bytes point) {
    const Buffer algorithm = from_hex("301306072A8648CE3D020106082A811CCF5501822D").value();
    Buffer out{0x30, static_cast<std::uint8_t>(algorithm.size() + 3 + point.size())};
    append(out, algorithm);
    append(out, Buffer{0x03, static_cast<std::uint8_t>(point.size() + 1), 0x00});
    append(out, point);
    return out;
}

Buffer with_prefix(std::uint8_t prefix, Bytes rest) {
    Buffer out{prefix};
    append(out, rest);
    return out;
}

// The SEC 1 form of a point in the forms that producers write; empty when it is none.
Buffer normal_point(Bytes bytes) {
    const std::uint8_t first = bytes.empty() ? 0xFF : bytes[0];
    if (bytes.size() == 2 * kCoordinateBytes + 1 && first == 0x04) {
        return to_buffer(bytes);
    }
    if (bytes.size() == 2 * kCoordinateBytes) {
        return with_prefix(0x04, bytes);
    }
    if (bytes.size() == kCoordinateBytes + 1 && (first == 0x02 || first == 0x03)) {
        return to_buffer(bytes);
    }
    if (bytes.size() == kCoordinateBytes + 1 && first == 0x00) {
        return with_prefix(0x02, bytes.subspan(1));
    }
    return bytes.size() == kCoordinateBytes ? with_prefix(0x02, bytes) : Buffer{};
}

Key key_from_spki(Bytes der) {
    const unsigned char* at = der.data();
    Key key(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
    return at == der.data() + der.size() ? std::move(key) : nullptr;
}

Key key_from_certificate(Bytes der) {
    const unsigned char* at = der.data();
    const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    return certificate ? Key(X509_get_pubkey(certificate.get())) : nullptr;
}

bool verify(EVP_PKEY* key, const EVP_MD* digest, Bytes message, Bytes signature) {
    const ErrorQueue errors;
    const Context context(EVP_MD_CTX_new());
    const KeyContext key_context(EVP_PKEY_CTX_new(key, nullptr));
    if (!context || !key_context) {
        return false;
    }
    // The user id is not applied on its own: without it the digest Z differs and nothing verifies.
    if (is_sm2(key) && EVP_PKEY_CTX_set1_id(key_context.get(), kSm2UserId.data(),
                                            static_cast<int>(kSm2UserId.size())) != 1) {
        return false;
    }
    EVP_MD_CTX_set_pkey_ctx(context.get(), key_context.get());
    return EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, key) == 1 &&
           EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                            message.size()) == 1;
}

Buffer der_of_raw(Bytes signature) {
    Number r(BN_bin2bn(signature.data(), kCoordinateBytes, nullptr));
    Number s(BN_bin2bn(signature.data() + kCoordinateBytes, kCoordinateBytes, nullptr));
    const EcSignature pair(ECDSA_SIG_new());
    // The pair takes both numbers; it refuses only null, which is ruled out before.
    if (!r || !s || !pair || ECDSA_SIG_set0(pair.get(), r.release(), s.release()) != 1) {
        return {};
    }
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &der);
    Buffer out;
    if (size > 0) {
        out.assign(der, der + size);
        OPENSSL_free(der);
    }
    return out;
}

}  // namespace

void FreeKey::operator()(EVP_PKEY* key) const noexcept {
    EVP_PKEY_free(key);
}

bool is_sm2(const EVP_PKEY* key) noexcept {
    return key != nullptr && EVP_PKEY_is_a(key, "SM2") == 1;
}

bool is_rsa(const EVP_PKEY* key) noexcept {
    return key != nullptr && EVP_PKEY_is_a(key, "RSA") == 1 &&
           EVP_PKEY_get_bits(key) <= kRsaBitsMax;
}

Key parse_public_key(Bytes bytes) {
    const ErrorQueue errors;
    const Buffer point = normal_point(bytes);
    Key key = point.empty() ? key_from_spki(bytes) : key_from_spki(spki_around(point));
    if (!key && point.empty()) {
        key = key_from_certificate(bytes);
    }
    return is_sm2(key.get()) || is_rsa(key.get()) ? std::move(key) : nullptr;
}

Buffer to_spki(const EVP_PKEY* key) {
    const ErrorQueue errors;
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key, &der);
    Buffer out;
    if (size > 0) {
        out.assign(der, der + size);
        OPENSSL_free(der);
    }
    return out;
}

std::string key_id_of_spki(Bytes spki) {
    constexpr std::size_t kKeyIdBytes = 8;
    return to_hex(Bytes(sm3(spki)).first(kKeyIdBytes));
}

bool verify_sm2(EVP_PKEY* key, Bytes message, Bytes signature) {
    if (!is_sm2(key)) {
        return false;
    }
    if (verify(key, EVP_sm3(), message, signature)) {
        return true;
    }
    return signature.size() == 2 * kCoordinateBytes &&
           verify(key, EVP_sm3(), message, der_of_raw(signature));
}

bool verify_rsa_sha256(EVP_PKEY* key, Bytes message, Bytes signature) {
    return is_rsa(key) && verify(key, EVP_sha256(), message, signature);
}

Result<Buffer> sign_sm2(EVP_PKEY* key, Bytes message) {
    const ErrorQueue errors;
    const Error failed{ErrorCode::kUnavailable, "signing with the SM2 key failed"};
    const Context context(EVP_MD_CTX_new());
    const KeyContext key_context(EVP_PKEY_CTX_new(key, nullptr));
    if (!context || !key_context ||
        EVP_PKEY_CTX_set1_id(key_context.get(), kSm2UserId.data(),
                             static_cast<int>(kSm2UserId.size())) != 1) {
        return failed;
    }
    EVP_MD_CTX_set_pkey_ctx(context.get(), key_context.get());
    std::size_t size = 0;
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sm3(), nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) != 1) {
        return failed;
    }
    Buffer signature(size);
    if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) !=
        1) {
        return failed;
    }
    signature.resize(size);
    return signature;
}

}  // namespace colophon::label::internal
