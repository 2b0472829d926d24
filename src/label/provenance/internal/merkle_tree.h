// SPDX-License-Identifier: Apache-2.0
#pragma once

// The trees over pieces of ISO media (C2PA 2.4, 18.6 and A.5.4), for who writes and who checks
// them.
//
//   row 2         D20                 a node is the hash of the two below it; one without a
//   row 1     D10     D11             neighbour is taken over as it is
//   row 0   D00 D01 D02

#include "core/bytes.h"
#include "label/provenance/hashing.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::label::provenance::internal {

inline constexpr std::size_t kTreesMax = 1024;
inline constexpr std::size_t kLeavesMax = 1U << 18U;
inline constexpr std::string_view kMerklePurpose = "merkle";
// Of an 'mdat', however long its header is: hashed with the rest of the file (A.5.6).
inline constexpr std::uint64_t kMediaSkip = 16;

// Which tree: numbers that mean something only in the assertion and in the boxes of proofs.
struct TreeId {
    std::int64_t unique = 0;
    std::int64_t local = 0;
    auto operator<=>(const TreeId&) const = default;
};

// All rows, the leaves first; at least one leaf (asserted).
std::vector<std::vector<Buffer>> merkle_rows(HashAlgorithm algorithm, std::vector<Buffer> leaves);

// The hashes that lead from a leaf to the row of so many nodes: of the other node wherever there is
// one.
std::vector<Buffer> merkle_proof(const std::vector<std::vector<Buffer>>& rows, std::size_t leaf,
                                 std::size_t nodes);

}  // namespace colophon::label::provenance::internal
