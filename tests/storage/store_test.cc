// SPDX-License-Identifier: Apache-2.0
// What storage/store.h promises, asked of both engines.
#include "storage/store.h"

#include "core/bytes.h"
#include "core/result.h"
#include "storage/engines.h"
#include "storage/limits.h"
#include "storage/value.h"

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

const Buffer kNoBytes;

// A table that takes one of each kind, named as the migrations would name it on each engine.
void make_things(const TestStore& store) {
    const bool postgres = store.engine() == Engine::kPostgres;
    store.script(std::string("CREATE TABLE things (id ") + (postgres ? "BIGINT" : "INTEGER") +
                 " PRIMARY KEY, number " + (postgres ? "BIGINT" : "INTEGER") +
                 ", words TEXT, data " + (postgres ? "BYTEA" : "BLOB") + ")" +
                 (postgres ? "" : " STRICT"));
}

constexpr Statement kInsert{"INSERT INTO things (id, number, words, data) VALUES ($1, $2, $3, $4)"};
constexpr Statement kSelect{"SELECT id, number, words, data FROM things ORDER BY id"};
constexpr Statement kCount{"SELECT COUNT(*) FROM things"};

Batch insert_one(std::int64_t id, Affects affects = Affects::kAny) {
    Batch batch;
    batch.operations.push_back({.statement = kInsert,
                                .parameters = {integer(id), null(), text("x"), bytes(kNoBytes)},
                                .affects = affects});
    return batch;
}

std::int64_t count(Store& store) {
    return good(good(store.query(kCount, {})).integer(0, 0));
}

std::vector<Values> rows_of(const Rows& rows) {
    std::vector<Values> all;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Values values;
        for (std::size_t column = 0; column < rows.columns(); ++column) {
            values.push_back(rows.at(row, column));
        }
        all.push_back(std::move(values));
    }
    return all;
}

std::vector<Values> samples() {
    const Buffer all_bytes = [] {
        Buffer buffer;
        for (int i = 0; i < 256; ++i) {
            buffer.push_back(static_cast<std::uint8_t>(i));
        }
        return buffer;
    }();
    return {
        {integer(1), integer(std::numeric_limits<std::int64_t>::min()), text(""), bytes(kNoBytes)},
        {integer(2), integer(std::numeric_limits<std::int64_t>::max()), text("标识 \"'\\\n\t🀄"),
         bytes(all_bytes)},
        {integer(3), integer(0), text("NULL"), bytes(as_bytes("\\x00"))},
        {integer(4), null(), null(), null()},
        {integer(5), integer(-1), text(std::string(100'000, 'y')), bytes(Buffer(70'000, 0xFF))},
    };
}

}  // namespace

TEST_CASE("a value is read back as the same bits, whichever way it was written") {
    each_engine([](TestStore& store) {
        make_things(store);
        SUBCASE("by batch") {
            for (const Values& row : samples()) {
                Batch batch;
                batch.operations.push_back(
                    {.statement = kInsert, .parameters = row, .affects = Affects::kOne});
                good(store->apply(std::move(batch)));
            }
        }
        SUBCASE("in bulk") {
            Batch batch;
            batch.inserts.push_back({.table = "things",
                                     .columns = {"id", "number", "words", "data"},
                                     .rows = samples()});
            good(store->apply(std::move(batch)));
        }
        SUBCASE("in a transaction") {
            good(store->transact([](Transaction& transaction) -> Result<void> {
                for (const Values& row : samples()) {
                    if (TRY(transaction.execute(kInsert, row)) != 1) {
                        return Error{ErrorCode::kConflict, "not one row"};
                    }
                }
                return {};
            }));
        }
        CHECK(rows_of(good(store->query(kSelect, {}))) == samples());
        store.reopen();
        CHECK(rows_of(good(store->query(kSelect, {}))) == samples());
    });
}

