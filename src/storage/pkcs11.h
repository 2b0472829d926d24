// SPDX-License-Identifier: Apache-2.0
#pragma once

// A key inside a PKCS#11 token (OASIS, version 2.40): what it does is asked of the token, the key
// itself stays where it is. After a lost session (the token was taken out, its server began anew)
// the next call opens another one. Safe to share between threads, which take turns.

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace colophon::storage {

// "pkcs11:token=LABEL;object=LABEL?module-path=FILE&pin-source=file:PATH|env:NAME", a part of
// RFC 7512.
struct Pkcs11Uri {
    std::string token;
    std::string object;
    std::string module_path;
    std::string pin_source;  // "file:..." or "env:..."
};

// Error{kInvalidArgument} names what is missing, unknown or badly escaped.
Result<Pkcs11Uri> parse_pkcs11_uri(std::string_view address);

enum class Pkcs11Kind : std::uint8_t { kAes, kPrivate };

enum class Pkcs11Signing : std::uint8_t {
    kEcdsa,      // CKM_ECDSA over a digest: r and s of equal length
    kPssSha256,  // CKM_RSA_PKCS_PSS over a digest, MGF1 with the same one, a salt of its length
    kPssSha384,
    kPssSha512,
    kEdDsa,  // CKM_EDDSA over the whole message
};

class Pkcs11Key {
public:
    // Loads the module, logs in and finds the one key of that kind with that label. kNotFound: the
    // module, the token or the key; kConflict: several keys; kDenied: the PIN; kInvalidArgument: no
    // module; kUnavailable: the token refused otherwise. The PIN comes from `pin_source`, a file
    // that only its owner may read.
    static Result<std::unique_ptr<Pkcs11Key>> open(const Pkcs11Uri& uri, Pkcs11Kind kind);
    virtual ~Pkcs11Key() = default;
    Pkcs11Key() = default;
    Pkcs11Key(const Pkcs11Key&) = delete;
    Pkcs11Key& operator=(const Pkcs11Key&) = delete;
    Pkcs11Key(Pkcs11Key&&) = delete;
    Pkcs11Key& operator=(Pkcs11Key&&) = delete;

    // AES-GCM with a tag of 16 bytes at the end of what is sealed; `bound` is authenticated beside
    // it. Both fill `out` from the front and need room for the sealed form. kCorrupt: it does not
    // open.
    virtual Result<void> encrypt(Bytes nonce, Bytes bound, Bytes in,
                                 std::span<std::uint8_t> out) = 0;
    virtual Result<void> decrypt(Bytes nonce, Bytes bound, Bytes in,
                                 std::span<std::uint8_t> out) = 0;

    virtual Result<Buffer> sign(Pkcs11Signing how, Bytes digest_or_message) = 0;
};

}  // namespace colophon::storage
