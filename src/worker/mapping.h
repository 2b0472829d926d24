// SPDX-License-Identifier: Apache-2.0
#pragma once

// A file as bytes, mapped and read only: nothing is copied until it is touched. When somebody
// shortens the file meanwhile, touching the lost part ends the process; that is why only a worker
// maps files from outside.

#include "core/bytes.h"
#include "core/splice.h"

#include <cstdint>

namespace colophon::worker {

class Mapping {
public:
    Mapping() = default;
    ~Mapping();
    Mapping(Mapping&& other) noexcept;
    Mapping& operator=(Mapping&& other) noexcept;
    Mapping(const Mapping&) = delete;
    Mapping& operator=(const Mapping&) = delete;

    // The whole of a regular file. kInvalidArgument for anything else.
    static Result<Mapping> create(int fd);

    Bytes bytes() const noexcept { return {data_, size_}; }

private:
    Mapping(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
    const std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
};

// Gives the whole pages of a part of a Mapping back; they are read again when they are touched. For
// nothing else than a Mapping: other memory would lose what is in it.
void release_pages(Bytes part);

// Writes all bytes at a place of a file. kUnavailable with the system's reason.
Result<void> write_at(int to, std::uint64_t offset, Bytes bytes);

// Writes what `splice` makes of the source file from the start of `to`, and cuts `to` there. Ranges
// are copied inside the kernel where that works (the same bytes otherwise). `source` is the mapping
// of `from`. kUnavailable with the system's reason, for example "No space left on device".
Result<void> write_splice(int from, Bytes source, const Splice& splice, int to);

}  // namespace colophon::worker
