// SPDX-License-Identifier: Apache-2.0
#include "support/http_peer.h"

#include "support/tools.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::test {
namespace {

struct SslDeleter {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};

// One accepted connection: bytes in and out, plain or through TLS. `stop` wakes every wait.
class Connection {
public:
    Connection(int socket, int stop, SSL_CTX* context) : socket_(socket), stop_(stop) {
        if (context != nullptr) {
            ssl_.reset(SSL_new(context));
            SSL_set_fd(ssl_.get(), socket_);
        }
    }
    ~Connection() {
        ssl_.reset();
        ::close(socket_);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    bool handshake() { return ssl_ == nullptr || SSL_accept(ssl_.get()) == 1; }

    // False when the wait was ended from outside.
    bool wait(int timeout_ms, bool for_input) const {
        std::array<pollfd, 2> fds{
            pollfd{.fd = stop_, .events = POLLIN, .revents = 0},
            pollfd{.fd = for_input ? socket_ : -1, .events = POLLIN, .revents = 0}};
        (void)::poll(fds.data(), fds.size(), timeout_ms);
        return fds[0].revents == 0;
    }

    bool read_more(std::string& into) {
        std::array<char, 4096> part{};
        if ((ssl_ == nullptr || SSL_pending(ssl_.get()) == 0) && !wait(-1, true)) {
            return false;
        }
        const auto got = ssl_ != nullptr ? SSL_read(ssl_.get(), part.data(), part.size())
                                         : ::recv(socket_, part.data(), part.size(), 0);
        if (got <= 0) {
            return false;
        }
        into.append(part.data(), static_cast<std::size_t>(got));
        return true;
    }

    bool write(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent =
                ssl_ != nullptr
                    ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                    : ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) {
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    void reset() const {
        const linger now{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }

private:
    int socket_;
    int stop_;
    std::unique_ptr<SSL, SslDeleter> ssl_;
};

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

PeerRequest parse_head(std::string_view head) {
    PeerRequest request;
    std::size_t end = head.find("\r\n");
    const std::string_view first = head.substr(0, end);
    const std::size_t blank = first.find(' ');
    request.method = first.substr(0, blank);
    request.target = first.substr(blank + 1, first.rfind(' ') - blank - 1);
    while (end != std::string_view::npos) {
        head.remove_prefix(end + 2);
        end = head.find("\r\n");
        const std::string_view line = head.substr(0, end);
        const std::size_t colon = line.find(':');
        if (colon != std::string_view::npos) {
            std::string_view value = line.substr(colon + 1);
            value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
            request.headers.emplace_back(lower(line.substr(0, colon)), value);
        }
    }
    return request;
}

std::optional<PeerRequest> read_request(Connection& connection, std::string& buffer) {
    std::size_t head_end = buffer.find("\r\n\r\n");
    while (head_end == std::string::npos) {
        if (!connection.read_more(buffer)) {
            return std::nullopt;
        }
        head_end = buffer.find("\r\n\r\n");
    }
    PeerRequest request = parse_head(std::string_view(buffer).substr(0, head_end));
    std::size_t size = 0;
    const std::string length = request.header("content-length");
    std::from_chars(length.data(), length.data() + length.size(), size);
    while (buffer.size() < head_end + 4 + size) {
        if (!connection.read_more(buffer)) {
            return std::nullopt;
        }
    }
    request.body = buffer.substr(head_end + 4, size);
    buffer.erase(0, head_end + 4 + size);
    return request;
}

}  // namespace

std::string PeerRequest::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) {
            return value;
        }
    }
    return {};
}

PeerAnswer answer(int status, std::string_view body, std::string_view header_lines) {
    PeerAnswer out;
    out.bytes = "HTTP/1.1 " + std::to_string(status) + " Answer\r\n" + std::string(header_lines) +
                "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
    out.end = PeerEnd::kKeep;
    return out;
}

struct HttpPeer::State {
    PeerHandler handler;
    std::unique_ptr<SSL_CTX, SslDeleter> tls;
    int listener = -1;
    int stop = -1;
    int port = 0;
    std::thread acceptor;
    mutable std::mutex mutex;
    std::vector<std::thread> connections;  // guarded
    std::vector<PeerRequest> requests;     // guarded

