// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/time_stamp.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "label/provenance/certificate.h"
#include "label/provenance/internal/x509.h"

#include <fmt/format.h>
#include <openssl/asn1.h>
#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/pkcs7.h>
#include <openssl/ts.h>
#include <openssl/types.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

struct Free {
    void operator()(PKCS7* made) const noexcept { PKCS7_free(made); }
    void operator()(TS_TST_INFO* made) const noexcept { TS_TST_INFO_free(made); }
    void operator()(TS_RESP* made) const noexcept { TS_RESP_free(made); }
    void operator()(TS_REQ* made) const noexcept { TS_REQ_free(made); }
    void operator()(TS_MSG_IMPRINT* made) const noexcept { TS_MSG_IMPRINT_free(made); }
    void operator()(X509_ALGOR* made) const noexcept { X509_ALGOR_free(made); }
    void operator()(ASN1_INTEGER* made) const noexcept { ASN1_INTEGER_free(made); }
    void operator()(STACK_OF(X509) * made) const noexcept { sk_X509_free(made); }
    void operator()(unsigned char* made) const noexcept { OPENSSL_free(made); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

Buffer digest(const EVP_MD* type, Bytes message) {
    Buffer out(static_cast<std::size_t>(EVP_MD_get_size(type)));
    EVP_Digest(message.data(), message.size(), out.data(), nullptr, type, nullptr);
    return out;
}

Owned<PKCS7> parse_token(Bytes der) {
    const unsigned char* at = der.data();
    Owned<PKCS7> token(d2i_PKCS7(nullptr, &at, static_cast<long>(der.size())));
    if (at != der.data() + der.size()) {
        token.reset();
    }
    return token;
}

Owned<TS_RESP> parse_response(Bytes der) {
    const unsigned char* at = der.data();
    Owned<TS_RESP> response(d2i_TS_RESP(nullptr, &at, static_cast<long>(der.size())));
    if (at != der.data() + der.size()) {
        response.reset();
    }
    return response;
}

bool granted(TS_RESP* response) {
    const long status =
        ASN1_INTEGER_get(TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response)));
    return status == TS_STATUS_GRANTED || status == TS_STATUS_GRANTED_WITH_MODS;
}

Result<Buffer> encode_token(PKCS7* token) {
    unsigned char* der = nullptr;
    const int size = i2d_PKCS7(token, &der);
    const Owned<unsigned char> owned(der);
    if (size <= 0) {
        ERR_clear_error();
        return Error{ErrorCode::kCorrupt, "the time stamp holds no token"};
    }
    return to_buffer(Bytes(der, static_cast<std::size_t>(size)));
}

bool imprint_matches(TS_TST_INFO* info, Bytes message) {
    TS_MSG_IMPRINT* imprint = TS_TST_INFO_get_msg_imprint(info);
    const ASN1_OBJECT* algorithm = nullptr;
    X509_ALGOR_get0(&algorithm, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
    const int nid = OBJ_obj2nid(algorithm);
    const EVP_MD* type = nid == NID_sha256   ? EVP_sha256()
                         : nid == NID_sha384 ? EVP_sha384()
                         : nid == NID_sha512 ? EVP_sha512()
                                             : nullptr;
    if (type == nullptr) {
        return false;
    }
    const ASN1_OCTET_STRING* stored = TS_MSG_IMPRINT_get_msg(imprint);
    const Bytes bytes(ASN1_STRING_get0_data(stored),
                      static_cast<std::size_t>(ASN1_STRING_length(stored)));
    return std::ranges::equal(bytes, digest(type, message));
}

std::optional<Certificate> copy_of(X509* certificate) {
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate, &der);
    const Owned<unsigned char> owned(der);
    if (size <= 0) {
        return std::nullopt;
    }
    auto copy = Certificate::create({der, static_cast<std::size_t>(size)});
    return copy.ok() ? std::optional(std::move(copy).value()) : std::nullopt;
}

std::vector<Certificate> certificates_of(PKCS7* token) {
    std::vector<Certificate> list;
    const STACK_OF(X509)* stack = PKCS7_type_is_signed(token) ? token->d.sign->cert : nullptr;
    for (int i = 0; i < sk_X509_num(stack) && i < 16; ++i) {
        if (auto copy = copy_of(sk_X509_value(stack, i))) {
            list.push_back(std::move(*copy));
        }
    }
    return list;
}

// The one signer's certificate, when the signature over the token's content fits it.
std::optional<Certificate> verified_signer(PKCS7* token) {
    if (!PKCS7_type_is_signed(token) ||
        PKCS7_verify(token, nullptr, nullptr, nullptr, nullptr, PKCS7_NOVERIFY) != 1) {
        return std::nullopt;
    }
    const Owned<STACK_OF(X509)> signers(PKCS7_get0_signers(token, nullptr, 0));
    if (!signers || sk_X509_num(signers.get()) != 1) {
        return std::nullopt;
    }
    return copy_of(sk_X509_value(signers.get(), 0));
}

