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
#include "core/limits.h"
#include "core/result.h"
#include "label/container/gif_blocks.h"
#include "label/explicit/internal/gif_lzw.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_draw.h"
#include "label/explicit/internal/image_layout.h"
#include "label/explicit/internal/image_palette.h"
#include "media/plane.h"

#include <fmt/format.h>

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

constexpr std::size_t kScreenEnd = 13;  // signature and logical screen descriptor
constexpr int kShades = 8;
constexpr int kScreenSideMax = 65535;  // frames that reach beyond cannot be written larger

struct ColourTable {
    std::vector<std::uint32_t> colours;  // 0xFFRRGGBB
    std::vector<std::uint8_t> used = std::vector<std::uint8_t>(256, 0);
    std::array<std::uint8_t, kShades> shades{};  // entry of each grey of the mark
    bool prepared = false;
};

struct Frame {
    std::size_t block = 0;               // index of the picture in GifFile::blocks
    std::optional<std::size_t> control;  // index of its graphic control extension
    Rect rect;
    bool interlaced = false;
    bool sorted = false;
    bool local = false;
    ColourTable table;  // local only
    int code_bits = 0;
    int transparent = -1;
    int disposal = 0;
    Bytes coded;  // sub-blocks
};

std::vector<std::uint32_t> read_colours(Bytes bytes) {
    std::vector<std::uint32_t> colours;
    for (std::size_t i = 0; i + 2 < bytes.size(); i += 3) {
        colours.push_back(0xFF000000U | static_cast<std::uint32_t>(bytes[i]) << 16U |
                          static_cast<std::uint32_t>(bytes[i + 1]) << 8U | bytes[i + 2]);
    }
    return colours;
}

int size_bits(std::size_t colours) {  // of a table that holds that many
    int bits = 1;
    while ((std::size_t{1} << bits) < colours) {
        ++bits;
    }
    return bits;
}

void append_colours(Buffer& out, const std::vector<std::uint32_t>& colours) {
    const std::size_t count = std::size_t{1} << size_bits(colours.size());
    for (std::size_t i = 0; i < count; ++i) {
        append_be24(out, i < colours.size() ? colours[i] & 0xFFFFFFU : 0);
    }
}

// Row `i` of an interlaced picture, in the order of the data.
std::vector<int> row_order(int height, bool interlaced) {
    std::vector<int> rows;
    const int starts[] = {0, 4, 2, 1};
    const int steps[] = {8, 8, 4, 2};
    for (int pass = 0; pass < (interlaced ? 4 : 1); ++pass) {
        const int step = interlaced ? steps[pass] : 1;
        for (int y = interlaced ? starts[pass] : 0; y < height; y += step) {
            rows.push_back(y);
        }
    }
    return rows;
}

Result<Frame> read_frame(Bytes file, const GifBlock& block) {
    ByteReader reader(*slice(file, block.offset, block.size), block.offset);
    TRY(reader.skip(1, "picture"));
    Frame frame;
    frame.rect.x = TRY(reader.le16("picture"));
    frame.rect.y = TRY(reader.le16("picture"));
    frame.rect.width = TRY(reader.le16("picture"));
    frame.rect.height = TRY(reader.le16("picture"));
    const std::uint8_t flags = TRY(reader.u8("picture"));
    frame.interlaced = (flags & 0x40U) != 0;
    frame.sorted = (flags & 0x20U) != 0;
    frame.local = (flags & 0x80U) != 0;
    if (frame.local) {
        const std::size_t count = std::size_t{2} << (flags & 7U);
        frame.table.colours = read_colours(TRY(reader.take(count * 3, "colour table")));
    }
    frame.code_bits = TRY(reader.u8("code size"));
    frame.coded = TRY(reader.take(reader.left(), "coded picture"));
    if (frame.rect.area() > limits::kImagePixelsMax) {
        return Error{ErrorCode::kLimit, "a frame of the GIF is above the limit of pixels"};
    }
    return frame;
}

