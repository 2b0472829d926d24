// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rows of the table in container.cc: one pair of functions per format, with the contract of
// label/metadata/container.h.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/metadata/container.h"

namespace colophon::label {

Result<MetadataReading> read_jpeg_metadata(Bytes file);
Result<Splice> write_jpeg_metadata(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_png_metadata(Bytes file);
Result<Splice> write_png_metadata(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_gif_metadata(Bytes file);
Result<Splice> write_gif_metadata(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_tiff_metadata(Bytes file);
Result<Splice> write_tiff_metadata(Bytes file, const MetadataFields& fields);

}  // namespace colophon::label
