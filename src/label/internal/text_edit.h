// SPDX-License-Identifier: Apache-2.0
#pragma once

// Edits of a text by place: what every writer of a text-shaped container produces. All that lies
// between the edits stays byte for byte.

#include "core/splice.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {

// text[begin, end).
struct TextRange {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t size() const noexcept { return end - begin; }
    bool operator==(const TextRange&) const = default;
};

inline std::string_view cut(std::string_view text, TextRange range) noexcept {
    return text.substr(range.begin, range.size());
}

// Replaces `where` (empty: inserts before where.begin).
struct TextEdit {
    TextRange where;
    std::string text;
};

// Edits may come in any order; those at one place keep theirs. They must lie inside the source and
// must not overlap (asserted: they are computed, never taken from input).
Splice splice_edits(std::size_t source_size, std::vector<TextEdit> edits);
std::string apply_edits(std::string_view source, std::vector<TextEdit> edits);

}  // namespace colophon::label::internal
