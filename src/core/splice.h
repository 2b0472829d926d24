// SPDX-License-Identifier: Apache-2.0
#pragma once

// A new file described as pieces of an old one plus new bytes. The container writers return one: it
// shows on its face that everything but the label is copied, costs no memory for the copied part,
// and lets whoever owns the files copy a gigabyte inside the kernel.

#include "core/bytes.h"

#include <cstdint>
#include <vector>

namespace colophon {

struct SplicePiece {
    // Either a range of the source ...
    std::uint64_t source_offset = 0;
    std::uint64_t source_size = 0;
    // ... or, when source_size is 0, these bytes.
    Buffer bytes;
};

class Splice {
public:
    // The next output bytes are source[offset, offset + size). Neighbouring ranges are joined.
    void copy(std::uint64_t offset, std::uint64_t size);
    // The next output bytes are these.
    void insert(Bytes bytes);
    void insert(Buffer&& bytes);

    const std::vector<SplicePiece>& pieces() const noexcept { return pieces_; }
    std::uint64_t size() const noexcept { return size_; }          // of the output
    std::uint64_t inserted() const noexcept { return inserted_; }  // bytes not from the source

private:
    std::vector<SplicePiece> pieces_;
    std::uint64_t size_ = 0;
    std::uint64_t inserted_ = 0;
};

// The output as one buffer. Every range must lie inside `source` (asserted: writers compute them).
Buffer apply_splice(Bytes source, const Splice& splice);

}  // namespace colophon
