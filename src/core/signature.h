// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signatures over bytes with keys that are bytes: Ed25519 (RFC 8032), and SM2 (GB/T 32918) over SM3
// with the default user id 1234567812345678.

#include "core/bytes.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace colophon {

inline constexpr std::size_t kEd25519KeyBytes = 32;  // the public key, and the private seed
inline constexpr std::size_t kEd25519SignatureBytes = 64;

using Ed25519Key = std::array<std::uint8_t, kEd25519KeyBytes>;

// kInvalidArgument when the seed is not 32 bytes long.
Result<Ed25519Key> ed25519_public_key(Bytes seed);
Result<Buffer> ed25519_sign(Bytes seed, Bytes message);
// False for a wrong signature, and for a key or signature of a wrong length.
bool ed25519_verify(Bytes public_key, Bytes message, Bytes signature);

inline constexpr std::size_t kSm2PrivateBytes = 32;  // big-endian, 1 to n - 2
inline constexpr std::size_t kSm2PublicBytes = 65;   // 0x04, x, y

// kInvalidArgument when these are not 32 bytes of a private key; one of 2^32 random texts is not.
Result<Buffer> sm2_public_key(Bytes private_key);
// In DER: SEQUENCE { r, s }, as other programs write it. Each signature is another one.
Result<Buffer> sm2_sign(Bytes private_key, Bytes message);
// False for a wrong signature, and for a key that is no point of the curve.
bool sm2_verify(Bytes public_key, Bytes message, Bytes signature);

}  // namespace colophon
