// SPDX-License-Identifier: Apache-2.0
#pragma once

// Tenants, keys, subjects, staff and holds as JSON: the same for `colophon admin ... --json` and
// for the management API. docs/reference/json.md names every member.

#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "governance/agreements.h"
#include "identity/staff.h"
#include "identity/subjects.h"
#include "identity/tenants.h"
#include "ledger/retention.h"

#include <optional>
#include <string_view>

namespace colophon::console {

json::Value time_or_null(const std::optional<Time>& time);

json::Object tenant_form(const identity::Tenant& tenant);

std::string_view key_state(const identity::ApiKeyEntry& key, Time now);  // "active", ...
json::Object key_form(const identity::ApiKeyEntry& key, Time now);

std::string_view kind_name(identity::SubjectKind kind);  // "person", "organisation"
json::Object subject_form(const TenantId& tenant, const SubjectId& subject,
                          const identity::Standing& standing);
json::Object listed_subject_form(const identity::Subjects::Listed& subject);

json::Object staff_form(const identity::StaffEntry& entry);
// With what is shown once.
json::Object staff_form(const identity::StaffEntry& entry, const identity::StaffSecrets& secrets);

json::Object hold_form(const ledger::LegalHold& hold);

json::Object agreement_form(const governance::Agreement& agreement);

}  // namespace colophon::console
