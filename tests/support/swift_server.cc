// SPDX-License-Identifier: Apache-2.0
#include "support/swift_server.h"

#include "support/tools.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>

namespace colophon::test {

SwiftServer::SwiftServer() {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
    const std::string script = COLOPHON_SOURCE_DIR "/tests/support/swift_server.py";
    const std::string folder = folder_.file("swift");
    child_ = ::fork();
    if (child_ == 0) {
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        ::execl("/usr/bin/python3", "python3", script.c_str(), folder.c_str(), nullptr);
        _exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = in[1];
    std::string line;
    char c = 0;
    while (::read(out[0], &c, 1) == 1 && c != '\n') {
        line += c;
    }
    ::close(out[0]);
    REQUIRE_MESSAGE(line.starts_with("PORT "),
                    "Swift does not start; it needs the packages of tools/packages.txt");
    endpoint_ = "http://127.0.0.1:" + line.substr(5);
}

SwiftServer::~SwiftServer() {
    ::close(input_);
    ::kill(child_, SIGKILL);  // its threads would wait for sockets
    ::waitpid(child_, nullptr, 0);
}

SwiftServer& SwiftServer::shared() {
    static SwiftServer server;
    return server;
}

}  // namespace colophon::test
