// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/postgres_connection.h"

#include "core/bytes.h"
#include "core/result.h"
#include "storage/internal/postgres_value.h"
#include "storage/limits.h"
#include "storage/postgres_store.h"
#include "storage/store.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>
#include <postgres_ext.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

using std::chrono::steady_clock;

constexpr int kServerVersionMin = 140000;
constexpr const char* kMeetsOthers = "a change did not meet as many rows as it should";
constexpr const char* kDivisionByZero = "22012";

ErrorCode code_of(std::string_view state) {
    struct Row {
        std::string_view start;
        ErrorCode code;
    };
    static constexpr std::array kCodes{
        Row{"23", ErrorCode::kConflict},            // a constraint
        Row{"22", ErrorCode::kInvalidArgument},     // a value
        Row{"42804", ErrorCode::kInvalidArgument},  // a value of another kind than the column's
        Row{"42501", ErrorCode::kDenied},           // no privilege
        Row{"42710", ErrorCode::kConflict},         // a type of that name is there, or
        Row{"42P07", ErrorCode::kConflict},         // a table: somebody else was making it
        Row{"42", ErrorCode::kCorrupt},             // no such table or column
        Row{"28", ErrorCode::kDenied},              // user or password
        Row{"25006", ErrorCode::kDenied},           // a change where only reading is allowed
        Row{"3D", ErrorCode::kNotFound},            // no such database
        Row{"54", ErrorCode::kLimit},
        Row{"XX001", ErrorCode::kCorrupt},
        Row{"XX002", ErrorCode::kCorrupt},
    };
    const auto* row = std::ranges::find_if(
        kCodes, [state](const Row& each) { return state.starts_with(each.start); });
    return row == kCodes.end() ? ErrorCode::kUnavailable : row->code;
}

std::string key_of(std::string_view sql, const Values& parameters) {
    std::string key;
    key.reserve(sql.size() + parameters.size() + 1);
    key.append(sql);
    key += '\n';
    for (const Value& value : parameters) {
        key += static_cast<char>('0' + value.index());
    }
    return key;
}

// The server makes the error, since in a pipeline nobody looks at the count before the commit.
std::string meeting(const std::string& sql, std::int64_t rows) {
    return fmt::format(
        "WITH changed AS ({} RETURNING 1) SELECT 1 / CAST(COUNT(*) = {} AS INTEGER) FROM changed",
        sql, rows);
}

void add_default(PostgresAddress& address, const char* keyword, std::string value) {
    const bool known = std::ranges::any_of(
        address.settings, [keyword](const auto& each) { return each.first == keyword; });
    if (!known) {
        address.settings.emplace_back(keyword, std::move(value));
    }
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) {
        text.remove_suffix(1);
    }
    return text.substr(0, text.find('\n'));
}

void keep_silent(void*, const PGresult*) {}

}  // namespace

Result<PostgresAddress> parse_postgres_address(const std::string& url,
                                               const PostgresOptions& options) {
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
        PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree);
    if (parsed == nullptr) {
        // libpq's own message repeats parts of the address.
        return Error{ErrorCode::kInvalidArgument,
                     "the address of the PostgreSQL database is not of the form "
                     "postgres://USER:PASSWORD@HOST:PORT/NAME?PARAMETER=VALUE"};
    }
    PostgresAddress address;
    for (const PQconninfoOption* each = parsed.get(); each->keyword != nullptr; ++each) {
        if (each->val == nullptr) {
            continue;
        }
        const std::string_view keyword = each->keyword;
        address.settings.emplace_back(keyword, each->val);
        if ((keyword == "password" || keyword == "sslpassword") && *each->val != '\0') {
            address.secrets.emplace_back(each->val);
        }
    }
    add_default(address, "client_encoding", "UTF8");
    add_default(address, "application_name", "colophon");
    add_default(address, "connect_timeout", std::to_string(options.connect_max.count()));
    // A peer that vanished is noticed in half a minute, also when nothing was asked.
    add_default(address, "keepalives_idle", "10");
    add_default(address, "keepalives_interval", "5");
    add_default(address, "keepalives_count", "3");
    add_default(address, "tcp_user_timeout", "20000");
    // Of several hosts the one that takes writes.
    add_default(address, "target_session_attrs", "read-write");
    return address;
}

