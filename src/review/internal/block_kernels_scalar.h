// SPDX-License-Identifier: Apache-2.0
#pragma once

// What block_kernels.h names, in plain loops: the reference, the ends of blocks, and processors
// without vectors.

#include "review/internal/block_kernels.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace colophon::review::internal::scalar {

// One character of one to three bytes there; false, and nothing done, when there is none.
inline bool read_character(std::string_view text, std::size_t& at, std::uint16_t& character) {
    const auto byte = [&](std::size_t index) -> unsigned {
        return static_cast<unsigned char>(text.data()[index]);
    };
    const unsigned first = byte(at);
    if (first < 0x80) {
        character = static_cast<std::uint16_t>(first);
        ++at;
        return true;
    }
    const std::size_t rest = text.size() - at;
    if (first >= 0xc2 && first < 0xe0 && rest >= 2 && (byte(at + 1) & 0xc0U) == 0x80) {
        character = static_cast<std::uint16_t>((first & 0x1fU) << 6U | (byte(at + 1) & 0x3fU));
        at += 2;
        return true;
    }
    if ((first & 0xf0U) != 0xe0 || rest < 3 || (byte(at + 1) & 0xc0U) != 0x80 ||
        (byte(at + 2) & 0xc0U) != 0x80) {
        return false;
    }
    const unsigned value =
        (first & 0x0fU) << 12U | (byte(at + 1) & 0x3fU) << 6U | (byte(at + 2) & 0x3fU);
    if (value < 0x800 || (value >= 0xd800 && value < 0xe000)) {
        return false;
    }
    character = static_cast<std::uint16_t>(value);
    at += 3;
    return true;
}

inline std::size_t read_characters(std::string_view text, std::size_t most,
                                   std::uint16_t* characters, std::uint16_t* ends) {
    std::size_t count = 0;
    for (std::size_t at = 0;
         count < most && at < text.size() && read_character(text, at, characters[count]); ++count) {
        ends[count] = static_cast<std::uint16_t>(at);
    }
    return count;
}

inline Classified classify(const std::uint16_t* symbols, std::size_t count) {
    Classified result;
    for (; result.count < count && symbols[result.count] != kSymbolNone; ++result.count) {
        result.has_passed_over =
            result.has_passed_over || symbols[result.count] == kSymbolPassedOver;
    }
    return result;
}

inline std::size_t leave_out_passed_over(const std::uint16_t* symbols, std::size_t count,
                                         std::uint16_t* left, std::uint16_t* which) {
    std::size_t stayed = 0;
    for (std::size_t i = 0; i < count; ++i) {
        left[stayed] = symbols[i];
        which[stayed] = static_cast<std::uint16_t>(i);
        stayed += symbols[i] == kSymbolPassedOver ? 0U : 1U;
    }
    return stayed;
}

inline std::size_t widest_step(const std::uint16_t* numbers, std::size_t count) {
    std::size_t widest = 0;
    for (std::size_t i = 1; i < count; ++i) {
        widest = std::max<std::size_t>(widest, numbers[i] - std::size_t{numbers[i - 1]});
    }
    return widest;
}

inline std::size_t find_repeats(const std::uint16_t* symbols, std::size_t count,
                                std::uint16_t* places) {
    std::size_t found = 0;
    for (std::size_t at = 0; at < count; ++at) {
        places[found] = static_cast<std::uint16_t>(at);
        found += symbols[at + 1] == symbols[at] && symbols[at] != 0 ? 1U : 0U;
    }
    return found;
}

inline std::size_t leave_out_repeats(std::uint16_t* symbols, std::size_t count,
                                     std::uint16_t* which) {
    std::size_t left = 0;
    for (std::size_t i = 0; i < count; ++i) {
        // What was left out is the same as the last that stayed.
        const std::uint16_t symbol = symbols[i + 1];
        const bool stays = symbol != symbols[left] || symbol == 0;
        symbols[left + 1] = symbol;
        which[left] = which[i];
        left += stays ? 1U : 0U;
    }
    return left;
}

inline std::size_t find_pairs(const PairBits& bits, const std::uint16_t* symbols, std::size_t count,
                              std::uint16_t* places) {
    std::size_t found = 0;
    for (std::size_t at = 0; at < count; ++at) {
        const std::uint32_t place = bits.place(symbols[at], symbols[at + 1]);
        places[found] = static_cast<std::uint16_t>(at);
        found += bits.words.data()[place / 32] >> place % 32U & 1U;
    }
    return found;
}

}  // namespace colophon::review::internal::scalar
