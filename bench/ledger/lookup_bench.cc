// SPDX-License-Identifier: Apache-2.0
// lookup_bench STORE FOLDER [RECORDS]: fills a store (a file for SQLite, or a PostgreSQL address)
// with so many records, 10,000,000 unless said otherwise, and times finding one by its content id
// as the server does it: the statement, the row, the facts read from it. FOLDER has a master key
// and a folder objects. A store that has the records already is not filled again.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/random.h"
#include "ledger/content_ids.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "storage/data_keys.h"
#include "storage/directory_objects.h"
#include "storage/files.h"
#include "storage/master_key.h"
#include "storage/migration.h"
#include "storage/object_tables.h"
#include "storage/postgres_store.h"
#include "storage/row_values.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"
#include "storage/tables.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

namespace storage = colophon::storage;
namespace ledger = colophon::ledger;
using colophon::ContentId;
using colophon::Result;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kRowsAtOnce = 20'000;
constexpr std::size_t kLookups = 20'000;

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

template <class T>
T good(Result<T> result) {
    if (!result.ok()) {
        fail(result.error().what);
    }
    return std::move(result).value();
}
void good(const Result<void>& result) {
    if (!result.ok()) {
        fail(result.error().what);
    }
}

// As the gateway gives them: one after the other, enciphered.
ContentId content_id(std::uint64_t number) {
    static const ledger::ContentIdCipher cipher(ledger::ContentIdKey{});
    return cipher.encipher(number);
}

double micros(Clock::duration time) {
    return std::chrono::duration<double, std::micro>(time).count();
}

std::vector<storage::Migration> migrations() {
    std::vector<storage::Migration> all;
    for (const auto list : {storage::storage_migrations(), storage::object_migrations(),
                            ledger::record_migrations(), ledger::retention_migrations()}) {
        all.insert(all.end(), list.begin(), list.end());
    }
    return all;
}

// The row of one call: facts as the server writes them, a private half and a salt of usual sizes.
storage::Values row_of(std::uint64_t number, colophon::Time start, colophon::Random& random) {
    ledger::Facts facts;
    facts.at = start + std::chrono::milliseconds(number);
    facts.id = good(ledger::make_record_id(facts.at, random));
    facts.operation = "chat.completions";
    facts.model = "example-model";
    facts.content_id = content_id(number);
    facts.label =
        R"({"Label":"1","ContentProducer":"001191000000000000000K10000","ProduceID":"0"})";
    const colophon::Buffer sealed(400, static_cast<std::uint8_t>(number));
    const colophon::Buffer salt(32, static_cast<std::uint8_t>(number >> 8U));
    return {storage::id_value(facts.id),
            storage::integer(1),
            storage::id_value(facts.tenant),
            storage::null(),
            storage::integer(static_cast<std::int64_t>(number)),
            storage::text(ledger::write_facts(facts)),
            storage::bytes(sealed),
            storage::bytes(salt)};
}

void fill(storage::Store& store, std::uint64_t records) {
    colophon::SystemRandom random;
    const colophon::Time start{std::chrono::seconds(1'700'000'000)};
    const auto began = Clock::now();
    for (std::uint64_t from = 0; from < records; from += kRowsAtOnce) {
        storage::BulkInsert insert;
        insert.table = "records";
        insert.columns = {"id",    "kind",   "tenant", "subject", "content_number",
                          "facts", "sealed", "salt"};
        for (std::uint64_t i = from; i < std::min(records, from + kRowsAtOnce); ++i) {
            insert.rows.push_back(row_of(i, start, random));
        }
        good(store.transact(
            [&](storage::Transaction& transaction) { return transaction.insert(insert); }));
    }
    std::printf("filled with %llu records in %.0f s\n", static_cast<unsigned long long>(records),
                micros(Clock::now() - began) / 1e6);
}

void measure(ledger::Records& records, std::uint64_t count) {
    std::mt19937_64 random(1);
    std::vector<double> times;
    // The first round warms what the machine has room for; the second counts.
    for (int round = 0; round < 2; ++round) {
        times.clear();
        for (std::size_t i = 0; i < kLookups; ++i) {
            const ContentId id = content_id(random() % count);
            const auto start = Clock::now();
            const ledger::Facts facts = good(records.find(id));
            times.push_back(micros(Clock::now() - start));
            if (facts.content_id != id) {
                fail("another record was found");
            }
        }
    }
    std::ranges::sort(times);
    double sum = 0;
    for (const double time : times) {
        sum += time;
    }
    std::printf("lookup by content id among %llu records: mean %.1f us, median %.1f, 99th %.1f\n",
                static_cast<unsigned long long>(count), sum / static_cast<double>(times.size()),
                times[times.size() / 2], times[times.size() * 99 / 100]);
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() < 2) {
        fail("lookup_bench STORE FOLDER [RECORDS]");
    }
    const std::string& place = arguments[0];
    const std::uint64_t wanted =
        arguments.size() > 2 ? std::strtoull(arguments[2].c_str(), nullptr, 10) : 10'000'000;
    const auto store = good(place.starts_with("postgres") ? storage::open_postgres(place)
                                                          : storage::open_sqlite(place));
    colophon::SystemClock clock;
    colophon::SystemRandom random;
    good(storage::migrate(*store, migrations(), clock));
    const storage::Rows there = good(store->query({"SELECT COUNT(*) FROM records"}, {}));
    const auto count = static_cast<std::uint64_t>(good(there.integer(0, 0)));
    if (count < wanted) {
        fill(*store, wanted);
    }
    storage::SystemFiles files;
    const auto objects =
        good(storage::open_directory_objects(arguments[1] + "/objects", files, random));
    storage::MasterKeys masters;
    masters.master = good(storage::open_master_key("file:" + arguments[1] + "/master.key",
                                                   storage::Suite::kAes256Gcm, random));
    const auto keys =
        good(storage::DataKeys::open({*store, *objects, clock, random}, std::move(masters), {}));
    ledger::Records records(*store, *keys, random, {.digest_key = {1}});
    measure(records, wanted);
    return 0;
}
