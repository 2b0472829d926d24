// SPDX-License-Identifier: Apache-2.0
#include "identity/staff.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/result.h"
#include "identity/codes.h"
#include "identity/external_identity.h"
#include "identity/internal/random_text.h"
#include "identity/internal/recorded.h"
#include "identity/internal/staff_sql.h"
#include "identity/password.h"
#include "identity/totp.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

using storage::id_at;
using storage::id_value;
using storage::integer;
using storage::Rows;
using storage::time_value;
using storage::Transaction;

constexpr std::size_t kInitialPasswordChars = 20;

struct Named {
    Role role;
    std::string_view name;
};

constexpr Named named(Role role, std::string_view name) {
    return {.role = role, .name = name};
}

constexpr std::array kRoles{named(Role::kReviewer, "reviewer"),   named(Role::kLead, "lead"),
                            named(Role::kOperator, "operator"),   named(Role::kAuditor, "auditor"),
                            named(Role::kInspector, "inspector"), named(Role::kAdmin, "admin")};

Result<void> check_roles(std::uint32_t roles) {
    if (roles == 0 || (roles & ~kAllRoles) != 0) {
        return Error{ErrorCode::kInvalidArgument, "an account has at least one role"};
    }
    if (has_role(roles, Role::kInspector) &&
        roles != static_cast<std::uint32_t>(Role::kInspector)) {
        return Error{ErrorCode::kInvalidArgument, "an inspector has no other role"};
    }
    return {};
}

Result<void> check_name(std::string_view name) {
    const bool plain = std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    });
    if (name.size() < 3 || name.size() > 64 || !plain) {
        return Error{ErrorCode::kInvalidArgument,
                     "the name of an account has 3 to 64 of a-z, 0-9, '.', '-' and '_'"};
    }
    return {};
}

Result<StaffEntry> entry_at(const Rows& rows, std::size_t row) {
    StaffEntry entry;
    entry.id = TRY(id_at<StaffId>(rows, row, 0));
    entry.name = TRY(rows.text(row, 1));
    entry.roles = static_cast<std::uint32_t>(TRY(rows.integer(row, 2)));
    entry.must_change = TRY(rows.integer(row, 3)) != 0;
    entry.created = TRY(storage::time_at(rows, row, 4));
    entry.disabled = TRY(storage::optional_time_at(rows, row, 5));
    return entry;
}

Error no_staff() {
    return Error{ErrorCode::kNotFound, "there is no such account"};
}

Result<void> keep_secrets(Transaction& transaction, const StaffId& id,
                          const std::vector<std::string>& recovery_codes) {
    TRY(transaction.execute(staff_sql::kDropRecovery, {id_value(id)}));
    for (const std::string& code : recovery_codes) {
        TRY(transaction.execute(staff_sql::kAddRecovery,
                                {id_value(id), storage::bytes(recovery_code_digest(code))}));
    }
    return {};
}

}  // namespace

bool has_role(std::uint32_t roles, Role role) noexcept {
    return (roles & static_cast<std::uint32_t>(role)) != 0;
}

Result<std::uint32_t> parse_roles(std::string_view text) {
    std::uint32_t roles = 0;
    for (bool more = !text.empty(); more;) {
        const std::size_t comma = std::min(text.find(','), text.size());
        more = comma < text.size();
        const std::string_view word = text.substr(0, comma);
        const auto* found = std::ranges::find(kRoles, word, &Named::name);
        if (found == kRoles.end()) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("'{}' is no role; there are reviewer, lead, operator, "
                                     "auditor, inspector and admin",
                                     word.substr(0, 40))};
        }
        roles |= static_cast<std::uint32_t>(found->role);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    TRY(check_roles(roles));
    return roles;
}

std::string format_roles(std::uint32_t roles) {
    std::string text;
    for (const Named& each : kRoles) {
        if (has_role(roles, each.role)) {
            text += text.empty() ? "" : ",";
            text += each.name;
        }
    }
    return text;
}

// New secrets as they are shown, and as they are kept.
struct Staff::Fresh {
    StaffSecrets shown;
    std::string hash;
    Buffer totp_sealed;
    bool must_change = true;
};

Result<Staff::Fresh> Staff::fresh_secrets(const StaffId& id, std::string_view name,
                                          std::optional<std::string_view> password) {
    Fresh fresh;
    StaffSecrets& secrets = fresh.shown;
    secrets.id = id;
    if (password) {
        TRY(check_new_password(*password, name));
        fresh.must_change = false;
        fresh.hash = TRY(parts_.hasher.hash(*password));
    } else {
        secrets.password =
            TRY(internal::random_text(parts_.random, internal::kBase62, kInitialPasswordChars));
        fresh.hash = TRY(parts_.hasher.hash(secrets.password));
    }
    const Buffer totp = TRY(make_totp_secret(parts_.random));
    secrets.totp_address = totp_address(totp, name);
    secrets.totp_secret = to_base32(totp);
    secrets.recovery_codes = TRY(make_recovery_codes(parts_.random)).codes;
    fresh.totp_sealed =
        TRY(parts_.sealer.seal({.owner = to_string(id), .purpose = "staff.totp"}, totp));
    return fresh;
}

