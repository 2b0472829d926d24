// SPDX-License-Identifier: Apache-2.0
#pragma once

// The Merkle trees that we write into c2pa.hash.bmff.v3 (C2PA 2.4, 18.6 and A.5.4), so that whoever
// plays a movie can check what he has of it before he has the rest:
//
//   large media       a tree for each 'mdat' over blocks of one size, all leaves in the manifest,
//                     and a hash over the rest of the file
//   one file in       one tree over the fragments, a box with the proof of each before its 'moof',
//   fragments         and the hash of what precedes the first
//   many files        the same with a file for each fragment
//
// The row in the manifest is the first that has no more nodes than FragmentHashing says; proofs
// lead from the leaves to it. Memory: the leaves.

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/credential.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/merkle_tree.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace colophon::label::provenance::internal {

// The assertion over media in blocks; nothing where the file is hashed as a whole, because its
// media are small or in too many boxes. `measured`: without reading them, as long as the real one.
Result<std::optional<cbor::Value>> media_hash(const FileView& file, const MediaHashing& wanted,
                                              bool measured);

// What media_hash() hashes as the leaves of its trees, in order and apart: nearly all of a large
// file. Empty where it gives nothing.
Result<std::vector<ByteRange>> media_blocks(const FileView& file, const MediaHashing& wanted);

// One tree over fragments.
struct FragmentTree {
    TreeId id;
    std::vector<std::vector<Buffer>> rows;
    std::size_t kept = 0;  // the row in the manifest

    // With zeros for hashes: all sizes are those of the real one.
    static FragmentTree measured(TreeId id, std::size_t fragments, const MediaHashing& wanted);
    static FragmentTree over(TreeId id, std::vector<Buffer> leaves, const MediaHashing& wanted);

    // A whole box; all of a tree are of one size.
    Buffer proof_box(std::size_t fragment) const;
    cbor::Value assertion(Bytes init_hash) const;
};

}  // namespace colophon::label::provenance::internal
