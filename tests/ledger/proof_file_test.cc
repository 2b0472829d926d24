// SPDX-License-Identifier: Apache-2.0
#include "ledger/proof_file.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/result.h"
#include "ledger/merkle.h"
#include "ledger/sample_log.h"

#include <doctest/doctest.h>

#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

const std::string kHash = to_base64(empty_root());

TEST_CASE("proof files and evidence come back as they were") {
    test::SampleLog log;
    log.grow(300, [](std::uint64_t i) { return encode_leaf(test::make_leaf(i).leaf).value(); });
    Evidence evidence = log.evidence(200, test::make_leaf(200).openings);
    const std::string text = format_evidence(evidence);
    const auto back = parse_evidence(text);
    REQUIRE(back.ok());
    CHECK(format_evidence(*back) == text);
    CHECK(back->openings.size() == 2);
    evidence.proof.extra = to_buffer("more");
    const std::string proof = format_proof(evidence.proof);
    CHECK(proof.starts_with("c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 200\n"));
    CHECK(format_proof(parse_proof(proof).value()) == proof);
    // A log of one entry has proofs without hashes.
    const std::string one = "c2sp.org/tlog-proof@v1\nindex 0\n\nnote";
    CHECK(format_proof(parse_proof(one).value()) == one);
}

TEST_CASE("a proof file that breaks the grammar is refused, and the message names the line") {
    const std::string first = "c2sp.org/tlog-proof@v1\n";
    struct Row {
        std::string text;
        std::string_view what;
    };
    const std::vector<Row> rows{
        {"", "line 1 is missing"},
        {"c2sp.org/tlog-proof@v1", "line 1 is missing"},
        {"c2sp.org/tlog-proof@v2\nindex 0\n\nx", "line 1"},
        {first + "index 0\n", "line 3 is missing"},
        {first + "index 0\n\n", "no checkpoint"},
        {first + "index 00\n\nx", "line 2"},
        {first + "index -1\n\nx", "line 2"},
        {first + "index 99999999999999999999\n\nx", "line 2"},
        {first + "Index 0\n\nx", "line 2"},
        {first + "extra \nindex 0\n\nx", "line 2"},
        {first + "extra %%%%\nindex 0\n\nx", "line 2"},
        {first + "index 0\n" + kHash + "\n" + kHash.substr(4) + "\n\nx", "line 4"},
        {first + "index 0\n\r\n\nx", "line 3"},
    };
    for (const Row& row : rows) {
        CAPTURE(row.text);
        const auto proof = parse_proof(row.text);
        REQUIRE_FALSE(proof.ok());
        CHECK(proof.error().code == ErrorCode::kCorrupt);
        CHECK_MESSAGE(proof.error().what.find(row.what) != std::string::npos, proof.error().what);
    }
    std::string many = first + "index 0\n";
    for (int i = 0; i < 65; ++i) {
        many += kHash + "\n";
    }
    CHECK(parse_proof(many + "\nx").error().code == ErrorCode::kLimit);
    CHECK(parse_proof(std::string((2U << 20U) + 1, 'x')).error().code == ErrorCode::kLimit);
}

TEST_CASE("evidence that breaks the grammar is refused") {
    const std::string first = "colophon/ledger-evidence@v1\n";
    const std::string proof = "\nc2sp.org/tlog-proof@v1\nindex 0\n\nx";
    CHECK(parse_evidence(first + "entry AAAA\n" + proof).ok());
    CHECK(parse_evidence(first + "entry \n" + proof).ok());
    CHECK(parse_evidence(first + "entry AAAA\nopen a " + kHash + " \n" + proof)->openings.size() ==
          1);
    for (const std::string& text :
         {first, first + "entry AAA\n" + proof, first + "entri AAAA\n" + proof,
          first + "entry AAAA\nopen a " + kHash + "\n" + proof,
          first + "entry AAAA\nopen A " + kHash + " AAAA\n" + proof,
          first + "entry AAAA\nopen a AAAA AAAA\n" + proof,
          first + "entry AAAA\nopen a " + kHash + " AAA\n" + proof,
          first + "entry AAAA\nshut a\n" + proof, first + "entry AAAA\n\n" + proof,
          first + "entry " + to_base64(Buffer(65536, 0)) + "\n" + proof}) {
        CAPTURE(text.substr(0, 100));
        CHECK_FALSE(parse_evidence(text).ok());
    }
}

}  // namespace
}  // namespace colophon::ledger
