// SPDX-License-Identifier: Apache-2.0
#pragma once

// One table of what is served: it finds the handler, says who may call it, and describes itself as
// OpenAPI 3.1, so that none of the three can say something else.

#include "core/json.h"
#include "http/exchange.h"
#include "http/loop.h"

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::http {

// Values of the {names} of a pattern, their escapes undone, in their order.
using PathValues = std::vector<std::string>;

struct QueryField {
    std::string name;
    std::string summary;
};

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.method = ...}`.
struct Route {
    std::string method;     // "POST"
    std::string pattern;    // "/v1/records/{id}"; a name that ends in "..." takes slashes too
    std::string operation;  // operationId, and the name in metrics and logs: "chat.completions"
    // Who may call: a program whose key holds this right, or a person whose session has one of the
    // roles, with commas, "*" for any. Both empty: everybody.
    std::string right;
    std::string summary;  // one line for people
    // JSON Schemas, or empty.
    std::string request_schema = {};
    std::string response_schema = {};
    std::string roles = {};
    std::vector<QueryField> query = {};
    int status = 200;  // of an answer
    std::function<Task<void>(Exchange&, const Route&, PathValues)> handle;
};
// NOLINTEND(readability-redundant-member-init)

class Router {
public:
    void add(Route route);

    struct Match {
        const Route* route = nullptr;  // nothing: no such path, or not with that method
        PathValues values;
        std::string allowed;  // the methods of a path that is there: "GET, HEAD"
    };
    Match find(std::string_view method, std::string_view path) const;

    const std::vector<Route>& routes() const noexcept { return routes_; }
    // Of the routes whose path begins with one of `prefixes`.
    json::Value openapi(std::string_view title, std::string_view version,
                        const std::vector<std::string>& prefixes) const;

private:
    std::vector<Route> routes_;
    std::map<std::string, std::vector<std::size_t>, std::less<>> literal_;
    std::vector<std::size_t> patterns_;
};

}  // namespace colophon::http
