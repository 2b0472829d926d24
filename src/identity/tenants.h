// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who runs a service with us, and the keys with which their programs call.

#include "core/clock.h"
#include "core/ids.h"
#include "core/random.h"
#include "identity/api_key.h"
#include "identity/recorder.h"
#include "storage/store.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {

using ApiKeyId = RandomId<struct ApiKeyTag>;

struct Tenant {
    TenantId id;
    std::string name;
    bool suspended = false;
    Time created;
};

struct ApiKeyEntry {
    ApiKeyId id;
    TenantId tenant;
    std::string name;
    std::string hint;
    ApiKeyKind kind = ApiKeyKind::kLive;
    std::uint32_t scopes = 0;
    Time created;
    std::optional<Time> expires;
    std::optional<Time> revoked;
    std::optional<Time> used;
};

struct KeyOptions {
    std::string name;
    ApiKeyKind kind = ApiKeyKind::kLive;
    std::uint32_t scopes = kAllScopes;
    std::optional<Time> expires = std::nullopt;
};

struct IssuedKey {
    ApiKeyId id;
    std::string text;  // shown once
};

// Who calls.
struct Caller {
    TenantId tenant;
    ApiKeyId key;
    ApiKeyKind kind = ApiKeyKind::kLive;
    std::uint32_t scopes = 0;
};

// Threads: all methods may be called at once. What is given lives longer.
class Tenants {
public:
    Tenants(storage::Store& store, Clock& clock, Random& random, Recorder recorder = {})
        : store_(store), clock_(clock), random_(random), recorder_(std::move(recorder)) {}

    // kInvalidArgument for a name that is empty, longer than 100 bytes or no UTF-8; kConflict when
    // there is one of that name.
    Result<TenantId> create(std::string_view name);
    Result<std::vector<Tenant>> list();
    // kNotFound when there is none.
    Result<Tenant> find(std::string_view name);
    Result<void> set_suspended(const TenantId& tenant, bool suspended);

    // kNotFound for a tenant that is not there; kInvalidArgument for no scope, a name like above,
    // or an end that has passed.
    Result<IssuedKey> create_key(const TenantId& tenant, const KeyOptions& options);
    // A new key with the same name, kind, scopes and end; the old one goes on for `overlap`, and no
    // longer than it would have. kConflict when it has ended or was revoked.
    Result<IssuedKey> rotate_key(const ApiKeyId& key, std::chrono::hours overlap);
    // At once and for good; no error when it was revoked before.
    Result<void> revoke_key(const ApiKeyId& key);
    Result<std::vector<ApiKeyEntry>> keys(const TenantId& tenant);
    // kNotFound when there is none.
    Result<ApiKeyEntry> key(const ApiKeyId& key);

    // kDenied, with one message, for a key that is malformed, unknown, over or revoked and for a
    // tenant that is suspended. The time of last use is kept to the minute.
    Result<Caller> authenticate(std::string_view key_text);

private:
    storage::Store& store_;
    Clock& clock_;
    Random& random_;
    Recorder recorder_;
};

}  // namespace colophon::identity
