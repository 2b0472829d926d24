// SPDX-License-Identifier: Apache-2.0
#pragma once

// A review queue over a store of either engine, with people, calls and evidence to put into it.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "ledger/conduct.h"
#include "ledger/ledger_stores.h"
#include "ledger/records.h"
#include "review/library.h"
#include "review/queue.h"
#include "storage/blobs.h"
#include "storage/engines.h"
#include "storage/migration.h"
#include "storage/sealer.h"
#include "storage/sealing.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

namespace colophon::review {

using std::chrono::hours;
using std::chrono::minutes;
using storage::code_of;
using storage::each_engine;
using storage::good;
using storage::TestStore;

inline const Person kLi{.name = "li.wei"};
inline const Person kWang{.name = "wang.fang"};
inline const Person kLead{.name = "chen.jie", .lead = true};
inline const PersonsDecision kRelease{
    .ruling = Ruling::kRelease, .reason = "false_match", .note = {}};
inline const PersonsDecision kRefuse{
    .ruling = Ruling::kRefuse, .reason = "confirmed", .note = "seen"};
inline const PersonsDecision kEscalate{
    .ruling = Ruling::kEscalate, .reason = "unclear", .note = {}};

inline QueueRules plain_rules() {
    QueueRules rules;
    rules.sample_per_mille = 0;
    return rules;
}

struct House {
    explicit House(TestStore& store, QueueRules rules = plain_rules())
        : stores(store),
          records(stores.records()),
          conduct(records, stores.clock, stores.random,
                  {.account = "staff", .source_address = {}, .client = "test"}),
          sealer(*stores.keys, storage::Suite::kAes256Gcm, stores.random),
          blobs({*store, *stores.objects, *stores.keys, stores.clock, stores.random},
                storage::Suite::kAes256Gcm),
          queue({.store = *store,
                 .sealer = sealer,
                 .blobs = blobs,
                 .clock = stores.clock,
                 .random = stores.random},
                std::move(rules)) {
        std::vector<storage::Migration> all = ledger::all_migrations();
        for (const auto more : {library_migrations(), queue_migrations()}) {
            all.insert(all.end(), more.begin(), more.end());
        }
        good(storage::migrate(*store, all, stores.clock));
    }

    HeldCall call(Stage stage = Stage::kOutput, const std::string& category = "A1f") {
        return {.tenant = stores.tenant,
                .subject = stores.subject,
                .record = good(make_random_id<RecordId>(stores.random)),
                .stage = stage,
                .operation = "chat",
                .model = "echo",
                .category = category,
                .rule = "library-1/w-1",
                .entries = {"w-1"}};
    }
    ItemId add(const std::string& text = "some words", const std::string& category = "A1f") {
        stores.clock.advance(std::chrono::milliseconds(10));
        return good(queue.add(call(Stage::kOutput, category), evidence(text)));
    }
    static Evidence evidence(const std::string& text) {
        Evidence evidence;
        evidence.text = text;
        evidence.spans = {{.entry = "w-1", .begin = 1, .end = 3}};
        evidence.context = "what was asked";
        evidence.answer = WaitingAnswer{.headers = {{"content-type", "application/json"}},
                                        .body = "{\"text\":\"" + text + "\"}",
                                        .text = text,
                                        .label = "{}",
                                        .content_id = ContentId{42}};
        return evidence;
    }
    // As it is, or with a veil that says how long the file is.
    Result<Viewed> look(const Person& person, const ItemId& id, bool original = false) {
        const auto veil = [](Bytes file) -> Result<Veil> {
            return Veil{.file = to_buffer(as_bytes("veil of " + std::to_string(file.size()))),
                        .media_type = "image/png"};
        };
        return queue.view(person, id, {.original = original, .veil = veil}, conduct);
    }
    Item decide(const Person& person, const ItemId& id, const PersonsDecision& decision) {
        good(queue.claim(person, id));
        return good(queue.decide(person, id, decision, conduct));
    }
    std::vector<std::string> operations() {
        std::vector<std::string> names;
        ledger::RecordQuery query;
        query.until = stores.clock.now() + hours(1);
        for (const ledger::Facts& facts : good(records.list(query))) {
            names.push_back(facts.operation);
        }
        std::ranges::sort(names);
        return names;
    }

    ledger::LedgerStores stores;
    ledger::Records records;
    ledger::Conduct conduct;
    storage::Sealer sealer;
    storage::Blobs blobs;
    ReviewQueue queue;
};

inline std::vector<ActKind> kinds(const Item& item) {
    std::vector<ActKind> kinds;
    std::ranges::transform(item.acts, std::back_inserter(kinds), &Act::kind);
    return kinds;
}

}  // namespace colophon::review
