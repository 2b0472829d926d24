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

}  // namespace colophon::label::internal
