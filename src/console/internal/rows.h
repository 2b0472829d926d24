// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows of the management API, and what their handlers get.

#include "console/api.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "http/message.h"
#include "http/router.h"
#include "identity/staff.h"
#include "identity/tenants.h"
#include "ledger/conduct.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::console {

inline constexpr std::size_t kApiBodyBytesMax = 64U << 10U;
inline constexpr std::size_t kApiPageMax = 1000;
inline constexpr std::size_t kApiPageUsual = 100;

// Who calls: one of the two, or nobody.
struct ApiCaller {
    std::optional<identity::Caller> key;
    std::optional<identity::StaffSession> session;
    std::string token;  // of the session
};

struct ApiCall {
    const ApiParts& parts;
    const http::Request& request;
    const http::PathValues& values;
    const json::Value& body;  // an object
    const ApiCaller& caller;
    const ledger::Actor& actor;
    http::Headers& headers;  // of the answer, when it is a good one
};

// Blocks. What it returns is the answer's body.
using ApiHandler = Result<json::Value> (*)(const ApiCall& call);

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.method = ...}`.
struct ApiRow {
    const char* method;
    const char* pattern;
    const char* operation;
    const char* summary;
    // The scope of an API key that may call; empty: no key may.
    const char* scope = "";
    // Roles that may call, with commas; kAnySession; empty: no session may. Both empty: everybody.
    const char* roles = "";
    std::vector<http::QueryField> query = {};
    const char* request_schema = "";
    int status = 200;
    ApiHandler handle = nullptr;
    std::size_t body_bytes_max = kApiBodyBytesMax;
    bool looks = false;  // at files, which may take long: runs on ApiParts::looking
};
// NOLINTEND(readability-redundant-member-init)
inline constexpr const char* kAnySession = "*";

std::vector<ApiRow> session_rows();
std::vector<ApiRow> provider_rows();
std::vector<ApiRow> tenant_rows();
std::vector<ApiRow> key_rows();
std::vector<ApiRow> subject_rows();
std::vector<ApiRow> staff_rows();
std::vector<ApiRow> ledger_rows();
std::vector<ApiRow> settings_rows();
std::vector<ApiRow> agreement_rows();
std::vector<ApiRow> library_rows();
std::vector<ApiRow> review_rows();

// The text of that member of the body. kInvalidArgument names it when it is missing or no text.
Result<std::string> required_text(const ApiCall& call, std::string_view name);
// The same, or `otherwise` when it is missing.
Result<std::string> optional_text(const ApiCall& call, std::string_view name,
                                  std::string_view otherwise);
// A list of texts; empty when it is missing.
Result<std::vector<std::string>> optional_texts(const ApiCall& call, std::string_view name);
Result<bool> optional_flag(const ApiCall& call, std::string_view name);
Result<std::int64_t> optional_number(const ApiCall& call, std::string_view name,
                                     std::int64_t otherwise, std::int64_t most);
// Who is signed in.
json::Object session_form(const identity::StaffSession& session);

// A message of ours as Accept-Language wants it.
std::string in_callers_language(const ApiCall& call, std::string_view message);
// The field of the query; nothing when it is missing or empty.
std::optional<std::string> asked(const ApiCall& call, std::string_view name);

// The tenant of the path's first value, by id or name; "self" is that of the key. kNotFound for
// what the caller may not see.
Result<identity::Tenant> tenant_of_path(const ApiCall& call);
Result<identity::Tenant> find_tenant(const ApiCall& call, const std::string& text);

// One page of a list: {"data": [...], "next": ID or null}.
struct Page {
    std::size_t limit = kApiPageUsual;
    std::optional<std::string> after;
};
Result<Page> page_of(const ApiCall& call);
// `all` in their order, after the one whose `id` member is page.after. kNotFound when none is.
Result<json::Value> page_list(const Page& page, json::Array all, std::string_view id);

inline const http::QueryField kLimitField{"limit", "how many, 1 to 1000; usually 100"};
inline const http::QueryField kAfterField{"after", "\"next\" of the page before"};

}  // namespace colophon::console
