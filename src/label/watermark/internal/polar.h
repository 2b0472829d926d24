// SPDX-License-Identifier: Apache-2.0
#pragma once

// A polar code (Arikan 2009) with list decoding (Tal and Vardy 2015). The places of the information
// bits are those of the largest polarization weight (He and others 2017, beta = 2^(1/4)), which
// needs no design SNR. The checksum among the information bits chooses from the list.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace colophon::label::internal {

class PolarCode {
public:
    // `length` a power of two, `information` below it (asserted).
    PolarCode(std::size_t length, std::size_t information);

    std::size_t length() const noexcept { return frozen_.size(); }
    std::size_t information() const noexcept { return places_.size(); }

    // Bits are 0 or 1. information() bits in, length() bits out.
    std::vector<std::uint8_t> encode(std::span<const std::uint8_t> information) const;

    // `likelihoods`: log P(0)/P(1) of each coded bit. Tries the `list` likeliest words, best first,
    // until `accept` takes one; says whether it did. About length * log2(length) * list steps.
    bool decode(std::span<const float> likelihoods, std::size_t list,
                const std::function<bool(std::span<const std::uint8_t> information)>& accept) const;

private:
    std::vector<bool> frozen_;
    std::vector<std::size_t> places_;  // of the information bits, ascending
};

}  // namespace colophon::label::internal
