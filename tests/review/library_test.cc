// SPDX-License-Identifier: Apache-2.0
#include "review/library.h"

#include "core/clock.h"
#include "core/json.h"
#include "ledger/conduct.h"
#include "ledger/ledger_stores.h"
#include "ledger/records.h"
#include "review/entry_json.h"
#include "storage/engines.h"
#include "storage/migration.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace colophon::review {
namespace {

using storage::code_of;
using storage::each_engine;
using storage::good;
using storage::TestStore;

struct House {
    explicit House(TestStore& store)
        : stores(store),
          records(stores.records()),
          conduct(records, stores.clock, stores.random,
                  {.account = "li.wei", .source_address = {}, .client = "test"}),
          library(*store, stores.clock, conduct, {}) {
        std::vector<storage::Migration> all = ledger::all_migrations();
        const auto own = library_migrations();
        all.insert(all.end(), own.begin(), own.end());
        good(storage::migrate(*store, all, stores.clock));
    }

    ledger::LedgerStores stores;
    ledger::Records records;
    ledger::Conduct conduct;
    Library library;

    std::vector<std::string> operations() {
        std::vector<std::string> names;
        ledger::RecordQuery query;
        query.until = stores.clock.now() + std::chrono::hours(1);
        for (const ledger::Facts& facts : good(records.list(query))) {
            names.insert(names.begin(), facts.operation);
        }
        return names;
    }
    std::vector<std::string> live() {
        std::vector<std::string> ids;
        for (const AnyEntry& entry : good(library.live()).entries) {
            ids.push_back(entry_id(entry));
        }
        return ids;
    }
    void tried(const std::string& id, const TrialCounts& counts) {
        const Library::TrialResult result{id, counts};
        good(library.note_trial({&result, 1}, "li.wei"));
    }
};

Proposal proposal(std::string_view text, const std::string& reason = "seen in a report") {
    return {good(read_entry(good(json::parse(text)))),
            {.reason = reason, .evidence = {}, .source = "operator", .owner = {}, .expires = {}}};
}

constexpr TrialCounts kHarmless{.benign = 1000, .benign_hits = 0, .traffic = 10, .traffic_hits = 1};

}  // namespace

