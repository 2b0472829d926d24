// SPDX-License-Identifier: Apache-2.0
#pragma once

// How strong the mark of a video may be in each part of a picture: the deviation of the luma in
// square blocks, the least of a block and its four neighbours (beside an edge the flat side
// counts), followed slowly from one picture to the next, so that the mark does not flicker.

#include "media/video_transcode.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {

class VideoMask {
public:
    VideoMask(int width, int height);

    // Levels are those of 8 bits, whatever the depth.
    void follow(const media::VideoSamples& luma, int depth);

    int block() const noexcept { return block_; }
    int columns() const noexcept { return columns_; }
    int rows() const noexcept { return rows_; }
    // Row-major; a pattern of variance 1 is to be multiplied by it, up to a factor for all.
    const std::vector<float>& amplitudes() const noexcept { return amplitudes_; }
    double mean_square() const noexcept { return mean_square_; }

private:
    template <class Sample>
    void measure(const media::VideoSamples& luma, float scale);

    int width_;
    int height_;
    int block_;
    int columns_;
    int rows_;
    bool first_ = true;
    std::vector<float> deviations_;  // of the blocks of the picture at hand
    std::vector<float> activity_;    // followed
    std::vector<float> amplitudes_;
    double mean_square_ = 1;
    std::vector<std::uint32_t> sums_;
    std::vector<std::uint32_t> squares_;
};

}  // namespace colophon::label::internal
