// SPDX-License-Identifier: Apache-2.0
#include "support/postgres_server.h"

#include "support/tools.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX leaves it to us

namespace colophon::test {
namespace {

namespace fs = std::filesystem;

// Debian keeps the programs of each version in a folder of its own.
std::string find_programs() {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& each : fs::directory_iterator("/usr/lib/postgresql", ignored)) {
        if (fs::exists(each.path() / "bin" / "initdb")) {
            found.push_back((each.path() / "bin").string());
        }
    }
    REQUIRE_MESSAGE(!found.empty(), "PostgreSQL is not installed: apt-get install postgresql");
    return *std::ranges::max_element(found);
}

}  // namespace

PostgresServer& PostgresServer::shared() {
    static PostgresServer server;
    return server;
}

std::string PostgresServer::program(const char* name) const {
    return programs_ + "/" + name;
}

// PostgreSQL refuses to run as root.
std::vector<std::string> PostgresServer::as_user(std::vector<std::string> argv) const {
    if (geteuid() != 0) {
        return argv;
    }
    std::vector<std::string> words{"setpriv", "--reuid=postgres", "--regid=postgres",
                                   "--clear-groups", "--pdeathsig=SIGINT"};
    std::ranges::move(argv, std::back_inserter(words));
    return words;
}

PostgresServer::PostgresServer() : folder_(dir_.path().string()), programs_(find_programs()) {
    if (geteuid() == 0) {
        const passwd* user = getpwnam("postgres");
        REQUIRE(user != nullptr);
        REQUIRE(chown(folder_.c_str(), user->pw_uid, user->pw_gid) == 0);
    }
    run_tool_ok(as_user({program("initdb"), "--pgdata=" + dir_.file("data"), "--auth=trust",
                         "--username=colophon", "--encoding=UTF8", "--locale=C", "--no-sync",
                         "--no-instructions"}));
    start();
}

void PostgresServer::spawn() {
    std::vector<std::string> words =
        as_user({program("postgres"), "-D", dir_.file("data"), "-k", folder_, "-c",
                 "listen_addresses=", "-c", "max_connections=200", "-c", "shared_buffers=32MB",
                 "-c", "log_min_messages=fatal", "-c", "max_wal_size=256MB"});
    std::vector<char*> pointers;
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const std::string log = dir_.file("log");
    for (const int stream : {1, 2}) {
        posix_spawn_file_actions_addopen(&actions, stream, log.c_str(),
                                         O_WRONLY | O_CREAT | O_APPEND, 0644);
    }
    REQUIRE(posix_spawnp(&server_, pointers[0], &actions, nullptr, pointers.data(), environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
}

void PostgresServer::start() {
    spawn();
    for (int attempt = 0; attempt < 1200; ++attempt) {
        if (run_tool({program("pg_isready"), "-q", "-h", folder_, "-U", "colophon"}).exit_code ==
            0) {
            return;
        }
        if (waitpid(server_, nullptr, WNOHANG) == server_) {
            // After a kill the old server's children may still hold its memory.
            spawn();
        }
        usleep(50'000);
    }
    FAIL("PostgreSQL does not answer");
}

void PostgresServer::kill() {
    ::kill(server_, SIGKILL);
    waitpid(server_, nullptr, 0);
    server_ = -1;
    // Its children notice by themselves; the next start waits for the last of them.
}

PostgresServer::~PostgresServer() {
    if (server_ > 0) {
        ::kill(server_, SIGQUIT);
        waitpid(server_, nullptr, 0);
    }
}

std::string PostgresServer::psql(const std::string& sql) const {
    return run_tool_ok({program("psql"), "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
                        folder_, "-U", "colophon", "-d", "postgres", "-c", sql});
}

std::string PostgresServer::address_of_schema(const std::string& schema) const {
    return "postgres://colophon@/postgres?host=" + folder_ + "&options=-csearch_path%3D" + schema;
}

std::string PostgresServer::through(const std::string& address, int port) const {
    const std::string here = "host=" + folder_;
    std::string other = address;
    other.replace(other.find(here), here.size(),
                  "host=127.0.0.1&sslmode=disable&port=" + std::to_string(port));
    return other;
}

std::string PostgresServer::new_address() {
    const std::string schema = "test_" + std::to_string(++schemas_);
    psql("CREATE SCHEMA " + schema);
    return address_of_schema(schema);
}

}  // namespace colophon::test
