// SPDX-License-Identifier: Apache-2.0
#pragma once

// The client for models: asynchronous, on the loop of the call it serves, with connections that are
// kept and used again, and answers that are read as they come. It verifies certificates and names,
// follows no redirects and unpacks nothing. (http/client.h is the blocking one.)

#include "core/result.h"
#include "http/loop.h"
#include "http/message.h"
#include "http/tls.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace colophon::http {

// "https://api.example.com:8443/base" taken apart.
struct Url {
    bool secure = false;
    std::string host;  // without brackets
    std::uint16_t port = 0;
    std::string path;  // with query; begins with a slash, or is empty

    std::string authority() const;  // as the Host field has it
};
// kInvalidArgument for anything but http and https, for user names and fragments.
Result<Url> parse_url(std::string_view text);

// NOLINTBEGIN(readability-redundant-member-init)
struct UpstreamTimes {
    std::chrono::milliseconds connect{5'000};
    std::chrono::milliseconds first_byte{60'000};  // from the request to the answer's head
    std::chrono::milliseconds idle{60'000};        // between two pieces of the answer
};

struct UpstreamRequest {
    std::string method = "POST";
    Url url = {};
    Headers headers = {};  // without Host, Content-Length and Connection
    std::string body = {};
    UpstreamTimes times = {};
    bool only_public = false;   // addresses of the own network are refused
    std::stop_token stop = {};  // ends the exchange at once
};
// NOLINTEND(readability-redundant-member-init)

// An answer whose body has not been read yet. Dropping it before its end closes the connection, so
// that the other side stops working for nobody.
class UpstreamResponse {
public:
    UpstreamResponse() = default;
    UpstreamResponse(const UpstreamResponse&) = delete;
    UpstreamResponse& operator=(const UpstreamResponse&) = delete;
    UpstreamResponse(UpstreamResponse&&) = delete;
    UpstreamResponse& operator=(UpstreamResponse&&) = delete;
    virtual ~UpstreamResponse() = default;

    virtual const ResponseHead& head() const noexcept = 0;
    // Appends the next piece of the body; 0 at its end. kUnavailable when it breaks off, kCorrupt
    // for broken framing, kLimit when it takes too long.
    virtual Task<Result<std::size_t>> read(std::string& into) = 0;
    // The rest of the body; kUnsupported when it has more than `bytes_max`.
    Task<Result<std::string>> read_all(std::size_t bytes_max);
    virtual const std::string& peer_address() const noexcept = 0;
};

// Belongs to one loop and is used in its thread only.
class Upstream {
public:
    struct Options {
        std::shared_ptr<TlsContext> tls;  // for https; without it https is refused
        std::size_t kept_max = 256;       // idle connections to one host
        std::chrono::milliseconds kept_time{30'000};
    };
    Upstream(Loop& loop, Options options);
    ~Upstream();
    Upstream(const Upstream&) = delete;
    Upstream& operator=(const Upstream&) = delete;
    Upstream(Upstream&&) = delete;
    Upstream& operator=(Upstream&&) = delete;

    // The head of the answer, whatever its status. A kept connection that turns out to be closed
    // before a single byte of the answer came is replaced once.
    //   kUnavailable  no connection, or it broke; or the call was given up
    //   kLimit        a time limit passed
    //   kDenied       the certificate is not trusted, or the address is barred
    //   kCorrupt      the answer is no HTTP
    Task<Result<std::unique_ptr<UpstreamResponse>>> send(UpstreamRequest request);

    struct State;

private:
    std::shared_ptr<State> state_;  // shared with answers, which give their connections back
};

}  // namespace colophon::http
