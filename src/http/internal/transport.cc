// SPDX-License-Identifier: Apache-2.0
#include "http/internal/transport.h"

#include "core/result.h"
#include "http/client.h"
#include "http/internal/native.h"
#include "http/internal/native_tls.h"
#include "http/loop.h"
#include "http/tls.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr int kBacklog = 4096;
constexpr std::size_t kTlsReadBytes = 16U << 10U;

Error failed_io(const error_code& failed, bool expired) {
    if (expired) {
        return Error{ErrorCode::kLimit, "the peer took too long"};
    }
    return Error{ErrorCode::kUnavailable,
                 fmt::format("the connection failed: {}", failed.message())};
}

void configure(tcp::socket& socket) {
    error_code ignored;
    // Small pieces of a stream go out at once on both sides.
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(asio::socket_base::keep_alive(true), ignored);
    socket.non_blocking(true, ignored);
}

Transport::Peer peer_of(const tcp::endpoint& endpoint) {
    asio::ip::address address = endpoint.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped()) {
        address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
    }
    return {.address = address.to_string(), .port = endpoint.port()};
}

}  // namespace

struct Transport::Native {
    explicit Native(tcp::socket connected) : socket(std::move(connected)) {}

    tcp::socket socket;
    std::shared_ptr<TlsContext> context;  // before the stream that uses it
    std::optional<asio::ssl::stream<tcp::socket&>> tls;
    std::vector<char> tls_buffer;
    std::array<asio::const_buffer, 2> writing;
    std::size_t written = 0;
};

namespace {

struct WriteStep {
    Transport& transport;
    Transport::Native& native;
    Transport::Done done;

    void go() {
        error_code failed;
        for (;;) {
            const std::size_t count = native.socket.write_some(native.writing, failed);
            native.written += count;
            take(count);
            if (failed == asio::error::would_block || failed == asio::error::try_again) {
                native.socket.async_wait(
                    tcp::socket::wait_write,
                    [step = std::move(*this)](const error_code& ended) mutable {
                        step.after_wait(ended);
                    });
                return;
            }
            if (failed) {
                done(failed_io(failed, transport.expired()));
                return;
            }
            if (native.writing[0].size() + native.writing[1].size() == 0) {
                done(native.written);
                return;
            }
        }
    }

    void after_wait(const error_code& ended) {
        if (ended) {
            done(failed_io(ended, transport.expired()));
        } else {
            go();
        }
    }

    void take(std::size_t count) const {
        for (asio::const_buffer& buffer : native.writing) {
            const std::size_t part = std::min(count, buffer.size());
            buffer += part;
            count -= part;
        }
    }
};

}  // namespace

Transport::Transport(Loop& loop, std::unique_ptr<Native> native)
    : loop_(loop), native_(std::move(native)) {
    loop_.watch(*this);
}

Transport::~Transport() {
    loop_.unwatch(*this);
}

void Transport::expire() {
    expired_ = true;
    close();
}

void Transport::read(std::string& into, Done done) {
    if (native_->tls) {
        native_->tls_buffer.resize(kTlsReadBytes);
        native_->tls->async_read_some(
            asio::buffer(native_->tls_buffer),
            [this, &into, done = std::move(done)](const error_code& failed, std::size_t count) {
                into.append(native_->tls_buffer.data(), count);
                if (failed == asio::error::eof || failed == asio::ssl::error::stream_truncated) {
                    done(std::size_t{0});
                } else if (failed) {
                    done(failed_io(failed, expired_));
                } else {
                    done(count);
                }
            });
        return;
    }
    native_->socket.async_wait(
        tcp::socket::wait_read, [this, &into, done = std::move(done)](const error_code& waited) {
            error_code failed = waited;
            std::size_t count = 0;
            if (!failed) {
                auto& scratch = loop_.native().scratch;
                count = native_->socket.read_some(asio::buffer(scratch), failed);
                into.append(scratch.data(), count);
            }
            if (failed == asio::error::would_block || failed == asio::error::try_again) {
                read(into, done);
            } else if (failed == asio::error::eof) {
                done(std::size_t{0});
            } else if (failed) {
                done(failed_io(failed, expired_));
            } else {
                done(count);
            }
        });
}

