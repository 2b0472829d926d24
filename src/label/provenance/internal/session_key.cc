// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/internal/session_key.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "label/provenance/cbor.h"
#include "label/provenance/cose.h"
#include "label/provenance/internal/key_use.h"
#include "label/provenance/internal/validation.h"
#include "label/provenance/signature_algorithm.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/types.h>
#include <openssl/x509.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::uint64_t kSign1Tag = 18;
constexpr std::uint64_t kDateTag = 0;
constexpr std::size_t kKeysMax = 64;
constexpr std::uint64_t kValiditySecondsMax = 400ULL * 24 * 3600;

// RFC 9052 and RFC 9053: labels and values of a COSE_Key.
constexpr std::int64_t kKeyType = 1;
constexpr std::int64_t kKeyId = 2;
constexpr std::uint64_t kOctetKeyPair = 1;
constexpr std::uint64_t kEllipticCurve = 2;
constexpr std::uint64_t kRsa = 3;
constexpr std::int64_t kFirst = -1;   // the curve; of RSA the modulus
constexpr std::int64_t kSecond = -2;  // x; of RSA the exponent
constexpr std::int64_t kThird = -3;   // y
constexpr std::uint64_t kEd25519 = 6;

// SubjectPublicKeyInfo up to the point.
struct Curve {
    std::uint64_t number;
    std::size_t bytes;  // of a coordinate
    std::array<std::uint8_t, 27> head;
    std::size_t head_bytes;
};
constexpr std::array kCurves{
    Curve{
        .number = 1,
        .bytes = 32,
        .head = {0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06,
                 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04},
        .head_bytes = 27},
    Curve{.number = 2,
          .bytes = 48,
          .head = {0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02,
                   0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22, 0x03, 0x62, 0x00, 0x04},
          .head_bytes = 24},
    Curve{.number = 3,
          .bytes = 66,
          .head = {0x30, 0x81, 0x9B, 0x30, 0x10, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02,
                   0x01, 0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23, 0x03, 0x81, 0x86, 0x00, 0x04},
          .head_bytes = 26},
};
constexpr std::array<std::uint8_t, 12> kEd25519Head{0x30, 0x2A, 0x30, 0x05, 0x06, 0x03,
                                                    0x2B, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::array<std::uint8_t, 15> kRsaAlgorithm{0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86,
                                                     0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00};

const Buffer* bytes_at(const cbor::Value& map, std::int64_t label) {
    const cbor::Value* member = map.find(label);
    return member == nullptr ? nullptr : member->if_bytes();
}

std::optional<std::uint64_t> number_at(const cbor::Value& map, std::int64_t label) {
    const cbor::Value* member = map.find(label);
    const std::uint64_t* number = member == nullptr ? nullptr : member->if_unsigned();
    return number == nullptr ? std::nullopt : std::optional(*number);
}

void append_der(Buffer& out, std::uint8_t tag, Bytes content) {
    out.push_back(tag);
    if (content.size() >= 0x80) {
        out.push_back(0x82);
        out.push_back(static_cast<std::uint8_t>(content.size() >> 8U));
    }
    out.push_back(static_cast<std::uint8_t>(content.size()));
    append(out, content);
}

Buffer rsa_info(Bytes modulus, Bytes exponent) {
    Buffer numbers;
    for (const Bytes& each : {modulus, exponent}) {
        Buffer positive{0};
        append(positive, each);
        append_der(numbers, 0x02, positive);
    }
    Buffer bits{0};
    append_der(bits, 0x30, numbers);
    Buffer info = to_buffer(Bytes(kRsaAlgorithm));
    append_der(info, 0x03, bits);
    Buffer out;
    append_der(out, 0x30, info);
    return out;
}

// SubjectPublicKeyInfo (RFC 5280) of a COSE_Key; empty for what is none.
Buffer public_key_info(const cbor::Value& key) {
    const auto type = number_at(key, kKeyType);
    const auto curve = number_at(key, kFirst);
    const Buffer* x = bytes_at(key, kSecond);
    const Buffer* y = bytes_at(key, kThird);
    Buffer info;
    if (type == kEllipticCurve && curve && x != nullptr && y != nullptr) {
        for (const Curve& each : kCurves) {
            if (each.number == *curve && x->size() == each.bytes && y->size() == each.bytes) {
                append(info, Bytes(each.head).first(each.head_bytes));
                append(info, *x);
                append(info, *y);
            }
        }
    } else if (type == kOctetKeyPair && curve == kEd25519 && x != nullptr && x->size() == 32) {
        append(info, Bytes(kEd25519Head));
        append(info, *x);
    } else if (type == kRsa) {
        const Buffer* modulus = bytes_at(key, kFirst);
        if (modulus != nullptr && x != nullptr && modulus->size() <= 2048 && x->size() <= 8 &&
            modulus->size() >= 256 && !x->empty()) {
            return rsa_info(*modulus, *x);
        }
    }
    return info;
}

std::shared_ptr<EVP_PKEY> open_key(const cbor::Value& key) {
    const Buffer info = public_key_info(key);
    const unsigned char* at = info.data();
    std::shared_ptr<EVP_PKEY> made(
        info.empty() ? nullptr : d2i_PUBKEY(nullptr, &at, static_cast<long>(info.size())),
        EVP_PKEY_free);
    ERR_clear_error();
    return made && at == info.data() + info.size() ? made : nullptr;
}

std::optional<Time> date_of(const cbor::Value* value) {
    const cbor::Tagged* tagged = value == nullptr ? nullptr : value->if_tagged();
    const std::string* text =
        tagged == nullptr || tagged->tag != kDateTag ? nullptr : tagged->value->if_text();
    const auto time =
        text == nullptr ? Result<Time>(Error{ErrorCode::kCorrupt, "no date"}) : parse_time(*text);
    return time.ok() ? std::optional(*time) : std::nullopt;
}

std::optional<SessionKey> read_key(const cbor::Value& value, Bytes certificate) {
    const cbor::Value* key = value.find("key");
    const std::uint64_t* sequence = value.number("minSequenceNumber");
    const std::uint64_t* seconds = value.number("validityPeriod");
    const auto from = date_of(value.find("createdAt"));
    const cbor::Value* binding = value.find("signerBinding");
    const Buffer* id = key == nullptr ? nullptr : bytes_at(*key, kKeyId);
    if (id == nullptr || sequence == nullptr || seconds == nullptr || !from ||
        *seconds > kValiditySecondsMax || binding == nullptr) {
        return std::nullopt;
    }
    SessionKey made{.id = *id,
                    .key = open_key(*key),
                    .sequence_min = *sequence,
                    .from = *from,
                    .until = *from + std::chrono::seconds(static_cast<std::int64_t>(*seconds))};
    const auto bound = read_signed_payload(*binding);
    const bool detached = bound && (!bound->payload || bound->payload->empty());
    if (!made.key || !detached || !made.signed_this(*bound, certificate)) {
        return std::nullopt;
    }
    return made;
}

}  // namespace

