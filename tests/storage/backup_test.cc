// SPDX-License-Identifier: Apache-2.0
#include "storage/backup.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/result.h"
#include "storage/archive.h"
#include "storage/engines.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

// "children" comes before "parents" in the order of names, refers to it and to itself.
constexpr std::array kSteps{
    Migration{"family", 1,
              "CREATE TABLE parents (id SERIAL_KEY, name TEXT NOT NULL, data BYTES);\n"
              "INSERT INTO parents (name) VALUES ('made by the step')"},
    Migration{"family", 2,
              "CREATE TABLE children (id INTEGER PRIMARY KEY,\n"
              " parent INTEGER REFERENCES parents (id), elder INTEGER REFERENCES children (id))"},
    Migration{"family", 3, "ALTER TABLE children ADD COLUMN nickname TEXT"},
};

class Archive {
public:
    explicit Archive(Buffer bytes = {}) : bytes_(std::move(bytes)) {}
    ArchiveWriter::Sink sink() {
        return [this](Bytes piece) -> Result<void> {
            append(bytes_, piece);
            return {};
        };
    }
    ArchiveReader::ReadAt read_at() const {
        return [this](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<std::size_t> {
            if (offset >= bytes_.size()) {
                return std::size_t{0};
            }
            const std::size_t size =
                std::min(out.size(), bytes_.size() - static_cast<std::size_t>(offset));
            std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(offset), size, out.begin());
            return size;
        };
    }
    Buffer& bytes() { return bytes_; }

private:
    Buffer bytes_;
};

FixedClock clock_of_test() {
    return FixedClock(Time(std::chrono::milliseconds(1'700'000'000'000)));
}

void fill(TestStore& store, std::span<const Migration> steps) {
    FixedClock clock = clock_of_test();
    good(migrate(*store, steps, clock));
    Batch batch;
    batch.inserts.push_back(
        {.table = "parents",
         .columns = {"id", "name", "data"},
         .rows = {{integer(10), text("甲"), bytes(Buffer{0, 255})},
                  {integer(11), text(""), null()},
                  {integer(12), text("large"), bytes(Buffer(3U << 20U, 0xAB))},
                  {integer(std::numeric_limits<std::int32_t>::max()), text("far"), null()}}});
    batch.inserts.push_back(
        {.table = "children",
         .columns = {"id", "parent", "elder"},
         .rows = {{integer(1), integer(10), null()}, {integer(2), integer(11), integer(1)}}});
    batch.operations.push_back(
        {.statement = {"DELETE FROM parents"}, .parameters = {}});  // the step's
    good(store->apply(std::move(batch)));
    // The largest number given is higher than any that is left.
    Batch last;
    last.operations.push_back(
        {.statement = {"DELETE FROM parents WHERE id > 1000"}, .parameters = {}});
    if (store.engine() == Engine::kPostgres) {
        // PostgreSQL's sequence does not follow numbers that were given by hand.
        good(store->transact([](Transaction& transaction) {
            return transaction.script(
                "SELECT setval(pg_get_serial_sequence('parents', 'id'), "
                "2147483647)");
        }));
    }
    good(store->apply(std::move(last)));
}

std::string dump(Store& store, const char* sql) {
    const Rows rows = good(store.query({sql}, {}));
    std::string out;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        for (std::size_t column = 0; column < rows.columns(); ++column) {
            const Value& value = rows.at(row, column);
            if (const auto* number = std::get_if<std::int64_t>(&value)) {
                out += std::to_string(*number);
            } else if (const auto* words = std::get_if<std::string>(&value)) {
                out += *words;
            } else if (const auto* data = std::get_if<Buffer>(&value)) {
                out += to_hex(sha256(*data));
            } else {
                out += "-";
            }
            out += column + 1 == rows.columns() ? "\n" : " ";
        }
    }
    return out;
}

