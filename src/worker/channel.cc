// SPDX-License-Identifier: Apache-2.0
#include "worker/channel.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"

#include <asm-generic/socket.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace colophon::worker {
namespace {

using Deadline = std::optional<std::chrono::steady_clock::time_point>;
constexpr std::size_t kHeaderBytes = 4;
constexpr std::size_t kControlBytes = CMSG_SPACE(sizeof(int) * kFdsMax);

Error gone() {
    return Error{ErrorCode::kUnavailable, "the other side of the worker is gone"};
}

Result<void> wait_readable(int socket, const Deadline& deadline) {
    if (!deadline) {
        return {};
    }
    for (;;) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            *deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) {
            return Error{ErrorCode::kLimit, "the worker took too long"};
        }
        pollfd poller{.fd = socket, .events = POLLIN, .revents = 0};
        const int ready =
            poll(&poller, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
        if (ready > 0) {
            return {};
        }
        if (ready < 0 && errno != EINTR) {
            return gone();
        }
    }
}

// One recvmsg; descriptors that come along are taken over, whatever happens next.
Result<std::size_t> receive_some(int socket, std::span<std::uint8_t> out, std::vector<Fd>& fds) {
    alignas(cmsghdr) std::array<char, kControlBytes> control{};
    iovec part{.iov_base = out.data(), .iov_len = out.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    ssize_t got = -1;
    do {
        got = recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        return gone();
    }
    for (cmsghdr* each = CMSG_FIRSTHDR(&header); each != nullptr;
         each = CMSG_NXTHDR(&header, each)) {
        if (each->cmsg_level != SOL_SOCKET || each->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        const std::size_t count = (each->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd = -1;
            std::memcpy(&fd, CMSG_DATA(each) + i * sizeof(int), sizeof(int));
            fds.emplace_back(fd);
        }
    }
    return static_cast<std::size_t>(got);
}

// Fills `out`. False when the socket closed before the first byte.
Result<bool> receive_all(int socket, std::span<std::uint8_t> out, std::vector<Fd>& fds,
                         const Deadline& deadline) {
    std::size_t filled = 0;
    while (filled < out.size()) {
        TRY(wait_readable(socket, deadline));
        const std::size_t got = TRY(receive_some(socket, out.subspan(filled), fds));
        if (got == 0) {
            if (filled == 0) {
                return false;
            }
            return gone();
        }
        filled += got;
    }
    return true;
}

// The first sendmsg carries the descriptors.
Result<std::size_t> send_some(int socket, Bytes bytes, const std::vector<int>& fds) {
    alignas(cmsghdr) std::array<char, kControlBytes> control{};
    // sendmsg() takes an address without const, but does not write there.
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-const-cast)
    iovec part{.iov_base = const_cast<std::uint8_t*>(bytes.data()), .iov_len = bytes.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
        header.msg_control = control.data();
        header.msg_controllen = CMSG_SPACE(sizeof(int) * fds.size());
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(sizeof(int) * fds.size());
        std::memcpy(CMSG_DATA(rights), fds.data(), sizeof(int) * fds.size());
    }
    ssize_t sent = -1;
    do {
        sent = sendmsg(socket, &header, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent <= 0) {
        return gone();
    }
    return static_cast<std::size_t>(sent);
}

}  // namespace

Fd::~Fd() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

Fd& Fd::operator=(Fd&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) {
            close(fd_);
        }
        fd_ = other.release();
    }
    return *this;
}

int Fd::release() noexcept {
    return std::exchange(fd_, -1);
}

Result<void> send_message(int socket, const json::Value& body, const std::vector<int>& fds) {
    COLOPHON_ASSERT(fds.size() <= kFdsMax);
    const std::string text = json::write(body);
    if (text.size() > kMessageBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a message of {} bytes; at most {} are sent",
                                                    text.size(), kMessageBytesMax)};
    }
    Buffer bytes;
    bytes.reserve(kHeaderBytes + text.size());
    append_le32(bytes, static_cast<std::uint32_t>(text.size()));
    append(bytes, text);
    Bytes left = bytes;
    std::vector<int> rights = fds;
    while (!left.empty()) {
        const std::size_t sent = TRY(send_some(socket, left, rights));
        left = left.subspan(sent);
        rights.clear();
    }
    return {};
}

Result<std::optional<Message>> receive_message(
    int socket, std::optional<std::chrono::steady_clock::time_point> deadline) {
    Message message;
    std::array<std::uint8_t, kHeaderBytes> header{};
    if (!TRY(receive_all(socket, header, message.fds, deadline))) {
        return std::optional<Message>();
    }
    const std::uint32_t size = load_le32(header);
    if (size > kMessageBytesMax || message.fds.size() > kFdsMax) {
        return Error{ErrorCode::kLimit, "a message that is larger than messages may be"};
    }
    Buffer text(size);
    if (size > 0 && !TRY(receive_all(socket, text, message.fds, deadline))) {
        return gone();
    }
    message.body = TRY(json::parse(as_text(text), {.bytes_max = kMessageBytesMax}));
    return std::optional(std::move(message));
}

}  // namespace colophon::worker
