// SPDX-License-Identifier: Apache-2.0
// /api/tenants and /api/keys.
#include "console/forms.h"
#include "console/internal/rows.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/api_key.h"
#include "identity/tenants.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

constexpr const char* kReaders = "admin,operator,auditor";
constexpr int kOverlapHoursUsual = 24;
constexpr int kOverlapHoursMax = 24 * 90;

Result<json::Value> list_tenants(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    json::Array all;
    for (const identity::Tenant& each : TRY(call.parts.tenants({}).list())) {
        all.emplace_back(tenant_form(each));
    }
    return page_list(page, std::move(all), "tenant");
}

Result<json::Value> create_tenant(const ApiCall& call) {
    identity::Tenants tenants = call.parts.tenants(call.actor);
    const std::string name = TRY(required_text(call, "name"));
    TRY(tenants.create(name));
    return json::Value(tenant_form(TRY(tenants.find(name))));
}

Result<json::Value> show_tenant(const ApiCall& call) {
    return json::Value(tenant_form(TRY(tenant_of_path(call))));
}

Result<json::Value> set_suspended(const ApiCall& call, bool suspended) {
    const identity::Tenant tenant = TRY(tenant_of_path(call));
    TRY(call.parts.tenants(call.actor).set_suspended(tenant.id, suspended));
    return show_tenant(call);
}

Result<json::Value> disable_tenant(const ApiCall& call) {
    return set_suspended(call, true);
}

Result<json::Value> enable_tenant(const ApiCall& call) {
    return set_suspended(call, false);
}

Result<json::Value> list_keys(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    const identity::Tenant tenant = TRY(tenant_of_path(call));
    json::Array all;
    for (const identity::ApiKeyEntry& each : TRY(call.parts.tenants({}).keys(tenant.id))) {
        all.emplace_back(key_form(each, call.parts.clock.now()));
    }
    return page_list(page, std::move(all), "key");
}

Result<identity::ApiKeyId> key_of_path(const ApiCall& call) {
    return parse_random_id<identity::ApiKeyId>(call.values.front());
}

// The text of a key goes out once; nobody can ask for it again.
Result<json::Value> issued(const ApiCall& call, identity::Tenants& tenants,
                           const identity::IssuedKey& key) {
    json::Object form = key_form(TRY(tenants.key(key.id)), call.parts.clock.now());
    form.emplace_back("secret", key.text);
    return json::Value(std::move(form));
}

Result<json::Value> create_key(const ApiCall& call) {
    const identity::Tenant tenant = TRY(tenant_of_path(call));
    identity::KeyOptions options;
    options.name = TRY(optional_text(call, "name", "default"));
    const std::string scopes = TRY(optional_text(call, "scopes", "all"));
    options.scopes = TRY(identity::parse_scopes(scopes));
    const bool test = TRY(optional_flag(call, "test"));
    options.kind = test ? identity::ApiKeyKind::kTest : identity::ApiKeyKind::kLive;
    const std::string expires = TRY(optional_text(call, "expires", ""));
    if (!expires.empty()) {
        options.expires = TRY(parse_time(expires));
    }
    identity::Tenants tenants = call.parts.tenants(call.actor);
    const identity::IssuedKey key = TRY(tenants.create_key(tenant.id, options));
    return issued(call, tenants, key);
}

Result<json::Value> show_key(const ApiCall& call) {
    const identity::ApiKeyId id = TRY(key_of_path(call));
    return json::Value(key_form(TRY(call.parts.tenants({}).key(id)), call.parts.clock.now()));
}

Result<json::Value> rotate_key(const ApiCall& call) {
    const identity::ApiKeyId id = TRY(key_of_path(call));
    const auto hours =
        TRY(optional_number(call, "overlap_hours", kOverlapHoursUsual, kOverlapHoursMax));
    identity::Tenants tenants = call.parts.tenants(call.actor);
    const identity::IssuedKey key = TRY(tenants.rotate_key(id, std::chrono::hours(hours)));
    return issued(call, tenants, key);
}

Result<json::Value> revoke_key(const ApiCall& call) {
    const identity::ApiKeyId id = TRY(key_of_path(call));
    TRY(call.parts.tenants(call.actor).revoke_key(id));
    return show_key(call);
}

}  // namespace

std::vector<ApiRow> tenant_rows() {
    return {{.method = "GET",
             .pattern = "/api/tenants",
             .operation = "tenants.list",
             .summary = "all tenants",
             .roles = kReaders,
             .query = {kLimitField, kAfterField},
             .handle = list_tenants},
            {.method = "POST",
             .pattern = "/api/tenants",
             .operation = "tenants.create",
             .summary = "make a tenant",
             .roles = "admin",
             .request_schema =
                 R"({"type":"object","required":["name"],"properties":{"name":{"type":"string"}}})",
             .status = 201,
             .handle = create_tenant},
            {.method = "GET",
             .pattern = "/api/tenants/{tenant}",
             .operation = "tenants.show",
             .summary = "one tenant, by id or name; \"self\" for a key",
             .scope = "subjects",
             .roles = kReaders,
             .handle = show_tenant},
            {.method = "POST",
             .pattern = "/api/tenants/{tenant}/disable",
             .operation = "tenants.disable",
             .summary = "refuse all calls of a tenant from now on",
             .roles = "admin",
             .handle = disable_tenant},
            {.method = "POST",
             .pattern = "/api/tenants/{tenant}/enable",
             .operation = "tenants.enable",
             .summary = "let a disabled tenant call again",
             .roles = "admin",
             .handle = enable_tenant}};
}

std::vector<ApiRow> key_rows() {
    return {{.method = "GET",
             .pattern = "/api/tenants/{tenant}/keys",
             .operation = "keys.list",
             .summary = "keys of a tenant",
             .roles = "admin,auditor",
             .query = {kLimitField, kAfterField},
             .handle = list_keys},
            {.method = "POST",
             .pattern = "/api/tenants/{tenant}/keys",
             .operation = "keys.create",
             .summary = "make a key; its secret is in this answer only",
             .roles = "admin",
             .request_schema = R"({"type":"object","properties":{"name":{"type":"string"},)"
                               R"("scopes":{"type":"string"},"test":{"type":"boolean"},)"
                               R"("expires":{"type":"string","format":"date-time"}}})",
             .status = 201,
             .handle = create_key},
            {.method = "GET",
             .pattern = "/api/keys/{key}",
             .operation = "keys.show",
             .summary = "one key",
             .roles = "admin,auditor",
             .handle = show_key},
            {.method = "POST",
             .pattern = "/api/keys/{key}/rotate",
             .operation = "keys.rotate",
             .summary = "a new key; the old one goes on for a while",
             .roles = "admin",
             .request_schema =
                 R"({"type":"object","properties":{"overlap_hours":{"type":"integer","minimum":0,)"
                 R"("maximum":2160}}})",
             .status = 201,
             .handle = rotate_key},
            {.method = "POST",
             .pattern = "/api/keys/{key}/revoke",
             .operation = "keys.revoke",
             .summary = "refuse a key from now on, for good",
             .roles = "admin",
             .handle = revoke_key}};
}

}  // namespace colophon::console
