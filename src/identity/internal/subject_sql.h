// SPDX-License-Identifier: Apache-2.0
#pragma once

// The statements on subjects, for the two sources that use them.

#include "core/result.h"
#include "storage/store.h"

#include <cstddef>

namespace colophon::identity {

namespace internal {

inline Error no_subject() {
    return Error{ErrorCode::kNotFound, "there is no such subject"};
}

}  // namespace internal

namespace sql {

inline constexpr storage::Statement kInsertSubject{
    "INSERT INTO subjects (id, tenant, reference_index, kind, created_at)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (tenant, reference_index) DO NOTHING"};
inline constexpr storage::Statement kFindSubject{
    "SELECT id FROM subjects WHERE tenant = $1 AND reference_index = $2"};

// Columns of kSubject.
inline constexpr std::size_t kId = 0;
inline constexpr std::size_t kKind = 1;
inline constexpr std::size_t kBirth = 2;
inline constexpr std::size_t kGuardian = 3;
inline constexpr std::size_t kClosed = 4;
inline constexpr storage::Statement kSubject{
    "SELECT id, kind, birth_sealed, guardian, closed_at FROM subjects"
    " WHERE id = $1 AND tenant = $2"};

inline constexpr storage::Statement kVerifications{
    "SELECT means, state, checked_at, expires_at, provider, assurance, value_sealed, pending_at"
    " FROM verifications WHERE subject = $1 ORDER BY means"};
inline constexpr storage::Statement kTwins{
    "SELECT DISTINCT o.subject FROM verifications v"
    " JOIN verifications o ON o.means = v.means AND o.value_index = v.value_index"
    " AND o.subject <> v.subject AND o.state = $3"
    " JOIN subjects s ON s.id = o.subject AND s.tenant = $2 AND s.closed_at IS NULL"
    " WHERE v.subject = $1 AND v.state = $3 ORDER BY o.subject"};
inline constexpr storage::Statement kSetGuardian{
    "UPDATE subjects SET guardian = $3 WHERE id = $1 AND tenant = $2"};
inline constexpr storage::Statement kClose{
    "UPDATE subjects SET closed_at = COALESCE(closed_at, $3) WHERE id = $1 AND tenant = $2"};
inline constexpr storage::Statement kErase{
    "UPDATE subjects SET closed_at = COALESCE(closed_at, $3), birth_sealed = NULL, age = 0,"
    " guardian = NULL, reference_index = $4 WHERE id = $1 AND tenant = $2"};
inline constexpr storage::Statement kEraseVerifications{
    "DELETE FROM verifications WHERE subject = $1"};
inline constexpr storage::Statement kEraseAttempts{
    "DELETE FROM verification_attempts WHERE subject = $1"};
inline constexpr storage::Statement kEraseOrders{
    "DELETE FROM verification_orders WHERE subject = $1"};
inline constexpr storage::Statement kEraseCodes{"DELETE FROM one_time_codes WHERE subject = $1"};
inline constexpr storage::Statement kList{
    "SELECT id, kind, closed_at, created_at FROM subjects WHERE tenant = $1 AND id > $2"
    " ORDER BY id LIMIT 1000"};
inline constexpr storage::Statement kKeepBirth{
    "UPDATE subjects SET birth_sealed = $2 WHERE id = $1"};

inline constexpr storage::Statement kLastAsk{
    "SELECT state, idempotency_key, pending_key, pending_at FROM verifications"
    " WHERE subject = $1 AND means = $2"};
// What was verified stays so while it is asked anew; any other state becomes pending (1).
inline constexpr storage::Statement kBeginAsk{
    "INSERT INTO verifications (subject, means, state, value_index, value_sealed, idempotency_key,"
    " consent, pending_key, pending_at) VALUES ($1, $2, 1, $3, $4, '', '', $5, $6)"
    " ON CONFLICT (subject, means) DO UPDATE SET pending_key = excluded.pending_key,"
    " pending_at = excluded.pending_at,"
    " state = CASE WHEN verifications.state = 2 THEN 2 ELSE 1 END"};
inline constexpr storage::Statement kKeepAnswer{
    "UPDATE verifications SET state = $4, checked_at = $5, expires_at = $6, provider = $7,"
    " provider_reference = $8, provider_code = $9, assurance = $10, reply_salt = $11,"
    " reply_commitment = $12, value_index = $13, value_sealed = $14, consent = $15,"
    " idempotency_key = pending_key, pending_key = ''"
    " WHERE subject = $1 AND means = $2 AND pending_key = $3"
    " AND EXISTS (SELECT 1 FROM subjects WHERE id = $1 AND closed_at IS NULL)"};
// Nothing was judged, or not about the value that is verified.
inline constexpr storage::Statement kDropAsk{
    "UPDATE verifications SET pending_key = '', state = CASE WHEN state = 1 THEN 0 ELSE state END"
    " WHERE subject = $1 AND means = $2 AND pending_key = $3"
    " AND EXISTS (SELECT 1 FROM subjects WHERE id = $1 AND closed_at IS NULL)"};
// A provider that will answer later is waited for as long as its order is open.
inline constexpr storage::Statement kKeepWaiting{
    "UPDATE verifications SET pending_at = $4 WHERE subject = $1 AND means = $2"
    " AND pending_key = $3 AND EXISTS (SELECT 1 FROM subjects WHERE id = $1 AND closed_at IS "
    "NULL)"};
inline constexpr storage::Statement kAddOrder{
    "INSERT INTO verification_orders (number, provider, tenant, subject, means, pending_key,"
    " value_index, value_sealed, consent, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};
inline constexpr storage::Statement kOrder{
    "SELECT provider, tenant, subject, means, pending_key, value_index, value_sealed, consent,"
    " expires_at FROM verification_orders WHERE number = $1"};
inline constexpr storage::Statement kEndOrder{"DELETE FROM verification_orders WHERE number = $1"};
inline constexpr storage::Statement kEndOrders{
    "DELETE FROM verification_orders WHERE subject = $1 AND means = $2"};
inline constexpr storage::Statement kVerifiedValue{
    "SELECT value_index FROM verifications WHERE subject = $1 AND means = $2 AND state = 2"};
inline constexpr storage::Statement kCountTwins{
    "SELECT COUNT(*) FROM verifications v JOIN subjects s ON s.id = v.subject"
    " WHERE v.means = $1 AND v.value_index = $2 AND v.subject <> $3 AND s.tenant = $4"
    " AND s.closed_at IS NULL AND v.state IN (1, 2)"};
inline constexpr storage::Statement kAddAttempt{
    "INSERT INTO verification_attempts (subject, value_index, idempotency_key, asked_at)"
    " VALUES ($1, $2, $3, $4)"};
inline constexpr storage::Statement kDropAttempt{
    "DELETE FROM verification_attempts WHERE subject = $1 AND idempotency_key = $2"};
inline constexpr storage::Statement kForgetAttempts{
    "DELETE FROM verification_attempts WHERE asked_at <= $1"};
inline constexpr storage::Statement kSubjectAttempts{
    "SELECT COUNT(*) FROM verification_attempts WHERE subject = $1 AND asked_at > $2"};
inline constexpr storage::Statement kValueAttempts{
    "SELECT COUNT(*) FROM verification_attempts WHERE value_index = $1 AND asked_at > $2"};

inline constexpr storage::Statement kPutCode{
    "INSERT INTO one_time_codes (subject, value_index, digest, expires_at, attempts_left)"
    " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (subject, value_index) DO UPDATE SET"
    " digest = excluded.digest, expires_at = excluded.expires_at,"
    " attempts_left = excluded.attempts_left"};
inline constexpr storage::Statement kCode{
    "SELECT digest, expires_at, attempts_left FROM one_time_codes"
    " WHERE subject = $1 AND value_index = $2"};
inline constexpr storage::Statement kSpendCode{
    "UPDATE one_time_codes SET attempts_left = $3 WHERE subject = $1 AND value_index = $2"};

}  // namespace sql
}  // namespace colophon::identity
