// SPDX-License-Identifier: Apache-2.0
#pragma once

// A real PostgreSQL for tests: made once per program in a folder of its own, without any network,
// as a user without rights. The test fails when PostgreSQL is not installed (tools/packages.txt).

#include "support/tools.h"

#include <sys/types.h>

#include <string>

namespace colophon::test {

class PostgresServer {
public:
    // The one of this program; started when it is first asked for, stopped at the end.
    static PostgresServer& shared();

    PostgresServer();
    PostgresServer(const PostgresServer&) = delete;
    PostgresServer& operator=(const PostgresServer&) = delete;
    ~PostgresServer();

    // The address of an empty schema that nobody else uses.
    std::string new_address();
    std::string address_of_schema(const std::string& schema) const;
    // The same through a proxy on 127.0.0.1 before socket_path().
    std::string through(const std::string& address, int port) const;
    std::string socket_path() const { return folder_ + "/.s.PGSQL.5432"; }
    const std::string& folder() const { return folder_; }  // of the socket, too

    // Runs statements as the owner of everything, by psql.
    std::string psql(const std::string& sql) const;

    void kill();   // SIGKILL to the server: what a crash is
    void start();  // again; returns when it answers

private:
    void spawn();
    std::string program(const char* name) const;
    std::vector<std::string> as_user(std::vector<std::string> argv) const;

    TempDir dir_;
    std::string folder_;
    std::string programs_;
    pid_t server_ = -1;
    int schemas_ = 0;
};

}  // namespace colophon::test
