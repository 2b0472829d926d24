// SPDX-License-Identifier: Apache-2.0
#pragma once

// GET of something that an address from outside names: a bound on bytes, on time and on redirects,
// all of them together. A redirect leads to http or https and never from https to http; where it
// leads the exchange judges like any other address (Reach).

#include "core/bytes.h"
#include "core/http_exchange.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::http {

// NOLINTBEGIN(readability-redundant-member-init): as in client.h
struct FetchOptions {
    std::vector<HttpHeader> headers = {};
    std::uint64_t bytes_max = 1ULL << 20U;
    std::chrono::milliseconds connect_max{5'000};
    std::chrono::milliseconds total_max{10'000};  // redirects included
    int redirects_max = 3;
};
// NOLINTEND(readability-redundant-member-init)

struct Fetched {
    Buffer body;
    std::string media_type;  // of Content-Type, in lower case and without parameters; may be empty
};

// The body of the answer with status 200. As the exchange; and kDenied for a redirect that is not
// followed, kLimit for too many, kUnavailable for any other status.
Result<Buffer> fetch(const HttpExchange& exchange, const std::string& url,
                     const FetchOptions& options);
// The same with what the server says that it is.
Result<Fetched> fetch_typed(const HttpExchange& exchange, const std::string& url,
                            const FetchOptions& options);

// Where a redirect from `from`, an http or https address, leads: `location` may be relative.
// Nothing for another scheme, from https to http, and what is no address.
std::optional<std::string> redirect_target(std::string_view from, std::string_view location);

}  // namespace colophon::http
