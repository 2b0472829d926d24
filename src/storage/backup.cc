// SPDX-License-Identifier: Apache-2.0
#include "storage/backup.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "storage/archive.h"
#include "storage/internal/catalogue.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::storage {
namespace {

std::string select_text(const ArchiveTable& table) {
    std::string columns;
    for (const std::string& each : table.columns) {
        columns += fmt::format("{}\"{}\"", columns.empty() ? "" : ", ", each);
    }
    return fmt::format("SELECT {} FROM \"{}\"", columns, table.name);
}

Result<void> write_table(Snapshot& snapshot, const ArchiveTable& table, ArchiveWriter& writer,
                         BackupSummary& summary) {
    TRY(writer.begin_table(table));
    const std::string sql = select_text(table);
    TRY(snapshot.visit({sql.c_str()}, {}, [&](const Values& row) {
        ++summary.rows;
        return writer.row(row);
    }));
    const SerialKey serial = TRY(serial_of(snapshot, table.name));
    ++summary.tables;
    return writer.end_table(serial.last, serial.column);
}

// The steps of the program that the archive was made with, in the program's order.
Result<std::vector<Migration>> steps_of(const std::vector<AppliedMigration>& archived,
                                        std::span<const Migration> migrations) {
    std::vector<Migration> steps;
    for (const Migration& own : migrations) {
        const auto same = std::ranges::find_if(archived, [&own](const AppliedMigration& each) {
            return each.module == own.module && each.step == own.step;
        });
        if (same == archived.end()) {
            continue;
        }
        if (same->digest != migration_digest(own)) {
            return Error{ErrorCode::kConflict,
                         fmt::format("step {} of {} is another one in the backup than in this "
                                     "program: it was made by another build",
                                     own.step, own.module)};
        }
        steps.push_back(own);
    }
    if (steps.size() != archived.size()) {
        return Error{ErrorCode::kConflict,
                     "the backup was made by a newer Colophon: it has steps of the data's shape "
                     "that this one does not know"};
    }
    return steps;
}

// The record again, when it is of that kind.
template <class T>
const T* as(const ArchiveRecord& record) {
    return std::get_if<T>(&record);
}

// What one run over an archive does to a transaction.
class Restoring {
public:
    Restoring(Transaction& transaction, std::span<const Migration> migrations, Time now)
        : transaction_(transaction), migrations_(migrations), now_(now) {}

    Result<BackupSummary> run(const ArchiveReader::ReadAt& read_at) {
        ArchiveReader reader(read_at);
        for (;;) {
            const ArchiveRecord record = TRY(reader.next());
            if (const auto* end = as<ArchiveEnd>(record)) {
                TRY(shape());  // an archive without tables
                TRY(finish());
                summary_.digest = end->digest;
                return summary_;
            }
            auto done = take(record);
            if (!done.ok()) {
                return with_context(std::move(done).error(),
                                    fmt::format("the backup, before byte {}", reader.offset()));
            }
        }
    }

private:
    Result<void> take(const ArchiveRecord& record) {
        if (const auto* head = as<ArchiveHead>(record)) {
            summary_.created = head->created;
        } else if (const auto* step = as<AppliedMigration>(record)) {
            archived_.push_back(*step);
        } else if (const auto* table = as<ArchiveTable>(record)) {
            TRY(shape());
            return begin(*table);
        } else if (const auto* rows = as<ArchiveRows>(record)) {
            return insert(*rows);
        } else if (const auto* end = as<ArchiveTableEnd>(record)) {
            summary_.rows += end->rows;
            if (end->serial) {
                return set_serial(transaction_, table_.name,
                                  {.column = end->serial_column, .last = end->serial});
            }
        }
        return {};
    }

    // Once, when all steps of the archive are known.
    Result<void> shape() {
        if (shaped_) {
            return {};
        }
        shaped_ = true;
        const std::vector<Migration> steps = TRY(steps_of(archived_, migrations_));
        TRY(apply_migrations(transaction_, steps, now_));
        tables_ = TRY(tables_of(transaction_));
        TRY(defer_foreign_keys(transaction_));
        // Rows that the steps themselves have put there come again from the archive.
        for (const ArchiveTable& each : tables_) {
            TRY(transaction_.script(fmt::format("DELETE FROM \"{}\"", each.name)));
        }
        return {};
    }

