// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Merkle trees of c2pa.hash.bmff (C2PA 2.4, 18.6.6, A.5.4 and 15.12.2): one for each 'mdat' of
// a file whose media are hashed in pieces, or one for each track of a movie in fragments, in one
// file or in many. Everything is here, so each tree is made anew and its row compared; the proofs
// that the files carry for those who read them piece by piece must be those of that tree, because
// no hash covers them.

#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/merkle_tree.h"  // IWYU pragma: export
#include "label/provenance/internal/validation.h"

#include <vector>

namespace colophon::label::provenance::internal {

// `hasher`: over the file, or over the initialization segment when there are content.fragments,
// with these exclusions. Adds the failures, and says whether all trees fit.
struct MerkleTask {
    const Claim& claim;
    const Assertion& assertion;
    const Content& content;
    const BmffHasher& hasher;
    const std::vector<BmffExclusion>& exclusions;
};
bool check_merkle(const MerkleTask& task, Report& report);

}  // namespace colophon::label::provenance::internal
