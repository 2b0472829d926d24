// SPDX-License-Identifier: Apache-2.0
// The mark in a GIF, on every frame that is shown.
//
// Frames are edited where they are, as colour indices: no frame is composed or quantized again, so
// that delays, disposal, extensions and all pixels outside the plate stay. For each pixel of the
// plate we follow whether the canvas shows the mark there. A frame that paints over it gets the
// mark in those pixels; one that leaves the canvas bare there (the first frame is small, or an
// earlier one was cleared) grows until it covers the plate, transparent elsewhere.
//
// The plate is opaque: its greys are taken from colour table entries that no frame uses, then
// appended, and where the table is full the nearest colours serve.
#include "core/bytes.h"
#include "core/result.h"
#include "label/container/gif_blocks.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_layout.h"
#include "label/explicit/internal/image_palette.h"
#include "label/picture/gif_frames.h"
#include "media/plane.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using media::Rect;

constexpr int kShades = 8;

struct ColourTable {
    std::vector<std::uint32_t> colours;  // 0xFFRRGGBB
    std::vector<std::uint8_t> used = std::vector<std::uint8_t>(256, 0);
    std::array<std::uint8_t, kShades> shades{};  // entry of each grey of the mark
    bool prepared = false;
};

struct Frame : GifFrame {
    ColourTable table;  // local only
};

struct Canvas {
    int width = 0;
    int height = 0;
    std::vector<std::uint8_t> painted;  // something is shown at the pixel
    std::vector<std::uint8_t> marked;   // it is the mark

    std::size_t at(int x, int y) const {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
               static_cast<std::size_t>(x);
    }
};

class GifMarker {
public:
    GifMarker(const Drawing& drawing, GifAnimation animation);
    Result<Drawn> run();

private:
    Result<void> count_uses();
    Result<void> choose_polarity();
    void prepare(ColourTable& table);
    ColourTable& table_of(Frame& frame) { return frame.local ? frame.table : global_; }
    bool covers(int x, int y) const {
        return overlay_.plate.at(x - overlay_.rect.x, y - overlay_.rect.y) >= 128;
    }
    int shade(int x, int y) const {
        const int ink = overlay_.text.at(x - overlay_.rect.x, y - overlay_.rect.y);
        const int level = (ink * (kShades - 1) + 127) / 255;
        return white_text_ ? level : kShades - 1 - level;
    }
    Result<bool> mark_frame(Frame& frame, Buffer& pixels);
    bool needs_growth(const Frame& frame) const;
    bool clears_picture(const Frame& frame, const Rect& larger) const;
    Result<void> grow(Frame& frame, Buffer& pixels);
    void write_control(Buffer& out, const Frame& frame);

    const Drawing& drawing_;
    GifFile gif_;
    Canvas canvas_;
    Overlay overlay_;
    bool white_text_ = true;
    ColourTable global_;
    std::vector<Frame> frames_;
};

GifMarker::GifMarker(const Drawing& drawing, GifAnimation animation)
    : drawing_(drawing), gif_(std::move(animation.gif)) {
    canvas_.width = animation.width;
    canvas_.height = animation.height;
    const std::size_t pixels =
        static_cast<std::size_t>(canvas_.width) * static_cast<std::size_t>(canvas_.height);
    canvas_.painted.assign(pixels, 0);
    canvas_.marked.assign(pixels, 0);
    if (!animation.colours.empty()) {
        global_.colours = std::move(animation.colours);
        global_.used[drawing.file[11]] = 1;  // the background
    }
    for (GifFrame& frame : animation.frames) {
        Frame kept{{std::move(frame)}, {}};
        kept.table.colours = std::move(kept.colours);
        frames_.push_back(std::move(kept));
    }
}

Result<void> GifMarker::count_uses() {
    for (Frame& frame : frames_) {
        ColourTable& table = table_of(frame);
        for (const std::uint8_t index : TRY(decode_gif_frame(frame))) {
            table.used[index] = 1;
        }
        if (frame.transparent >= 0) {
            table.used[static_cast<std::size_t>(frame.transparent)] = 1;
        }
    }
    return {};
}

// White text on black or black on white: whichever is nearer to what lies there in the first frame.
Result<void> GifMarker::choose_polarity() {
    Frame& frame = frames_.front();
    const Buffer pixels = TRY(decode_gif_frame(frame));
    const ColourTable& table = table_of(frame);
    const Rect area = media::intersect(frame.rect, overlay_.rect);
    std::uint64_t sum = 0;
    std::uint64_t count = 0;
    for (int y = area.y; y < area.bottom(); ++y) {
        for (int x = area.x; x < area.right(); ++x) {
            const std::size_t i = static_cast<std::size_t>(y - frame.rect.y) *
                                      static_cast<std::size_t>(frame.rect.width) +
                                  static_cast<std::size_t>(x - frame.rect.x);
            const std::size_t index = pixels[i];
            if (index < table.colours.size() && static_cast<int>(index) != frame.transparent) {
                sum += table.colours[index] >> 8U & 0xFFU;
                ++count;
            }
        }
    }
    white_text_ = count == 0 || sum / count < 160;
    return {};
}

