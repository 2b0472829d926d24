// SPDX-License-Identifier: Apache-2.0
#pragma once

// ReservedCode1 as TC260-PG-202511A has it: a SecurityData object with an SM2 signature (SM3, user
// id 1234567812345678) over the text  "Label":"1","ContentProducer":"...","ProduceID":"..."
// so that a changed label is noticed. A key inside the file shows only that nothing was changed;
// from whom it is, only a key that the verifier already trusts can show.

#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "label/finding.h"
#include "label/metadata/aigc.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

// A private SM2 key. Never printed; its PEM leaves only through to_pem().
class SigningKey {
public:
    static Result<SigningKey> generate();
    // PKCS#8 or SEC1 PEM, unencrypted. kInvalidArgument when it is no SM2 key.
    static Result<SigningKey> from_pem(std::string_view pem);
    ~SigningKey();
    SigningKey(SigningKey&&) noexcept;
    SigningKey& operator=(SigningKey&&) noexcept;
    SigningKey(const SigningKey&) = delete;
    SigningKey& operator=(const SigningKey&) = delete;

    Result<std::string> to_pem() const;
    Buffer public_key() const;                 // SubjectPublicKeyInfo, DER
    std::string key_id() const;                // first 16 hex digits of SM3 over public_key()
    Result<Buffer> sign(Bytes message) const;  // DER, single hash: e = SM3(Z || message)

private:
    struct State;
    explicit SigningKey(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// The signed text of a label (its producer part; the propagator's fields are not covered).
std::string signed_message(const AigcLabel& label);

// The value for ReservedCode1: compact JSON, ready to be a string in the AIGC object.
// `key_id` empty: the key's own.
Result<std::string> make_security_data(const AigcLabel& label, const SigningKey& key,
                                       std::string_view key_id);

enum class SignatureState : std::uint8_t {
    kNone,         // no SecurityData, or an opaque vendor value
    kValid,        // verifies with the key in the file or with a trusted one
    kInvalid,      // a signature is there and does not verify: the label was changed
    kUnsupported,  // an algorithm or form that we do not know
};

struct SignatureReading {
    SignatureState state = SignatureState::kNone;
    bool trusted = false;      // the key is one of the trusted ones
    bool double_hash = false;  // verifies only over SM3(message), as some producers sign
    std::string key_id;        // as written in the file, or derived from the key
    Findings findings;
};

// A public key that the verifier trusts, SubjectPublicKeyInfo DER.
struct TrustedKey {
    std::string name;
    Buffer public_key;
};
Result<TrustedKey> trusted_key_from_pem(std::string_view name, std::string_view pem);

SignatureReading verify_security_data(const AigcLabel& label,
                                      const std::vector<TrustedKey>& trusted);

std::string_view signature_state_name(SignatureState state) noexcept;  // "none", "valid", ...

}  // namespace colophon::label
