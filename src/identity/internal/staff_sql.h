// SPDX-License-Identifier: Apache-2.0
#pragma once

// The statements on staff, for the two sources that use them.

#include "storage/store.h"

namespace colophon::identity::staff_sql {

inline constexpr storage::Statement kInsert{
    "INSERT INTO staff (id, name, roles, password_hash, must_change, totp_sealed, created_at)"
    " VALUES ($1, $2, $3, '', 1, $4, $5) ON CONFLICT (name) DO NOTHING"};
inline constexpr storage::Statement kSetSecrets{
    "UPDATE staff SET password_hash = $2, must_change = $4, totp_sealed = $3, totp_step = 0"
    " WHERE id = $1"};
inline constexpr storage::Statement kAll{
    "SELECT id, name, roles, must_change, created_at, disabled_at FROM staff ORDER BY name"};
inline constexpr storage::Statement kById{
    "SELECT id, name, roles, must_change, created_at, disabled_at FROM staff WHERE id = $1"};
inline constexpr storage::Statement kByName{
    "SELECT id, name, roles, must_change, created_at, disabled_at FROM staff WHERE name = $1"};
inline constexpr storage::Statement kSetRoles{"UPDATE staff SET roles = $2 WHERE id = $1"};
inline constexpr storage::Statement kSetDisabled{"UPDATE staff SET disabled_at = $2 WHERE id = $1"};
inline constexpr storage::Statement kDropRecovery{"DELETE FROM staff_recovery WHERE staff = $1"};
inline constexpr storage::Statement kAddRecovery{
    "INSERT INTO staff_recovery (staff, digest) VALUES ($1, $2)"};
inline constexpr storage::Statement kUseRecovery{
    "DELETE FROM staff_recovery WHERE staff = $1 AND digest = $2"};

inline constexpr storage::Statement kFactors{
    "SELECT id, password_hash, disabled_at FROM staff WHERE name = $1"};
inline constexpr storage::Statement kHash{"SELECT password_hash FROM staff WHERE id = $1"};
inline constexpr storage::Statement kTotp{"SELECT totp_sealed, totp_step FROM staff WHERE id = $1"};
inline constexpr storage::Statement kUseTotp{
    "UPDATE staff SET totp_step = $2 WHERE id = $1 AND totp_step < $2"};
inline constexpr storage::Statement kSetHash{
    "UPDATE staff SET password_hash = $2 WHERE id = $1 AND password_hash = $3"};
inline constexpr storage::Statement kChangePassword{
    "UPDATE staff SET password_hash = $2, must_change = 0 WHERE id = $1"};

inline constexpr storage::Statement kOpenSession{
    "INSERT INTO staff_sessions (digest, staff, signed_in_at, seen_at) VALUES ($1, $2, $3, $3)"};
inline constexpr storage::Statement kSession{
    "SELECT s.staff, s.signed_in_at, s.seen_at, p.name, p.roles, p.must_change, p.disabled_at"
    " FROM staff_sessions s JOIN staff p ON p.id = s.staff WHERE s.digest = $1"};
inline constexpr storage::Statement kSeen{
    "UPDATE staff_sessions SET seen_at = $2 WHERE digest = $1"};
inline constexpr storage::Statement kEndSession{"DELETE FROM staff_sessions WHERE digest = $1"};
inline constexpr storage::Statement kEndSessions{"DELETE FROM staff_sessions WHERE staff = $1"};
inline constexpr storage::Statement kEndOtherSessions{
    "DELETE FROM staff_sessions WHERE staff = $1 AND digest <> $2"};
inline constexpr storage::Statement kEndOldSessions{
    "DELETE FROM staff_sessions WHERE signed_in_at <= $1"};

inline constexpr storage::Statement kThrottle{
    "SELECT failures, failed_at FROM sign_in_throttles WHERE id = $1"};
inline constexpr storage::Statement kPutThrottle{
    "INSERT INTO sign_in_throttles (id, failures, failed_at) VALUES ($1, $2, $3)"
    " ON CONFLICT (id) DO UPDATE SET failures = excluded.failures, failed_at = excluded.failed_at"};
inline constexpr storage::Statement kDropThrottle{"DELETE FROM sign_in_throttles WHERE id = $1"};
inline constexpr storage::Statement kForgetThrottles{
    "DELETE FROM sign_in_throttles WHERE failed_at <= $1"};

}  // namespace colophon::identity::staff_sql
