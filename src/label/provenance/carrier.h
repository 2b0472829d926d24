// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where each file format carries a C2PA manifest store (C2PA 2.4, annex A), one row a format.
//
// The contract of every row:
//   find   the store, and exactly the ranges of the file that belong to it and to nothing else: the
//          store's bytes and the headers that exist only for it. Whoever checks a hash compares the
//          ranges that the manifest leaves out with these, so that nothing can hide among them.
//          Costs no more than the headers of the file.
//   place  the file with this store instead of any that is there, and where it lies in the new
//          file. Every other byte is copied, but for tables that say where the copied bytes are.
//          The places depend on the size of the store only, not on its bytes.
// Errors: kCorrupt names the byte; kLimit names the limit; kUnsupported says what and why.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/provenance/hashing.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace colophon::label::provenance {

// How the content is bound to the manifest.
enum class Binding : std::uint8_t {
    kData,  // c2pa.hash.data: all bytes but ranges
    kBmff,  // c2pa.hash.bmff.v3: all boxes but some
    kZip,   // c2pa.hash.collection.data: all files of an archive but one, and its directory
    kText,  // c2pa.hash.data over the normalized text; the places depend on the store's bytes too
};

// Whether a store can become longer while the hash over the rest still holds, as update manifests
// need it (C2PA 2.4, 11.2.3).
enum class Growth : std::uint8_t {
    kFixed,     // no: sizes or places that are hashed would change with it
    kInPlace,   // where it lies
    kAppended,  // by another box at the end of the file
};

struct FoundStore {
    Buffer store;
    std::vector<ByteRange> ranges;  // in order; empty for a store that lies outside the file
    std::string where;              // for people: "png caBX"
    std::string problem;            // why it cannot count, in words; empty when it can
    std::string code;  // of that problem, where the specification names one (C2PA 2.4, 15.2)
};

struct Placement {
    Splice splice;
    std::vector<ByteRange> ranges;  // in the new file
};

struct Carrier {
    Format format;
    Binding binding;
    Result<std::optional<FoundStore>> (*find)(Bytes file);
    Result<Placement> (*place)(Bytes file, Bytes store);
    Growth growth = Growth::kFixed;
};

std::span<const Carrier> all_carriers() noexcept;
// nullptr for formats that carry no manifest here.
const Carrier* find_carrier(Format format) noexcept;
// nullptr also for plain text, into which a manifest goes only when somebody asks for that: it
// makes the text longer by some twenty thousand bytes, and many programs take it out again.
const Carrier* find_usual_carrier(Format format) noexcept;

}  // namespace colophon::label::provenance