std::optional<SignedPayload> read_signed_payload(const cbor::Value& value) {
    const cbor::Tagged* tagged = value.if_tagged();
    if (tagged != nullptr && tagged->tag != kSign1Tag) {
        return std::nullopt;
    }
    const cbor::Array* parts = (tagged == nullptr ? value : *tagged->value).if_array();
    if (parts == nullptr || parts->size() != 4 || (*parts)[0].if_bytes() == nullptr ||
        (*parts)[1].if_map() == nullptr || (*parts)[3].if_bytes() == nullptr ||
        ((*parts)[2].if_bytes() == nullptr && !(*parts)[2].is_null())) {
        return std::nullopt;
    }
    auto header = cbor::decode(*(*parts)[0].if_bytes());
    const cbor::Value* algorithm = header.ok() ? header->find(std::int64_t{1}) : nullptr;
    const cbor::Negative* number = algorithm == nullptr ? nullptr : algorithm->if_negative();
    if (number == nullptr || number->magnitude > 0x7FFFFFFF) {
        return std::nullopt;
    }
    SignedPayload made{.protected_bytes = *(*parts)[0].if_bytes(),
                       .algorithm = -1 - static_cast<std::int64_t>(number->magnitude),
                       .unprotected = (*parts)[1],
                       .protected_header = std::move(header).value(),
                       .payload = {},
                       .signature = *(*parts)[3].if_bytes()};
    if (const Buffer* payload = (*parts)[2].if_bytes()) {
        made.payload = *payload;
    }
    return made;
}

bool SessionKey::signed_this(const SignedPayload& made, Bytes payload) const {
    const auto algorithm = signature_algorithm_by_cose(made.algorithm);
    return algorithm &&
           verify_signature(key.get(), *algorithm, cose_signed_bytes(made.protected_bytes, payload),
                            made.signature);
}

std::optional<std::vector<SessionKey>> read_session_keys(const cbor::Value& assertion,
                                                         Bytes certificate) {
    const cbor::Array* list = assertion.array("keys");
    if (list == nullptr || list->empty() || list->size() > kKeysMax) {
        return std::nullopt;
    }
    std::vector<SessionKey> keys;
    for (const cbor::Value& each : *list) {
        auto key = read_key(each, certificate);
        if (!key) {
            return std::nullopt;
        }
        keys.push_back(std::move(*key));
    }
    return keys;
}

void check_session_keys(const std::vector<Assertion>& assertions, Bytes certificate,
                        Report& report) {
    for (const Assertion& each : assertions) {
        if (each.kind() == kSessionKeys &&
            (!each.value || !read_session_keys(*each.value, certificate))) {
            report.fail("livevideo.sessionkey.invalid", each.uri,
                        "a session key is malformed, or not bound to the signer");
        }
    }
}

}  // namespace colophon::label::provenance::internal
