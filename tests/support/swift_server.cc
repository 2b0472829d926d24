// SPDX-License-Identifier: Apache-2.0
#include "support/swift_server.h"

namespace colophon::test {

SwiftServer::SwiftServer()
    : server_({"/usr/bin/python3", COLOPHON_SOURCE_DIR "/tests/support/swift_server.py",
               folder_.file("swift")},
              "Swift does not start; it needs the packages of tools/packages.txt") {}

SwiftServer::~SwiftServer() {
    server_.kill();  // its threads would wait for sockets
}

SwiftServer& SwiftServer::shared() {
    static SwiftServer server;
    return server;
}

}  // namespace colophon::test
