// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/crjson.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "label/provenance/cbor.h"
#include "label/provenance/certificate.h"
#include "label/provenance/cose.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/jumbf.h"
#include "label/provenance/manifest_store.h"
#include "label/provenance/signature_algorithm.h"
#include "label/provenance/time_stamp.h"
#include "label/provenance/validate.h"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

std::string bytes_text(Bytes bytes) {
    return fmt::format("b64'{}'", to_base64(bytes));
}

json::Value to_json(const cbor::Value& value);

// Keys are texts in everything that C2PA defines; others are written as their JSON.
std::string key_text(const cbor::Value& key) {
    const std::string* text = key.if_text();
    return text != nullptr ? *text : json::write(to_json(key));
}

json::Value number_json(const cbor::Value& value) {
    if (const auto* number = value.if_unsigned()) {
        return *number;
    }
    const cbor::Negative* negative = value.if_negative();
    if (negative->magnitude <= INT64_MAX) {
        return -1 - static_cast<std::int64_t>(negative->magnitude);
    }
    return -1.0 - static_cast<double>(negative->magnitude);
}

json::Value to_json(const cbor::Value& value) {
    if (const auto* text = value.if_text()) {
        return *text;
    }
    if (const auto* bytes = value.if_bytes()) {
        return bytes_text(*bytes);
    }
    if (value.if_unsigned() != nullptr || value.if_negative() != nullptr) {
        return number_json(value);
    }
    if (const auto* array = value.if_array()) {
        json::Array out;
        for (const cbor::Value& each : *array) {
            out.push_back(to_json(each));
        }
        return out;
    }
    if (const auto* map = value.if_map()) {
        json::Object out;
        for (const auto& [key, member] : *map) {
            out.emplace_back(key_text(key), to_json(member));
        }
        return out;
    }
    if (const auto* tag = value.if_tagged()) {
        return to_json(*tag->value);
    }
    if (const auto* real = value.if_double()) {
        return *real;
    }
    const cbor::Simple* simple = value.if_simple();
    if (simple != nullptr && (*simple == cbor::Simple::kTrue || *simple == cbor::Simple::kFalse)) {
        return *simple == cbor::Simple::kTrue;
    }
    return json::Value();
}

// 3.5.1: lists that a claim leaves out are there, and empty.
json::Value claim_json(const cbor::Value& claim, bool old) {
    json::Value made = to_json(claim);
    const json::Object* found = made.if_object();
    if (found == nullptr) {
        return made;
    }
    json::Object object = *found;
    for (const std::string_view name : {"gathered_assertions", "redacted_assertions"}) {
        if (claim.find(name) == nullptr && !(old && name == "gathered_assertions")) {
            object.emplace_back(name, json::Array{});
        }
    }
    return object;
}

// The content of an assertion, or an empty object where there is none to be had (3.6.1); of
// pictures and other bytes only their hash.
json::Value assertion_json(const jumbf::Superbox& box, const std::string& uri) {
    if (const auto bytes = box.content("cbor")) {
        const auto value = cbor::decode(*bytes);
        return value.ok() ? to_json(*value) : json::Value(json::Object{});
    }
    if (const auto bytes = box.content("json")) {
        auto value = json::parse(as_text(*bytes));
        return value.ok() ? std::move(value).value() : json::Value(json::Object{});
    }
    json::Object object;
    if (const auto description = box.content("bfdb"); description && description->size() > 1) {
        const std::string_view type = as_text(description->subspan(1));
        object.emplace_back("format", type.substr(0, type.find('\0')));
    }
    object.emplace_back("identifier", uri);
    object.emplace_back("hash", bytes_text(hash(HashAlgorithm::kSha256, box.hashed)));
    return object;
}

json::Value name_json(const Certificate::NameParts& parts) {
    json::Object object;
    for (const auto& [name, text] : parts) {
        object.emplace_back(name, text);
    }
    return object;
}

json::Value certificate_json(const Certificate& leaf) {
    return json::Object{{"serialNumber", leaf.serial()},
                        {"issuer", name_json(leaf.issuer_parts())},
                        {"subject", name_json(leaf.subject_parts())},
                        {"validity", json::Object{{"notBefore", format_time(leaf.not_before())},
                                                  {"notAfter", format_time(leaf.not_after())}}}};
}

// 3.7: the time in the signature's header, whoever attests it; empty without.
json::Object stamp_json(const CoseSign1& cose) {
    const cbor::Value* header = cose.header("sigTst2");
    const bool token = header != nullptr;
    header = token ? header : cose.header("sigTst");
    const cbor::Array* list = header == nullptr ? nullptr : header->array("tstTokens");
    const Buffer* der = list == nullptr || list->size() != 1 ? nullptr : list->front().bytes("val");
    if (der == nullptr) {
        return {};
    }
    const auto described =
        describe_time_stamp(*der, token ? TimeStampForm::kToken : TimeStampForm::kResponse);
    if (!described) {
        return {};
    }
    json::Object object{{"timestamp", format_time(described->time)}};
    if (described->signer) {
        object.emplace_back("certificateInfo", certificate_json(*described->signer));
    }
    return object;
}

