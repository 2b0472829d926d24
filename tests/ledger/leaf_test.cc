// SPDX-License-Identifier: Apache-2.0
#include "ledger/leaf.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/result.h"
#include "ledger/sample_log.h"
#include "ledger/verify/proof.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

Leaf small() {
    Leaf leaf;
    leaf.type = "call";
    leaf.time = Time(std::chrono::milliseconds(1));
    leaf.actor.fill(0xAA);
    leaf.object = "X";
    leaf.policy_version = "7";
    leaf.commitments.push_back({.field = "ip", .digest = {}});
    leaf.nonce.fill(0xBB);
    return leaf;
}

TEST_CASE("the bytes of a leaf are those of its page") {
    CHECK(to_hex(encode_leaf(small()).value()) ==
          "01"
          "0463616c6c"
          "0000000000000001"
          "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
          "0158"
          "0137"
          "01"
          "026970"
          "0000000000000000000000000000000000000000000000000000000000000000"
          "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb");
}

TEST_CASE("leaves come back, and the checker reads the same in them") {
    for (std::uint64_t i = 0; i < 50; ++i) {
        const Leaf leaf = test::make_leaf(i).leaf;
        const Buffer bytes = encode_leaf(leaf).value();
        const auto back = parse_leaf(bytes);
        REQUIRE(back.ok());
        CHECK(encode_leaf(*back).value() == bytes);
        CHECK(back->commitments.size() == leaf.commitments.size());
        const auto reading = verify::read_leaf(bytes);
        REQUIRE(reading);
        CHECK(reading->type == leaf.type);
        CHECK(reading->object == leaf.object);
        CHECK(reading->commitments[1].digest == leaf.commitments[1].digest);
    }
}

TEST_CASE("a leaf that is cut, longer or has another form is refused by both readers") {
    const Buffer good = encode_leaf(small()).value();
    for (std::size_t size = 0; size < good.size(); ++size) {
        CHECK_FALSE(parse_leaf(Bytes(good).first(size)).ok());
        CHECK_FALSE(verify::read_leaf(Bytes(good).first(size)));
    }
    Buffer longer = good;
    longer.push_back(0);
    CHECK(parse_leaf(longer).error().code == ErrorCode::kCorrupt);
    CHECK_FALSE(verify::read_leaf(longer));
    Buffer version = good;
    version[0] = 2;
    CHECK(parse_leaf(version).error().code == ErrorCode::kUnsupported);
    Buffer upper = good;
    upper[2] = 'C';
    CHECK(parse_leaf(upper).error().code == ErrorCode::kCorrupt);
    Buffer before_1970 = good;
    before_1970[6] = 0x80;
    CHECK(parse_leaf(before_1970).error().code == ErrorCode::kCorrupt);
    CHECK_FALSE(verify::read_leaf(before_1970));
}

TEST_CASE("a leaf that breaks a rule is not written") {
    const std::vector<std::pair<std::string_view, void (*)(Leaf&)>> rows{
        {"no type", [](Leaf& leaf) { leaf.type.clear(); }},
        {"upper case", [](Leaf& leaf) { leaf.type = "Call"; }},
        {"long type", [](Leaf& leaf) { leaf.type.assign(65, 'a'); }},
        {"before 1970", [](Leaf& leaf) { leaf.time = Time(std::chrono::milliseconds(-1)); }},
        {"a space", [](Leaf& leaf) { leaf.object = "a b"; }},
        {"not ASCII", [](Leaf& leaf) { leaf.object = "日"; }},
        {"long object", [](Leaf& leaf) { leaf.object.assign(65, 'x'); }},
        {"line feed", [](Leaf& leaf) { leaf.policy_version = "7\n"; }},
        {"twice", [](Leaf& leaf) { leaf.commitments.push_back(leaf.commitments[0]); }},
        {"order", [](Leaf& leaf) { leaf.commitments.push_back({.field = "aa", .digest = {}}); }},
        {"no field", [](Leaf& leaf) { leaf.commitments[0].field.clear(); }},
        {"too many",
         [](Leaf& leaf) {
             leaf.commitments.clear();
             for (int i = 0; i < 65; ++i) {
                 leaf.commitments.push_back({.field = "f" + std::to_string(100 + i), .digest = {}});
             }
         }},
    };
    for (const auto& [why, change] : rows) {
        CAPTURE(why);
        Leaf leaf = small();
        change(leaf);
        CHECK(encode_leaf(leaf).error().code == ErrorCode::kInvalidArgument);
    }
    Leaf most = small();
    most.commitments.clear();
    for (int i = 0; i < 64; ++i) {
        most.commitments.push_back({.field = "f" + std::to_string(100 + i), .digest = {}});
    }
    CHECK(parse_leaf(encode_leaf(most).value()).ok());
}

TEST_CASE("a commitment is HMAC-SHA256 as its page has it, and opens only by its value") {
    Salt salt{};
    for (std::size_t i = 0; i < salt.size(); ++i) {
        salt[i] = static_cast<std::uint8_t>(i);
    }
    // As openssl dgst -mac HMAC says, under the key 00 01 ... 1f.
    CHECK(to_hex(commit(salt, "phone", as_bytes("13800138000"))) ==
          "5e29ff4df6f098587564bda993a69b33f0094403c30c02165b55f20799c4ee13");
    Leaf leaf = small();
    leaf.commitments[0] = {.field = "phone", .digest = commit(salt, "phone", as_bytes("1"))};
    CHECK(opens(leaf, {.field = "phone", .salt = salt, .value = to_buffer("1")}));
    CHECK_FALSE(opens(leaf, {.field = "phone", .salt = salt, .value = to_buffer("2")}));
    CHECK_FALSE(opens(leaf, {.field = "ip", .salt = salt, .value = to_buffer("1")}));
    // The field is part of what is committed to: no value moves into another field.
    CHECK(commit(salt, "a", as_bytes("bc")) != commit(salt, "ab", as_bytes("c")));
}

}  // namespace
}  // namespace colophon::ledger
