// SPDX-License-Identifier: Apache-2.0
// What records are found by: while it waits in the outbox, once the sequencer wrote it down, when
// the person is erased between the two, and in a database of before.

#include "ledger/internal/waiting_finds.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "fingerprint/pdq.h"
#include "ledger/ledger_stores.h"
#include "ledger/likeness.h"
#include "ledger/records.h"
#include "ledger/sequenced_log.h"
#include "ledger/sequencer.h"
#include "storage/engines.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <vector>

namespace colophon::ledger {
namespace {

using fingerprint::PdqHash;

const std::string kText =
    "A colophon stands at the end of a book and says who made it, when, and where, so that "
    "whoever holds the book knows whom to ask about it.";

std::int64_t count(TestStore& store, const char* sql) {
    return good(good(store->query({sql}, {})).integer(0, 0));
}

std::int64_t bands_in_index(TestStore& store) {
    return count(store, "SELECT COUNT(*) FROM record_print_bands");
}

std::int64_t finds_in_runs(TestStore& store) {
    return count(store, "SELECT COALESCE(CAST(SUM(entries) AS BIGINT), 0) FROM record_find_runs");
}

struct Sample {
    ServiceRecord record;
    std::vector<Print> prints;
};

Sample sample(LedgerStores& stores, const Records& records, const PdqHash& hash) {
    Sample sample{.record = stores.record(), .prints = {picture_print(hash)}};
    sample.record.content_digests = {sha256(as_bytes("in")), sha256(as_bytes("out")),
                                     sha256(as_bytes("in"))};
    sample.prints.push_back(good(records.print_of_text(kText)).value());
    return sample;
}

bool contains(const LikeRecords& like, const RecordId& id) {
    return std::ranges::any_of(like.found,
                               [&](const LikeRecord& each) { return each.record == id; });
}

bool is_found_by_all(Records& records, const PdqHash& hash, const RecordId& id) {
    const auto by_digest = good(records.find_by_digest(sha256(as_bytes("in"))));
    return std::ranges::count(by_digest, id) == 1 &&
           contains(good(find_like_picture(records, std::vector{hash})), id) &&
           contains(good(find_like_text(records, kText)), id);
}

}  // namespace

TEST_CASE("what waits is packed so that nothing is lost, and what is cut off is refused") {
    const std::vector<internal::PrintBands> prints{
        {.kind = 1, .number = 0, .bands = {-1, 5, 1LL << 62}},
        {.kind = 3, .number = 63, .bands = {}},
        {.kind = 65535, .number = 64, .bands = {7}},
    };
    const Buffer packed = internal::pack_bands(prints);
    CHECK(good(internal::unpack_bands(packed)) == prints);
    const std::vector<internal::PrintBands> doubled{{.kind = 1, .number = 0, .bands = {9, 2, 9}}};
    CHECK(good(internal::unpack_bands(internal::pack_bands(doubled)))[0].bands ==
          std::vector<std::int64_t>{2, 9});
    const std::vector<std::size_t> whole{6 + 24, 6 + 24 + 6};  // where another print may begin
    for (std::size_t size = 1; size < packed.size(); ++size) {
        const auto cut = internal::unpack_bands(Bytes(packed).first(size));
        CHECK(cut.ok() == (std::ranges::count(whole, size) == 1));
    }
    const std::vector<Digest256> digests{sha256(as_bytes("b")), sha256(as_bytes("a")),
                                         sha256(as_bytes("b"))};
    const Buffer two = internal::pack_digests(digests);
    CHECK(two.size() == 64);
    CHECK(std::ranges::is_sorted(good(internal::unpack_digests(two))));
    CHECK(code_of(internal::unpack_digests(Bytes(two).first(63))) == ErrorCode::kCorrupt);
}

// [DSP-10]
TEST_CASE("a record is found from the moment it is kept, and after the sequencer took it") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const PdqHash hash{.words = {1, 2, 3, 4}};
        const Sample first = sample(stores, records, hash);
        good(records.append(first.record, first.prints));
        CHECK(bands_in_index(store) == 0);
        CHECK(is_found_by_all(records, hash, first.record.facts.id));