json::Value signature_json(const Manifest& manifest) {
    const jumbf::Superbox* box = manifest.box->find(kSignatureLabel);
    const auto bytes = box == nullptr ? std::nullopt : box->content("cbor");
    const auto cose =
        bytes ? parse_cose(*bytes) : Result<CoseSign1>(Error{ErrorCode::kNotFound, ""});
    if (!cose.ok()) {
        return json::Object{};
    }
    const auto algorithm = signature_algorithm_by_cose(cose->algorithm);
    json::Object object{
        {"algorithm", algorithm ? facts(*algorithm).name : std::string_view("Unknown")}};
    const auto leaf = cose->chain.empty() ? Result<Certificate>(Error{ErrorCode::kNotFound, ""})
                                          : Certificate::create(cose->chain.front());
    if (leaf.ok()) {
        object.emplace_back("certificateInfo", certificate_json(*leaf));
    }
    json::Object stamp = stamp_json(*cose);
    if (!stamp.empty()) {
        object.emplace_back("timestampInfo", std::move(stamp));
    }
    return object;
}

json::Object codes_json(const std::vector<Status>& statuses) {
    constexpr std::array<std::pair<StatusKind, std::string_view>, 3> kLists{
        {{StatusKind::kSuccess, "success"},
         {StatusKind::kInformational, "informational"},
         {StatusKind::kFailure, "failure"}}};
    json::Object object;
    for (const auto& [kind, name] : kLists) {
        json::Array list;
        for (const Status& each : statuses) {
            if (each.kind != kind) {
                continue;
            }
            json::Object entry{{"code", each.code}};
            if (!each.url.empty()) {
                entry.emplace_back("url", each.url);
            }
            if (!each.what.empty()) {
                entry.emplace_back("explanation", each.what);
            }
            list.emplace_back(std::move(entry));
        }
        object.emplace_back(name, std::move(list));
    }
    return object;
}

json::Value deltas_json(const Manifest& manifest, const CredentialReading& reading) {
    const std::string prefix = fmt::format("self#jumbf=/{}/{}/", kStoreLabel, manifest.label());
    json::Array deltas;
    for (const IngredientReport& each : reading.ingredients) {
        if (each.assertion_uri.starts_with(prefix)) {
            deltas.emplace_back(json::Object{{"ingredientAssertionURI", each.assertion_uri},
                                             {"validationDeltas", codes_json(each.statuses)}});
        }
    }
    return deltas;
}

// Of a manifest below the active one only what its ingredient assertion does not record already:
// that stands in the assertion.
std::vector<Status> statuses_below(const Manifest& manifest, const CredentialReading& reading) {
    std::vector<Status> statuses;
    for (const IngredientReport& each : reading.ingredients) {
        if (each.manifest_label == manifest.label()) {
            statuses.insert(statuses.end(), each.statuses.begin(), each.statuses.end());
        }
    }
    return statuses;
}

json::Value manifest_json(const Manifest& manifest, const CredentialReading& reading, bool active) {
    json::Object assertions;
    if (const jumbf::Superbox* store = manifest.assertion_store()) {
        for (const jumbf::Superbox& each : store->children) {
            assertions.emplace_back(
                each.label,
                assertion_json(each, fmt::format("self#jumbf=/{}/{}/{}/{}", kStoreLabel,
                                                 manifest.label(), kAssertionsLabel, each.label)));
        }
    }
    json::Object object{{"label", manifest.label()}, {"assertions", std::move(assertions)}};
    for (const auto& [label, name] :
         {std::pair(kClaimLabel, "claim.v2"), std::pair(kOldClaimLabel, "claim")}) {
        const jumbf::Superbox* box = manifest.box->find(label);
        const auto bytes = box == nullptr ? std::nullopt : box->content("cbor");
        const auto value =
            bytes ? cbor::decode(*bytes) : Result<cbor::Value>(Error{ErrorCode::kNotFound, ""});
        if (value.ok()) {
            object.emplace_back(name, claim_json(*value, label == kOldClaimLabel));
        }
    }
    object.emplace_back("signature", signature_json(manifest));
    json::Object results =
        codes_json(active ? reading.statuses : statuses_below(manifest, reading));
    results.emplace_back("specVersion", internal::kSpecVersion);
    results.emplace_back("validationTime", format_time(reading.validated_at));
    object.emplace_back("validationResults", std::move(results));
    object.emplace_back("ingredientDeltas", deltas_json(manifest, reading));
    return object;
}

}  // namespace

std::string write_crjson(const CredentialReading& reading) {
    const auto store = ManifestStore::create(reading.store);
    if (!store.ok()) {
        return {};
    }
    json::Array manifests;
    const std::vector<Manifest>& all = store->manifests();
    for (auto each = all.rbegin(); each != all.rend(); ++each) {
        manifests.push_back(manifest_json(*each, reading, each == all.rbegin()));
    }
    return json::write(json::Object{
        {"@context", json::Object{{"@vocab", "https://c2pa.org/crjson"},
                                  {"extras", "https://c2pa.org/crjson/extras"}}},
        {"manifests", std::move(manifests)},
        {"jsonGenerator", json::Object{{"name", "Colophon"}, {"version", COLOPHON_VERSION}}}});
}

}  // namespace colophon::label::provenance