// Gives a colour table the greys of the mark, as far as there is room.
void GifMarker::prepare(ColourTable& table) {
    if (table.prepared) {
        return;
    }
    table.prepared = true;
    for (const std::uint32_t grey : mark_greys(white_text_)) {
        if (std::find(table.colours.begin(), table.colours.end(), grey) != table.colours.end()) {
            const auto found = std::find(table.colours.begin(), table.colours.end(), grey);
            table.used[static_cast<std::size_t>(found - table.colours.begin())] = 1;
            continue;
        }
        std::size_t free = 0;
        while (free < table.colours.size() && table.used[free] != 0) {
            ++free;
        }
        if (free < 256) {
            table.colours.resize(std::max(table.colours.size(), free + 1), 0xFF000000U);
            table.colours[free] = grey;
            table.used[free] = 1;
        }
    }
}

bool GifMarker::needs_growth(const Frame& frame) const {
    for (int y = overlay_.rect.y; y < overlay_.rect.bottom(); ++y) {
        for (int x = overlay_.rect.x; x < overlay_.rect.right(); ++x) {
            const bool inside = frame.rect.contains({x, y, 1, 1});
            if (covers(x, y) && !inside && canvas_.marked[canvas_.at(x, y)] == 0) {
                return true;
            }
        }
    }
    return false;
}

// Whether clearing `larger` instead of the frame's own rectangle would take away what earlier
// frames painted.
bool GifMarker::clears_picture(const Frame& frame, const Rect& larger) const {
    for (int y = larger.y; y < larger.bottom(); ++y) {
        for (int x = larger.x; x < larger.right(); ++x) {
            const std::size_t at = canvas_.at(x, y);
            const bool kept = canvas_.painted[at] != 0 && canvas_.marked[at] == 0;
            if (kept && !frame.rect.contains({x, y, 1, 1})) {
                return true;
            }
        }
    }
    return false;
}

// Makes the frame cover the plate, transparent where it did not paint before.
Result<void> GifMarker::grow(Frame& frame, Buffer& pixels) {
    const Rect& old = frame.rect;
    Rect larger{std::min(old.x, overlay_.rect.x), std::min(old.y, overlay_.rect.y), 0, 0};
    larger.width = std::max(old.right(), overlay_.rect.right()) - larger.x;
    larger.height = std::max(old.bottom(), overlay_.rect.bottom()) - larger.y;
    if (frame.disposal == 2 && clears_picture(frame, larger)) {
        return Error{ErrorCode::kUnsupported,
                     "a GIF whose frames clear parts of the picture; write it with full frames "
                     "first"};
    }
    ColourTable& table = table_of(frame);
    if (frame.transparent < 0) {
        std::size_t free = 0;
        while (free < table.colours.size() && table.used[free] != 0) {
            ++free;
        }
        if (free == 256) {
            return Error{ErrorCode::kUnsupported,
                         "a GIF frame with 256 colours that leaves the place of the mark bare; "
                         "write it with full frames first"};
        }
        table.colours.resize(std::max(table.colours.size(), free + 1), 0xFF000000U);
        table.used[free] = 1;
        frame.transparent = static_cast<int>(free);
    }
    Buffer grown(larger.area(), static_cast<std::uint8_t>(frame.transparent));
    for (int y = 0; y < old.height; ++y) {
        std::copy_n(pixels.begin() + static_cast<std::ptrdiff_t>(y) * old.width, old.width,
                    grown.begin() +
                        static_cast<std::ptrdiff_t>(y + old.y - larger.y) * larger.width +
                        (old.x - larger.x));
    }
    pixels = std::move(grown);
    frame.rect = larger;
    return {};
}

