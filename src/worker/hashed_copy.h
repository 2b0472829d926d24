// SPDX-License-Identifier: Apache-2.0
#pragma once

// Writes a large file and hashes it on the way, by several threads: each writes a part, reads it
// back out of the new file while it is still warm, and hashes what it read. So a gigabyte is copied
// and hashed in about the time in which it could be hashed alone.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/provenance/hashing.h"

#include <vector>

namespace colophon::worker {

// Writes what `splice` makes of `source`, a Mapping, from the start of `to`, which can be read too,
// and cuts `to` there. Gives the hash of each of `parts` of the new file, in order, apart and
// inside (asserted). Memory: 256 KiB a thread. kUnavailable with the system's reason.
Result<std::vector<Buffer>> write_splice_hashed(
    Bytes source, const Splice& splice, label::provenance::HashAlgorithm algorithm,
    const std::vector<label::provenance::ByteRange>& parts, int to);

}  // namespace colophon::worker
