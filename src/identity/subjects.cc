// SPDX-License-Identifier: Apache-2.0
#include "identity/subjects.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/result.h"
#include "identity/caches.h"
#include "identity/calendar.h"
#include "identity/codes.h"
#include "identity/internal/recorded.h"
#include "identity/internal/subject_sql.h"
#include "identity/mobile_number.h"
#include "identity/resident_id.h"
#include "identity/verification.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <chrono>
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
using storage::optional_time_at;
using storage::Rows;
using storage::time_value;
using storage::Transaction;

constexpr std::size_t kReferenceBytesMax = 256;
constexpr std::size_t kIndexBytes = 16;  // as blind_index() makes them

// Births are kept as "1990-02-28", for organisations nothing.
Result<std::chrono::year_month_day> parse_day(std::string_view text) {
    const Time time = TRY(parse_time(std::string(text) + "T00:00:00Z"));
    return std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(time));
}

// What may be shown of a value to whoever sees a standing.
std::string shown(Means means, std::string_view value) {
    switch (means) {
        case Means::kMobile:
            return masked_mobile_number(value);
        case Means::kResidentId:
            return masked_resident_id(value);
        case Means::kCreditCode:
            return std::string(value);  // codes of organisations are public
        case Means::kNetworkIdentity:
            return {};
    }
    return {};
}

AgeClass class_of(int years) noexcept {
    if (years <= kGuardianAgeMax) {
        return AgeClass::kUnder14;
    }
    return years <= kMinorAgeMax ? AgeClass::kMinor : AgeClass::kAdult;
}

}  // namespace

std::string_view state_name(VerificationState state) noexcept {
    switch (state) {
        case VerificationState::kUnverified:
            return "unverified";
        case VerificationState::kPending:
            return "pending";
        case VerificationState::kVerified:
            return "verified";
        case VerificationState::kMismatch:
            return "mismatch";
        case VerificationState::kNoRecord:
            return "no_record";
        case VerificationState::kInvalid:
            return "invalid";
        case VerificationState::kExpired:
            return "expired";
    }
    return "";
}

Result<SubjectId> Subjects::enrol(const TenantId& tenant, std::string_view reference,
                                  SubjectKind kind) {
    if (reference.empty() || reference.size() > kReferenceBytesMax) {
        return Error{ErrorCode::kInvalidArgument, "the name of a subject has 1 to 256 bytes"};
    }
    if (const auto known = TRY(find(tenant, reference))) {
        return *known;
    }
    const auto id = TRY(make_random_id<SubjectId>(parts_.random));
    const Buffer index = blind_index(keys_.index, "subjects.reference", reference);
    const storage::Batch record = TRY(internal::prepare_record(
        parts_.recorder, {.operation = "subject.add",
                          .facts = {{"tenant", to_string(tenant)}, {"subject", to_string(id)}},
                          .names = {}}));
    const auto done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const auto inserted = TRY(transaction.execute(
            sql::kInsertSubject, {id_value(id), id_value(tenant), storage::bytes(index),
                                  storage::integer(kind == SubjectKind::kPerson ? 0 : 1),
                                  time_value(parts_.clock.now())}));
        return inserted == 1 ? internal::write_record(transaction, record) : Result<void>();
    });
    TRY(done);
    // Another call may have been quicker: the one that is there counts.
    const auto kept = TRY(find(tenant, reference));
    return kept ? Result<SubjectId>(*kept) : Error{ErrorCode::kNotFound, "there is no such tenant"};
}

Result<std::optional<SubjectId>> Subjects::find(const TenantId& tenant,
                                                std::string_view reference) {
    const Buffer index = blind_index(keys_.index, "subjects.reference", reference);
    const Rows rows =
        TRY(parts_.store.query(sql::kFindSubject, {id_value(tenant), storage::bytes(index)}));
    if (rows.empty()) {
        return std::optional<SubjectId>();
    }
    return std::optional(TRY(id_at<SubjectId>(rows, 0, 0)));
}

// The age of today, from the sealed day of birth: a minor grows up without anybody's doing.
Result<AgeClass> Subjects::age_of(const Rows& subject) {
    if (subject.is_null(0, sql::kBirth)) {
        return AgeClass::kUnknown;
    }
    const auto id = TRY(id_at<SubjectId>(subject, 0, sql::kId));
    const Bytes sealed = TRY(subject.bytes(0, sql::kBirth));
    const Buffer day =
        TRY(parts_.sealer.open({.owner = to_string(id), .purpose = "subjects.birth"}, sealed));
    const auto birth = TRY(parse_day(as_text(day)));
    return class_of(age_in_years(birth, china_date(parts_.clock.now())));
}