std::string dump_all(Store& store) {
    return dump(store, "SELECT id, name, data FROM parents ORDER BY id") +
           dump(store, "SELECT id, parent, elder FROM children ORDER BY id");
}

BackupSummary back_up_all(Store& store, Archive& archive) {
    FixedClock clock = clock_of_test();
    return good(back_up(store, archive.sink(), "test", clock));
}

}  // namespace

TEST_CASE("a backup of either engine is restored into either engine, row by row the same") {
    for (const Engine from : {Engine::kSqlite, Engine::kPostgres}) {
        for (const Engine to : {Engine::kSqlite, Engine::kPostgres}) {
            CAPTURE(static_cast<int>(from));
            CAPTURE(static_cast<int>(to));
            FixedClock clock = clock_of_test();
            TestStore source(from);
            fill(source, kSteps);
            Archive archive;
            const BackupSummary made = back_up_all(*source, archive);
            CHECK(made.tables == 2);
            CHECK(made.rows == 5);
            const BackupSummary checked = good(check_backup(archive.read_at()));
            CHECK(checked.rows == made.rows);
            CHECK(checked.digest == made.digest);
            TestStore target(to);
            const BackupSummary restored = good(restore(*target, archive.read_at(), kSteps, clock));
            CHECK(restored.rows == made.rows);
            CHECK(dump_all(*target) == dump_all(*source));
            good(check_schema(*target, kSteps));
            // Numbers go on where they were, and constraints hold again.
            target.script("INSERT INTO parents (name) VALUES ('new')");
            CHECK(dump(*target, "SELECT id FROM parents WHERE name = 'new'") == "2147483648\n");
            Batch orphan;
            orphan.operations.push_back(
                {.statement = {"INSERT INTO children (id, parent) VALUES (9, 99)"},
                 .parameters = {}});
            CHECK(code_of(target->apply(std::move(orphan))) == ErrorCode::kConflict);
        }
    }
}

TEST_CASE("a backup of an older shape is restored and then migrated; of a newer one refused") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        const auto older = std::span(kSteps).first(2);
        fill(store, older);
        Archive archive;
        back_up_all(*store, archive);
        TestStore target(store.engine());
        good(restore(*target, archive.read_at(), kSteps, clock));
        CHECK(code_of(check_schema(*target, kSteps)) == ErrorCode::kNotFound);
        CHECK(good(migrate(*target, kSteps, clock)) == 1);
        CHECK(dump_all(*target) == dump_all(*store));
        TestStore old_program(store.engine());
        CHECK(code_of(restore(*old_program, archive.read_at(), std::span(kSteps).first(1),
                              clock)) == ErrorCode::kConflict);
        good(restore(*old_program, archive.read_at(), older, clock));  // it is still empty
    });
}

TEST_CASE("a store that holds anything is not restored into, an empty one not backed up") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        Archive nothing;
        CHECK(code_of(back_up(*store, nothing.sink(), "test", clock)) == ErrorCode::kNotFound);
        fill(store, kSteps);
        Archive archive;
        back_up_all(*store, archive);
        CHECK(code_of(restore(*store, archive.read_at(), kSteps, clock)) == ErrorCode::kConflict);
        TestStore foreign(store.engine());
        foreign.script("CREATE TABLE theirs (id INTEGER)");
        CHECK(code_of(restore(*foreign, archive.read_at(), kSteps, clock)) == ErrorCode::kConflict);
    });
}

