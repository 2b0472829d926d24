// SPDX-License-Identifier: Apache-2.0
#include "support/child_server.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string>
#include <vector>

namespace colophon::test {

ChildServer::ChildServer(const std::vector<std::string>& command, const char* missing) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    REQUIRE(::pipe2(in.data(), O_CLOEXEC) == 0);
    REQUIRE(::pipe2(out.data(), O_CLOEXEC) == 0);
    std::vector<char*> arguments;
    for (const std::string& each : command) {
        arguments.push_back(const_cast<char*>(each.c_str()));
    }
    arguments.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        ::execv(arguments.front(), arguments.data());
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
    REQUIRE_MESSAGE(line.starts_with("PORT "), missing);
    endpoint_ = "http://127.0.0.1:" + line.substr(5);
}

ChildServer::~ChildServer() {
    ::close(input_);
    ::waitpid(child_, nullptr, 0);
}

void ChildServer::kill() const {
    ::kill(child_, SIGKILL);
}

}  // namespace colophon::test
