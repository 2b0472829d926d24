// SPDX-License-Identifier: Apache-2.0
#include "worker/internal/credential_message.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/provenance/credential.h"
#include "label/provenance/validate.h"
#include "worker/internal/fields.h"
#include "worker/internal/inquiry_message.h"

#include <cstdint>
#include <string>
#include <vector>

namespace colophon::worker::internal {
namespace {

json::Value encode_statuses(const std::vector<label::provenance::Status>& statuses) {
    json::Array array;
    for (const label::provenance::Status& each : statuses) {
        array.emplace_back(json::Object{{"kind", static_cast<std::int64_t>(each.kind)},
                                        {"code", each.code},
                                        {"url", each.url},
                                        {"what", each.what}});
    }
    return array;
}

Result<std::vector<label::provenance::Status>> decode_statuses(const json::Value* value) {
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr || array->size() > limits::kStatusCodesMax) {
        return Error{ErrorCode::kCorrupt, "no list of status codes"};
    }
    std::vector<label::provenance::Status> statuses;
    for (const json::Value& each : *array) {
        Fields fields(each);
        statuses.push_back({.kind = fields.choice("kind", label::provenance::StatusKind::kFailure),
                            .code = fields.text("code"),
                            .url = fields.text("url"),
                            .what = fields.text("what")});
        TRY(fields.finish("status code"));
    }
    return statuses;
}

json::Value encode_ingredients(const std::vector<label::provenance::IngredientReport>& reports) {
    json::Array array;
    for (const label::provenance::IngredientReport& each : reports) {
        array.emplace_back(json::Object{{"assertion", each.assertion_uri},
                                        {"manifest", each.manifest_label},
                                        {"statuses", encode_statuses(each.statuses)}});
    }
    return array;
}

Result<std::vector<label::provenance::IngredientReport>> decode_ingredients(
    const json::Value* value) {
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr || array->size() > limits::kStatusCodesMax) {
        return Error{ErrorCode::kCorrupt, "no list of ingredients"};
    }
    std::vector<label::provenance::IngredientReport> reports;
    for (const json::Value& each : *array) {
        Fields fields(each);
        reports.push_back(
            {.assertion_uri = fields.text("assertion"),
             .manifest_label = fields.text("manifest"),
             .statuses = fields.take(decode_statuses(fields.find("statuses")), "statuses")});
        TRY(fields.finish("ingredient"));
    }
    return reports;
}

json::Value encode_actions(const label::provenance::CredentialReading& reading) {
    json::Array array;
    for (const label::provenance::ActionReading& each : reading.actions) {
        array.emplace_back(json::Object{
            {"name", each.name}, {"source_type", each.source_type}, {"when", each.when}});
    }
    return array;
}

Result<std::vector<label::provenance::ActionReading>> decode_actions(const json::Value* value) {
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr) {
        return Error{ErrorCode::kCorrupt, "no list of actions"};
    }
    std::vector<label::provenance::ActionReading> actions;
    for (const json::Value& each : *array) {
        Fields fields(each);
        actions.push_back({.name = fields.text("name"),
                           .source_type = fields.text("source_type"),
                           .when = fields.text("when")});
        TRY(fields.finish("action"));
    }
    return actions;
}

json::Value encode_soft_bindings(const label::provenance::CredentialReading& reading) {
    json::Array array;
    for (const label::provenance::SoftBinding& each : reading.soft_bindings) {
        array.emplace_back(
            json::Object{{"algorithm", each.algorithm}, {"value", to_hex(each.value)}});
    }
    return array;
}

Result<std::vector<label::provenance::SoftBinding>> decode_soft_bindings(const json::Value* value) {
    const json::Array* array = value == nullptr ? nullptr : value->if_array();
    if (array == nullptr) {
        return Error{ErrorCode::kCorrupt, "no list of soft bindings"};
    }
    std::vector<label::provenance::SoftBinding> bindings;
    for (const json::Value& each : *array) {
        Fields fields(each);
        bindings.push_back({.algorithm = fields.text("algorithm"),
                            .value = fields.take(from_hex(fields.text("value")), "value")});
        TRY(fields.finish("soft binding"));
    }
    return bindings;
}

}  // namespace

json::Value encode_credential(const label::provenance::CredentialReading& reading) {
    json::Object object{{"found", reading.found},
                        {"where", reading.where},
                        {"state", static_cast<std::int64_t>(reading.state)},
                        {"statuses", encode_statuses(reading.statuses)},
                        {"ingredients", encode_ingredients(reading.ingredients)},
                        {"manifest", reading.manifest_label},
                        {"manifests", std::uint64_t{reading.manifests}},
                        {"generator", reading.generator},
                        {"title", reading.title},
                        {"signer", reading.signer},
                        {"organization", reading.organization},
                        {"issuer", reading.issuer},
                        {"algorithm", reading.algorithm},
                        {"time_authority", reading.time_authority},
                        {"source_type", reading.source_type},
                        {"actions", encode_actions(reading)},
                        {"aigc", reading.aigc},
                        {"soft_bindings", encode_soft_bindings(reading)},
                        {"validated_at", format_time(reading.validated_at)}};
    if (reading.signed_at) {
        object.emplace_back("signed_at", format_time(*reading.signed_at));
    }
    if (!reading.link.empty()) {
        object.emplace_back("link", reading.link);
    }
    if (!reading.questions.empty()) {
        object.emplace_back("questions", encode_questions(reading.questions));
    }
    return object;
}

Result<label::provenance::CredentialReading> decode_credential(const json::Value& value) {
    Fields fields(value);
    label::provenance::CredentialReading reading;
    reading.found = fields.flag("found");
    reading.where = fields.text("where");
    reading.state = fields.choice("state", label::provenance::CredentialState::kTrusted);
    reading.statuses = fields.take(decode_statuses(fields.find("statuses")), "statuses");
    reading.ingredients =
        fields.take(decode_ingredients(fields.find("ingredients")), "ingredients");
    reading.manifest_label = fields.text("manifest");
    reading.manifests = fields.number("manifests", limits::kManifestsMax);
    reading.generator = fields.text("generator");
    reading.title = fields.text("title");
    reading.signer = fields.text("signer");
    reading.organization = fields.text("organization");
    reading.issuer = fields.text("issuer");
    reading.algorithm = fields.text("algorithm");
    reading.time_authority = fields.text("time_authority");
    reading.source_type = fields.text("source_type");
    reading.actions = fields.take(decode_actions(fields.find("actions")), "actions");
    reading.aigc = fields.text("aigc");
    reading.soft_bindings =
        fields.take(decode_soft_bindings(fields.find("soft_bindings")), "soft_bindings");
    reading.validated_at = fields.take(parse_time(fields.text("validated_at")), "validated_at");
    if (fields.find("signed_at") != nullptr) {
        reading.signed_at = fields.take(parse_time(fields.text("signed_at")), "signed_at");
    }
    if (fields.find("link") != nullptr) {
        reading.link = fields.text("link");
    }
    if (const json::Value* questions = fields.find("questions")) {
        reading.questions = fields.take(decode_questions(questions), "questions");
    }
    TRY(fields.finish("reading of the credential"));
    return reading;
}

}  // namespace colophon::worker::internal
