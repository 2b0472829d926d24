// SPDX-License-Identifier: Apache-2.0
// Files with signatures, certificates, time stamps and OCSP responses that deserve a status code.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/authority.h"
#include "label/provenance/cbor.h"
#include "label/provenance/certificate.h"
#include "label/provenance/cose.h"
#include "label/provenance/forge.h"
#include "label/provenance/inquiry.h"
#include "label/provenance/revocation.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/signer.h"
#include "label/provenance/signers.h"
#include "label/provenance/stamps.h"
#include "label/provenance/status_rows.h"
#include "label/provenance/validate.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::test {
namespace {

constexpr std::size_t kRoom = 12'000;

SigningCredential credential_of(const IssuedKey& pair) {
    return SigningCredential::from_pem(pair.key_pem, pair.certificate_pem).value();
}

// Signed by that pair. `extras`: what goes beside the signature, once it is known what a time stamp
// would cover. `iat`: of the protected header; null: none.
Forge signed_by(const IssuedKey& pair, const std::function<CoseExtras(Bytes stamped)>& extras = {},
                const cbor::Value& iat = {}) {
    Forge forge;
    forge.signature_bytes = kRoom;
    forge.sign = [pair, extras, iat](Bytes claim) {
        const SigningCredential credential = credential_of(pair);
        Buffer header = cose_protected_header(credential.algorithm(), credential.chain());
        if (!iat.is_null()) {
            cbor::Map map = *cbor::decode(header).value().if_map();
            map.emplace_back("iat", iat);
            header = cbor::encode(map);
        }
        const Buffer signature = credential.sign(cose_signed_bytes(header, claim)).value();
        return encode_cose(header,
                           extras ? extras(cose_time_stamp_input(header, signature)) : CoseExtras{},
                           signature, kRoom)
            .value();
    };
    return forge;
}

const IssuedKey& leaf() {
    return forge_authority().leaf;
}

StatusCase stamped(const StampAuthority& authority, std::string_view instead = {}) {
    const Forge forge = signed_by(leaf(), [&](Bytes message) {
        return CoseExtras{
            .time_stamp = authority.token(instead.empty() ? message : as_bytes(instead)),
            .ocsp_responses = {}};
    });
    Trust trust = forge_authority().trust();
    trust.time_stamps = authority.anchors();
    return judged(forge.make(), forge.format, trust);
}

StatusCase claimed(std::int64_t seconds_from_now) {
    const auto now =
        std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now().time_since_epoch());
    return judged(signed_by(leaf(), {}, cbor::Value(now.count() + seconds_from_now)));
}

// With what the authority says of the signer; where it is stamped, it speaks for that time.
StatusCase answered(std::string_view state) {
    const RevocationAuthority authority;
    const StampAuthority stamps;
    authority.set(state, authority.signer());
    const Forge forge = signed_by(authority.signer(), [&](Bytes message) {
        return CoseExtras{.time_stamp = stamps.token(message),
                          .ocsp_responses = {authority.answer_about(authority.signer())}};
    });
    const Trust trust{.signers = certificates_from_pem(authority.root().certificate_pem, 1).value(),
                      .time_stamps = stamps.anchors(),
                      .now = SystemClock().now() + std::chrono::seconds(5)};
    return judged(forge.make(), forge.format, trust);
}

// Asked of the responder that the certificate names, which gives that answer, or none.
StatusCase asked_now(std::string_view state, const std::string& failure = {}) {
    RevocationAuthority authority;
    CertificateRequest wanted = request(SignatureAlgorithm::kEs256);
    wanted.not_before = SystemClock().now() - std::chrono::hours(1);
    wanted.ocsp_responder = "http://ocsp.example/";
    const IssuedKey pair = issue(authority.root(), wanted, Purpose::kClaim).value();
    const Buffer file = signed_by(pair).make();
    Trust trust{.signers = certificates_from_pem(authority.root().certificate_pem, 1).value(),
                .time_stamps = {},
                .now = SystemClock().now()};
    CHECK(judged(file, Format::kPng, trust).reading.questions.empty());
    trust.inquiry.revocation = true;
    const StatusCase first = judged(file, Format::kPng, trust);
    REQUIRE(first.reading.questions.size() == 1);
    const Question& question = first.reading.questions.front();
    CHECK(question.url == wanted.ocsp_responder);
    authority.set(state, pair);
    trust.inquiry.answers = {
        {.question = question,
         .failure = failure,
         .media_type = {},
         .bytes = failure.empty() ? authority.answer(question.request) : Buffer()}};
    return judged(file, Format::kPng, trust);
}