// Draws into the frame, follows the canvas, and says whether the frame changed.
Result<bool> GifMarker::mark_frame(Frame& frame, Buffer& pixels) {
    ColourTable& table = table_of(frame);
    prepare(table);
    bool changed = false;
    if (needs_growth(frame)) {
        TRY(grow(frame, pixels));
        changed = true;
    }
    for (std::size_t i = 0; i < kShades; ++i) {
        const auto level = static_cast<std::uint32_t>(i * 255 / (kShades - 1));
        table.shades[i] = static_cast<std::uint8_t>(nearest_entry(
            table.colours, 0xFF000000U | level << 16U | level << 8U | level, frame.transparent));
    }
    const Canvas before = frame.disposal == 3 ? canvas_ : Canvas();
    for (int y = frame.rect.y; y < frame.rect.bottom(); ++y) {
        for (int x = frame.rect.x; x < frame.rect.right(); ++x) {
            std::uint8_t& index = pixels[static_cast<std::size_t>(y - frame.rect.y) *
                                             static_cast<std::size_t>(frame.rect.width) +
                                         static_cast<std::size_t>(x - frame.rect.x)];
            const std::size_t at = canvas_.at(x, y);
            const bool clear = static_cast<int>(index) == frame.transparent;
            const bool plate = overlay_.rect.contains({x, y, 1, 1}) && covers(x, y);
            if (plate && (!clear || canvas_.marked[at] == 0)) {
                index = table.shades[static_cast<std::size_t>(shade(x, y))];
                canvas_.marked[at] = 1;
                canvas_.painted[at] = 1;
                changed = true;
            } else if (!clear) {
                canvas_.painted[at] = 1;
            }
        }
    }
    if (frame.disposal == 3) {
        canvas_ = before;
    } else if (frame.disposal == 2) {
        for (int y = frame.rect.y; y < frame.rect.bottom(); ++y) {
            const std::size_t at = canvas_.at(frame.rect.x, y);
            std::fill_n(canvas_.painted.begin() + static_cast<std::ptrdiff_t>(at), frame.rect.width,
                        0);
            std::fill_n(canvas_.marked.begin() + static_cast<std::ptrdiff_t>(at), frame.rect.width,
                        0);
        }
    }
    return changed;
}

void GifMarker::write_control(Buffer& out, const Frame& frame) {
    std::uint8_t flags = 0;
    std::uint16_t delay = 0;
    if (frame.control) {
        const Bytes fields = gif_.blocks[*frame.control].sub_blocks;
        if (fields.size() >= 5) {
            flags = fields[1];
            delay = load_le16(fields.subspan(2));
        }
    }
    if (frame.transparent >= 0) {
        flags |= 1U;
    }
    append(out, std::string_view("\x21\xF9\x04", 3));
    out.push_back(flags);
    append_le16(out, delay);
    out.push_back(frame.transparent >= 0 ? static_cast<std::uint8_t>(frame.transparent)
                                         : std::uint8_t{0});
    out.push_back(0);
}

Result<Drawn> GifMarker::run() {
    overlay_ = TRY(plan_overlay(drawing_, canvas_.width, canvas_.height, 1));
    TRY(count_uses());
    TRY(choose_polarity());
    std::vector<Buffer> changed(gif_.blocks.size());
    std::vector<bool> dropped(gif_.blocks.size(), false);
    // Tables are complete only when all frames are drawn: frames are kept as pixels until then.
    std::vector<Buffer> drawn(frames_.size());
    double contrast = 21;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
        Frame& frame = frames_[i];
        Buffer pixels = TRY(decode_gif_frame(frame));
        const int transparent = frame.transparent;
        if (TRY(mark_frame(frame, pixels))) {
            drawn[i] = std::move(pixels);
            const ColourTable& table = table_of(frame);
            const auto luminance_of = [&](int shade_index) {
                const std::uint32_t c =
                    table.colours[table.shades[static_cast<std::size_t>(shade_index)]];
                Patch one;
                const float pixel[3] = {static_cast<float>(c >> 16U & 0xFFU) / 255.0F,
                                        static_cast<float>(c >> 8U & 0xFFU) / 255.0F,
                                        static_cast<float>(c & 0xFFU) / 255.0F};
                return luminance(one, pixel);
            };
            contrast =
                std::min(contrast, (luminance_of(kShades - 1) + 0.05) / (luminance_of(0) + 0.05));
        }
        if (frame.transparent != transparent && frame.control) {
            dropped[*frame.control] = true;
        }
        if (frame.transparent == transparent) {
            continue;
        }
        write_control(changed[frame.block], frame);
    }
    for (std::size_t i = 0; i < frames_.size(); ++i) {
        if (!drawn[i].empty()) {
            append_gif_frame(changed[frames_[i].block], frames_[i], table_of(frames_[i]).colours,
                             drawn[i]);
        }
    }
    Drawn out;
    out.contrast = contrast;
    out.height_percent = height_percent(overlay_, canvas_.width, canvas_.height);
    out.splice = splice_gif(drawing_.file, gif_, make_gif_head(drawing_.file, global_.colours),
                            std::move(changed), dropped);
    return out;
}

}  // namespace

Result<Drawn> draw_gif(const Drawing& drawing) {
    GifAnimation animation = TRY(read_gif_animation(drawing.file));
    return GifMarker(drawing, std::move(animation)).run();
}

}  // namespace colophon::label::internal