Result<void> Staff::keep_fresh(Transaction& transaction, const Fresh& fresh) {
    const StaffId& id = fresh.shown.id;
    const auto changed = TRY(transaction.execute(
        staff_sql::kSetSecrets, {id_value(id), storage::text(fresh.hash),
                                 storage::bytes(fresh.totp_sealed), integer(fresh.must_change)}));
    if (changed == 0) {
        return no_staff();
    }
    TRY(transaction.execute(staff_sql::kEndSessions, {id_value(id)}));
    TRY(transaction.execute(staff_sql::kUnlink, {id_value(id)}));
    return keep_secrets(transaction, id, fresh.shown.recovery_codes);
}

Result<StaffSecrets> Staff::create(std::string_view name, std::uint32_t roles,
                                   std::optional<std::string_view> password) {
    TRY(check_name(name));
    TRY(check_roles(roles));
    const auto id = TRY(make_random_id<StaffId>(parts_.random));
    Fresh fresh = TRY(fresh_secrets(id, name, password));
    const storage::Batch record = TRY(internal::prepare_record(
        parts_.recorder, {.operation = "user.create",
                          .facts = {{"staff", to_string(id)}, {"roles", format_roles(roles)}},
                          .names = {{"name", std::string(name)}}}));
    const auto done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const auto inserted = TRY(transaction.execute(
            staff_sql::kInsert, {id_value(id), storage::text(name), integer(roles),
                                 storage::bytes({}), time_value(parts_.clock.now())}));
        if (inserted != 1) {
            return Error{ErrorCode::kConflict, "there is an account of that name"};
        }
        TRY(keep_fresh(transaction, fresh));
        return internal::write_record(transaction, record);
    });
    TRY(done);
    return std::move(fresh.shown);
}

Result<StaffSecrets> Staff::reset(const StaffId& staff) {
    const Rows rows = TRY(parts_.store.query(staff_sql::kById, {id_value(staff)}));
    if (rows.empty()) {
        return no_staff();
    }
    const StaffEntry entry = TRY(entry_at(rows, 0));
    Fresh fresh = TRY(fresh_secrets(staff, entry.name, std::nullopt));
    const storage::Batch record = TRY(internal::prepare_record(
        parts_.recorder,
        {.operation = "user.reset", .facts = {{"staff", to_string(staff)}}, .names = {}}));
    const auto done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(keep_fresh(transaction, fresh));
        return internal::write_record(transaction, record);
    });
    TRY(done);
    return std::move(fresh.shown);
}

Result<void> Staff::link(const StaffId& staff, const ExternalIdentity& who) {
    const storage::Batch record = TRY(internal::prepare_record(
        parts_.recorder, {.operation = "user.link",
                          .facts = {{"staff", to_string(staff)}, {"issuer", who.issuer}},
                          .names = {{"subject", who.subject}}}));
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const auto changed = TRY(transaction.execute(staff_sql::kDropPassword, {id_value(staff)}));
        if (changed != 1) {
            return no_staff();
        }
        TRY(transaction.execute(staff_sql::kEndSessions, {id_value(staff)}));
        TRY(transaction.execute(staff_sql::kDropRecovery, {id_value(staff)}));
        TRY(transaction.execute(staff_sql::kUnlink, {id_value(staff)}));
        const auto linked = TRY(transaction.execute(
            staff_sql::kLink, {storage::bytes(login_id(who)), id_value(staff)}));
        if (linked != 1) {
            return Error{ErrorCode::kConflict, "another account is linked to this person"};
        }
        return internal::write_record(transaction, record);
    });
}

Result<void> Staff::set_roles(const StaffId& staff, std::uint32_t roles) {
    TRY(check_roles(roles));
    const storage::Batch record = TRY(internal::prepare_record(
        parts_.recorder, {.operation = "user.roles",
                          .facts = {{"staff", to_string(staff)}, {"roles", format_roles(roles)}},
                          .names = {}}));
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.execute(staff_sql::kEndSessions, {id_value(staff)}));
        const auto changed =
            TRY(transaction.execute(staff_sql::kSetRoles, {id_value(staff), integer(roles)}));
        if (changed != 1) {
            return no_staff();
        }
        return internal::write_record(transaction, record);
    });
}

Result<void> Staff::set_disabled(const StaffId& staff, bool disabled) {
    const storage::Batch record = TRY(internal::prepare_record(
        parts_.recorder, {.operation = disabled ? "user.disable" : "user.enable",
                          .facts = {{"staff", to_string(staff)}},
                          .names = {}}));
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.execute(staff_sql::kEndSessions, {id_value(staff)}));
        const auto changed = TRY(transaction.execute(
            staff_sql::kSetDisabled,
            {id_value(staff), disabled ? time_value(parts_.clock.now()) : storage::null()}));
        if (changed != 1) {
            return no_staff();
        }
        return internal::write_record(transaction, record);
    });
}

Result<std::vector<StaffEntry>> Staff::list() {
    const Rows rows = TRY(parts_.store.query(staff_sql::kAll, {}));
    std::vector<StaffEntry> entries;
    entries.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        entries.push_back(TRY(entry_at(rows, row)));
    }
    return entries;
}

Result<StaffEntry> Staff::find(std::string_view name) {
    TRY(check_name(name));
    const Rows rows = TRY(parts_.store.query(staff_sql::kByName, {storage::text(name)}));
    if (rows.empty()) {
        return no_staff();
    }
    return entry_at(rows, 0);
}

}  // namespace colophon::identity
