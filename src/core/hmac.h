// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keyed digests (RFC 2104) and the comparison that goes with them.

#include "core/bytes.h"
#include "core/digest.h"

#include <array>
#include <cstdint>
#include <initializer_list>

namespace colophon {

enum class HmacHash : std::uint8_t { kSha1, kSha256, kSha512, kSm3 };

Digest256 hmac_sha256(Bytes key, Bytes message);

// HMAC-SHA256 under one key, which is taken in once: half of the time for short messages. Wiped
// at its end.
class HmacSha256 {
public:
    explicit HmacSha256(Bytes key);
    ~HmacSha256();
    HmacSha256(const HmacSha256&) = default;
    HmacSha256& operator=(const HmacSha256&) = default;
    HmacSha256(HmacSha256&&) = default;
    HmacSha256& operator=(HmacSha256&&) = default;

    // Over the parts one after another.
    Digest256 of(std::initializer_list<Bytes> parts) const;

private:
    // What the hash is after the first block, of the inner and of the outer one.
    std::array<std::uint32_t, 8> inner_{};
    std::array<std::uint32_t, 8> outer_{};
};

// 20, 32 or 64 bytes. SHA-1 is here for protocols that demand it (RFC 6238, older cloud
// signatures).
Buffer hmac(HmacHash hash, Bytes key, Bytes message);

// Takes the same time wherever the two differ. Sizes are not secret: other sizes are unequal at
// once.
bool equal_in_constant_time(Bytes a, Bytes b) noexcept;

}  // namespace colophon