TEST_CASE("[DSP-10] an entry is proposed, tried, approved by another person, and retired") {
    each_engine([](TestStore& store) {
        House house(store);
        std::atomic<int> told = 0;
        const auto listening =
            good(store->listen(kLibraryChanged, [&](std::string_view) { ++told; }));
        const Proposal first = proposal(R"({"id":"b-1","category":"A1d","phrase":"炸弹"})");
        good(house.library.propose({&first, 1}, "li.wei"));
        CHECK(code_of(house.library.propose({&first, 1}, "wang.fang")) == ErrorCode::kConflict);
        CHECK(house.live().empty());
        // Neither without a trial nor by whoever proposed it.
        CHECK(good(house.library.approve({{"b-1"}, {}}, "wang.fang", "")).untried == 1);
        house.tried("b-1", kHarmless);
        const Decided own = good(house.library.approve({{"b-1"}, {}}, "li.wei", ""));
        CHECK(own.own == 1);
        CHECK(own.done == 0);
        CHECK(house.live().empty());
        CHECK(good(house.library.approve({{"b-1"}, {}}, "wang.fang", "fine")).done == 1);
        CHECK(house.live() == std::vector<std::string>{"b-1"});
        // Another form of it takes its place when it is approved, not before.
        const Proposal second =
            proposal(R"({"id":"b-1","category":"A1d","phrase":"炸弹","action":"hold"})");
        good(house.library.propose({&second, 1}, "wang.fang"));
        house.tried("b-1", kHarmless);
        CHECK(house.live().size() == 1);
        CHECK(good(house.library.approve({{"b-1"}, {}}, "li.wei", "")).done == 1);
        CHECK(house.live().size() == 1);
        const auto all = good(house.library.find("b-1"));
        REQUIRE(all.size() == 2);
        CHECK(all[0].state == EntryState::kLive);
        CHECK(all[0].revision == 2);
        CHECK(all[1].state == EntryState::kReplaced);
        REQUIRE(all[1].opinions.size() == 1);
        CHECK(all[1].opinions[0].by == "wang.fang");
        CHECK(all[1].opinions[0].reason == "fine");
        CHECK(code_of(house.library.retire({{"b-1"}, {}}, "li.wei", "")) ==
              ErrorCode::kInvalidArgument);
        CHECK(good(house.library.retire({{"b-1"}, {}}, "li.wei", "over")).done == 1);
        CHECK(house.live().empty());
        CHECK(code_of(house.library.retire({{"b-1"}, {}}, "li.wei", "over")) ==
              ErrorCode::kNotFound);
        CHECK(code_of(house.library.find("b-2")) == ErrorCode::kNotFound);
        const std::vector<std::string> done = house.operations();
        CHECK(std::ranges::count(done, "library.propose") == 2);
        CHECK(std::ranges::count(done, "library.approve") == 4);
        CHECK(std::ranges::count(done, "library.retire") == 1);
        for (int i = 0; i < 100 && told == 0; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
        CHECK(told > 0);
    });
}

TEST_CASE("[DSP-10] what hits harmless content too often needs the approval of two") {
    each_engine([](TestStore& store) {
        House house(store);
        const Proposal entry = proposal(R"({"id":"b-1","category":"A1d","phrase":"的"})");
        good(house.library.propose({&entry, 1}, "li.wei"));
        house.tried("b-1", {.benign = 1000, .benign_hits = 6});
        const Decided one = good(house.library.approve({{"b-1"}, {}}, "wang.fang", "must be"));
        CHECK(one.done == 0);
        CHECK(one.waiting == 1);
        CHECK(good(house.library.approve({{"b-1"}, {}}, "wang.fang", "must be")).done == 0);
        CHECK(good(house.library.approve({{"b-1"}, {}}, "zhao.lei", "yes")).done == 1);
        CHECK(good(house.library.find("b-1")).front().opinions.size() == 2);
        // The share itself is allowed.
        const Proposal other = proposal(R"({"id":"b-2","category":"A1d","phrase":"是"})");
        good(house.library.propose({&other, 1}, "li.wei"));
        house.tried("b-2", {.benign = 1000, .benign_hits = 5});
        CHECK(good(house.library.approve({{"b-2"}, {}}, "wang.fang", "")).done == 1);
    });
}

TEST_CASE("[DSP-10] a batch is decided as one, entries expire, and are looked at again") {
    each_engine([](TestStore& store) {
        House house(store);
        std::vector<Proposal> batch;
        for (int i = 0; i < 250; ++i) {
            batch.push_back(proposal(R"({"id":"w/)" + std::to_string(i) +
                                     R"(","category":"A1f","phrase":"word)" + std::to_string(i) +
                                     "\"}"));
        }
        batch[7].about.expires = house.stores.clock.now() + std::chrono::hours(1);
        good(house.library.propose(batch, "li.wei", "first"));
        std::vector<Library::TrialResult> tried;
        for (const Proposal& each : batch) {
            tried.push_back({entry_id(each.entry), kHarmless});
        }
        tried[9].counts.benign_hits = 900;
        good(house.library.note_trial(tried, "li.wei"));
        const Decided decided = good(house.library.approve({{}, "first"}, "wang.fang", ""));
        CHECK(decided.done == 249);
        CHECK(decided.waiting == 1);
        CHECK(house.live().size() == 249);
        CHECK(good(house.library.live()).next_end == batch[7].about.expires);
        house.stores.clock.advance(std::chrono::hours(2));
        CHECK(house.live().size() == 248);
        CHECK(good(house.library.refuse({{}, "first"}, "wang.fang", "too wide")).done == 1);
        // Paged without loss.
        LibraryQuery query{.state = {},
                           .batch = "first",
                           .category = "A1f",
                           .due = {},
                           .after = {},
                           .entries_max = 100};
        std::size_t seen = 0;
        for (int page = 0; page < 4; ++page) {
            const auto entries = good(house.library.list(query));
            seen += entries.size();
            if (!entries.empty()) {
                query.after = entry_id(entries.back().entry);
                query.after_revision = entries.back().revision;
            }
        }
        CHECK(seen == 250);
        LibraryQuery due;
        due.due = house.stores.clock.now();
        CHECK(good(house.library.list(due)).empty());
        house.stores.clock.advance(kReviewInterval);
        due.due = house.stores.clock.now();
        CHECK(good(house.library.list(due)).size() == 249);
        CHECK(good(house.library.keep({{"w/1"}, {}}, "wang.fang", "still true")).done == 1);
        CHECK(good(house.library.list(due)).size() == 248);
        good(house.library.add_hits(std::vector<Hits>{{"w/1", 3}, {"w/2", 1}}));
        good(house.library.add_hits(std::vector<Hits>{{"w/1", 4}}));
        CHECK(good(house.library.find("w/1")).front().hits == 7);
        const auto figures = good(house.library.figures());
        REQUIRE(figures.size() == 1);
        CHECK(figures[0].category == "A1f");
        CHECK(figures[0].live == 248);
        CHECK(figures[0].hits == 8);
    });
}

TEST_CASE("what could not be searched for is not proposed") {
    each_engine([](TestStore& store) {
        House house(store);
        const auto refused = [&](const Proposal& one) {
            return code_of(house.library.propose({&one, 1}, "li.wei")) ==
                   ErrorCode::kInvalidArgument;
        };
        CHECK(refused(proposal(R"({"id":"a","category":"c","phrase":"x"})", "")));
        CHECK(refused(proposal(R"({"id":"a","category":"c","phrase":"x"})", "two\nlines")));
        CHECK(refused(proposal(R"({"id":"a","category":"c","phrase":"..."})")));
        CHECK(refused(proposal(R"({"id":"a\u0001","category":"c","phrase":"x"})")));
        const std::vector<Proposal> twice(2, proposal(R"({"id":"a","category":"c","phrase":"x"})"));
        CHECK(code_of(house.library.propose(twice, "li.wei")) == ErrorCode::kInvalidArgument);
        CHECK(code_of(house.library.propose({}, "li.wei")) == ErrorCode::kLimit);
        CHECK(code_of(house.library.approve({}, "li.wei", "")) == ErrorCode::kInvalidArgument);
        CHECK(good(house.library.list({})).empty());
        CHECK(house.operations().empty());
    });
}

}  // namespace colophon::review
