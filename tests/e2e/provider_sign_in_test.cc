// SPDX-License-Identifier: Apache-2.0
// Staff who sign in by an OpenID Connect provider: somebody else's provider, a browser's cookies,
// and the whole way there and back.

#include "core/json.h"
#include "support/api_client.h"
#include "support/running_service.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon {
namespace {

using test::Api;
using test::Background;
using test::RunningService;

constexpr const char* kReturn = "https://colophon.example/api/session/provider/return";

struct House {
    test::TempDir dir;
    std::unique_ptr<Background> provider = std::make_unique<Background>(
        std::vector<std::string>{"/usr/bin/env", "node",
                                 COLOPHON_SOURCE_DIR "/tests/witness/identity_provider.mjs",
                                 COLOPHON_SOURCE_DIR "/build/witness/node_modules", kReturn},
        dir.file("provider"));
    std::string issuer = address();
    RunningService service{section(), {"SIGN_IN_SECRET=hush %&+="}};
    Api api{service};

    std::string address() const {
        for (int i = 0; i < 300; ++i) {
            const std::string out = provider->out();
            const std::size_t end = out.find('\n', out.find("http://"));
            if (out.find("http://") != std::string::npos && end != std::string::npos) {
                return out.substr(out.find("http://"), end - out.find("http://"));
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(100));
        }
        FAIL("the provider did not start: " << provider->err());
        return {};
    }
    std::string section() const {
        return "[sign_in]\nissuer = \"" + issuer +
               "\"\nclient_id = \"colophon\"\nclient_secret = \"env:SIGN_IN_SECRET\"\n"
               "redirect_url = \"" +
               kReturn + "\"\nrequired_method = \"otp\"\n";
    }
    std::string make_staff(const std::string& name, const std::string& person) const {
        service.ok({"admin", "user", "create", name, "--roles", "reviewer"});
        return service.ok({"admin", "user", "link", name, "--issuer", issuer, "--person", person});
    }
};

// Headers and body of one answer.
struct Page {
    int status = 0;
    std::string head;
    json::Value body;

    std::string header(const std::string& name) const {
        const std::size_t at = head.find("\r\n" + name + ": ");
        const std::size_t from = at + name.size() + 4;
        return at == std::string::npos ? "" : head.substr(from, head.find("\r\n", from) - from);
    }
};

// A browser, with the cookies that it was given by each.
struct Browser {
    test::TempDir dir;
    std::string ours;  // the cookie of the service

    Page get(const std::string& url, const std::vector<std::string>& more = {}) const {
        std::vector<std::string> command{"curl", "-sS",           "-m", "30",           "-i",
                                         "-c",   dir.file("jar"), "-b", dir.file("jar")};
        command.insert(command.end(), more.begin(), more.end());
        command.push_back(url);
        const std::string out = test::run_tool(command).out;
        Page page;
        REQUIRE(out.size() > 12);
        page.status = std::stoi(out.substr(9, 3));
        const std::size_t end = out.find("\r\n\r\n");
        page.head = out.substr(0, end);
        if (auto parsed = json::parse(out.substr(end + 4)); parsed.ok()) {
            page.body = std::move(*parsed);
        }
        return page;
    }
    // To the provider, and through its page; what comes back, from the question mark on.
    std::string visit(const House& house, const std::string& name, const std::string& by) {
        const Page begun = get(house.service.url("/api/session/provider"));
        REQUIRE(begun.status == 302);
        const std::string cookie = begun.header("set-cookie");
        ours = cookie.substr(0, cookie.find(';'));
        CHECK(cookie.find("; Path=/api/session/provider; ") != std::string::npos);
        CHECK(cookie.find("; HttpOnly; SameSite=Lax; Secure") != std::string::npos);
        CHECK(begun.header("location") == begun.body.string_or("url", ""));
        const Page form = get(begun.header("location"));
        REQUIRE_MESSAGE(form.status == 303, form.head);
        std::string next = form.header("Location") + "?name=" + name + "&by=pwd&by=" + by;
        for (int i = 0; i < 5; ++i) {
            const Page page = get(next.starts_with("/") ? house.issuer + next : next);
            REQUIRE_MESSAGE(page.status == 303, page.head);
            next = page.header("Location");
            if (next.starts_with(kReturn)) {
                return next.substr(next.find('?'));
            }
        }
        FAIL("the provider never sent the browser back: " << next);
        return {};
    }
    Page come_back(const House& house, const std::string& query, const std::string& cookie) const {
        return get(house.service.url("/api/session/provider/return" + query),
                   {"-H", "Cookie: theme=dark; " + cookie + "; last=1"});
    }
};

}  // namespace

