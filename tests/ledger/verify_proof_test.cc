// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/leaf.h"
#include "ledger/log_fixture.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/proof_file.h"
#include "ledger/sample_log.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/internal/hash.h"
#include "ledger/verify/proof.h"
#include "ledger/witness.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using test::SampleLog;
using verify::ProofReport;

ProofReport check(const std::string& file, std::optional<Bytes> entry = std::nullopt) {
    return verify::check_proof(file, entry, test::log_keys());
}

Buffer leaf_entry(std::uint64_t i) {
    return encode_leaf(test::make_leaf(i).leaf).value();
}

TEST_CASE("the checker's walk along a proof agrees with the writer's on all sizes up to 300") {
    const test::MemoryTree tree(test::numbered_leaves(300));
    for (std::uint64_t size = 1; size <= 300; ++size) {
        const Hash root = test::defined_root(tree.leaves(), 0, size);
        for (std::uint64_t index = 0; index < size; ++index) {
            Hashes proof = inclusion_proof(index, size, tree.reader()).value();
            Hash made{};
            REQUIRE(
                verify::internal::root_of_proof(tree.leaves()[index], index, size, proof, made));
            REQUIRE(made == root);
            proof.push_back(root);
            REQUIRE_FALSE(
                verify::internal::root_of_proof(tree.leaves()[index], index, size, proof, made));
        }
    }
    Hash made{};
    CHECK_FALSE(verify::internal::root_of_proof(made, 5, 5, {}, made));
    CHECK_FALSE(verify::internal::root_of_proof(made, 0, 0, {}, made));
}

TEST_CASE("evidence is good alone, and shows the entry and the values that it opens") {
    SampleLog log;
    log.grow(300, leaf_entry);
    const auto openings = test::make_leaf(123).openings;
    const std::string file = format_evidence(log.evidence(123, openings));
    CHECK(verify::kind_of(file) == verify::FileKind::kEvidence);
    const ProofReport report = check(file);
    REQUIRE(report.good);
    CHECK(report.index == 123);
    CHECK(report.checkpoint.size == 300);
    CHECK(report.entry == log.entries[123]);
    REQUIRE(report.leaf);
    CHECK(report.leaf->type == "call");
    CHECK(report.leaf->object == "content-123");
    CHECK(report.leaf->milliseconds == 1'764'000'000'123);
    REQUIRE(report.opened.size() == 2);
    CHECK(report.opened[1].field == "subject");
    CHECK(as_text(report.opened[1].value) == "subject 123");
    CHECK(check(file, log.entries[123]).good);
    CHECK(check(file, log.entries[124]).findings[0].code == "ledger.entry");
    // Nothing opened: still evidence that the entry was logged.
    CHECK(check(format_evidence(log.evidence(123))).good);
}

TEST_CASE("a proof file is good beside its entry and beside no other") {
    SampleLog log;
    log.grow(300);
    const std::string file = format_proof(log.evidence(7).proof);
    CHECK(verify::kind_of(file) == verify::FileKind::kProof);
    CHECK(check(file, log.entries[7]).good);
    CHECK(check(file, log.entries[8]).findings[0].code == "ledger.proof");
    CHECK(check(file).findings[0].code == "ledger.entry");
    CHECK(verify::check_proof(file, Bytes(log.entries[7]), test::log_keys(2)).findings[0].code ==
          "ledger.signature");
}

TEST_CASE("the checkpoint of another log, of before the entry, or of a smaller log does not do") {
    SampleLog log;
    const std::string before = log.grow(100);
    log.grow(200);
    SampleLog other;
    const std::string elsewhere =
        other.grow(300, [](std::uint64_t i) { return to_buffer("x" + std::to_string(i)); });
    Evidence evidence = log.evidence(150);
    REQUIRE(check(format_evidence(evidence)).good);
    evidence.proof.checkpoint = elsewhere;
    CHECK(check(format_evidence(evidence))
              .findings[0]
              .what.starts_with("the proof does not lead from this entry"));
    evidence.proof.checkpoint = before;
    CHECK(check(format_evidence(evidence)).findings[0].what ==
          "entry 150 cannot be in a log of 100 entries");
    evidence = log.evidence(150);
    evidence.proof.index = 300;
    CHECK_FALSE(check(format_evidence(evidence)).good);
    evidence.proof.index = 151;
    CHECK_FALSE(check(format_evidence(evidence)).good);
    evidence.proof.index = 150;
    evidence.proof.proof.pop_back();
    CHECK_FALSE(check(format_evidence(evidence)).good);
}

