// SPDX-License-Identifier: Apache-2.0
#include "storage/migration.h"

#include "core/clock.h"
#include "core/result.h"
#include "storage/engines.h"
#include "storage/store.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <future>
#include <span>
#include <string>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::array kSteps{
    Migration{"ledger", 1,
              "CREATE TABLE records (number SERIAL_KEY, at INTEGER NOT NULL, words TEXT UNIQUE,\n"
              "  body BYTES);\n"
              "CREATE INDEX records_at ON records (at);\n"},
    Migration{"ledger", 2, "ALTER TABLE records ADD COLUMN note TEXT"},
    Migration{"identity", 1, "CREATE TABLE people (id INTEGER PRIMARY KEY)", nullptr},
};

FixedClock clock_of_test() {
    return FixedClock(Time(std::chrono::milliseconds(1'700'000'000'123)));
}

}  // namespace

TEST_CASE("missing steps are applied once, in order, and then the schema is right") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        CHECK(code_of(check_schema(*store, kSteps)) == ErrorCode::kNotFound);
        CHECK(good(migrate(*store, std::span(kSteps).first(1), clock)) == 1);
        CHECK(code_of(check_schema(*store, kSteps)) == ErrorCode::kNotFound);
        CHECK(good(migrate(*store, kSteps, clock)) == 2);
        CHECK(good(migrate(*store, kSteps, clock)) == 0);
        good(check_schema(*store, kSteps));
        Batch batch;
        batch.operations.push_back(
            {.statement = {"INSERT INTO records (at, words, body, note) VALUES ($1, $2, $3, $4)"},
             .parameters = {integer(1LL << 60), text("字"), bytes(as_bytes("b")), text("n")}});
        good(store->apply(std::move(batch)));
        const Rows rows = good(store->query({"SELECT applied_at FROM colophon_migrations"}, {}));
        REQUIRE(rows.size() == 3);
        CHECK(good(rows.integer(0, 0)) == 1'700'000'000'123);
    });
}

TEST_CASE("numbers of a SERIAL_KEY grow and none is given twice") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        good(migrate(*store, kSteps, clock));
        const auto insert = [&store] {
            Batch batch;
            batch.operations.push_back(
                {.statement = {"INSERT INTO records (at) VALUES (1)"}, .parameters = {}});
            good(store->apply(std::move(batch)));
            const Rows rows = good(store->query({"SELECT MAX(number) FROM records"}, {}));
            return good(rows.integer(0, 0));
        };
        const auto first = insert();
        CHECK(insert() == first + 1);
        store.script("DELETE FROM records");
        CHECK(insert() == first + 2);
    });
}

TEST_CASE("text sorts by its bytes on both engines") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        good(migrate(*store, kSteps, clock));
        BulkInsert bulk{.table = "records", .columns = {"at", "words"}, .rows = {}};
        const std::vector<std::string> sorted{"", " ", "B", "_", "a", "b", "ä", "中", "🀄"};
        for (auto each = sorted.rbegin(); each != sorted.rend(); ++each) {
            bulk.rows.push_back({integer(1), text(*each)});
        }
        Batch batch;
        batch.inserts.push_back(std::move(bulk));
        good(store->apply(std::move(batch)));
        const Rows rows = good(store->query({"SELECT words FROM records ORDER BY words"}, {}));
        REQUIRE(rows.size() == sorted.size());
        for (std::size_t i = 0; i < sorted.size(); ++i) {
            CHECK(good(rows.text(i, 0)) == sorted[i]);
        }
    });
}

TEST_CASE("a step that was edited and a database of a newer program are refused") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        good(migrate(*store, kSteps, clock));
        auto edited = kSteps;
        edited[1].sql = "ALTER TABLE records ADD COLUMN note INTEGER";
        CHECK(code_of(check_schema(*store, edited)) == ErrorCode::kConflict);
        CHECK(code_of(migrate(*store, edited, clock)) == ErrorCode::kConflict);
        const auto older = std::span(kSteps).first(1);
        CHECK(code_of(check_schema(*store, older)) == ErrorCode::kConflict);
        CHECK(code_of(migrate(*store, older, clock)) == ErrorCode::kConflict);
    });
}

TEST_CASE("a step that fails leaves nothing of itself and can be tried again") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        constexpr std::array kWrong{
            Migration{"ledger", 1,
                      "CREATE TABLE half (id INTEGER PRIMARY KEY);\nCREATE INDEX x ON none (y)"}};
        constexpr std::array kRight{
            Migration{"ledger", 1, "CREATE TABLE half (id INTEGER PRIMARY KEY)"}};
        CHECK_FALSE(migrate(*store, kWrong, clock).ok());
        CHECK(good(migrate(*store, kRight, clock)) == 1);
    });
}

TEST_CASE("several nodes that migrate at once apply each step once") {
    each_engine([](TestStore& store) {
        std::vector<std::unique_ptr<Store>> nodes;
        std::vector<std::future<Result<int>>> counts;
        nodes.reserve(4);
        for (int i = 0; i < 4; ++i) {
            nodes.push_back(store.open());
        }
        for (const auto& node : nodes) {
            counts.push_back(std::async(std::launch::async, [&node] {
                FixedClock clock = clock_of_test();
                return migrate(*node, kSteps, clock);
            }));
        }
        int sum = 0;
        for (auto& each : counts) {
            sum += good(each.get());
        }
        CHECK(sum == 3);
        good(check_schema(*store, kSteps));
    });
}

TEST_CASE("only the words of tables are translated, and not in quotes") {
    const auto postgres = translate_sql(
        "CREATE TABLE t (a INTEGER DEFAULT 1, b TEXT CHECK (b <> 'TEXT;'), c_TEXT BYTES);\n"
        "INSERT INTO t (b) VALUES ('BYTES');\n\n",
        Engine::kPostgres);
    REQUIRE(postgres.size() == 2);
    CHECK(postgres[0] ==
          "CREATE TABLE t (a BIGINT DEFAULT 1, b TEXT COLLATE \"C\" CHECK (b <> 'TEXT;'), c_TEXT "
          "BYTEA)");
    CHECK(postgres[1] == "INSERT INTO t (b) VALUES ('BYTES')");
    const auto sqlite = translate_sql("CREATE TABLE t (a BIGINT, b BYTES);", Engine::kSqlite);
    REQUIRE(sqlite.size() == 1);
    CHECK(sqlite[0] == "CREATE TABLE t (a INTEGER, b BLOB) STRICT");
}

}  // namespace colophon::storage
