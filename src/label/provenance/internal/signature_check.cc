// SPDX-License-Identifier: Apache-2.0
// C2PA 2.4, 15.7 to 15.9: signature, certificates, time stamp, revocation.

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/cbor.h"
#include "label/provenance/certificate.h"
#include "label/provenance/cose.h"
#include "label/provenance/inquiry.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/ocsp.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/time_stamp.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

// The bytes of the signature box that the claim names, when it lies in the same manifest.
std::optional<Bytes> signature_box(const Context& context, const Claim& claim) {
    const std::string* uri = claim.value.text("signature");
    if (uri == nullptr) {
        return std::nullopt;
    }
    const ManifestStore::Target target = context.store.resolve(*uri, *claim.manifest);
    if (target.box == nullptr || target.manifest != claim.manifest ||
        target.box->letters() != "c2cs" || target.box->label != kSignatureLabel ||
        claim.manifest->of_type("c2cs").size() != 1 || target.box->contents.size() != 1 ||
        !target.box->children.empty()) {
        return std::nullopt;
    }
    return target.box->content("cbor");
}

// Clocks of responders may be ahead of ours by so much.
constexpr std::chrono::minutes kResponderSkew{5};

struct StampCode {
    std::string_view code;
    std::string_view what;
};

StampCode code_of(TimeStampState state) {
    switch (state) {
        case TimeStampState::kMalformed:
            return {"timeStamp.malformed", "the time stamp cannot be read"};
        case TimeStampState::kMismatch:
            return {"timeStamp.mismatch", "the time stamp is for something else"};
        case TimeStampState::kUntrusted:
            return {"timeStamp.untrusted", "the time-stamp authority is nobody whom we know"};
        case TimeStampState::kOutsideValidity:
            return {"timeStamp.outsideValidity",
                    "the certificate of the time-stamp authority was not valid then"};
        case TimeStampState::kCredentialInvalid:
            return {"timeStamp.credentialInvalid",
                    "the certificate of the time-stamp authority is not made for time stamps"};
        case TimeStampState::kValid:
            break;
    }
    return {"timeStamp.validated", ""};
}

class SignatureCheck {
public:
    SignatureCheck(const Context& context, const Claim& claim, Report& report)
        : context_(context), claim_(claim), report_(report), url_(claim.uri(kSignatureLabel)) {}

    SignatureFacts run() {
        const auto box = signature_box(context_, claim_);
        if (!box) {
            report_.fail("claimSignature.missing", url_);
            return {};
        }
        auto cose = parse_cose(*box);
        if (!cose.ok()) {
            report_.fail("claimSignature.mismatch", url_, cose.error().what);
            return {};
        }
        const auto algorithm = signature_algorithm_by_cose(cose->algorithm);
        if (!algorithm) {
            report_.fail("algorithm.unsupported", url_,
                         "a signature algorithm that is not allowed");
            return {};
        }
        facts_.algorithm = facts(*algorithm).name;
        const auto chain = read_chain(*cose);
        if (chain.empty()) {
            report_.fail("signingCredential.invalid", url_,
                         "the signature carries no certificate that can be read");
            return {};
        }
        facts_.certificate = chain.front().der();
        facts_.signer = chain.front().common_name();
        facts_.organization = chain.front().organization();
        facts_.issuer = chain.front().issuer_name();
        time_stamps(*cose);
        answers(*cose);
        credential(chain);
        claimed_time(*cose, chain);
        revocation(chain);
        if (chain.front().verify(*algorithm, cose_signed_bytes(cose->protected_bytes, claim_.bytes),
                                 cose->signature)) {
            report_.success("claimSignature.validated", url_);
        } else {
            report_.fail("claimSignature.mismatch", url_, "the signature does not fit the claim");
        }
        return std::move(facts_);
    }

private:
    static std::vector<Certificate> read_chain(const CoseSign1& cose) {
        std::vector<Certificate> chain;
        for (const Buffer& der : cose.chain) {
            auto certificate = Certificate::create(der);
            if (!certificate.ok()) {
                return {};
            }
            chain.push_back(std::move(certificate).value());
        }
        return chain;
    }

    // 15.8: the token in the header, or one that a later manifest brought.
    void time_stamps(const CoseSign1& cose) {
        if (const cbor::Value* header = cose.header("sigTst2")) {
            header_stamp(*header, TimeStampForm::kToken,
                         cose_time_stamp_input(cose.protected_bytes, cose.signature));
        } else if (const cbor::Value* old = cose.header("sigTst")) {
            header_stamp(*old, TimeStampForm::kResponse,
                         cbor::encode(cbor::Array{"CounterSignature", cose.protected_bytes,
                                                  Buffer{}, to_buffer(claim_.bytes)}));
        }
        const auto later = context_.time_stamps.find(claim_.manifest->label());
        if (facts_.signed_at || later == context_.time_stamps.end()) {
            return;
        }
        for (const Buffer& token : later->second) {
            stamp(token, TimeStampForm::kToken, cbor::encode(cbor::Value(cose.signature)));
            if (facts_.signed_at) {
                return;
            }
        }
    }

