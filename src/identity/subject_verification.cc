// SPDX-License-Identifier: Apache-2.0
// How a subject becomes verified [DSP-9]:
//
//   one transaction   the account is open, the caps are kept, the ask stands as pending
//   no transaction    the provider is asked, for seconds
//   one transaction   the answer is kept, if the account is still open and the ask still ours
//
// Two asks at once therefore never both reach the provider under one key, and an account that was
// closed meanwhile stays unverified.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "identity/caches.h"
#include "identity/calendar.h"
#include "identity/codes.h"
#include "identity/internal/recorded.h"
#include "identity/internal/subject_sql.h"
#include "identity/limits.h"
#include "identity/mobile_number.h"
#include "identity/person_name.h"
#include "identity/provider.h"
#include "identity/resident_id.h"
#include "identity/social_credit_code.h"
#include "identity/subjects.h"
#include "identity/verification.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <algorithm>
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

using storage::id_value;
using storage::integer;
using storage::Rows;
using storage::Snapshot;
using storage::time_value;
using storage::Transaction;

constexpr std::chrono::hours kDay{24};
constexpr std::size_t kKeyCharsMax = 64;
constexpr std::size_t kTokenBytesMax = 4'096;
constexpr std::string_view kCodeProvider = "one-time-code";

std::int64_t number_of(VerificationState state) noexcept {
    return static_cast<std::int64_t>(state);
}

VerificationState state_of(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::kMatch:
            return VerificationState::kVerified;
        case Outcome::kMismatch:
            return VerificationState::kMismatch;
        case Outcome::kNoRecord:
            return VerificationState::kNoRecord;
        case Outcome::kInvalidInput:
            return VerificationState::kInvalid;
        case Outcome::kPending:
            return VerificationState::kPending;
        case Outcome::kProviderBusy:
        case Outcome::kProviderError:
        case Outcome::kTimeout:
            return VerificationState::kUnverified;
    }
    return VerificationState::kUnverified;
}

// The name of the field in templates, which is also the column of the blind index.
std::string_view field_of(Means means) noexcept {
    switch (means) {
        case Means::kMobile:
            return "mobile";
        case Means::kResidentId:
            return "number";
        case Means::kCreditCode:
            return "code";
        case Means::kNetworkIdentity:
            return "token";
    }
    return "";
}

Result<void> check_key(std::string_view key) {
    const bool plain = std::ranges::all_of(key, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '-' || c == '_';
    });
    if (key.empty() || key.size() > kKeyCharsMax || !plain) {
        return Error{ErrorCode::kInvalidArgument,
                     "an idempotency key has 1 to 64 of A-Z, a-z, 0-9, - and _"};
    }
    return {};
}

Error overtaken() {
    return Error{ErrorCode::kConflict,
                 "the account was closed or asked anew while it was being verified"};
}

Error no_order() {
    return Error{ErrorCode::kNotFound, "there is no such order that waits for an answer"};
}

Error code_refused() {
    return Error{ErrorCode::kDenied, "the code is wrong, too old or was tried too often"};
}

}  // namespace

struct Subjects::Normalised {
    std::string name;
    std::string number;
    std::optional<std::chrono::year_month_day> birth;
};

struct Subjects::Ask {
    TenantId tenant;
    SubjectId subject;
    Means means = Means::kResidentId;
    std::string idempotency_key;
    std::string consent;
    Normalised values;
    Buffer index;
    Buffer sealed;          // the number
    bool counts = true;     // against the caps of a day
    std::string order;      // by which the provider may speak of it later
    bool by_order = false;  // and did
};

Result<Subjects::Normalised> Subjects::normalise(const Claim& claim) const {
    Normalised values;
    switch (claim.means) {
        case Means::kMobile:
            values.number = TRY(parse_mobile_number(claim.number));
            break;
        case Means::kResidentId: {
            ResidentId id = TRY(parse_resident_id(claim.number, china_date(parts_.clock.now())));
            values.number = std::move(id.number);
            values.birth = id.birth;
            break;
        }
        case Means::kCreditCode:
            values.number = TRY(parse_social_credit_code(claim.number)).code;
            break;
        case Means::kNetworkIdentity:
            if (claim.number.empty() || claim.number.size() > kTokenBytesMax) {
                return Error{ErrorCode::kInvalidArgument,
                             "a token of the network identity service has 1 to 4096 bytes"};
            }
            values.number = claim.number;
            break;
    }
    if (claim.means == Means::kCreditCode) {
        // Names of companies have digits and brackets; providers compare them as they are.
        values.name = claim.name.substr(0, kNameBytesMax);
    } else if (!claim.name.empty() || claim.means == Means::kResidentId) {
        values.name = TRY(normalise_person_name(claim.name));
    }
    return values;
}

