// SPDX-License-Identifier: Apache-2.0
#pragma once

// A new file as a list of replaced ranges: how writers say what they change, in any order.

#include "core/bytes.h"
#include "core/splice.h"

#include <cstdint>
#include <vector>

namespace colophon::label {

struct FileEdit {
    std::uint64_t offset = 0;  // in the file
    std::uint64_t size = 0;    // bytes taken away; 0 to insert before `offset`
    Buffer bytes;              // put there instead
};

// The file with all edits done. kCorrupt when two edits want the same bytes, which happens only in
// files whose structures overlap. Every range must lie inside the file (asserted).
Result<Splice> splice_edits(Bytes file, std::vector<FileEdit> edits);

}  // namespace colophon::label
