// SPDX-License-Identifier: Apache-2.0
#pragma once

// A real S3 server: OpenStack Swift with its s3api, as a process of its own (swift_server.py).

#include "support/child_server.h"
#include "support/tools.h"

#include <string>

namespace colophon::test {

class SwiftServer {
public:
    // With one bucket, "bucket".
    SwiftServer();
    ~SwiftServer();
    SwiftServer(const SwiftServer&) = delete;
    SwiftServer& operator=(const SwiftServer&) = delete;
    SwiftServer(SwiftServer&&) = delete;
    SwiftServer& operator=(SwiftServer&&) = delete;
    // One server for the run of the program.
    static SwiftServer& shared();

    static constexpr const char* kAccessKey = "test:tester";
    static constexpr const char* kSecretKey = "testing";

    const std::string& endpoint() const noexcept {
        return server_.endpoint();
    }  // "http://127.0.0.1:PORT"
    // Every file in which the server keeps something.
    std::string folder() const { return folder_.file("swift/disks"); }

private:
    TempDir folder_;
    ChildServer server_;
};

}  // namespace colophon::test