bool says(const StatusCase& made, std::string_view code) {
    return std::ranges::find(made.reading.statuses, code, &Status::code) !=
           made.reading.statuses.end();
}

TEST_CASE("a responder that is asked tells what it tells in the credential" *
          doctest::test_suite("slow pictures")) {
    CHECK(says(asked_now("V"), "signingCredential.ocsp.notRevoked"));
    CHECK(asked_now("V").reading.trusted());
    CHECK(says(asked_now("R,keyCompromise"), "signingCredential.ocsp.revoked"));
    CHECK(!asked_now("R,keyCompromise").reading.intact());
    CHECK(says(asked_now(""), "signingCredential.ocsp.unknown"));
    const StatusCase refused = asked_now("V", "it did not answer");
    CHECK(says(refused, "signingCredential.ocsp.inaccessible"));
    CHECK(refused.reading.trusted());
}

}  // namespace

std::vector<StatusRow> signature_rows() {
    return {
        {"claimSignature.validated", [] { return judged(Forge()); }},
        {"claimSignature.insideValidity", [] { return judged(Forge()); }},
        {"signingCredential.trusted", [] { return judged(Forge()); }},
        {"signingCredential.ocsp.skipped", [] { return judged(Forge()); }},
        {"claimSignature.mismatch",
         [] {
             Forge forge;
             forge.signature_bytes = forge_authority().signer().signature_bytes();
             forge.sign = [](Bytes) {
                 CredentialSigner usual = forge_authority().signer();
                 return usual.sign(as_bytes("another claim")).value();
             };
             return judged(forge);
         }},
        {"claimSignature.missing",
         [] {
             Forge forge;
             forge.change_claim = [](cbor::Map& claim) {
                 put(claim, "signature", "self#jumbf=c2pa.gone");
             };
             return judged(forge);
         }},
        {"claimSignature.outsideValidity",
         [] {
             Trust later = forge_authority().trust();
             later.now += std::chrono::days{400};
             return judged(Forge().make(), Format::kPng, later);
         }},
        {"signingCredential.untrusted",
         [] {
             return judged(Forge().make(), Format::kPng,
                           Trust{.signers = {}, .time_stamps = {}, .now = SystemClock().now()});
         }},
        {"signingCredential.invalid",
         [] {
             // A certificate for time stamps.
             CertificateRequest wanted = request(SignatureAlgorithm::kEs256);
             wanted.not_before = SystemClock().now() - std::chrono::hours(1);
             const IssuedKey pair =
                 issue(forge_authority().root, wanted, Purpose::kTimeStamp).value();
             Forge forge;
             forge.signature_bytes = kRoom;
             forge.sign = [pair](Bytes claim) {
                 const auto chain = certificates_from_pem(pair.certificate_pem, 1).value();
                 const Buffer header = cose_protected_header(SignatureAlgorithm::kEs256, chain);
                 // By somebody else's key; the certificate is refused before that matters.
                 const Buffer signature =
                     credential_of(leaf()).sign(cose_signed_bytes(header, claim)).value();
                 return encode_cose(header, {}, signature, kRoom).value();
             };
             return judged(forge);
         }},
        {"timeOfSigning.insideValidity", [] { return claimed(-60); }},
        {"timeOfSigning.outsideValidity", [] { return claimed(-7200); }},
        {"timeStamp.validated", [] { return stamped(StampAuthority()); }},
        {"timeStamp.trusted", [] { return stamped(StampAuthority()); }},
        {"timeStamp.mismatch", [] { return stamped(StampAuthority(), "something else"); }},
        {"timeStamp.malformed",
         [] {
             return judged(signed_by(leaf(), [](Bytes) {
                 return CoseExtras{.time_stamp = Buffer{1, 2, 3}, .ocsp_responses = {}};
             }));
         }},
        {"timeStamp.untrusted",
         [] {
             const StampAuthority authority;
             return judged(signed_by(leaf(), [&](Bytes message) {
                 return CoseExtras{.time_stamp = authority.token(message), .ocsp_responses = {}};
             }));
         }},
        {"timeStamp.outsideValidity",
         [] { return stamped(StampAuthority(StampCertificate::kNotYet)); }},
        {"timeStamp.credentialInvalid",
         [] { return stamped(StampAuthority(StampCertificate::kWeak)); }},
        {"signingCredential.ocsp.inaccessible", [] { return asked_now("V", "no answer"); }},
        {"signingCredential.ocsp.notRevoked", [] { return answered("V"); }},
        {"signingCredential.ocsp.revoked", [] { return answered("R"); }},
        {"signingCredential.ocsp.unknown", [] { return answered(""); }},
    };
}

}  // namespace colophon::label::provenance::test
