// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/cose.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/provenance/cbor.h"
#include "label/provenance/certificate.h"
#include "label/provenance/signature_algorithm.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

constexpr std::uint64_t kSign1Tag = 18;
constexpr std::int64_t kAlgorithmHeader = 1;
constexpr std::int64_t kChainHeader = 33;

Error malformed(std::string_view what) {
    return Error{ErrorCode::kCorrupt, fmt::format("the claim signature is malformed: {}", what)};
}

// RFC 9360: one certificate is a string, several are a list. Before the number was given, a text
// key stood for it.
Result<std::vector<Buffer>> chain_of(const cbor::Value& header) {
    const cbor::Value* value = header.find(kChainHeader);
    if (value == nullptr) {
        value = header.find("x5chain");
    }
    std::vector<Buffer> chain;
    if (value == nullptr) {
        return chain;
    }
    if (const Buffer* single = value->if_bytes()) {
        chain.push_back(*single);
        return chain;
    }
    const cbor::Array* list = value->if_array();
    if (list == nullptr || list->empty() || list->size() > limits::kCertificatesMax) {
        return malformed("x5chain holds no certificates, or too many");
    }
    for (const cbor::Value& each : *list) {
        if (each.if_bytes() == nullptr) {
            return malformed("x5chain holds something that is no certificate");
        }
        chain.push_back(*each.if_bytes());
    }
    return chain;
}

Result<std::int64_t> algorithm_of(const cbor::Value& header) {
    const cbor::Value* value = header.find(kAlgorithmHeader);
    if (value != nullptr && value->if_negative() != nullptr &&
        value->if_negative()->magnitude < 0x7FFFFFFF) {
        return -1 - static_cast<std::int64_t>(value->if_negative()->magnitude);
    }
    if (value != nullptr && value->if_unsigned() != nullptr && *value->if_unsigned() < 0x7FFFFFFF) {
        return static_cast<std::int64_t>(*value->if_unsigned());
    }
    return malformed("it names no algorithm");
}

bool is_zeros(const cbor::Value& value) {
    const Buffer* bytes = value.if_bytes();
    return bytes != nullptr && std::ranges::all_of(*bytes, [](auto byte) { return byte == 0; });
}

// Nothing covers the padding, so it may say nothing: neither by its bytes nor by another name.
Result<void> check_padding(const cbor::Value& header) {
    for (const auto& [name, value] : *header.if_map()) {
        const std::string* text = name.if_text();
        const bool pad = text != nullptr && (*text == "pad" || *text == "pad2");
        if (pad != is_zeros(value)) {
            return malformed("its padding is not all zeros");
        }
    }
    return {};
}

cbor::Map unprotected_of(const CoseExtras& extras) {
    cbor::Map map;
    if (!extras.time_stamp.empty()) {
        map.emplace_back(
            "sigTst2",
            cbor::Map{{"tstTokens", cbor::Array{cbor::Map{{"val", extras.time_stamp}}}}});
    }
    if (!extras.ocsp_responses.empty()) {
        cbor::Array values(extras.ocsp_responses.begin(), extras.ocsp_responses.end());
        map.emplace_back("rVals", cbor::Map{{"ocspVals", std::move(values)}});
    }
    return map;
}

Buffer encode_with_pad(Bytes protected_bytes, cbor::Map unprotected, Bytes signature,
                       std::size_t pad) {
    unprotected.emplace_back("pad", Buffer(pad));
    return cbor::encode(
        cbor::tagged(kSign1Tag, cbor::Array{to_buffer(protected_bytes), std::move(unprotected),
                                            cbor::Simple::kNull, to_buffer(signature)}));
}

}  // namespace

const cbor::Value* CoseSign1::header(std::string_view name) const noexcept {
    const cbor::Value* found = protected_header.find(name);
    return found != nullptr ? found : unprotected_header.find(name);
}

// A NumericDate (RFC 8392) under the name that the specification gives it; also where RFC 9597 puts
// the claims of a token.
std::optional<Time> CoseSign1::claimed_at() const noexcept {
    constexpr double kSecondsMax = 253402300799;  // the end of the year 9999
    constexpr std::int64_t kClaimsHeader = 15;
    constexpr std::int64_t kIssuedAt = 6;
    const cbor::Value* value = protected_header.find("iat");
    const cbor::Value* claims = protected_header.find(kClaimsHeader);
    if (value == nullptr && claims != nullptr) {
        value = claims->find(kIssuedAt);
    }
    if (value == nullptr) {
        return std::nullopt;
    }
    double seconds = -1;
    if (const std::uint64_t* whole = value->if_unsigned()) {
        seconds = static_cast<double>(*whole);
    } else if (const double* number = value->if_double()) {
        seconds = *number;
    }
    if (!(seconds >= 0 && seconds <= kSecondsMax)) {
        return std::nullopt;
    }
    return Time{} + std::chrono::seconds(static_cast<std::int64_t>(seconds));
}

