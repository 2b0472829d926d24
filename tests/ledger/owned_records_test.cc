// SPDX-License-Identifier: Apache-2.0
// Lists of a tenant's and a subject's records, wherever they are found: in the outbox, in runs, or
// by the index of before; compared with a plain look at all of them.

#include "core/bytes.h"
#include "core/ids.h"
#include "ledger/internal/waiting_finds.h"
#include "ledger/ledger_stores.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "ledger/sequenced_log.h"
#include "storage/engines.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::array kSomeKinds{RecordKind::kCall, RecordKind::kCall, RecordKind::kVerification,
                                RecordKind::kUnlabelledRelease};

// Tenants and subjects of which two each begin alike, as random ids do not.
struct Owners {
    std::array<TenantId, 3> tenants;
    std::array<SubjectId, 3> subjects;
    explicit Owners(Random& random) {
        for (TenantId& each : tenants) {
            each = make_random_id<TenantId>(random).value();
        }
        for (SubjectId& each : subjects) {
            each = make_random_id<SubjectId>(random).value();
        }
        std::copy_n(tenants[0].bytes.begin(), 8, tenants[1].bytes.begin());
        std::copy_n(subjects[0].bytes.begin(), 8, subjects[1].bytes.begin());
    }
};

std::vector<Facts> expected(const std::vector<Facts>& all, const RecordQuery& query) {
    std::vector<Facts> found;
    for (const Facts& each : all) {
        const bool fits = (!query.tenant || each.tenant == *query.tenant) &&
                          (!query.subject || each.subject == query.subject) &&
                          (!query.kind || each.kind == *query.kind) && query.from <= each.at &&
                          each.at < query.until && (!query.after || each.id < *query.after);
        if (fits) {
            found.push_back(each);
        }
    }
    std::ranges::sort(found, std::ranges::greater(), &Facts::id);
    found.resize(std::min(found.size(), query.records_max));
    return found;
}

void compare(Records& records, const std::vector<Facts>& all, RecordQuery query,
             const Owners& owners) {
    std::vector<std::optional<TenantId>> tenants(owners.tenants.begin(), owners.tenants.end());
    std::vector<std::optional<SubjectId>> subjects(owners.subjects.begin(), owners.subjects.end());
    tenants.emplace_back();
    subjects.emplace_back();
    for (query.records_max = 3; query.records_max < 200; query.records_max *= 8) {
        for (const auto& tenant : tenants) {
            for (const auto& subject : subjects) {
                query.tenant = tenant;
                query.subject = subject;
                query.kind.reset();
                CHECK(good(records.list(query)) == expected(all, query));
                query.kind = RecordKind::kVerification;
                CHECK(good(records.list(query)) == expected(all, query));
                query.kind = RecordKind::kCall;
                CHECK(good(records.list(query)) == expected(all, query));
            }
        }
    }
}

void execute(TestStore& store, const char* sql) {
    good(store->apply({.operations = {{.statement = {sql}, .parameters = {}}},
                       .inserts = {},
                       .notifications = {}}));
}

}  // namespace

TEST_CASE("whose a record is comes through packing and nothing shorter") {
    for (const internal::RecordOwners& owners :
         {internal::RecordOwners{.kind = 3, .tenant = 1ULL << 63U, .subject = std::nullopt},
          internal::RecordOwners{.kind = 255, .tenant = 7, .subject = 0}}) {
        const Buffer packed = internal::pack_owners(owners);
        CHECK(good(internal::unpack_owners(packed)) == owners);
        for (std::size_t size = 0; size < packed.size(); ++size) {
            const auto cut = internal::unpack_owners(Bytes(packed).first(size));
            CHECK(cut.ok() == (owners.subject && size == 10));
        }
    }
}

// [DSP-10]
TEST_CASE("a list of a tenant or subject has all its records, wherever they are found") {
    each_engine([](TestStore& store) {
        std::mt19937_64 random(4);
        LedgerStores stores(store);
        const Owners owners(stores.random);
        Records records = stores.records();
        SequencedLog log(store, stores);
        const auto sequencer = log.open();
        std::vector<Facts> all;
        RecordQuery query;
        query.from = stores.clock.now();
        const auto some = [&](std::size_t count) {
            for (std::size_t i = 0; i < count; ++i) {
                stores.clock.advance(std::chrono::milliseconds(random() % 3));
                ServiceRecord record = stores.record(kSomeKinds[random() % kSomeKinds.size()]);
                record.facts.tenant = owners.tenants[random() % 3];
                record.facts.subject.reset();
                if (random() % 5 != 0) {
                    record.facts.subject = owners.subjects[random() % 3];
                }
                good(records.append(record));
                all.push_back(record.facts);
            }
        };
        some(30);
        // As if of before.
        execute(store, "UPDATE records SET in_runs = NULL");
        execute(store, "UPDATE service_outbox SET owners = NULL");
        query.until = stores.clock.now() + std::chrono::seconds(1);
        compare(records, all, query, owners);
        CHECK(drain(*sequencer) == 30);
        for (int round = 0; round < 4; ++round) {
            some(25);
            CHECK(drain(*sequencer) == 25);
        }
        some(20);
        query.until = stores.clock.now() + std::chrono::seconds(1);
        compare(records, all, query, owners);
        // Within a range, and after a record of it.
        query.from = all[20].at;
        query.until = all[130].at;
        compare(records, all, query, owners);
        query.after = all[100].id;
        compare(records, all, query, owners);
        query.until = query.from;
        compare(records, all, query, owners);
    });
}

TEST_CASE("what is purged leaves no trace in what its owner is found by") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        SequencedLog log(store, stores);
        const auto sequencer = log.open();
        for (int i = 0; i < 5; ++i) {
            good(records.append(stores.record()));
        }
        CHECK(drain(*sequencer) == 5);
        const auto finds = [&] {
            return good(good(store->query({"SELECT COALESCE(CAST(SUM(entries) AS BIGINT), 0) FROM "
                                           "record_find_runs"},
                                          {}))
                            .integer(0, 0));
        };
        CHECK(finds() == 5 * 3);  // a digest, the tenant, the subject
        stores.clock.advance(std::chrono::days(400));
        Purge order;
        order.now = stores.clock.now();
        order.service = stores.tenant;
        const PurgeReport report = good(purge(*store, records, order, stores.random));
        CHECK(report.removed == 5);
        CHECK(finds() == 0);
        RecordQuery query;
        query.from = Time();
        query.until = stores.clock.now();
        query.subject = stores.subject;
        CHECK(good(records.list(query)).empty());
    });
}

}  // namespace colophon::ledger
