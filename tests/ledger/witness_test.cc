// SPDX-License-Identifier: Apache-2.0
#include "ledger/witness.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/checkpoint.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

#include <doctest/doctest.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::uint64_t kSeconds = 1'764'000'000;
const Time kNow{std::chrono::seconds(kSeconds)};
constexpr std::string_view kText = "log.example\n5\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";

NoteSigner witness(std::uint64_t seed) {
    SeededRandom random(seed);
    return NoteSigner::generate("witness.example/" + std::to_string(seed),
                                SignatureType::kCosignature, random)
        .value();
}

std::string line(const NoteSigner& signer, std::uint64_t seconds = kSeconds) {
    return format_signature_line(signer.sign(kText, seconds).value());
}

TEST_CASE("the request has the lines of the specification") {
    const Hashes proof{empty_root(), leaf_hash({})};
    CHECK(format_add_checkpoint(3, proof, "note\n").value() ==
          "old 3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n"
          "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\n\nnote\n");
    CHECK(format_add_checkpoint(0, {}, "note\n").value() == "old 0\n\nnote\n");
    CHECK_FALSE(format_add_checkpoint(0, proof, "note\n").ok());
    CHECK_FALSE(format_add_checkpoint(3, Hashes(64), "note\n").ok());
}

TEST_CASE("cosignatures by known keys are taken, by unknown ones left, and can be added") {
    const std::array known{witness(1).verifier(), witness(2).verifier()};
    const WitnessAnswer answer = read_witness_answer(
        200, line(witness(1)) + line(witness(3)) + line(witness(2)), kText, known, kNow);
    REQUIRE(answer.verdict == WitnessVerdict::kCosigned);
    CHECK(answer.cosignatures.size() == 2);
    SeededRandom random(7);
    const std::array signers{
        NoteSigner::generate("log.example", SignatureType::kEd25519, random).value()};
    const std::string checkpoint =
        sign_checkpoint(parse_checkpoint(kText).value(), signers).value();
    const std::string more = add_signatures(checkpoint, answer.cosignatures).value();
    CHECK(parse_note(more)->signatures.size() == 3);
    CHECK(add_signatures(more, answer.cosignatures).value() == more);
}

TEST_CASE("what the statuses of the protocol mean") {
    const std::array known{witness(1).verifier()};
    const auto ask = [&](int status, const std::string& body) {
        return read_witness_answer(status, body, kText, known, kNow);
    };
    const WitnessAnswer stale = ask(409, "12\n");
    CHECK(stale.verdict == WitnessVerdict::kStale);
    CHECK(stale.size == 12);
    for (const std::string_view body :
         {"", "12", "012\n", "-1\n", "1 \n", "99999999999999999999\n"}) {
        CHECK(ask(409, std::string(body)).verdict == WitnessVerdict::kRefused);
    }
    for (const int status : {400, 403, 404, 422, 500, 301, 0}) {
        const WitnessAnswer refused = ask(status, "<html>secret</html>");
        CHECK(refused.verdict == WitnessVerdict::kRefused);
        CHECK(refused.why.find("status " + std::to_string(status)) == 0);
        CHECK(refused.why.find("secret") == std::string::npos);
    }
}

TEST_CASE("an answer of 200 that is no good cosignature is refused") {
    const std::array known{witness(1).verifier()};
    const auto why = [&](const std::string& body) {
        const WitnessAnswer answer = read_witness_answer(200, body, kText, known, kNow);
        CHECK(answer.verdict == WitnessVerdict::kRefused);
        CHECK(answer.cosignatures.empty());
        return answer.why;
    };
    CHECK(why("") == "no cosignature by a known key");
    CHECK(why(line(witness(3))) == "no cosignature by a known key");
    CHECK(why("hello\n") == "the answer is not made of signature lines");
    std::string open_end = line(witness(1));
    open_end.pop_back();
    CHECK(why(open_end) == "the last signature line of the answer does not end");
    CHECK(why(std::string(65537, 'x')) == "the answer has more than 65,536 bytes");
    CHECK(why(line(witness(1), kSeconds + 301)).find("five minutes") != std::string::npos);
    CHECK(why(line(witness(1), kSeconds - 301)).find("five minutes") != std::string::npos);
    CHECK(why(line(witness(1), ~std::uint64_t{0})).find("five minutes") != std::string::npos);
    CHECK(read_witness_answer(200, line(witness(1), kSeconds + 300), kText, known, kNow).verdict ==
          WitnessVerdict::kCosigned);
    NoteSignature other = witness(1).sign("another text\n", kSeconds).value();
    CHECK(why(format_signature_line(other)) == "a cosignature of witness.example/1 is wrong");
}

}  // namespace
}  // namespace colophon::ledger
