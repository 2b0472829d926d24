// SPDX-License-Identifier: Apache-2.0
// Signing in, and what a session is worth. The order of things keeps who tries from learning
// anything: whoever has to wait is told so before his password is looked at; then the same work is
// done for names that exist and names that do not; then one message says that it was not right.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "identity/codes.h"
#include "identity/external_identity.h"
#include "identity/internal/staff_sql.h"
#include "identity/password.h"
#include "identity/staff.h"
#include "identity/throttle.h"
#include "identity/totp.h"
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

namespace colophon::identity {
namespace {

using storage::id_at;
using storage::id_value;
using storage::integer;
using storage::Rows;
using storage::Snapshot;
using storage::time_at;
using storage::time_value;
using storage::Transaction;

constexpr std::chrono::seconds kSeenEvery{30};
constexpr std::size_t kPasswordBytesMax = 1'024;
constexpr std::size_t kTotpDigits = 6;

Error refused() {
    return Error{ErrorCode::kDenied, "name, password or second factor is wrong"};
}

Error no_session() {
    return Error{ErrorCode::kDenied, "the session has ended; sign in again"};
}

Result<Throttle> throttle_at(Snapshot& snapshot, const Buffer& id) {
    const Rows rows = TRY(snapshot.query(staff_sql::kThrottle, {storage::bytes(id)}));
    Throttle throttle;
    if (!rows.empty()) {
        throttle.failures = TRY(rows.integer(0, 0));
        throttle.last_failure = TRY(time_at(rows, 0, 1));
    }
    return throttle;
}

bool looks_like_totp(std::string_view second) {
    return std::ranges::count_if(second, [](char c) { return c != ' '; }) ==
           static_cast<std::ptrdiff_t>(kTotpDigits);
}

}  // namespace

// The table of waits names nobody: keyed digests of account and address.
Buffer Staff::throttle_id(std::string_view account, std::string_view address) const {
    return blind_index(throttle_key_, "sign_in_throttles",
                       std::string(account.substr(0, 64)) + "\n" + throttled_address(address));
}

Result<void> Staff::let_pass(const SignIn& attempt) {
    const Time now = parts_.clock.now();
    const Buffer pair = throttle_id(attempt.name, attempt.address);
    const Buffer address = throttle_id("", attempt.address);
    return parts_.store.snapshot([&](Snapshot& snapshot) -> Result<void> {
        const Throttle by_pair = TRY(throttle_at(snapshot, pair));
        const Throttle by_address = TRY(throttle_at(snapshot, address));
        if (next_attempt(by_pair, kPairThrottle, now) > now ||
            next_attempt(by_address, kAddressThrottle, now) > now) {
            return Error{ErrorCode::kLimit,
                         "too many failed attempts from here; wait and try again"};
        }
        return {};
    });
}

Result<void> Staff::count_failure(const SignIn& attempt) {
    const Time now = parts_.clock.now();
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.execute(staff_sql::kForgetThrottles,
                                {time_value(now - kPairThrottle.forgotten)}));
        for (const auto& [account, policy] :
             {std::pair<std::string_view, const ThrottlePolicy*>(attempt.name, &kPairThrottle),
              std::pair<std::string_view, const ThrottlePolicy*>("", &kAddressThrottle)}) {
            const Buffer id = throttle_id(account, attempt.address);
            const Throttle before = TRY(throttle_at(transaction, id));
            const Throttle after = after_failure(before, *policy, now);
            TRY(transaction.execute(
                staff_sql::kPutThrottle,
                {storage::bytes(id), integer(after.failures), time_value(now)}));
        }
        return {};
    });
}

Result<void> Staff::forget_failures(const SignIn& attempt) {
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.execute(staff_sql::kDropThrottle,
                                {storage::bytes(throttle_id(attempt.name, attempt.address))}));
        return {};
    });
}

// One factor of many looks: a code of the authenticator, or a recovery code, used up here.
Result<bool> Staff::use_second(Transaction& transaction, const StaffId& staff,
                               std::string_view second) {
    if (!looks_like_totp(second)) {
        const auto used = TRY(
            transaction.execute(staff_sql::kUseRecovery,
                                {id_value(staff), storage::bytes(recovery_code_digest(second))}));
        return used == 1;
    }
    const Rows rows = TRY(transaction.query(staff_sql::kTotp, {id_value(staff)}));
    if (rows.empty()) {
        return false;
    }
    const Bytes sealed = TRY(rows.bytes(0, 0));
    const Buffer secret =
        TRY(parts_.sealer.open({.owner = to_string(staff), .purpose = "staff.totp"}, sealed));
    const auto last_used = TRY(rows.integer(0, 1));
    const auto step = match_totp(secret, second, parts_.clock.now(), last_used);
    if (!step) {
        return false;
    }
    return TRY(transaction.execute(staff_sql::kUseTotp, {id_value(staff), integer(*step)})) == 1;
}

