// SPDX-License-Identifier: Apache-2.0
// The management API of a running service: who may call what, from its own table; and that what is
// done there is done, and recorded.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"
#include "support/api_client.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::Api;
using test::Reply;
using test::RunningService;

constexpr const char* kNobody = "00000000000000000000000000000000";
const std::vector<std::string> kScopes{"generate", "label", "moderate", "subjects", "records"};
const std::vector<std::string> kRoles{"reviewer", "lead",      "operator",
                                      "auditor",  "inspector", "admin"};

std::set<std::string> words_of(const json::Value* list) {
    std::set<std::string> words;
    if (list != nullptr) {
        for (const json::Value& each : *list->if_array()) {
            words.insert(*each.if_string());
        }
    }
    return words;
}

// One row of the table, as the description gives it.
struct Endpoint {
    std::string method;
    std::string path;
    std::string operation;
    std::set<std::string> scopes;  // of keys that may call
    bool any_session = false;
    std::set<std::string> roles;
    bool is_public = false;
};

std::vector<Endpoint> endpoints_of(const json::Value& description) {
    std::vector<Endpoint> all;
    for (const auto& [path, methods] : *description.find("paths")->if_object()) {
        for (const auto& [method, operation] : *methods.if_object()) {
            Endpoint each;
            each.method = method;
            each.path = path;
            std::ranges::transform(each.method, each.method.begin(), [](unsigned char c) {
                return static_cast<char>(std::toupper(c));
            });
            for (std::size_t at = 0; (at = each.path.find('{')) != std::string::npos;) {
                each.path.replace(at, each.path.find('}') - at + 1, kNobody);
            }
            each.operation = operation.string_or("operationId", "");
            const json::Array& security = *operation.find("security")->if_array();
            each.is_public = security.empty();
            for (const json::Value& scheme : security) {
                if (scheme.find("key") != nullptr) {
                    each.scopes = words_of(scheme.find("key"));
                }
                if (const json::Value* session = scheme.find("session")) {
                    each.roles = words_of(session);
                    each.any_session = each.roles.empty();
                }
            }
            all.push_back(std::move(each));
        }
    }
    return all;
}

// Who calls, and whether the row lets him in.
struct Caller {
    std::string what;
    std::string bearer;
    int refused;  // the status when it may not
    std::function<bool(const Endpoint&)> may;
    bool is_session = false;
};

std::vector<Caller> callers_of(const Api& api) {
    const RunningService& service = api.service;
    const auto make_key = [&](const std::string& scopes, const std::string& expires = "") {
        std::vector<std::string> command{"admin",    "key",  "create", "demo",
                                         "--scopes", scopes, "--json"};
        if (!expires.empty()) {
            command.insert(command.end(), {"--expires", expires});
        }
        return *json::parse(service.ok(command));
    };
    const auto nothing = [](const Endpoint&) { return false; };
    std::vector<Caller> all{
        {"nobody", "", 401, nothing},
        {"a key that never was", "clp_live_0000000000000000000000000_0000000", 401, nothing},
        {"a session that never was", "not a session at all", 401, nothing}};
    for (const std::string& scope : kScopes) {
        all.push_back({"key with " + scope, make_key(scope).string_or("secret", ""), 403,
                       [scope](const Endpoint& each) { return each.scopes.contains(scope); }});
    }
    const json::Value revoked = make_key("all");
    service.ok({"admin", "key", "revoke", revoked.string_or("key", "")});
    all.push_back({"revoked key", revoked.string_or("secret", ""), 401, nothing});
    SystemClock clock;
    const Time end = clock.now() + std::chrono::seconds(2);
    const json::Value expired = make_key("all", format_time(end));
    service.ok({"admin", "tenant", "create", "other"});
    const auto other = json::parse(service.ok({"admin", "key", "create", "other", "--json"}));
    service.ok({"admin", "tenant", "disable", "other"});
    all.push_back({"key of a disabled tenant", other->string_or("secret", ""), 401, nothing});

    for (const std::string& role : kRoles) {
        all.push_back(
            {role, api.session("the-" + role, role), 403,
             [role](const Endpoint& each) { return each.any_session || each.roles.contains(role); },
             true});
    }
    all.push_back({"admin with a first password", api.session("fresh", "admin", true), 403,
                   [](const Endpoint& each) { return each.any_session; }, true});
    const std::string idle = api.session("idle", "admin");
    const std::string gone = api.session("gone", "admin");
    const std::string disabled = api.session("leaver", "admin");
    api.good("DELETE", "/api/session", gone);
    service.ok({"admin", "user", "disable", "leaver"});
    const auto store = storage::open_sqlite(service.dir.file("data/colophon.db"));
    REQUIRE(store.ok());
    storage::Batch batch;
    batch.operations.push_back({.statement = {"UPDATE staff_sessions SET seen_at = 0 WHERE staff ="
                                              " (SELECT id FROM staff WHERE name = 'idle')"},
                                .parameters = {},
                                .affects = storage::Affects::kOne});
    REQUIRE((*store)->apply(std::move(batch)).ok());
    all.push_back({"idle session", idle, 401, nothing});
    all.push_back({"session that was ended", gone, 401, nothing});
    all.push_back({"session of a disabled account", disabled, 401, nothing});
    while (clock.now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    all.push_back({"expired key", expired.string_or("secret", ""), 401, nothing});
    return all;
}

}  // namespace

