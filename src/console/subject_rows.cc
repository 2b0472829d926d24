// SPDX-License-Identifier: Apache-2.0
// /api/tenants/{tenant}/subjects: the users of a tenant.
#include "console/forms.h"
#include "console/internal/rows.h"
#include "console/subject_acts.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/erasure.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "identity/verification.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

constexpr const char* kReaders = "admin,operator,auditor";

struct Found {
    TenantId tenant;
    SubjectId subject;
};

// The subject's number is the second value of the path.
Result<Found> subject_of_path(const ApiCall& call) {
    const identity::Tenant tenant = TRY(tenant_of_path(call));
    const auto subject = TRY(parse_random_id<SubjectId>(call.values.back()));
    TRY(call.parts.subjects({}).standing(tenant.id, subject));
    return Found{.tenant = tenant.id, .subject = subject};
}

Result<json::Value> show(const ApiCall& call, const Found& found) {
    const auto standing = TRY(call.parts.subjects({}).standing(found.tenant, found.subject));
    return json::Value(subject_form(found.tenant, found.subject, standing));
}

Result<json::Value> show_subject(const ApiCall& call) {
    const Found found = TRY(subject_of_path(call));
    return show(call, found);
}

// By the tenant's own name for it: a list of one or none.
Result<json::Value> find_by_reference(const ApiCall& call, const TenantId& tenant,
                                      const std::string& reference) {
    json::Array data;
    if (const auto subject = TRY(call.parts.subjects({}).find(tenant, reference))) {
        data.push_back(TRY(show(call, {.tenant = tenant, .subject = *subject})));
    }
    return json::Value(json::Object{{"data", std::move(data)}, {"next", json::Value()}});
}

Result<json::Value> list_subjects(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    const identity::Tenant tenant = TRY(tenant_of_path(call));
    if (const auto reference = asked(call, "reference")) {
        return find_by_reference(call, tenant.id, *reference);
    }
    std::optional<SubjectId> after;
    if (page.after) {
        after = TRY(parse_random_id<SubjectId>(*page.after));
    }
    const auto all = TRY(call.parts.subjects({}).list(tenant.id, after));
    const bool more = all.size() > page.limit || all.size() == identity::kSubjectPageMax;
    json::Array data;
    for (const auto& each : all) {
        if (data.size() == page.limit) {
            break;
        }
        data.emplace_back(listed_subject_form(each));
    }
    json::Value next =
        more && !data.empty() ? json::Value(data.back().string_or("subject", "")) : json::Value();
    return json::Value(json::Object{{"data", std::move(data)}, {"next", std::move(next)}});
}

Result<json::Value> add_subject(const ApiCall& call) {
    const identity::Tenant tenant = TRY(tenant_of_path(call));
    const std::string reference = TRY(required_text(call, "reference"));
    const std::string kind = TRY(optional_text(call, "kind", "person"));
    if (kind != "person" && kind != "organisation") {
        return Error{ErrorCode::kInvalidArgument, "kind is person or organisation"};
    }
    const SubjectId subject =
        TRY(call.parts.subjects(call.actor)
                .enrol(tenant.id, reference,
                       kind == "person" ? identity::SubjectKind::kPerson
                                        : identity::SubjectKind::kOrganisation));
    return show(call, {.tenant = tenant.id, .subject = subject});
}

// In two steps: without a code it gives the one that the caller sends to the number, with the code
// that the user sent back the user is verified.
Result<json::Value> verify_mobile(const ApiCall& call) {
    const Found found = TRY(subject_of_path(call));
    const std::string number = TRY(required_text(call, "number"));
    const std::string code = TRY(optional_text(call, "code", ""));
    identity::Subjects subjects = call.parts.subjects(call.actor);
    if (code.empty()) {
        std::string sent = TRY(subjects.begin_mobile(found.tenant, found.subject, number));
        return json::Value(
            json::Object{{"subject", to_string(found.subject)}, {"code", std::move(sent)}});
    }
    TRY(subjects.confirm_mobile(found.tenant, found.subject, number, code));
    return show(call, found);
}

