// SPDX-License-Identifier: Apache-2.0
#pragma once

// An animated PNG (W3C PNG third edition, chapter 4.9 and 11.3.5) as what it shows.
//
// A frame of the file is a piece of the canvas that is laid over what is there, and what is there
// afterwards depends on how it is disposed of. What is drawn must stand in what is shown, so the
// canvas of each frame is put together, changed, and the piece in which it differs from the changed
// canvas before is stored, to replace what is there. Nothing else changes; only overlays that are
// half transparent are rounded here instead of in the viewer.
//
//   acTL | fcTL 0, IDAT | fcTL 1, fdAT 1 ... | other chunks
//
// Without an fcTL before IDAT the picture there is shown by viewers that know no animation only; it
// is no frame, but comes first among the canvases.

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/png_chunks.h"
#include "media/image.h"

#include <memory>
#include <string_view>

namespace colophon::label {

bool is_apng(const PngFile& png);

// Canvases in their order, each changed or not; at most a few of them are in memory.
class ApngCanvases {
public:
    // `file` must outlive the object. kCorrupt, kLimit: what cannot be an animation of ours.
    static Result<ApngCanvases> open(Bytes file, PngFile png);
    ApngCanvases(ApngCanvases&&) noexcept;
    ApngCanvases& operator=(ApngCanvases&&) noexcept;
    ApngCanvases(const ApngCanvases&) = delete;
    ApngCanvases& operator=(const ApngCanvases&) = delete;
    ~ApngCanvases();

    int width() const noexcept;
    int height() const noexcept;
    int count() const noexcept;
    // Whether canvas 0 is the picture that is no frame.
    bool has_still() const noexcept;

    // The next one: grey or RGB with alpha, 8 or 16 bits a sample. Valid until the call after.
    Result<const media::Image*> next();
    // The same with something drawn on it, to be written; once for each, in their order.
    Result<void> put(media::Image changed);
    // The original with all its pictures exchanged. Chunks that speak of the old samples or palette
    // go when those are no more.
    Splice finish();

private:
    struct State;
    explicit ApngCanvases(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace colophon::label
