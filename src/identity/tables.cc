// SPDX-License-Identifier: Apache-2.0
#include "identity/tables.h"

#include "storage/migration.h"

#include <array>
#include <span>

namespace colophon::identity {
namespace {

constexpr std::array kMigrations{
    storage::Migration{
        "identity", 1,
        "CREATE TABLE tenants (\n"
        "  id BYTES PRIMARY KEY,\n"
        "  name TEXT NOT NULL UNIQUE,\n"
        "  suspended INTEGER NOT NULL DEFAULT 0,\n"
        "  created_at INTEGER NOT NULL);\n"
        "CREATE TABLE api_keys (\n"
        "  id BYTES PRIMARY KEY,\n"
        "  tenant BYTES NOT NULL REFERENCES tenants (id),\n"
        "  name TEXT NOT NULL,\n"
        "  digest BYTES NOT NULL UNIQUE,\n"
        "  hint TEXT NOT NULL,\n"
        "  kind INTEGER NOT NULL,\n"
        "  scopes INTEGER NOT NULL,\n"
        "  created_at INTEGER NOT NULL,\n"
        "  expires_at INTEGER,\n"
        "  revoked_at INTEGER,\n"
        "  used_at INTEGER);\n"
        "CREATE INDEX api_keys_tenant ON api_keys (tenant);\n"
        // kind: 0 person, 1 organisation. age: AgeClass. closed_at: the account is over.
        "CREATE TABLE subjects (\n"
        "  id BYTES PRIMARY KEY,\n"
        "  tenant BYTES NOT NULL REFERENCES tenants (id),\n"
        "  reference_index BYTES NOT NULL,\n"
        "  kind INTEGER NOT NULL,\n"
        "  age INTEGER NOT NULL DEFAULT 0,\n"
        "  birth_sealed BYTES,\n"
        "  guardian BYTES REFERENCES subjects (id),\n"
        "  created_at INTEGER NOT NULL,\n"
        "  closed_at INTEGER,\n"
        "  UNIQUE (tenant, reference_index));\n"
        // One row for each means of a subject: what was last judged. pending_key is that of an ask
        // that is on its way; what was judged before it stands until the answer is there.
        "CREATE TABLE verifications (\n"
        "  subject BYTES NOT NULL REFERENCES subjects (id),\n"
        "  means INTEGER NOT NULL,\n"
        "  state INTEGER NOT NULL,\n"
        "  value_index BYTES NOT NULL,\n"
        "  value_sealed BYTES NOT NULL,\n"
        "  idempotency_key TEXT NOT NULL,\n"
        "  consent TEXT NOT NULL,\n"
        "  pending_key TEXT NOT NULL,\n"
        "  pending_at INTEGER NOT NULL,\n"
        "  checked_at INTEGER,\n"
        "  expires_at INTEGER,\n"
        "  provider TEXT NOT NULL DEFAULT '',\n"
        "  provider_reference TEXT NOT NULL DEFAULT '',\n"
        "  provider_code TEXT NOT NULL DEFAULT '',\n"
        "  assurance TEXT NOT NULL DEFAULT '',\n"
        "  reply_salt BYTES,\n"
        "  reply_commitment BYTES,\n"
        "  PRIMARY KEY (subject, means));\n"
        "CREATE INDEX verifications_value ON verifications (means, value_index);\n"
        "CREATE TABLE verification_attempts (\n"
        "  id SERIAL_KEY,\n"
        "  subject BYTES NOT NULL,\n"
        "  value_index BYTES NOT NULL,\n"
        "  idempotency_key TEXT NOT NULL,\n"
        "  asked_at INTEGER NOT NULL);\n"
        "CREATE INDEX verification_attempts_subject ON verification_attempts (subject, asked_at);\n"
        "CREATE INDEX verification_attempts_value ON verification_attempts (value_index, "
        "asked_at);\n"
        "CREATE TABLE one_time_codes (\n"
        "  subject BYTES NOT NULL REFERENCES subjects (id),\n"
        "  value_index BYTES NOT NULL,\n"
        "  digest BYTES NOT NULL,\n"
        "  expires_at INTEGER NOT NULL,\n"
        "  attempts_left INTEGER NOT NULL,\n"
        "  PRIMARY KEY (subject, value_index));\n"},
    storage::Migration{"identity", 2,
                       "CREATE TABLE staff (\n"
                       "  id BYTES PRIMARY KEY,\n"
                       "  name TEXT NOT NULL UNIQUE,\n"
                       "  roles INTEGER NOT NULL,\n"
                       "  password_hash TEXT NOT NULL,\n"
                       "  must_change INTEGER NOT NULL,\n"
                       "  totp_sealed BYTES NOT NULL,\n"
                       "  totp_step INTEGER NOT NULL DEFAULT 0,\n"
                       "  created_at INTEGER NOT NULL,\n"
                       "  disabled_at INTEGER);\n"
                       "CREATE TABLE staff_recovery (\n"
                       "  staff BYTES NOT NULL REFERENCES staff (id),\n"
                       "  digest BYTES NOT NULL,\n"
                       "  PRIMARY KEY (staff, digest));\n"
                       "CREATE TABLE staff_sessions (\n"
                       "  digest BYTES PRIMARY KEY,\n"
                       "  staff BYTES NOT NULL REFERENCES staff (id),\n"
                       "  signed_in_at INTEGER NOT NULL,\n"
                       "  seen_at INTEGER NOT NULL);\n"
                       "CREATE INDEX staff_sessions_staff ON staff_sessions (staff);\n"
                       "CREATE TABLE sign_in_throttles (\n"
                       "  id BYTES PRIMARY KEY,\n"
                       "  failures INTEGER NOT NULL,\n"
                       "  failed_at INTEGER NOT NULL);\n"},
    // login: keyed digest of issuer and subject. state, browser: digests of what the browser has.
    storage::Migration{"identity", 3,
                       "CREATE TABLE staff_logins (\n"
                       "  login BYTES PRIMARY KEY,\n"
                       "  staff BYTES NOT NULL REFERENCES staff (id));\n"
                       "CREATE INDEX staff_logins_staff ON staff_logins (staff);\n"
                       "CREATE TABLE oidc_flows (\n"
                       "  state BYTES PRIMARY KEY,\n"
                       "  browser BYTES NOT NULL,\n"
                       "  nonce TEXT NOT NULL,\n"
                       "  verifier TEXT NOT NULL,\n"
                       "  begun_at INTEGER NOT NULL);\n"},
    // What a provider took and has not answered yet. number: random, of one ask.
    storage::Migration{"identity", 4,
                       "CREATE TABLE verification_orders (\n"
                       "  number TEXT PRIMARY KEY,\n"
                       "  provider TEXT NOT NULL,\n"
                       "  tenant BYTES NOT NULL,\n"
                       "  subject BYTES NOT NULL REFERENCES subjects (id),\n"
                       "  means INTEGER NOT NULL,\n"
                       "  pending_key TEXT NOT NULL,\n"
                       "  value_index BYTES NOT NULL,\n"
                       "  value_sealed BYTES NOT NULL,\n"
                       "  consent TEXT NOT NULL,\n"
                       "  expires_at INTEGER NOT NULL);\n"
                       "CREATE INDEX verification_orders_subject ON verification_orders (subject, "
                       "means);\n"},
};

}  // namespace

std::span<const storage::Migration> identity_migrations() {
    return kMigrations;
}

}  // namespace colophon::identity