Result<CoseSign1> parse_cose(Bytes box) {
    const cbor::Value value = TRY(cbor::decode(box));
    const cbor::Tagged* tagged = value.if_tagged();
    if (tagged == nullptr || tagged->tag != kSign1Tag) {
        return malformed("it is no COSE_Sign1");
    }
    const cbor::Array* parts = tagged->value->if_array();
    if (parts == nullptr || parts->size() != 4 || (*parts)[0].if_bytes() == nullptr ||
        (*parts)[1].if_map() == nullptr || (*parts)[3].if_bytes() == nullptr) {
        return malformed("it is no COSE_Sign1 of four parts");
    }
    if (!(*parts)[2].is_null()) {
        return malformed("its payload lies inside");
    }
    CoseSign1 cose;
    cose.protected_bytes = *(*parts)[0].if_bytes();
    cose.protected_header = TRY(cbor::decode(cose.protected_bytes));
    cose.unprotected_header = (*parts)[1];
    cose.signature = *(*parts)[3].if_bytes();
    if (cose.protected_header.if_map() == nullptr) {
        return malformed("its protected header is no map");
    }
    cose.algorithm = TRY(algorithm_of(cose.protected_header));
    cose.chain = TRY(chain_of(cose.protected_header));
    if (cose.chain.empty()) {
        // Allowed before version 2 of the specification: there nothing covers the certificates but
        // that the signature fits the first of them.
        cose.chain = TRY(chain_of(cose.unprotected_header));
    }
    TRY(check_padding(cose.unprotected_header));
    return cose;
}

Buffer cose_protected_header(SignatureAlgorithm algorithm, const std::vector<Certificate>& chain) {
    cbor::Value certificates;
    if (chain.size() == 1) {
        certificates = chain.front().der();
    } else {
        cbor::Array list;
        for (const Certificate& each : chain) {
            list.emplace_back(each.der());
        }
        certificates = std::move(list);
    }
    return cbor::encode(cbor::Map{{kAlgorithmHeader, facts(algorithm).cose},
                                  {kChainHeader, std::move(certificates)}});
}

Buffer cose_signed_bytes(Bytes protected_bytes, Bytes claim) {
    return cbor::encode(
        cbor::Array{"Signature1", to_buffer(protected_bytes), Buffer{}, to_buffer(claim)});
}

Buffer cose_time_stamp_input(Bytes protected_bytes, Bytes signature) {
    const Buffer inner = cbor::encode(cbor::Value(to_buffer(signature)));
    return cbor::encode(
        cbor::Array{"CounterSignature", to_buffer(protected_bytes), Buffer{}, inner});
}

Result<Buffer> encode_cose(Bytes protected_bytes, const CoseExtras& extras, Bytes signature,
                           std::size_t total) {
    const cbor::Map unprotected = unprotected_of(extras);
    const std::size_t bare = encode_with_pad(protected_bytes, unprotected, signature, 0).size();
    if (bare + 16 > total) {
        return Error{
            ErrorCode::kLimit,
            fmt::format("the claim signature needs {} bytes and {} are reserved", bare, total)};
    }
    // The length of the padding is itself written in 1, 2, 3 or 5 bytes: beside the four edges
    // where that grows, exactly one length arrives. At an edge an empty second padding moves away
    // from it.
    for (const bool second : {false, true}) {
        cbor::Map map = unprotected;
        if (second) {
            map.emplace_back("pad2", Buffer{});
        }
        const std::size_t least = encode_with_pad(protected_bytes, map, signature, 0).size();
        for (std::size_t head = 0; head <= 4; ++head) {
            Buffer out = encode_with_pad(protected_bytes, map, signature, total - least - head);
            if (out.size() == total) {
                return out;
            }
        }
    }
    return Error{ErrorCode::kLimit, "the claim signature cannot be padded"};
}

Result<Buffer> repad_cose(Bytes cose, const CosePadding& padding) {
    constexpr std::uint8_t kOpenBytes = 0x5F;
    constexpr std::uint8_t kBreak = 0xFF;
    const CoseSign1 parsed = TRY(parse_cose(cose));
    cbor::Map others = *parsed.unprotected_header.if_map();
    std::erase_if(others, [](const auto& member) {
        const std::string* name = member.first.if_text();
        return name != nullptr && (*name == "pad" || *name == "pad2");
    });
    Buffer out;
    cbor::append_head(out, 6, kSign1Tag);
    cbor::append_head(out, 4, 4);
    cbor::encode(out, parsed.protected_bytes);
    cbor::append_head(out, 5, others.size() + (padding.pad2 ? 2 : 1));
    cbor::encode(out, "pad");
    if (padding.open) {
        out.push_back(kOpenBytes);
    }
    cbor::encode(out, Buffer(padding.pad));
    if (padding.open) {
        out.push_back(kBreak);
    }
    if (padding.pad2) {
        cbor::encode(out, "pad2");
        cbor::encode(out, Buffer(*padding.pad2));
    }
    for (const auto& [name, value] : others) {
        cbor::encode(out, name);
        cbor::encode(out, value);
    }
    cbor::encode(out, cbor::Simple::kNull);
    cbor::encode(out, parsed.signature);
    return out;
}

}  // namespace colophon::label::provenance
