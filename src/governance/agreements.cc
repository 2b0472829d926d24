// SPDX-License-Identifier: Apache-2.0
#include "governance/agreements.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "core/utf8.h"
#include "ledger/conduct.h"
#include "storage/batch.h"
#include "storage/migration.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::governance {
namespace {

using storage::id_value;
using storage::integer;
using storage::Rows;
using storage::Statement;
using storage::text;
using storage::time_value;
using storage::Transaction;

constexpr std::array kMigrations{storage::Migration{
    "governance", 1,
    // state: AgreementState. digest: of the signed text.
    "CREATE TABLE agreements (\n"
    "  id BYTES PRIMARY KEY,\n"
    "  tenant BYTES NOT NULL REFERENCES tenants (id),\n"
    "  subject BYTES NOT NULL REFERENCES subjects (id),\n"
    "  purpose TEXT NOT NULL,\n"
    "  document TEXT NOT NULL,\n"
    "  digest BYTES NOT NULL,\n"
    "  from_at INTEGER NOT NULL,\n"
    "  until_at INTEGER NOT NULL,\n"
    "  state INTEGER NOT NULL,\n"
    "  proposed_by TEXT NOT NULL,\n"
    "  proposed_at INTEGER NOT NULL,\n"
    "  decided_by TEXT NOT NULL DEFAULT '',\n"
    "  decided_at INTEGER,\n"
    "  revoked_by TEXT NOT NULL DEFAULT '',\n"
    "  revoked_at INTEGER,\n"
    "  reason TEXT NOT NULL DEFAULT '');\n"
    "CREATE INDEX agreements_subject ON agreements (tenant, subject, state);\n"}};

constexpr std::array<std::string_view, 4> kStates{"proposed", "granted", "refused", "revoked"};

#define COLOPHON_AGREEMENT_COLUMNS                                                      \
    "SELECT id, tenant, subject, purpose, document, digest, from_at, until_at, state,"  \
    " proposed_by, proposed_at, decided_by, decided_at, revoked_by, revoked_at, reason" \
    " FROM agreements"

constexpr Statement kFind{COLOPHON_AGREEMENT_COLUMNS " WHERE id = $1"};
constexpr Statement kList{COLOPHON_AGREEMENT_COLUMNS
                          " WHERE ($1 IS NULL OR tenant = $1) AND ($2 IS NULL OR subject = $2)"
                          " AND ($3 = 0 OR state = $3) ORDER BY proposed_at DESC, id LIMIT 10000",
                          COLOPHON_AGREEMENT_COLUMNS
                          " WHERE (CAST($1 AS BYTEA) IS NULL OR tenant = $1)"
                          " AND (CAST($2 AS BYTEA) IS NULL OR subject = $2)"
                          " AND ($3 = 0 OR state = $3) ORDER BY proposed_at DESC, id LIMIT 10000"};
constexpr Statement kCovering{
    "SELECT id, digest FROM agreements WHERE tenant = $1 AND subject = $2 AND state = 2"
    " AND from_at <= $3 AND until_at > $3 ORDER BY until_at DESC, id LIMIT 1"};
constexpr Statement kSubject{"SELECT closed_at FROM subjects WHERE id = $1 AND tenant = $2"};
constexpr Statement kInsert{
    "INSERT INTO agreements (id, tenant, subject, purpose, document, digest, from_at, until_at,"
    " state, proposed_by, proposed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, $9, $10)"};
constexpr Statement kDecide{
    "UPDATE agreements SET state = $2, decided_by = $3, decided_at = $4, reason = $5"
    " WHERE id = $1 AND state = 1"};
constexpr Statement kRevoke{
    "UPDATE agreements SET state = $2, revoked_by = $3, revoked_at = $4, reason = $5"
    " WHERE id = $1 AND state = 2"};

Error bad(std::string what) {
    return {ErrorCode::kInvalidArgument, std::move(what)};
}

bool is_line(std::string_view line, std::size_t most) {
    return !line.empty() && line.size() <= most && !find_invalid_utf8(line) &&
           std::ranges::none_of(
               line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Result<void> check_terms(const Terms& terms, Time now) {
    if (!is_line(terms.purpose, kPurposeBytesMax)) {
        return bad(fmt::format("the purpose of an agreement has 1 to {} bytes on one line",
                               kPurposeBytesMax));
    }
    if (!is_line(terms.document, kDocumentBytesMax)) {
        return bad(
            fmt::format("the name of a document has 1 to {} bytes on one line", kDocumentBytesMax));
    }
    if (terms.until <= terms.from || terms.until <= now) {
        return bad("an agreement ends after it begins, and not in the past");
    }
    if (terms.until - terms.from > kAgreementMax) {
        return bad(fmt::format("an agreement is for at most {} days", kAgreementMax.count()));
    }
    return {};
}

Result<Agreement> agreement_at(const Rows& rows, std::size_t row) {
    Agreement out;
    out.id = TRY(storage::id_at<AgreementId>(rows, row, 0));
    out.terms.tenant = TRY(storage::id_at<TenantId>(rows, row, 1));
    out.terms.subject = TRY(storage::id_at<SubjectId>(rows, row, 2));
    out.terms.purpose = TRY(rows.text(row, 3));
    out.terms.document = TRY(rows.text(row, 4));
    out.terms.digest = TRY(storage::digest_at(rows, row, 5));
    out.terms.from = TRY(storage::time_at(rows, row, 6));
    out.terms.until = TRY(storage::time_at(rows, row, 7));
    const std::int64_t state = TRY(rows.integer(row, 8));
    if (state < 1 || state > static_cast<std::int64_t>(kStates.size())) {
        return Error{ErrorCode::kCorrupt, "an agreement in the database has an unknown state"};
    }
    out.state = static_cast<AgreementState>(state);
    out.proposed_by = TRY(rows.text(row, 9));
    out.proposed = TRY(storage::time_at(rows, row, 10));
    out.decided_by = TRY(rows.text(row, 11));
    out.decided = TRY(storage::optional_time_at(rows, row, 12));
    out.revoked_by = TRY(rows.text(row, 13));
    out.revoked = TRY(storage::optional_time_at(rows, row, 14));
    out.reason = TRY(rows.text(row, 15));
    return out;
}

Result<Agreement> first_of(const Rows& rows) {
    if (rows.empty()) {
        return Error{ErrorCode::kNotFound, "there is no agreement of that id"};
    }
    return agreement_at(rows, 0);
}

json::Object facts_of(const AgreementId& id, const Terms& terms) {
    return {{"agreement", to_string(id)},          {"tenant", to_string(terms.tenant)},
            {"subject", to_string(terms.subject)}, {"document_sha256", to_hex(terms.digest)},
            {"from", format_time(terms.from)},     {"until", format_time(terms.until)}};
}

}  // namespace

std::span<const storage::Migration> agreement_migrations() {
    return kMigrations;
}

std::string_view agreement_state_name(AgreementState state) noexcept {
    return kStates[static_cast<std::size_t>(state) - 1];
}

std::optional<AgreementState> parse_agreement_state(std::string_view name) noexcept {
    const auto* found = std::ranges::find(kStates, name);
    if (found == kStates.end()) {
        return std::nullopt;
    }
    return static_cast<AgreementState>(found - kStates.begin() + 1);
}

Result<std::optional<Covering>> covering_agreement(storage::Store& store, const TenantId& tenant,
                                                   const SubjectId& subject, Time now) {
    const Rows rows =
        TRY(store.query(kCovering, {id_value(tenant), id_value(subject), time_value(now)}));
    if (rows.empty()) {
        return std::optional<Covering>();
    }
    Covering covering;
    covering.id = TRY(storage::id_at<AgreementId>(rows, 0, 0));
    covering.digest = TRY(storage::digest_at(rows, 0, 1));
    return std::optional(covering);
}

Result<Agreement> Agreements::propose(const Terms& terms, const std::string& by) {
    const Time now = clock_.now();
    TRY(check_terms(terms, now));
    const auto id = TRY(make_random_id<AgreementId>(random_));
    const storage::Batch record = TRY(
        conduct_.prepare({.operation = "agreement.propose",
                          .facts = facts_of(id, terms),
                          .names = {{"purpose", terms.purpose}, {"document", terms.document}}}));
    const auto done = store_.transact([&](Transaction& transaction) -> Result<void> {
        const Rows rows =
            TRY(transaction.query(kSubject, {id_value(terms.subject), id_value(terms.tenant)}));
        if (rows.empty()) {
            return Error{ErrorCode::kNotFound, "the tenant has no such user"};
        }
        if (!rows.is_null(0, 0)) {
            return Error{ErrorCode::kConflict, "the user's account is closed"};
        }
        TRY(transaction.execute(
            kInsert, {id_value(id), id_value(terms.tenant), id_value(terms.subject),
                      text(terms.purpose), text(terms.document), storage::bytes(terms.digest),
                      time_value(terms.from), time_value(terms.until), text(by), time_value(now)}));
        return storage::execute_batch(transaction, record);
    });
    TRY(done);
    return find(id);
}

// One step: from which state to which, and how it is recorded.
struct Agreements::Step {
    AgreementState from;
    AgreementState to;
    std::string_view operation;
    const Statement& statement;
};

Result<Agreement> Agreements::move(const Step& step, const AgreementId& id, const std::string& by,
                                   const std::string& reason) {
    if (step.to != AgreementState::kGranted && !is_line(reason, kPurposeBytesMax)) {
        return bad(fmt::format("give a reason of 1 to {} bytes on one line", kPurposeBytesMax));
    }
    const Agreement before = TRY(find(id));
    const Time now = clock_.now();
    if (before.state != step.from) {
        return Error{ErrorCode::kConflict,
                     fmt::format("this agreement is {}", agreement_state_name(before.state))};
    }
    if (step.to == AgreementState::kGranted && before.proposed_by == by) {
        return Error{ErrorCode::kDenied, "what one person proposed another one grants"};
    }
    if (step.to == AgreementState::kGranted && before.terms.until <= now) {
        return Error{ErrorCode::kConflict, "this agreement is over already"};
    }
    json::Object names;
    if (!reason.empty()) {
        names.emplace_back("reason", reason);
    }
    const storage::Batch record = TRY(conduct_.prepare({.operation = std::string(step.operation),
                                                        .facts = facts_of(id, before.terms),
                                                        .names = std::move(names)}));
    const auto done = store_.transact([&](Transaction& transaction) -> Result<void> {
        const std::int64_t changed = TRY(transaction.execute(
            step.statement, {id_value(id), integer(static_cast<std::int64_t>(step.to)), text(by),
                             time_value(now), text(reason)}));
        if (changed != 1) {
            return Error{ErrorCode::kConflict, "this agreement was decided meanwhile"};
        }
        return storage::execute_batch(transaction, record);
    });
    TRY(done);
    return find(id);
}

Result<Agreement> Agreements::grant(const AgreementId& id, const std::string& by) {
    return move({AgreementState::kProposed, AgreementState::kGranted, "agreement.grant", kDecide},
                id, by, {});
}

Result<Agreement> Agreements::refuse(const AgreementId& id, const std::string& by,
                                     const std::string& reason) {
    return move({AgreementState::kProposed, AgreementState::kRefused, "agreement.refuse", kDecide},
                id, by, reason);
}

Result<Agreement> Agreements::revoke(const AgreementId& id, const std::string& by,
                                     const std::string& reason) {
    return move({AgreementState::kGranted, AgreementState::kRevoked, "agreement.revoke", kRevoke},
                id, by, reason);
}

Result<std::vector<Agreement>> Agreements::list(const AgreementQuery& query) {
    const Rows rows = TRY(
        store_.query(kList, {query.tenant ? id_value(*query.tenant) : storage::null(),
                             query.subject ? id_value(*query.subject) : storage::null(),
                             integer(query.state ? static_cast<std::int64_t>(*query.state) : 0)}));
    std::vector<Agreement> all;
    all.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        all.push_back(TRY(agreement_at(rows, row)));
    }
    return all;
}

Result<Agreement> Agreements::find(const AgreementId& id) {
    return first_of(TRY(store_.query(kFind, {id_value(id)})));
}

}  // namespace colophon::governance
