// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/certificate.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "label/provenance/internal/key_use.h"
#include "label/provenance/internal/x509.h"
#include "label/provenance/signature_algorithm.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/types.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using internal::kRsaBitsMin;

struct Free {
    void operator()(X509* made) const noexcept { X509_free(made); }
    void operator()(EVP_PKEY* made) const noexcept { EVP_PKEY_free(made); }
    void operator()(EVP_MD_CTX* made) const noexcept { EVP_MD_CTX_free(made); }
    void operator()(BIO* made) const noexcept { BIO_free(made); }
    void operator()(AUTHORITY_INFO_ACCESS* made) const noexcept {
        AUTHORITY_INFO_ACCESS_free(made);
    }
    void operator()(X509_STORE* made) const noexcept { X509_STORE_free(made); }
    void operator()(X509_STORE_CTX* made) const noexcept { X509_STORE_CTX_free(made); }
    void operator()(STACK_OF(X509) * made) const noexcept { sk_X509_free(made); }
    void operator()(EXTENDED_KEY_USAGE* made) const noexcept { EXTENDED_KEY_USAGE_free(made); }
    void operator()(BASIC_CONSTRAINTS* made) const noexcept { BASIC_CONSTRAINTS_free(made); }
    void operator()(unsigned char* made) const noexcept { OPENSSL_free(made); }
    void operator()(BIGNUM* made) const noexcept { BN_free(made); }
    void operator()(char* made) const noexcept { OPENSSL_free(made); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

// What a claim signer may be certified for: C2PA claim signing, or one of the two purposes that
// were in use before it had a number of its own.
constexpr std::array<std::string_view, 3> kClaimPurposes{
    "1.3.6.1.4.1.62558.2.1",  // c2pa-kp-claimSigning
    "1.3.6.1.5.5.7.3.4",      // emailProtection
    "1.3.6.1.5.5.7.3.36",     // documentSigning
};
constexpr std::string_view kTimeStamping = "1.3.6.1.5.5.7.3.8";
constexpr std::string_view kOcspSigning = "1.3.6.1.5.5.7.3.9";
constexpr std::string_view kAnyPurpose = "2.5.29.37.0";

std::string oid_text(const ASN1_OBJECT* object) {
    std::array<char, 128> text{};
    const int size = OBJ_obj2txt(text.data(), static_cast<int>(text.size()), object, 1);
    return size > 0 && size < static_cast<int>(text.size()) ? std::string(text.data())
                                                            : std::string();
}

std::string entry_text(const X509_NAME* name, int nid) {
    const int at = X509_NAME_get_index_by_NID(name, nid, -1);
    if (at < 0) {
        return {};
    }
    const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at));
    unsigned char* utf8 = nullptr;
    const int size = ASN1_STRING_to_UTF8(&utf8, value);
    if (size < 0) {
        ERR_clear_error();
        return {};
    }
    const Owned<unsigned char> owned(utf8);
    return std::string(as_text({utf8, static_cast<std::size_t>(size)}));
}

std::string common_or_organization(const X509_NAME* name) {
    std::string text = entry_text(name, NID_commonName);
    return text.empty() ? entry_text(name, NID_organizationName) : text;
}

Certificate::NameParts parts_of(const X509_NAME* name) {
    Certificate::NameParts parts;
    for (int i = 0; i < X509_NAME_entry_count(name) && i < 32; ++i) {
        X509_NAME_ENTRY* entry = X509_NAME_get_entry(name, i);
        const int nid = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
        unsigned char* utf8 = nullptr;
        const int size = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(entry));
        const Owned<unsigned char> owned(utf8);
        if (size >= 0) {
            parts.emplace_back(
                nid == NID_undef ? oid_text(X509_NAME_ENTRY_get_object(entry)) : OBJ_nid2sn(nid),
                as_text({utf8, static_cast<std::size_t>(size)}));
        }
    }
    ERR_clear_error();
    return parts;
}

