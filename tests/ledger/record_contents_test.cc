// SPDX-License-Identifier: Apache-2.0
// What is too long for a record: sealed beside it, gone with it, and left behind by nothing.

#include "ledger/record_contents.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "ledger/ledger_stores.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "ledger/sequence_all.h"
#include "storage/blobs.h"
#include "storage/engines.h"
#include "storage/objects.h"
#include "storage/sealing.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::ledger {
namespace {

struct Contents {
    LedgerStores stores;
    Records records;
    storage::Blobs blobs;
    RecordContents contents;

    explicit Contents(TestStore& store)
        : stores(store),
          records(stores.records()),
          blobs({*store, *stores.objects, *stores.keys, stores.clock, stores.random},
                storage::Suite::kAes256Gcm),
          contents(*store, blobs, records, stores.clock) {}

    ServiceRecord large(std::string_view mark) {
        ServiceRecord record = stores.record();
        record.personal.output.clear();
        while (record.personal.output.size() <= kRecordTextBytesMax) {
            record.personal.output += mark;
        }
        return record;
    }

    // How many objects of blobs there are, and whether one holds this text in the clear.
    std::size_t objects(std::string_view text) {
        std::size_t count = 0;
        good(stores.objects->list("blobs/", [&](std::string_view name) {
            const Buffer content = good(stores.objects->get(name, kRecordContentBytesMax * 2));
            CHECK(as_text(content).find(text) == std::string_view::npos);
            ++count;
            return true;
        }));
        return count;
    }
};

}  // namespace

// [DSP-10] [DSP-16]
TEST_CASE("a text that a record does not hold lies sealed beside it and is read back whole") {
    each_engine([](TestStore& store) {
        Contents world(store);
        ServiceRecord record = world.large("long words of a person ");
        const std::string whole = record.personal.output;
        CHECK(code_of(world.records.append(record)) == ErrorCode::kLimit);
        good(world.contents.move_out(record));
        CHECK(record.personal.output.empty());
        CHECK(record.personal.input == "what is a colophon");
        REQUIRE(record.personal.contents.size() == 1);
        CHECK(record.personal.contents[0].bytes == static_cast<std::int64_t>(whole.size()));
        good(world.contents.move_out(record));  // once more: nothing to do
        CHECK(record.personal.contents.size() == 1);
        good(world.records.append(record));
        CHECK(world.objects("long words") == 1);
        CHECK(as_text(good(world.contents.read(record.facts.id, "output"))) == whole);
        CHECK(as_text(good(world.contents.read(record.facts.id, "input"))) == "what is a colophon");
        CHECK(code_of(world.contents.read(record.facts.id, "video")) == ErrorCode::kNotFound);
        CHECK(good(world.records.find_by_digest(sha256(as_bytes(whole)))).size() == 1);
        // The record keeps it, however long it lives.
        world.stores.clock.advance(std::chrono::hours(24 * 30));
        CHECK(good(world.contents.release_due()) == 0);
        CHECK(as_text(good(world.contents.read(record.facts.id, "output"))) == whole);
    });
}

TEST_CASE("a content whose record never came goes after a day, and takes nobody else's with it") {
    each_engine([](TestStore& store) {
        Contents world(store);
        ServiceRecord kept = world.large("the same text ");
        ServiceRecord lost = world.large("the same text ");
        ServiceRecord other = world.large("another text ");
        good(world.contents.move_out(kept));
        good(world.contents.move_out(lost));
        good(world.contents.move_out(other));
        CHECK(world.objects(" text ") == 2);  // the same is kept once
        good(world.records.append(kept));
        CHECK(good(world.contents.release_due()) == 0);
        world.stores.clock.advance(kContentIntentMax);
        CHECK(good(world.contents.release_due()) == 2);
        CHECK(world.objects(" text ") == 1);
        CHECK(world.contents.read(kept.facts.id, "output").ok());
    });
}

TEST_CASE("contents go with a purge, stay under a legal hold, and are lost with their person") {
    each_engine([](TestStore& store) {
        Contents world(store);
        ServiceRecord record = world.large("text ");
        good(world.contents.move_out(record));
        good(world.records.append(record));
        sequence(store, world.stores);
        const Conduct conduct(world.records, world.stores.clock, world.stores.random, {});
        LegalHold hold;
        hold.subject = world.stores.subject;
        hold.until = world.stores.clock.now() + std::chrono::days(10'000);
        hold.reason = "order 1";
        hold.id = good(place_hold(*store, hold, conduct, world.stores.random));
        world.stores.clock.advance(std::chrono::days(400));
        const Purge now{.policy = {},
                        .now = world.stores.clock.now(),
                        .service = world.stores.tenant,
                        .batches_max = 10};
        CHECK(good(purge(*store, world.records, now, world.stores.random)).removed == 0);
        CHECK(good(world.contents.release_due()) == 0);
        CHECK(world.contents.read(record.facts.id, "output").ok());
        good(lift_hold(*store, {.id = hold.id, .by = {}, .at = now.now}, conduct));
        CHECK(good(purge(*store, world.records, now, world.stores.random)).removed == 1);
        CHECK(good(world.contents.release_due()) == 1);
        CHECK(world.objects(" text ") == 0);

        ServiceRecord second = world.large("text ");
        good(world.contents.move_out(second));
        good(world.records.append(second));
        storage::Batch beside;
        beside.operations.push_back(release_contents_of(world.stores.subject));
        good(world.stores.keys->destroy(to_string(world.stores.subject), beside));
        CHECK(code_of(world.contents.read(second.facts.id, "output")) == ErrorCode::kDenied);
        CHECK(good(world.contents.release_due()) == 1);
        CHECK(world.objects(" text ") == 0);
        CHECK(good(world.records.find(second.facts.id)) == second.facts);
    });
}

}  // namespace colophon::ledger
