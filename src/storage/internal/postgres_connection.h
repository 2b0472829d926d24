// SPDX-License-Identifier: Apache-2.0
#pragma once

// One connection to PostgreSQL, with its prepared statements. Belongs to one thread at a time.
// Everything is sent and answered in binary, so that no value is ever written as text.

#include "storage/postgres_store.h"  // IWYU pragma: export

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

// NOLINTBEGIN(readability-identifier-naming): the library names its types so.
struct pg_conn;
struct pg_result;
// NOLINTEND(readability-identifier-naming)

namespace colophon::storage {

// Where to connect, taken apart once.
struct PostgresAddress {
    std::vector<std::pair<std::string, std::string>> settings;
    std::vector<std::string> secrets;  // never to be seen in a message
};
Result<PostgresAddress> parse_postgres_address(const std::string& url,
                                               const PostgresOptions& options);

class PostgresConnection {
public:
    enum class Role { kWriter, kReader };

    static Result<std::unique_ptr<PostgresConnection>> open(const PostgresAddress& address,
                                                            Role role,
                                                            const PostgresOptions& options);
    PostgresConnection(pg_conn* handle, const PostgresAddress& address)
        : handle_(handle), secrets_(address.secrets) {}
    PostgresConnection(const PostgresConnection&) = delete;
    PostgresConnection& operator=(const PostgresConnection&) = delete;
    ~PostgresConnection();

    Result<void> script(const std::string& sql);
    Result<std::int64_t> execute(const char* sql, const Values& parameters);
    Result<Rows> query(const char* sql, const Values& parameters);
    Result<void> visit(const char* sql, const Values& parameters, const RowVisitor& row);
    Result<void> insert(const BulkInsert& rows);

    // One statement of a pipeline. With `rows` it fails unless it meets exactly so many.
    struct Step {
        std::string sql;
        const Values* parameters;
        // NOLINTNEXTLINE(readability-redundant-member-init): for `{.sql = ...}` without it
        std::optional<std::int64_t> rows = {};
    };
    struct Failure {
        std::size_t step;  // the number of steps when the whole was lost
        Error error;
    };
    // Sends all, then reads all answers. Nothing when every step was done; after a failed step the
    // server skips the rest.
    std::optional<Failure> pipeline(std::span<const Step> steps);

    bool in_transaction() const;
    bool broken() const;
    bool reusable() const { return !broken() && !in_transaction(); }
    // Looks whether the server has closed an idle connection.
    bool alive();
    // SQLSTATE of the last error of the server; empty when the connection itself failed.
    const std::string& state() const noexcept { return state_; }
    // 40001 or 40P01: the same again may succeed.
    bool may_repeat() const { return state_ == "40001" || state_ == "40P01"; }

    // For the thread that listens.
    int socket() const;
    struct Heard {
        std::string channel;
        std::string payload;
    };
    // What has arrived; does not wait.
    Result<std::vector<Heard>> heard();

    // The longest that an answer is waited for.
    void set_patience(std::chrono::milliseconds patience) { patience_ = patience; }

private:
    struct Freer {
        void operator()(pg_result* result) const;
    };
    using Answer = std::unique_ptr<pg_result, Freer>;

    Answer next_answer();
    void drain();
    // What was sent in a pipeline and is answered in this order.
    struct Sent {
        std::size_t step;
        std::string prepares;  // key of the statement that this prepares; empty for a run of it
        std::string name;      // of that statement
    };
    Result<std::string> prepare(const char* sql, const Values& parameters);
    Result<Answer> run(const char* sql, const Values& parameters);
    Error failure(const pg_result* answer);
    Error lost();
    bool send(const std::string& name, const Values& parameters);
    bool send_prepare(const std::string& name, const std::string& sql, const Values& parameters);
    bool send_steps(std::span<const Step> steps, std::vector<Sent>& sent);
    std::optional<Failure> read_steps(std::size_t count, const std::vector<Sent>& sent);
    std::string new_name();
    std::string hide(std::string text) const;
    Result<void> copy_rows(const BulkInsert& rows);

    pg_conn* handle_;  // owned
    std::vector<std::string> secrets_;
    std::unordered_map<std::string, std::string> prepared_;  // text and kinds -> name
    std::uint64_t names_ = 0;
    std::string state_;
    bool broken_ = false;
    std::chrono::milliseconds patience_{35'000};
};

}  // namespace colophon::storage
