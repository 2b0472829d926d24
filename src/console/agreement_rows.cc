// SPDX-License-Identifier: Apache-2.0
// /api/agreements: with users who want content without its explicit label.
#include "console/forms.h"
#include "console/internal/rows.h"
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "governance/agreements.h"
#include "identity/tenants.h"
#include "ledger/conduct.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

using governance::Agreement;
using governance::AgreementId;

constexpr const char* kReaders = "admin,operator,lead,auditor";

// Light objects over the same data, in the name of the caller.
struct Open {
    explicit Open(const ApiCall& call)
        : conduct(call.parts.conduct(call.actor)),
          agreements(call.parts.store, call.parts.clock, call.parts.random, conduct) {}
    ledger::Conduct conduct;
    governance::Agreements agreements;
};

Result<Agreement> agreement_of_path(const ApiCall& call) {
    const auto id = TRY(parse_random_id<AgreementId>(call.values.front()));
    Agreement found = TRY(Open(call).agreements.find(id));
    // A program sees no tenant but its own.
    if (call.caller.key && found.terms.tenant != call.caller.key->tenant) {
        return Error{ErrorCode::kNotFound, "there is no agreement of that id"};
    }
    return found;
}

Result<json::Value> list_agreements(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    governance::AgreementQuery query;
    if (call.caller.key) {
        query.tenant = call.caller.key->tenant;
    } else if (const auto tenant = asked(call, "tenant")) {
        const identity::Tenant found = TRY(find_tenant(call, *tenant));
        query.tenant = found.id;
    }
    if (const auto subject = asked(call, "subject")) {
        query.subject = TRY(parse_random_id<SubjectId>(*subject));
    }
    if (const auto state = asked(call, "state")) {
        query.state = governance::parse_agreement_state(*state);
        if (!query.state) {
            return Error{ErrorCode::kInvalidArgument,
                         "state is one of proposed, granted, refused, revoked"};
        }
    }
    json::Array all;
    for (const Agreement& each : TRY(Open(call).agreements.list(query))) {
        all.emplace_back(agreement_form(each));
    }
    return page_list(page, std::move(all), "agreement");
}

Result<json::Value> show_agreement(const ApiCall& call) {
    return json::Value(agreement_form(TRY(agreement_of_path(call))));
}

Result<json::Value> propose_agreement(const ApiCall& call) {
    const std::string tenant = TRY(required_text(call, "tenant"));
    const std::string subject = TRY(required_text(call, "subject"));
    const std::string digest = TRY(required_text(call, "document_sha256"));
    const std::string from = TRY(optional_text(call, "from", ""));
    const std::string until = TRY(required_text(call, "until"));
    governance::Terms terms;
    const identity::Tenant found = TRY(find_tenant(call, tenant));
    terms.tenant = found.id;
    terms.subject = TRY(parse_random_id<SubjectId>(subject));
    terms.purpose = TRY(required_text(call, "purpose"));
    terms.document = TRY(required_text(call, "document"));
    const auto bytes = from_hex(digest);
    if (!bytes.ok() || bytes->size() != terms.digest.size()) {
        return Error{ErrorCode::kInvalidArgument,
                     "document_sha256 is the SHA-256 of the signed text, 64 hexadecimal digits"};
    }
    std::ranges::copy(*bytes, terms.digest.begin());
    terms.from = from.empty() ? call.parts.clock.now() : TRY(parse_time(from));
    terms.until = TRY(parse_time(until));
    Open open(call);
    return json::Value(
        agreement_form(TRY(open.agreements.propose(terms, call.caller.session->name))));
}

Result<json::Value> grant_agreement(const ApiCall& call) {
    const auto id = TRY(parse_random_id<AgreementId>(call.values.front()));
    Open open(call);
    return json::Value(agreement_form(TRY(open.agreements.grant(id, call.caller.session->name))));
}

Result<json::Value> refuse_agreement(const ApiCall& call) {
    const auto id = TRY(parse_random_id<AgreementId>(call.values.front()));
    const std::string reason = TRY(required_text(call, "reason"));
    Open open(call);
    return json::Value(
        agreement_form(TRY(open.agreements.refuse(id, call.caller.session->name, reason))));
}

Result<json::Value> revoke_agreement(const ApiCall& call) {
    const auto id = TRY(parse_random_id<AgreementId>(call.values.front()));
    const std::string reason = TRY(required_text(call, "reason"));
    Open open(call);
    return json::Value(
        agreement_form(TRY(open.agreements.revoke(id, call.caller.session->name, reason))));
}

}  // namespace

std::vector<ApiRow> agreement_rows() {
    constexpr const char* kReason =
        R"({"type":"object","required":["reason"],"properties":{"reason":{"type":"string"}}})";
    return {{.method = "GET",
             .pattern = "/api/agreements",
             .operation = "agreements.list",
             .summary = "agreements on content without its explicit label, the newest first",
             .scope = "subjects",
             .roles = kReaders,
             .query = {kLimitField,
                       kAfterField,
                       {"tenant", "id or name"},
                       {"subject", "id"},
                       {"state", "proposed, granted, refused or revoked"}},
             .handle = list_agreements},
            {.method = "POST",
             .pattern = "/api/agreements",
             .operation = "agreements.propose",
             .summary = "propose an agreement with a user; another person grants it",
             .roles = "operator,lead",
             .request_schema =
                 R"({"type":"object","required":["tenant","subject","purpose","document",)"
                 R"("document_sha256","until"],"properties":{"tenant":{"type":"string"},)"
                 R"("subject":{"type":"string"},"purpose":{"type":"string"},)"
                 R"("document":{"type":"string"},"document_sha256":{"type":"string"},)"
                 R"("from":{"type":"string","format":"date-time"},)"
                 R"("until":{"type":"string","format":"date-time"}}})",
             .status = 201,
             .handle = propose_agreement},
            {.method = "GET",
             .pattern = "/api/agreements/{agreement}",
             .operation = "agreements.show",
             .summary = "one agreement",
             .scope = "subjects",
             .roles = kReaders,
             .handle = show_agreement},
            {.method = "POST",
             .pattern = "/api/agreements/{agreement}/grant",
             .operation = "agreements.grant",
             .summary = "put into force what another person proposed",
             .roles = "lead",
             .handle = grant_agreement},
            {.method = "POST",
             .pattern = "/api/agreements/{agreement}/refuse",
             .operation = "agreements.refuse",
             .summary = "put a proposed agreement aside",
             .roles = "lead",
             .request_schema = kReason,
             .handle = refuse_agreement},
            {.method = "POST",
             .pattern = "/api/agreements/{agreement}/revoke",
             .operation = "agreements.revoke",
             .summary = "let nothing out under an agreement any more",
             .roles = "operator,lead",
             .request_schema = kReason,
             .handle = revoke_agreement}};
}

}  // namespace colophon::console