Result<json::Value> verify(const ApiCall& call) {
    const Found found = TRY(subject_of_path(call));
    identity::Claim claim;
    const std::string means = TRY(optional_text(call, "means", "resident_id"));
    claim.means = TRY(identity::parse_means(means));
    claim.name = TRY(required_text(call, "name"));
    claim.number = TRY(required_text(call, "number"));
    claim.consent_reference = TRY(optional_text(call, "consent", ""));
    claim.idempotency_key = TRY(optional_text(call, "idempotency_key", ""));
    const auto providers = TRY(call.parts.providers());
    identity::Subjects subjects = call.parts.subjects(call.actor);
    TRY(verify_subject({.subjects = subjects, .providers = *providers, .random = call.parts.random},
                       found.tenant, found.subject, std::move(claim)));
    return show(call, found);
}

Result<json::Value> close(const ApiCall& call) {
    const Found found = TRY(subject_of_path(call));
    TRY(call.parts.subjects(call.actor).close(found.tenant, found.subject));
    return show(call, found);
}

Result<json::Value> erase(const ApiCall& call) {
    const Found found = TRY(subject_of_path(call));
    identity::Erasure erasure{.tenant = found.tenant,
                              .subject = found.subject,
                              .reason = TRY(required_text(call, "reason"))};
    erasure.despite_retention = TRY(optional_flag(call, "despite_retention"));
    TRY(call.parts.erase(erasure, call.actor));
    return json::Value(json::Object{{"subject", to_string(found.subject)}, {"erased", true}});
}

ApiRow row(const char* method, const char* pattern, const char* operation, const char* summary) {
    return {.method = method, .pattern = pattern, .operation = operation, .summary = summary};
}

}  // namespace

std::vector<ApiRow> subject_rows() {
    std::vector<ApiRow> rows;
    const auto add = [&rows](ApiRow each, const char* roles, const char* schema,
                             ApiHandler handle) -> ApiRow& {
        each.scope = "subjects";
        each.roles = roles;
        each.request_schema = schema;
        each.handle = handle;
        rows.push_back(std::move(each));
        return rows.back();
    };
    add(row("GET", "/api/tenants/{tenant}/subjects", "subjects.list", "users of a tenant"),
        kReaders, "", list_subjects)
        .query = {kLimitField, kAfterField, {"reference", "the tenant's own name for its user"}};
    add(row("POST", "/api/tenants/{tenant}/subjects", "subjects.add",
            "register a user; the same one again is no error"),
        "admin,operator",
        R"({"type":"object","required":["reference"],"properties":{"reference":{"type":"string"},)"
        R"("kind":{"enum":["person","organisation"]}}})",
        add_subject)
        .status = 201;
    add(row("GET", "/api/tenants/{tenant}/subjects/{subject}", "subjects.show",
            "whether and how a user is verified"),
        kReaders, "", show_subject);
    add(row("POST", "/api/tenants/{tenant}/subjects/{subject}/mobile", "subjects.mobile",
            "verify a user by a code sent to its mobile number"),
        "admin,operator",
        R"({"type":"object","required":["number"],"properties":{"number":{"type":"string"},)"
        R"("code":{"type":"string"}}})",
        verify_mobile);
    add(row("POST", "/api/tenants/{tenant}/subjects/{subject}/verify", "subjects.verify",
            "ask the providers of the configuration who a user is"),
        "admin,operator",
        R"({"type":"object","required":["name","number"],"properties":{"means":{"enum":)"
        R"(["mobile","resident_id","credit_code","network_identity"]},"name":{"type":"string"},)"
        R"("number":{"type":"string"},"consent":{"type":"string"},)"
        R"("idempotency_key":{"type":"string"}}})",
        verify);
    add(row("POST", "/api/tenants/{tenant}/subjects/{subject}/close", "subjects.close",
            "end an account for good; its records stay"),
        "admin,operator", "", close);
    add(row("POST", "/api/tenants/{tenant}/subjects/{subject}/erase", "subjects.erase",
            "destroy the key of a person: what is sealed for it is gone"),
        "admin",
        R"({"type":"object","required":["reason"],"properties":{"reason":{"type":"string"},)"
        R"("despite_retention":{"type":"boolean"}}})",
        erase)
        .scope = "";
    return rows;
}

}  // namespace colophon::console
