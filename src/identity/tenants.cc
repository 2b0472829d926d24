// SPDX-License-Identifier: Apache-2.0
#include "identity/tenants.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/utf8.h"
#include "identity/api_key.h"
#include "identity/internal/recorded.h"
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

using storage::id_at;
using storage::id_value;
using storage::optional_time_at;
using storage::Rows;
using storage::Statement;
using storage::time_at;
using storage::time_value;
using storage::Transaction;

constexpr std::size_t kNameMax = 100;
constexpr std::chrono::minutes kUsedEvery{1};

constexpr Statement kInsertTenant{
    "INSERT INTO tenants (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING"};
constexpr Statement kTenants{"SELECT id, name, suspended, created_at FROM tenants ORDER BY name"};
constexpr Statement kTenantByName{
    "SELECT id, name, suspended, created_at FROM tenants WHERE name = $1"};
constexpr Statement kSuspend{"UPDATE tenants SET suspended = $2 WHERE id = $1"};
constexpr Statement kTenantThere{"SELECT 1 FROM tenants WHERE id = $1"};
constexpr Statement kInsertKey{
    "INSERT INTO api_keys (id, tenant, name, digest, hint, kind, scopes, created_at, expires_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"};
constexpr Statement kKeys{
    "SELECT id, tenant, name, hint, kind, scopes, created_at, expires_at, revoked_at, used_at"
    " FROM api_keys WHERE tenant = $1 ORDER BY created_at, id"};
constexpr Statement kKey{
    "SELECT id, tenant, name, hint, kind, scopes, created_at, expires_at, revoked_at, used_at"
    " FROM api_keys WHERE id = $1"};
constexpr Statement kExpireKey{"UPDATE api_keys SET expires_at = $2 WHERE id = $1"};
constexpr Statement kRevokeKey{
    "UPDATE api_keys SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1"};
constexpr Statement kKeyByDigest{
    "SELECT k.id, k.tenant, k.digest, k.kind, k.scopes, k.expires_at, k.revoked_at, k.used_at,"
    " t.suspended FROM api_keys k JOIN tenants t ON t.id = k.tenant WHERE k.digest = $1"};
constexpr Statement kUseKey{
    "UPDATE api_keys SET used_at = $2 WHERE id = $1 AND (used_at IS NULL OR used_at <= $3)"};

Result<void> check_name(std::string_view name) {
    const bool control = std::ranges::any_of(
        name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
    if (name.empty() || name.size() > kNameMax || control || find_invalid_utf8(name)) {
        return Error{ErrorCode::kInvalidArgument,
                     "a name has 1 to 100 bytes of UTF-8 without control characters"};
    }
    return {};
}

Result<Tenant> tenant_at(const Rows& rows, std::size_t row) {
    Tenant tenant;
    tenant.id = TRY(id_at<TenantId>(rows, row, 0));
    tenant.name = TRY(rows.text(row, 1));
    tenant.suspended = TRY(rows.integer(row, 2)) != 0;
    tenant.created = TRY(time_at(rows, row, 3));
    return tenant;
}

Result<ApiKeyEntry> key_at(const Rows& rows, std::size_t row) {
    ApiKeyEntry key;
    key.id = TRY(id_at<ApiKeyId>(rows, row, 0));
    key.tenant = TRY(id_at<TenantId>(rows, row, 1));
    key.name = TRY(rows.text(row, 2));
    key.hint = TRY(rows.text(row, 3));
    key.kind = TRY(rows.integer(row, 4)) == 0 ? ApiKeyKind::kLive : ApiKeyKind::kTest;
    key.scopes = static_cast<std::uint32_t>(TRY(rows.integer(row, 5)));
    key.created = TRY(time_at(rows, row, 6));
    key.expires = TRY(optional_time_at(rows, row, 7));
    key.revoked = TRY(optional_time_at(rows, row, 8));
    key.used = TRY(optional_time_at(rows, row, 9));
    return key;
}

bool is_over(const std::optional<Time>& expires, const std::optional<Time>& revoked, Time now) {
    return revoked.has_value() || (expires && now >= *expires);
}

Error refused() {
    return Error{ErrorCode::kDenied, "the API key is not known, has ended or was revoked"};
}

Result<void> insert_key(Transaction& transaction, const ApiKeyId& id, const TenantId& tenant,
                        const KeyOptions& options, const std::pair<NewApiKey, Time>& made) {
    const auto& [key, now] = made;
    TRY(transaction.execute(
        kInsertKey,
        {id_value(id), id_value(tenant), storage::text(options.name), storage::bytes(key.digest),
         storage::text(key.hint), storage::integer(options.kind == ApiKeyKind::kLive ? 0 : 1),
         storage::integer(options.scopes), time_value(now), time_value(options.expires)}));
    return {};
}

}  // namespace

