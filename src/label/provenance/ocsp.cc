// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/ocsp.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "label/provenance/certificate.h"
#include "label/provenance/internal/x509.h"

#include <openssl/asn1.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#include <openssl/safestack.h>
#include <openssl/types.h>
#include <openssl/x509.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::label::provenance {
namespace {

using internal::X509Access;

constexpr std::chrono::hours kAnswerLifetime{24};  // of one that does not say
constexpr int kAnswersMax = 256;

struct Free {
    void operator()(OCSP_REQUEST* made) const noexcept { OCSP_REQUEST_free(made); }
    void operator()(OCSP_RESPONSE* made) const noexcept { OCSP_RESPONSE_free(made); }
    void operator()(OCSP_BASICRESP* made) const noexcept { OCSP_BASICRESP_free(made); }
    void operator()(OCSP_CERTID* made) const noexcept { OCSP_CERTID_free(made); }
    void operator()(ASN1_GENERALIZEDTIME* made) const noexcept { ASN1_GENERALIZEDTIME_free(made); }
    void operator()(STACK_OF(X509) * made) const noexcept { sk_X509_free(made); }
    void operator()(unsigned char* made) const noexcept { OPENSSL_free(made); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

OcspReading unusable(std::string_view problem) {
    OcspReading reading;
    reading.problem = problem;
    return reading;
}

// Authorities name themselves by SHA-1 in their answers to this day; nothing rests on it but which
// certificate is meant.
Owned<OCSP_CERTID> make_id(const EVP_MD* digest, const Certificate& subject,
                           const Certificate& issuer) {
    X509* above = X509Access::get(issuer);
    return Owned<OCSP_CERTID>(OCSP_cert_id_new(digest, X509_get_subject_name(above),
                                               X509_get0_pubkey_bitstr(above),
                                               X509_get0_serialNumber(X509Access::get(subject))));
}

bool is_about(const OCSP_SINGLERESP* answer, const Certificate& subject,
              const Certificate& issuer) {
    const OCSP_CERTID* id = OCSP_SINGLERESP_get0_id(answer);
    const Owned<OCSP_CERTID> copy(OCSP_CERTID_dup(id));
    ASN1_OBJECT* algorithm = nullptr;
    if (!copy || OCSP_id_get0_info(nullptr, &algorithm, nullptr, nullptr, copy.get()) != 1) {
        return false;
    }
    const int nid = OBJ_obj2nid(algorithm);
    const EVP_MD* digest = nid == NID_sha1     ? EVP_sha1()
                           : nid == NID_sha256 ? EVP_sha256()
                           : nid == NID_sha384 ? EVP_sha384()
                           : nid == NID_sha512 ? EVP_sha512()
                                               : nullptr;
    const Owned<OCSP_CERTID> wanted =
        digest == nullptr ? Owned<OCSP_CERTID>() : make_id(digest, subject, issuer);
    return wanted && OCSP_id_cmp(wanted.get(), id) == 0;
}

// RFC 6960, 4.2.2.2: the issuer itself, or whom it gave a certificate for nothing else.
bool is_authorised(X509* signer, const Certificate& issuer, Time produced_at) {
    if (X509_cmp(signer, X509Access::get(issuer)) == 0) {
        return true;
    }
    unsigned char* der = nullptr;
    const int size = i2d_X509(signer, &der);
    const Owned<unsigned char> owned(der);
    if (size <= 0) {
        return false;
    }
    const auto responder = Certificate::create({der, static_cast<std::size_t>(size)});
    return responder.ok() && issuer.issued(*responder) && responder->valid_at(produced_at) &&
           responder->profile_problem(Purpose::kRevocation).empty();
}

// Why the answers do not count, whatever they say; empty when they do.
std::string_view signature_problem(OCSP_BASICRESP* basic, const Certificate& issuer,
                                   Time produced_at) {
    const ASN1_OBJECT* algorithm = nullptr;
    X509_ALGOR_get0(&algorithm, nullptr, nullptr, OCSP_resp_get0_tbs_sigalg(basic));
    if (!internal::allows_signature(OBJ_obj2nid(algorithm))) {
        return "the OCSP response is signed by an algorithm that C2PA does not allow";
    }
    const Owned<STACK_OF(X509)> others(sk_X509_new_null());
    X509* signer = nullptr;
    if (!others || sk_X509_push(others.get(), X509Access::get(issuer)) <= 0 ||
        OCSP_resp_get0_signer(basic, &signer, others.get()) != 1 ||
        OCSP_basic_verify(basic, others.get(), nullptr, OCSP_NOVERIFY) != 1) {
        return "the signature of the OCSP response is wrong, or by nobody who can be found";
    }
    if (!is_authorised(signer, issuer, produced_at)) {
        return "the OCSP response is signed by somebody whom the issuer did not authorise";
    }
    return {};
}

// See OcspReading::revoked_since. A date that cannot be read is taken for "always".
std::optional<Time> revoked_since(OCSP_SINGLERESP* answer, int reason,
                                  const ASN1_GENERALIZEDTIME* revoked) {
    const auto at = internal::time_of(revoked);
    if (reason == OCSP_REVOKED_STATUS_NOSTATUS ||
        OCSP_SINGLERESP_get_ext_by_NID(answer, NID_invalidity_date, -1) < 0) {
        return reason == OCSP_REVOKED_STATUS_NOSTATUS ? std::nullopt : at;
    }
    const Owned<ASN1_GENERALIZEDTIME> date(static_cast<ASN1_GENERALIZEDTIME*>(
        OCSP_SINGLERESP_get1_ext_d2i(answer, NID_invalidity_date, nullptr, nullptr)));
    const auto invalid = date ? internal::time_of(date.get()) : std::nullopt;
    return at && invalid ? std::optional(std::min(*at, *invalid)) : std::nullopt;
}

// One answer; kUnusable when a time is missing.
OcspReading read_answer(OCSP_SINGLERESP* answer, Time produced_at) {
    int reason = OCSP_REVOKED_STATUS_NOSTATUS;
    ASN1_GENERALIZEDTIME* revoked = nullptr;
    ASN1_GENERALIZEDTIME* from = nullptr;
    ASN1_GENERALIZEDTIME* until = nullptr;
    const int status = OCSP_single_get0_status(answer, &reason, &revoked, &from, &until);
    const auto this_update = internal::time_of(from);
    if (!this_update || (until != nullptr && !internal::time_of(until))) {
        return unusable("the OCSP response holds no time that can be read");
    }
    OcspReading reading;
    reading.produced_at = produced_at;
    reading.this_update = *this_update;
    reading.next_update = internal::time_of(until);
    if (status == V_OCSP_CERTSTATUS_REVOKED && reason != OCSP_REVOKED_STATUS_REMOVEFROMCRL) {
        reading.state = OcspState::kRevoked;
        reading.revoked_since = revoked_since(answer, reason, revoked);
    } else {
        reading.state =
            status == V_OCSP_CERTSTATUS_UNKNOWN ? OcspState::kUnknown : OcspState::kGood;
    }
    return reading;
}

// The worst of the answers about that certificate.
OcspReading read_answers(OCSP_BASICRESP* basic, const Certificate& subject,
                         const Certificate& issuer, Time produced_at) {
    OcspReading worst = unusable("the OCSP response is about other certificates");
    for (int i = 0; i < OCSP_resp_count(basic) && i < kAnswersMax; ++i) {
        OCSP_SINGLERESP* answer = OCSP_resp_get0(basic, i);
        if (!is_about(answer, subject, issuer)) {
            continue;
        }
        OcspReading reading = read_answer(answer, produced_at);
        if (worst.state == OcspState::kRevoked) {
            // The earliest of several revocations; nothing is earlier than any time.
            if (reading.state == OcspState::kRevoked &&
                reading.revoked_since < worst.revoked_since) {
                worst = std::move(reading);
            }
        } else if (reading.state == OcspState::kRevoked || worst.state != OcspState::kUnknown) {
            worst = std::move(reading);
        }
    }
    return worst;
}

OcspReading judge(OCSP_BASICRESP* basic, const Certificate& subject, const Certificate& issuer) {
    const auto produced_at = internal::time_of(OCSP_resp_get0_produced_at(basic));
    if (!produced_at) {
        return unusable("the OCSP response holds no time that can be read");
    }
    OcspReading reading = read_answers(basic, subject, issuer, *produced_at);
    if (reading.state == OcspState::kUnusable) {
        return reading;
    }
    const std::string_view problem = signature_problem(basic, issuer, *produced_at);
    return problem.empty() ? reading : unusable(problem);
}

}  // namespace

Time OcspReading::ends_at() const noexcept {
    return next_update.value_or(produced_at + kAnswerLifetime);
}

Result<Buffer> make_ocsp_request(const Certificate& subject, const Certificate& issuer) {
    const Owned<OCSP_REQUEST> request(OCSP_REQUEST_new());
    Owned<OCSP_CERTID> id = make_id(EVP_sha1(), subject, issuer);
    unsigned char* der = nullptr;
    int size = -1;
    if (request && id && OCSP_request_add0_id(request.get(), id.get()) != nullptr) {
        // The request owns it now.
        [[maybe_unused]] const OCSP_CERTID* given = id.release();
        size = i2d_OCSP_REQUEST(request.get(), &der);
    }
    const Owned<unsigned char> owned(der);
    ERR_clear_error();
    if (size <= 0) {
        return Error{ErrorCode::kUnavailable, "OpenSSL could not ask about a certificate"};
    }
    return to_buffer(Bytes(der, static_cast<std::size_t>(size)));
}

OcspReading read_ocsp_response(Bytes der, const Certificate& subject, const Certificate& issuer) {
    const unsigned char* at = der.data();
    const Owned<OCSP_RESPONSE> response(
        d2i_OCSP_RESPONSE(nullptr, &at, static_cast<long>(der.size())));
    OcspReading reading = unusable("it is no OCSP response");
    if (response && at == der.data() + der.size()) {
        const Owned<OCSP_BASICRESP> basic(OCSP_response_get1_basic(response.get()));
        if (OCSP_response_status(response.get()) != OCSP_RESPONSE_STATUS_SUCCESSFUL) {
            reading = unusable("the OCSP responder gave no answer");
        } else if (basic) {
            reading = judge(basic.get(), subject, issuer);
        }
    }
    ERR_clear_error();
    return reading;
}

}  // namespace colophon::label::provenance
