// SPDX-License-Identifier: Apache-2.0
#include "ledger/merkle.h"

#include "core/base64.h"
#include "core/bytes.h"
#include "core/result.h"
#include "ledger/log_fixture.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::size_t kSizeMax = 300;

TEST_CASE("hashes agree with the published trees") {
    CHECK(to_base64(empty_root()) == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    // The eight leaves that Certificate Transparency's implementations share, and their root.
    const std::array<std::string_view, 8> entries{"",
                                                  "00",
                                                  "10",
                                                  "2021",
                                                  "3031",
                                                  "40414243",
                                                  "5051525354555657",
                                                  "606162636465666768696a6b6c6d6e6f"};
    Frontier frontier;
    for (const std::string_view entry : entries) {
        frontier.append(leaf_hash(from_hex(entry).value()));
    }
    CHECK(to_hex(frontier.root()) ==
          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST_CASE("the frontier has the root of the definition at every size, and can be read back") {
    const test::MemoryTree tree(test::numbered_leaves(kSizeMax));
    Frontier frontier;
    for (std::size_t size = 0; size <= kSizeMax; ++size) {
        CAPTURE(size);
        REQUIRE(frontier.size() == size);
        REQUIRE(frontier.root() == test::defined_root(tree.leaves(), 0, size));
        const auto read = Frontier::read(size, tree.reader());
        REQUIRE(read.ok());
        REQUIRE(read->hashes() == frontier.hashes());
        REQUIRE(root_at(size, tree.reader()).value() == frontier.root());
        if (size < kSizeMax) {
            frontier.append(tree.leaves()[size]);
        }
    }
}

TEST_CASE("every inclusion proof of all sizes up to 300 verifies, and for no other place") {
    const test::MemoryTree tree(test::numbered_leaves(kSizeMax));
    std::size_t proofs = 0;
    for (std::size_t size = 1; size <= kSizeMax; ++size) {
        const Tree head{size, test::defined_root(tree.leaves(), 0, size)};
        for (std::size_t index = 0; index < size; ++index) {
            const auto proof = inclusion_proof(index, size, tree.reader());
            REQUIRE(proof.ok());
            const Hash& leaf = tree.leaves()[index];
            REQUIRE(verify_inclusion(leaf, index, head, *proof));
            REQUIRE_FALSE(verify_inclusion(leaf, index ^ 1U, head, *proof));
            REQUIRE_FALSE(verify_inclusion(leaf, index + 1, head, *proof));
            Hash other = leaf;
            other[index % 32] ^= 0x10U;
            REQUIRE_FALSE(verify_inclusion(other, index, head, *proof));
            ++proofs;
        }
    }
    CHECK(proofs == kSizeMax * (kSizeMax + 1) / 2);
    CHECK(inclusion_proof(5, 5, tree.reader()).error().code == ErrorCode::kNotFound);
    CHECK(inclusion_proof(0, (1ULL << 62U) + 1, tree.reader()).error().code ==
          ErrorCode::kInvalidArgument);
}

// Each hash of the proof is changed, taken out or doubled, and one is added at the end.
void check_proof_is_needed(const Tree& older, const Tree& newer, const Hashes& proof) {
    for (std::size_t i = 0; i < proof.size(); ++i) {
        Hashes wrong = proof;
        wrong[i][i % 32] ^= 0x80U;
        REQUIRE_FALSE(verify_consistency(older, newer, wrong));
        wrong = proof;
        wrong.erase(wrong.begin() + static_cast<std::ptrdiff_t>(i));
        REQUIRE_FALSE(verify_consistency(older, newer, wrong));
    }
    Hashes more = proof;
    more.push_back(newer.root);
    REQUIRE_FALSE(verify_consistency(older, newer, more));
}

TEST_CASE("every consistency proof of all sizes up to 300 verifies, and for no other tree") {
    const test::MemoryTree tree(test::numbered_leaves(kSizeMax));
    std::vector<Hash> roots;
    for (std::size_t size = 0; size <= kSizeMax; ++size) {
        roots.push_back(test::defined_root(tree.leaves(), 0, size));
    }
    std::size_t proofs = 0;
    for (std::size_t newer = 1; newer <= kSizeMax; ++newer) {
        for (std::size_t older = 1; older <= newer; ++older) {
            const auto proof = consistency_proof(older, newer, tree.reader());
            REQUIRE(proof.ok());
            const Tree a{older, roots[older]};
            const Tree b{newer, roots[newer]};
            REQUIRE(verify_consistency(a, b, *proof));
            REQUIRE_FALSE(verify_consistency({older, roots[older - 1]}, b, *proof));
            REQUIRE_FALSE(verify_consistency(a, {newer, roots[newer - 1]}, *proof));
            if ((older + newer) % 17 == 0) {
                check_proof_is_needed(a, b, *proof);
            }
            ++proofs;
        }
    }
    CHECK(proofs == kSizeMax * (kSizeMax + 1) / 2);
}

TEST_CASE("an empty older tree proves nothing and is refused") {
    const Hashes leaves = test::numbered_leaves(4);
    const Tree empty{0, empty_root()};
    const Tree four{4, test::defined_root(leaves, 0, 4)};
    CHECK_FALSE(verify_consistency(empty, four, {}));
    CHECK_FALSE(verify_consistency(empty, empty, {}));
    CHECK_FALSE(verify_consistency(four, empty, {}));
    CHECK_FALSE(verify_inclusion(leaves[0], 0, empty, {}));
    const test::MemoryTree tree(leaves);
    CHECK(consistency_proof(0, 4, tree.reader()).error().code == ErrorCode::kInvalidArgument);
    CHECK(consistency_proof(5, 4, tree.reader()).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("trees of equal size need equal roots and no proof") {
    const Hashes leaves = test::numbered_leaves(3);
    const Tree three{3, test::defined_root(leaves, 0, 3)};
    CHECK(verify_consistency(three, three, {}));
    CHECK_FALSE(verify_consistency(three, {3, leaves[0]}, {}));
    CHECK_FALSE(verify_consistency(three, three, Hashes{leaves[0]}));
}

TEST_CASE("a node that cannot be read fails the proof with the reader's error") {
    const ReadNode broken = [](Node) -> Result<Hash> {
        return Error{ErrorCode::kUnavailable, "the disk is gone"};
    };
    CHECK(inclusion_proof(1, 5, broken).error().what == "the disk is gone");
    CHECK(consistency_proof(3, 5, broken).error().what == "the disk is gone");
    CHECK(Frontier::read(5, broken).error().what == "the disk is gone");
}

}  // namespace
}  // namespace colophon::ledger
