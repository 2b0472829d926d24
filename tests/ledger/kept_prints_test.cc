// SPDX-License-Identifier: Apache-2.0
// Prints that stand in the row of their record.

#include "core/bytes.h"
#include "ledger/internal/record_rows.h"
#include "ledger/ledger_stores.h"
#include "ledger/likeness.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "ledger/sequenced_log.h"
#include "storage/engines.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::ledger {
namespace {

using internal::KeptPrint;

std::int64_t number_of(TestStore& store, const char* sql) {
    return good(good(store->query({sql}, {})).integer(0, 0));
}

}  // namespace

TEST_CASE("prints of a row are read as they were written, and what is cut off is refused") {
    const std::vector<KeptPrint> prints{
        {.kind = 3, .number = 0, .print = {1, 2, 3}, .bands_of_print = true, .bands = {}},
        {.kind = 3, .number = 7, .print = {}, .bands_of_print = false, .bands = {1ULL << 63U, 0}},
        {.kind = 3, .number = 63, .print = Buffer(4096, 9), .bands_of_print = false, .bands = {}},
    };
    Buffer kept;
    std::vector<std::size_t> ends{0};
    for (const KeptPrint& print : prints) {
        internal::append_kept_print(kept, print);
        ends.push_back(kept.size());
    }
    CHECK(good(internal::read_kept_prints(kept)) == prints);
    for (std::size_t size = 0; size < kept.size(); ++size) {
        const auto cut = internal::read_kept_prints(Bytes(kept).first(size));
        CHECK(cut.ok() == (std::ranges::count(ends, size) == 1));
        CHECK((cut.ok() || cut.error().code == ErrorCode::kCorrupt));
    }
}

TEST_CASE("a purge finds the bands again that a row leaves out, and those that it has") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const Print usual =
            good(records.print_of_text("A colophon says who made a book, when, and where."))
                .value();
        CHECK(good(text_print_bands(usual.print)) == usual.bands);
        Print other = usual;
        other.bands = {1, 2, 3};
        good(records.append(stores.record(), std::vector{usual, other}));
        CHECK(number_of(store, "SELECT COUNT(*) FROM record_prints") == 0);
        SequencedLog log(store, stores);
        CHECK(drain(*log.open()) == 1);
        const auto bands = static_cast<std::int64_t>(usual.bands.size() + other.bands.size());
        CHECK(number_of(store, "SELECT CAST(SUM(entries) AS BIGINT) FROM record_find_runs") ==
              bands + 3);
        stores.clock.advance(std::chrono::days(400));
        const Purge order{.policy = {}, .now = stores.clock.now(), .service = stores.tenant};
        CHECK(good(purge(*store, records, order, stores.random)).removed == 1);
        CHECK(number_of(store, "SELECT COUNT(*) FROM record_find_runs") == 0);
        CHECK(number_of(store, "SELECT COUNT(*) FROM record_finds") == 0);
    });
}

}  // namespace colophon::ledger
