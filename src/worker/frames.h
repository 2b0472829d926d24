// SPDX-License-Identifier: Apache-2.0
#pragma once

// Single pictures out of a video, for whoever is to look at it: spread over all of it, small, in
// colour, as PNG. The worker writes them one behind the other into a file and says how long each
// is; what it says is read as strictly as everything else.

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "label/format.h"
#include "media/codecs.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::worker {

inline constexpr std::size_t kFramesMax = 16;
inline constexpr int kFrameSideMax = 512;
inline constexpr std::int64_t kFrameStepMs = 500;  // of the shortest videos

struct FileFrame {
    std::int64_t time_ms = 0;  // since the first frame of the video
    Buffer picture;            // PNG
};

media::CodecSet frame_codecs() noexcept;

// In the worker. The first frame, and then one each kFrameStepMs; whenever they become too many,
// every second one goes and the step is twice as long, so that the length that the file says
// matters nothing. The last is at most a quarter of a step, or kFrameStepMs, from the end.
// kUnsupported for what is no video, kCorrupt when no picture can be decoded.
Result<std::vector<FileFrame>> make_frames(Bytes file, label::Format format);

// [{"time_ms": 0, "bytes": 4711}, ...]
json::Value encode(const std::vector<FileFrame>& frames);
// `pictures`: their files, one behind the other. kCorrupt unless they fill them.
Result<std::vector<FileFrame>> decode_frames(const json::Value& value, Bytes pictures);

}  // namespace colophon::worker
