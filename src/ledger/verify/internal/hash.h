// SPDX-License-Identifier: Apache-2.0
#pragma once

// The checker's own tree hashing, apart from that of the writer (ledger/merkle.h), so that a
// mistake in one does not hide in the other. SHA-256 is called without any allocation.

#include "core/bytes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace colophon::ledger::verify::internal {

using Hash = std::array<std::uint8_t, 32>;

Hash sha256_of(Bytes bytes);
Hash hash_leaf(Bytes entry);                          // H(0x00 || entry)
Hash hash_pair(const Hash& left, const Hash& right);  // H(0x01 || left || right)
// HMAC-SHA256 (RFC 2104) by its definition; a key of at most 64 bytes.
Hash hmac_sha256(Bytes key, Bytes message);

// A tree put together from complete subtrees that come from left to right, each at most as high as
// the one before.
class Pile {
public:
    void push(unsigned height, const Hash& hash);
    Hash root() const;  // H("") when nothing was pushed

private:
    struct Part {
        unsigned height;
        Hash hash;
    };
    std::vector<Part> parts_;
};

// Root of a row of hashes of equal height; the row is not empty.
Hash row_root_of(std::span<const Hash> row);

// The root that a proof leads to, computed from the shape of the path: the lower part turns left
// and right with the bits of the index, the upper part lies on the right border, where every sister
// stands on the left. False when the proof has not exactly the length of that path.
bool root_of_proof(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                   std::span<const Hash> proof, Hash& root);

}  // namespace colophon::ledger::verify::internal
