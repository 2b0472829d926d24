// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions behind the rows of label/metadata/container.cc.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/metadata/container.h"

namespace colophon::label {

// ISO base media files: bmff.cc reads them all, heif.cc and mp4.cc write.
Result<MetadataReading> read_heif(Bytes file);
Result<Splice> write_heif(Bytes file, const MetadataFields& fields);
Result<MetadataReading> read_avif(Bytes file);
Result<MetadataReading> read_m4a(Bytes file);
Result<MetadataReading> read_mp4(Bytes file);
Result<Splice> write_mp4(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_matroska(Bytes file);
Result<MetadataReading> read_flv(Bytes file);

}  // namespace colophon::label
