// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/animations.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/png_chunks.h"
#include "label/picture/apng.h"
#include "label/picture/gif_canvas.h"
#include "label/picture/gif_frames.h"
#include "label/picture/recode.h"
#include "label/watermark/internal/gif_colours.h"
#include "label/watermark/internal/picture_file.h"
#include "label/watermark/internal/pixels.h"
#include "label/watermark/luma.h"
#include "media/image.h"
#include "media/plane.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::Image;

class GifPicture final : public PictureFile {
public:
    GifPicture(Bytes file, GifAnimation animation)
        : file_(file), animation_(std::move(animation)), written_(animation_.gif.blocks.size()) {}

    int count() const override { return static_cast<int>(animation_.frames.size()); }
    bool animated() const override { return count() > 1; }

    Result<Luma> luma(int index) override {
        TRY(check_watermark_size(animation_.width, animation_.height));
        if (index < next_ - 1 || next_ == 0) {
            restart();
        }
        while (next_ <= index) {
            TRY(show(next_++));
        }
        Luma luma(animation_.width, animation_.height);
        std::ranges::transform(original_.colours(), luma.values.begin(), luma_of_colour);
        return luma;
    }

    Result<void> add(int index, const Luma& pattern) override {
        COLOPHON_ASSERT(index == next_ - 1 && index == marked_next_);
        GifFrame frame = animation_.frames[static_cast<std::size_t>(index)];
        ColourCounts counts{};
        for (const std::uint8_t entry : indices_) {
            ++counts[entry];
        }
        const std::vector<std::uint32_t>& table = animation_.colours_of(frame);
        const std::vector<std::uint32_t> shaded = add_shades(table, counts, frame.transparent);
        frame.local = frame.local || shaded != table;
        Buffer indices = indices_;
        dither(frame, shaded, counts, pattern, indices);
        append_gif_frame(written_[frame.block], frame, shaded, indices);
        lay_marked(index, shaded, indices);
        return {};
    }

    Result<Recoded> finish() override {
        const std::vector<bool> dropped(written_.size(), false);
        Recoded recoded{
            .splice = splice_gif(file_, animation_.gif, make_gif_head(file_, animation_.colours),
                                 std::move(written_), dropped),
            .loss = {}};
        const double squared = squares_ / std::max(1.0, static_cast<double>(pixels_));
        recoded.loss = fmt::format(
            "a frame of a GIF has no more than 256 colours; the watermark is dithered into them, "
            "{:.0f} dB from the original",
            squared > 0 ? 10 * std::log10(255.0 * 255.0 / squared) : 99.0);
        return recoded;
    }

private:
    void restart() {
        COLOPHON_ASSERT(marked_next_ == 0);
        original_ = GifCanvas(animation_.width, animation_.height);
        marked_ = original_;
        next_ = 0;
    }

    Result<void> show(int index) {
        if (index > 0) {
            original_.leave(animation_.frames[static_cast<std::size_t>(index) - 1]);
        }
        const GifFrame& frame = animation_.frames[static_cast<std::size_t>(index)];
        indices_ = TRY(decode_gif_frame(frame));
        original_.come(frame);
        // Which pixels the frame paints as they are.
        const std::vector<std::uint32_t>& table = animation_.colours_of(frame);
        still_.assign(indices_.size(), 0);
        std::size_t i = 0;
        for (int y = frame.rect.y; y < frame.rect.bottom(); ++y) {
            const std::uint32_t* there = original_.at(frame.rect.x, y);
            for (int x = 0; x < frame.rect.width; ++x, ++i) {
                still_[i] = indices_[i] < table.size() && table[indices_[i]] == there[x] ? 1 : 0;
            }
        }
        original_.lay(frame, table, indices_);
        return {};
    }

    void dither(const GifFrame& frame, const std::vector<std::uint32_t>& table,
                const ColourCounts& counts, const Luma& pattern, Buffer& indices) {
        Ditherer ditherer(table, counts, frame.transparent, frame.rect.width);
        leave_marked();
        asked_ = 0;
        answer_ = Ditherer::kFree;
        std::vector<int> wanted(static_cast<std::size_t>(frame.rect.width));
        std::size_t at = 0;
        for (int y = 0; y < frame.rect.height; ++y) {
            const std::uint32_t* before = marked_.at(frame.rect.x, frame.rect.y + y);
            for (int x = 0; x < frame.rect.width; ++x) {
                const bool still = still_[at + static_cast<std::size_t>(x)] != 0;
                wanted[static_cast<std::size_t>(x)] =
                    still ? entry_of(table, before[x], frame.transparent) : Ditherer::kFree;
            }
            ditherer.row(pattern.row(frame.rect.y + y) + frame.rect.x, wanted.data(),
                         indices.data() + at);
            at += wanted.size();
        }
    }

