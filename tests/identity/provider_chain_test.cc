// SPDX-License-Identifier: Apache-2.0
#include "identity/provider_chain.h"

#include "core/clock.h"
#include "core/random.h"
#include "http/client.h"
#include "identity/provider.h"
#include "identity/provider_template.h"
#include "identity/verification.h"
#include "support/http_peer.h"

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

using test::answer;
using test::HttpPeer;
using test::PeerAnswer;
using test::PeerEnd;

ProviderTemplate description(const std::string& name, const HttpPeer& peer,
                             const std::string& means = "resident_id") {
    const std::string text = "name = \"" + name + "\"\nmeans = [\"" + means +
                             "\"]\nassurance = \"name and number\"\n[request]\nmethod = \"POST\"\n"
                             "url = \"" +
                             peer.url("/v") +
                             "\"\ntimeout_ms = 700\nretries = 0\n[request.json]\n"
                             "id = \"{idempotency_key}\"\n[answer]\noutcome = \"result\"\n"
                             "[answer.outcomes]\n1 = \"match\"\n2 = \"mismatch\"\n"
                             "3 = \"provider_busy\"\n";
    const SecretSource none = [](std::string_view) -> Result<std::string> {
        return Error{ErrorCode::kNotFound, "none"};
    };
    return parse_provider_template(text, none).value();
}

// Two real peers with an answer each.
struct Pair {
    HttpPeer first;
    HttpPeer second;
    SystemClock clock;
    SystemRandom random;

    Pair(PeerAnswer one, PeerAnswer two)
        : first([one](const auto&) { return one; }), second([two](const auto&) { return two; }) {}

    VerificationAnswer ask(AfterDoubt after_doubt,
                           const std::string& means_of_first = "resident_id",
                           std::chrono::milliseconds total = std::chrono::seconds(10)) {
        std::vector<std::unique_ptr<Provider>> providers;
        providers.push_back(std::make_unique<Provider>(description("first", first, means_of_first),
                                                       http::make_client_exchange().value(), clock,
                                                       random));
        providers.push_back(std::make_unique<Provider>(
            description("second", second), http::make_client_exchange().value(), clock, random));
        ProviderChain chain(std::move(providers), after_doubt, clock);
        CHECK(chain.verifies(Means::kResidentId));
        CHECK(chain.verifies(Means::kCreditCode) == (means_of_first == "credit_code"));
        VerificationRequest request;
        request.means = Means::kResidentId;
        request.idempotency_key = "k1";
        request.total_max = total;
        return chain.verify(request);
    }
    std::size_t asked() const { return first.requests().size() * 10 + second.requests().size(); }
};

const PeerAnswer kMatches = answer(200, R"({"result":"1"})");
const PeerAnswer kDiffers = answer(200, R"({"result":"2"})");
const PeerAnswer kBusy = answer(200, R"({"result":"3"})");
const PeerAnswer kNonsense = answer(200, "<html>");
const PeerAnswer kHangs{.bytes = "HTTP/1.1 200 OK\r\n", .end = PeerEnd::kHang};

}  // namespace

// [DSP-9]
TEST_CASE("the first provider that judges decides, and no other is asked") {
    Pair match(kMatches, kDiffers);
    const VerificationAnswer yes = match.ask(AfterDoubt::kGoOn);
    CHECK(yes.outcome == Outcome::kMatch);
    CHECK(yes.provider == "first");
    CHECK(yes.earlier.empty());
    CHECK(match.asked() == 10);
    Pair differ(kDiffers, kMatches);
    CHECK(differ.ask(AfterDoubt::kGoOn).outcome == Outcome::kMismatch);
    CHECK(differ.asked() == 10);
}

TEST_CASE("after a busy provider the next is asked, and the answer says who was asked before") {
    Pair pair(kBusy, kMatches);
    const VerificationAnswer done = pair.ask(AfterDoubt::kStop);
    CHECK(done.outcome == Outcome::kMatch);
    CHECK(done.provider == "second");
    REQUIRE(done.earlier.size() == 1);
    CHECK(done.earlier[0].provider == "first");
    CHECK(done.earlier[0].outcome == Outcome::kProviderBusy);
    CHECK_FALSE(done.earlier[0].billable);
    CHECK(pair.asked() == 11);
}

TEST_CASE("after a doubt nobody pays twice unless it was said, and no doubt is a pass") {
    for (const PeerAnswer& doubt : {kNonsense, kHangs}) {
        Pair stops(doubt, kMatches);
        const VerificationAnswer stopped = stops.ask(AfterDoubt::kStop);
        CHECK((stopped.outcome == Outcome::kTimeout || stopped.outcome == Outcome::kProviderError));
        CHECK(stops.asked() == 10);
        Pair goes_on(doubt, kMatches);
        const VerificationAnswer done = goes_on.ask(AfterDoubt::kGoOn);
        CHECK(done.outcome == Outcome::kMatch);
        CHECK(done.earlier.size() == 1);
        Pair both(doubt, doubt);
        CHECK_FALSE(is_judgement(both.ask(AfterDoubt::kGoOn).outcome));
    }
}

TEST_CASE("providers of other means are passed by, and the whole chain has one deadline") {
    Pair others(kMatches, kMatches);
    CHECK(others.ask(AfterDoubt::kStop, "credit_code").provider == "second");
    CHECK(others.asked() == 1);
    Pair slow(kHangs, kMatches);
    const auto start = std::chrono::steady_clock::now();
    const VerificationAnswer late =
        slow.ask(AfterDoubt::kGoOn, "resident_id", std::chrono::milliseconds(300));
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
    CHECK(late.outcome == Outcome::kTimeout);
    CHECK(late.provider == "first");
}

}  // namespace colophon::identity
