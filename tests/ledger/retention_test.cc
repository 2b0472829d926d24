// SPDX-License-Identifier: Apache-2.0
#include "ledger/retention.h"

#include "core/json.h"
#include "ledger/conduct.h"
#include "ledger/sequence_all.h"
#include "ledger_stores.h"
#include "storage/row_values.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace colophon::ledger {
namespace {

using std::chrono::days;

TEST_CASE("a policy that keeps records for less than 180 days is refused") {
    CHECK(RetentionPolicy{}.check().ok());
    CHECK(RetentionPolicy{.service = days(180), .conduct = days(180)}.check().ok());
    CHECK(code_of(RetentionPolicy{.service = days(179), .conduct = days(1000)}.check()) ==
          ErrorCode::kInvalidArgument);
    CHECK(code_of(RetentionPolicy{.service = days(1000), .conduct = days(179)}.check()) ==
          ErrorCode::kInvalidArgument);
}

// [AILM-9]
TEST_CASE("records of releases without explicit label stay for six months of any length") {
    const RetentionPolicy shortest{.service = days(180), .conduct = days(180)};
    CHECK(shortest.check().ok());
    CHECK(shortest.of(RecordKind::kCall) == days(180));
    CHECK(shortest.of(RecordKind::kUnlabelledRelease) == days(184));
    CHECK(RetentionPolicy{.service = days(400)}.of(RecordKind::kUnlabelledRelease) == days(400));
}

// [DSP-10] [DSP-16] [AILM-9]
TEST_CASE("records go when their time is over, not before, and the purge is itself recorded") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        ServiceRecord old = stores.record();
        old.personal.contents = {{"output", "blob-of-old", "image/png", 10}};
        good(records.append(old));
        const ServiceRecord conduct = stores.record(RecordKind::kAdministration);
        good(records.append(conduct));
        stores.clock.advance(days(1));
        const ServiceRecord young = stores.record();
        good(records.append(young));
        sequence(store, stores);

        Purge purge_now{.policy = {.service = days(180), .conduct = days(1000)},
                        .now = old.facts.at + days(180),
                        .service = stores.tenant};
        // To the millisecond: at exactly 180 days it is still kept.
        CHECK(good(purge(*store, records, purge_now, stores.random)).removed == 0);
        purge_now.now += std::chrono::milliseconds(1);
        CHECK(good(purge(*store, records, purge_now, stores.random)).removed == 1);
        CHECK(code_of(records.find(old.facts.id)) == ErrorCode::kNotFound);
        CHECK(good(records.find_by_digest(old.content_digests[0])) ==
              std::vector{young.facts.id, conduct.facts.id});
        // A digest, the tenant and the subject of each of the two that are left.
        const storage::Rows finds =
            good(store->query({"SELECT CAST(SUM(entries) AS BIGINT) FROM record_find_runs"}, {}));
        CHECK(good(finds.integer(0, 0)) == 6);
        CHECK(good(records.find(young.facts.id)) == young.facts);
        CHECK(good(records.find(conduct.facts.id)) == conduct.facts);
        const storage::Rows due =
            good(store->query({"SELECT record FROM record_blob_releases"}, {}));
        REQUIRE(due.size() == 1);
        CHECK(good(storage::id_at<RecordId>(due, 0, 0)) == old.facts.id);

        RecordQuery query;
        query.tenant = stores.tenant;
        query.kind = RecordKind::kPurge;
        query.from = purge_now.now;
        query.until = purge_now.now + days(1);
        const std::vector<Facts> purges = good(records.list(query));
        REQUIRE(purges.size() == 1);
        const json::Value detail = good(json::parse(purges[0].detail));
        CHECK(detail.string_or("first", "") == to_string(old.facts.id));
        CHECK(detail.string_or("sha256_of_ids", "") == to_hex(sha256(old.facts.id.bytes)));
    });
}

TEST_CASE("a record on legal hold outlives its time until the hold is lifted") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const ServiceRecord held = stores.record();
        good(records.append(held));
        stores.subject = make_random_id<SubjectId>(stores.random).value();
        const ServiceRecord other = stores.record();
        good(records.append(other));
        sequence(store, stores);

        const Conduct conduct(records, stores.clock, stores.random, {});
        const auto staff = make_random_id<StaffId>(stores.random).value();
        LegalHold hold{.id = {},
                       .tenant = {},
                       .subject = held.facts.subject,
                       .from = held.facts.at - days(1),
                       .until = held.facts.at + days(1),
                       .reason = "order 2026-17",
                       .placed_by = staff,
                       .placed_at = stores.clock.now()};
        const std::string id = good(place_hold(*store, hold, conduct, stores.random));
        REQUIRE(good(holds(*store)).size() == 1);
        CHECK(good(holds(*store))[0].reason == "order 2026-17");
        const auto acts = [&] {
            RecordQuery query;
            query.kind = RecordKind::kAdministration;
            query.until = stores.clock.now() + days(1);
            return good(records.list(query));
        };
        REQUIRE(acts().size() == 1);
        CHECK(acts()[0].operation == "hold.place");
        CHECK(good(json::parse(acts()[0].detail)).string_or("hold", "") == id);
        const Purge purge_later{.policy = {.service = days(180), .conduct = days(1000)},
                                .now = held.facts.at + days(400),
                                .service = stores.tenant};
        CHECK(good(purge(*store, records, purge_later, stores.random)).removed == 1);
        CHECK(records.find(held.facts.id).ok());
        CHECK_FALSE(records.find(other.facts.id).ok());

        good(lift_hold(*store, {.id = id, .by = staff, .at = stores.clock.now()}, conduct));
        CHECK(code_of(lift_hold(*store, {.id = id, .by = staff, .at = stores.clock.now()},
                                conduct)) == ErrorCode::kNotFound);
        CHECK(good(holds(*store)).empty());
        CHECK(acts().size() == 2);  // the refused one is not on record
        CHECK(good(purge(*store, records, purge_later, stores.random)).removed == 1);
        CHECK_FALSE(records.find(held.facts.id).ok());
        hold.reason.clear();
        CHECK(code_of(place_hold(*store, hold, conduct, stores.random)) ==
              ErrorCode::kInvalidArgument);
    });
}

TEST_CASE("a record that is in no log yet is not purged") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const ServiceRecord record = stores.record();
        good(records.append(record));
        const Purge purge_later{.policy = {.service = days(180), .conduct = days(1000)},
                                .now = record.facts.at + days(400),
                                .service = stores.tenant};
        CHECK(good(purge(*store, records, purge_later, stores.random)).removed == 0);
        CHECK(records.find(record.facts.id).ok());
    });
}

}  // namespace
}  // namespace colophon::ledger