TEST_CASE("a backup sees one state while writes go on") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        good(migrate(*store, kSteps, clock));
        // A child is written in the same batch as its parent: a backup that saw only one of them
        // would break a foreign key, or count them apart.
        std::atomic<bool> stop = false;
        std::thread writer([&] {
            for (std::int64_t i = 100; !stop.load(); ++i) {
                Batch batch;
                batch.operations.push_back(
                    {.statement = {"INSERT INTO parents (id, name) VALUES ($1, 'p')"},
                     .parameters = {integer(i)}});
                batch.operations.push_back(
                    {.statement = {"INSERT INTO children (id, parent) VALUES ($1, $1)"},
                     .parameters = {integer(i)}});
                if (!store->apply(std::move(batch)).ok()) {
                    return;
                }
            }
        });
        for (int round = 0; round < 5; ++round) {
            Archive archive;
            const BackupSummary made = back_up_all(*store, archive);
            TestStore target(Engine::kSqlite);
            good(restore(*target, archive.read_at(), kSteps, clock));
            const Rows rows = good(target->query(
                {"SELECT (SELECT COUNT(*) FROM parents), (SELECT COUNT(*) FROM children)"}, {}));
            CHECK(good(rows.integer(0, 0)) == good(rows.integer(0, 1)) + 1);
            CHECK(made.rows > 0);
        }
        stop = true;
        writer.join();
    });
}

TEST_CASE("a cut or changed backup is refused wherever it was cut or changed, and leaves nothing") {
    FixedClock clock = clock_of_test();
    TestStore source(Engine::kSqlite);
    good(migrate(*source, kSteps, clock));
    source.script("INSERT INTO children (id, parent, elder) VALUES (1, 1, 1)");
    Archive archive;
    back_up_all(*source, archive);
    const Buffer whole = archive.bytes();
    TestStore target(Engine::kSqlite);
    for (std::size_t size = 0; size < whole.size(); ++size) {
        Archive cut(Buffer(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
        CAPTURE(size);
        CHECK_FALSE(check_backup(cut.read_at()).ok());
        if (size % 7 == 0) {
            CHECK_FALSE(restore(*target, cut.read_at(), kSteps, clock).ok());
        }
    }
    for (std::size_t i = 0; i < whole.size(); ++i) {
        Archive changed(whole);
        changed.bytes()[i] ^= 1U;
        CAPTURE(i);
        CHECK_FALSE(check_backup(changed.read_at()).ok());
        if (i % 5 == 0) {
            CHECK_FALSE(restore(*target, changed.read_at(), kSteps, clock).ok());
        }
    }
    Archive longer(whole);
    longer.bytes().push_back(0);
    CHECK(code_of(check_backup(longer.read_at())) == ErrorCode::kCorrupt);
    good(restore(*target, archive.read_at(), kSteps, clock));
    CHECK(dump_all(*target) == dump_all(*source));
}

TEST_CASE("a backup that names foreign tables or breaks a foreign key is refused whole") {
    each_engine([](TestStore& store) {
        FixedClock clock = clock_of_test();
        const auto write = [](const ArchiveTable& table, const Values& row) {
            Archive archive;
            ArchiveWriter writer(archive.sink());
            good(writer.head({.program = "t", .engine = "sqlite", .created = {}}));
            for (const Migration& each : kSteps) {
                good(writer.step(
                    {.module = each.module, .step = each.step, .digest = migration_digest(each)}));
            }
            good(writer.begin_table(table));
            good(writer.row(row));
            good(writer.end_table(std::nullopt, ""));
            good(writer.end());
            return archive;
        };
        const ArchiveTable children{.name = "children",
                                    .columns = {"id", "parent", "elder", "nickname"}};
        const Archive strange = write({.name = "strange", .columns = {"id"}}, {integer(1)});
        CHECK(code_of(restore(*store, strange.read_at(), kSteps, clock)) == ErrorCode::kCorrupt);
        const Archive columns = write({.name = "children", .columns = {"id"}}, {integer(1)});
        CHECK(code_of(restore(*store, columns.read_at(), kSteps, clock)) == ErrorCode::kCorrupt);
        const Archive orphan = write(children, {integer(1), integer(5), null(), null()});
        CHECK(code_of(restore(*store, orphan.read_at(), kSteps, clock)) == ErrorCode::kConflict);
        const Archive fine = write(children, {integer(1), null(), integer(1), null()});
        good(restore(*store, fine.read_at(), kSteps, clock));
    });
}

}  // namespace colophon::storage