TEST_CASE("text that is not UTF-8, has a NUL or is too long is refused before it is sent") {
    each_engine([](TestStore& store) {
        make_things(store);
        for (const std::string& wrong : {std::string("a\0b", 3), std::string("\xC3\x28")}) {
            Batch batch;
            batch.operations.push_back(
                {.statement = kInsert, .parameters = {integer(1), null(), text(wrong), null()}});
            CHECK(code_of(store->apply(std::move(batch))) == ErrorCode::kInvalidArgument);
            CHECK(code_of(store->query({"SELECT id FROM things WHERE words = $1"},
                                       {text(wrong)})) == ErrorCode::kInvalidArgument);
        }
        Batch batch;
        batch.operations.push_back(
            {.statement = kInsert,
             .parameters = {integer(1), null(), null(), bytes(Buffer(kValueBytesMax + 1))}});
        CHECK(code_of(store->apply(std::move(batch))) == ErrorCode::kLimit);
        CHECK(count(*store) == 0);
    });
}

TEST_CASE("a value of another kind than its column is an error, not a conversion") {
    each_engine([](TestStore& store) {
        make_things(store);
        Batch batch;
        batch.operations.push_back(
            {.statement = kInsert, .parameters = {integer(1), text("seven"), null(), null()}});
        CHECK(code_of(store->apply(std::move(batch))) == ErrorCode::kInvalidArgument);
        CHECK(count(*store) == 0);
    });
}

TEST_CASE("a parameter may stand twice and in any order") {
    each_engine([](TestStore& store) {
        make_things(store);
        good(store->apply(insert_one(7)));
        const Rows rows =
            good(store->query({"SELECT id FROM things WHERE words = $2 AND id = $1 AND id = $1"},
                              {integer(7), text("x")}));
        CHECK(rows.size() == 1);
    });
}

TEST_CASE("of batches that arrive together only the wrong ones fail, each for its own reason") {
    each_engine([](TestStore& store) {
        make_things(store);
        good(store->apply(insert_one(1000)));
        constexpr int kBatches = 300;
        Collected<std::pair<int, Result<void>>> outcomes;
        for (int i = 0; i < kBatches; ++i) {
            Batch batch = insert_one(i);
            if (i % 50 == 7) {
                batch.operations.push_back(insert_one(1000).operations[0]);
            } else if (i % 50 == 8) {
                batch.operations.push_back(
                    {.statement = {"UPDATE things SET number = 1 WHERE id = $1"},
                     .parameters = {integer(-5)},
                     .affects = Affects::kOne});
            }
            store->apply(std::move(batch), [&outcomes, i](Result<void> outcome) {
                outcomes.add({i, std::move(outcome)});
            });
        }
        int failed = 0;
        for (const auto& [i, outcome] : outcomes.wait_for(kBatches)) {
            const bool wrong = i % 50 == 7 || i % 50 == 8;
            CHECK(outcome.ok() == !wrong);
            if (!outcome.ok()) {
                CHECK(outcome.error().code == ErrorCode::kConflict);
                ++failed;
            }
        }
        CHECK(failed == 12);
        CHECK(count(*store) == kBatches - failed + 1);
        const Rows halves =
            good(store->query({"SELECT COUNT(*) FROM things WHERE id IN (7, 8, 57, 58)"}, {}));
        CHECK(good(halves.integer(0, 0)) == 0);
    });
}

TEST_CASE("a change that must meet one row fails when it meets none or two") {
    each_engine([](TestStore& store) {
        make_things(store);
        good(store->apply(insert_one(1)));
        good(store->apply(insert_one(2)));
        const auto update = [&store](const char* sql) {
            Batch batch;
            batch.operations.push_back(
                {.statement = {sql}, .parameters = {}, .affects = Affects::kOne});
            return store->apply(std::move(batch));
        };
        CHECK(code_of(update("UPDATE things SET number = 5")) == ErrorCode::kConflict);
        CHECK(code_of(update("DELETE FROM things WHERE id = 3")) == ErrorCode::kConflict);
        good(update("UPDATE things SET number = 5 WHERE id = 2"));
        good(update("INSERT INTO things (id) VALUES (3) ON CONFLICT (id) DO NOTHING"));
        CHECK(code_of(update("INSERT INTO things (id) VALUES (3) ON CONFLICT (id) DO NOTHING")) ==
              ErrorCode::kConflict);
        CHECK(count(*store) == 3);
    });
}

