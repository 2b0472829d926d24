// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/video.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/image.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_find.h"
#include "label/explicit/internal/image_layout.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "media/image.h"
#include "media/plane.h"
#include "media/text_raster.h"
#include "media/video.h"
#include "media/video_transcode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::Overlay;
using media::Rect;

constexpr float kPlateOpacity = 0.75F;
constexpr std::int64_t kDrawnMicroseconds =
    static_cast<std::int64_t>(kVideoLabelSeconds * 1'000'000);

// What becomes of the samples of one component under the label: sample * keep + add, both in
// 1/kOne, over a rectangle of that component.
struct Cover {
    Rect rect;
    std::vector<std::uint16_t> keep;
    std::vector<std::uint32_t> add;
};
constexpr float kOne = 256;

// Samples that mean black, white and no colour.
struct Levels {
    float black = 16;
    float white = 235;
    float grey = 128;
};

Levels levels_of(const media::VideoFacts& facts) {
    const auto scale = static_cast<float>(1 << (facts.depth - 8));
    Levels levels{.black = 16 * scale, .white = 235 * scale, .grey = 128 * scale};
    if (facts.full_range) {
        levels.black = 0;
        levels.white = 256 * scale - 1;
    }
    return levels;
}

Cover cover_luma(const Overlay& overlay, const Levels& levels) {
    Cover cover{.rect = overlay.rect, .keep = {}, .add = {}};
    for (std::size_t i = 0; i < overlay.rect.area(); ++i) {
        const internal::Weights weights =
            internal::weights(overlay.plate.coverage[i], overlay.text.coverage[i], kPlateOpacity);
        const float kept = 1 - weights.text - weights.plate;
        cover.keep.push_back(static_cast<std::uint16_t>(std::lrint(kOne * kept)));
        cover.add.push_back(static_cast<std::uint32_t>(
            std::lrint(kOne * (weights.text * levels.white + weights.plate * levels.black))));
    }
    return cover;
}

// A sample of colour covers `across` x `down` of luma and loses as much as they do on average.
Cover cover_chroma(const Overlay& overlay, const Levels& levels, int across, int down) {
    const Rect& all = overlay.rect;
    const Rect rect{all.x / across, all.y / down, (all.right() - 1) / across - all.x / across + 1,
                    (all.bottom() - 1) / down - all.y / down + 1};
    Cover cover{.rect = rect, .keep = {}, .add = {}};
    for (int y = rect.y; y < rect.bottom(); ++y) {
        for (int x = rect.x; x < rect.right(); ++x) {
            const Rect block = media::intersect(all, {x * across, y * down, across, down});
            float taken = 0;
            for (int j = block.y; j < block.bottom(); ++j) {
                for (int i = block.x; i < block.right(); ++i) {
                    const internal::Weights weights =
                        internal::weights(overlay.plate.at(i - all.x, j - all.y),
                                          overlay.text.at(i - all.x, j - all.y), kPlateOpacity);
                    taken += weights.text + weights.plate;
                }
            }
            taken /= static_cast<float>(across * down);
            cover.keep.push_back(static_cast<std::uint16_t>(std::lrint(kOne * (1 - taken))));
            cover.add.push_back(static_cast<std::uint32_t>(std::lrint(kOne * taken * levels.grey)));
        }
    }
    return cover;
}

template <class Sample>
void apply(const Cover& cover, const media::VideoSamples& samples, unsigned most) {
    const Rect part = media::intersect(cover.rect, {0, 0, samples.width, samples.height});
    for (int y = part.y; y < part.bottom(); ++y) {
        auto* row = reinterpret_cast<Sample*>(samples.row(y));
        std::size_t at =
            static_cast<std::size_t>(y - cover.rect.y) * static_cast<std::size_t>(cover.rect.width);
        for (int x = part.x; x < part.right(); ++x, ++at) {
            constexpr unsigned kHalf = 128;
            const unsigned value = (row[x] * cover.keep[at] + cover.add[at] + kHalf) >> 8U;
            row[x] = static_cast<Sample>(std::min(value, most));
        }
    }
}

media::Image as_image(media::VideoFrame frame) {
    media::Image image;
    image.width = frame.luma.area.width;
    image.height = frame.luma.area.height;
    image.channels = 1;
    image.space = media::ColourSpace::kGrey;
    image.pixels = std::move(frame.luma.samples);
    return image;
}

