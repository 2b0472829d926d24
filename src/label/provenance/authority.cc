// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/authority.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/provenance/certificate.h"
#include "label/provenance/signature_algorithm.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/types.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

namespace colophon::label::provenance {
namespace {

constexpr int kRsaBits = 3072;
constexpr std::size_t kAddressCharsMax = 1024;
constexpr std::size_t kNameCharsMax = 64;  // RFC 5280, upper bounds of organisation and name

struct Free {
    void operator()(X509* made) const noexcept { X509_free(made); }
    void operator()(EVP_PKEY* made) const noexcept { EVP_PKEY_free(made); }
    void operator()(EVP_MD_CTX* made) const noexcept { EVP_MD_CTX_free(made); }
    void operator()(BIO* made) const noexcept { BIO_free(made); }
    void operator()(X509_EXTENSION* made) const noexcept { X509_EXTENSION_free(made); }
    void operator()(BIGNUM* made) const noexcept { BN_free(made); }
    void operator()(ASN1_TIME* made) const noexcept { ASN1_TIME_free(made); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Error failed(std::string_view what) {
    ERR_clear_error();
    return Error{ErrorCode::kUnavailable, fmt::format("OpenSSL could not {}", what)};
}

Result<Owned<EVP_PKEY>> make_key(SignatureAlgorithm algorithm) {
    const SignatureAlgorithmFacts& row = facts(algorithm);
    Owned<EVP_PKEY> key;
    if (algorithm == SignatureAlgorithm::kEdDsa) {
        key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    } else if (row.curve.empty()) {
        key.reset(EVP_RSA_gen(kRsaBits));
    } else {
        key.reset(EVP_EC_gen(std::string(row.curve).c_str()));
    }
    if (!key) {
        return failed("make a key");
    }
    return key;
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return size > 0 ? std::string(data, static_cast<std::size_t>(size)) : std::string();
}

Result<IssuedKey> to_pem(EVP_PKEY* key, X509* certificate) {
    const Owned<BIO> key_text(BIO_new(BIO_s_mem()));
    const Owned<BIO> certificate_text(BIO_new(BIO_s_mem()));
    if (!key_text || !certificate_text ||
        PEM_write_bio_PrivateKey(key_text.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
        PEM_write_bio_X509(certificate_text.get(), certificate) != 1) {
        return failed("write a certificate");
    }
    return IssuedKey{.key_pem = text_of(key_text.get()),
                     .certificate_pem = text_of(certificate_text.get())};
}

bool set_name(X509_NAME* name, const CertificateRequest& request) {
    const auto add = [name](const char* field, const std::string& text) {
        return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8,
                                          reinterpret_cast<const unsigned char*>(text.data()),
                                          static_cast<int>(text.size()), -1, 0) == 1;
    };
    return add("O", request.organization) && add("CN", request.common_name);
}

bool set_serial(X509* certificate) {
    // RFC 5280, 4.1.2.2: positive, at most 20 bytes; random so that none is given twice.
    const Owned<BIGNUM> serial(BN_new());
    return serial && BN_rand(serial.get(), 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
           BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_times(X509* certificate, const CertificateRequest& request) {
    const auto seconds = [](Time time) {
        return static_cast<std::time_t>(
            std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count());
    };
    const Owned<ASN1_TIME> begin(ASN1_TIME_set(nullptr, seconds(request.not_before)));
    const Owned<ASN1_TIME> end(
        ASN1_TIME_set(nullptr, seconds(request.not_before + request.lifetime)));
    return begin && end && X509_set1_notBefore(certificate, begin.get()) == 1 &&
           X509_set1_notAfter(certificate, end.get()) == 1;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool sign(X509* certificate, EVP_PKEY* key) {
    const EVP_MD* digest = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519 ? nullptr : EVP_sha256();
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
        const int bits = EVP_PKEY_get_bits(key);
        digest = bits > 384 ? EVP_sha512() : bits > 256 ? EVP_sha384() : EVP_sha256();
    }
    return X509_sign(certificate, key, digest) > 0;
}

Result<void> check_names(const CertificateRequest& request) {
    for (const std::string* name : {&request.organization, &request.common_name}) {
        if (name->empty() || find_invalid_utf8(*name) || count_code_points(*name) > kNameCharsMax) {
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("a name in a certificate has 1 to {} characters", kNameCharsMax)};
        }
    }
    return {};
}

// What stands in the extension's text after "URI:", where commas and semicolons would end it.
bool is_address(std::string_view url) {
    const bool web = url.starts_with("http://") || url.starts_with("https://");
    return web && url.size() <= kAddressCharsMax && std::ranges::all_of(url, [](char c) {
               return c > ' ' && c < 0x7F && c != ',' && c != ';' && c != '"' && c != '\\';
           });
}

Result<void> check_responder(const std::string& url) {
    if (!url.empty() && !is_address(url)) {
        return Error{ErrorCode::kInvalidArgument,
                     "the address of an OCSP responder begins with http:// or https:// and holds "
                     "no spaces, commas, semicolons or quotes"};
    }
    return {};
}

bool add_responder(X509* certificate, X509* issuer, const std::string& url) {
    return url.empty() ||
           add_extension(certificate, issuer, NID_info_access, ("OCSP;URI:" + url).c_str());
}

Result<Owned<X509>> begin_certificate(const CertificateRequest& request, EVP_PKEY* key) {
    TRY(check_names(request));
    TRY(check_responder(request.ocsp_responder));
    Owned<X509> certificate(X509_new());
    if (!certificate || X509_set_version(certificate.get(), X509_VERSION_3) != 1 ||
        !set_serial(certificate.get()) || !set_times(certificate.get(), request) ||
        !set_name(X509_get_subject_name(certificate.get()), request) ||
        X509_set_pubkey(certificate.get(), key) != 1) {
        return failed("fill a certificate");
    }
    return certificate;
}

struct Issuer {
    Owned<EVP_PKEY> key;
    Owned<X509> certificate;
};

Result<Issuer> read_issuer(const IssuedKey& pair) {
    const Owned<BIO> key_text(
        BIO_new_mem_buf(pair.key_pem.data(), static_cast<int>(pair.key_pem.size())));
    const Owned<BIO> certificate_text(BIO_new_mem_buf(
        pair.certificate_pem.data(), static_cast<int>(pair.certificate_pem.size())));
    std::string no_password;
    Issuer issuer{.key = Owned<EVP_PKEY>(PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr,
                                                                 no_password.data())),
                  .certificate = Owned<X509>(
                      PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr))};
    const bool pair_fits = issuer.key && issuer.certificate &&
                           X509_check_private_key(issuer.certificate.get(), issuer.key.get()) == 1;
    ERR_clear_error();
    if (!pair_fits) {
        return Error{ErrorCode::kInvalidArgument,
                     "the authority's key and certificate cannot be read or do not belong "
                     "together"};
    }
    return issuer;
}

}  // namespace

Result<IssuedKey> make_root(const CertificateRequest& request) {
    const Owned<EVP_PKEY> key = TRY(make_key(request.algorithm));
    const Owned<X509> root = TRY(begin_certificate(request, key.get()));
    X509* made = root.get();
    const bool good = X509_set_issuer_name(made, X509_get_subject_name(made)) == 1 &&
                      add_extension(made, made, NID_basic_constraints, "critical,CA:TRUE") &&
                      add_extension(made, made, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                      add_extension(made, made, NID_subject_key_identifier, "hash") &&
                      sign(made, key.get());
    if (!good) {
        return failed("make a root certificate");
    }
    return to_pem(key.get(), made);
}

Result<IssuedKey> issue(const IssuedKey& issuer_pair, const CertificateRequest& request,
                        Purpose purpose) {
    const Issuer issuer = TRY(read_issuer(issuer_pair));
    const Owned<EVP_PKEY> key = TRY(make_key(request.algorithm));
    const Owned<X509> leaf = TRY(begin_certificate(request, key.get()));
    X509* made = leaf.get();
    X509* above = issuer.certificate.get();
    // Both the purpose of C2PA and the one that older validators ask for.
    const char* purposes = purpose == Purpose::kClaim ? "1.3.6.1.4.1.62558.2.1,emailProtection"
                           : purpose == Purpose::kTimeStamp ? "critical,timeStamping"
                                                            : "OCSPSigning";
    const char* usage = purpose == Purpose::kClaim ? "critical,digitalSignature,nonRepudiation"
                                                   : "critical,digitalSignature";
    const bool good = X509_set_issuer_name(made, X509_get_subject_name(above)) == 1 &&
                      add_extension(made, above, NID_basic_constraints, "critical,CA:FALSE") &&
                      add_extension(made, above, NID_key_usage, usage) &&
                      add_extension(made, above, NID_ext_key_usage, purposes) &&
                      add_extension(made, above, NID_subject_key_identifier, "hash") &&
                      add_extension(made, above, NID_authority_key_identifier, "keyid:always") &&
                      add_responder(made, above, request.ocsp_responder) &&
                      sign(made, issuer.key.get());
    if (!good) {
        return failed("issue a certificate");
    }
    return to_pem(key.get(), made);
}

}  // namespace colophon::label::provenance
