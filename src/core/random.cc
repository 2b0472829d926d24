// SPDX-License-Identifier: Apache-2.0
#include "core/random.h"

#include "core/bytes.h"
#include "core/result.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>

namespace colophon {

Result<std::uint64_t> Random::next() {
    std::array<std::uint8_t, 8> bytes{};
    TRY(fill(bytes));
    return load_le64(bytes);
}

Result<void> SystemRandom::fill(std::span<std::uint8_t> out) {
    while (!out.empty()) {
        const ssize_t got = getrandom(out.data(), out.size(), 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return Error{ErrorCode::kUnavailable, "the system gives no random bytes"};
        }
        out = out.subspan(static_cast<std::size_t>(got));
    }
    return {};
}

Result<void> SeededRandom::fill(std::span<std::uint8_t> out) {
    // Steele, Lea, Flood: "Fast splittable pseudorandom number generators" (2014).
    while (!out.empty()) {
        state_ += 0x9E3779B97F4A7C15ULL;
        std::uint64_t z = state_;
        z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
        z ^= z >> 31U;
        for (std::size_t i = 0; i < 8 && !out.empty(); ++i) {
            out.front() = static_cast<std::uint8_t>(z & 0xFFU);
            z >>= 8U;
            out = out.subspan(1);
        }
    }
    return {};
}

}  // namespace colophon