Result<void> Subjects::check_caps(Snapshot& snapshot, const Ask& ask) {
    const auto since = time_value(parts_.clock.now() - kDay);
    const Rows by_subject =
        TRY(snapshot.query(sql::kSubjectAttempts, {id_value(ask.subject), since}));
    const Rows by_value =
        TRY(snapshot.query(sql::kValueAttempts, {storage::bytes(ask.index), since}));
    const std::int64_t subject_count = TRY(by_subject.integer(0, 0));
    const std::int64_t value_count = TRY(by_value.integer(0, 0));
    if (subject_count >= policy_.asks_per_subject_a_day ||
        value_count >= policy_.asks_per_value_a_day) {
        return Error{ErrorCode::kLimit,
                     "this account or this number was verified too often today; try tomorrow"};
    }
    return {};
}

Result<void> Subjects::check_twins(Snapshot& snapshot, const Ask& ask) {
    const Rows rows = TRY(snapshot.query(
        sql::kCountTwins, {integer(static_cast<std::int64_t>(ask.means)), storage::bytes(ask.index),
                           id_value(ask.subject), id_value(ask.tenant)}));
    const std::int64_t others = TRY(rows.integer(0, 0));
    if (others >= policy_.accounts_per_identity_max) {
        return Error{ErrorCode::kConflict, "this number already has as many accounts as allowed"};
    }
    return {};
}

// The state when this key was asked before; nothing when the ask now stands as pending.
Result<std::optional<VerificationState>> Subjects::begin(Transaction& transaction, const Ask& ask) {
    const Time now = parts_.clock.now();
    const Rows subject =
        TRY(transaction.query(sql::kSubject, {id_value(ask.subject), id_value(ask.tenant)}));
    if (subject.empty()) {
        return internal::no_subject();
    }
    if (!subject.is_null(0, sql::kClosed)) {
        return Error{ErrorCode::kConflict, "the account is closed"};
    }
    const bool organisation = TRY(subject.integer(0, sql::kKind)) == 1;
    if (organisation != (ask.means == Means::kCreditCode)) {
        return Error{ErrorCode::kConflict,
                     "organisations are verified by their credit code, persons by other means"};
    }
    const auto means = integer(static_cast<std::int64_t>(ask.means));
    const Rows last = TRY(transaction.query(sql::kLastAsk, {id_value(ask.subject), means}));
    if (!last.empty()) {
        const auto state = static_cast<VerificationState>(TRY(last.integer(0, 0)));
        const bool same = TRY(last.text(0, 1)) == ask.idempotency_key;
        const bool pending = !TRY(last.text(0, 2)).empty();
        const Time asked = TRY(storage::time_at(last, 0, 3));
        if (pending && now < asked + kPendingMax) {
            return Error{ErrorCode::kConflict, "the account is being verified; ask again shortly"};
        }
        if (same && state != VerificationState::kPending &&
            state != VerificationState::kUnverified) {
            return std::optional(state);
        }
    }
    TRY(check_twins(transaction, ask));
    if (ask.counts) {
        TRY(transaction.execute(sql::kForgetAttempts, {time_value(now - kDay)}));
        TRY(check_caps(transaction, ask));
        TRY(transaction.execute(sql::kAddAttempt,
                                {id_value(ask.subject), storage::bytes(ask.index),
                                 storage::text(ask.idempotency_key), time_value(now)}));
    }
    TRY(transaction.execute(sql::kEndOrders, {id_value(ask.subject), means}));
    TRY(transaction.execute(sql::kBeginAsk, {id_value(ask.subject), means,
                                             storage::bytes(ask.index), storage::bytes(ask.sealed),
                                             storage::text(ask.idempotency_key), time_value(now)}));
    return std::optional<VerificationState>();
}

