// SPDX-License-Identifier: Apache-2.0
#include "http/systemd.h"

#include "core/result.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <vector>

namespace colophon::http {
namespace {

constexpr int kFirstSocket = 3;
constexpr int kSocketsMax = 16;

long number_in(const char* variable) {
    const char* text = std::getenv(variable);
    long value = -1;
    if (text != nullptr) {
        std::from_chars(text, text + std::strlen(text), value);
    }
    return value;
}

}  // namespace

Result<void> notify_manager(std::string_view state) {
    const char* path = std::getenv("NOTIFY_SOCKET");
    sockaddr_un address{};
    if (path == nullptr || (path[0] != '/' && path[0] != '@')) {
        return {};
    }
    const std::size_t size = std::strlen(path);
    if (size >= sizeof address.sun_path) {
        return Error{ErrorCode::kInvalidArgument, "NOTIFY_SOCKET is too long"};
    }
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path, size);
    if (path[0] == '@') {
        address.sun_path[0] = '\0';
    }
    const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket < 0) {
        return Error{ErrorCode::kUnavailable, "the service manager cannot be told"};
    }
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + size);
    const ssize_t sent = ::sendto(socket, state.data(), state.size(), MSG_NOSIGNAL,
                                  reinterpret_cast<const sockaddr*>(&address), length);
    const int failure = errno;
    ::close(socket);
    if (sent < 0) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("the service manager cannot be told: {}", std::strerror(failure))};
    }
    return {};
}

std::vector<int> inherited_sockets() {
    std::vector<int> sockets;
    const long count = number_in("LISTEN_FDS");
    if (number_in("LISTEN_PID") != static_cast<long>(::getpid()) || count <= 0 ||
        count > kSocketsMax) {
        return sockets;
    }
    for (int i = 0; i < static_cast<int>(count); ++i) {
        const int socket = kFirstSocket + i;
        // What workers and speech programs must not inherit.
        ::fcntl(socket, F_SETFD, FD_CLOEXEC);
        sockets.push_back(socket);
    }
    return sockets;
}

}  // namespace colophon::http