    void header_stamp(const cbor::Value& header, TimeStampForm form, const Buffer& message) {
        const cbor::Array* tokens = header.array("tstTokens");
        const Buffer* token =
            tokens == nullptr || tokens->size() != 1 ? nullptr : tokens->front().bytes("val");
        if (token == nullptr) {
            report_.inform("timeStamp.malformed", url_);
            return;
        }
        stamp(*token, form, message);
    }

    void stamp(const Buffer& token, TimeStampForm form, const Buffer& message) {
        const TimeStampReading reading =
            read_time_stamp(token, form, message, context_.trust.time_stamps);
        if (reading.state != TimeStampState::kValid) {
            const StampCode code = code_of(reading.state);
            report_.inform(code.code, url_, std::string(code.what));
            if (reading.self_consistent && claim_.old) {
                unproven_time_ = reading.time;
            }
            return;
        }
        report_.success("timeStamp.validated", url_);
        report_.success("timeStamp.trusted", url_);
        facts_.signed_at = reading.time;
        facts_.time_authority = reading.authority;
    }

    void credential(const std::vector<Certificate>& chain) {
        const Certificate& leaf = chain.front();
        const std::string problem = leaf.profile_problem(Purpose::kClaim);
        if (!problem.empty()) {
            report_.fail("signingCredential.invalid", url_,
                         fmt::format("the certificate cannot sign claims: {}", problem));
            return;
        }
        const Time time = facts_.signed_at.value_or(context_.trust.now);
        const ChainState state =
            chain_state(leaf, {chain.begin() + 1, chain.end()}, context_.trust.signers, time);
        // Claims of version 1 are older than the list of time-stamp authorities. The time that one
        // of any authority attests keeps such a claim valid, as other validators have it; it never
        // makes one trusted.
        const bool then = unproven_time_ && leaf.valid_at(*unproven_time_);
        if (!then && (!leaf.valid_at(time) || state == ChainState::kOutsideValidity)) {
            report_.fail("claimSignature.outsideValidity", url_,
                         "the certificate was not valid at the time of signing, or is not now");
        } else {
            report_.success("claimSignature.insideValidity", url_);
        }
        if (state == ChainState::kTrusted && has_revoked_authority(chain)) {
            report_.fail("signingCredential.untrusted", url_,
                         "the certificate of an authority above the signer was revoked");
        } else if (state == ChainState::kTrusted) {
            report_.success("signingCredential.trusted", url_);
        } else {
            report_.fail("signingCredential.untrusted", url_,
                         "no chain leads from the signer to anybody whom we trust");
        }
    }

    // 15.8.3: when the signer says that it signed, which nobody attests.
    void claimed_time(const CoseSign1& cose, const std::vector<Certificate>& chain) {
        const std::optional<Time> claimed = cose.claimed_at();
        if (!claimed) {
            return;
        }
        const bool inside =
            std::ranges::all_of(chain,
                                [&](const Certificate& each) { return each.valid_at(*claimed); }) &&
            chain_state(chain.front(), {chain.begin() + 1, chain.end()}, context_.trust.signers,
                        *claimed) != ChainState::kOutsideValidity &&
            (!facts_.signed_at || *claimed <= *facts_.signed_at);
        report_.inform(inside ? "timeOfSigning.insideValidity" : "timeOfSigning.outsideValidity",
                       url_,
                       inside ? std::string()
                              : std::string("the signer says that it signed when it could not"));
    }

    // What authorities said of certificates, beside the signature and in other manifests.
    void answers(const CoseSign1& cose) {
        const cbor::Value* header = cose.header("rVals");
        const cbor::Array* list = header == nullptr ? nullptr : header->array("ocspVals");
        for (const cbor::Value& each : list == nullptr ? cbor::Array{} : *list) {
            if (each.if_bytes() != nullptr && answers_.size() < kOcspResponsesMax) {
                answers_.push_back(*each.if_bytes());
            }
        }
        for (const Buffer& each : context_.certificate_statuses) {
            if (answers_.size() < kOcspResponsesMax) {
                answers_.push_back(each);
            }
        }
    }

    // The issuer of a certificate, among those that came along and those that we trust.
    const Certificate* issuer_of(const Certificate& subject,
                                 const std::vector<Certificate>& chain) const {
        for (const std::vector<Certificate>* list : {&chain, &context_.trust.signers}) {
            const auto row = std::ranges::find_if(
                *list, [&](const Certificate& each) { return each.issued(subject); });
            if (row != list->end()) {
                return &*row;
            }
        }
        return nullptr;
    }

