// SPDX-License-Identifier: Apache-2.0
#include "core/signature.h"

#include "core/bytes.h"
#include "core/result.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>
#include <openssl/types.h>

#include <cstddef>
#include <memory>
#include <string_view>

namespace colophon {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
    void operator()(EVP_PKEY_CTX* context) const noexcept { EVP_PKEY_CTX_free(context); }
    void operator()(EC_GROUP* group) const noexcept { EC_GROUP_free(group); }
    void operator()(EC_POINT* point) const noexcept { EC_POINT_clear_free(point); }
    void operator()(BIGNUM* number) const noexcept { BN_clear_free(number); }
    void operator()(OSSL_PARAM_BLD* builder) const noexcept { OSSL_PARAM_BLD_free(builder); }
    void operator()(OSSL_PARAM* parameters) const noexcept { OSSL_PARAM_free(parameters); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;
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

constexpr std::string_view kSm2UserId = "1234567812345678";

Error no_sm2_key() {
    ERR_clear_error();
    return {ErrorCode::kInvalidArgument, "an SM2 key is a number of 32 bytes below the order"};
}

// From the point alone, or with the private number.
Key sm2_key(Bytes point, const BIGNUM* number) {
    const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
    if (!builder ||
        OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0) != 1 ||
        OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(),
                                         point.size()) != 1 ||
        (number != nullptr &&
         OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, number) != 1)) {
        return nullptr;
    }
    const Owned<OSSL_PARAM> parameters(OSSL_PARAM_BLD_to_param(builder.get()));
    const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "SM2", nullptr));
    EVP_PKEY* made = nullptr;
    const int selection = number == nullptr ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &made, selection, parameters.get()) != 1) {
        return nullptr;
    }
    return Key(made);
}

// Null when a number is out of range.
Owned<BIGNUM> sm2_number(Bytes bytes, const EC_GROUP* group) {
    Owned<BIGNUM> number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
    const Owned<BIGNUM> last(BN_dup(EC_GROUP_get0_order(group)));
    if (!number || !last || BN_sub_word(last.get(), 1) != 1 || BN_is_zero(number.get()) == 1 ||
        BN_cmp(number.get(), last.get()) >= 0) {
        return nullptr;
    }
    return number;
}

// The user id is not applied on its own: without it the digest Z differs and nothing verifies.
bool set_sm2_id(EVP_MD_CTX* context, EVP_PKEY_CTX* key) {
    if (EVP_PKEY_CTX_set1_id(key, kSm2UserId.data(), static_cast<int>(kSm2UserId.size())) != 1) {
        return false;
    }
    EVP_MD_CTX_set_pkey_ctx(context, key);
    return true;
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

Result<Buffer> sm2_public_key(Bytes private_key) {
    const Owned<EC_GROUP> group(EC_GROUP_new_by_curve_name(NID_sm2));
    if (!group || private_key.size() != kSm2PrivateBytes) {
        return no_sm2_key();
    }
    const Owned<BIGNUM> number = sm2_number(private_key, group.get());
    const Owned<EC_POINT> point(EC_POINT_new(group.get()));
    Buffer out(kSm2PublicBytes);
    if (!number || !point ||
        EC_POINT_mul(group.get(), point.get(), number.get(), nullptr, nullptr, nullptr) != 1 ||
        EC_POINT_point2oct(group.get(), point.get(), POINT_CONVERSION_UNCOMPRESSED, out.data(),
                           out.size(), nullptr) != out.size()) {
        return no_sm2_key();
    }
    return out;
}

Result<Buffer> sm2_sign(Bytes private_key, Bytes message) {
    const Buffer point = TRY(sm2_public_key(private_key));
    const Owned<BIGNUM> number(
        BN_bin2bn(private_key.data(), static_cast<int>(private_key.size()), nullptr));
    const Key key = number ? sm2_key(point, number.get()) : nullptr;
    const Context context(EVP_MD_CTX_new());
    const Owned<EVP_PKEY_CTX> key_context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
    Buffer signature;
    std::size_t size = 0;
    if (context && key_context && set_sm2_id(context.get(), key_context.get()) &&
        EVP_DigestSignInit(context.get(), nullptr, EVP_sm3(), nullptr, key.get()) == 1 &&
        EVP_DigestSign(context.get(), nullptr, &size, message.data(), message.size()) == 1) {
        signature.resize(size);
        if (EVP_DigestSign(context.get(), signature.data(), &size, message.data(),
                           message.size()) == 1) {
            signature.resize(size);
            return signature;
        }
    }
    ERR_clear_error();
    return Error{ErrorCode::kUnavailable, "signing with the SM2 key failed"};
}

bool sm2_verify(Bytes public_key, Bytes message, Bytes signature) {
    const Key key = public_key.size() == kSm2PublicBytes ? sm2_key(public_key, nullptr) : nullptr;
    const Context context(EVP_MD_CTX_new());
    const Owned<EVP_PKEY_CTX> key_context(key ? EVP_PKEY_CTX_new(key.get(), nullptr) : nullptr);
    const bool good =
        context && key_context && set_sm2_id(context.get(), key_context.get()) &&
        EVP_DigestVerifyInit(context.get(), nullptr, EVP_sm3(), nullptr, key.get()) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(),
                         message.size()) == 1;
    ERR_clear_error();
    return good;
}

}  // namespace colophon