Result<Buffer> Subjects::sealed_number(const Ask& ask) {
    return parts_.sealer.seal({.owner = to_string(ask.subject), .purpose = "verifications.value"},
                              as_bytes(ask.values.number));
}

Result<void> Subjects::keep_birth(Transaction& transaction, const Ask& ask) {
    const std::chrono::sys_days day(*ask.values.birth);
    const std::string text = format_time(Time(day)).substr(0, 10);
    const Buffer sealed = TRY(parts_.sealer.seal(
        {.owner = to_string(ask.subject), .purpose = "subjects.birth"}, as_bytes(text)));
    TRY(transaction.execute(sql::kKeepBirth, {id_value(ask.subject), storage::bytes(sealed)}));
    return {};
}

Result<storage::Batch> Subjects::prepare_record(const Ask& ask, std::string_view operation,
                                                std::string_view state,
                                                const VerificationAnswer* answer) {
    if (!parts_.verifications) {
        return storage::Batch{};
    }
    return parts_.verifications({.operation = operation,
                                 .tenant = ask.tenant,
                                 .subject = ask.subject,
                                 .means = ask.means,
                                 .state = state,
                                 .answer = answer});
}

Result<void> Subjects::keep_answer(Transaction& transaction, const Ask& ask,
                                   const VerificationAnswer& answer) {
    const VerificationState state = state_of(answer.outcome);
    const bool verified = state == VerificationState::kVerified;
    const storage::Value expires =
        verified ? time_value(answer.checked_at + policy_.verified_for) : storage::null();
    const auto means = integer(static_cast<std::int64_t>(ask.means));
    const auto key = storage::text(ask.idempotency_key);
    const Rows standing =
        TRY(transaction.query(sql::kVerifiedValue, {id_value(ask.subject), means}));
    bool about_another = false;
    if (!verified && !standing.empty()) {
        // That another number is not his does not undo that this one is.
        const Bytes index = TRY(standing.bytes(0, 0));
        about_another = to_buffer(index) != ask.index;
    }
    std::int64_t kept = 0;
    if (!is_judgement(answer.outcome) || about_another) {
        kept = TRY(transaction.execute(sql::kDropAsk, {id_value(ask.subject), means, key}));
    } else {
        kept = TRY(transaction.execute(
            sql::kKeepAnswer,
            {id_value(ask.subject), means, key, integer(number_of(state)),
             time_value(answer.checked_at), expires, storage::text(answer.provider),
             storage::text(answer.provider_reference), storage::text(answer.provider_code),
             storage::text(answer.assurance), storage::bytes(answer.reply_salt),
             storage::bytes(answer.reply_commitment), storage::bytes(ask.index),
             storage::bytes(ask.sealed), storage::text(ask.consent)}));
    }
    if (kept == 0) {
        return overtaken();
    }
    if (!is_judgement(answer.outcome)) {
        TRY(transaction.execute(sql::kDropAttempt, {id_value(ask.subject), key}));
    }
    transaction.notify({.channel = kSubjectsChanged, .payload = {}});
    return verified && ask.values.birth ? keep_birth(transaction, ask) : Result<void>();
}

// The ask goes on: nobody else is asked about it until the order is answered or too old.
Result<void> Subjects::keep_order(Transaction& transaction, const Ask& ask,
                                  const VerificationAnswer& answer) {
    const auto means = integer(static_cast<std::int64_t>(ask.means));
    const auto key = storage::text(ask.idempotency_key);
    const Time expires = answer.checked_at + answer.wait;
    const std::int64_t kept = TRY(transaction.execute(
        sql::kKeepWaiting, {id_value(ask.subject), means, key, time_value(expires - kPendingMax)}));
    if (kept == 0) {
        return overtaken();
    }
    TRY(transaction.execute(
        sql::kAddOrder,
        {storage::text(ask.order), storage::text(answer.provider), id_value(ask.tenant),
         id_value(ask.subject), means, key, storage::bytes(ask.index), storage::bytes(ask.sealed),
         storage::text(ask.consent), time_value(expires)}));
    transaction.notify({.channel = kSubjectsChanged, .payload = {}});
    return {};
}

