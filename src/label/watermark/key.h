// SPDX-License-Identifier: Apache-2.0
#pragma once

// The key of a watermark decides where in the spectrum each bit lies and with which sign. Whoever
// has it can read the mark, and also write one or spoil it: a watermark is a hint to the record,
// never proof of origin by itself.

#include "core/bytes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::label {

struct WatermarkKey {
    static constexpr std::size_t kBytes = 32;
    std::array<std::uint8_t, kBytes> bytes{};
    bool operator==(const WatermarkKey&) const = default;
};

// The key that stands in this source: anyone can detect, offline, with the program alone. It is the
// SHA-256 of "colophon watermark, published key 1".
const WatermarkKey& published_watermark_key();

// Random numbers that depend on the key and a purpose alone: SHA-256 over key, purpose and a
// counter. Two purposes are independent of each other.
class KeyStream {
public:
    KeyStream(const WatermarkKey& key, std::string_view purpose);
    std::uint32_t next();
    // 0 .. bound - 1, each equally likely; bound at least 1 (asserted).
    std::uint32_t below(std::uint32_t bound);
    bool bit() { return (next() & 1U) != 0; }
    // A permutation of 0 .. count - 1.
    std::vector<std::uint32_t> permutation(std::size_t count);

private:
    void refill();

    Buffer seed_;
    std::array<std::uint8_t, 32> block_{};
    std::size_t used_ = sizeof(block_);
    std::uint64_t counter_ = 0;
};

}  // namespace colophon::label
