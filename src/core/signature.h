// SPDX-License-Identifier: Apache-2.0
#pragma once

// Signatures over bytes with keys that are bytes: Ed25519 (RFC 8032).

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

}  // namespace colophon