void PostgresConnection::Freer::operator()(pg_result* result) const {
    PQclear(result);
}

PostgresConnection::~PostgresConnection() {
    PQfinish(handle_);
}

std::string PostgresConnection::hide(std::string text) const {
    for (const std::string& secret : secrets_) {
        for (std::size_t at = text.find(secret); at != std::string::npos;
             at = text.find(secret, at + 3)) {
            text.replace(at, secret.size(), "***");
        }
    }
    return text;
}

Error PostgresConnection::lost() {
    const std::string_view message = trimmed(PQerrorMessage(handle_));
    broken_ = true;
    state_.clear();
    if (message.empty()) {
        return Error{ErrorCode::kUnavailable, "the database did not answer in time"};
    }
    return Error{ErrorCode::kUnavailable, fmt::format("the connection to the database was lost: {}",
                                                      hide(std::string(message)))};
}

Error PostgresConnection::failure(const pg_result* answer) {
    const char* state = answer == nullptr ? nullptr : PQresultErrorField(answer, PG_DIAG_SQLSTATE);
    if (state == nullptr || PQstatus(handle_) == CONNECTION_BAD) {
        return lost();
    }
    state_ = state;
    // Class 57P: the server is going down or has ended this connection. 0A000, 26000: a prepared
    // statement does not fit the tables any more, or is gone; a new connection prepares anew.
    broken_ = broken_ || state_.starts_with("57P") || state_.starts_with("08") ||
              state_ == "0A000" || state_ == "26000";
    // The primary message alone: the detail repeats values.
    const char* message = PQresultErrorField(answer, PG_DIAG_MESSAGE_PRIMARY);
    const ErrorCode code = code_of(state_);
    const char* start = code == ErrorCode::kCorrupt
                            ? "the database has another shape than this program expects"
                            : "the database refused a statement";
    return Error{
        code, fmt::format("{}: {} ({})", start, hide(message == nullptr ? "" : message), state_)};
}

bool PostgresConnection::in_transaction() const {
    return PQtransactionStatus(handle_) != PQTRANS_IDLE;
}

bool PostgresConnection::broken() const {
    return broken_ || PQstatus(handle_) == CONNECTION_BAD;
}

int PostgresConnection::socket() const {
    return PQsocket(handle_);
}

bool PostgresConnection::alive() {
    if (broken()) {
        return false;
    }
    pollfd wait{.fd = PQsocket(handle_), .events = POLLIN, .revents = 0};
    // What an idle connection says unasked is that it ends, or that settings of the server have
    // changed; a new one is right for both.
    return poll(&wait, 1, 0) == 0;
}

Result<std::vector<PostgresConnection::Heard>> PostgresConnection::heard() {
    if (PQconsumeInput(handle_) != 1) {
        return lost();
    }
    std::vector<Heard> all;
    while (PGnotify* each = PQnotifies(handle_)) {
        all.push_back({each->relname, each->extra});
        PQfreemem(each);
    }
    return all;
}

// Nothing at the end of one statement's answers, and when the server does not answer in time.
PostgresConnection::Answer PostgresConnection::next_answer() {
    const auto deadline = steady_clock::now() + patience_;
    while (!broken_ && PQisBusy(handle_) == 1) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
        pollfd wait{.fd = PQsocket(handle_), .events = POLLIN, .revents = 0};
        const int ready = poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready < 0 && errno == EINTR) {
            continue;
        }
        if (ready == 0 && left.count() <= 0) {
            broken_ = true;
            return nullptr;
        }
        if (PQconsumeInput(handle_) != 1) {
            break;  // the answer says what is wrong
        }
    }
    return broken_ ? nullptr : Answer(PQgetResult(handle_));
}

