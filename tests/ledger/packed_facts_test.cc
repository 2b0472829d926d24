// SPDX-License-Identifier: Apache-2.0
// The facts of a record as its row has them: every text comes back as it was, what is damaged is
// refused, and the dictionary stays what it is.

#include "ledger/internal/packed_facts.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "ledger/ledger_stores.h"
#include "ledger/record.h"
#include "ledger/records.h"
#include "storage/engines.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <random>
#include <string>
#include <string_view>

namespace colophon::ledger {
namespace {

using internal::pack_facts;
using internal::unpack_facts;

std::string usual_facts() {
    Facts facts;
    facts.kind = RecordKind::kCall;
    facts.at = parse_time("2026-11-26T08:00:00Z").value();
    for (std::size_t i = 0; i < 16; ++i) {
        facts.id.bytes[i] = static_cast<std::uint8_t>(i * 37 + 1);
        facts.tenant.bytes[i] = static_cast<std::uint8_t>(i * 91 + 7);
    }
    facts.content_id = ContentId{987654321};
    facts.operation = "chat";
    facts.model = "example-model";
    facts.model_version = "example-model-2026";
    facts.label =
        R"({"Label":"1","ContentProducer":"001191000000000000000K10001","ProduceID":"2RAK41XKZ4",)"
        R"("ReservedCode1":"","ContentPropagator":"001191000000000000000K10001",)"
        R"("PropagateID":"2RAK41XKZ4","ReservedCode2":""})";
    facts.policy_version = "policy-04a96f8f6b33/library-8ed515603024";
    facts.detail = R"({"upstream":"bench","service":"dialogue"})";
    return write_facts(facts);
}

// Pieces that repeat, and bytes that do not.
std::string random_text(std::mt19937_64& random) {
    static constexpr std::array<std::string_view, 8> kPieces{"0123456789abcdef0123456789abcdef",
                                                             "fffffffffffffffffffffffffffffff",
                                                             "\",\"model\":\"",
                                                             "aaaaaaaaaaaaaaaa",
                                                             "\",\"ProduceID\\\":\\\"",
                                                             "字",
                                                             "abcd",
                                                             "x"};
    std::string text;
    const std::size_t pieces = random() % 60;
    for (std::size_t i = 0; i < pieces; ++i) {
        if (random() % 3 == 0) {
            for (std::size_t n = random() % 20; n > 0; --n) {
                text += static_cast<char>(random());
            }
        } else if (random() % 4 == 0 && !text.empty()) {
            text += text.substr(random() % text.size(), random() % 300);
        } else {
            text += kPieces[random() % kPieces.size()];
        }
    }
    return text;
}

}  // namespace

TEST_CASE("every text comes back as it was") {
    const std::string usual = usual_facts();
    const Buffer packed = pack_facts(usual);
    CHECK(good(unpack_facts(packed)) == usual);
    MESSAGE(usual.size(), " bytes of facts in ", packed.size());
    CHECK(packed.size() * 2 < usual.size());
    for (const std::size_t size : std::initializer_list<std::size_t>{
             0, 1, 3, 4, 5, 14, 15, 16, 18, 19, 20, 269, 270, 271, 65535, 65536, 200000}) {
        for (const std::string_view unit : {"a", "ab", "0123456789abcdef\xFF"}) {
            std::string text;
            while (text.size() < size) {
                text += unit;
            }
            text.resize(size);
            CHECK(good(unpack_facts(pack_facts(text))) == text);
        }
    }
    std::mt19937_64 random(8);
    for (int round = 0; round < 3000; ++round) {
        const std::string text = random_text(random);
        REQUIRE(good(unpack_facts(pack_facts(text))) == text);
    }
}

TEST_CASE("what is cut off is refused, and what is changed has the length that it says, or none") {
    const std::string usual = usual_facts();
    const Buffer packed = pack_facts(usual);
    for (std::size_t size = 0; size < packed.size(); ++size) {
        CHECK(code_of(unpack_facts(Bytes(packed).first(size))) == ErrorCode::kCorrupt);
    }
    for (std::size_t bit = 0; bit < packed.size() * 8; ++bit) {
        Buffer changed = packed;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const auto text = unpack_facts(changed);
        if (text.ok()) {
            CHECK(text->size() == load_be32(Bytes(changed).subspan(1)));
        }
    }
    Buffer later = packed;
    later.front() = 2;
    CHECK(code_of(unpack_facts(later)) == ErrorCode::kUnsupported);
    // Says that it has four gigabytes.
    const Buffer huge{1, 0xFF, 0xFF, 0xFF, 0xFF, 0x00, 0x01, 0x00};
    CHECK(code_of(unpack_facts(huge)) == ErrorCode::kCorrupt);
}

TEST_CASE("the dictionary is the one that records of before were written with") {
    CHECK(to_hex(sha256(as_bytes(internal::facts_dictionary()))) ==
          "609954b06e19632405945c366258e6711de099cc938f2a3881b3ae7f8175ae3c");
}

TEST_CASE(
    "the longest facts that a record may have are packed, with a byte that JSON makes six of") {
    Facts facts;
    facts.detail = std::string(kRecordTextBytesMax, '\x01');
    facts.operation = std::string(kRecordNameBytesMax, 'x');
    const std::string text = write_facts(facts);
    CHECK(text.size() > 6 * kRecordTextBytesMax);
    CHECK(good(unpack_facts(pack_facts(text))) == text);
}

TEST_CASE("facts of before, which were not packed, are read as they are") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const ServiceRecord record = stores.record();
        good(records.append(record));
        storage::Batch batch;
        batch.operations.push_back(
            {{"UPDATE records SET facts = $2, facts_packed = NULL WHERE id = $1"},
             {storage::bytes(record.facts.id.bytes), storage::text(write_facts(record.facts))},
             storage::Affects::kOne});
        good(store->apply(std::move(batch)));
        CHECK(good(records.find(record.facts.id)) == record.facts);
        CHECK(good(records.disclose(record.facts.id)).facts == write_facts(record.facts));
        CHECK(good(records.open(record.facts.id)) == record.personal);
    });
}

}  // namespace colophon::ledger
