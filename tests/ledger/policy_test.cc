// SPDX-License-Identifier: Apache-2.0
#include "ledger/policy.h"

#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/note.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

std::string vkey(const std::string& name, SignatureType type, std::uint64_t seed) {
    SeededRandom random(seed);
    return NoteSigner::generate(name, type, random).value().verifier().vkey();
}
std::string log_key(std::uint64_t seed = 1) {
    return vkey("log.example", SignatureType::kEd25519, seed);
}
std::string witness_key(const std::string& name, std::uint64_t seed) {
    return vkey(name, SignatureType::kCosignature, seed);
}

// The example of the specification: two of X1 X2 X3, and one of Y1 Y2 Y3.
std::string example() {
    std::string text = "# two organisations\nlog " + log_key() + " https://log.example/\n\n";
    std::uint64_t seed = 10;
    for (const std::string group : {"X", "Y"}) {
        for (const std::string number : {"1", "2", "3"}) {
            const std::string name = group + number;
            text += "witness " + name + " \t" + witness_key("w-" + name, seed++) + "\n";
        }
    }
    return text +
           "group X-witnesses 2 X1 X2 X3\n  group Y-witnesses any Y1 Y2 Y3\n"
           "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n";
}

bool quorum(const Policy& policy, const std::set<std::string>& signers) {
    return policy.quorum(
        [&](const NoteVerifier& key) { return signers.contains(key.name().substr(2)); });
}

TEST_CASE("the example of the specification asks for two and one") {
    const auto policy = Policy::parse(example());
    REQUIRE(policy.ok());
    CHECK(policy->logs().size() == 1);
    CHECK(policy->logs()[0].url == "https://log.example/");
    CHECK(policy->witnesses().size() == 6);
    CHECK(quorum(*policy, {"X1", "X3", "Y2"}));
    CHECK(quorum(*policy, {"X1", "X2", "X3", "Y1", "Y2", "Y3"}));
    CHECK_FALSE(quorum(*policy, {"X1", "Y1", "Y2", "Y3"}));
    CHECK_FALSE(quorum(*policy, {"X1", "X2", "X3"}));
    CHECK_FALSE(quorum(*policy, {}));
}

TEST_CASE("no quorum asks for nobody, one witness for that one") {
    CHECK(quorum(Policy::parse("quorum none\n").value(), {}));
    const std::string one = "witness W " + witness_key("w-W", 3) + "\nquorum W\n";
    CHECK(quorum(Policy::parse(one).value(), {"W"}));
    CHECK_FALSE(quorum(Policy::parse(one).value(), {"V"}));
}

TEST_CASE("thirty-two and more logs, witnesses and groups are read") {
    std::string text;
    std::string all;
    for (std::uint64_t i = 0; i < 100; ++i) {
        const std::string number = std::to_string(i);
        text += "log " + log_key(1000 + i) + "\n";
        text += "witness W" + number + " " + witness_key("w-W" + number, 2000 + i) + "\n";
        text += "group G" + number + " 1 W" + number + "\n";
        all += " G" + number;
    }
    const auto policy =
        Policy::parse(text + "group all-of-them 100" + all + "\nquorum all-of-them\n");
    REQUIRE(policy.ok());
    CHECK(policy->logs().size() == 100);
}

TEST_CASE("a policy that breaks a rule is refused, and the message names the line") {
    const std::string w1 = "witness A " + witness_key("a", 1) + "\n";
    const std::string w2 = "witness B " + witness_key("b", 2) + "\n";
    struct Row {
        std::string text;
        std::string_view what;
    };
    const std::vector<Row> rows{
        {"", "there is no quorum line"},
        {w1, "there is no quorum line"},
        {"quorum none", "line 1: the last line does not end"},
        {"quorum none\nquorum none\n", "line 2: a second quorum line"},
        {"quorum A\n" + w1, "line 1: A is not defined above"},
        {"quorum\n", "line 1: a quorum is written"},
        {"quorum none x\n", "line 1: a quorum is written"},
        {"quorum none\r\n", "line 1: a control character"},
        {"witnes A\n", "line 1: starts with neither"},
        {"log\n", "line 1: a log is written"},
        {"log nokey\n", "line 1: a key is written"},
        {"log " + witness_key("a", 1) + "\n", "line 1: the key of a log has the type 0x01"},
        {"witness A " + log_key() + "\n", "line 1: the key of a witness has the type 0x04"},
        {"log " + log_key() + "\nlog " + log_key() + "\n", "line 2: this log stands here twice"},
        {w1 + "witness C " + witness_key("c", 1) + "\n",
         "line 2: the key of this witness stands here twice"},
        {w1 + "witness A " + witness_key("b", 2) + "\n", "line 2: the name A is taken"},
        {"witness none " + witness_key("b", 2) + "\n", "line 1: the name none is taken"},
        {w1 + "group G any\n", "line 2: a group is written"},
        {w1 + "group G any A A\n", "line 2: A is a member of a group already"},
        {w1 + w2 + "group G any A\ngroup H any A B\n", "line 4: A is a member"},
        {w1 + "group G any G\n", "line 2: G is not defined above"},
        {w1 + "group G any none\n", "line 2: none is not defined above"},
        {w1 + "group G 2 A\n", "line 2: 2 of 1 members can never sign"},
        {w1 + "group G 0 A\n", "line 2: a threshold is any, all or a number"},
        {w1 + "group G 01 A\n", "line 2: a threshold is any, all or a number"},
        {w1 + "group G -1 A\n", "line 2: a threshold is any, all or a number"},
        {w1 + "group G most A\n", "line 2: a threshold is any, all or a number"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto policy = Policy::parse(row.text);
        REQUIRE_FALSE(policy.ok());
        CHECK(policy.error().code == ErrorCode::kCorrupt);
        CHECK_MESSAGE(policy.error().what.find(row.what) != std::string::npos, policy.error().what);
    }
    CHECK(Policy::parse(std::string((256U << 10U) + 1, '\n')).error().code == ErrorCode::kLimit);
}

}  // namespace
}  // namespace colophon::ledger