// The shortest side that a viewer sees, in stored lines of the picture: pixels that are not square
// make the picture wider or narrower, never higher.
double shortest_displayed(int width, int height, double sample_aspect) {
    return std::min(width * sample_aspect, static_cast<double>(height));
}

}  // namespace

struct VideoLabel::State {
    ImageMark mark;
    Overlay overlay;
    media::VideoFacts facts;
    double height_percent = 0;
    Cover luma;
    // For the subsampling of the first picture, which is that of all.
    mutable std::optional<Cover> chroma;
};

VideoLabel::VideoLabel(std::unique_ptr<State> state) : state_(std::move(state)) {}
VideoLabel::VideoLabel(VideoLabel&&) noexcept = default;
VideoLabel& VideoLabel::operator=(VideoLabel&&) noexcept = default;
VideoLabel::~VideoLabel() = default;

Result<VideoLabel> VideoLabel::create(const media::VideoFacts& facts, const ImageMark& mark,
                                      Bytes font) {
    const media::Typeface typeface = TRY(media::Typeface::create(font));
    const bool sideways = internal::turns_sideways(facts.orientation);
    const int width = sideways ? facts.height : facts.width;
    const int height = sideways ? facts.width : facts.height;
    const Overlay displayed = TRY(internal::lay_out(typeface, mark, width, height));
    auto state = std::make_unique<State>();
    state->mark = mark;
    state->facts = facts;
    state->overlay = internal::orient(displayed, facts.orientation, facts.width, facts.height);
    const double aspect = sideways ? 1 / facts.sample_aspect : facts.sample_aspect;
    state->height_percent =
        100.0 * displayed.ink_height / shortest_displayed(width, height, aspect);
    if (state->height_percent < kInkHeightPercentMin) {
        return Error{ErrorCode::kUnsupported,
                     "the pixels of this video are too wide for the label to be drawn as high as "
                     "it must be; scale it to square pixels first"};
    }
    state->luma = cover_luma(state->overlay, levels_of(facts));
    return VideoLabel(std::move(state));
}

void VideoLabel::draw(media::VideoPicture& picture) const {
    if (picture.time_us >= kDrawnMicroseconds) {
        return;
    }
    const media::VideoSamples& luma = picture.planes[0];
    const media::VideoSamples& blue = picture.planes[1];
    if (!state_->chroma) {
        const int across = (luma.width + blue.width - 1) / blue.width;
        const int down = (luma.height + blue.height - 1) / blue.height;
        state_->chroma = cover_chroma(state_->overlay, levels_of(state_->facts), across, down);
    }
    const std::array<const Cover*, 3> covers{&state_->luma, &*state_->chroma, &*state_->chroma};
    const unsigned most = (1U << static_cast<unsigned>(picture.depth)) - 1;
    for (std::size_t i = 0; i < covers.size(); ++i) {
        if (picture.depth > 8) {
            apply<std::uint16_t>(*covers[i], picture.planes[i], most);
        } else {
            apply<std::uint8_t>(*covers[i], picture.planes[i], most);
        }
    }
}

Result<ExplicitReading> VideoLabel::read_back(Bytes file, media::VideoContainer container) const {
    const internal::Compared compared = internal::compared_pixels(state_->overlay);
    media::VideoFrames frames = TRY(media::VideoFrames::open(file, container));
    ExplicitReading reading{.found = true,
                            .text = state_->mark.text,
                            .where = std::string(image_place_name(state_->mark.place)),
                            .height_percent = state_->height_percent,
                            .contrast = 21,
                            .findings = {}};
    std::optional<media::VideoFrame> frame = TRY(frames.next(0));
    reading.found = frame.has_value();
    // [GB45438-5.4] Two seconds from the opening picture on; all of a video that is shorter.
    while (frame && static_cast<double>(frame->time_ms) < 1000 * kVideoLabelSecondsMin) {
        reading.seconds = static_cast<double>(frame->time_ms) / 1000;
        const media::Image image = as_image(std::move(*frame));
        const internal::Patch patch = internal::take_patch(image, state_->overlay.rect, 0);
        reading.contrast = std::min(
            *reading.contrast, internal::measure_contrast(patch, state_->overlay, compared, true));
        frame = TRY(frames.next(0));
    }
    if (frame) {
        reading.seconds = kVideoLabelSecondsMin;
    }
    reading.found = reading.found && *reading.contrast >= kContrastMin;
    return reading;
}