std::vector<std::string> purposes_of(X509* certificate) {
    const Owned<EXTENDED_KEY_USAGE> usage(static_cast<EXTENDED_KEY_USAGE*>(
        X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
    ERR_clear_error();
    std::vector<std::string> purposes;
    for (int i = 0; usage && i < sk_ASN1_OBJECT_num(usage.get()); ++i) {
        purposes.push_back(oid_text(sk_ASN1_OBJECT_value(usage.get(), i)));
    }
    return purposes;
}

bool has(const std::vector<std::string>& list, std::string_view value) {
    return std::ranges::find(list, value) != list.end();
}

std::string purpose_problem(X509* certificate, Purpose purpose) {
    const std::vector<std::string> purposes = purposes_of(certificate);
    if (purposes.empty()) {
        return "it names no extended key usage";
    }
    if (has(purposes, kAnyPurpose)) {
        return "its extended key usage is \"any\"";
    }
    if (purpose == Purpose::kTimeStamp) {
        return purposes.size() == 1 && has(purposes, kTimeStamping)
                   ? std::string()
                   : "its extended key usage is not time stamping alone";
    }
    if (purpose == Purpose::kRevocation) {
        return purposes.size() == 1 && has(purposes, kOcspSigning)
                   ? std::string()
                   : "its extended key usage is not the signing of OCSP responses alone";
    }
    if (has(purposes, kTimeStamping) || has(purposes, kOcspSigning)) {
        return "it is made for time stamps or OCSP answers";
    }
    const bool claims = std::ranges::any_of(
        kClaimPurposes, [&](std::string_view each) { return has(purposes, each); });
    return claims ? std::string() : "its extended key usage does not allow to sign claims";
}

std::string key_problem(X509* certificate) {
    EVP_PKEY* key = X509_get0_pubkey(certificate);
    if (key == nullptr) {
        ERR_clear_error();
        return "its public key cannot be read";
    }
    switch (EVP_PKEY_get_base_id(key)) {
        case EVP_PKEY_EC: {
            std::array<char, 64> group{};
            EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr);
            const std::string_view name(group.data());
            return name == "prime256v1" || name == "secp384r1" || name == "secp521r1"
                       ? std::string()
                       : "its curve is none of P-256, P-384 and P-521";
        }
        case EVP_PKEY_RSA:
        case EVP_PKEY_RSA_PSS:
            return EVP_PKEY_get_bits(key) >= kRsaBitsMin
                       ? std::string()
                       : fmt::format("its RSA key has less than {} bits", kRsaBitsMin);
        case EVP_PKEY_ED25519:
            return {};
        default:
            return "its key is of a kind that C2PA does not use";
    }
}

std::string signature_problem(X509* certificate) {
    const int nid = X509_get_signature_nid(certificate);
    if (!internal::allows_signature(nid)) {
        return "it is signed by an algorithm that C2PA does not allow";
    }
    int digest = NID_undef;
    if (nid == NID_rsassaPss &&
        (X509_get_signature_info(certificate, &digest, nullptr, nullptr, nullptr) != 1 ||
         (digest != NID_sha256 && digest != NID_sha384 && digest != NID_sha512))) {
        ERR_clear_error();
        return "it is signed by an algorithm that C2PA does not allow";
    }
    return {};
}

// C2PA 2.4, 14.5.1.1: what holds for every certificate that signs something.
std::string common_problem(X509* certificate) {
    if (X509_get_version(certificate) != 2) {
        return "it is not of version 3";
    }
    const ASN1_BIT_STRING* issuer_id = nullptr;
    const ASN1_BIT_STRING* subject_id = nullptr;
    X509_get0_uids(certificate, &issuer_id, &subject_id);
    if (issuer_id != nullptr || subject_id != nullptr) {
        return "it carries a unique id of issuer or subject";
    }
    if (X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0) {
        return "it is signed by itself";
    }
    // The usage is read from the extension, because a missing one reads as "everything".
    const std::uint32_t flags = X509_get_extension_flags(certificate);
    if ((flags & EXFLAG_INVALID) != 0) {
        return "one of its extensions cannot be read";
    }
    if ((flags & EXFLAG_KUSAGE) == 0 ||
        (X509_get_key_usage(certificate) & KU_DIGITAL_SIGNATURE) == 0) {
        return "its key usage does not allow signatures";
    }
    if ((flags & EXFLAG_CA) != 0) {
        return "it belongs to a certification authority";
    }
    if ((X509_get_key_usage(certificate) & KU_KEY_CERT_SIGN) != 0) {
        return "it may sign certificates without being an authority";
    }
    return {};
}

}  // namespace

