// SPDX-License-Identifier: Apache-2.0
#include "http/router.h"

#include "core/json.h"
#include "http/message.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::http {
namespace {

std::string_view next_segment(std::string_view& path) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    return segment;
}

std::optional<PathValues> match(std::string_view pattern, std::string_view path) {
    PathValues values;
    while (!pattern.empty()) {
        const std::string_view wanted = next_segment(pattern);
        if (wanted.ends_with("...}")) {
            auto rest = percent_decode(path);
            if (!rest || rest->empty()) {
                return std::nullopt;
            }
            values.push_back(std::move(*rest));
            return values;
        }
        const std::string_view given = next_segment(path);
        if (wanted.starts_with('{')) {
            auto value = percent_decode(given);
            if (!value || value->empty()) {
                return std::nullopt;
            }
            values.push_back(std::move(*value));
        } else if (wanted != given) {
            return std::nullopt;
        }
    }
    return path.empty() ? std::optional(values) : std::nullopt;
}

json::Value schema(const std::string& text) {
    auto parsed = json::parse(text);
    return parsed.ok() ? std::move(*parsed) : json::Value(json::Object{});
}

json::Value content(const std::string& text) {
    return json::Object{{"application/json", json::Object{{"schema", schema(text)}}}};
}

json::Array path_parameters(std::string_view pattern) {
    json::Array parameters;
    while (!pattern.empty()) {
        std::string_view segment = next_segment(pattern);
        if (segment.starts_with('{')) {
            segment = segment.substr(1, segment.size() - 2);
            if (segment.ends_with("...")) {
                segment.remove_suffix(3);
            }
            parameters.push_back(json::Object{{"name", std::string(segment)},
                                              {"in", "path"},
                                              {"required", true},
                                              {"schema", json::Object{{"type", "string"}}}});
        }
    }
    return parameters;
}

void add_query_parameters(const Route& route, json::Array& parameters) {
    for (const QueryField& each : route.query) {
        parameters.push_back(json::Object{{"name", each.name},
                                          {"in", "query"},
                                          {"description", each.summary},
                                          {"schema", json::Object{{"type", "string"}}}});
    }
}

// One of the two schemes is enough. The words are rights and roles, as OpenAPI 3.1 allows.
json::Array security_of(const Route& route) {
    json::Array security;
    if (!route.right.empty()) {
        security.push_back(json::Object{{"key", json::Array{route.right}}});
    }
    if (!route.roles.empty()) {
        json::Array roles;
        std::string_view rest = route.roles == "*" ? std::string_view() : route.roles;
        while (!rest.empty()) {
            const std::size_t end = std::min(rest.find(','), rest.size());
            roles.emplace_back(rest.substr(0, end));
            rest.remove_prefix(std::min(end + 1, rest.size()));
        }
        security.push_back(json::Object{{"session", std::move(roles)}});
    }
    return security;
}

json::Value operation_of(const Route& route) {
    json::Object operation{{"operationId", route.operation}, {"summary", route.summary}};
    json::Array parameters = path_parameters(route.pattern);
    add_query_parameters(route, parameters);
    if (!parameters.empty()) {
        operation.emplace_back("parameters", std::move(parameters));
    }
    if (!route.request_schema.empty()) {
        operation.emplace_back(
            "requestBody",
            json::Object{{"required", true}, {"content", content(route.request_schema)}});
    }
    json::Object good{{"description", "done"}};
    if (!route.response_schema.empty()) {
        good.emplace_back("content", content(route.response_schema));
    }
    json::Object refused{{"description", "refused or failed"}};
    refused.emplace_back(
        "content",
        json::Object{
            {"application/json",
             json::Object{{"schema", json::Object{{"$ref", "#/components/schemas/Error"}}}}}});
    operation.emplace_back("responses",
                           json::Object{{std::to_string(route.status), std::move(good)},
                                        {"default", std::move(refused)}});
    operation.emplace_back("security", security_of(route));
    return operation;
}

std::string openapi_path(std::string_view pattern) {
    std::string path(pattern);
    const std::size_t dots = path.find("...}");
    if (dots != std::string::npos) {
        path.erase(dots, 3);
    }
    return path;
}

constexpr const char* kErrorSchema =
    R"({"type":"object","required":["error"],"properties":{"error":{"type":"object",)"
    R"("required":["message","type"],"properties":{"message":{"type":"string"},)"
    R"("type":{"type":"string"},"param":{"type":["string","null"]},)"
    R"("code":{"type":["string","null"]},"category":{"type":"string"},)"
    R"("appeal":{"type":"string"}}}}})";

}  // namespace

void Router::add(Route route) {
    const std::size_t index = routes_.size();
    if (route.pattern.find('{') == std::string::npos) {
        literal_[route.pattern].push_back(index);
    } else {
        patterns_.push_back(index);
    }
    routes_.push_back(std::move(route));
}

Router::Match Router::find(std::string_view method, std::string_view path) const {
    Match match_found;
    const auto consider = [&](const Route& route, PathValues values) {
        match_found.allowed += match_found.allowed.empty() ? route.method : ", " + route.method;
        const bool head = method == "HEAD" && route.method == "GET";
        if (match_found.route == nullptr && (route.method == method || head)) {
            match_found.route = &route;
            match_found.values = std::move(values);
        }
    };
    if (const auto literal = literal_.find(path); literal != literal_.end()) {
        for (const std::size_t index : literal->second) {
            consider(routes_[index], {});
        }
        return match_found;
    }
    for (const std::size_t index : patterns_) {
        if (auto values = match(routes_[index].pattern, path)) {
            consider(routes_[index], std::move(*values));
        }
    }
    return match_found;
}

json::Value Router::openapi(std::string_view title, std::string_view version,
                            const std::vector<std::string>& prefixes) const {
    json::Object paths;
    for (const Route& route : routes_) {
        const bool wanted = std::ranges::any_of(
            prefixes, [&](const std::string& prefix) { return route.pattern.starts_with(prefix); });
        if (!wanted) {
            continue;
        }
        const std::string path = openapi_path(route.pattern);
        std::string method = route.method;
        std::ranges::transform(method, method.begin(), [](char c) {
            return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
        });
        auto there = std::ranges::find(paths, path, &json::Member::first);
        if (there == paths.end()) {
            paths.emplace_back(path, json::Object{});
            there = paths.end() - 1;
        }
        there->second.if_object()->emplace_back(method, operation_of(route));
    }
    return json::Object{
        {"openapi", "3.1.0"},
        {"info", json::Object{{"title", std::string(title)}, {"version", std::string(version)}}},
        {"paths", std::move(paths)},
        {"components",
         json::Object{
             {"securitySchemes",
              json::Object{{"key", json::Object{{"type", "http"}, {"scheme", "bearer"}}},
                           {"session", json::Object{{"type", "http"}, {"scheme", "bearer"}}}}},
             {"schemas", json::Object{{"Error", schema(kErrorSchema)}}}}}};
}

}  // namespace colophon::http
