// SPDX-License-Identifier: Apache-2.0
#include "console/forms.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "governance/agreements.h"
#include "identity/api_key.h"
#include "identity/staff.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "identity/verification.h"
#include "ledger/retention.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::console {
namespace {

std::string_view age_name(identity::AgeClass age) {
    switch (age) {
        case identity::AgeClass::kUnder14:
            return "under_14";
        case identity::AgeClass::kMinor:
            return "minor";
        case identity::AgeClass::kAdult:
            return "adult";
        case identity::AgeClass::kUnknown:
            break;
    }
    return "unknown";
}

json::Array verifications(const identity::Standing& standing) {
    json::Array all;
    for (const identity::VerificationEntry& each : standing.verifications) {
        all.emplace_back(json::Object{{"means", identity::means_name(each.means)},
                                      {"state", identity::state_name(each.state)},
                                      {"shown", each.shown},
                                      {"provider", each.provider},
                                      {"assurance", each.assurance},
                                      {"checked", time_or_null(each.checked)},
                                      {"expires", time_or_null(each.expires)}});
    }
    return all;
}

template <class Id>
json::Value id_or_null(const std::optional<Id>& id) {
    return id ? json::Value(to_string(*id)) : json::Value();
}

}  // namespace

json::Value time_or_null(const std::optional<Time>& time) {
    return time ? json::Value(format_time(*time)) : json::Value();
}

json::Object tenant_form(const identity::Tenant& tenant) {
    return {{"tenant", to_string(tenant.id)},
            {"name", tenant.name},
            {"state", tenant.suspended ? "disabled" : "active"},
            {"created", format_time(tenant.created)}};
}

std::string_view key_state(const identity::ApiKeyEntry& key, Time now) {
    if (key.revoked) {
        return "revoked";
    }
    return key.expires && now >= *key.expires ? "expired" : "active";
}

json::Object key_form(const identity::ApiKeyEntry& key, Time now) {
    return {{"key", to_string(key.id)},
            {"tenant", to_string(key.tenant)},
            {"name", key.name},
            {"hint", key.hint},
            {"kind", key.kind == identity::ApiKeyKind::kLive ? "live" : "test"},
            {"scopes", identity::format_scopes(key.scopes)},
            {"state", key_state(key, now)},
            {"created", format_time(key.created)},
            {"expires", time_or_null(key.expires)},
            {"revoked", time_or_null(key.revoked)},
            {"used", time_or_null(key.used)}};
}

std::string_view kind_name(identity::SubjectKind kind) {
    return kind == identity::SubjectKind::kPerson ? "person" : "organisation";
}

json::Object subject_form(const TenantId& tenant, const SubjectId& subject,
                          const identity::Standing& standing) {
    return {{"subject", to_string(subject)},
            {"tenant", to_string(tenant)},
            {"kind", kind_name(standing.kind)},
            {"verified", standing.verified},
            {"closed", standing.closed},
            {"age", age_name(standing.age)},
            {"needs_guardian", standing.needs_guardian},
            {"verifications", verifications(standing)}};
}

json::Object listed_subject_form(const identity::Subjects::Listed& subject) {
    return {{"subject", to_string(subject.id)},
            {"kind", kind_name(subject.kind)},
            {"closed", subject.closed},
            {"created", format_time(subject.created)}};
}

json::Object staff_form(const identity::StaffEntry& entry) {
    return {{"user", to_string(entry.id)},
            {"name", entry.name},
            {"roles", identity::format_roles(entry.roles)},
            {"state", entry.disabled ? "disabled" : "active"},
            {"must_change", entry.must_change},
            {"created", format_time(entry.created)}};
}

json::Object staff_form(const identity::StaffEntry& entry, const identity::StaffSecrets& secrets) {
    json::Object form = staff_form(entry);
    if (!secrets.password.empty()) {
        form.emplace_back("password", secrets.password);
    }
    form.emplace_back("totp_secret", secrets.totp_secret);
    form.emplace_back("totp_address", secrets.totp_address);
    json::Array codes;
    for (const std::string& code : secrets.recovery_codes) {
        codes.emplace_back(code);
    }
    form.emplace_back("recovery_codes", std::move(codes));
    return form;
}

json::Object hold_form(const ledger::LegalHold& hold) {
    return {{"hold", hold.id},
            {"tenant", id_or_null(hold.tenant)},
            {"subject", id_or_null(hold.subject)},
            {"from", format_time(hold.from)},
            {"until", format_time(hold.until)},
            {"placed", format_time(hold.placed_at)},
            {"reason", hold.reason}};
}

json::Object agreement_form(const governance::Agreement& agreement) {
    const governance::Terms& terms = agreement.terms;
    return {{"agreement", to_string(agreement.id)},
            {"tenant", to_string(terms.tenant)},
            {"subject", to_string(terms.subject)},
            {"state", governance::agreement_state_name(agreement.state)},
            {"purpose", terms.purpose},
            {"document", terms.document},
            {"document_sha256", to_hex(terms.digest)},
            {"from", format_time(terms.from)},
            {"until", format_time(terms.until)},
            {"proposed_by", agreement.proposed_by},
            {"proposed", format_time(agreement.proposed)},
            {"decided_by", agreement.decided_by},
            {"decided", time_or_null(agreement.decided)},
            {"revoked_by", agreement.revoked_by},
            {"revoked", time_or_null(agreement.revoked)},
            {"reason", agreement.reason}};
}

}  // namespace colophon::console