// Each order ends once, whoever says it again.
Result<void> Subjects::end_order(Transaction& transaction, const Ask& ask) {
    const std::int64_t ended = TRY(transaction.execute(sql::kEndOrder, {storage::text(ask.order)}));
    return ended == 1 ? Result<void>() : Result<void>(no_order());
}

Result<VerificationState> Subjects::finish(const Ask& ask, const VerificationAnswer& answer) {
    const VerificationState state = state_of(answer.outcome);
    const storage::Batch record =
        TRY(prepare_record(ask, "subject.verify", state_name(state), &answer));
    const auto done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        if (answer.outcome == Outcome::kPending) {
            TRY(keep_order(transaction, ask, answer));
        } else {
            TRY(keep_answer(transaction, ask, answer));
        }
        if (ask.by_order) {
            TRY(end_order(transaction, ask));
        }
        return internal::write_record(transaction, record);
    });
    if (!done.ok() && done.error().code == ErrorCode::kConflict) {
        // The provider was asked, and may send a bill, whether or not its answer still counts.
        storage::Batch discarded = TRY(prepare_record(ask, "subject.verify", "discarded", &answer));
        TRY(parts_.store.apply(std::move(discarded)));
    }
    TRY(done);
    return state;
}

Result<VerificationState> Subjects::verify(const TenantId& tenant, const SubjectId& subject,
                                           const Claim& claim, Provider& provider) {
    return verify(tenant, subject, claim, [&provider](const VerificationRequest& request) {
        return provider.verify(request);
    });
}

Result<VerificationState> Subjects::verify(const TenantId& tenant, const SubjectId& subject,
                                           const Claim& claim, const AskProvider& provider) {
    TRY(check_key(claim.idempotency_key));
    Ask ask;
    ask.tenant = tenant;
    ask.subject = subject;
    ask.means = claim.means;
    ask.idempotency_key = claim.idempotency_key;
    ask.consent = claim.consent_reference.substr(0, kNameBytesMax);
    ask.values = TRY(normalise(claim));
    ask.index = blind_index(keys_.index, field_of(claim.means), ask.values.number);
    ask.sealed = TRY(sealed_number(ask));
    std::optional<VerificationState> known;
    const auto begun = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        known = TRY(begin(transaction, ask));
        return {};
    });
    TRY(begun);
    if (known) {
        return *known;
    }
    VerificationRequest request;
    request.means = claim.means;
    request.fields = {{"name", ask.values.name},
                      {std::string(field_of(claim.means)), ask.values.number}};
    request.consent_reference = ask.consent;
    request.idempotency_key = ask.idempotency_key;
    // Of this ask alone: a key may be used again after a provider that was busy, and what was said
    // of the first ask must not answer the second.
    ask.order = to_hex(TRY(make_random_id<RandomId<struct OrderTag>>(parts_.random)).bytes);
    request.order = ask.order;
    return finish(ask, provider(request));
}

Result<Subjects::Ask> Subjects::ask_of(std::string_view order, std::string_view provider) {
    const Rows rows = TRY(parts_.store.query(sql::kOrder, {storage::text(order)}));
    if (rows.empty() || TRY(rows.text(0, 0)) != provider) {
        return no_order();
    }
    if (parts_.clock.now() >= TRY(storage::time_at(rows, 0, 8))) {
        return no_order();
    }
    Ask ask;
    ask.tenant = TRY(storage::id_at<TenantId>(rows, 0, 1));
    ask.subject = TRY(storage::id_at<SubjectId>(rows, 0, 2));
    ask.means = static_cast<Means>(TRY(rows.integer(0, 3)));
    ask.idempotency_key = TRY(rows.text(0, 4));
    ask.index = to_buffer(TRY(rows.bytes(0, 5)));
    ask.sealed = to_buffer(TRY(rows.bytes(0, 6)));
    ask.consent = TRY(rows.text(0, 7));
    ask.order = order;
    ask.by_order = true;
    if (ask.means == Means::kResidentId) {
        const Buffer number = TRY(parts_.sealer.open(
            {.owner = to_string(ask.subject), .purpose = "verifications.value"}, ask.sealed));
        ask.values.birth =
            TRY(parse_resident_id(as_text(number), china_date(parts_.clock.now()))).birth;
    }
    return ask;
}

