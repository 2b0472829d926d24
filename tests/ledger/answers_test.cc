// SPDX-License-Identifier: Apache-2.0
#include "ledger/answers.h"

#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "ledger/ledger_stores.h"
#include "storage/sealer.h"
#include "storage/sealing.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

namespace colophon::ledger {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::hours kDay{24};

struct Data {
    explicit Data(TestStore& store)
        : stores(store),
          sealer(*stores.keys, storage::Suite::kAes256Gcm, stores.random),
          answers(
              {.store = *store, .sealer = sealer, .clock = stores.clock, .random = stores.random},
              Digest256{7}) {}
    Claimed claim(std::string_view key, std::uint8_t request = 1) {
        return good(answers.claim(stores.tenant, key, Digest256{request}, kDay));
    }
    KeptAnswer answer() const {
        return {.status = 201,
                .headers = {{"content-type", "text/plain"}, {"x", "é"}},
                .body = std::string("a\0b\xFF", 4),
                .too_large = false,
                .record = RecordId{{9}},
                .subject = stores.subject};
    }

    LedgerStores stores;
    storage::Sealer sealer;
    KeptAnswers answers;
};

}  // namespace

TEST_CASE("a call is served once, and its answer given again byte for byte") {
    each_engine([](TestStore& store) {
        Data data(store);
        const Claimed first = data.claim("key");
        REQUIRE(first.outcome == ClaimOutcome::kOurs);
        CHECK(data.claim("key").outcome == ClaimOutcome::kBusy);
        CHECK(data.claim("key", 2).outcome == ClaimOutcome::kOther);
        CHECK(data.claim("other").outcome == ClaimOutcome::kOurs);
        const TenantId stranger{{1, 2}};
        CHECK(good(data.answers.claim(stranger, "key", Digest256{1}, kDay)).outcome ==
              ClaimOutcome::kOurs);
        good(data.answers.keep(first.claim, data.stores.tenant, data.answer()));
        const Claimed again = data.claim("key");
        REQUIRE(again.outcome == ClaimOutcome::kAnswered);
        CHECK(again.answer.status == 201);
        CHECK(again.answer.headers == data.answer().headers);
        CHECK(again.answer.body == data.answer().body);
        CHECK(again.answer.record == data.answer().record);
        CHECK(again.answer.subject == data.stores.subject);
        CHECK(data.claim("key", 2).outcome == ClaimOutcome::kOther);
        // It ends with its time, and the key is as new.
        data.stores.clock.advance(kDay + 1ms);
        CHECK(data.claim("key", 2).outcome == ClaimOutcome::kOurs);
    });
}

TEST_CASE("a key is free again when the call failed, or when its node is not heard of any more") {
    each_engine([](TestStore& store) {
        Data data(store);
        const Claimed failed = data.claim("key");
        good(data.answers.release(failed.claim));
        const Claimed dead = data.claim("key");
        REQUIRE(dead.outcome == ClaimOutcome::kOurs);
        data.stores.clock.advance(kClaimTime - 1ms);
        CHECK(data.claim("key").outcome == ClaimOutcome::kBusy);
        good(data.answers.renew(dead.claim));
        data.stores.clock.advance(kClaimTime - 1ms);
        CHECK(data.claim("key").outcome == ClaimOutcome::kBusy);
        data.stores.clock.advance(1ms);
        const Claimed next = data.claim("key");
        REQUIRE(next.outcome == ClaimOutcome::kOurs);
        // Who lost it keeps nothing, and lets nothing go.
        CHECK(code_of(data.answers.keep(dead.claim, data.stores.tenant, data.answer())) ==
              ErrorCode::kConflict);
        good(data.answers.release(dead.claim));
        CHECK(data.claim("key").outcome == ClaimOutcome::kBusy);
        good(data.answers.keep(next.claim, data.stores.tenant, data.answer()));
        good(data.answers.release(next.claim));
        CHECK(data.claim("key").outcome == ClaimOutcome::kAnswered);
    });
}

}  // namespace colophon::ledger