struct Certificate::State {
    Owned<X509> x509;
};

namespace internal {

std::optional<Time> time_of(const asn1_string_st* time) {
    std::tm parts{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
        ERR_clear_error();
        return std::nullopt;
    }
    return std::chrono::sys_seconds{std::chrono::seconds{timegm(&parts)}};
}

bool allows_signature(int nid) noexcept {
    constexpr std::array kAllowed{NID_sha256WithRSAEncryption,
                                  NID_sha384WithRSAEncryption,
                                  NID_sha512WithRSAEncryption,
                                  NID_ecdsa_with_SHA256,
                                  NID_ecdsa_with_SHA384,
                                  NID_ecdsa_with_SHA512,
                                  NID_rsassaPss,
                                  NID_ED25519};
    return std::ranges::find(kAllowed, nid) != kAllowed.end();
}

x509_st* X509Access::get(const Certificate& certificate) {
    return certificate.state_->x509.get();
}

}  // namespace internal

Result<Certificate> Certificate::create(Bytes der) {
    const unsigned char* at = der.data();
    Owned<X509> parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
    ERR_clear_error();
    if (!parsed || at != der.data() + der.size()) {
        return Error{ErrorCode::kCorrupt, "a certificate that cannot be read"};
    }
    return Certificate(std::make_shared<const State>(State{std::move(parsed)}));
}

Buffer Certificate::der() const {
    unsigned char* der = nullptr;
    const int size = i2d_X509(state_->x509.get(), &der);
    COLOPHON_ASSERT(size > 0);
    const Owned<unsigned char> owned(der);
    return to_buffer(Bytes(der, static_cast<std::size_t>(size)));
}

std::string Certificate::common_name() const {
    return common_or_organization(X509_get_subject_name(state_->x509.get()));
}

std::string Certificate::organization() const {
    return entry_text(X509_get_subject_name(state_->x509.get()), NID_organizationName);
}

std::string Certificate::issuer_name() const {
    return common_or_organization(X509_get_issuer_name(state_->x509.get()));
}

std::string Certificate::ocsp_responder() const {
    const Owned<AUTHORITY_INFO_ACCESS> access(static_cast<AUTHORITY_INFO_ACCESS*>(
        X509_get_ext_d2i(state_->x509.get(), NID_info_access, nullptr, nullptr)));
    ERR_clear_error();
    for (int i = 0; access && i < sk_ACCESS_DESCRIPTION_num(access.get()); ++i) {
        const ACCESS_DESCRIPTION* each = sk_ACCESS_DESCRIPTION_value(access.get(), i);
        if (OBJ_obj2nid(each->method) == NID_ad_OCSP && each->location->type == GEN_URI) {
            const ASN1_IA5STRING* uri = each->location->d.uniformResourceIdentifier;
            return std::string(as_text(
                {ASN1_STRING_get0_data(uri), static_cast<std::size_t>(ASN1_STRING_length(uri))}));
        }
    }
    return {};
}

bool Certificate::issued(const Certificate& other) const {
    X509* below = other.state_->x509.get();
    EVP_PKEY* key = X509_get0_pubkey(state_->x509.get());
    const bool good = key != nullptr && X509_check_issued(state_->x509.get(), below) == X509_V_OK &&
                      X509_verify(below, key) == 1;
    ERR_clear_error();
    return good;
}

Certificate::NameParts Certificate::subject_parts() const {
    return parts_of(X509_get_subject_name(state_->x509.get()));
}

Certificate::NameParts Certificate::issuer_parts() const {
    return parts_of(X509_get_issuer_name(state_->x509.get()));
}

std::string Certificate::serial() const {
    const Owned<BIGNUM> number(
        ASN1_INTEGER_to_BN(X509_get0_serialNumber(state_->x509.get()), nullptr));
    if (!number) {
        ERR_clear_error();
        return {};
    }
    Buffer bytes(static_cast<std::size_t>(BN_num_bytes(number.get())));
    BN_bn2bin(number.get(), bytes.data());
    return to_hex(bytes);
}

