// SPDX-License-Identifier: Apache-2.0
#include "label/container/file_edits.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/sort.h"
#include "core/splice.h"

#include <cstdint>
#include <utility>
#include <vector>

namespace colophon::label {

Result<Splice> splice_edits(Bytes file, std::vector<FileEdit> edits) {
    // What is inserted before a place comes before what replaces the bytes from there on.
    sort_stably(edits, [](const FileEdit& edit) { return std::pair(edit.offset, edit.size != 0); });
    Splice splice;
    std::uint64_t at = 0;
    for (FileEdit& edit : edits) {
        COLOPHON_ASSERT(slice(file, edit.offset, edit.size).has_value());
        if (edit.offset < at) {
            return corrupt_at("two structures share the same bytes", edit.offset);
        }
        splice.copy(at, edit.offset - at);
        splice.insert(std::move(edit.bytes));
        at = edit.offset + edit.size;
    }
    splice.copy(at, file.size() - at);
    return splice;
}

}  // namespace colophon::label