TEST_CASE("a transaction sees what it wrote; given up, it leaves nothing and tells nobody") {
    each_engine([](TestStore& store) {
        make_things(store);
        Collected<std::string> heard;
        const auto subscription = good(store->listen(
            "things_changed", [&](std::string_view what) { heard.add(std::string(what)); }));
        const auto outcome = store->transact([](Transaction& transaction) -> Result<void> {
            TRY(transaction.execute(kInsert, {integer(1), null(), null(), null()}));
            const Rows rows = TRY(transaction.query(kCount, {}));
            CHECK(good(rows.integer(0, 0)) == 1);
            transaction.notify({.channel = "things_changed", .payload = "never"});
            return Error{ErrorCode::kDenied, "changed my mind"};
        });
        CHECK(code_of(outcome) == ErrorCode::kDenied);
        CHECK(count(*store) == 0);
        Batch batch = insert_one(2);
        batch.notifications.push_back({.channel = "things_changed", .payload = "2"});
        good(store->apply(std::move(batch)));
        CHECK(heard.wait_for(1) == std::vector<std::string>{"2"});
    });
}

TEST_CASE("a broken constraint ends a transaction even if the body goes over it") {
    each_engine([](TestStore& store) {
        make_things(store);
        good(store->apply(insert_one(1)));
        const auto outcome = store->transact([](Transaction& transaction) -> Result<void> {
            TRY(transaction.execute(kInsert, {integer(2), null(), null(), null()}));
            CHECK(code_of(transaction.execute(kInsert, {integer(1), null(), null(), null()})) ==
                  ErrorCode::kConflict);
            return {};
        });
        CHECK(code_of(outcome) == ErrorCode::kConflict);
        CHECK(count(*store) == 1);
    });
}

TEST_CASE("read, compute, write: no increment of eight threads is lost") {
    each_engine([](TestStore& store) {
        make_things(store);
        good(store->apply(insert_one(1)));
        good(store->transact([](Transaction& transaction) -> Result<void> {
            TRY(transaction.execute({"UPDATE things SET number = 0"}, {}));
            return {};
        }));
        constexpr int kThreads = 8;
        constexpr int kRounds = 15;
        std::atomic<int> done = 0;
        std::vector<std::thread> threads;
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&] {
                for (int round = 0; round < kRounds; ++round) {
                    const auto outcome =
                        store->transact([](Transaction& transaction) -> Result<void> {
                            const Rows rows = TRY(
                                transaction.query({"SELECT number FROM things WHERE id = 1"}, {}));
                            const std::int64_t number = TRY(rows.integer(0, 0));
                            TRY(transaction.execute({"UPDATE things SET number = $1 WHERE id = 1"},
                                                    {integer(number + 1)}));
                            return {};
                        });
                    done += outcome.ok() ? 1 : 0;
                }
            });
        }
        for (std::thread& each : threads) {
            each.join();
        }
        const Rows rows = good(store->query({"SELECT number FROM things WHERE id = 1"}, {}));
        CHECK(good(rows.integer(0, 0)) == done.load());
        CHECK(done.load() > 0);
    });
}

TEST_CASE("a snapshot sees one state while others write") {
    each_engine([](TestStore& store) {
        make_things(store);
        good(store->apply(insert_one(1)));
        good(store->snapshot([&store](Snapshot& snapshot) -> Result<void> {
            const Rows before = TRY(snapshot.query(kCount, {}));
            good(store->apply(insert_one(2)));
            const Rows after = TRY(snapshot.query(kCount, {}));
            CHECK(good(before.integer(0, 0)) == 1);
            CHECK(good(after.integer(0, 0)) == 1);
            return {};
        }));
        CHECK(count(*store) == 2);
    });
}

