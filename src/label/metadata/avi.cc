// SPDX-License-Identifier: Apache-2.0
// The label in AVI: a chunk AIGC in LIST/INFO. Read only.

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/riff_chunks.h"
#include "label/metadata/container.h"
#include "label/metadata/internal/containers.h"
#include "label/metadata/internal/label_sites.h"
#include "label/metadata/internal/riff_labels.h"

#include <algorithm>
#include <iterator>
#include <string>

namespace colophon::label::internal {

Result<MetadataReading> read_avi(Bytes file) {
    RiffFile riff = TRY(walk_riff(file));
    if (riff.form != "AVI ") {
        return corrupt_at("a RIFF file that is no AVI", 8);
    }
    MetadataReading reading;
    for (const RiffChunk& chunk : riff.chunks) {
        if (riff_list_kind(file, chunk) == "INFO") {
            collect_info_labels(reading, file, chunk, "avi", true);
        } else if (chunk.id == "_PMX") {
            collect_xmp(reading, riff_data(file, chunk),
                        {.where = "avi XMP", .value = {}, .offset = chunk.offset});
        } else if (chunk.id == "AIGC") {
            collect_site(reading, {.where = "avi AIGC chunk",
                                   .value = std::string(riff_text(file, chunk)),
                                   .offset = chunk.offset});
        }
    }
    std::ranges::move(riff.findings, std::back_inserter(reading.findings));
    return reading;
}

}  // namespace colophon::label::internal