TEST_CASE("a value is opened by its own salt, in its own field, of its own entry") {
    SampleLog log;
    log.grow(20, leaf_entry);
    const auto good = test::make_leaf(5).openings;
    const auto refused = [&](std::vector<Opening> openings) {
        const ProofReport report = check(format_evidence(log.evidence(5, std::move(openings))));
        return !report.good && report.findings[0].code == "ledger.opening";
    };
    CHECK_FALSE(refused(good));
    auto wrong = good;
    wrong[0].salt[0] ^= 0x01U;
    CHECK(refused(wrong));
    wrong = good;
    std::swap(wrong[0].field, wrong[1].field);
    CHECK(refused(wrong));
    wrong = good;
    wrong[1].value.pop_back();
    CHECK(refused(wrong));
    wrong = good;
    wrong[0].field = "other";
    CHECK(refused(wrong));
    CHECK(refused(test::make_leaf(6).openings));
    // An entry that is no leaf commits to nothing.
    SampleLog plain;
    plain.grow(3);
    CHECK(check(format_evidence(plain.evidence(1, good))).findings[0].code == "ledger.opening");
}

TEST_CASE("the same value committed twice looks different each time") {
    SeededRandom random(5);
    const Buffer value = to_buffer("13800138000");
    CHECK(commit(make_salt(random).value(), "phone", value) !=
          commit(make_salt(random).value(), "phone", value));
}

TEST_CASE("every bit of an evidence file counts") {
    SampleLog log;
    log.grow(70, leaf_entry);
    const std::string file = format_evidence(log.evidence(33, test::make_leaf(33).openings));
    for (std::size_t bit = 0; bit < file.size() * 8; ++bit) {
        std::string wrong = file;
        wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ static_cast<char>(1U << (bit % 8)));
        const ProofReport report = check(wrong);
        REQUIRE_FALSE(report.good);
        REQUIRE(report.findings.size() == 1);
    }
    MESSAGE(file.size() * 8, " flips, all found");
}

TEST_CASE("a file cut anywhere is bad and says at which line") {
    SampleLog log;
    log.grow(70, leaf_entry);
    const std::string file = format_evidence(log.evidence(33, test::make_leaf(33).openings));
    for (std::size_t size = 0; size < file.size(); ++size) {
        const ProofReport report = check(file.substr(0, size));
        REQUIRE_FALSE(report.good);
        REQUIRE(report.findings[0].where.find("line ") != std::string::npos);
    }
}

TEST_CASE("cosignatures of known witnesses are counted, wrong ones refuse the checkpoint") {
    SampleLog log;
    const std::string checkpoint = log.grow(5);
    SeededRandom random(9);
    const NoteSigner witness =
        NoteSigner::generate("witness.example", SignatureType::kCosignature, random).value();
    const std::string text = checkpoint.substr(0, checkpoint.find("\n\n") + 1);
    const std::array cosignatures{witness.sign(text, 1764000000).value()};
    const std::string cosigned = add_signatures(checkpoint, cosignatures).value();
    std::vector<verify::Key> keys = test::log_keys();
    CHECK(verify::check_checkpoint(cosigned, keys).checkpoint.cosigners.empty());
    keys.push_back(verify::read_key(witness.verifier().vkey()).value());
    const auto report = verify::check_checkpoint(cosigned, keys);
    REQUIRE(report.good);
    REQUIRE(report.checkpoint.cosigners.size() == 1);
    CHECK(report.checkpoint.cosigners[0].seconds == 1764000000);
    // A witness alone is no log.
    const std::vector<verify::Key> only{keys[1]};
    CHECK(verify::check_checkpoint(cosigned, only).findings[0].code == "ledger.signature");
    auto forged = cosignatures;
    forged[0].bytes[20] ^= 0x01U;
    CHECK(verify::check_checkpoint(add_signatures(checkpoint, forged).value(), keys)
              .findings[0]
              .what.starts_with("the signature of witness.example is wrong"));
}

}  // namespace
}  // namespace colophon::ledger