Time Certificate::not_before() const {
    return internal::time_of(X509_get0_notBefore(state_->x509.get())).value_or(Time{});
}

Time Certificate::not_after() const {
    return internal::time_of(X509_get0_notAfter(state_->x509.get())).value_or(Time{});
}

std::string Certificate::profile_problem(Purpose purpose) const {
    X509* x509 = state_->x509.get();
    std::string problem = common_problem(x509);
    if (problem.empty()) {
        problem = key_problem(x509);
    }
    if (problem.empty()) {
        problem = signature_problem(x509);
    }
    if (problem.empty()) {
        problem = purpose_problem(x509, purpose);
    }
    return problem;
}

bool Certificate::verify(SignatureAlgorithm algorithm, Bytes message, Bytes signature) const {
    return internal::verify_signature(X509_get0_pubkey(state_->x509.get()), algorithm, message,
                                      signature);
}

Result<std::vector<Certificate>> certificates_from_pem(std::string_view pem,
                                                       std::size_t count_max) {
    const Owned<BIO> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    std::vector<Certificate> certificates;
    constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
    for (;;) {
        const Owned<X509> parsed(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
        if (!parsed) {
            break;
        }
        if (certificates.size() == count_max) {
            return Error{ErrorCode::kLimit,
                         fmt::format("more than {} certificates in one file", count_max)};
        }
        unsigned char* der = nullptr;
        const int size = i2d_X509(parsed.get(), &der);
        const Owned<unsigned char> owned(der);
        if (size <= 0) {
            ERR_clear_error();
            return Error{ErrorCode::kUnavailable, "OpenSSL could not write a certificate"};
        }
        certificates.push_back(TRY(Certificate::create({der, static_cast<std::size_t>(size)})));
    }
    ERR_clear_error();
    std::size_t announced = 0;
    for (std::size_t at = pem.find(kBegin); at != std::string_view::npos;
         at = pem.find(kBegin, at + 1)) {
        ++announced;
    }
    if (certificates.empty() || announced != certificates.size()) {
        return Error{ErrorCode::kInvalidArgument,
                     certificates.empty() ? "no certificate in PEM form is in the file"
                                          : fmt::format("certificate {} of the file cannot be read",
                                                        certificates.size() + 1)};
    }
    return certificates;
}

ChainState chain_state(const Certificate& leaf, const std::vector<Certificate>& intermediates,
                       const std::vector<Certificate>& anchors, Time time) {
    using internal::X509Access;
    const Owned<X509_STORE> store(X509_STORE_new());
    const Owned<X509_STORE_CTX> context(X509_STORE_CTX_new());
    const Owned<STACK_OF(X509)> others(sk_X509_new_null());
    COLOPHON_ASSERT(store && context && others);
    for (const Certificate& anchor : anchors) {
        COLOPHON_ASSERT(X509_STORE_add_cert(store.get(), X509Access::get(anchor)) == 1);
    }
    for (const Certificate& each : intermediates) {
        COLOPHON_ASSERT(sk_X509_push(others.get(), X509Access::get(each)) > 0);
    }
    COLOPHON_ASSERT(
        X509_STORE_CTX_init(context.get(), store.get(), X509Access::get(leaf), others.get()) == 1);
    X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context.get());
    // An anchor ends the chain wherever it stands in its own hierarchy. Purposes are judged by
    // profile_problem(): OpenSSL's "any" accepts all.
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY);
    X509_VERIFY_PARAM_set_depth(parameters, 8);
    X509_VERIFY_PARAM_set_time(
        parameters,
        std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
    const bool good = X509_verify_cert(context.get()) == 1;
    const int reason = X509_STORE_CTX_get_error(context.get());
    ERR_clear_error();
    if (good) {
        return ChainState::kTrusted;
    }
    return reason == X509_V_ERR_CERT_HAS_EXPIRED || reason == X509_V_ERR_CERT_NOT_YET_VALID
               ? ChainState::kOutsideValidity
               : ChainState::kUntrusted;
}

}  // namespace colophon::label::provenance