    // What counts of all answers: that the certificate was revoked when it signed, whoever says
    // something better; that it was not yet, when that speaks for the time of signing. kRevoked
    // only for the former.
    OcspReading status_of(const Certificate& subject, const std::vector<Certificate>& chain) const {
        OcspReading best;
        const Certificate* issuer = answers_.empty() ? nullptr : issuer_of(subject, chain);
        for (const Buffer& each : issuer == nullptr ? std::vector<Buffer>{} : answers_) {
            OcspReading reading = read_ocsp_response(each, subject, *issuer);
            if (reading.state == OcspState::kUnusable || reading.this_update > context_.trust.now) {
                continue;
            }
            if (reading.revoked_for(facts_.signed_at)) {
                return reading;
            }
            if (reading.state == OcspState::kRevoked) {
                reading.state = OcspState::kGood;
            }
            const bool proves = reading.state == OcspState::kGood && facts_.signed_at &&
                                reading.speaks_for(*facts_.signed_at);
            if (proves ||
                (best.state == OcspState::kUnusable && reading.state == OcspState::kUnknown)) {
                best = std::move(reading);
            }
        }
        return best;
    }

    // 15.9: an authority on the way that was revoked leads nowhere.
    bool has_revoked_authority(const std::vector<Certificate>& chain) const {
        return std::any_of(chain.begin() + 1, chain.end(), [&](const Certificate& each) {
            return status_of(each, chain).state == OcspState::kRevoked;
        });
    }

    // 15.9.1, and 15.9.2 as far as it can be told without asking anybody.
    void revocation(const std::vector<Certificate>& chain) {
        const OcspReading reading = status_of(chain.front(), chain);
        switch (reading.state) {
            case OcspState::kRevoked:
                report_.fail("signingCredential.ocsp.revoked", url_,
                             reading.revoked_since
                                 ? fmt::format("the certificate of the signer was revoked on {}",
                                               format_time(*reading.revoked_since))
                                 : std::string("the certificate of the signer was revoked"));
                return;
            case OcspState::kGood:
                report_.success("signingCredential.ocsp.notRevoked", url_,
                                reading.revoked_since
                                    ? fmt::format("the certificate of the signer was revoked on "
                                                  "{}, after it had signed",
                                                  format_time(*reading.revoked_since))
                                    : std::string());
                return;
            case OcspState::kUnknown:
                report_.inform("signingCredential.ocsp.unknown", url_,
                               "the authority does not know the certificate of the signer");
                return;
            case OcspState::kUnusable:
                break;
        }
        if (!ask_responder(chain)) {
            report_.inform("signingCredential.ocsp.skipped", url_);
        }
    }

    // 15.9.2: what the responder says that the certificate names. False when nobody may be asked,
    // or was yet. An answer must hold now; for the time of a stamp it speaks as a stapled one does
    // (15.9.1), because every answer of today is younger than that.
    bool ask_responder(const std::vector<Certificate>& chain) {
        const Certificate& leaf = chain.front();
        const Certificate* issuer = issuer_of(leaf, chain);
        if (!context_.trust.inquiry.revocation || leaf.ocsp_responder().empty() ||
            issuer == nullptr) {
            return false;
        }
        auto request = make_ocsp_request(leaf, *issuer);
        if (!request.ok()) {
            return false;
        }
        const Question question{.url = leaf.ocsp_responder(),
                                .request = std::move(request).value()};
        const Answer* answer = context_.trust.inquiry.find(question);
        if (answer == nullptr) {
            context_.ask(question);
            return false;
        }
        OcspReading reading;
        reading.problem = answer->failure;
        if (answer->failure.empty()) {
            reading = read_ocsp_response(answer->bytes, leaf, *issuer);
            const Time now = context_.trust.now;
            if (reading.state != OcspState::kUnusable &&
                (reading.this_update > now + kResponderSkew || reading.ends_at() < now)) {
                reading.state = OcspState::kUnusable;
                reading.problem = "what the responder answers does not hold now";
            }
        }
        say_online(reading);
        return true;
    }

    void say_online(const OcspReading& reading) {
        if (reading.state == OcspState::kUnusable) {
            report_.inform("signingCredential.ocsp.inaccessible", url_,
                           fmt::format("whether the certificate of the signer was revoked could "
                                       "not be asked: {}",
                                       reading.problem));
        } else if (reading.state == OcspState::kUnknown) {
            report_.inform("signingCredential.ocsp.unknown", url_,
                           "the authority does not know the certificate of the signer");
        } else if (reading.revoked_for(facts_.signed_at)) {
            report_.fail("signingCredential.ocsp.revoked", url_,
                         "the certificate of the signer was revoked");
        } else {
            report_.success("signingCredential.ocsp.notRevoked", url_);
        }
    }

    const Context& context_;
    const Claim& claim_;
    Report& report_;
    std::string url_;
    SignatureFacts facts_;
    std::optional<Time> unproven_time_;
    std::vector<Buffer> answers_;  // OCSP responses
};

}  // namespace

SignatureFacts check_signature(const Context& context, const Claim& claim, Report& report) {
    return SignatureCheck(context, claim, report).run();
}

}  // namespace colophon::label::provenance::internal
