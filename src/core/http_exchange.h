// SPDX-License-Identifier: Apache-2.0
#pragma once

// One HTTP request and its answer as a parameter: modules that speak to a service outside (identity
// to a verification provider, storage to an S3 store, governance to a webhook) take an HttpExchange
// and know nothing of sockets. The real one is http::make_client_exchange(); nothing is done here.

#include "core/bytes.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon {

struct HttpHeader {
    std::string name;
    std::string value;
};

// Fills a part of the span and says how many bytes; 0 only at the end of the body.
using HttpBodySource = std::function<Result<std::size_t>(std::span<std::uint8_t>)>;
// Takes the next bytes of the answer's body, in order. An Error ends the exchange with that error.
using HttpBodySink = std::function<Result<void>(Bytes)>;

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.url = ...}`.
struct HttpRequest {
    std::string method = "GET";
    std::string url = {};  // absolute, http or https; no user or password in it
    std::vector<HttpHeader> headers = {};

    // The body is `body`, which must outlive the exchange, or `source` when that is set; then
    // exactly `source_bytes` are taken from it.
    Bytes body = {};
    HttpBodySource source = {};
    std::uint64_t source_bytes = 0;

    // When set, the body of an answer with a status of 200 to 299 goes there and not into
    // HttpResponse::body.
    HttpBodySink sink = {};

    std::chrono::milliseconds connect_max{5'000};
    std::chrono::milliseconds total_max{30'000};     // from the call until the last byte
    std::uint64_t response_bytes_max = 1ULL << 20U;  // body, after transfer decoding
};
// NOLINTEND(readability-redundant-member-init)

struct HttpResponse {
    int status = 0;                   // 100 to 999, as the peer gave it
    std::vector<HttpHeader> headers;  // names in lower case; repeated ones stand repeated
    Buffer body;

    // The first header of that (lower-case) name, or nothing.
    std::string_view header(std::string_view name) const noexcept {
        for (const HttpHeader& each : headers) {
            if (each.name == name) {
                return each.value;
            }
        }
        return {};
    }
};

// Any status is an answer, 500 too. Errors:
//   kInvalidArgument  the request itself cannot be sent (its URL, a header with a line break)
//   kUnavailable      no connection, or it broke before the answer was whole
//   kLimit            connect_max or total_max passed
//   kCorrupt          the answer is no HTTP, or larger than response_bytes_max
//   kDenied           the peer is not who it should be (certificate, pin) or its address is barred
// and what source or sink returned. No message repeats the query of the URL, a header or a body.
// May be called by several threads at once.
using HttpExchange = std::function<Result<HttpResponse>(const HttpRequest&)>;

}  // namespace colophon
