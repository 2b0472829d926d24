// SPDX-License-Identifier: Apache-2.0
#pragma once

// The functions behind the rows of label/metadata/container.cc, one pair for each container. What
// they promise stands in label/metadata/container.h.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/metadata/container.h"

namespace colophon::label::internal {

Result<MetadataReading> read_jpeg(Bytes file);
Result<Splice> write_jpeg(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_png(Bytes file);
Result<Splice> write_png(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_gif(Bytes file);
Result<Splice> write_gif(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_tiff(Bytes file);
Result<Splice> write_tiff(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_svg(Bytes file);
Result<Splice> write_svg(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_html(Bytes file);
Result<Splice> write_html(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_markdown(Bytes file);
Result<Splice> write_markdown(Bytes file, const MetadataFields& fields);

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

// ISO base media files: bmff.cc reads them all, heif.cc and mp4.cc write.
Result<MetadataReading> read_heif(Bytes file);
Result<Splice> write_heif(Bytes file, const MetadataFields& fields);
Result<MetadataReading> read_avif(Bytes file);
Result<MetadataReading> read_m4a(Bytes file);
Result<MetadataReading> read_mp4(Bytes file);
Result<Splice> write_mp4(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_pdf(Bytes file);
Result<Splice> write_pdf(Bytes file, const MetadataFields& fields);

Result<MetadataReading> read_matroska(Bytes file);  // read only
Result<MetadataReading> read_flv(Bytes file);       // read only

}  // namespace colophon::label::internal
