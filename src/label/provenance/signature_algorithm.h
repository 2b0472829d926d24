// SPDX-License-Identifier: Apache-2.0
#pragma once

// The signature algorithms of Content Credentials (C2PA 2.4, 13.2), with their COSE numbers
// (RFC 9053). SM2 is not among them; it signs the metadata label instead.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace colophon::label::provenance {

enum class SignatureAlgorithm : std::uint8_t {
    kEs256,
    kEs384,
    kEs512,
    kPs256,
    kPs384,
    kPs512,
    kEdDsa,
};

struct SignatureAlgorithmFacts {
    SignatureAlgorithm algorithm;
    std::int64_t cose;
    std::string_view name;      // "ES256"
    std::string_view digest;    // OpenSSL's name; empty for EdDSA
    std::string_view curve;     // OpenSSL's name of the group; empty for RSA and EdDSA
    unsigned coordinate_bytes;  // of r and of s; 0 for RSA and EdDSA
};

std::span<const SignatureAlgorithmFacts> all_signature_algorithms() noexcept;
const SignatureAlgorithmFacts& facts(SignatureAlgorithm algorithm) noexcept;
std::optional<SignatureAlgorithm> signature_algorithm_by_cose(std::int64_t number) noexcept;

}  // namespace colophon::label::provenance
