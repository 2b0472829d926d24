// SPDX-License-Identifier: Apache-2.0
#include "review/policy.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/json.h"
#include "ledger/conduct.h"
#include "ledger/ledger_stores.h"
#include "ledger/records.h"
#include "review/entry.h"
#include "review/library.h"
#include "review/policies.h"
#include "review/scope.h"
#include "storage/engines.h"
#include "storage/migration.h"
#include "storage/sealer.h"
#include "storage/sealing.h"
#include "storage/store.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
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

PolicyRule rule(const std::string& name) {
    PolicyRule rule;
    rule.name = name;
    return rule;
}

json::Value parsed(std::string_view text) {
    return good(json::parse(text));
}

struct House {
    explicit House(TestStore& given)
        : stores(given),
          records(stores.records()),
          conduct(records, stores.clock, stores.random,
                  {.account = "system user root", .source_address = {}, .client = "test"}),
          store(*given),
          sealer(*stores.keys, storage::Suite::kAes256Gcm, stores.random),
          policies(node()) {
        std::vector<storage::Migration> all = ledger::all_migrations();
        const auto own = library_migrations();
        all.insert(all.end(), own.begin(), own.end());
        good(storage::migrate(store, all, stores.clock));
    }
    Policies node() {
        return Policies({.store = store,
                         .objects = *stores.objects,
                         .sealer = sealer,
                         .owner = "installation",
                         .clock = stores.clock});
    }
    std::vector<std::string> operations() {
        std::vector<std::string> names;
        ledger::RecordQuery query;
        query.until = stores.clock.now() + std::chrono::hours(1);
        for (const ledger::Facts& facts : good(records.list(query))) {
            names.insert(names.begin(), facts.operation);
        }
        return names;
    }

    ledger::LedgerStores stores;
    ledger::Records records;
    ledger::Conduct conduct;
    storage::Store& store;
    storage::Sealer sealer;
    Policies policies;
};

}  // namespace

TEST_CASE("[DSP-10] the first policy that is for a call holds, and none for who is not known") {
    PolicyRule minors = rule("minors");
    minors.scope.tenants = {"aa"};
    minors.scope.services = {"dialogue"};
    PolicyRule voices = rule("voices");
    voices.scope.services = {"voice"};
    const std::vector<PolicyRule> rules{minors, voices};
    const auto name = [&](const char* tenant, const char* service) {
        const PolicyRule* found =
            rule_for(rules, {.stage = Stage::kInput, .tenant = tenant, .service = service});
        return found == nullptr ? std::string("usual") : found->name;
    };
    CHECK(name("aa", "dialogue") == "minors");
    CHECK(name("aa", "voice") == "voices");
    CHECK(name("bb", "dialogue") == "usual");
    CHECK(name("aa", "") == "usual");
    CHECK(name("", "dialogue") == "usual");
    CHECK(name("", "") == "usual");
}

TEST_CASE("what a policy says is checked, and comes back from what is kept") {
    PolicyRule full = rule("full");
    full.scope.tenants = {"aa", "bb"};
    full.scope.services = {"voice"};
    full.input = {"guard", "library"};
    full.output = {"library", "guard", "other"};
    full.input_stop = StopAt::kNever;
    full.output_stop = StopAt::kHold;
    full.classifier_action = Decision::kAllow;
    full.classifier_threshold_per_mille = 700;
    full.thresholds["guard"] = 0;
    full.actions["other"] = Decision::kFlag;
    good(check_policy_rule(full));
    const std::string written = json::write(write_policy_rule(full));
    CHECK(written.find(R"("classifier_action":"off")") != std::string::npos);
    const PolicyRule again = good(read_policy_rule(parsed(written)));
    CHECK(json::write(write_policy_rule(again)) == written);
    CHECK(again.input_stop == StopAt::kNever);
    CHECK(again.actions.at("other") == Decision::kFlag);
    const auto is_wrong = [](auto change) {
        PolicyRule bad = rule("bad");
        change(bad);
        return code_of(check_policy_rule(bad)) == ErrorCode::kInvalidArgument;
    };
    CHECK(is_wrong([](PolicyRule& bad) { bad.name.clear(); }));
    CHECK(is_wrong([](PolicyRule& bad) { bad.input = {"guard"}; }));
    CHECK(is_wrong([](PolicyRule& bad) { bad.output = {"a", "library", "b"}; }));
    CHECK(is_wrong([](PolicyRule& bad) { bad.input = {"library", "a", "a"}; }));
    CHECK(is_wrong([](PolicyRule& bad) { bad.classifier_threshold_per_mille = 0; }));
    CHECK(is_wrong([](PolicyRule& bad) { bad.thresholds["guard"] = 1001; }));
    CHECK(code_of(read_policy_rule(parsed(R"({"name":"x"})"))) == ErrorCode::kCorrupt);
    CHECK(code_of(read_policy_rule(parsed("[]"))) == ErrorCode::kCorrupt);
}