    // The last colour that was asked for is asked for again nearly always.
    int entry_of(const std::vector<std::uint32_t>& table, std::uint32_t colour, int transparent) {
        if (asked_ != colour) {
            asked_ = colour;
            answer_ = Ditherer::kFree;
            for (std::size_t i = 0; i < table.size(); ++i) {
                if (table[i] == colour && static_cast<int>(i) != transparent) {
                    answer_ = static_cast<int>(i);
                    break;
                }
            }
        }
        return answer_;
    }

    void leave_marked() {
        if (marked_next_ > 0) {
            marked_.leave(animation_.frames[static_cast<std::size_t>(marked_next_) - 1]);
        }
    }
    // After leave_marked().
    void lay_marked(int index, const std::vector<std::uint32_t>& table, const Buffer& indices) {
        const GifFrame& frame = animation_.frames[static_cast<std::size_t>(index)];
        marked_.come(frame);
        marked_.lay(frame, table, indices);
        marked_next_ = index + 1;
        for (std::size_t i = 0; i < marked_.colours().size(); ++i) {
            const double difference =
                luma_of_colour(marked_.colours()[i]) - luma_of_colour(original_.colours()[i]);
            squares_ += difference * difference;
        }
        pixels_ += marked_.colours().size();
    }

    Bytes file_;
    GifAnimation animation_;
    GifCanvas original_;
    int next_ = 0;                     // frames that were laid there
    Buffer indices_;                   // of the last of them
    std::vector<std::uint8_t> still_;  // of its pixels: shown already
    GifCanvas marked_;
    int marked_next_ = 0;
    std::vector<Buffer> written_;  // of each block
    double squares_ = 0;
    std::size_t pixels_ = 0;
    std::uint32_t asked_ = 0;  // of the table of this frame; 0 is no colour
    int answer_ = Ditherer::kFree;
};

class ApngPicture final : public PictureFile {
public:
    ApngPicture(Bytes file, PngFile png, ApngCanvases canvases)
        : file_(file), png_(std::move(png)), canvases_(std::move(canvases)) {}

    int count() const override { return canvases_.count(); }
    bool animated() const override { return true; }

    Result<Luma> luma(int index) override {
        TRY(check_watermark_size(canvases_.width(), canvases_.height()));
        if (index < next_ - 1) {
            COLOPHON_ASSERT(put_ == 0);
            canvases_ = TRY(ApngCanvases::open(file_, png_));
            next_ = 0;
        }
        while (next_ <= index) {
            shown_ = TRY(canvases_.next());
            ++next_;
        }
        return luma_of(*shown_, 0);
    }

    Result<void> add(int index, const Luma& pattern) override {
        COLOPHON_ASSERT(index == next_ - 1 && index == put_);
        ++put_;
        Image marked = *shown_;
        add_to_image(marked, 0, pattern);
        // The picture that is no frame has nothing to do with the first that is one.
        if (index > (canvases_.has_still() ? 1 : 0)) {
            keep_still_pixels({.before = before_, .marked_before = marked_before_}, *shown_,
                              marked);
        }
        before_ = *shown_;
        marked_before_ = marked;
        return canvases_.put(std::move(marked));
    }

    Result<Recoded> finish() override { return Recoded{.splice = canvases_.finish(), .loss = {}}; }

private:
    Bytes file_;
    PngFile png_;
    ApngCanvases canvases_;
    const Image* shown_ = nullptr;
    int next_ = 0;
    int put_ = 0;
    Image before_;
    Image marked_before_;
};

}  // namespace

Result<void> check_watermark_size(int width, int height) {
    const std::uint64_t pixels =
        static_cast<std::uint64_t>(width) * static_cast<std::uint64_t>(height);
    if (pixels > limits::kWatermarkPixelsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a picture of {} x {} pixels is above the limit of {} megapixels "
                                 "for watermarks",
                                 width, height, limits::kWatermarkPixelsMax / 1'000'000)};
    }
    return {};
}

Result<std::unique_ptr<PictureFile>> open_gif(Bytes file) {
    GifAnimation animation = TRY(read_gif_animation(file));
    return std::unique_ptr<PictureFile>(std::make_unique<GifPicture>(file, std::move(animation)));
}

Result<std::unique_ptr<PictureFile>> open_apng(Bytes file, PngFile png) {
    ApngCanvases canvases = TRY(ApngCanvases::open(file, png));
    return std::unique_ptr<PictureFile>(
        std::make_unique<ApngPicture>(file, std::move(png), std::move(canvases)));
}

}  // namespace colophon::label::internal