Result<TenantId> Tenants::create(std::string_view name) {
    TRY(check_name(name));
    const auto id = TRY(make_random_id<TenantId>(random_));
    const storage::Batch record =
        TRY(internal::prepare_record(recorder_, {.operation = "tenant.create",
                                                 .facts = {{"tenant", to_string(id)}},
                                                 .names = {{"name", std::string(name)}}}));
    const auto done = store_.transact([&](Transaction& transaction) -> Result<void> {
        const auto inserted = TRY(transaction.execute(
            kInsertTenant, {id_value(id), storage::text(name), time_value(clock_.now())}));
        if (inserted == 0) {
            return Error{ErrorCode::kConflict, "there is a tenant of that name"};
        }
        return internal::write_record(transaction, record);
    });
    TRY(done);
    return id;
}

Result<std::vector<Tenant>> Tenants::list() {
    const Rows rows = TRY(store_.query(kTenants, {}));
    std::vector<Tenant> tenants;
    tenants.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        tenants.push_back(TRY(tenant_at(rows, row)));
    }
    return tenants;
}

Result<Tenant> Tenants::find(std::string_view name) {
    TRY(check_name(name));
    const Rows rows = TRY(store_.query(kTenantByName, {storage::text(name)}));
    if (rows.empty()) {
        return Error{ErrorCode::kNotFound, "there is no tenant of that name"};
    }
    return tenant_at(rows, 0);
}

Result<void> Tenants::set_suspended(const TenantId& tenant, bool suspended) {
    const storage::Batch record = TRY(internal::prepare_record(
        recorder_, {.operation = suspended ? "tenant.suspend" : "tenant.resume",
                    .facts = {{"tenant", to_string(tenant)}},
                    .names = {}}));
    return store_.transact([&](Transaction& transaction) -> Result<void> {
        const auto changed = TRY(
            transaction.execute(kSuspend, {id_value(tenant), storage::integer(suspended ? 1 : 0)}));
        if (changed != 1) {
            return Error{ErrorCode::kNotFound, "there is no such tenant"};
        }
        return internal::write_record(transaction, record);
    });
}

Result<IssuedKey> Tenants::create_key(const TenantId& tenant, const KeyOptions& options) {
    TRY(check_name(options.name));
    const Time now = clock_.now();
    if ((options.scopes & kAllScopes) == 0 || (options.scopes & ~kAllScopes) != 0) {
        return Error{ErrorCode::kInvalidArgument, "a key has at least one scope"};
    }
    if (options.expires && *options.expires <= now) {
        return Error{ErrorCode::kInvalidArgument, "a key ends in the future"};
    }
    const NewApiKey made = TRY(make_api_key(options.kind, random_));
    const auto id = TRY(make_random_id<ApiKeyId>(random_));
    const storage::Batch record = TRY(
        internal::prepare_record(recorder_, {.operation = "key.create",
                                             .facts = {{"tenant", to_string(tenant)},
                                                       {"key", to_string(id)},
                                                       {"scopes", format_scopes(options.scopes)}},
                                             .names = {{"name", options.name}}}));
    const auto done = store_.transact([&](Transaction& transaction) -> Result<void> {
        if (TRY(transaction.query(kTenantThere, {id_value(tenant)})).empty()) {
            return Error{ErrorCode::kNotFound, "there is no such tenant"};
        }
        TRY(insert_key(transaction, id, tenant, options, {made, now}));
        return internal::write_record(transaction, record);
    });
    TRY(done);
    return IssuedKey{.id = id, .text = made.text};
}

