// SPDX-License-Identifier: Apache-2.0
#include "support/cutting_proxy.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::test {
namespace {

constexpr int kPollMs = 20;  // how late the end of a test may be noticed

bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// A reset, not an end in order: nothing that is on its way arrives any more.
void reset(int socket) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    (void)::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(socket);
}

int connect_to(const std::string& path) {
    const int server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        ::close(server);
        return -1;
    }
    return server;
}

}  // namespace

CuttingProxy::CuttingProxy(std::string socket_path) : socket_path_(std::move(socket_path)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 64) == 0);
    REQUIRE(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
}

CuttingProxy::~CuttingProxy() {
    stop_ = true;
    acceptor_.join();
    for (std::thread& each : threads_) {
        each.join();
    }
    ::close(listener_);
}

void CuttingProxy::arm(Cut cut, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    armed_ = true;
    cut_ = cut;
    bytes_ = bytes;
}

bool CuttingProxy::strikes(std::size_t bytes, Cut& cut) {
    const std::lock_guard lock(mutex_);
    if (!armed_ || bytes < bytes_) {
        return false;
    }
    armed_ = false;
    cut = cut_;
    ++cuts_;
    return true;
}

void CuttingProxy::accept_all() {
    while (!stop_) {
        pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
        if (::poll(&waiting, 1, kPollMs) <= 0) {
            continue;
        }
        const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (client >= 0) {
            const std::lock_guard lock(mutex_);
            threads_.emplace_back([this, client] { carry(client); });
        }
    }
}

void CuttingProxy::carry(int client) {
    const int server = connect_to(socket_path_);
    std::array<char, 65536> piece{};
    while (server >= 0 && !stop_) {
        std::array<pollfd, 2> ends{pollfd{.fd = client, .events = POLLIN, .revents = 0},
                                   pollfd{.fd = server, .events = POLLIN, .revents = 0}};
        if (::poll(ends.data(), ends.size(), kPollMs) <= 0) {
            continue;
        }
        const bool from_client = ends[0].revents != 0;
        const ssize_t got = ::recv(from_client ? client : server, piece.data(), piece.size(), 0);
        if (got <= 0) {
            break;
        }
        const std::string_view bytes(piece.data(), static_cast<std::size_t>(got));
        Cut cut = Cut::kBefore;
        if (from_client && strikes(bytes.size(), cut)) {
            if (cut == Cut::kHalf) {
                send_all(server, bytes.substr(0, bytes.size() / 2));
            } else if (cut == Cut::kAfter) {
                // The server answers, so it has done what it was told; nobody hears of it.
                send_all(server, bytes);
                pollfd answer{.fd = server, .events = POLLIN, .revents = 0};
                (void)::poll(&answer, 1, 2000);
            }
            break;
        }
        if (!send_all(from_client ? server : client, bytes)) {
            break;
        }
    }
    reset(client);
    if (server >= 0) {
        ::close(server);
    }
}

}  // namespace colophon::test
