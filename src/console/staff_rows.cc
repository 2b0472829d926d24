// SPDX-License-Identifier: Apache-2.0
// /api/session: signing in and out. /api/staff: accounts.
#include "console/forms.h"
#include "console/internal/rows.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/external_identity.h"
#include "identity/staff.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace colophon::console {

json::Object session_form(const identity::StaffSession& session) {
    return {{"user", to_string(session.staff)},
            {"name", session.name},
            {"roles", identity::format_roles(session.roles)},
            {"must_change", session.must_change}};
}

namespace {

Result<json::Value> sign_in(const ApiCall& call) {
    identity::Staff staff = call.parts.staff(call.actor);
    const identity::SignIn attempt{.name = TRY(required_text(call, "name")),
                                   .password = TRY(required_text(call, "password")),
                                   .second = TRY(required_text(call, "second")),
                                   .address = call.actor.source_address};
    const std::string token = TRY(staff.sign_in(attempt));
    json::Object form = session_form(TRY(staff.session(token)));
    form.emplace_back("token", token);
    return json::Value(std::move(form));
}

Result<json::Value> show_session(const ApiCall& call) {
    return json::Value(session_form(*call.caller.session));
}

Result<json::Value> sign_out(const ApiCall& call) {
    TRY(call.parts.staff(call.actor).sign_out(call.caller.token));
    return json::Value(json::Object{{"signed_out", true}});
}

Result<json::Value> change_password(const ApiCall& call) {
    identity::Staff staff = call.parts.staff(call.actor);
    const std::string old_password = TRY(required_text(call, "old"));
    const std::string new_password = TRY(required_text(call, "new"));
    TRY(staff.change_password(call.caller.token, old_password, new_password));
    return json::Value(session_form(TRY(staff.session(call.caller.token))));
}

Result<json::Value> list_staff(const ApiCall& call) {
    const Page page = TRY(page_of(call));
    json::Array all;
    for (const identity::StaffEntry& each : TRY(call.parts.staff({}).list())) {
        all.emplace_back(staff_form(each));
    }
    return page_list(page, std::move(all), "user");
}

Result<json::Value> create_staff(const ApiCall& call) {
    identity::Staff staff = call.parts.staff(call.actor);
    const std::string name = TRY(required_text(call, "name"));
    const std::string words = TRY(required_text(call, "roles"));
    const std::uint32_t roles = TRY(identity::parse_roles(words));
    const identity::StaffSecrets secrets = TRY(staff.create(name, roles));
    return json::Value(staff_form(TRY(staff.find(name)), secrets));
}

Result<identity::StaffEntry> staff_of_path(const ApiCall& call) {
    return call.parts.staff({}).find(call.values.front());
}

Result<json::Value> show_staff(const ApiCall& call) {
    return json::Value(staff_form(TRY(staff_of_path(call))));
}

Result<json::Value> set_roles(const ApiCall& call) {
    const std::string words = TRY(required_text(call, "roles"));
    const std::uint32_t roles = TRY(identity::parse_roles(words));
    const identity::StaffEntry entry = TRY(staff_of_path(call));
    TRY(call.parts.staff(call.actor).set_roles(entry.id, roles));
    return show_staff(call);
}

Result<json::Value> link_staff(const ApiCall& call) {
    const identity::ExternalIdentity who{.issuer = TRY(required_text(call, "issuer")),
                                         .subject = TRY(required_text(call, "person"))};
    const identity::StaffEntry entry = TRY(staff_of_path(call));
    TRY(call.parts.staff(call.actor).link(entry.id, who));
    return show_staff(call);
}

Result<json::Value> reset_staff(const ApiCall& call) {
    const identity::StaffEntry entry = TRY(staff_of_path(call));
    const identity::StaffSecrets secrets = TRY(call.parts.staff(call.actor).reset(entry.id));
    return json::Value(staff_form(TRY(staff_of_path(call)), secrets));
}

// Nobody disables himself: somebody must be left who can undo it.
Result<json::Value> disable_staff(const ApiCall& call) {
    const identity::StaffEntry entry = TRY(staff_of_path(call));
    if (entry.id == call.caller.session->staff) {
        return Error{ErrorCode::kConflict, "nobody disables the account that he is signed in with"};
    }
    TRY(call.parts.staff(call.actor).set_disabled(entry.id, true));
    return show_staff(call);
}

Result<json::Value> enable_staff(const ApiCall& call) {
    const identity::StaffEntry entry = TRY(staff_of_path(call));
    TRY(call.parts.staff(call.actor).set_disabled(entry.id, false));
    return show_staff(call);
}

ApiRow act(const char* pattern, const char* operation, const char* summary, const char* schema,
           ApiHandler handle) {
    return {.method = "POST",
            .pattern = pattern,
            .operation = operation,
            .summary = summary,
            .roles = "admin",
            .request_schema = schema,
            .handle = handle};
}

}  // namespace