Result<IssuedKey> Tenants::rotate_key(const ApiKeyId& key, std::chrono::hours overlap) {
    if (overlap.count() < 0) {
        return Error{ErrorCode::kInvalidArgument, "an overlap is not negative"};
    }
    const Time now = clock_.now();
    const auto id = TRY(make_random_id<ApiKeyId>(random_));
    std::string text;
    const storage::Batch record = TRY(internal::prepare_record(
        recorder_, {.operation = "key.rotate",
                    .facts = {{"key", to_string(key)},
                              {"new_key", to_string(id)},
                              {"overlap_hours", static_cast<std::int64_t>(overlap.count())}},
                    .names = {}}));
    const auto done = store_.transact([&](Transaction& transaction) -> Result<void> {
        const Rows rows = TRY(transaction.query(kKey, {id_value(key)}));
        if (rows.empty()) {
            return Error{ErrorCode::kNotFound, "there is no such key"};
        }
        const ApiKeyEntry old = TRY(key_at(rows, 0));
        if (is_over(old.expires, old.revoked, now)) {
            return Error{ErrorCode::kConflict, "the key has ended or was revoked; make a new one"};
        }
        const NewApiKey made = TRY(make_api_key(old.kind, random_));
        text = made.text;
        const KeyOptions options{
            .name = old.name, .kind = old.kind, .scopes = old.scopes, .expires = old.expires};
        TRY(insert_key(transaction, id, old.tenant, options, {made, now}));
        const Time end = std::min(now + overlap, old.expires.value_or(Time::max()));
        TRY(transaction.execute(kExpireKey, {id_value(key), time_value(end)}));
        return internal::write_record(transaction, record);
    });
    TRY(done);
    return IssuedKey{.id = id, .text = std::move(text)};
}

Result<void> Tenants::revoke_key(const ApiKeyId& key) {
    const storage::Batch record = TRY(internal::prepare_record(
        recorder_, {.operation = "key.revoke", .facts = {{"key", to_string(key)}}, .names = {}}));
    return store_.transact([&](Transaction& transaction) -> Result<void> {
        const auto changed =
            TRY(transaction.execute(kRevokeKey, {id_value(key), time_value(clock_.now())}));
        if (changed != 1) {
            return Error{ErrorCode::kNotFound, "there is no such key"};
        }
        return internal::write_record(transaction, record);
    });
}

Result<ApiKeyEntry> Tenants::key(const ApiKeyId& key) {
    const Rows rows = TRY(store_.query(kKey, {id_value(key)}));
    if (rows.empty()) {
        return Error{ErrorCode::kNotFound, "there is no such key"};
    }
    return key_at(rows, 0);
}

Result<std::vector<ApiKeyEntry>> Tenants::keys(const TenantId& tenant) {
    const Rows rows = TRY(store_.query(kKeys, {id_value(tenant)}));
    std::vector<ApiKeyEntry> keys;
    keys.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        keys.push_back(TRY(key_at(rows, row)));
    }
    return keys;
}

Result<Caller> Tenants::authenticate(std::string_view key_text) {
    const auto key = parse_api_key(key_text);
    if (!key.ok()) {
        return refused();
    }
    const Rows rows = TRY(store_.query(kKeyByDigest, {storage::bytes(key->digest)}));
    if (rows.empty()) {
        return refused();
    }
    // The index found it by its bytes; this comparison does not depend on how the index compares.
    const Digest256 kept = TRY(storage::digest_at(rows, 0, 2));
    const Time now = clock_.now();
    const auto expires = TRY(optional_time_at(rows, 0, 5));
    const auto revoked = TRY(optional_time_at(rows, 0, 6));
    const auto used = TRY(optional_time_at(rows, 0, 7));
    const bool suspended = TRY(rows.integer(0, 8)) != 0;
    if (!equal_in_constant_time(kept, key->digest) || is_over(expires, revoked, now) || suspended) {
        return refused();
    }
    Caller caller;
    caller.key = TRY(id_at<ApiKeyId>(rows, 0, 0));
    caller.tenant = TRY(id_at<TenantId>(rows, 0, 1));
    caller.kind = TRY(rows.integer(0, 3)) == 0 ? ApiKeyKind::kLive : ApiKeyKind::kTest;
    caller.scopes = static_cast<std::uint32_t>(TRY(rows.integer(0, 4)));
    if (!used || now >= *used + kUsedEvery) {
        storage::Batch batch;
        batch.operations.push_back(
            {.statement = kUseKey,
             .parameters = {id_value(caller.key), time_value(now), time_value(now - kUsedEvery)}});
        // That a key was used is worth knowing, not worth refusing a call for.
        store_.apply(std::move(batch), [](const Result<void>&) {});
    }
    return caller;
}

}  // namespace colophon::identity