void Transport::write(std::string_view first, std::string_view second, Done done) {
    native_->writing = {asio::buffer(first.data(), first.size()),
                        asio::buffer(second.data(), second.size())};
    native_->written = 0;
    if (native_->tls) {
        asio::async_write(
            *native_->tls, native_->writing,
            [this, done = std::move(done)](const error_code& failed, std::size_t count) {
                if (failed) {
                    done(failed_io(failed, expired_));
                } else {
                    done(count);
                }
            });
        return;
    }
    // The socket takes most answers at once; `done` is then called before this returns.
    WriteStep{.transport = *this, .native = *native_, .done = std::move(done)}.go();
}

void Transport::close() noexcept {
    error_code ignored;
    native_->socket.close(ignored);
}

void Transport::end_writing() noexcept {
    error_code ignored;
    native_->socket.shutdown(tcp::socket::shutdown_send, ignored);
}

bool Transport::is_open() const noexcept {
    return native_->socket.is_open();
}

bool Transport::is_stale() noexcept {
    if (!native_->socket.is_open()) {
        return true;
    }
    char byte = 0;
    const ssize_t count =
        ::recv(native_->socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (count < 0) {
        return errno != EAGAIN && errno != EWOULDBLOCK;
    }
    // Under TLS 1.3 tickets may still come behind the handshake.
    return count == 0 || !native_->tls;
}

namespace {

template <class Stream>
class HandshakeAwaiter {
public:
    HandshakeAwaiter(Stream& stream, asio::ssl::stream_base::handshake_type type)
        : stream_(stream), type_(type) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        stream_.async_handshake(type_, [this, waiting](const error_code& failed) {
            failed_ = failed;
            waiting.resume();
        });
    }
    error_code await_resume() const noexcept { return failed_; }

private:
    Stream& stream_;
    asio::ssl::stream_base::handshake_type type_;
    error_code failed_;
};

Result<void> shaken(const error_code& failed, bool expired) {
    if (!failed) {
        return {};
    }
    if (expired) {
        return Error{ErrorCode::kLimit, "the TLS handshake took too long"};
    }
    const bool untrusted = failed.category() == asio::error::get_ssl_category() &&
                           ERR_GET_REASON(static_cast<unsigned long>(failed.value())) ==
                               SSL_R_CERTIFICATE_VERIFY_FAILED;
    return Error{untrusted ? ErrorCode::kDenied : ErrorCode::kUnavailable,
                 fmt::format("the TLS handshake failed: {}", failed.message())};
}

}  // namespace

Task<Result<void>> Transport::accept_tls(std::shared_ptr<TlsContext> context) {
    native_->context = std::move(context);
    native_->tls.emplace(native_->socket, native_->context->native().context);
    const error_code failed =
        co_await HandshakeAwaiter(*native_->tls, asio::ssl::stream_base::server);
    co_return shaken(failed, expired_);
}

Task<Result<void>> Transport::connect_tls(std::shared_ptr<TlsContext> context, std::string host) {
    native_->context = std::move(context);
    native_->tls.emplace(native_->socket, native_->context->native().context);
    native_->tls->set_verify_callback(asio::ssl::host_name_verification(host));
    error_code is_name;
    asio::ip::make_address(host, is_name);
    if (is_name) {
        SSL_set_tlsext_host_name(native_->tls->native_handle(), host.c_str());
    }
    const error_code failed =
        co_await HandshakeAwaiter(*native_->tls, asio::ssl::stream_base::client);
    co_return shaken(failed, expired_);
}

namespace {

template <class Stream>
class ShutdownAwaiter {
public:
    explicit ShutdownAwaiter(Stream& stream) : stream_(stream) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        stream_.async_shutdown([waiting](const error_code&) { waiting.resume(); });
    }
    void await_resume() const noexcept {}

private:
    Stream& stream_;
};

}  // namespace

Task<void> Transport::end_tls() {
    if (native_->tls && is_open()) {
        expire_in(std::chrono::seconds(1));
        co_await ShutdownAwaiter(*native_->tls);
        never_expire();
    }
}

