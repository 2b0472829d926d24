// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pages of an Ogg file (RFC 3533) as views of the file, their checksum, and the laying of
// packets onto new pages.

#include "core/bytes.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace colophon::label {

inline constexpr std::uint8_t kOggContinued = 1;       // the first packet began on an earlier page
inline constexpr std::uint8_t kOggFirst = 2;           // first page of a logical stream
inline constexpr std::uint8_t kOggLast = 4;            // last page of a logical stream
inline constexpr std::size_t kOggSequenceOffset = 18;  // in a page; the checksum follows
inline constexpr std::uint64_t kOggNoGranule = ~std::uint64_t{0};  // no packet ends on the page

struct OggPage {
    std::uint64_t offset = 0;  // in the file
    std::uint64_t size = 0;    // of header and body
    std::uint8_t flags = 0;
    std::uint64_t granule = 0;
    std::uint32_t serial = 0;
    std::uint32_t sequence = 0;
    std::uint32_t checksum = 0;  // as stored
    Bytes lacing;                // at most 255 segment sizes; one below 255 ends a packet
    Bytes body;

    std::uint64_t end() const noexcept { return offset + size; }
};

// The page at `offset`, without verifying its checksum. kCorrupt for a wrong capture pattern or
// version and for a page over the end of the file.
Result<OggPage> read_ogg_page(Bytes file, std::uint64_t offset);

// CRC-32 with the polynomial 0x04C11DB7, first bit first, start and end value 0 (RFC 3533 clause
// 6).
std::uint32_t ogg_checksum(Bytes bytes);

// Whether the stored checksum is the one of the page. Reads the whole page.
bool ogg_checksum_matches(Bytes file, const OggPage& page);

// The checksum of the page after its sequence number is changed. The checksum is linear, so the
// stored one and the changed bits are enough: the body is not read, and a page that was damaged
// stays recognizable as damaged. Cost: constant.
std::uint32_t renumbered_checksum(const OggPage& page, std::uint32_t sequence);

// Lays whole packets onto consecutive pages that hold nothing else, at least `pages_min` of them
// when there are so many segments, with granule position 0 as header packets have it.
struct OggLayout {
    std::uint32_t serial = 0;
    std::uint32_t sequence = 0;  // of the first page
    std::uint64_t pages_min = 1;
};
std::vector<Buffer> lay_ogg_pages(std::span<const Buffer> packets, const OggLayout& layout);

}  // namespace colophon::label