Result<Buffer> decode(const Frame& frame) {
    const Buffer data = join_gif_sub_blocks(frame.coded);
    const Buffer coded = TRY(gif_lzw_decode(data, frame.code_bits, frame.rect.area()));
    if (!frame.interlaced) {
        return coded;
    }
    Buffer pixels(coded.size());
    const auto width = static_cast<std::size_t>(frame.rect.width);
    std::size_t from = 0;
    for (const int y : row_order(frame.rect.height, true)) {
        std::copy_n(
            coded.begin() + static_cast<std::ptrdiff_t>(from), width,
            pixels.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * width));
        from += width;
    }
    return pixels;
}

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
    GifMarker(const Drawing& drawing, GifFile gif) : drawing_(drawing), gif_(std::move(gif)) {}
    Result<Drawn> run();

private:
    Result<void> read();
    Result<void> read_frames();
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
    void write_frame(Buffer& out, const Frame& frame, const Buffer& pixels);
    void write_control(Buffer& out, const Frame& frame);

    const Drawing& drawing_;
    GifFile gif_;
    Canvas canvas_;
    Overlay overlay_;
    bool white_text_ = true;
    ColourTable global_;
    std::vector<Frame> frames_;
};

Result<void> GifMarker::read_frames() {
    std::optional<std::size_t> control;
    for (std::size_t i = 0; i < gif_.blocks.size(); ++i) {
        const GifBlock& block = gif_.blocks[i];
        if (block.kind == GifBlockKind::kExtension && block.label == gif::kGraphicControl) {
            control = i;
        }
        if (block.kind != GifBlockKind::kPicture) {
            continue;
        }
        if (frames_.size() >= limits::kImageFramesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("the GIF has more than {} frames", limits::kImageFramesMax)};
        }
        Frame frame = TRY(read_frame(drawing_.file, block));
        frame.block = i;
        frame.control = control;
        if (control && gif_.blocks[*control].sub_blocks.size() >= 5) {
            const Bytes fields = gif_.blocks[*control].sub_blocks;
            frame.disposal = (fields[1] >> 2) & 7;
            frame.transparent = (fields[1] & 1U) != 0 ? fields[4] : -1;
        }
        control.reset();
        frames_.push_back(std::move(frame));
    }
    return {};
}

Result<void> GifMarker::read() {
    const Bytes file = drawing_.file;
    canvas_.width = load_le16(file.subspan(6));
    canvas_.height = load_le16(file.subspan(8));
    if ((file[10] & 0x80U) != 0) {
        const std::size_t size = static_cast<std::size_t>(gif_.header_end) - kScreenEnd;
        global_.colours = read_colours(file.subspan(kScreenEnd, size));
        global_.used[file[11]] = 1;  // the background
    }
    TRY(read_frames());
    if (frames_.empty()) {
        return Error{ErrorCode::kCorrupt, "a GIF without a picture"};
    }
    for (const Frame& frame : frames_) {
        canvas_.width = std::max(canvas_.width, frame.rect.right());
        canvas_.height = std::max(canvas_.height, frame.rect.bottom());
    }
    const auto pixels =
        static_cast<std::uint64_t>(canvas_.width) * static_cast<std::uint64_t>(canvas_.height);
    if (std::max(canvas_.width, canvas_.height) > kScreenSideMax ||
        pixels > limits::kImagePixelsMax ||
        pixels * frames_.size() > limits::kImageAllFramesPixelsMax) {
        return Error{ErrorCode::kLimit, "the frames of the GIF are above the limit of pixels"};
    }
    canvas_.painted.assign(pixels, 0);
    canvas_.marked.assign(pixels, 0);
    return {};
}