const Transport::Peer& Transport::peer() {
    if (!peer_) {
        error_code failed;
        const tcp::endpoint endpoint = native_->socket.remote_endpoint(failed);
        peer_ = failed ? Peer{} : peer_of(endpoint);
    }
    return *peer_;
}

Transport::Peer Transport::local() const {
    error_code failed;
    const tcp::endpoint endpoint = native_->socket.local_endpoint(failed);
    return failed ? Peer{} : peer_of(endpoint);
}

namespace {

// What connecting waits for: it ends by its deadline or by whoever asked for it.
class Connecting final : public Expiring {
public:
    explicit Connecting(Loop& loop)
        : resolver(loop.native().context), socket(loop.native().context), loop_(loop) {
        loop_.watch(*this);
    }
    ~Connecting() override { loop_.unwatch(*this); }
    Connecting(const Connecting&) = delete;
    Connecting& operator=(const Connecting&) = delete;
    Connecting(Connecting&&) = delete;
    Connecting& operator=(Connecting&&) = delete;

    void expire() override {
        expired = true;
        cancel();
    }
    void cancel() {
        resolver.cancel();
        error_code ignored;
        socket.close(ignored);
        cancelled = true;
    }

    tcp::resolver resolver;
    tcp::socket socket;
    bool expired = false;
    bool cancelled = false;

private:
    Loop& loop_;
};

class ResolveAwaiter {
public:
    ResolveAwaiter(tcp::resolver& resolver, const Address& to) : resolver_(resolver), to_(to) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        resolver_.async_resolve(
            to_.host, std::to_string(to_.port), tcp::resolver::numeric_service,
            [this, waiting](const error_code& failed, const tcp::resolver::results_type& found) {
                failed_ = failed;
                for (const auto& each : found) {
                    endpoints_.push_back(each.endpoint());
                }
                waiting.resume();
            });
    }
    std::pair<error_code, std::vector<tcp::endpoint>> await_resume() {
        return {failed_, std::move(endpoints_)};
    }

private:
    tcp::resolver& resolver_;
    const Address& to_;
    error_code failed_;
    std::vector<tcp::endpoint> endpoints_;
};

class ConnectAwaiter {
public:
    ConnectAwaiter(tcp::socket& socket, const std::vector<tcp::endpoint>& endpoints)
        : socket_(socket), endpoints_(endpoints) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        asio::async_connect(socket_, endpoints_,
                            [this, waiting](const error_code& failed, const tcp::endpoint&) {
                                failed_ = failed;
                                waiting.resume();
                            });
    }
    error_code await_resume() const noexcept { return failed_; }

private:
    tcp::socket& socket_;
    const std::vector<tcp::endpoint>& endpoints_;
    error_code failed_;
};

}  // namespace

Task<Result<std::unique_ptr<Transport>>> connect(Loop& loop, Address to, ConnectOptions options,
                                                 std::stop_token stop) {
    Connecting connecting(loop);
    connecting.expire_in(options.time);
    const auto cancel = [&connecting] { connecting.cancel(); };
    const std::stop_callback stopped(stop, cancel);
    const Error late{ErrorCode::kLimit, fmt::format("no connection to {} within {} ms", to.host,
                                                    options.time.count())};
    if (stop.stop_requested()) {
        co_return Error{ErrorCode::kUnavailable, "the call was given up"};
    }
    auto [unknown, endpoints] = co_await ResolveAwaiter(connecting.resolver, to);
    if (connecting.expired) {
        co_return late;
    }
    if (unknown || endpoints.empty()) {
        co_return Error{ErrorCode::kUnavailable,
                        fmt::format("the name {} is not known: {}", to.host, unknown.message())};
    }
    if (options.only_public) {
        std::erase_if(endpoints, [](const tcp::endpoint& each) {
            return !is_public_address(peer_of(each).address);
        });
        if (endpoints.empty()) {
            co_return Error{ErrorCode::kDenied,
                            fmt::format("{} has no address that may be reached", to.host)};
        }
    }
    if (connecting.cancelled) {
        co_return Error{ErrorCode::kUnavailable, "the call was given up"};
    }
    const error_code refused = co_await ConnectAwaiter(connecting.socket, endpoints);
    if (connecting.expired) {
        co_return late;
    }
    if (refused) {
        co_return Error{ErrorCode::kUnavailable, fmt::format("{} port {} does not answer: {}",
                                                             to.host, to.port, refused.message())};
    }
    configure(connecting.socket);
    co_return std::make_unique<Transport>(
        loop, std::make_unique<Transport::Native>(std::move(connecting.socket)));
}