void PostgresConnection::drain() {
    while (!broken_ && next_answer() != nullptr) {
    }
}

Result<void> PostgresConnection::script(const std::string& sql) {
    if (PQsendQuery(handle_, sql.c_str()) != 1) {
        return lost();
    }
    std::optional<Error> first;
    for (Answer answer = next_answer(); answer != nullptr; answer = next_answer()) {
        const ExecStatusType status = PQresultStatus(answer.get());
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && !first) {
            first = failure(answer.get());
        }
    }
    if (first) {
        return *first;
    }
    return broken_ ? Result<void>(lost()) : Result<void>();
}

std::string PostgresConnection::new_name() {
    return fmt::format("s{}", ++names_);
}

bool PostgresConnection::send_prepare(const std::string& name, const std::string& sql,
                                      const Values& parameters) {
    const std::vector<Oid> types = postgres_types(parameters);
    return PQsendPrepare(handle_, name.c_str(), sql.c_str(), static_cast<int>(types.size()),
                         types.data()) == 1;
}

bool PostgresConnection::send(const std::string& name, const Values& parameters) {
    const PostgresParameters sent(parameters);
    return PQsendQueryPrepared(handle_, name.c_str(), static_cast<int>(parameters.size()),
                               sent.values(), sent.lengths(), sent.formats(), 1) == 1;
}

Result<std::string> PostgresConnection::prepare(const char* sql, const Values& parameters) {
    std::string key = key_of(sql, parameters);
    const auto known = prepared_.find(key);
    if (known != prepared_.end()) {
        return known->second;
    }
    if (prepared_.size() >= kStatementsCachedMax) {
        TRY(script("DEALLOCATE ALL"));
        prepared_.clear();
    }
    std::string name = new_name();
    if (!send_prepare(name, sql, parameters)) {
        return lost();
    }
    const Answer answer = next_answer();
    if (answer == nullptr || PQresultStatus(answer.get()) != PGRES_COMMAND_OK) {
        Error error = failure(answer.get());
        drain();
        return error;
    }
    drain();
    prepared_.emplace(std::move(key), name);
    return name;
}

Result<PostgresConnection::Answer> PostgresConnection::run(const char* sql,
                                                           const Values& parameters) {
    const std::string name = TRY(prepare(sql, parameters));
    if (!send(name, parameters)) {
        return lost();
    }
    Answer answer = next_answer();
    const ExecStatusType status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
        Error error = failure(answer.get());
        drain();
        return error;
    }
    drain();
    return answer;
}

Result<std::int64_t> PostgresConnection::execute(const char* sql, const Values& parameters) {
    const Answer answer = TRY(run(sql, parameters));
    const std::string_view count = PQcmdTuples(answer.get());
    // A SELECT tells how many rows it answers; it changes none.
    if (PQresultStatus(answer.get()) == PGRES_TUPLES_OK &&
        std::string_view(PQcmdStatus(answer.get())).starts_with("SELECT")) {
        return 0;
    }
    std::int64_t number = 0;
    std::from_chars(count.data(), count.data() + count.size(), number);
    return number;
}

Result<void> PostgresConnection::visit(const char* sql, const Values& parameters,
                                       const RowVisitor& row) {
    const std::string name = TRY(prepare(sql, parameters));
    if (!send(name, parameters) || PQsetSingleRowMode(handle_) != 1) {
        return lost();
    }
    Result<void> outcome;
    bool ended = false;
    for (Answer answer = next_answer(); answer != nullptr; answer = next_answer()) {
        const ExecStatusType status = PQresultStatus(answer.get());
        ended = status != PGRES_SINGLE_TUPLE;
        if (ended && status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            outcome = failure(answer.get());
        }
        if (!ended && outcome.ok()) {
            auto values = postgres_row(*answer, 0);
            outcome = values.ok() ? row(*values) : Result<void>(values.error());
        }
    }
    return ended ? outcome : Result<void>(lost());
}

