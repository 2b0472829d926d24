// SPDX-License-Identifier: Apache-2.0
#pragma once

// The HTTP/1.1 server: connections, keep-alive and pipelining, limits, and a quiet end. What is
// asked for and answered is the handler's business.

#include "core/result.h"
#include "http/exchange.h"
#include "http/limits.h"
#include "http/loop.h"
#include "http/tls.h"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace colophon::http {

// Runs in the loop of the connection. What it leaves unanswered is answered with 500.
using Handler = std::function<Task<void>(Exchange&)>;

// Counted over all loops; may be read at any time.
struct ServerCounts {
    std::atomic<std::int64_t> connections{0};  // open now
    std::atomic<std::uint64_t> accepted{0};
    std::atomic<std::uint64_t> refused{0};    // connections beyond a limit
    std::atomic<std::uint64_t> malformed{0};  // requests that are no HTTP
    std::atomic<std::uint64_t> timeouts{0};
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::int64_t> active{0};  // requests that are being answered now
};

class Server {
public:
    // Answers what never reaches a handler, in the protocol of the service: status and message.
    using Refusal = std::function<std::string(int status, const Error& why)>;
    struct Options {
        ServerLimits limits;
        Handler handler;
        Refusal refusal;
        std::string refusal_type = "application/json";
    };

    // The loops must outlive the server and not run yet.
    Server(const std::vector<Loop*>& loops, Options options);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Before the loops run. With a TLS context the address speaks TLS only.
    Result<void> listen(const std::string& address, std::uint16_t port,
                        std::shared_ptr<TlsContext> tls = nullptr);
    // A socket that listens already (systemd).
    Result<void> adopt(int descriptor, std::shared_ptr<TlsContext> tls = nullptr);
    // Of the first address.
    std::uint16_t port() const noexcept;

    // From any thread: new connections get this context.
    void replace_tls(std::shared_ptr<TlsContext> tls);
    void set_limits(const ServerLimits& limits);

    // From any thread: takes no more connections, closes idle ones, lets calls that are going on
    // end. Calls `done` in the first loop's thread when nothing is left, or when `time` passed and
    // what was left was cut.
    void drain(std::chrono::milliseconds time, std::function<void()> done);

    const ServerCounts& counts() const noexcept;

    struct State;

private:
    std::unique_ptr<State> state_;
};

}  // namespace colophon::http
