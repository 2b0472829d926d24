// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages between the product and its worker over one stream socket: a length, a JSON text, and up
// to kFdsMax file descriptors beside it. Neither side trusts the other's lengths.

#include "core/bytes.h"
#include "core/json.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace colophon::worker {

inline constexpr std::size_t kMessageBytesMax = 8U << 20U;
inline constexpr std::size_t kFdsMax = 4;

// A file descriptor with one owner.
class Fd {
public:
    Fd() = default;
    explicit Fd(int fd) noexcept : fd_(fd) {}
    ~Fd();
    Fd(Fd&& other) noexcept : fd_(other.release()) {}
    Fd& operator=(Fd&& other) noexcept;
    Fd(const Fd&) = delete;
    Fd& operator=(const Fd&) = delete;

    int get() const noexcept { return fd_; }
    bool valid() const noexcept { return fd_ >= 0; }
    int release() noexcept;

private:
    int fd_ = -1;
};

struct Message {
    json::Value body;
    std::vector<Fd> fds;
};

// kUnavailable when the other side is gone.
Result<void> send_message(int socket, const json::Value& body, const std::vector<int>& fds = {});

// Nothing when the other side closed the socket between two messages. kUnavailable when it went in
// the middle of one, kLimit when the time ran out or a message is too large, kCorrupt for messages
// that break the rules.
Result<std::optional<Message>> receive_message(
    int socket, std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt);

}  // namespace colophon::worker
