// SPDX-License-Identifier: Apache-2.0
#include "ledger/checkpoint.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/random.h"
#include "core/result.h"
#include "ledger/merkle.h"
#include "ledger/note.h"

#include <doctest/doctest.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::string_view kOrigin = "log.example/records";
constexpr std::string_view kRoot = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

NoteSigner make_signer(std::uint64_t seed, SignatureType type = SignatureType::kEd25519) {
    SeededRandom random(seed);
    return NoteSigner::generate(kOrigin, type, random).value();
}

Checkpoint sample() {
    return {.origin = std::string(kOrigin),
            .tree = {.size = 300, .root = leaf_hash(as_bytes("x"))},
            .extensions = {}};
}

TEST_CASE("a checkpoint is written, signed, opened and read back") {
    const std::array signers{make_signer(1)};
    const std::string bytes = sign_checkpoint(sample(), signers).value();
    CHECK(bytes.starts_with("log.example/records\n300\n" + to_base64(sample().tree.root) +
                            "\n\n— log.example/records "));
    const std::array known{signers[0].verifier()};
    const auto opened = open_checkpoint(bytes, kOrigin, known);
    REQUIRE(opened.ok());
    CHECK(opened->checkpoint.tree.size == 300);
    CHECK(opened->checkpoint.tree.root == sample().tree.root);
    CHECK(open_checkpoint(bytes, "log.example/other", known).error().what ==
          "the checkpoint is of the log log.example/records, not of log.example/other");
}

TEST_CASE("a witness alone does not make a checkpoint; with the log it is kept beside") {
    const NoteSigner log = make_signer(1);
    const NoteSigner witness = make_signer(2, SignatureType::kCosignature);
    Note note{.text = format_checkpoint(sample()), .signatures = {}};
    note.signatures.push_back(witness.sign(note.text, 5).value());
    const std::array known{log.verifier(), witness.verifier()};
    CHECK(open_checkpoint(format_note(note), kOrigin, known).error().what ==
          "no known key of the log signed this checkpoint");
    note.signatures.push_back(log.sign(note.text).value());
    CHECK(open_checkpoint(format_note(note), kOrigin, known)->note.verified.size() == 2);
    const std::array wrong{witness};
    CHECK(sign_checkpoint(sample(), wrong).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("a key is exchanged by signing with both for a while") {
    const std::array both{make_signer(1), make_signer(2)};
    const std::string overlap = sign_checkpoint(sample(), both).value();
    for (const NoteSigner& signer : both) {
        const std::array known{signer.verifier()};
        CHECK(open_checkpoint(overlap, kOrigin, known).ok());
    }
    const std::string after = sign_checkpoint(sample(), std::span(both).subspan(1)).value();
    const std::array old_reader{both[0].verifier()};
    const std::array new_reader{both[1].verifier()};
    CHECK(open_checkpoint(after, kOrigin, old_reader).error().code == ErrorCode::kDenied);
    CHECK(open_checkpoint(after, kOrigin, new_reader).ok());
}

TEST_CASE("further lines are kept") {
    Checkpoint more = sample();
    more.extensions = {"one", "two lines"};
    const auto back = parse_checkpoint(format_checkpoint(more));
    REQUIRE(back.ok());
    CHECK(back->extensions == more.extensions);
    more.extensions.assign(17, "x");
    CHECK(parse_checkpoint(format_checkpoint(more)).error().code == ErrorCode::kLimit);
}

TEST_CASE("sizes and roots in another form than the one are refused") {
    const std::string root = std::string(kRoot) + "\n";
    CHECK(parse_checkpoint("o\n0\n" + root)->tree.root == empty_root());
    CHECK(parse_checkpoint("o\n4611686018427387904\n" + root)->tree.size == (1ULL << 62U));
    for (const std::string_view size :
         {"", "-1", "01", "00", "+5", "5 ", " 5", "0x5", "5.0", "4611686018427387905",
          "9223372036854775808", "18446744073709551616", "99999999999999999999", "٣"}) {
        CAPTURE(size);
        CHECK(parse_checkpoint("o\n" + std::string(size) + "\n" + root).error().code ==
              ErrorCode::kCorrupt);
    }
    const Buffer bytes(33, 0x11);
    for (const std::string& wrong :
         {to_base64(Bytes(bytes).first(31)), to_base64(bytes), std::string(kRoot.substr(0, 43)),
          std::string(), std::string(64, '0')}) {
        CHECK(parse_checkpoint("o\n5\n" + wrong + "\n").error().code == ErrorCode::kCorrupt);
    }
    for (const std::string& text :
         {std::string(), std::string("o\n"), std::string("o\n5\n"), "o\n5\n" + std::string(kRoot),
          "\n5\n" + root, "o\n5\n" + root + "\n", "o\n5\n" + root + "\nmore\n"}) {
        CAPTURE(text);
        CHECK(parse_checkpoint(text).error().code == ErrorCode::kCorrupt);
    }
}

TEST_CASE("what would not be read again is not signed") {
    const std::array signers{make_signer(1)};
    for (const std::string_view origin : {"", "two words", "a+b", "a\nb"}) {
        Checkpoint wrong = sample();
        wrong.origin = origin;
        CHECK_FALSE(sign_checkpoint(wrong, signers).ok());
    }
    CHECK_FALSE(sign_checkpoint(sample(), {}).ok());
}

}  // namespace
}  // namespace colophon::ledger
