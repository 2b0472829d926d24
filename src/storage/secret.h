// SPDX-License-Identifier: Apache-2.0
#pragma once

// A 256-bit key in memory. Its bytes are overwritten when it goes; it is never printed, and it can
// be copied only by asking for it.

#include "core/bytes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace colophon::storage {

inline constexpr std::size_t kSecretBytes = 32;

// Overwrites memory in a way that no optimizer takes away.
void wipe(std::span<std::uint8_t> bytes) noexcept;

class Secret {
public:
    Secret() = default;
    // The first kSecretBytes of `bytes`, which must be there (asserted).
    explicit Secret(Bytes bytes);
    ~Secret() { wipe(bytes_); }
    Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
    Secret& operator=(Secret&& other) noexcept;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;

    Secret copy() const { return Secret(bytes_); }
    Bytes bytes() const noexcept { return bytes_; }
    std::span<std::uint8_t> writable() noexcept { return bytes_; }

private:
    std::array<std::uint8_t, kSecretBytes> bytes_{};
};

}  // namespace colophon::storage
