// SPDX-License-Identifier: Apache-2.0
#pragma once

// The explicit label of a video [GB45438-5.4]: text at an edge or in a corner of the opening
// picture, at least 5 % of the shortest side high, shown for at least two seconds at normal speed.
// We draw kInkHeightPercent from the first picture on for kVideoLabelSeconds, or to the end of a
// shorter video, and look at what a viewer sees of it afterwards.
//
// The text is white on a black plate of 75 % opacity. That does not depend on the picture, so that
// nothing flickers, and it is enough for every picture: white shining through the plate is at most
// 64 of 255 levels, a contrast of 10 to the text.

#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/image.h"
#include "label/explicit/reading.h"
#include "media/video.h"
#include "media/video_transcode.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace colophon::label {

inline constexpr double kVideoLabelSeconds = 3.0;     // what we draw
inline constexpr double kVideoLabelSecondsMin = 2.0;  // what the standard demands

class VideoLabel {
public:
    // kInvalidArgument when the picture cannot hold the text legibly.
    static Result<VideoLabel> create(const media::VideoFacts& facts, const ImageMark& mark,
                                     Bytes font);
    VideoLabel(VideoLabel&&) noexcept;
    VideoLabel& operator=(VideoLabel&&) noexcept;
    VideoLabel(const VideoLabel&) = delete;
    VideoLabel& operator=(const VideoLabel&) = delete;
    ~VideoLabel();

    // Draws where the time of the picture asks for it.
    void draw(media::VideoPicture& picture) const;
    // Measures it in the coded video, on every picture that must show it. Not found: on one of them
    // its contrast is below kContrastMin.
    Result<ExplicitReading> read_back(Bytes file, media::VideoContainer container) const;

private:
    struct State;
    explicit VideoLabel(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Looks for any of the wordings on the opening picture, and how long it stays there. Findings:
// explicit.height, explicit.contrast, explicit.duration, explicit.opening.
Result<ExplicitReading> find_video_mark(Bytes file, media::VideoContainer container, Bytes font,
                                        const std::vector<std::string>& wordings);

}  // namespace colophon::label