    Result<void> begin(const ArchiveTable& table) {
        const auto own = std::ranges::find(tables_, table.name, &ArchiveTable::name);
        if (own == tables_.end() || own->columns != table.columns) {
            return Error{ErrorCode::kCorrupt,
                         fmt::format("the table {} of the backup has another shape than its steps "
                                     "give it",
                                     table.name)};
        }
        table_ = table;
        ++summary_.tables;
        return {};
    }

    Result<void> insert(const ArchiveRows& rows) {
        BulkInsert bulk{.table = table_.name.c_str(), .columns = {}, .rows = rows.rows};
        for (const std::string& each : table_.columns) {
            bulk.columns.push_back(each.c_str());
        }
        return transaction_.insert(bulk);
    }

    Result<void> finish() { return check_foreign_keys(transaction_); }

    Transaction& transaction_;
    std::span<const Migration> migrations_;
    Time now_;
    std::vector<AppliedMigration> archived_;
    std::vector<ArchiveTable> tables_;
    ArchiveTable table_;
    bool shaped_ = false;
    BackupSummary summary_;
};

}  // namespace

Result<BackupSummary> back_up(Store& store, const ArchiveWriter::Sink& sink,
                              const std::string& program, Clock& clock) {
    BackupSummary summary;
    auto done = store.snapshot([&](Snapshot& snapshot) -> Result<void> {
        summary = {};
        summary.created = clock.now();
        const std::vector<AppliedMigration> steps = TRY(applied_migrations(snapshot));
        if (steps.empty()) {
            return Error{ErrorCode::kNotFound, "there is nothing to back up: the store is empty"};
        }
        ArchiveWriter writer(sink);
        TRY(writer.head({.program = program,
                         .engine = store.engine() == Engine::kSqlite ? "sqlite" : "postgres",
                         .created = summary.created}));
        for (const AppliedMigration& each : steps) {
            TRY(writer.step(each));
        }
        const std::vector<ArchiveTable> tables = TRY(tables_of(snapshot));
        for (const ArchiveTable& each : tables) {
            TRY(write_table(snapshot, each, writer, summary));
        }
        summary.digest = TRY(writer.end());
        return {};
    });
    if (!done.ok()) {
        return std::move(done).error();
    }
    return summary;
}

Result<BackupSummary> check_backup(const ArchiveReader::ReadAt& read_at) {
    BackupSummary summary;
    ArchiveReader reader(read_at);
    for (;;) {
        const ArchiveRecord record = TRY(reader.next());
        if (const auto* head = as<ArchiveHead>(record)) {
            summary.created = head->created;
        } else if (as<ArchiveTable>(record) != nullptr) {
            ++summary.tables;
        } else if (const auto* table = as<ArchiveTableEnd>(record)) {
            summary.rows += table->rows;
        } else if (const auto* end = as<ArchiveEnd>(record)) {
            summary.digest = end->digest;
            return summary;
        }
    }
}

Result<BackupSummary> restore(Store& store, const ArchiveReader::ReadAt& read_at,
                              std::span<const Migration> migrations, Clock& clock) {
    BackupSummary summary;
    auto done = store.transact([&](Transaction& transaction) -> Result<void> {
        const std::vector<ArchiveTable> tables = TRY(tables_of(transaction));
        const std::vector<AppliedMigration> steps = TRY(applied_migrations(transaction));
        if (!tables.empty() || !steps.empty()) {
            return Error{ErrorCode::kConflict,
                         "the store is not empty: a backup is restored into a new one only"};
        }
        summary = TRY(Restoring(transaction, migrations, clock.now()).run(read_at));
        return {};
    });
    if (!done.ok()) {
        return std::move(done).error();
    }
    return summary;
}

}  // namespace colophon::storage