TEST_CASE("two policies are compared place by place, and by the order of what is asked") {
    const json::Value before = parsed(
        R"({"words":{"sha256":"1"},"checks":[{"name":"a","t":1},{"name":"b","t":2}],"x":[]})");
    const json::Value after = parsed(
        R"({"words":{"sha256":"2"},"checks":[{"name":"b","t":3},{"name":"a","t":1}],"y":true})");
    std::string all;
    for (const PolicyDifference& each : compare_policies(before, after)) {
        all += each.place + " " + json::write(each.before) + " " + json::write(each.after) + "\n";
    }
    CHECK(all ==
          "/checks/b/t 2 3\n"
          "/words/sha256 \"1\" \"2\"\n"
          "/y null true\n"
          "/checks [\"a\",\"b\"] [\"b\",\"a\"]\n");
    CHECK(compare_policies(before, before).empty());
}

TEST_CASE("[DSP-10] a policy is a version with its parts, and its coming into force is recorded") {
    each_engine([](TestStore& store) {
        House house(store);
        const Buffer words = to_buffer(as_bytes("A1d\tbomb\n"));
        const std::string digest = to_hex(sha256(words));
        const std::vector<PolicyPart> parts{{.sha256 = digest, .bytes = words}};
        const std::string first = R"({"form":1,"words":{"sha256":")" + digest + R"("}})";
        const std::string second = R"({"form":1,"words":null})";
        const PolicyVersion one =
            good(house.policies.put_in_force(first, parts, "root", house.conduct));
        CHECK(one.number == 1);
        CHECK(one.id == Policies::id_of(first));
        CHECK(one.in_force);
        CHECK(one.made_by == "root");
        // Another node of the same configuration: the same version, no second record.
        Policies other = house.node();
        CHECK(good(other.put_in_force(first, parts, "root", house.conduct)).number == 1);
        CHECK(house.operations() == std::vector<std::string>{"review.policy"});
        house.stores.clock.advance(std::chrono::minutes(5));
        CHECK(good(other.put_in_force(second, {}, "wang", house.conduct)).number == 2);
        CHECK_FALSE(good(house.policies.find("1")).in_force);
        house.stores.clock.advance(std::chrono::minutes(5));
        // Back again: a version that was there, in force once more.
        const PolicyVersion back =
            good(house.policies.put_in_force(first, parts, "root", house.conduct));
        CHECK(back.number == 1);
        CHECK(back.in_force);
        CHECK(back.used == house.stores.clock.now());
        CHECK(good(house.policies.uses(1)).size() == 2);
        CHECK(good(house.policies.uses(2)).front().by == "wang");
        CHECK(house.operations().size() == 3);
        const auto all = good(house.policies.list({}, 10));
        REQUIRE(all.size() == 2);
        CHECK(all[0].number == 2);
        CHECK(good(house.policies.list(2, 10)).size() == 1);
        // By every name.
        for (const std::string& name :
             {std::string("1"), one.id, one.digest, one.digest.substr(0, 8)}) {
            CHECK(good(house.policies.find(name)).content == first);
        }
        for (const char* name : {"", "3", "policy-", "policy-zz", "0000000000", "1a"}) {
            CAPTURE(name);
            CHECK(code_of(house.policies.find(name)) == ErrorCode::kNotFound);
        }
        CHECK(good(house.policies.part(digest)) == words);
        good(house.stores.objects->remove("review/policies/" + digest));
        const auto gone = house.policies.part(digest);
        REQUIRE_FALSE(gone.ok());
        CHECK(gone.error().code == ErrorCode::kNotFound);
        CHECK(gone.error().what.find(digest) != std::string::npos);
    });
}

TEST_CASE("[DSP-10] nodes that start at once agree on one version") {
    each_engine([](TestStore& store) {
        House house(store);
        std::vector<std::int64_t> numbers(4);
        std::vector<std::thread> nodes;
        for (std::size_t i = 0; i < numbers.size(); ++i) {
            nodes.emplace_back([&, i] {
                Policies own = house.node();
                numbers[i] =
                    good(own.put_in_force(R"({"form":1})", {}, "root", house.conduct)).number;
            });
        }
        for (std::thread& each : nodes) {
            each.join();
        }
        CHECK(std::ranges::count(numbers, 1) == 4);
        CHECK(good(house.policies.uses(1)).size() == 1);
    });
}

}  // namespace colophon::review
