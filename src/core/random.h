// SPDX-License-Identifier: Apache-2.0
#pragma once

// Randomness as a parameter. SystemRandom is for keys and ids, SeededRandom for tests and benches.

#include "core/result.h"

#include <cstdint>
#include <span>

namespace colophon {

class Random {
public:
    virtual ~Random() = default;
    // Fills the whole span. kUnavailable when the system has no randomness to give.
    virtual Result<void> fill(std::span<std::uint8_t> out) = 0;

    Result<std::uint64_t> next();
};

// The kernel's generator.
class SystemRandom final : public Random {
public:
    Result<void> fill(std::span<std::uint8_t> out) override;
};

// SplitMix64: reproducible, not secret.
class SeededRandom final : public Random {
public:
    explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
    Result<void> fill(std::span<std::uint8_t> out) override;

private:
    std::uint64_t state_;
};

}  // namespace colophon
