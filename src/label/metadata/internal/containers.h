// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions behind the rows of label/metadata/container.cc.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/metadata/container.h"

namespace colophon::label {

Result<MetadataReading> read_wav(Bytes file);
Result<Splice> write_wav(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_webp(Bytes file);
Result<Splice> write_webp(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_avi(Bytes file);  // read only

Result<MetadataReading> read_mp3(Bytes file);
Result<Splice> write_mp3(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_flac(Bytes file);
Result<Splice> write_flac(Bytes file, const MetadataFields& fields);

// Ogg Vorbis and Opus.
Result<MetadataReading> read_ogg(Bytes file);
Result<Splice> write_ogg(Bytes file, const MetadataFields& fields);

}  // namespace colophon::label
