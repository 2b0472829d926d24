// SPDX-License-Identifier: Apache-2.0
#pragma once

// c2pa.hash.boxes (C2PA 2.4, 18.7 and 15.12.3): the boxes of a file by their names and in their
// order, and hashes over rows of them. Files of JPEG, PNG, GIF, RIFF and Ogg have such boxes.

#include "core/bytes.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/validation.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::label::provenance::internal {

struct NamedBox {
    std::string name;               // "APP1", "IDAT", "21F9"; "C2PA" for that of the manifest store
    std::vector<ByteRange> ranges;  // several in Ogg, one elsewhere
};

// All boxes of a file, without gaps but in Ogg; what stands behind the last one is "c2pa.after".
// `pictures`: how many a JPEG is taken to consist of, one behind the other (CIPA DC-007).
// kUnsupported for other formats; kCorrupt, kLimit: the file.
Result<std::vector<NamedBox>> list_boxes(Bytes file, Format format,
                                         const std::vector<ByteRange>& store_ranges,
                                         std::size_t pictures);

// The assertion over a finished file (takes_box_hash): what stands before the store, the store,
// what stands behind it. `measured`: with other hashes, without reading. kUnsupported for files of
// more boxes than a manifest should list.
Result<cbor::Value> box_hash(const FileView& file, Format format,
                             const std::vector<ByteRange>& store_ranges, bool measured);

void check_box_hash(const Claim& claim, const Assertion& assertion, const Content& content,
                    Report& report);

}  // namespace colophon::label::provenance::internal