// [DSP-9]
Result<VerificationState> Subjects::take_callback(std::string_view order,
                                                  const VerificationAnswer& answer) {
    const Ask ask = TRY(ask_of(order, answer.provider));
    if (answer.outcome == Outcome::kPending) {
        return VerificationState::kPending;  // still on its way
    }
    return finish(ask, answer);
}

Result<std::string> Subjects::begin_mobile(const TenantId& tenant, const SubjectId& subject,
                                           std::string_view number) {
    const std::string mobile = TRY(parse_mobile_number(number));
    const Time now = parts_.clock.now();
    Ask ask;
    ask.tenant = tenant;
    ask.subject = subject;
    ask.means = Means::kMobile;
    ask.index = blind_index(keys_.index, field_of(Means::kMobile), mobile);
    const auto made =
        TRY(make_one_time_code(keys_.codes, to_string(subject) + mobile, now, parts_.random));
    const storage::Batch record = TRY(prepare_record(ask, "subject.code", "made", nullptr));
    const auto done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const Rows rows =
            TRY(transaction.query(sql::kSubject, {id_value(subject), id_value(tenant)}));
        if (rows.empty()) {
            return internal::no_subject();
        }
        const bool organisation = TRY(rows.integer(0, sql::kKind)) == 1;
        if (!rows.is_null(0, sql::kClosed) || organisation) {
            return Error{ErrorCode::kConflict, "the account is closed, or an organisation's"};
        }
        TRY(transaction.execute(sql::kForgetAttempts, {time_value(now - kDay)}));
        TRY(check_caps(transaction, ask));
        TRY(check_twins(transaction, ask));
        TRY(transaction.execute(sql::kAddAttempt, {id_value(subject), storage::bytes(ask.index),
                                                   storage::text("code"), time_value(now)}));
        TRY(transaction.execute(
            sql::kPutCode,
            {id_value(subject), storage::bytes(ask.index), storage::bytes(made.kept.digest),
             time_value(made.kept.expires), integer(made.kept.attempts_left)}));
        return internal::write_record(transaction, record);
    });
    TRY(done);
    return made.code;
}

Result<VerificationState> Subjects::confirm_mobile(const TenantId& tenant, const SubjectId& subject,
                                                   std::string_view number, std::string_view code) {
    Ask ask;
    ask.tenant = tenant;
    ask.subject = subject;
    ask.means = Means::kMobile;
    ask.counts = false;  // it counted when the code was sent
    ask.values.number = TRY(parse_mobile_number(number));
    ask.index = blind_index(keys_.index, field_of(Means::kMobile), ask.values.number);
    ask.sealed = TRY(sealed_number(ask));
    ask.idempotency_key = to_hex(TRY(make_random_id<RandomId<struct AskTag>>(parts_.random)).bytes);
    const Time now = parts_.clock.now();
    // The attempt is spent and kept before anything is answered, right or wrong.
    const storage::Batch refused = TRY(prepare_record(ask, "subject.code", "refused", nullptr));
    CodeVerdict verdict = CodeVerdict::kWrong;
    const auto spent = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const Rows rows =
            TRY(transaction.query(sql::kCode, {id_value(subject), storage::bytes(ask.index)}));
        if (rows.empty()) {
            verdict = CodeVerdict::kWrong;
            return {};
        }
        OneTimeCode kept;
        kept.digest = TRY(storage::digest_at(rows, 0, 0));
        kept.expires = TRY(storage::time_at(rows, 0, 1));
        kept.attempts_left = static_cast<int>(TRY(rows.integer(0, 2)));
        verdict =
            try_one_time_code(kept, keys_.codes, to_string(subject) + ask.values.number, code, now);
        TRY(transaction.execute(sql::kSpendCode, {id_value(subject), storage::bytes(ask.index),
                                                  integer(kept.attempts_left)}));
        return verdict == CodeVerdict::kRight ? Result<void>()
                                              : internal::write_record(transaction, refused);
    });
    TRY(spent);
    if (verdict != CodeVerdict::kRight) {
        return code_refused();
    }
    const auto begun = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(begin(transaction, ask));
        return {};
    });
    TRY(begun);
    VerificationAnswer answer;
    answer.outcome = Outcome::kMatch;
    answer.provider = kCodeProvider;
    answer.assurance = "holds the number";
    answer.checked_at = now;
    return finish(ask, answer);
}

}  // namespace colophon::identity
