// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/jpeg_mpf.h"
#include "label/container/jpeg_segments.h"
#include "label/picture/recode.h"

#include <utility>

namespace colophon::label {

Result<Splice> exchange_jpeg_picture(Bytes file, Bytes coded) {
    const JpegFile before = TRY(walk_jpeg(file, JpegExtent::kWholeImage));
    Splice splice;
    splice.copy(0, 2);
    for (const JpegSegment& segment : before.segments) {
        if (segment.is_app() || segment.marker == jpeg::kCom) {
            splice.copy(segment.offset, segment.size);
        }
    }
    splice.insert(coded.subspan(2));
    if (before.end < file.size()) {
        splice.copy(before.end, file.size() - before.end);
    }
    return correct_mpf(file, before, std::move(splice));
}

}  // namespace colophon::label
