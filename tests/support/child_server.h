// SPDX-License-Identifier: Apache-2.0
#pragma once

// A server that a test needs, as a process of its own: it says "PORT NUMBER" on its output when it
// can be asked, and ends when its input does.

#include <sys/types.h>

#include <string>
#include <vector>

namespace colophon::test {

class ChildServer {
public:
    // The test ends, with `missing` as its words, where the server does not come up.
    ChildServer(const std::vector<std::string>& command, const char* missing);
    ~ChildServer();
    ChildServer(const ChildServer&) = delete;
    ChildServer& operator=(const ChildServer&) = delete;
    ChildServer(ChildServer&&) = delete;
    ChildServer& operator=(ChildServer&&) = delete;

    const std::string& endpoint() const noexcept { return endpoint_; }  // "http://127.0.0.1:PORT"
    // Of one that does not end by itself.
    void kill() const;

private:
    pid_t child_ = -1;
    int input_ = -1;
    std::string endpoint_;
};

}  // namespace colophon::test