Result<Rows> PostgresConnection::query(const char* sql, const Values& parameters) {
    const Answer answer = TRY(run(sql, parameters));
    const auto count = static_cast<std::size_t>(PQntuples(answer.get()));
    if (count > kAnswerRowsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("the answer has more than {} rows", kAnswerRowsMax)};
    }
    Rows rows(static_cast<std::size_t>(PQnfields(answer.get())));
    for (std::size_t i = 0; i < count; ++i) {
        Values values = TRY(postgres_row(*answer, static_cast<int>(i)));
        for (Value& value : values) {
            rows.add(std::move(value));
        }
    }
    return rows;
}

Result<void> PostgresConnection::copy_rows(const BulkInsert& rows) {
    PostgresCopy copy(rows.columns.size());
    for (std::size_t i = 0; i <= rows.rows.size(); ++i) {
        const bool last = i == rows.rows.size();
        if (last) {
            copy.finish();
        } else {
            copy.add(rows.rows[i]);
        }
        if (last || copy.bytes().size() >= PostgresCopy::kPieceBytes) {
            const std::string_view piece = as_text(copy.bytes());
            if (PQputCopyData(handle_, piece.data(), static_cast<int>(piece.size())) != 1) {
                return lost();
            }
            copy.clear();
        }
    }
    return PQputCopyEnd(handle_, nullptr) == 1 ? Result<void>() : Result<void>(lost());
}

Result<void> PostgresConnection::insert(const BulkInsert& rows) {
    if (rows.rows.empty()) {
        return {};
    }
    if (PQsendQuery(handle_, PostgresCopy::statement(rows).c_str()) != 1) {
        return lost();
    }
    Answer answer = next_answer();
    if (PQresultStatus(answer.get()) != PGRES_COPY_IN) {
        Error error = failure(answer.get());
        drain();
        return error;
    }
    TRY(copy_rows(rows));
    answer = next_answer();
    if (PQresultStatus(answer.get()) != PGRES_COMMAND_OK) {
        Error error = failure(answer.get());
        drain();
        return error;
    }
    drain();
    return {};
}

bool PostgresConnection::send_steps(std::span<const Step> steps, std::vector<Sent>& sent) {
    std::unordered_map<std::string, std::string> fresh;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const Step& step = steps[i];
        const std::string sql = step.rows ? meeting(step.sql, *step.rows) : step.sql;
        std::string key = key_of(sql, *step.parameters);
        const auto known = prepared_.find(key);
        std::string name = known == prepared_.end() ? std::string() : known->second;
        if (name.empty()) {
            const auto [place, added] = fresh.try_emplace(key);
            if (added) {
                place->second = new_name();
                if (!send_prepare(place->second, sql, *step.parameters)) {
                    return false;
                }
                sent.push_back({.step = i, .prepares = key, .name = place->second});
            }
            name = place->second;
        }
        if (!send(name, *step.parameters)) {
            return false;
        }
        sent.push_back({.step = i, .prepares = {}, .name = {}});
    }
    return PQpipelineSync(handle_) == 1;
}

std::optional<PostgresConnection::Failure> PostgresConnection::read_steps(
    std::size_t count, const std::vector<Sent>& sent) {
    std::optional<Failure> first;
    for (const Sent& each : sent) {
        const Answer answer = next_answer();
        const ExecStatusType status = PQresultStatus(answer.get());
        if (answer == nullptr || PQstatus(handle_) == CONNECTION_BAD) {
            return Failure{.step = count, .error = lost()};
        }
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
            if (!each.prepares.empty()) {
                prepared_.emplace(each.prepares, each.name);
            }
        } else if (!first && status != PGRES_PIPELINE_ABORTED) {
            first = Failure{.step = each.step, .error = failure(answer.get())};
        }
        if (next_answer() != nullptr) {  // each statement's answers end with nothing
            return Failure{.step = count, .error = lost()};
        }
    }
    const Answer sync = next_answer();
    if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) {
        return Failure{.step = count, .error = lost()};
    }
    return first;
}