TimeStampReading judge(PKCS7* token, Bytes message, const std::vector<Certificate>& anchors) {
    TimeStampReading reading;
    const Owned<TS_TST_INFO> info(PKCS7_to_TS_TST_INFO(token));
    if (!info || TS_TST_INFO_get_msg_imprint(info.get()) == nullptr) {
        return reading;
    }
    const auto time = internal::time_of(TS_TST_INFO_get_time(info.get()));
    if (!time) {
        return reading;
    }
    reading.time = *time;
    const auto signer = verified_signer(token);
    if (!signer || !imprint_matches(info.get(), message)) {
        reading.state = TimeStampState::kMismatch;
        return reading;
    }
    reading.authority = signer->common_name();
    switch (chain_state(*signer, certificates_of(token), anchors, reading.time)) {
        case ChainState::kUntrusted: {
            reading.state = TimeStampState::kUntrusted;
            // The certificates that came along, but for the signer's own, as if they were trusted.
            std::vector<Certificate> above = certificates_of(token);
            std::erase_if(above,
                          [&](const Certificate& each) { return each.der() == signer->der(); });
            reading.self_consistent =
                signer->profile_problem(Purpose::kTimeStamp).empty() &&
                chain_state(*signer, {}, above, reading.time) == ChainState::kTrusted;
            return reading;
        }
        case ChainState::kOutsideValidity:
            reading.state = TimeStampState::kOutsideValidity;
            return reading;
        case ChainState::kTrusted:
            break;
    }
    reading.state = signer->profile_problem(Purpose::kTimeStamp).empty()
                        ? TimeStampState::kValid
                        : TimeStampState::kCredentialInvalid;
    return reading;
}

Owned<ASN1_INTEGER> integer_of(std::uint64_t number) {
    Owned<ASN1_INTEGER> integer(ASN1_INTEGER_new());
    if (integer && ASN1_INTEGER_set_uint64(integer.get(), number) != 1) {
        integer.reset();
    }
    return integer;
}

}  // namespace

Result<Buffer> make_time_stamp_request(Bytes message, std::uint64_t nonce) {
    const Owned<TS_REQ> request(TS_REQ_new());
    const Owned<TS_MSG_IMPRINT> imprint(TS_MSG_IMPRINT_new());
    const Owned<X509_ALGOR> algorithm(X509_ALGOR_new());
    const Owned<ASN1_INTEGER> number = integer_of(nonce);
    Buffer hash = digest(EVP_sha256(), message);
    unsigned char* der = nullptr;
    int size = -1;
    if (request && imprint && algorithm && number &&
        X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) == 1 &&
        TS_MSG_IMPRINT_set_algo(imprint.get(), algorithm.get()) == 1 &&
        TS_MSG_IMPRINT_set_msg(imprint.get(), hash.data(), static_cast<int>(hash.size())) == 1 &&
        TS_REQ_set_version(request.get(), 1) == 1 &&
        TS_REQ_set_msg_imprint(request.get(), imprint.get()) == 1 &&
        TS_REQ_set_nonce(request.get(), number.get()) == 1 &&
        TS_REQ_set_cert_req(request.get(), 1) == 1) {
        size = i2d_TS_REQ(request.get(), &der);
    }
    const Owned<unsigned char> owned(der);
    if (size <= 0) {
        ERR_clear_error();
        return Error{ErrorCode::kUnavailable, "OpenSSL could not ask for a time stamp"};
    }
    return to_buffer(Bytes(der, static_cast<std::size_t>(size)));
}

Result<Buffer> read_time_stamp_response(Bytes response, Bytes message, std::uint64_t nonce) {
    const Owned<TS_RESP> parsed = parse_response(response);
    if (!parsed) {
        ERR_clear_error();
        return Error{ErrorCode::kCorrupt, "the answer of the time-stamp authority is no RFC 3161"};
    }
    if (!granted(parsed.get())) {
        return Error{ErrorCode::kDenied, "the time-stamp authority refused the request"};
    }
    TS_TST_INFO* info = TS_RESP_get_tst_info(parsed.get());
    const Owned<ASN1_INTEGER> wanted = integer_of(nonce);
    const bool ours = info != nullptr && wanted && TS_TST_INFO_get_nonce(info) != nullptr &&
                      ASN1_INTEGER_cmp(TS_TST_INFO_get_nonce(info), wanted.get()) == 0 &&
                      imprint_matches(info, message);
    ERR_clear_error();
    if (!ours) {
        return Error{ErrorCode::kCorrupt,
                     "the answer of the time-stamp authority is for another request"};
    }
    return encode_token(TS_RESP_get_token(parsed.get()));
}

TimeStampReading read_time_stamp(Bytes der, TimeStampForm form, Bytes message,
                                 const std::vector<Certificate>& anchors) {
    TimeStampReading reading;
    if (form == TimeStampForm::kToken) {
        if (const Owned<PKCS7> token = parse_token(der)) {
            reading = judge(token.get(), message, anchors);
        }
    } else if (const Owned<TS_RESP> response = parse_response(der)) {
        PKCS7* token = TS_RESP_get_token(response.get());
        if (granted(response.get()) && token != nullptr) {
            reading = judge(token, message, anchors);
        }
    }
    ERR_clear_error();
    return reading;
}

std::optional<TimeStampDescription> describe_time_stamp(Bytes der, TimeStampForm form) {
    const Owned<TS_RESP> response =
        form == TimeStampForm::kResponse ? parse_response(der) : nullptr;
    const Owned<PKCS7> own = form == TimeStampForm::kToken ? parse_token(der) : nullptr;
    PKCS7* token = response ? TS_RESP_get_token(response.get()) : own.get();
    std::optional<TimeStampDescription> described;
    if (token != nullptr) {
        const Owned<TS_TST_INFO> info(PKCS7_to_TS_TST_INFO(token));
        const auto time =
            info ? internal::time_of(TS_TST_INFO_get_time(info.get())) : std::optional<Time>();
        if (time) {
            described = TimeStampDescription{.time = *time, .signer = verified_signer(token)};
        }
    }
    ERR_clear_error();
    return described;
}

}  // namespace colophon::label::provenance