namespace {

// What stands on one picture.
struct Seen {
    internal::Match match;
    ImagePlace place = ImagePlace::kBottomRight;
};

Result<std::optional<Seen>> look(media::VideoFrame frame, int orientation,
                                 const media::Typeface& typeface,
                                 const std::vector<std::string>& wordings) {
    const media::Image image = as_image(std::move(frame));
    const internal::SearchView view = internal::view_of(image, orientation);
    const std::optional<internal::Match> match = TRY(internal::search(view, typeface, wordings));
    if (!match || match->score < internal::kMatchAccept) {
        return std::optional<Seen>();
    }
    return std::optional(
        Seen{.match = *match, .place = internal::place_of(match->box, view.width, view.height)});
}

void judge(ExplicitReading& reading, bool to_the_end) {
    if (*reading.height_percent < kInkHeightPercentMin) {
        warn(reading.findings, "explicit.height",
             fmt::format("the mark is {:.2f} % of the shortest side high, the standard asks for at "
                         "least {:.0f} %",
                         *reading.height_percent, kInkHeightPercentMin));
    }
    if (*reading.contrast < kContrastMin) {
        warn(reading.findings, "explicit.contrast",
             fmt::format("the contrast of the mark is {:.2f}:1, below {:.1f}:1", *reading.contrast,
                         kContrastMin));
    }
    // [GB45438-5.4] At least two seconds at normal speed; a video that ends before shows it all.
    if (!to_the_end && *reading.seconds < kVideoLabelSecondsMin) {
        warn(reading.findings, "explicit.duration",
             fmt::format("the mark is shown for {:.1f} s, the standard asks for at least {:.0f} s",
                         *reading.seconds, kVideoLabelSecondsMin));
    }
}

}  // namespace

Result<ExplicitReading> find_video_mark(Bytes file, media::VideoContainer container, Bytes font,
                                        const std::vector<std::string>& wordings) {
    constexpr std::int64_t kStepMs = 240;
    const media::Typeface typeface = TRY(media::Typeface::create(font));
    media::VideoFrames frames = TRY(media::VideoFrames::open(file, container));
    const int orientation = frames.orientation();
    ExplicitReading reading;
    std::optional<media::VideoFrame> frame = TRY(frames.next(0));
    std::optional<Seen> first;
    std::int64_t begin_ms = 0;
    // Some videos fade in from black.
    for (int attempt = 0; attempt < 2 && frame && !first; ++attempt) {
        begin_ms = frame->time_ms;
        first = TRY(look(std::move(*frame), orientation, typeface, wordings));
        if (!first) {
            frame = TRY(frames.next(begin_ms + kStepMs));
        }
    }
    if (!first) {
        return reading;
    }
    reading.found = true;
    reading.text = first->match.text;
    reading.where = std::string(image_place_name(first->place));
    reading.height_percent = first->match.height_percent;
    reading.contrast = first->match.contrast;
    if (begin_ms > 0) {
        warn(reading.findings, "explicit.opening",
             "the mark is not on the very first picture of the video");
    }
    std::int64_t shown_ms = 0;
    bool to_the_end = false;
    while (static_cast<double>(shown_ms) < 1000 * kVideoLabelSecondsMin) {
        frame = TRY(frames.next(begin_ms + shown_ms + kStepMs));
        to_the_end = !frame.has_value();
        if (to_the_end) {
            break;
        }
        const std::int64_t time_ms = frame->time_ms;
        const std::optional<Seen> again =
            TRY(look(std::move(*frame), orientation, typeface, {first->match.text}));
        if (!again || again->place != first->place) {
            break;
        }
        shown_ms = time_ms - begin_ms;
        reading.contrast = std::min(*reading.contrast, again->match.contrast);
    }
    reading.seconds = static_cast<double>(shown_ms) / 1000;
    judge(reading, to_the_end);
    return reading;
}

}  // namespace colophon::label