Result<void> GifMarker::count_uses() {
    for (Frame& frame : frames_) {
        ColourTable& table = table_of(frame);
        for (const std::uint8_t index : TRY(decode(frame))) {
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
    const Buffer pixels = TRY(decode(frame));
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

void GifMarker::write_frame(Buffer& out, const Frame& frame, const Buffer& pixels) {
    out.push_back(0x2C);
    for (const int v : {frame.rect.x, frame.rect.y, frame.rect.width, frame.rect.height}) {
        append_le16(out, static_cast<std::uint16_t>(v));
    }
    const ColourTable& table = frame.local ? frame.table : global_;
    const int bits = size_bits(table.colours.size());
    std::uint8_t flags = frame.interlaced ? 0x40U : 0U;
    if (frame.local) {
        flags = static_cast<std::uint8_t>(flags | 0x80U | static_cast<unsigned>(bits - 1));
    }
    out.push_back(flags);
    if (frame.local) {
        append_colours(out, table.colours);
    }
    Buffer ordered;
    ordered.reserve(pixels.size());
    for (const int y : row_order(frame.rect.height, frame.interlaced)) {
        const auto row = pixels.begin() + static_cast<std::ptrdiff_t>(y) * frame.rect.width;
        ordered.insert(ordered.end(), row, row + frame.rect.width);
    }
    const std::uint8_t most =
        ordered.empty() ? std::uint8_t{0} : *std::max_element(ordered.begin(), ordered.end());
    const int code_bits = std::clamp(std::max(bits, size_bits(std::size_t{most} + 1)), 2, 8);
    out.push_back(static_cast<std::uint8_t>(code_bits));
    append(out, make_gif_sub_blocks(gif_lzw_encode(ordered, code_bits)));
}

Result<Drawn> GifMarker::run() {
    TRY(read());
    const Bytes file = drawing_.file;
    overlay_ = TRY(plan_overlay(drawing_, canvas_.width, canvas_.height, 1));
    TRY(count_uses());
    TRY(choose_polarity());
    std::vector<Buffer> changed(gif_.blocks.size());
    std::vector<std::uint8_t> dropped(gif_.blocks.size(), 0);
    // Tables are complete only when all frames are drawn: frames are kept as pixels until then.
    std::vector<Buffer> drawn(frames_.size());
    double contrast = 21;
    for (std::size_t i = 0; i < frames_.size(); ++i) {
        Frame& frame = frames_[i];
        Buffer pixels = TRY(decode(frame));
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
            dropped[*frame.control] = 1;
        }
        if (frame.transparent == transparent) {
            continue;
        }
        write_control(changed[frame.block], frame);
    }
    for (std::size_t i = 0; i < frames_.size(); ++i) {
        if (!drawn[i].empty()) {
            write_frame(changed[frames_[i].block], frames_[i], drawn[i]);
        }
    }
    Drawn out;
    out.contrast = contrast;
    out.height_percent = height_percent(overlay_, canvas_.width, canvas_.height);
    Buffer head = to_buffer(file.first(kScreenEnd));
    std::copy_n("89a", 3, head.begin() + 3);
    if (!global_.colours.empty()) {
        const int bits = size_bits(global_.colours.size());
        head[10] =
            static_cast<std::uint8_t>((head[10] & 0x78U) | 0x80U | static_cast<unsigned>(bits - 1));
        append_colours(head, global_.colours);
    }
    out.splice.insert(std::move(head));
    for (std::size_t i = 0; i < gif_.blocks.size(); ++i) {
        if (!changed[i].empty()) {
            out.splice.insert(std::move(changed[i]));
        } else if (dropped[i] == 0) {
            out.splice.copy(gif_.blocks[i].offset, gif_.blocks[i].size);
        }
    }
    if (gif_.end < file.size()) {
        out.splice.copy(gif_.end, file.size() - gif_.end);
    }
    return out;
}

}  // namespace

Result<Drawn> draw_gif(const Drawing& drawing) {
    GifFile gif = TRY(walk_gif(drawing.file));
    return GifMarker(drawing, std::move(gif)).run();
}

}  // namespace colophon::label::internal
