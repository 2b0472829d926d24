// SPDX-License-Identifier: Apache-2.0
// /api/session/provider: signing in by an OpenID Connect provider. A browser is sent there and
// comes back with a code; a cookie that no script reads ties the two, so that nobody is signed in
// as somebody else by a link (RFC 9700, section 4.7).
#include "console/internal/rows.h"
#include "core/json.h"
#include "core/result.h"
#include "http/message.h"
#include "identity/external_identity.h"
#include "identity/oidc.h"
#include "identity/staff.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::console {
namespace {

constexpr std::string_view kCookie = "colophon_sign_in";

// Of the sign-in alone: sent to /api/session/provider and what is below, and to nobody else.
std::string cookie_of(std::string_view value, std::chrono::seconds life, bool secure) {
    return fmt::format("{}={}; Path=/api/session/provider; Max-Age={}; HttpOnly; SameSite=Lax{}",
                       kCookie, value, life.count(), secure ? "; Secure" : "");
}

// The value of our cookie; empty when there is none. RFC 6265, section 4.2.1.
std::string cookie_value(std::string_view header) {
    while (!header.empty()) {
        const std::string_view pair = header.substr(0, header.find(';'));
        header.remove_prefix(pair.size() < header.size() ? pair.size() + 1 : header.size());
        const std::size_t start = pair.find_first_not_of(' ');
        const std::string_view named = start == std::string_view::npos ? "" : pair.substr(start);
        const std::size_t equals = named.find('=');
        if (equals != std::string_view::npos && named.substr(0, equals) == kCookie) {
            return std::string(named.substr(equals + 1));
        }
    }
    return {};
}

Result<identity::Oidc*> provider_of(const ApiCall& call) {
    if (call.parts.provider == nullptr) {
        return Error{
            ErrorCode::kNotFound,
            "this server has no sign-in provider; [sign_in] of its configuration names one"};
    }
    return call.parts.provider;
}

Result<json::Value> begin(const ApiCall& call) {
    identity::Oidc* provider = TRY(provider_of(call));
    const identity::Oidc::Begun begun = TRY(provider->begin());
    call.headers.push_back({"location", begun.url});
    call.headers.push_back({"set-cookie", cookie_of(begun.browser, identity::kOidcFlowLife,
                                                    provider->returns_by_tls())});
    return json::Value(json::Object{{"url", begun.url}});
}

Result<json::Value> finish(const ApiCall& call) {
    identity::Oidc* provider = TRY(provider_of(call));
    const identity::Oidc::Returned returned{.state = asked(call, "state").value_or(""),
                                            .code = asked(call, "code").value_or(""),
                                            .issuer = asked(call, "iss").value_or(""),
                                            .browser = cookie_value(call.request.header("cookie"))};
    const identity::ExternalIdentity who = TRY(provider->finish(returned));
    identity::Staff staff = call.parts.staff(call.actor);
    const std::string token = TRY(staff.sign_in(who));
    const identity::StaffSession session = TRY(staff.session(token));
    // The cookie has done its work; one that did not help goes by itself.
    call.headers.push_back(
        {"set-cookie", cookie_of("", std::chrono::seconds{0}, provider->returns_by_tls())});
    json::Object form = session_form(session);
    form.emplace_back("token", token);
    return json::Value(std::move(form));
}

}  // namespace

std::vector<ApiRow> provider_rows() {
    return {{.method = "GET",
             .pattern = "/api/session/provider",
             .operation = "session.provider",
             .summary = "send the browser to the OpenID Connect provider",
             .status = 302,
             .handle = begin},
            {.method = "GET",
             .pattern = "/api/session/provider/return",
             .operation = "session.provider_return",
             .summary = "where the provider sends the browser back to; the token is the session's "
                        "bearer",
             .query = {{"state", "what the sign-in began with"},
                       {"code", "of the provider, for one use"},
                       {"iss", "the provider's name of itself (RFC 9207)"},
                       {"error", "what the provider says instead of a code"}},
             .status = 201,
             .handle = finish}};
}

}  // namespace colophon::console
