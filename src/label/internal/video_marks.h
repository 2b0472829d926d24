// SPDX-License-Identifier: Apache-2.0
#pragma once

// The marks of a video that lie in its pictures, explicit label and watermark, written in one pass
// over them and read back from the coded result.

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "label/apply.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/verify.h"
#include "media/video.h"

#include <optional>
#include <string>
#include <string_view>

namespace colophon::label::internal {

struct VideoTask {
    Bytes file;                        // MP4 or MOV
    std::optional<std::string> words;  // of the explicit label; nothing: none is asked for
    bool watermark = false;
    std::optional<ContentId> content_id;  // of the watermark
    bool last = false;                    // the result of this step is the result
};

struct VideoMarked {
    Bytes file;            // owned by the holder when it was changed
    bool changed = false;  // false: the marks are there already, or could not be held
    std::optional<ExplicitReading> explicit_mark;
    std::optional<WatermarkVerification> watermark;
    Findings findings;
};

// kInvalidArgument: the video cannot hold the words or, unless `options` say that it is optional,
// the watermark. kConflict: an earlier mark of this issuer would stay beside the new number.
// kUnsupported, kCorrupt, kLimit: the file.
Result<VideoMarked> mark_video(const VideoTask& task, const ApplyOptions& options,
                               const Resources& resources, Holder& holder);

WatermarkVerification to_verification(VideoReading reading);

}  // namespace colophon::label::internal