    void accept_all() {
        for (int number = 1;; ++number) {
            std::array<pollfd, 2> fds{pollfd{.fd = stop, .events = POLLIN, .revents = 0},
                                      pollfd{.fd = listener, .events = POLLIN, .revents = 0}};
            (void)::poll(fds.data(), fds.size(), -1);
            if (fds[0].revents != 0) {
                return;
            }
            const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
            if (socket < 0) {
                continue;
            }
            const std::scoped_lock lock(mutex);
            connections.emplace_back([this, socket, number] { serve(socket, number); });
        }
    }

    void serve(int socket, int number) {
        Connection connection(socket, stop, tls.get());
        if (!connection.handshake()) {
            return;
        }
        std::string buffer;
        while (auto request = read_request(connection, buffer)) {
            request->connection = number;
            {
                const std::scoped_lock lock(mutex);
                requests.push_back(*request);
            }
            if (!send(connection, handler(*request))) {
                return;
            }
        }
    }

    static bool send(Connection& connection, const PeerAnswer& reply) {
        bool alive = true;
        if (reply.between_bytes.count() == 0) {
            alive = connection.write(reply.bytes);
        }
        for (std::size_t at = 0; reply.between_bytes.count() > 0 && at < reply.bytes.size(); ++at) {
            alive = connection.write(std::string_view(reply.bytes).substr(at, 1)) &&
                    connection.wait(static_cast<int>(reply.between_bytes.count()), false);
            if (!alive) {
                break;
            }
        }
        if (reply.end == PeerEnd::kHang) {
            connection.wait(-1, false);
        }
        if (reply.end == PeerEnd::kReset) {
            connection.reset();
        }
        return alive && reply.end == PeerEnd::kKeep;
    }
};

HttpPeer::HttpPeer(PeerHandler handler, const PeerTls& tls) : state_(std::make_unique<State>()) {
    (void)std::signal(SIGPIPE, SIG_IGN);  // SSL_write knows no MSG_NOSIGNAL
    state_->handler = std::move(handler);
    if (!tls.certificate_file.empty()) {
        state_->tls.reset(SSL_CTX_new(TLS_server_method()));
        REQUIRE(SSL_CTX_use_certificate_chain_file(state_->tls.get(),
                                                   tls.certificate_file.c_str()) == 1);
        REQUIRE(SSL_CTX_use_PrivateKey_file(state_->tls.get(), tls.key_file.c_str(),
                                            SSL_FILETYPE_PEM) == 1);
    }
    state_->stop = ::eventfd(0, EFD_CLOEXEC);
    state_->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(state_->listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0);
    REQUIRE(::listen(state_->listener, 64) == 0);
    socklen_t size = sizeof(address);
    REQUIRE(::getsockname(state_->listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    state_->port = ntohs(address.sin_port);
    state_->acceptor = std::thread([state = state_.get()] { state->accept_all(); });
}

HttpPeer::~HttpPeer() {
    (void)::eventfd_write(state_->stop, 1);
    state_->acceptor.join();
    for (std::thread& connection : state_->connections) {
        connection.join();
    }
    ::close(state_->listener);
    ::close(state_->stop);
}

int HttpPeer::port() const noexcept {
    return state_->port;
}

std::string HttpPeer::url(std::string_view path, std::string_view host) const {
    return (state_->tls ? "https://" : "http://") + std::string(host) + ":" +
           std::to_string(state_->port) + std::string(path);
}

std::vector<PeerRequest> HttpPeer::requests() const {
    const std::scoped_lock lock(state_->mutex);
    return state_->requests;
}

PeerTls make_certificate(const std::string& folder, std::string_view subject_alternative_name) {
    const PeerTls tls{.certificate_file = folder + "/peer.pem", .key_file = folder + "/peer.key"};
    run_tool_ok({"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                 "/CN=colophon test peer", "-addext",
                 "subjectAltName=" + std::string(subject_alternative_name), "-keyout", tls.key_file,
                 "-out", tls.certificate_file});
    return tls;
}

}  // namespace colophon::test