struct Listener::Native {
    explicit Native(asio::io_context& context) : acceptor(context) {}
    tcp::acceptor acceptor;
};

namespace {

class AcceptAwaiter {
public:
    explicit AcceptAwaiter(tcp::acceptor& acceptor)
        : acceptor_(acceptor), socket_(acceptor.get_executor()) {}
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
        acceptor_.async_accept(socket_, [this, waiting](const error_code& failed) {
            failed_ = failed;
            waiting.resume();
        });
    }
    std::pair<error_code, tcp::socket> await_resume() { return {failed_, std::move(socket_)}; }

private:
    tcp::acceptor& acceptor_;
    tcp::socket socket_;
    error_code failed_;
};

}  // namespace

Listener::Listener(Loop& loop, std::unique_ptr<Native> native)
    : loop_(loop), native_(std::move(native)) {}

Listener::~Listener() = default;

Result<std::unique_ptr<Listener>> Listener::open(Loop& loop, const Address& at) {
    error_code failed;
    const asio::ip::address address = asio::ip::make_address(at.host, failed);
    if (failed) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("\"{}\" is no address to listen on; give 127.0.0.1, 0.0.0.0, ::1 "
                                 "or ::",
                                 at.host)};
    }
    auto native = std::make_unique<Native>(loop.native().context);
    tcp::acceptor& acceptor = native->acceptor;
    const tcp::endpoint endpoint(address, at.port);
    acceptor.open(endpoint.protocol(), failed);
    if (!failed) {
        acceptor.set_option(tcp::acceptor::reuse_address(true), failed);
    }
    if (!failed) {
        acceptor.bind(endpoint, failed);
    }
    if (!failed) {
        acceptor.listen(kBacklog, failed);
    }
    if (failed) {
        return Error{ErrorCode::kUnavailable, fmt::format("cannot listen on {} port {}: {}",
                                                          at.host, at.port, failed.message())};
    }
    return std::make_unique<Listener>(loop, std::move(native));
}

Result<std::unique_ptr<Listener>> Listener::adopt(Loop& loop, int descriptor) {
    sockaddr_storage name{};
    unsigned size = sizeof name;
    const bool named = ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size) == 0;
    if (!named || (name.ss_family != AF_INET && name.ss_family != AF_INET6)) {
        return Error{ErrorCode::kInvalidArgument,
                     "the socket that was handed over is no TCP socket"};
    }
    auto native = std::make_unique<Native>(loop.native().context);
    error_code failed;
    native->acceptor.assign(name.ss_family == AF_INET ? tcp::v4() : tcp::v6(), descriptor, failed);
    if (failed) {
        return Error{
            ErrorCode::kUnavailable,
            fmt::format("the socket that was handed over is refused: {}", failed.message())};
    }
    return std::make_unique<Listener>(loop, std::move(native));
}

std::uint16_t Listener::port() const {
    error_code ignored;
    return native_->acceptor.local_endpoint(ignored).port();
}

int Listener::descriptor() const {
    return native_->acceptor.native_handle();
}

Task<Result<std::unique_ptr<Transport>>> Listener::accept() {
    auto [failed, socket] = co_await AcceptAwaiter(native_->acceptor);
    if (failed == asio::error::no_descriptors || failed == asio::error::no_buffer_space ||
        failed == asio::error::no_memory) {
        co_return Error{ErrorCode::kLimit, failed.message()};
    }
    if (failed) {
        co_return Error{ErrorCode::kUnavailable, failed.message()};
    }
    configure(socket);
    co_return std::make_unique<Transport>(loop_,
                                          std::make_unique<Transport::Native>(std::move(socket)));
}

void Listener::close() noexcept {
    error_code ignored;
    native_->acceptor.close(ignored);
}

}  // namespace colophon::http
