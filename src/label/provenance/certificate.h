// SPDX-License-Identifier: Apache-2.0
#pragma once

// X.509 certificates of Content Credentials (C2PA 2.4, 14.5): what they say, whether they keep to
// the profile, whether a chain leads to an anchor that the caller trusts, and signatures by their
// keys.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/signature_algorithm.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {

namespace internal {
struct X509Access;
}

// What a certificate may sign.
enum class Purpose : std::uint8_t { kClaim, kTimeStamp, kRevocation };

class Certificate {
public:
    // DER, and nothing behind it. kCorrupt when it is no certificate.
    static Result<Certificate> create(Bytes der);

    Buffer der() const;
    std::string common_name() const;   // of the subject; its organisation when there is none
    std::string organization() const;  // of the subject; may be empty
    std::string issuer_name() const;   // common name of the issuer
    std::string serial() const;        // hexadecimal, lower case
    // The parts of a name in their order: "O", "CN" and so on, each with its text.
    using NameParts = std::vector<std::pair<std::string, std::string>>;
    NameParts subject_parts() const;
    NameParts issuer_parts() const;
    // Where its authority tells whether it was revoked (OCSP); empty when it does not say.
    std::string ocsp_responder() const;
    // Whether this one is the issuer of the other: names, purposes and signature fit.
    bool issued(const Certificate& other) const;
    Time not_before() const;
    Time not_after() const;
    bool valid_at(Time time) const { return not_before() <= time && time <= not_after(); }

    // Why the certificate may not be used for that, in words; empty when it may. Time is not looked
    // at.
    std::string profile_problem(Purpose purpose) const;

    // False also when the algorithm does not suit the key.
    bool verify(SignatureAlgorithm algorithm, Bytes message, Bytes signature) const;

private:
    friend struct internal::X509Access;
    struct State;
    explicit Certificate(std::shared_ptr<const State> state) : state_(std::move(state)) {}
    std::shared_ptr<const State> state_;
};

// All certificates of a PEM text, in order. kInvalidArgument when there is none or one is broken;
// kLimit above `count_max`.
Result<std::vector<Certificate>> certificates_from_pem(std::string_view pem, std::size_t count_max);

enum class ChainState : std::uint8_t {
    kTrusted,
    kUntrusted,        // no way to an anchor, or a signature on the way is wrong
    kOutsideValidity,  // one of the certificates is not valid at that time
};

// Whether a chain of certificates, each valid at `time`, leads from the leaf to one of `anchors`
// by `intermediates`. An anchor need not be self-signed, and may be the leaf's issuer or the leaf.
ChainState chain_state(const Certificate& leaf, const std::vector<Certificate>& intermediates,
                       const std::vector<Certificate>& anchors, Time time);

// A private key that signs, wherever it is: in this process, a token, another program.
class SigningKey {
public:
    SigningKey() = default;
    SigningKey(const SigningKey&) = delete;
    SigningKey& operator=(const SigningKey&) = delete;
    SigningKey(SigningKey&&) = delete;
    SigningKey& operator=(SigningKey&&) = delete;
    virtual ~SigningKey() = default;
    // The signature over the whole message; for ECDSA r and s of equal length, or DER. Called by
    // several threads at once.
    virtual Result<Buffer> sign(SignatureAlgorithm algorithm, Bytes message) = 0;
};

// A private key and the certificates that go with it, the leaf first.
class SigningCredential {
public:
    // PEM of the key (PKCS#8, SEC1 or PKCS#1, unencrypted) and of the chain. kInvalidArgument when
    // the key is of a kind that C2PA has no algorithm for, does not belong to the first
    // certificate, or a certificate breaks the profile. A root at the end is left out, as the
    // format wants.
    static Result<SigningCredential> from_pem(std::string_view key_pem, std::string_view chain_pem);
    // The same for a key that is elsewhere. Whether it belongs to the first certificate is tried
    // with a signature.
    static Result<SigningCredential> from_key(std::shared_ptr<SigningKey> key,
                                              std::string_view chain_pem);

    SignatureAlgorithm algorithm() const noexcept { return algorithm_; }
    const std::vector<Certificate>& chain() const noexcept { return chain_; }
    // Of the first certificate, when it was given; a root that the chain leaves out too.
    const std::optional<Certificate>& issuer() const noexcept { return issuer_; }
    // As COSE has it: r and s of equal length for ECDSA. kUnavailable also when a key that is
    // elsewhere gave what the first certificate does not confirm.
    Result<Buffer> sign(Bytes message) const;

private:
    SigningCredential(std::shared_ptr<SigningKey> key, SignatureAlgorithm algorithm,
                      std::vector<Certificate> certificates);

    std::shared_ptr<SigningKey> key_;
    SignatureAlgorithm algorithm_;
    std::vector<Certificate> chain_;
    std::optional<Certificate> issuer_;
};

// The digest that an algorithm signs; nothing for EdDSA, which takes the message itself.
Result<Buffer> digest_to_sign(SignatureAlgorithm algorithm, Bytes message);

}  // namespace colophon::label::provenance
