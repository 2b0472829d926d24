// SPDX-License-Identifier: Apache-2.0
#include "core/signature.h"

#include "core/bytes.h"
#include "core/result.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/types.h>

#include <cstddef>
#include <memory>

namespace colophon {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::unique_ptr<EVP_MD_CTX, Free>;

Result<Key> private_key(Bytes seed) {
    if (seed.size() != kEd25519KeyBytes) {
        return Error{ErrorCode::kInvalidArgument, "the seed of an Ed25519 key has 32 bytes"};
    }
    Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
    if (!key) {
        ERR_clear_error();
        return Error{ErrorCode::kUnavailable, "OpenSSL could not take an Ed25519 key"};
    }
    return key;
}

}  // namespace

Result<Ed25519Key> ed25519_public_key(Bytes seed) {
    const Key key = TRY(private_key(seed));
    Ed25519Key out{};
    std::size_t size = out.size();
    if (EVP_PKEY_get_raw_public_key(key.get(), out.data(), &size) != 1 || size != out.size()) {
        ERR_clear_error();
        return Error{ErrorCode::kUnavailable, "OpenSSL could not give an Ed25519 public key"};
    }
    return out;
}

Result<Buffer> ed25519_sign(Bytes seed, Bytes message) {
    const Key key = TRY(private_key(seed));
    const Context context(EVP_MD_CTX_new());
    Buffer signature(kEd25519SignatureBytes);
    std::size_t size = signature.size();
    if (!context || EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) != 1 ||
        EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) !=
            1 ||
        size != kEd25519SignatureBytes) {
        ERR_clear_error();
        return Error{ErrorCode::kUnavailable, "signing with the Ed25519 key failed"};
    }
    return signature;
}

bool ed25519_verify(Bytes public_key, Bytes message, Bytes signature) {
    if (public_key.size() != kEd25519KeyBytes || signature.size() != kEd25519SignatureBytes) {
        return false;
    }
    const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, public_key.data(),
                                              public_key.size()));
    const Context context(EVP_MD_CTX_new());
    const bool good =
        key && context &&
        EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                         message.size()) == 1;
    ERR_clear_error();
    return good;
}

}  // namespace colophon
