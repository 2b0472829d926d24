// SPDX-License-Identifier: Apache-2.0
#include "core/splice.h"

#include "core/assert.h"
#include "core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace colophon {

void Splice::copy(std::uint64_t offset, std::uint64_t size) {
    if (size == 0) {
        return;
    }
    size_ += size;
    if (!pieces_.empty()) {
        SplicePiece& last = pieces_.back();
        if (last.source_size != 0 && last.source_offset + last.source_size == offset) {
            last.source_size += size;
            return;
        }
    }
    pieces_.push_back({.source_offset = offset, .source_size = size, .bytes = {}});
}

void Splice::insert(Bytes bytes) {
    insert(to_buffer(bytes));
}

void Splice::insert(Buffer&& bytes) {
    if (bytes.empty()) {
        return;
    }
    size_ += bytes.size();
    inserted_ += bytes.size();
    if (!pieces_.empty() && pieces_.back().source_size == 0) {
        append(pieces_.back().bytes, bytes);
        return;
    }
    pieces_.push_back({.source_offset = 0, .source_size = 0, .bytes = std::move(bytes)});
}

Buffer apply_splice(Bytes source, const Splice& splice) {
    Buffer out;
    out.reserve(static_cast<std::size_t>(splice.size()));
    for (const SplicePiece& piece : splice.pieces()) {
        if (piece.source_size == 0) {
            append(out, piece.bytes);
            continue;
        }
        const auto range = slice(source, piece.source_offset, piece.source_size);
        COLOPHON_ASSERT(range.has_value());
        append(out, *range);
    }
    COLOPHON_ASSERT(out.size() == splice.size());
    return out;
}

}  // namespace colophon
