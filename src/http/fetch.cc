// SPDX-License-Identifier: Apache-2.0
#include "http/fetch.h"

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "core/result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::http {
namespace {

constexpr std::string_view kPlain = "http://";
constexpr std::string_view kSecure = "https://";

bool is_redirect(int status) noexcept {
    constexpr std::array kStatuses{301, 302, 303, 307, 308};
    return std::ranges::find(kStatuses, status) != kStatuses.end();
}

// For messages: without what may hold a secret.
std::string_view shown(std::string_view url) noexcept {
    return url.substr(0, std::min<std::size_t>(url.find_first_of("?#"), 200));
}

// "mailto:x" and "file:///x" name a scheme, "a/b:c" does not.
bool names_scheme(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && colon < text.find_first_of("/?#");
}

}  // namespace

std::optional<std::string> redirect_target(std::string_view from, std::string_view location) {
    const bool secure = from.starts_with(kSecure);
    if (location.empty() || (!secure && !from.starts_with(kPlain))) {
        return std::nullopt;
    }
    const std::size_t host = secure ? kSecure.size() : kPlain.size();
    std::string target;
    if (names_scheme(location)) {
        target = location;
    } else if (location.starts_with("//")) {
        target = std::string(secure ? "https:" : "http:") + std::string(location);
    } else {
        from = from.substr(0, from.find_first_of("?#"));
        const std::size_t path = std::min(from.find('/', host), from.size());
        const std::size_t last = from.find_last_of('/');
        // Relative to the folder; "/x" to the host.
        const bool rooted = location.starts_with('/');
        const std::string_view base = rooted || last < path || path == from.size()
                                          ? from.substr(0, path)
                                          : from.substr(0, last + 1);
        const bool bare = !rooted && base.size() == path;
        target = std::string(base) + (bare ? "/" : "") + std::string(location);
    }
    target = target.substr(0, target.find('#'));
    const bool followed = target.starts_with(kSecure) || (!secure && target.starts_with(kPlain));
    return followed ? std::optional(std::move(target)) : std::nullopt;
}

namespace {

std::string media_type_of(std::string_view header) {
    std::string type(header.substr(0, header.find(';')));
    while (!type.empty() && type.back() == ' ') {
        type.pop_back();
    }
    std::ranges::transform(type, type.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return type;
}

}  // namespace

Result<Buffer> fetch(const HttpExchange& exchange, const std::string& url,
                     const FetchOptions& options) {
    return TRY(fetch_typed(exchange, url, options)).body;
}

Result<Fetched> fetch_typed(const HttpExchange& exchange, const std::string& url,
                            const FetchOptions& options) {
    const auto end = std::chrono::steady_clock::now() + options.total_max;
    std::string at = url;
    for (int redirects = 0; redirects <= options.redirects_max; ++redirects) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return Error{ErrorCode::kLimit, fmt::format("{} did not answer within {} ms",
                                                        shown(url), options.total_max.count())};
        }
        HttpResponse answer = TRY(exchange({.url = at,
                                            .headers = options.headers,
                                            .connect_max = std::min(options.connect_max, left),
                                            .total_max = left,
                                            .response_bytes_max = options.bytes_max}));
        if (answer.status == 200) {
            std::string type = media_type_of(answer.header("content-type"));
            return Fetched{.body = std::move(answer.body), .media_type = std::move(type)};
        }
        if (!is_redirect(answer.status)) {
            return Error{ErrorCode::kUnavailable,
                         fmt::format("{} answered with status {}", shown(at), answer.status)};
        }
        auto next = redirect_target(at, answer.header("location"));
        if (!next) {
            return Error{ErrorCode::kDenied,
                         fmt::format("{} leads to '{}', which is not followed", shown(at),
                                     shown(answer.header("location")))};
        }
        at = *std::move(next);
    }
    return Error{ErrorCode::kLimit,
                 fmt::format("{} leads from one address to the next, more than {} times",
                             shown(url), options.redirects_max)};
}

}  // namespace colophon::http
