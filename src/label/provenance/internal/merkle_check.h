// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Merkle trees of c2pa.hash.bmff (C2PA 2.4, 18.6.6, A.5.4 and 15.12.2): one for each 'mdat' of
// a file whose media are hashed in pieces, or one for each track of a file in fragments. The whole
// file is here, so each tree is made anew and its row compared; the proofs that the file carries
// for those who read it piece by piece must be those of that tree, because no hash covers them.
//
//   row 2         D20                 a node is the hash of the two below it; one without a
//   row 1     D10     D11             neighbour is taken over as it is
//   row 0   D00 D01 D02

#include "core/bytes.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/validation.h"

#include <cstddef>
#include <vector>

namespace colophon::label::provenance::internal {

// All rows, the leaves first; at least one leaf (asserted).
std::vector<std::vector<Buffer>> merkle_rows(HashAlgorithm algorithm, std::vector<Buffer> leaves);

// Adds the failures, and says whether all trees fit. `hasher` as for the assertion's own hash.
bool check_merkle(const Claim& claim, const Assertion& assertion, const Content& content,
                  const BmffHasher& hasher, Report& report);

}  // namespace colophon::label::provenance::internal
