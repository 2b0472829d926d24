// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keyed digests (RFC 2104) and the comparison that goes with them.

#include "core/bytes.h"
#include "core/digest.h"

#include <cstdint>

namespace colophon {

enum class HmacHash : std::uint8_t { kSha1, kSha256, kSha512, kSm3 };

Digest256 hmac_sha256(Bytes key, Bytes message);
// 20, 32 or 64 bytes. SHA-1 is here for protocols that demand it (RFC 6238, older cloud
// signatures).
Buffer hmac(HmacHash hash, Bytes key, Bytes message);

// Takes the same time wherever the two differ. Sizes are not secret: other sizes are unequal at
// once.
bool equal_in_constant_time(Bytes a, Bytes b) noexcept;

}  // namespace colophon