Result<Standing> Subjects::standing(const TenantId& tenant, const SubjectId& subject) {
    const Time now = parts_.clock.now();
    const Rows rows = TRY(parts_.store.query(sql::kSubject, {id_value(subject), id_value(tenant)}));
    if (rows.empty()) {
        return internal::no_subject();
    }
    Standing standing;
    standing.kind =
        TRY(rows.integer(0, sql::kKind)) == 0 ? SubjectKind::kPerson : SubjectKind::kOrganisation;
    standing.closed = !rows.is_null(0, sql::kClosed);
    standing.age = TRY(age_of(rows));
    const Rows checks = TRY(parts_.store.query(sql::kVerifications, {id_value(subject)}));
    for (std::size_t row = 0; row < checks.size(); ++row) {
        VerificationEntry entry;
        entry.means = static_cast<Means>(TRY(checks.integer(row, 0)));
        entry.state = static_cast<VerificationState>(TRY(checks.integer(row, 1)));
        entry.checked = TRY(optional_time_at(checks, row, 2));
        entry.expires = TRY(optional_time_at(checks, row, 3));
        entry.provider = TRY(checks.text(row, 4));
        entry.assurance = TRY(checks.text(row, 5));
        if (entry.state == VerificationState::kVerified && entry.expires && now >= *entry.expires) {
            entry.state = VerificationState::kExpired;
        }
        const auto asked = TRY(optional_time_at(checks, row, 7));
        if (entry.state == VerificationState::kPending && asked && now >= *asked + kPendingMax) {
            entry.state = VerificationState::kUnverified;  // nobody answers any more
        }
        const Bytes sealed = TRY(checks.bytes(row, 6));
        const Buffer value = TRY(parts_.sealer.open(
            {.owner = to_string(subject), .purpose = "verifications.value"}, sealed));
        entry.shown = shown(entry.means, as_text(value));
        standing.verified |= entry.state == VerificationState::kVerified && !standing.closed;
        standing.verifications.push_back(std::move(entry));
    }
    if (standing.age == AgeClass::kUnder14) {
        standing.needs_guardian = true;
        if (!rows.is_null(0, sql::kGuardian)) {
            const auto guardian = TRY(id_at<SubjectId>(rows, 0, sql::kGuardian));
            // A guardian of whom nothing is known any more is none.
            const auto theirs = this->standing(tenant, guardian);
            standing.needs_guardian =
                !theirs.ok() || !theirs->verified || theirs->age != AgeClass::kAdult;
        }
    }
    return standing;
}

Result<std::vector<SubjectId>> Subjects::twins(const TenantId& tenant, const SubjectId& subject) {
    const Rows rows = TRY(parts_.store.query(
        sql::kTwins, {id_value(subject), id_value(tenant),
                      storage::integer(static_cast<std::int64_t>(VerificationState::kVerified))}));
    std::vector<SubjectId> twins;
    twins.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        twins.push_back(TRY(id_at<SubjectId>(rows, row, 0)));
    }
    return twins;
}

Result<void> Subjects::set_guardian(const TenantId& tenant, const SubjectId& subject,
                                    const SubjectId& guardian) {
    const Standing theirs = TRY(standing(tenant, guardian));
    if (subject == guardian || !theirs.verified || theirs.age != AgeClass::kAdult) {
        return Error{ErrorCode::kInvalidArgument, "a guardian is a verified adult"};
    }
    const storage::Batch record =
        TRY(internal::prepare_record(parts_.recorder, {.operation = "subject.guardian",
                                                       .facts = {{"tenant", to_string(tenant)},
                                                                 {"subject", to_string(subject)},
                                                                 {"guardian", to_string(guardian)}},
                                                       .names = {}}));
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const auto changed = TRY(transaction.execute(
            sql::kSetGuardian, {id_value(subject), id_value(tenant), id_value(guardian)}));
        if (changed != 1) {
            return internal::no_subject();
        }
        transaction.notify({.channel = kSubjectsChanged, .payload = {}});
        return internal::write_record(transaction, record);
    });
}

Result<void> Subjects::close(const TenantId& tenant, const SubjectId& subject) {
    const storage::Batch record = TRY(internal::prepare_record(
        parts_.recorder, {.operation = "subject.close",
                          .facts = {{"tenant", to_string(tenant)}, {"subject", to_string(subject)}},
                          .names = {}}));
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const auto changed = TRY(transaction.execute(
            sql::kClose, {id_value(subject), id_value(tenant), time_value(parts_.clock.now())}));
        if (changed != 1) {
            return internal::no_subject();
        }
        transaction.notify({.channel = kSubjectsChanged, .payload = {}});
        return internal::write_record(transaction, record);
    });
}

Result<void> Subjects::erase(const TenantId& tenant, const SubjectId& subject) {
    Buffer nobody(kIndexBytes);
    TRY(parts_.random.fill(nobody));
    const storage::Batch record = TRY(internal::prepare_record(
        parts_.recorder, {.operation = "subject.erase",
                          .facts = {{"tenant", to_string(tenant)}, {"subject", to_string(subject)}},
                          .names = {}}));
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const auto changed = TRY(transaction.execute(
            sql::kErase, {id_value(subject), id_value(tenant), time_value(parts_.clock.now()),
                          storage::bytes(nobody)}));
        if (changed != 1) {
            return internal::no_subject();
        }
        for (const auto& statement :
             {sql::kEraseOrders, sql::kEraseVerifications, sql::kEraseAttempts, sql::kEraseCodes}) {
            TRY(transaction.execute(statement, {id_value(subject)}));
        }
        transaction.notify({.channel = kSubjectsChanged, .payload = {}});
        return internal::write_record(transaction, record);
    });
}

Result<std::vector<Subjects::Listed>> Subjects::list(const TenantId& tenant,
                                                     const std::optional<SubjectId>& after) {
    static_assert(kSubjectPageMax == 1000);
    const Rows rows = TRY(parts_.store.query(
        sql::kList, {id_value(tenant), after ? id_value(*after) : storage::bytes({})}));
    std::vector<Listed> subjects;
    subjects.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Listed listed;
        listed.id = TRY(id_at<SubjectId>(rows, row, 0));
        listed.kind =
            TRY(rows.integer(row, 1)) == 0 ? SubjectKind::kPerson : SubjectKind::kOrganisation;
        listed.closed = !rows.is_null(row, 2);
        listed.created = TRY(storage::time_at(rows, row, 3));
        subjects.push_back(listed);
    }
    return subjects;
}

}  // namespace colophon::identity