        SequencedLog log(store, stores);
        const auto sequencer = log.open();
        CHECK(drain(*sequencer) == 1);
        CHECK(bands_in_index(store) == 16);  // of the picture
        // Two digests, the bands of the text, the tenant and the subject.
        CHECK(finds_in_runs(store) == 2 + static_cast<std::int64_t>(kTextBands) + 2);
        CHECK(count(store, "SELECT COUNT(*) FROM service_outbox") == 0);
        CHECK(is_found_by_all(records, hash, first.record.facts.id));

        // One in the index and one that waits are both found, the newest first.
        stores.clock.advance(std::chrono::seconds(1));
        const Sample second = sample(stores, records, hash);
        good(records.append(second.record, second.prints));
        CHECK(good(records.find_by_digest(sha256(as_bytes("out")))) ==
              std::vector{second.record.facts.id, first.record.facts.id});
        CHECK(is_found_by_all(records, hash, first.record.facts.id));
        CHECK(is_found_by_all(records, hash, second.record.facts.id));
    });
}

TEST_CASE("a person who is erased leaves no bands, wherever they are by then") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const PdqHash hash{.words = {5, 6, 7, 8}};
        SequencedLog log(store, stores);
        const Sample waiting = sample(stores, records, hash);
        good(records.append(waiting.record, waiting.prints));
        std::int64_t left = 2 + 2;  // digests, tenant and subject
        SUBCASE("in the outbox") {
            good(records.forget_prints(stores.subject));
            CHECK(drain(*log.open()) == 1);
        }
        SUBCASE("in the hands of the sequencer") {
            // It asks for leave after it read the outbox and before it writes down.
            LogWriterOptions options = SequencedLog::options();
            bool erases = false;
            options.permit = [&]() -> Result<void> {
                if (erases) {
                    erases = false;
                    good(records.forget_prints(stores.subject));
                }
                return {};
            };
            const auto sequencer =
                good(Sequencer::open({*store, log.objects, log.head, LogClass::kService}, options));
            erases = true;  // opening asks too
            good(records.append(stores.record()));
            left += 3;
            CHECK(code_of(sequencer->step()) == ErrorCode::kConflict);
            CHECK_FALSE(erases);
            CHECK(drain(*log.open()) == 0);  // what the first published is written down by opening
            CHECK(log.check().findings.empty());
        }
        SUBCASE("in the index") {
            CHECK(drain(*log.open()) == 1);
            CHECK(bands_in_index(store) == 16);
            CHECK(finds_in_runs(store) == left + static_cast<std::int64_t>(kTextBands));
            good(records.forget_prints(stores.subject));
        }
        CHECK(bands_in_index(store) == 0);
        CHECK(finds_in_runs(store) == left);
        CHECK(count(store, "SELECT COUNT(*) FROM record_prints") == 0);
        CHECK(count(store, "SELECT COUNT(*) FROM records WHERE prints IS NOT NULL") == 0);
        CHECK(count(store, "SELECT COUNT(*) FROM service_outbox") == 0);
        CHECK(good(find_like_picture(records, std::vector{hash})).found.empty());
        CHECK(good(find_like_text(records, kText)).found.empty());
        // The keyed digest of a content names nobody and stays, as the facts do.
        CHECK(good(records.find_by_digest(sha256(as_bytes("in")))).size() == 1);
    });
}