TEST_CASE("staff sign in by somebody else's OpenID Connect provider") {
    House house;
    house.make_staff("zhou", "person-17");
    house.service.start();

    Browser browser;
    const std::string query = browser.visit(house, "person-17", "otp");
    CHECK(query.find("iss=") != std::string::npos);
    const Page signed_in = browser.come_back(house, query, browser.ours);
    REQUIRE_MESSAGE(signed_in.status == 201, json::write(signed_in.body));
    CHECK(signed_in.body.string_or("name", "") == "zhou");
    CHECK(signed_in.body.string_or("roles", "") == "reviewer");
    CHECK(signed_in.header("set-cookie").find("Max-Age=0") != std::string::npos);
    CHECK(signed_in.header("cache-control") == "no-store");
    const std::string token = signed_in.body.string_or("token", "");
    CHECK(house.api.good("GET", "/api/session", token).string_or("name", "") == "zhou");
    CHECK(house.api.call("GET", "/api/review/items", token).status == 200);
    CHECK(house.api.call("GET", "/api/staff", token).status == 403);

    // The same way back leads nowhere a second time.
    CHECK(browser.come_back(house, query, browser.ours).status == 401);
    // The account has no password any more.
    const json::Object attempt{
        {"name", "zhou"}, {"password", "evening rain"}, {"second", "000000"}};
    CHECK(house.api.call("POST", "/api/session", "", json::write(attempt)).status == 401);
    house.service.ok({"admin", "user", "disable", "zhou"});
    CHECK(house.api.call("GET", "/api/session", token).status == 401);
}

TEST_CASE("who is not linked, came without a second factor, or by another's link is refused") {
    House house;
    house.make_staff("zhou", "person-17");
    house.service.start();

    Browser stranger;
    const std::string unknown = stranger.visit(house, "person-18", "otp");
    const Page refused = stranger.come_back(house, unknown, stranger.ours);
    CHECK(refused.status == 401);
    CHECK(refused.body.find("token") == nullptr);

    Browser weak;
    const std::string by_password = weak.visit(house, "person-17", "pin");
    CHECK(weak.come_back(house, by_password, weak.ours).status == 401);

    Browser turned_away;
    const std::string denied = turned_away.visit(house, "nobody", "otp");
    CHECK(denied.find("error=access_denied") != std::string::npos);
    CHECK(turned_away.come_back(house, denied, turned_away.ours).status == 401);

    // Somebody sends his own way back to another: it is no sign-in of that browser.
    Browser attacker;
    const std::string link = attacker.visit(house, "person-17", "otp");
    Browser victim;
    (void)victim.visit(house, "person-17", "otp");
    CHECK(victim.come_back(house, link, victim.ours).status == 401);
    CHECK(victim.come_back(house, link, "colophon_sign_in=").status == 401);
    CHECK(victim.come_back(house, "", victim.ours).status == 401);
    CHECK(
        victim.come_back(house, "?state=%00&code=" + std::string(3000, 'x'), victim.ours).status ==
        401);
}

TEST_CASE("a provider that is gone is an error, and none at all is said to be none") {
    House house;
    house.service.start();
    house.provider.reset();
    const Browser browser;
    const Page gone = browser.get(house.service.url("/api/session/provider"));
    CHECK(gone.status == 503);
    CHECK(gone.header("set-cookie").empty());

    RunningService alone;
    alone.start();
    const Page none = browser.get(alone.url("/api/session/provider"));
    CHECK(none.status == 404);
    CHECK(json::write(none.body).find("[sign_in]") != std::string::npos);
}

TEST_CASE("a wrong section is refused before anything starts, and says which key") {
    const auto said = [](const std::string& lines) {
        const RunningService service("[sign_in]\n" + lines, {"SIGN_IN_SECRET=x"});
        const test::ToolRun run = service.colophon({"serve", "--check-config"});
        CHECK(run.exit_code == 64);
        return run.err;
    };
    const std::string good =
        "issuer = \"https://id.example\"\nclient_id = \"c\"\n"
        "client_secret = \"env:SIGN_IN_SECRET\"\n";
    const std::string back = std::string("redirect_url = \"") + kReturn + "\"\n";
    CHECK(said("issuer = \"https://id.example\"\n").find("sign_in.client_secret") !=
          std::string::npos);
    CHECK(said(good).find("sign_in.redirect_url") != std::string::npos);
    CHECK(said(good + "redirect_url = \"https://colophon.example/else\"\n")
              .find("/api/session/provider/return") != std::string::npos);
    CHECK(said("issuer = \"http://id.example\"\nclient_id = \"c\"\n"
               "client_secret = \"env:SIGN_IN_SECRET\"\n" +
               back)
              .find("sign_in.issuer") != std::string::npos);
    CHECK(said("client_secret = \"the secret itself\"\n").find("file:PATH") != std::string::npos);
}

}  // namespace colophon
