// SPDX-License-Identifier: Apache-2.0
#pragma once

// `colophon serve` as a real process on a free port, with a store, keys and a first tenant of its
// own, before a bench upstream.

#include "support/tools.h"

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace colophon::test {

// Whether it becomes so within ten seconds.
template <class Condition>
bool soon(Condition condition) {
    for (int i = 0; i < 200; ++i) {
        if (condition()) {
            return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
}

// A program that runs beside the test and is ended with it.
class Background {
public:
    // Its standard output and error go to the files PATH.out and PATH.err.
    Background(std::vector<std::string> argv, const std::string& path,
               std::vector<std::string> environment = {});
    ~Background();
    Background(const Background&) = delete;
    Background& operator=(const Background&) = delete;

    void signal(int number) const;
    // Its exit code, 128 + signal, or -1 when it does not end within ten seconds.
    int wait();
    pid_t process() const noexcept { return process_; }
    std::string out() const;
    std::string err() const;

private:
    pid_t process_ = -1;
    std::string path_;
};

// One process of a service.
struct Node {
    std::unique_ptr<Background> process;
    std::string port;

    std::string url(const std::string& path) const { return "http://127.0.0.1:" + port + path; }
};

class RunningService {
public:
    // `more`: further lines of the configuration. `variables`: NAME=VALUE for all programs of this
    // service.
    explicit RunningService(const std::string& more = {}, std::vector<std::string> variables = {});
    // The variables for a service on this PostgreSQL store, so that there can be several nodes.
    static std::vector<std::string> on_postgres(const std::string& address);

    // colophon VERB ... with this service's configuration.
    ToolRun colophon(std::vector<std::string> arguments) const;
    std::string ok(std::vector<std::string> arguments) const;  // must succeed
    void start();
    // Another process on the same data; `name` of its log.
    Node start_node(const std::string& name) const;
    std::string url(const std::string& path) const;
    // curl ARGUMENTS with the API key; what it prints.
    std::string curl(std::vector<std::string> arguments) const;

    TempDir dir;
    std::vector<std::string> variables;
    std::string key;  // of the tenant "demo", with all scopes
    std::string key_id;
    std::string tenant;
    std::unique_ptr<Background> upstream;
    std::unique_ptr<Background> service;
    std::string port;
    std::string upstream_port;
};

}  // namespace colophon::test
