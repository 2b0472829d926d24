// SPDX-License-Identifier: Apache-2.0
#pragma once

// Elements of EBML (RFC 8794), of which Matroska and WebM are made (RFC 9559): an id and a size as
// numbers of variable length, then the content. Knows how elements lie side by side, not what they
// mean.

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace colophon::label::ebml {

struct Element {
    std::uint32_t id = 0;           // with its length marker, as the specifications print it
    std::uint32_t header_size = 0;  // id and size field
    std::uint64_t offset = 0;       // in the file
    std::uint64_t content_size = 0;
    bool unknown_size = false;  // the content lasts until an element of a higher level begins;
                                // content_size is then what is left of the parent

    std::uint64_t content_offset() const noexcept { return offset + header_size; }
    std::uint64_t end() const noexcept { return content_offset() + content_size; }
};

// Goes over the elements of file[begin, end). kCorrupt for ids and sizes that do not exist or do
// not fit; kLimit above `count_max` elements.
class ElementReader {
public:
    ElementReader(Bytes file, std::uint64_t begin, std::uint64_t end, std::size_t count_max);

    Result<std::optional<Element>> next();
    // Goes on at `offset`, which lies in the range: after an element of unknown size.
    void seek(std::uint64_t offset);

private:
    Bytes file_;
    std::uint64_t position_;
    std::uint64_t end_;
    std::size_t count_max_;
    std::size_t count_ = 0;
};

Bytes content(Bytes file, const Element& element);

// A string element: what comes before its first zero byte (RFC 8794 section 11.1.4).
std::string_view string_of(Bytes file, const Element& element);

}  // namespace colophon::label::ebml