std::optional<PostgresConnection::Failure> PostgresConnection::pipeline(
    std::span<const Step> steps) {
    if (prepared_.size() >= kStatementsCachedMax) {
        const auto cleared = script("DEALLOCATE ALL");
        if (!cleared.ok()) {
            return Failure{.step = steps.size(), .error = cleared.error()};
        }
        prepared_.clear();
    }
    std::vector<Sent> sent;
    if (PQenterPipelineMode(handle_) != 1 || !send_steps(steps, sent)) {
        return Failure{.step = steps.size(), .error = lost()};
    }
    std::optional<Failure> failed = read_steps(steps.size(), sent);
    if (!broken() && PQexitPipelineMode(handle_) != 1) {
        return Failure{.step = steps.size(), .error = lost()};
    }
    if (failed && failed->step < steps.size() && steps[failed->step].rows &&
        state_ == kDivisionByZero) {
        failed->error = Error{ErrorCode::kConflict, kMeetsOthers};
    }
    return failed;
}

Result<std::unique_ptr<PostgresConnection>> PostgresConnection::open(
    const PostgresAddress& address, Role role, const PostgresOptions& options) {
    std::vector<const char*> keywords;
    std::vector<const char*> values;
    for (const auto& [keyword, value] : address.settings) {
        keywords.push_back(keyword.c_str());
        values.push_back(value.c_str());
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    auto connection = std::make_unique<PostgresConnection>(
        PQconnectdbParams(keywords.data(), values.data(), 0), address);
    pg_conn* handle = connection->handle_;
    if (PQstatus(handle) != CONNECTION_OK) {
        // libpq keeps no SQLSTATE of a refused start, so the words have to do.
        const std::string_view message = PQerrorMessage(handle);
        const bool denied = message.find("authentication failed") != std::string_view::npos ||
                            message.find("no pg_hba.conf entry") != std::string_view::npos ||
                            message.find("no password supplied") != std::string_view::npos;
        return Error{denied ? ErrorCode::kDenied : ErrorCode::kUnavailable,
                     fmt::format("cannot connect to the PostgreSQL database: {}",
                                 connection->hide(std::string(trimmed(message))))};
    }
    PQsetNoticeReceiver(handle, &keep_silent, nullptr);
    if (PQserverVersion(handle) < kServerVersionMin) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("PostgreSQL {} is too old; 14 or newer is needed",
                                 PQserverVersion(handle) / 10000)};
    }
    connection->set_patience(options.statement_max + std::chrono::seconds(5));
    // synchronous_commit may be stronger than "on", which waits for replicas, but not off.
    TRY(connection->script(
        fmt::format("SET statement_timeout = {}; SET idle_in_transaction_session_timeout = 600000;"
                    "SET client_min_messages = warning; SET default_transaction_read_only = {};"
                    "SELECT set_config('synchronous_commit', 'on', false)"
                    " WHERE current_setting('synchronous_commit') IN ('off')",
                    options.statement_max.count(), role == Role::kReader ? "on" : "off")));
    const Rows facts = TRY(connection->query(
        "SELECT current_setting('server_encoding'), current_setting('fsync')", {}));
    if (TRY(facts.text(0, 0)) != "UTF8") {
        return Error{ErrorCode::kUnsupported, "the PostgreSQL database does not keep UTF-8"};
    }
    if (TRY(facts.text(0, 1)) != "on") {
        return Error{ErrorCode::kUnsupported,
                     "the PostgreSQL server runs with fsync = off: it does not keep what it "
                     "acknowledges"};
    }
    return connection;
}

}  // namespace colophon::storage