std::vector<ApiRow> session_rows() {
    return {{.method = "POST",
             .pattern = "/api/session",
             .operation = "session.begin",
             .summary = "sign in with both factors; the token is the session's bearer",
             .request_schema =
                 R"({"type":"object","required":["name","password","second"],"properties":{)"
                 R"("name":{"type":"string"},"password":{"type":"string"},)"
                 R"("second":{"type":"string"}}})",
             .status = 201,
             .handle = sign_in},
            {.method = "GET",
             .pattern = "/api/session",
             .operation = "session.show",
             .summary = "who is signed in",
             .roles = kAnySession,
             .handle = show_session},
            {.method = "DELETE",
             .pattern = "/api/session",
             .operation = "session.end",
             .summary = "sign out",
             .roles = kAnySession,
             .handle = sign_out},
            {.method = "POST",
             .pattern = "/api/session/password",
             .operation = "session.password",
             .summary = "change the own password; other sessions end",
             .roles = kAnySession,
             .request_schema = R"({"type":"object","required":["old","new"],"properties":{)"
                               R"("old":{"type":"string"},"new":{"type":"string"}}})",
             .handle = change_password}};
}

std::vector<ApiRow> staff_rows() {
    constexpr const char* kRolesSchema =
        R"({"type":"object","required":["roles"],"properties":{"roles":{"type":"string"}}})";
    return {{.method = "GET",
             .pattern = "/api/staff",
             .operation = "staff.list",
             .summary = "all accounts",
             .roles = "admin,auditor",
             .query = {kLimitField, kAfterField},
             .handle = list_staff},
            {.method = "POST",
             .pattern = "/api/staff",
             .operation = "staff.create",
             .summary = "make an account; its secrets are in this answer only",
             .roles = "admin",
             .request_schema = R"({"type":"object","required":["name","roles"],"properties":{)"
                               R"("name":{"type":"string"},"roles":{"type":"string"}}})",
             .status = 201,
             .handle = create_staff},
            {.method = "GET",
             .pattern = "/api/staff/{name}",
             .operation = "staff.show",
             .summary = "one account",
             .roles = "admin,auditor",
             .handle = show_staff},
            act("/api/staff/{name}/roles", "staff.roles", "give an account other roles",
                kRolesSchema, set_roles),
            act("/api/staff/{name}/link", "staff.link",
                "let an account sign in by an OpenID Connect provider alone",
                R"({"type":"object","required":["issuer","person"],"properties":{)"
                R"("issuer":{"type":"string"},"person":{"type":"string"}}})",
                link_staff),
            act("/api/staff/{name}/reset", "staff.reset",
                "new password, authenticator and codes, in this answer only; sessions end", "",
                reset_staff),
            act("/api/staff/{name}/disable", "staff.disable",
                "end the sessions of an account and let it sign in no more", "", disable_staff),
            act("/api/staff/{name}/enable", "staff.enable", "let a disabled account sign in again",
                "", enable_staff)};
}

}  // namespace colophon::console