TEST_CASE("a snapshot and a query cannot change anything") {
    each_engine([](TestStore& store) {
        make_things(store);
        const auto changed = store->query({"DELETE FROM things"}, {});
        CHECK(code_of(changed) == ErrorCode::kDenied);
        const auto also = store->snapshot([](Snapshot& snapshot) -> Result<void> {
            TRY(snapshot.query({"INSERT INTO things (id) VALUES (1)"}, {}));
            return {};
        });
        CHECK(code_of(also) == ErrorCode::kDenied);
        CHECK(count(*store) == 0);
    });
}

TEST_CASE("rows in bulk are written all or none, wherever one of them is refused") {
    each_engine([](TestStore& store) {
        make_things(store);
        good(store->apply(insert_one(1000)));
        // Beside works of others, in one group, and of more rows than a statement takes.
        for (const std::size_t refused : {0U, 15U, 16U, 30U, 39U}) {
            BulkInsert bulk{.table = "things", .columns = {"id", "words"}, .rows = {}};
            for (std::size_t i = 0; i < 40; ++i) {
                const auto id = static_cast<std::int64_t>(i == refused ? 1000 : 2000 + i);
                bulk.rows.push_back({integer(id), text("row")});
            }
            Batch batch;
            batch.inserts.push_back(std::move(bulk));
            CHECK(code_of(store->apply(std::move(batch))) == ErrorCode::kConflict);
            CHECK(count(*store) == 1);
        }
        BulkInsert bulk{.table = "things", .columns = {"id", "words"}, .rows = {}};
        for (std::int64_t id = 0; id < 40; ++id) {
            bulk.rows.push_back({integer(id), text("row " + std::to_string(id))});
        }
        Batch batch;
        batch.inserts.push_back(std::move(bulk));
        good(store->apply(std::move(batch)));
        const Rows rows = good(store->query(kSelect, {}));
        REQUIRE(rows.size() == 41);
        for (std::size_t i = 0; i < 40; ++i) {
            CHECK(good(rows.integer(i, 0)) == static_cast<std::int64_t>(i));
            CHECK(good(rows.text(i, 2)) == "row " + std::to_string(i));
        }
    });
}

TEST_CASE("an answer of too many rows is an error, and a visit walks over all of them") {
    each_engine([](TestStore& store) {
        make_things(store);
        constexpr std::size_t kRows = kAnswerRowsMax + 1;
        BulkInsert bulk{.table = "things", .columns = {"id", "words"}, .rows = {}};
        for (std::size_t i = 0; i < kRows; ++i) {
            bulk.rows.push_back({integer(static_cast<std::int64_t>(i)), text("row")});
        }
        Batch batch;
        batch.inserts.push_back(std::move(bulk));
        good(store->apply(std::move(batch)));
        CHECK(code_of(store->query(kSelect, {})) == ErrorCode::kLimit);
        std::size_t seen = 0;
        good(store->snapshot([&](Snapshot& snapshot) {
            return snapshot.visit(kSelect, {}, [&](const Values& row) -> Result<void> {
                CHECK(std::get<std::int64_t>(row[0]) == static_cast<std::int64_t>(seen));
                ++seen;
                return {};
            });
        }));
        CHECK(seen == kRows);
        const auto stopped = store->snapshot([&](Snapshot& snapshot) {
            return snapshot.visit(kSelect, {}, [&](const Values&) -> Result<void> {
                return Error{ErrorCode::kDenied, "enough"};
            });
        });
        CHECK(code_of(stopped) == ErrorCode::kDenied);
        CHECK(count(*store) == kRows);
    });
}

