// SPDX-License-Identifier: Apache-2.0
#pragma once

// GIF and animated PNG as rows of frames that carry a mark. The luma of a frame is that of the
// whole canvas when it is shown. Where a frame shows what the frame before showed already it keeps
// what was marked there, so that still parts stand still.

#include "core/bytes.h"
#include "core/result.h"
#include "label/container/png_chunks.h"
#include "label/watermark/internal/picture_file.h"

#include <memory>

namespace colophon::label::internal {

// `file` must outlive the objects. Frames are asked for from first to last; one that was passed
// costs all before it again, and then nothing can be added any more (asserted).
Result<std::unique_ptr<PictureFile>> open_gif(Bytes file);
Result<std::unique_ptr<PictureFile>> open_apng(Bytes file, PngFile png);

// kLimit above limits::kWatermarkPixelsMax.
Result<void> check_watermark_size(int width, int height);

}  // namespace colophon::label::internal
