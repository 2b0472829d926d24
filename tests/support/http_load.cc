// SPDX-License-Identifier: Apache-2.0
#include "support/http_load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::test {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

// The head of an answer, without its last empty line.
void read_head(std::string_view head, HttpReply& reply) {
    reply.status = head.size() > 12 ? std::atoi(std::string(head.substr(9, 3)).c_str()) : 0;
    std::size_t at = head.find("\r\n");
    while (at != std::string_view::npos) {
        const std::size_t begin = at + 2;
        at = head.find("\r\n", begin);
        const std::string_view line = head.substr(begin, at - begin);
        const std::size_t colon = line.find(": ");
        if (colon != std::string_view::npos) {
            reply.headers[lower(line.substr(0, colon))] = line.substr(colon + 2);
        }
    }
}

bool read_more(int socket, std::string& into) {
    std::array<char, 16384> piece{};
    const ssize_t got = ::recv(socket, piece.data(), piece.size(), 0);
    if (got <= 0) {
        return false;
    }
    into.append(piece.data(), static_cast<std::size_t>(got));
    return true;
}

}  // namespace

HttpConnection::~HttpConnection() {
    close();
}

void HttpConnection::close() {
    if (socket_ >= 0) {
        ::close(std::exchange(socket_, -1));
    }
}

bool HttpConnection::connect() {
    if (socket_ >= 0) {
        return true;
    }
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(port_.c_str())));
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        close();
        return false;
    }
    return true;
}

HttpReply HttpConnection::post(const std::string& path,
                               const std::vector<std::string>& header_lines,
                               const std::string& body) {
    std::string request = "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n";
    for (const std::string& line : header_lines) {
        request += line + "\r\n";
    }
    request += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    if (!connect() || ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
                          static_cast<ssize_t>(request.size())) {
        close();
        return {};
    }
    HttpReply reply;
    std::string got;
    std::size_t end = std::string::npos;
    while ((end = got.find("\r\n\r\n")) == std::string::npos) {
        if (!read_more(socket_, got)) {
            close();
            return {};
        }
    }
    read_head(std::string_view(got).substr(0, end), reply);
    reply.body = got.substr(end + 4);
    const auto length =
        static_cast<std::size_t>(std::atoll(reply.headers["content-length"].c_str()));
    while (reply.body.size() < length) {
        if (!read_more(socket_, reply.body)) {
            close();
            return {};
        }
    }
    return reply;
}

HttpLoad::HttpLoad(const std::string& port, Call call, std::size_t connections)
    : call_(std::move(call)) {
    for (std::size_t i = 0; i < connections; ++i) {
        threads_.emplace_back([this, port] { run(port); });
    }
}

HttpLoad::~HttpLoad() {
    stop();
}

void HttpLoad::stop() {
    stop_ = true;
    for (std::thread& thread : threads_) {
        if (thread.joinable()) {
            thread.join();
        }
    }
}

void HttpLoad::run(const std::string& port) {
    HttpConnection connection(port);
    while (!stop_) {
        const HttpReply reply = connection.post(call_.path, call_.header_lines, call_.body);
        if (reply.status != 200) {
            // Who is refused, or whose server is gone, does not spin.
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        const std::lock_guard lock(mutex_);
        ++counts_[reply.status];
        const auto record = reply.headers.find("colophon-record");
        if (reply.status == 200 && record != reply.headers.end()) {
            records_.push_back(record->second);
        }
    }
}

std::size_t HttpLoad::count(int status) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(status);
    return found == counts_.end() ? 0 : found->second;
}

std::map<int, std::size_t> HttpLoad::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

std::vector<std::string> HttpLoad::records() const {
    const std::lock_guard lock(mutex_);
    return records_;
}

}  // namespace colophon::test
