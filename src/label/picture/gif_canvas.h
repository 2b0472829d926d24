// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a GIF shows while its frames come and go: leave() the frame that is there, then come(), then
// lay() the next. Frames lie within the canvas (read_gif_animation()).

#include "core/bytes.h"
#include "label/picture/gif_frames.h"
#include "media/plane.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace colophon::label {

class GifCanvas {
public:
    GifCanvas() = default;
    GifCanvas(int width, int height)
        : width_(width),
          colours_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {}

    // Row by row, 0xFFRRGGBB; 0 where nothing was painted.
    const std::vector<std::uint32_t>& colours() const noexcept { return colours_; }
    const std::uint32_t* at(int x, int y) const noexcept { return colours_.data() + place(x, y); }

    void leave(const GifFrame& frame) {
        if (frame.disposal == kGifDisposePrevious) {
            colours_ = std::move(saved_);
        } else if (frame.disposal == kGifDisposeClear) {
            clear(frame.rect);
        }
        saved_.clear();
    }
    void come(const GifFrame& frame) {
        if (frame.disposal == kGifDisposePrevious) {
            saved_ = colours_;
        }
    }
    // `indices` as decode_gif_frame() gives them; one without a colour in the table paints nothing.
    void lay(const GifFrame& frame, const std::vector<std::uint32_t>& table,
             const Buffer& indices) {
        const std::uint8_t* from = indices.data();
        for (int y = frame.rect.y; y < frame.rect.bottom(); ++y) {
            std::uint32_t* to = colours_.data() + place(frame.rect.x, y);
            for (int x = 0; x < frame.rect.width; ++x, ++from) {
                if (static_cast<int>(*from) != frame.transparent && *from < table.size()) {
                    to[x] = table[*from];
                }
            }
        }
    }

private:
    std::size_t place(int x, int y) const noexcept {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) +
               static_cast<std::size_t>(x);
    }
    void clear(const media::Rect& rect) {
        for (int y = rect.y; y < rect.bottom(); ++y) {
            std::fill_n(colours_.data() + place(rect.x, y), rect.width, 0U);
        }
    }

    int width_ = 0;
    std::vector<std::uint32_t> colours_;
    std::vector<std::uint32_t> saved_;  // what it becomes when the frame is gone
};

}  // namespace colophon::label
