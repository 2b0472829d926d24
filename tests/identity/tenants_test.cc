// SPDX-License-Identifier: Apache-2.0
#include "identity/tenants.h"

#include "core/clock.h"
#include "core/ids.h"
#include "identity/api_key.h"
#include "identity/identity_fixture.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

using namespace std::chrono_literals;
using storage::code_of;
using storage::Engine;
using storage::good;

void keys_live_and_end(Engine engine) {
    Fixture data(engine);
    const TenantId tenant = data.tenant();
    const IssuedKey key = good(
        data.tenants.create_key(tenant, {.name = "app", .scopes = 1, .expires = kStart + 24h}));
    const Caller caller = good(data.tenants.authenticate(key.text));
    CHECK(caller.tenant == tenant);
    CHECK(caller.key == key.id);
    CHECK(caller.scopes == 1);
    data.clock.advance(24h - 1ms);
    CHECK(data.tenants.authenticate(key.text).ok());
    data.clock.advance(1ms);
    CHECK(code_of(data.tenants.authenticate(key.text)) == ErrorCode::kDenied);
}

TEST_CASE("a key lets in until it ends") {
    SUBCASE("SQLite") {
        keys_live_and_end(Engine::kSqlite);
    }
    SUBCASE("PostgreSQL") {
        keys_live_and_end(Engine::kPostgres);
    }
}

TEST_CASE("a rotated key and its successor overlap, then the old one ends") {
    Fixture data;
    const TenantId tenant = data.tenant();
    const IssuedKey old = good(data.tenants.create_key(tenant, {.name = "app", .scopes = 3}));
    const IssuedKey fresh = good(data.tenants.rotate_key(old.id, 2h));
    CHECK(fresh.text != old.text);
    CHECK(good(data.tenants.authenticate(fresh.text)).scopes == 3);
    data.clock.advance(2h - 1ms);
    CHECK(data.tenants.authenticate(old.text).ok());
    data.clock.advance(1ms);
    CHECK_FALSE(data.tenants.authenticate(old.text).ok());
    CHECK(data.tenants.authenticate(fresh.text).ok());
    CHECK(code_of(data.tenants.rotate_key(old.id, 2h)) == ErrorCode::kConflict);
    CHECK(code_of(data.tenants.rotate_key(ApiKeyId{}, 2h)) == ErrorCode::kNotFound);
}

TEST_CASE("an overlap never lengthens the life of a key") {
    Fixture data;
    const IssuedKey old =
        good(data.tenants.create_key(data.tenant(), {.name = "app", .expires = kStart + 1h}));
    good(data.tenants.rotate_key(old.id, 48h));
    data.clock.advance(1h);
    CHECK_FALSE(data.tenants.authenticate(old.text).ok());
}

TEST_CASE("every refusal of a key says the same") {
    Fixture data;
    const TenantId tenant = data.tenant();
    const IssuedKey revoked = good(data.tenants.create_key(tenant, {.name = "a"}));
    good(data.tenants.revoke_key(revoked.id));
    good(data.tenants.revoke_key(revoked.id));
    SystemRandom random;
    const std::string unknown = good(make_api_key(ApiKeyKind::kLive, random)).text;
    const std::string what = data.tenants.authenticate("").error().what;
    for (const std::string& text : {revoked.text, unknown, std::string("x"), unknown + "x"}) {
        const auto refused = data.tenants.authenticate(text);
        CHECK(code_of(refused) == ErrorCode::kDenied);
        CHECK(refused.error().what == what);
    }
    const IssuedKey good_key = good(data.tenants.create_key(tenant, {.name = "b"}));
    good(data.tenants.set_suspended(tenant, true));
    CHECK(data.tenants.authenticate(good_key.text).error().what == what);
    good(data.tenants.set_suspended(tenant, false));
    CHECK(data.tenants.authenticate(good_key.text).ok());
}

TEST_CASE("keys are listed with a hint, and their use is kept to the minute") {
    Fixture data;
    const TenantId tenant = data.tenant();
    const IssuedKey key = good(data.tenants.create_key(tenant, {.name = "app"}));
    CHECK_FALSE(good(data.tenants.keys(tenant)).at(0).used);
    good(data.tenants.authenticate(key.text));
    data.clock.advance(59s);
    good(data.tenants.authenticate(key.text));
    // Writes of a store are in order: what follows is later than the use.
    good(data.tenants.create_key(data.tenant("Other"), {.name = "other"}));
    const auto keys = good(data.tenants.keys(tenant));
    REQUIRE(keys.size() == 1);
    CHECK(keys[0].hint == key.text.substr(38));
    CHECK(keys[0].used == kStart);
}

TEST_CASE("tenants and keys with mistakes are refused") {
    Fixture data;
    const TenantId tenant = data.tenant();
    CHECK(code_of(data.tenants.create("Example")) == ErrorCode::kConflict);
    for (const std::string& name :
         {std::string(), std::string(101, 'a'), std::string("a\nb"), std::string("\xFF")}) {
        CHECK(code_of(data.tenants.create(name)) == ErrorCode::kInvalidArgument);
        CHECK(code_of(data.tenants.create_key(tenant, {.name = name})) ==
              ErrorCode::kInvalidArgument);
    }
    CHECK(code_of(data.tenants.create_key(tenant, {.name = "a", .scopes = 0})) ==
          ErrorCode::kInvalidArgument);
    CHECK(code_of(data.tenants.create_key(tenant, {.name = "a", .scopes = 0xFFFF})) ==
          ErrorCode::kInvalidArgument);
    CHECK(code_of(data.tenants.create_key(tenant, {.name = "a", .expires = kStart})) ==
          ErrorCode::kInvalidArgument);
    CHECK(code_of(data.tenants.create_key(TenantId{}, {.name = "a"})) == ErrorCode::kNotFound);
    CHECK(code_of(data.tenants.find("Nobody")) == ErrorCode::kNotFound);
    CHECK(good(data.tenants.find("Example")).id == tenant);
    CHECK(good(data.tenants.list()).size() == 1);
}

}  // namespace
}  // namespace colophon::identity