TEST_SUITE("slow gateway") {
    TEST_CASE(
        "every endpoint lets in whom its row of the table names, in each state, and nobody else") {
        RunningService running("", {"COLOPHON_SERVER_ACCESS_LOG=none"});
        running.start();
        const Api api(running);
        const std::vector<Caller> callers = callers_of(api);
        const std::vector<Endpoint> endpoints =
            endpoints_of(api.good("GET", "/api/openapi.json", ""));
        std::set<std::string> operations;
        std::size_t guarded = 0;
        std::size_t asked = 0;
        for (const Endpoint& endpoint : endpoints) {
            CAPTURE(endpoint.operation);
            CHECK(operations.insert(endpoint.operation).second);
            if (endpoint.is_public) {
                continue;
            }
            ++guarded;
            for (const Caller& caller : callers) {
                // Whoever signs out is not there for the rest of the test.
                if (endpoint.operation == "session.end" && caller.refused == 403 &&
                    caller.may(endpoint)) {
                    continue;
                }
                CAPTURE(caller.what);
                ++asked;
                const Reply reply = api.call(endpoint.method, endpoint.path, caller.bearer,
                                             endpoint.method == "POST" ? "{}" : "");
                if (caller.may(endpoint)) {
                    CHECK(reply.status != 401);
                    CHECK(reply.status != 403);
                    CHECK(reply.status < 500);
                } else {
                    // The gateway knows API keys only: a session is no credential there.
                    const bool of_gateway = endpoint.path.starts_with("/v1/") ||
                                            endpoint.path.starts_with("/api/subjects");
                    const bool unknown = caller.is_session && of_gateway;
                    CHECK(reply.status == (unknown ? 401 : caller.refused));
                    CHECK(reply.body.find("error") != nullptr);
                }
            }
        }
        MESSAGE(guarded, " guarded endpoints, ", callers.size(), " callers, ", asked, " calls");
        CHECK(guarded > 40);
    }

    TEST_CASE("the description is what docs/reference/openapi.json says") {
        RunningService running;
        running.start();
        const std::string served = running.curl({running.url("/api/openapi.json")});
        const auto kept = json::parse(
            as_text(test::read_file(COLOPHON_SOURCE_DIR "/docs/reference/openapi.json")),
            {.bytes_max = 1U << 20U});
        test::write_file(running.dir.file("served.json"), as_bytes(served));
        REQUIRE(kept.ok());
        // Written anew by: colophon serve, then curl .../api/openapi.json | jq .
        const bool same = json::write(*kept) == served;
        CHECK_MESSAGE(same, "docs/reference/openapi.json is not what is served");
    }

    TEST_CASE("what staff do over the API is done, and each change is one record of conduct") {
        RunningService running("", {"COLOPHON_SERVER_ACCESS_LOG=none"});
        running.start();
        const Api api(running);
        const std::string admin = api.session("root-of-all", "admin");
        const std::string auditor = api.session("looks-on", "auditor");
        const auto operations = [&] {
            std::vector<std::string> names;
            const json::Value list =
                api.good("GET", "/api/records?kind=administration&limit=1000", auditor);
            for (const json::Value& each : *list.find("data")->if_array()) {
                names.push_back(each.string_or("operation", ""));
            }
            const json::Value erasures =
                api.good("GET", "/api/records?kind=erasure&limit=1000", auditor);
            for (const json::Value& each : *erasures.find("data")->if_array()) {
                names.push_back(each.string_or("operation", ""));
            }
            return names;
        };
        std::size_t known = operations().size();
        const auto changes = [&](const std::string& path, const std::string& body) {
            CAPTURE(path);
            json::Value answer = api.good("POST", path, admin, body);
            const std::size_t now = operations().size();
            CHECK(now == known + 1);
            known = now;
            return answer;
        };
        const std::string tenant =
            changes("/api/tenants", R"({"name":"paper mill"})").string_or("tenant", "");
        CHECK(api.call("POST", "/api/tenants", admin, R"({"name":"paper mill"})").status == 409);
        CHECK(api.call("POST", "/api/tenants", admin, "[1]").status == 400);
        CHECK(api.call("POST", "/api/tenants", admin, R"({"name":7})").status == 400);
        CHECK(api.call("POST", "/api/tenants", admin, std::string(100'000, ' ')).status == 413);
        const std::string own = "/api/tenants/" + tenant;
        const json::Value key = changes(own + "/keys", R"({"scopes":"generate,subjects,records"})");
        const std::string secret = key.string_or("secret", "");
        CHECK(running.ok({"admin", "key", "list", "paper mill"}).find(key.string_or("hint", "?")) !=
              std::string::npos);
        // The key sees its own tenant and no other.
        CHECK(api.good("GET", "/api/tenants/self", secret).string_or("name", "") == "paper mill");
        CHECK(api.call("GET", "/api/tenants/demo", secret).status == 404);
        CHECK(api.call("GET", "/api/tenants/demo/subjects", secret).status == 404);
        const std::string subject =
            changes(own + "/subjects", R"({"reference":"carol"})").string_or("subject", "");
        const std::string path = own + "/subjects/" + subject;
        const json::Value sent =
            api.good("POST", path + "/mobile", secret, R"({"number":"13900139000"})");
        const json::Value verified =
            api.good("POST", path + "/mobile", secret,
                     R"({"number":"13900139000","code":")" + sent.string_or("code", "") + "\"}");
        CHECK(*verified.find("verified")->if_bool());
        CHECK(json::write(verified).find("13900139000") == std::string::npos);
        const json::Value found =
            api.good("GET", "/api/tenants/self/subjects?reference=carol", secret);
        CHECK(found.find("data")->if_array()->front().string_or("subject", "") == subject);

        // The new tenant's user is served, and the tenant reads the record of it.
        const std::string chat =
            R"({"model":"echo","user":"carol","messages":[{"role":"user","content":"hello"}]})";
        CHECK(api.call("POST", "/v1/chat/completions", secret, chat).status == 200);
        CHECK(api.call("POST", "/v1/chat/completions", secret, chat).status == 200);
        const json::Value page = api.good("GET", "/api/records?kind=call&limit=1", secret);
        CHECK(page.find("data")->if_array()->size() == 1);
        const std::string first = page.find("data")->if_array()->front().string_or("id", "");
        const json::Value rest = api.good(
            "GET", "/api/records?kind=call&limit=1&after=" + page.string_or("next", "?"), secret);
        CHECK(rest.find("data")->if_array()->front().string_or("id", "") != first);
        CHECK(api.good("GET", "/api/records/" + first, secret).string_or("id", "") == first);
        // The records of other tenants are not there for it.
        (void)running.curl({running.url("/v1/chat/completions"), "-d", chat});
        const json::Value seen = api.good("GET", "/api/records?limit=1000", secret);
        for (const json::Value& each : *seen.find("data")->if_array()) {
            CHECK(each.string_or("tenant", "") == tenant);
        }

        const json::Value hold =
            changes("/api/holds", R"({"tenant":")" + tenant + R"(","reason":"order 7"})");
        CHECK(api.call("POST", path + "/erase", admin,
                       R"({"reason":"request 1","despite_retention":true})")
                  .status == 409);
        changes("/api/holds/" + hold.string_or("hold", "") + "/release", "");
        changes(path + "/close", "");
        CHECK(api.call("POST", "/v1/chat/completions", secret, chat).status == 403);
        api.good("POST", path + "/erase", admin,
                 R"({"reason":"request 1","despite_retention":true})");
        CHECK(operations().size() > known);
        known = operations().size();
        changes("/api/keys/" + key.string_or("key", "") + "/rotate", R"({"overlap_hours":0})");
        changes(own + "/disable", "");
        changes(own + "/enable", "");
        changes("/api/staff", R"({"name":"new-hand","roles":"reviewer"})");
        changes("/api/staff/new-hand/roles", R"({"roles":"lead,reviewer"})");
        changes("/api/staff/new-hand/disable", "");
        CHECK(api.call("POST", "/api/staff/root-of-all/disable", admin).status == 409);

        CHECK(json::write(api.good("GET", "/api/upstreams", auditor)).find("\"bench\"") !=
              std::string::npos);
        CHECK(json::write(api.good("GET", "/api/models?limit=1", auditor)).find("\"next\":\"") !=
              std::string::npos);
        CHECK(api.good("GET", "/api/quotas", auditor).find("tenant") != nullptr);
        CHECK(api.good("GET", "/api/ledger", auditor).find("data")->if_array()->size() == 2);
        const auto chinese = test::run_tool(
            {"curl", "-sS", "-H", "Accept-Language: zh", running.url("/api/tenants")});
        CHECK(chinese.out.find("会话") != std::string::npos);
        // Nobody's password, code or number is in the log of the process.
        CHECK(running.service->err().find("13900139000") == std::string::npos);
    }
}

}  // namespace colophon