TEST_CASE("a notification is heard in this process and in another, in order, on its channel only") {
    each_engine([](TestStore& store) {
        make_things(store);
        const std::unique_ptr<Store> other = store.open();
        Collected<std::string> here;
        Collected<std::string> there;
        const auto one = good(
            store->listen("rules", [&](std::string_view what) { here.add(std::string(what)); }));
        const auto two = good(
            other->listen("rules", [&](std::string_view what) { there.add(std::string(what)); }));
        std::vector<std::string> expected;
        for (int i = 0; i < 20; ++i) {
            Batch batch;
            batch.notifications.push_back({.channel = "rules", .payload = std::to_string(i)});
            batch.notifications.push_back({.channel = "other", .payload = "no"});
            good((i % 2 == 0 ? *store : *other).apply(std::move(batch)));
            expected.push_back(std::to_string(i));
        }
        CHECK(here.wait_for(20) == expected);
        CHECK(there.wait_for(20) == expected);
    });
}

TEST_CASE(
    "who has ended a subscription hears nothing more, also when the listener itself ends it") {
    each_engine([](TestStore& store) {
        Collected<std::string> heard;
        std::unique_ptr<Subscription> ending;
        const auto witness = good(store->listen(
            "last", [&](std::string_view what) { heard.add("witness " + std::string(what)); }));
        ending = good(store->listen("first", [&](std::string_view) {
            heard.add("once");
            ending.reset();
        }));
        for (const char* channel : {"first", "first", "last"}) {
            Batch batch;
            batch.notifications.push_back({.channel = channel, .payload = channel});
            good(store->apply(std::move(batch)));
        }
        CHECK(heard.wait_for(2) == std::vector<std::string>{"once", "witness last"});
    });
}

TEST_CASE("names of channels and long payloads are refused with the batch that has them") {
    each_engine([](TestStore& store) {
        make_things(store);
        const std::vector<Notification> wrong{
            {.channel = "", .payload = ""},
            {.channel = "Upper", .payload = ""},
            {.channel = "a\"; DROP TABLE things; --", .payload = ""},
            {.channel = std::string(kChannelBytesMax + 1, 'a'), .payload = ""},
            {.channel = "fine", .payload = std::string(kNotificationBytesMax + 1, 'p')},
            {.channel = "fine", .payload = "\xFF"},
        };
        for (const Notification& each : wrong) {
            Batch batch = insert_one(1);
            batch.notifications.push_back(each);
            CHECK_FALSE(store->apply(std::move(batch)).ok());
            CHECK_FALSE(
                store
                    ->transact([&](Transaction& transaction) -> Result<void> {
                        TRY(transaction.execute(kInsert, {integer(1), null(), null(), null()}));
                        transaction.notify(each);
                        return {};
                    })
                    .ok());
        }
        CHECK_FALSE(store->listen("No", [](std::string_view) {}).ok());
        CHECK(count(*store) == 0);
        Batch longest = insert_one(1);
        longest.notifications.push_back(
            {.channel = "fine", .payload = std::string(kNotificationBytesMax, 'p')});
        good(store->apply(std::move(longest)));
    });
}

TEST_CASE("closing a store finishes what waits") {
    each_engine([](TestStore& store) {
        make_things(store);
        std::atomic<int> done = 0;
        for (int i = 0; i < 500; ++i) {
            store->apply(insert_one(i),
                         [&](const Result<void>& outcome) { done += outcome.ok() ? 1 : 0; });
        }
        store.close();
        CHECK(done.load() == 500);
        store.reopen();
        CHECK(count(*store) == 500);
    });
}

TEST_CASE("a statement on a table that is not there says so and harms nobody else") {
    each_engine([](TestStore& store) {
        make_things(store);
        CHECK(code_of(store->query({"SELECT 1 FROM nothing_here"}, {})) == ErrorCode::kCorrupt);
        Batch batch;
        batch.operations.push_back({.statement = {"DELETE FROM nothing_here"}, .parameters = {}});
        Collected<bool> outcomes;
        for (int i = 0; i < 5; ++i) {
            store->apply(insert_one(i), [&](const Result<void>& each) { outcomes.add(each.ok()); });
            store->apply(batch, [&](const Result<void>& each) { outcomes.add(!each.ok()); });
        }
        CHECK(outcomes.wait_for(10) == std::vector<bool>(10, true));
        CHECK(count(*store) == 5);
    });
}

}  // namespace colophon::storage