TEST_CASE("many prints are written down in several batches, none of them twice") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        constexpr std::int64_t kRecords = 30;
        storage::Batch batch;
        for (std::int64_t i = 0; i < kRecords; ++i) {
            std::vector<Print> prints(kRecordPrintsMax);
            for (std::size_t number = 0; number < prints.size(); ++number) {
                prints[number] = {.kind = kVideoPrint, .print = {1}, .bands = {}};
                for (std::size_t band = 0; band < kPrintBandsMax; ++band) {
                    prints[number].bands.push_back(static_cast<std::int64_t>(band));
                }
            }
            storage::Batch one = good(records.prepare(stores.record(), prints));
            std::ranges::move(one.operations, std::back_inserter(batch.operations));
        }
        good(store->apply(std::move(batch)));
        SequencedLog log(store, stores);
        CHECK(drain(*log.open()) == static_cast<std::size_t>(kRecords));
        CHECK(bands_in_index(store) == kRecords * 64 * 64);
        CHECK(count(store, "SELECT COUNT(DISTINCT entry) FROM log_entries") == kRecords);
        CHECK(log.check().findings.empty());
    });
}

TEST_CASE("a database of before keeps what its records are found by") {
    // Digests are any bytes.
    const std::string first("fi\0st", 5);
    const std::string second("se\xFF\0nd", 6);
    each_engine([&](TestStore& store) {
        std::vector<storage::Migration> before = all_migrations();
        std::erase_if(before, [](const storage::Migration& each) {
            return std::string(each.module) == "records" && each.step > 2;
        });
        FixedClock clock{parse_time("2026-11-26T08:00:00Z").value()};
        good(storage::migrate(*store, before, clock));
        for (const char* sql :
             {"INSERT INTO records (id, kind, tenant, content_id, facts, sealed, salt) "
              "VALUES ($2, 1, $2, 77, '{}', $1, $1)",
              "INSERT INTO records (id, kind, tenant, facts, sealed, salt) "
              "VALUES ($1, 1, $2, '{}', $1, $1)",
              "INSERT INTO record_digests (digest, record) VALUES ($1, $2)",
              "INSERT INTO record_digests (digest, record) VALUES ($2, $2)",
              "INSERT INTO record_print_bands (kind, band, record, number) VALUES (3, 44, $2, 0)",
              "INSERT INTO record_prints (record, number, kind, print, bands) "
              "VALUES ($2, 0, 3, $1, $1)",
              "INSERT INTO log_entries (log, entry, record) VALUES (1, 0, $2)",
              "INSERT INTO log_outbox (log, record, leaf) VALUES (1, $1, $2)"}) {
            good(store->apply({.operations = {{.statement = {sql},
                                               .parameters = {storage::bytes(as_bytes(first)),
                                                              storage::bytes(as_bytes(second))}}},
                               .inserts = {},
                               .notifications = {}}));
        }
        CHECK(good(storage::migrate(*store, all_migrations(), clock)) == 8);
        for (const char* sql :
             {"SELECT COUNT(*) FROM record_digests WHERE digest = $1 AND record = $2",
              "SELECT COUNT(*) FROM record_print_bands WHERE kind = 3 AND band = 44 AND "
              "record = $2 AND number = 0 AND $1 = $1",
              "SELECT COUNT(*) FROM record_prints WHERE record = $2 AND print = $1 AND bands = $1",
              "SELECT COUNT(*) FROM log_entries WHERE log = 1 AND record = $2 AND $1 = $1",
              "SELECT COUNT(*) FROM service_outbox WHERE record = $1 AND leaf = $2 AND bands IS "
              "NULL",
              "SELECT COUNT(*) FROM records WHERE id = $2 AND content_id = 77 AND $1 = $1",
              "SELECT COUNT(*) FROM records WHERE id = $1 AND $2 = $2 AND digests IS NULL"}) {
            const storage::Rows rows = good(store->query(
                {sql}, {storage::bytes(as_bytes(first)), storage::bytes(as_bytes(second))}));
            CHECK(good(rows.integer(0, 0)) == 1);
        }
        const storage::Rows digests =
            good(store->query({"SELECT digests FROM records WHERE content_id = 77"}, {}));
        REQUIRE(digests.size() == 1);
        const std::string packed(as_text(good(digests.bytes(0, 0))));
        CHECK((packed == first + second || packed == second + first));
    });
}

}  // namespace colophon::ledger
