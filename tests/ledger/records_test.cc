// SPDX-License-Identifier: Apache-2.0
#include "ledger/records.h"

#include "ledger_stores.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace colophon::ledger {
namespace {

// [DSP-10] [DSP-16]
TEST_CASE(
    "a record is found by id, content id, digest, subject, tenant and time, and after a restart") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ServiceRecord record = stores.record();
        record.facts.content_id = ContentId{987654321};
        good(stores.records().append(record));
        stores.reopen();
        Records records = stores.records();

        CHECK(good(records.find(record.facts.id)) == record.facts);
        CHECK(good(records.find(ContentId{987654321})) == record.facts);
        CHECK(code_of(records.find(ContentId{1})) == ErrorCode::kNotFound);
        CHECK(good(records.open(record.facts.id)) == record.personal);
        CHECK(good(records.find_by_digest(record.content_digests[0])) ==
              std::vector{record.facts.id});
        CHECK(good(records.find_by_digest(sha256(as_bytes("other")))).empty());

        RecordQuery query;
        query.from = stores.clock.now() - std::chrono::hours(1);
        query.until = stores.clock.now() + std::chrono::hours(1);
        query.subject = record.facts.subject;
        CHECK(good(records.list(query)) == std::vector{record.facts});
        query.tenant = record.facts.tenant;
        CHECK(good(records.list(query)).size() == 1);
        query.subject.reset();
        CHECK(good(records.list(query)).size() == 1);
        query.kind = RecordKind::kErasure;
        CHECK(good(records.list(query)).empty());
        query.kind.reset();
        query.until = query.from;
        CHECK(good(records.list(query)).empty());
    });
}

TEST_CASE("a record of before is found by its content id, which stands in another column") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        ServiceRecord record = stores.record();
        record.facts.content_id = ContentId{987654321};
        good(records.append(record));
        good(store->apply({.operations = {{.statement = {"UPDATE records SET content_id = "
                                                         "987654321, content_number = NULL"},
                                           .parameters = {}}},
                           .inserts = {},
                           .notifications = {}}));
        CHECK(good(records.find(ContentId{987654321})) == record.facts);
        CHECK(code_of(records.find(ContentId{987654322})) == ErrorCode::kNotFound);
    });
}

TEST_CASE("pages of records follow each other from the newest without gap or repetition") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const Time begin = stores.clock.now();
        std::vector<RecordId> appended;
        for (int i = 0; i < 25; ++i) {
            if (i % 3 == 0) {
                stores.clock.advance(std::chrono::milliseconds(1));
            }
            const ServiceRecord record = stores.record();
            good(records.append(record));
            appended.push_back(record.facts.id);
        }
        std::set<RecordId> seen;
        RecordQuery query;
        query.tenant = stores.tenant;
        query.from = begin;
        query.until = stores.clock.now() + std::chrono::seconds(1);
        query.records_max = 10;
        std::vector<std::size_t> sizes;
        Time last = query.until;
        for (;;) {
            const std::vector<Facts> page = good(records.list(query));
            sizes.push_back(page.size());
            if (page.empty()) {
                break;
            }
            for (const Facts& facts : page) {
                CHECK(facts.at <= last);
                last = facts.at;
                CHECK(seen.insert(facts.id).second);
            }
            query.after = page.back().id;
        }
        CHECK(sizes == std::vector<std::size_t>{10, 10, 5, 0});
        CHECK(seen == std::set<RecordId>(appended.begin(), appended.end()));
    });
}

TEST_CASE("an id or a content id is taken once") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        ServiceRecord record = stores.record();
        record.facts.content_id = ContentId{5};
        good(records.append(record));
        CHECK(code_of(records.append(record)) == ErrorCode::kConflict);
        ServiceRecord other = stores.record();
        other.facts.content_id = ContentId{5};
        CHECK(code_of(records.append(other)) == ErrorCode::kConflict);
        CHECK(code_of(records.find(other.facts.id)) == ErrorCode::kNotFound);
        other.facts.content_id.reset();
        other.facts.at += std::chrono::milliseconds(1);
        CHECK(code_of(records.append(other)) == ErrorCode::kInvalidArgument);
    });
}

TEST_CASE("what is like a content is found by the bands of its print") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const ServiceRecord one = stores.record();
        const ServiceRecord two = stores.record();
        const std::vector<Print> first{{.kind = 1, .print = {1, 1}, .bands = {10, 20, 30}}};
        const std::vector<Print> second{{.kind = 1, .print = {2, 2}, .bands = {20, 40, 50}}};
        good(records.append(one, first));
        good(records.append(two, second));
        const std::vector<std::int64_t> bands{20, 30};
        const auto found = good(records.find_similar(1, bands));
        CHECK(found.found.size() == 2);
        CHECK_FALSE(found.cut);
        CHECK(good(records.find_similar(2, bands)).found.empty());
        const std::vector<std::int64_t> only_first{30};
        CHECK(good(records.find_similar(1, only_first)).found ==
              std::vector{SimilarRecord{one.facts.id, {1, 1}}});
    });
}

TEST_CASE("the private half of an erased person's records stays shut, the facts stay") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const ServiceRecord record = stores.record();
        good(records.append(record));
        good(stores.keys->destroy(to_string(stores.subject)));
        CHECK(code_of(records.open(record.facts.id)) == ErrorCode::kDenied);
        CHECK(good(records.find(record.facts.id)) == record.facts);
    });
}

TEST_CASE("a leaf waits in the outbox and opens field by field") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const ServiceRecord record = stores.record();
        good(records.append(record));
        const auto disclosure = good(records.disclose(record.facts.id));
        CHECK_FALSE(disclosure.entry.has_value());
        const Leaf leaf = good(parse_leaf(disclosure.waiting_leaf));
        CHECK(leaf.type == "call");
        CHECK(leaf.time == record.facts.at);
        CHECK(leaf.actor == record.facts.subject->bytes);
        CHECK(opens(leaf, open_field(disclosure.salt, "facts", disclosure.facts)));
        CHECK(opens(leaf, open_field(disclosure.salt, "input", record.personal.input)));
        CHECK(opens(leaf, open_field(disclosure.salt, "source", "192.0.2.7 50123")));
        CHECK_FALSE(opens(leaf, open_field(disclosure.salt, "input", "another question")));
        CHECK_FALSE(opens(leaf, open_field(disclosure.salt, "output", record.personal.input)));
        // Nothing of the person is readable in the leaf.
        const std::string_view bytes = as_text(disclosure.waiting_leaf);
        for (const char* secret : {"user-7", "192.0.2.7", "colophon is", "app/1.0"}) {
            CHECK(bytes.find(secret) == std::string_view::npos);
        }
    });
}

TEST_CASE("content ids are unique over nodes and restarts, and a made-up one is known") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        ContentIdKey key{};
        key.fill(9);
        std::set<ContentId> seen;
        const auto other = store.open();
        for (int restart = 0; restart < 3; ++restart) {
            ContentIds here(*store, key, 8);
            ContentIds there(*other, key, 8);
            for (int i = 0; i < 20; ++i) {
                CHECK(seen.insert(good(here.next())).second);
                CHECK(seen.insert(good(there.next())).second);
            }
        }
        ContentIds ids(*store, key, 8);
        for (const ContentId id : seen) {
            CHECK(good(ids.was_given(id)));
        }
        // 144 of 2^48 numbers are taken: a made-up id is one of them only by a miracle.
        CHECK_FALSE(good(ids.was_given(ContentId{42})));
        CHECK_FALSE(good(ids.was_given(ContentId{ContentId::kMax})));
    });
}

}  // namespace
}  // namespace colophon::ledger
