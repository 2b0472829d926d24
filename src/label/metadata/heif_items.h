// SPDX-License-Identifier: Apache-2.0
#pragma once

// Items of metadata in HEIF and AVIF files, carried from one file to another byte for byte.

#include "core/bytes.h"
#include "core/result.h"  // IWYU pragma: export
#include "core/splice.h"
#include "label/container/bmff_boxes.h"

#include <string>
#include <vector>

namespace colophon::label {

struct HeifItem {
    bmff::BoxType type = 0;        // 'Exif' or 'mime'
    std::string content_type;      // of 'mime' items
    std::string content_encoding;  // of 'mime' items; empty: none
    Buffer bytes;
};

// EXIF and all 'mime' items (XMP and others) of a file, as they stand there, at most
// limits::kLabelSitesMax. Encrypted ones and those of other files are left out. kCorrupt when the
// structure is; kLimit for an item above limits::kMetadataBlockBytesMax.
Result<std::vector<HeifItem>> read_heif_items(Bytes file);

// Adds an item that describes the primary picture, in an 'mdat' box of its own at the end.
// kUnsupported without a 'meta' box; kLimit when a table is full.
Result<Splice> add_heif_item(Bytes file, const HeifItem& item);

}  // namespace colophon::label
