// SPDX-License-Identifier: Apache-2.0
#pragma once

// Message digests: SHA-256 (FIPS 180-4) and SM3 (GB/T 32905-2016).

#include "core/bytes.h"

#include <array>
#include <cstdint>
#include <memory>

namespace colophon {

using Digest256 = std::array<std::uint8_t, 32>;

enum class DigestAlgorithm { kSha256, kSm3 };

Digest256 sha256(Bytes bytes);
Digest256 sm3(Bytes bytes);

// For input that comes in parts.
class Hasher {
public:
    explicit Hasher(DigestAlgorithm algorithm);
    ~Hasher();
    Hasher(Hasher&&) noexcept;
    Hasher& operator=(Hasher&&) noexcept;
    Hasher(const Hasher&) = delete;
    Hasher& operator=(const Hasher&) = delete;

    void update(Bytes bytes);
    Digest256 finish();  // once

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace colophon