// Whose password it is, or nobody's.
Result<std::optional<StaffId>> Staff::check_factors(const SignIn& attempt) {
    const std::string_view password =
        std::string_view(attempt.password).substr(0, kPasswordBytesMax);
    const Rows rows =
        TRY(parts_.store.query(staff_sql::kFactors, {storage::text(attempt.name.substr(0, 64))}));
    if (rows.empty() || !rows.is_null(0, 2)) {
        TRY(parts_.hasher.verify_nobody(password));
        return std::optional<StaffId>();
    }
    const auto staff = TRY(id_at<StaffId>(rows, 0, 0));
    const std::string hash(TRY(rows.text(0, 1)));
    if (hash.empty()) {
        TRY(parts_.hasher.verify_nobody(password));
        return std::optional<StaffId>();
    }
    const PasswordVerdict verdict = TRY(parts_.hasher.verify(password, hash));
    if (!verdict.right) {
        return std::optional<StaffId>();
    }
    if (verdict.outdated) {
        const std::string fresh = TRY(parts_.hasher.hash(password));
        storage::Batch batch;
        batch.operations.push_back(
            {.statement = staff_sql::kSetHash,
             .parameters = {id_value(staff), storage::text(fresh), storage::text(hash)}});
        TRY(parts_.store.apply(std::move(batch)));
    }
    return std::optional(staff);
}

Result<std::string> Staff::open_session(Transaction& transaction, const StaffId& staff) {
    const Time now = parts_.clock.now();
    const NewSessionToken token = TRY(make_session_token(parts_.random));
    TRY(transaction.execute(staff_sql::kEndOldSessions,
                            {time_value(now - options_.session.absolute)}));
    TRY(transaction.execute(staff_sql::kOpenSession,
                            {storage::bytes(token.digest), id_value(staff), time_value(now)}));
    return token.text;
}

Buffer Staff::login_id(const ExternalIdentity& who) const {
    return blind_index(throttle_key_, "staff_logins", who.issuer + "\n" + who.subject);
}

Result<std::string> Staff::sign_in(const ExternalIdentity& who) {
    std::string token;
    const auto done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const Rows rows =
            TRY(transaction.query(staff_sql::kLinked, {storage::bytes(login_id(who))}));
        if (rows.empty()) {
            return Error{ErrorCode::kDenied, "no account here is linked to this person"};
        }
        const auto staff = TRY(id_at<StaffId>(rows, 0, 0));
        token = TRY(open_session(transaction, staff));
        return {};
    });
    TRY(done);
    return token;
}

Result<std::string> Staff::sign_in(const SignIn& attempt) {
    TRY(let_pass(attempt));
    const auto staff = TRY(check_factors(attempt));
    std::string token;
    if (staff) {
        const auto done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
            token.clear();
            if (TRY(use_second(transaction, *staff, attempt.second))) {
                token = TRY(open_session(transaction, *staff));
            }
            return {};
        });
        TRY(done);
    }
    if (token.empty()) {
        TRY(count_failure(attempt));
        return refused();
    }
    TRY(forget_failures(attempt));
    return token;
}

Result<StaffSession> Staff::session(std::string_view token) {
    const auto digest = session_token_digest(token);
    if (!digest.ok()) {
        return no_session();
    }
    const Rows rows = TRY(parts_.store.query(staff_sql::kSession, {storage::bytes(*digest)}));
    if (rows.empty() || !rows.is_null(0, 6)) {
        return no_session();
    }
    const Time now = parts_.clock.now();
    const Time signed_in = TRY(time_at(rows, 0, 1));
    const Time seen = TRY(time_at(rows, 0, 2));
    if (judge_session(signed_in, seen, now, options_.session) != SessionVerdict::kAlive) {
        TRY(sign_out(token));
        return no_session();
    }
    if (now >= seen + kSeenEvery) {
        storage::Batch batch;
        batch.operations.push_back({.statement = staff_sql::kSeen,
                                    .parameters = {storage::bytes(*digest), time_value(now)}});
        TRY(parts_.store.apply(std::move(batch)));
    }
    StaffSession session;
    session.staff = TRY(id_at<StaffId>(rows, 0, 0));
    session.name = TRY(rows.text(0, 3));
    session.roles = static_cast<std::uint32_t>(TRY(rows.integer(0, 4)));
    session.must_change = TRY(rows.integer(0, 5)) != 0;
    return session;
}

Result<void> Staff::sign_out(std::string_view token) {
    const Digest256 digest = TRY(session_token_digest(token));
    storage::Batch batch;
    batch.operations.push_back(
        {.statement = staff_sql::kEndSession, .parameters = {storage::bytes(digest)}});
    return parts_.store.apply(std::move(batch));
}

Result<void> Staff::change_password(std::string_view token, std::string_view old_password,
                                    std::string_view new_password) {
    const StaffSession owner = TRY(session(token));
    const Digest256 digest = TRY(session_token_digest(token));
    TRY(check_new_password(new_password, owner.name));
    const Rows rows = TRY(parts_.store.query(staff_sql::kHash, {id_value(owner.staff)}));
    if (rows.empty()) {
        return no_session();
    }
    const std::string hash(TRY(rows.text(0, 0)));
    const PasswordVerdict verdict =
        TRY(parts_.hasher.verify(old_password.substr(0, kPasswordBytesMax), hash));
    if (!verdict.right) {
        return Error{ErrorCode::kDenied, "the old password is wrong"};
    }
    if (old_password == new_password) {
        return Error{ErrorCode::kInvalidArgument, "the new password is the old one"};
    }
    const std::string fresh = TRY(parts_.hasher.hash(new_password));
    return parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        TRY(transaction.execute(staff_sql::kChangePassword,
                                {id_value(owner.staff), storage::text(fresh)}));
        TRY(transaction.execute(staff_sql::kEndOtherSessions,
                                {id_value(owner.staff), storage::bytes(digest)}));
        return {};
    });
}

}  // namespace colophon::identity
