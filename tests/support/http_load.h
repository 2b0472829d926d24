// SPDX-License-Identifier: Apache-2.0
#pragma once

// Programs that call a server again and again, each over a connection of its own that is kept, and
// what they were answered.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace colophon::test {

struct HttpReply {
    int status = 0;  // 0: the connection broke before the answer was whole
    std::map<std::string, std::string> headers;  // names in lower case
    std::string body;
};

// One connection to 127.0.0.1. Answers need a Content-Length.
class HttpConnection {
public:
    explicit HttpConnection(std::string port) : port_(std::move(port)) {}
    ~HttpConnection();
    HttpConnection(const HttpConnection&) = delete;
    HttpConnection& operator=(const HttpConnection&) = delete;

    // Connects when it is not connected. Waits twenty seconds at most.
    HttpReply post(const std::string& path, const std::vector<std::string>& header_lines,
                   const std::string& body);

private:
    bool connect();
    void close();

    std::string port_;
    int socket_ = -1;
};

class HttpLoad {
public:
    struct Call {
        std::string path;
        std::vector<std::string> header_lines;
        std::string body;
    };
    HttpLoad(const std::string& port, Call call, std::size_t connections);
    ~HttpLoad();
    HttpLoad(const HttpLoad&) = delete;
    HttpLoad& operator=(const HttpLoad&) = delete;

    // Lets the calls that are going on end.
    void stop();
    // Of what was answered so far.
    std::size_t count(int status) const;
    std::map<int, std::size_t> counts() const;
    // The header "colophon-record" of each answer of 200.
    std::vector<std::string> records() const;

private:
    void run(const std::string& port);

    Call call_;
    std::atomic<bool> stop_{false};
    mutable std::mutex mutex_;
    std::map<int, std::size_t> counts_;  // guarded by mutex_, like what follows
    std::vector<std::string> records_;
    std::vector<std::thread> threads_;
};

}  // namespace colophon::test
