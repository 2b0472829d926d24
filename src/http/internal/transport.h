// SPDX-License-Identifier: Apache-2.0
#pragma once

// A connected socket, with or without TLS, as coroutines use it. One read and one write may be
// going on at a time. It has one deadline (Expiring); when that passes the socket is closed, and
// whatever was going on ends with an error.

#include "core/result.h"
#include "http/loop.h"
#include "http/tls.h"

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::http {

class Transport final : public Expiring {
public:
    struct Native;
    using Done = std::function<void(Result<std::size_t>)>;

    Transport(Loop& loop, std::unique_ptr<Native> native);
    ~Transport() override;
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;
    Transport(Transport&&) = delete;
    Transport& operator=(Transport&&) = delete;

    void expire() override;
    bool expired() const noexcept { return expired_; }

    // Appends what comes next, and says how many bytes; 0 at the end of the stream. Without TLS no
    // memory is held while nothing comes.
    void read(std::string& into, Done done);
    // All of both.
    void write(std::string_view first, std::string_view second, Done done);
    // What is going on ends with an error; the descriptor is free at once.
    void close() noexcept;
    // Tells the peer that nothing more comes; reading goes on.
    void end_writing() noexcept;
    bool is_open() const noexcept;
    // Whether the peer has closed an idle connection, or said something unasked.
    bool is_stale() noexcept;

    Task<Result<void>> accept_tls(std::shared_ptr<TlsContext> context);
    Task<Result<void>> connect_tls(std::shared_ptr<TlsContext> context, std::string host);
    // Says goodbye; without TLS nothing.
    Task<void> end_tls();

    struct Peer {
        std::string address;  // as inet_ntop writes it
        std::uint16_t port = 0;
    };
    // Who the peer is; asked of the system once.
    const Peer& peer();
    Peer local() const;

private:
    Loop& loop_;
    std::unique_ptr<Native> native_;
    std::optional<Peer> peer_;
    bool expired_ = false;
};

// co_await on what takes a Done. When that is called at once, the coroutine does not even stop.
template <class Start>
class IoAwaiter {
public:
    explicit IoAwaiter(Start start) : start_(std::move(start)) {}
    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> waiting) {
        start_([this, waiting](Result<std::size_t> result) {
            result_ = std::move(result);
            done_ = true;
            if (suspended_) {
                waiting.resume();
            }
        });
        suspended_ = true;
        return !done_;
    }
    Result<std::size_t> await_resume() { return std::move(result_); }

private:
    Start start_;
    Result<std::size_t> result_{std::size_t{0}};
    bool done_ = false;
    bool suspended_ = false;
};

struct Address {
    std::string host;
    std::uint16_t port = 0;
};

// kUnavailable when the name is not known or nobody answers, kLimit when `time` passed, kDenied for
// an address that is not public where that is asked for.
struct ConnectOptions {
    std::chrono::milliseconds time{5'000};
    bool only_public = false;
};
Task<Result<std::unique_ptr<Transport>>> connect(Loop& loop, Address to, ConnectOptions options,
                                                 std::stop_token stop);

// A socket that takes connections.
class Listener {
public:
    struct Native;
    // Listens on an address, port 0 being any that is free, and shares it with the other loops of
    // this process.
    static Result<std::unique_ptr<Listener>> open(Loop& loop, const Address& at);
    // Takes over a descriptor that listens already.
    static Result<std::unique_ptr<Listener>> adopt(Loop& loop, int descriptor);
    explicit Listener(Loop& loop, std::unique_ptr<Native> native);
    ~Listener();
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;

    std::uint16_t port() const;
    int descriptor() const;
    // kUnavailable after close(), and when the process has no descriptor left (kLimit).
    Task<Result<std::unique_ptr<Transport>>> accept();
    void close() noexcept;

private:
    Loop& loop_;
    std::unique_ptr<Native> native_;
};

}  // namespace colophon::http
