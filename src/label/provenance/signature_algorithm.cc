// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/signature_algorithm.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace colophon::label::provenance {
namespace {

constexpr std::array kAlgorithms{
    SignatureAlgorithmFacts{SignatureAlgorithm::kEs256, -7, "ES256", "SHA256", "prime256v1", 32},
    SignatureAlgorithmFacts{SignatureAlgorithm::kEs384, -35, "ES384", "SHA384", "secp384r1", 48},
    SignatureAlgorithmFacts{SignatureAlgorithm::kEs512, -36, "ES512", "SHA512", "secp521r1", 66},
    SignatureAlgorithmFacts{SignatureAlgorithm::kPs256, -37, "PS256", "SHA256", "", 0},
    SignatureAlgorithmFacts{SignatureAlgorithm::kPs384, -38, "PS384", "SHA384", "", 0},
    SignatureAlgorithmFacts{SignatureAlgorithm::kPs512, -39, "PS512", "SHA512", "", 0},
    SignatureAlgorithmFacts{SignatureAlgorithm::kEdDsa, -8, "Ed25519", "", "", 0},
};

}  // namespace

std::span<const SignatureAlgorithmFacts> all_signature_algorithms() noexcept {
    return kAlgorithms;
}

const SignatureAlgorithmFacts& facts(SignatureAlgorithm algorithm) noexcept {
    return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

std::optional<SignatureAlgorithm> signature_algorithm_by_cose(std::int64_t number) noexcept {
    for (const SignatureAlgorithmFacts& row : kAlgorithms) {
        if (row.cose == number) {
            return row.algorithm;
        }
    }
    return std::nullopt;
}

}  // namespace colophon::label::provenance
