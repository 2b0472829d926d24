// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Merkle tree of RFC 6962, section 2.1, over SHA-256, and the proofs of RFC 9162.
//
//     leaf = H(0x00 || entry)      node = H(0x01 || left || right)      empty tree = H("")
//
// A tree over n > 1 leaves splits at the largest power of two below n, so a complete subtree of 2^k
// leaves never changes once it is there. Everything here works on hashes of complete subtrees:
//
//     n = 7                 root
//                         /      \                 .
//                     (2,0)        x
//                    /     \      /  \             .
//                 (1,0)  (1,1) (1,2)  (0,6)
//                 /  \   /  \   /  \               .
//                0    1 2    3 4    5    6
//
// Node {level, index} covers the leaves [index * 2^level, (index + 1) * 2^level). The frontier of
// this tree is (2,0) (1,2) (0,6): all that is needed to append and to know the root.

#include "core/bytes.h"
#include "core/digest.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace colophon::ledger {

using Hash = Digest256;
using Hashes = std::vector<Hash>;

Hash empty_root();
Hash leaf_hash(Bytes entry);
Hash node_hash(const Hash& left, const Hash& right);

// A complete subtree. level < 63, and the leaves it covers end at or below 2^62.
struct Node {
    unsigned level = 0;
    std::uint64_t index = 0;
    auto operator<=>(const Node&) const = default;
};

// Hands out the hash of a complete subtree of the tree that the caller speaks about.
using ReadNode = std::function<Result<Hash>(Node)>;

// MTH of a row of at least one hash, each of the same height.
Hash row_root(std::span<const Hash> row);

// What is needed to append: the hashes of the complete subtrees from left to right, largest first,
// one for each set bit of the size.
class Frontier {
public:
    Frontier() = default;
    // From stored nodes of a tree of `size` leaves, size <= 2^62.
    static Result<Frontier> read(std::uint64_t size, const ReadNode& read);

    void append(const Hash& leaf);
    std::uint64_t size() const noexcept { return size_; }
    Hash root() const;
    const Hashes& hashes() const noexcept { return hashes_; }

private:
    std::uint64_t size_ = 0;
    Hashes hashes_;
};

// Root of the first `size` leaves. Reads at most 62 nodes.
Result<Hash> root_at(std::uint64_t size, const ReadNode& read);

// Proof that leaf `index` is in the tree of `size` leaves: sister hashes from the leaf to the root.
// kNotFound unless index < size, kInvalidArgument unless size <= 2^62.
Result<Hashes> inclusion_proof(std::uint64_t index, std::uint64_t size, const ReadNode& read);
// Proof that the tree of `new_size` leaves begins with the tree of `old_size`. Empty when the sizes
// are equal. kInvalidArgument unless 0 < old_size <= new_size <= 2^62.
Result<Hashes> consistency_proof(std::uint64_t old_size, std::uint64_t new_size,
                                 const ReadNode& read);

struct Tree {
    std::uint64_t size = 0;
    Hash root{};
};

// RFC 9162, 2.1.3.2.
bool verify_inclusion(const Hash& leaf, std::uint64_t index, const Tree& tree,
                      std::span<const Hash> proof);
// RFC 9162, 2.1.4.2. An old tree of no leaves is refused, whatever the proof: every tree extends
// it, so accepting would say nothing. Equal sizes need equal roots and an empty proof.
bool verify_consistency(const Tree& older, const Tree& newer, std::span<const Hash> proof);

}  // namespace colophon::ledger
