// SPDX-License-Identifier: Apache-2.0
#pragma once

// The hard binding of ISO base media files (C2PA 2.4, 18.6): a hash over the boxes at the top of
// the file, each with its place in front of it, without those that the assertion excludes.

#include "core/bytes.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label::provenance::internal {

inline constexpr std::array<std::uint8_t, 16> kC2paUuid{
    0xD8, 0xFE, 0xC3, 0xD6, 0x1B, 0x0E, 0x48, 0x3C, 0x92, 0x97, 0x58, 0x28, 0x87, 0x7E, 0xC4, 0x81};

// One row of "exclusions": the boxes at a path that fit all conditions.
struct BmffExclusion {
    std::vector<std::string> path;  // "/moov/trak": two parts
    std::optional<std::uint64_t> length;
    struct Data {
        std::uint64_t offset = 0;
        Buffer value;
    };
    std::vector<Data> data;
    std::vector<ByteRange> subset;  // in the box; empty: all of it
    std::optional<std::uint64_t> version;
    std::optional<Buffer> flags;  // three bytes
    bool exact = true;            // all flags, or only those that are set
};

// Nothing when the list is malformed.
std::optional<std::vector<BmffExclusion>> read_bmff_exclusions(const cbor::Value& assertion);
// The three that the specification wants and no other.
std::vector<BmffExclusion> standard_bmff_exclusions();
cbor::Value write_bmff_exclusions(const std::vector<BmffExclusion>& exclusions);
// Whether only boxes are excluded that a validator expects: those three, free and skip, and with
// Merkle trees the media that they cover.
bool are_usual(const std::vector<BmffExclusion>& exclusions, bool trees);

// A box of a file, or what is left behind the last one that has a header (type empty).
struct BmffBox {
    std::string type;
    ByteRange range;
    std::uint64_t header = 8;
};

// The boxes of a range, one behind the other. kCorrupt when they do not follow each other; kLimit.
Result<std::vector<BmffBox>> bmff_boxes_in(const FileView& file, const ByteRange& range);

// Hashes boxes at the top of a file without what a list excludes.
class BmffHasher {
public:
    // `with_places`: since version 2 the place of each box is hashed in front of it. kCorrupt when
    // the boxes do not follow each other.
    static Result<BmffHasher> create(const FileView& file,
                                     const std::vector<BmffExclusion>& exclusions,
                                     bool with_places);

    const std::vector<BmffBox>& boxes() const noexcept { return boxes_; }
    bool with_places() const noexcept { return with_places_; }
    // Of all boxes, or of those from the first to the one before the last.
    Buffer all(HashAlgorithm algorithm) const { return some(algorithm, 0, boxes_.size()); }
    Buffer some(HashAlgorithm algorithm, std::size_t first, std::size_t last) const;

private:
    BmffHasher(const FileView& file, bool with_places) : file_(file), with_places_(with_places) {}

    const FileView& file_;
    bool with_places_;
    std::vector<BmffBox> boxes_;
    std::vector<ByteRange> excluded_;  // in order and apart
};

Result<Buffer> hash_bmff(HashAlgorithm algorithm, const FileView& file,
                         const std::vector<BmffExclusion>& exclusions, bool with_places);

}  // namespace colophon::label::provenance::internal
