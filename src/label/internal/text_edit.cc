// SPDX-License-Identifier: Apache-2.0
#include "label/internal/text_edit.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/sort.h"
#include "core/splice.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
Splice splice_edits(std::size_t source_size, std::vector<TextEdit> edits) {
    // An insertion at the place where a removal begins goes before it.
    sort_stably(edits, [](const TextEdit& edit) {
        return std::pair(edit.where.begin, edit.where.size() != 0);
    });
    Splice splice;
    std::size_t at = 0;
    for (const TextEdit& edit : edits) {
        COLOPHON_ASSERT(edit.where.begin >= at && edit.where.end >= edit.where.begin);
        splice.copy(at, edit.where.begin - at);
        splice.insert(as_bytes(edit.text));
        at = edit.where.end;
    }
    COLOPHON_ASSERT(at <= source_size);
    splice.copy(at, source_size - at);
    return splice;
}

std::string apply_edits(std::string_view source, std::vector<TextEdit> edits) {
    const Buffer out =
        apply_splice(as_bytes(source), splice_edits(source.size(), std::move(edits)));
    return std::string(as_text(out));
}

}  // namespace colophon::label::internal
