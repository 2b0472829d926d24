// SPDX-License-Identifier: Apache-2.0
#include "label/picture/apng.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/png_chunks.h"
#include "media/image.h"
#include "media/plane.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using media::ColourSpace;
using media::Image;
using media::PngImage;
using media::Rect;

constexpr std::size_t kControlBytes = 26;  // of an fcTL chunk
constexpr std::size_t kHeaderBytes = 13;   // of an IHDR chunk
// Six canvases are held at once.
constexpr std::uint64_t kCanvasBytesMax = limits::kImageBytesMax / 6;

enum class Dispose : std::uint8_t { kNone, kBackground, kPrevious };

struct Frame {
    Rect rect;
    std::uint32_t delay = 0;  // both halves of the fraction, as they stand there
    Dispose dispose = Dispose::kNone;
    bool over = false;  // laid over what is there; otherwise it replaces it
    Buffer data;        // compressed
};

struct Animation {
    PngFile png;
    Bytes header;  // of IHDR
    int width = 0;
    int height = 0;
    std::optional<Bytes> palette;
    std::optional<Bytes> transparency;
    std::optional<Frame> still;  // the picture that is no frame
    std::vector<Frame> frames;
};

Result<Frame> read_control(const PngChunk& chunk, const Animation& animation) {
    if (chunk.data.size() != kControlBytes) {
        return corrupt_at("an fcTL chunk of a wrong size", chunk.offset);
    }
    const std::uint32_t width = load_be32(chunk.data.subspan(4));
    const std::uint32_t height = load_be32(chunk.data.subspan(8));
    const std::uint32_t x = load_be32(chunk.data.subspan(12));
    const std::uint32_t y = load_be32(chunk.data.subspan(16));
    const auto inside = [](std::uint64_t at, std::uint64_t size, int whole) {
        return size > 0 && at + size <= static_cast<std::uint64_t>(whole);
    };
    if (!inside(x, width, animation.width) || !inside(y, height, animation.height) ||
        chunk.data[24] > 2 || chunk.data[25] > 1) {
        return corrupt_at("an fcTL chunk describes a frame outside of the picture", chunk.offset);
    }
    return Frame{.rect = {static_cast<int>(x), static_cast<int>(y), static_cast<int>(width),
                          static_cast<int>(height)},
                 .delay = load_be32(chunk.data.subspan(20)),
                 .dispose = static_cast<Dispose>(chunk.data[24]),
                 .over = chunk.data[25] == 1,
                 .data = {}};
}

Result<void> read_header(Animation& animation) {
    const PngChunk& chunk = animation.png.chunks.front();
    if (chunk.data.size() != kHeaderBytes) {
        return corrupt_at("an IHDR chunk of a wrong size", chunk.offset);
    }
    animation.header = chunk.data;
    const std::uint32_t width = load_be32(chunk.data);
    const std::uint32_t height = load_be32(chunk.data.subspan(4));
    if (width == 0 || height == 0) {
        return corrupt_at("a PNG without pixels", chunk.offset);
    }
    // Eight bytes a pixel are the most that a canvas takes.
    if (width > limits::kImageSideMax || height > limits::kImageSideMax ||
        std::uint64_t{width} * height * 8 > kCanvasBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("an animation of {} x {} pixels needs more than the {} bytes that "
                                 "a frame may have",
                                 width, height, kCanvasBytesMax)};
    }
    animation.width = static_cast<int>(width);
    animation.height = static_cast<int>(height);
    return {};
}

Result<void> take_data(Animation& animation, const PngChunk& chunk) {
    const bool numbered = chunk.type == "fdAT";
    if (numbered && (animation.frames.empty() || chunk.data.size() < 4)) {
        return corrupt_at("frame data without a frame", chunk.offset);
    }
    if (!numbered && animation.frames.empty() && !animation.still) {
        animation.still = Frame{};
        animation.still->rect = {0, 0, animation.width, animation.height};
    }
    Frame& frame = animation.frames.empty() ? *animation.still : animation.frames.back();
    append(frame.data, numbered ? chunk.data.subspan(4) : chunk.data);
    return {};
}

Result<void> check_frames(const Animation& animation) {
    const bool empty = std::ranges::any_of(animation.frames,
                                           [](const Frame& frame) { return frame.data.empty(); });
    if (animation.frames.empty() || empty) {
        return Error{ErrorCode::kCorrupt, "the animated PNG has a frame without a picture"};
    }
    const std::uint64_t pixels = std::uint64_t{animation.frames.size()} *
                                 static_cast<std::uint64_t>(animation.width) *
                                 static_cast<std::uint64_t>(animation.height);
    if (animation.frames.size() > limits::kImageFramesMax ||
        pixels > limits::kImageAllFramesPixelsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("an animation of {} frames and {} pixels; at most {} and {} are "
                                 "marked",
                                 animation.frames.size(), pixels, limits::kImageFramesMax,
                                 limits::kImageAllFramesPixelsMax)};
    }
    return {};
}

Result<Animation> read_animation(Bytes file, PngFile png) {
    Animation animation;
    animation.png = std::move(png);
    TRY(read_header(animation));
    for (const PngChunk& chunk : animation.png.chunks) {
        if (chunk.type == "PLTE") {
            animation.palette = file.subspan(chunk.offset, chunk.size);
        } else if (chunk.type == "tRNS") {
            animation.transparency = file.subspan(chunk.offset, chunk.size);
        } else if (chunk.type == "fcTL") {
            animation.frames.push_back(TRY(read_control(chunk, animation)));
        } else if (chunk.type == "IDAT" || chunk.type == "fdAT") {
            TRY(take_data(animation, chunk));
        }
    }
    TRY(check_frames(animation));
    return animation;
}

// A frame as a PNG file of its own, decoded.
Result<PngImage> decode_frame(const Animation& animation, const Frame& frame) {
    Buffer header;
    append_be32(header, static_cast<std::uint32_t>(frame.rect.width));
    append_be32(header, static_cast<std::uint32_t>(frame.rect.height));
    append(header, animation.header.subspan(8));
    Buffer file = to_buffer(kPngSignature);
    append(file, make_png_chunk("IHDR", header));
    append(file, animation.palette.value_or(Bytes()));
    append(file, animation.transparency.value_or(Bytes()));
    append(file, make_png_chunk("IDAT", frame.data));
    append(file, make_png_chunk("IEND", {}));
    return media::decode_png(file);
}

// A pixel of a palette picture, whose colours are 0xAARRGGBB.
void set_from_palette(Image& to, const Image& from, int x, int y) {
    const auto index = static_cast<std::size_t>(from.sample(x, y, 0));
    const std::uint32_t colour = index < from.palette.size() ? from.palette[index] : 0xFF000000U;
    for (int c = 0; c < 4; ++c) {
        const unsigned shift = c == 3 ? 24U : 16U - 8U * static_cast<unsigned>(c);
        to.set_sample(x, y, c, static_cast<int>(colour >> shift & 0xFFU));
    }
}

// A pixel of grey or RGB, with alpha of its own or one colour that is transparent.
void set_from_samples(Image& to, const PngImage& png, int x, int y) {
    const Image& from = png.image;
    const int colours = to.channels - 1;
    const int scale = to.sample_max / from.sample_max;
    bool transparent = png.has_transparent_colour;
    for (int c = 0; c < colours; ++c) {
        const int value = from.sample(x, y, c);
        transparent = transparent && value == png.transparent_colour[c];
        to.set_sample(x, y, c, value * scale);
    }
    int alpha = transparent ? 0 : to.sample_max;
    if (from.has_alpha) {
        alpha = from.sample(x, y, colours) * scale;
    }
    to.set_sample(x, y, colours, alpha);
}

// The same picture in the form of a canvas: grey or RGB with alpha, 8 or 16 bits a sample.
Image to_canvas_form(const PngImage& png) {
    const Image& from = png.image;
    const bool palette = from.space == ColourSpace::kPalette;
    const bool grey = from.space == ColourSpace::kGrey;
    Image to;
    to.width = from.width;
    to.height = from.height;
    to.space = grey ? ColourSpace::kGrey : ColourSpace::kRgb;
    to.channels = grey ? 2 : 4;
    to.has_alpha = true;
    to.sample_bytes = from.sample_bytes;
    to.sample_max = from.sample_bytes == 2 ? 65535 : 255;
    to.pixels.resize(to.row_bytes() * static_cast<std::size_t>(to.height));
    for (int y = 0; y < to.height; ++y) {
        for (int x = 0; x < to.width; ++x) {
            if (palette) {
                set_from_palette(to, from, x, y);
            } else {
                set_from_samples(to, png, x, y);
            }
        }
    }
    return to;
}

// The piece of a picture.
Image cut_out(const Image& from, const Rect& rect) {
    Image piece = from;
    piece.width = rect.width;
    piece.height = rect.height;
    piece.pixels.resize(piece.row_bytes() * static_cast<std::size_t>(rect.height));
    const std::size_t pixel = from.row_bytes() / static_cast<std::size_t>(from.width);
    for (int y = 0; y < rect.height; ++y) {
        const std::size_t at = static_cast<std::size_t>(rect.y + y) * from.row_bytes() +
                               static_cast<std::size_t>(rect.x) * pixel;
        std::memcpy(piece.pixels.data() + static_cast<std::size_t>(y) * piece.row_bytes(),
                    from.pixels.data() + at, piece.row_bytes());
    }
    return piece;
}

// Pixel (x, y) of a frame laid over the canvas (W3C PNG third edition, 13.16), alpha not
// premultiplied. The frame begins at `corner` of the canvas.
void lay_pixel(Image& canvas, const Rect& corner, const Image& frame, int x, int y) {
    const int cx = corner.x + x;
    const int cy = corner.y + y;
    const int alpha_channel = canvas.channels - 1;
    const std::int64_t max = canvas.sample_max;
    const std::int64_t source = frame.sample(x, y, alpha_channel);
    const std::int64_t under = canvas.sample(cx, cy, alpha_channel);
    if (source == 0) {
        return;
    }
    // In units of max squared.
    const std::int64_t left = under * (max - source);
    const std::int64_t whole = source * max + left;
    for (int c = 0; c < alpha_channel; ++c) {
        const std::int64_t sum =
            frame.sample(x, y, c) * source * max + canvas.sample(cx, cy, c) * left;
        canvas.set_sample(cx, cy, c, static_cast<int>((sum + whole / 2) / whole));
    }
    canvas.set_sample(cx, cy, alpha_channel, static_cast<int>((whole + max / 2) / max));
}

void lay(Image& canvas, const Frame& frame, const Image& picture) {
    for (int y = 0; y < frame.rect.height; ++y) {
        for (int x = 0; x < frame.rect.width; ++x) {
            if (frame.over) {
                lay_pixel(canvas, frame.rect, picture, x, y);
                continue;
            }
            for (int c = 0; c < canvas.channels; ++c) {
                canvas.set_sample(frame.rect.x + x, frame.rect.y + y, c, picture.sample(x, y, c));
            }
        }
    }
}

void clear(Image& canvas, const Rect& rect) {
    for (int y = rect.y; y < rect.bottom(); ++y) {
        for (int x = rect.x; x < rect.right(); ++x) {
            for (int c = 0; c < canvas.channels; ++c) {
                canvas.set_sample(x, y, c, 0);
            }
        }
    }
}

// Where two canvases differ; one pixel where they do not, because a frame needs one.
Rect difference(const Image& before, const Image& after) {
    int left = after.width;
    int right = 0;
    int top = after.height;
    int bottom = 0;
    const std::size_t pixel = after.row_bytes() / static_cast<std::size_t>(after.width);
    for (int y = 0; y < after.height; ++y) {
        const std::size_t row = static_cast<std::size_t>(y) * after.row_bytes();
        const std::uint8_t* a = before.pixels.data() + row;
        const std::uint8_t* b = after.pixels.data() + row;
        if (std::memcmp(a, b, after.row_bytes()) == 0) {
            continue;
        }
        top = std::min(top, y);
        bottom = y + 1;
        const auto first =
            static_cast<std::size_t>(std::mismatch(a, a + after.row_bytes(), b).first - a);
        std::size_t last = after.row_bytes();
        while (a[last - 1] == b[last - 1]) {
            --last;
        }
        left = std::min(left, static_cast<int>(first / pixel));
        right = std::max(right, static_cast<int>((last - 1) / pixel) + 1);
    }
    return bottom == 0 ? Rect{0, 0, 1, 1} : Rect{left, top, right - left, bottom - top};
}

// Whether nothing of the animation is ever transparent, so that it needs no alpha.
bool is_opaque(const Animation& animation) {
    constexpr std::uint8_t kAlphaFlag = 4;
    const bool clears = std::ranges::any_of(animation.frames, [&](const Frame& frame) {
        const bool first = &frame == animation.frames.data();
        return frame.dispose == Dispose::kBackground ||
               (first && frame.dispose == Dispose::kPrevious);
    });
    const Frame& first = animation.frames.front();
    const bool whole = first.rect.width == animation.width && first.rect.height == animation.height;
    return whole && !clears && !animation.transparency && (animation.header[9] & kAlphaFlag) == 0;
}

Image without_alpha(const Image& from) {
    Image to = from;
    to.channels = from.channels - 1;
    to.has_alpha = false;
    to.pixels.resize(to.row_bytes() * static_cast<std::size_t>(to.height));
    for (int y = 0; y < to.height; ++y) {
        for (int x = 0; x < to.width; ++x) {
            for (int c = 0; c < to.channels; ++c) {
                to.set_sample(x, y, c, from.sample(x, y, c));
            }
        }
    }
    return to;
}

bool is_one_of(std::string_view type, std::span<const std::string_view> types) {
    return std::ranges::find(types, type) != types.end();
}

Splice exchange_frames(const Animation& animation, Bytes header, Bytes frames, std::uint64_t size) {
    constexpr std::array<std::string_view, 5> kPictures{"IDAT", "fdAT", "fcTL", "PLTE", "tRNS"};
    constexpr std::array<std::string_view, 3> kOfSamples{"bKGD", "hIST", "sBIT"};
    const bool same_samples =
        animation.header[8] == header[8 + 8] && animation.header[9] == header[8 + 9];
    Splice splice;
    splice.copy(0, kPngSignature.size());
    bool done = false;
    for (const PngChunk& chunk : animation.png.chunks) {
        if (chunk.type == "IHDR") {
            splice.insert(header);
        } else if (chunk.type == "IDAT") {
            splice.insert(done ? Bytes() : frames);
            done = true;
        } else if (!is_one_of(chunk.type, kPictures) &&
                   (same_samples || !is_one_of(chunk.type, kOfSamples))) {
            splice.copy(chunk.offset, chunk.size);
        }
    }
    splice.copy(animation.png.end, size - animation.png.end);
    return splice;
}

}  // namespace

struct ApngCanvases::State {
    State(Bytes bytes, Animation all)
        : file(bytes),
          animation(std::move(all)),
          opaque(is_opaque(animation)),
          interlaced(animation.header[12] != 0) {}

    Image empty_canvas(const Image& like) const {
        Image empty = like;
        empty.width = animation.width;
        empty.height = animation.height;
        empty.pixels.assign(empty.row_bytes() * static_cast<std::size_t>(empty.height), 0);
        return empty;
    }

    // Disposes of the frame that was shown, then lays the next one.
    Result<void> show(const Frame& frame) {
        const Image picture = to_canvas_form(TRY(decode_frame(animation, frame)));
        if (canvas.pixels.empty()) {
            canvas = empty_canvas(picture);
        } else if (!saved.pixels.empty()) {
            canvas = std::move(saved);
        } else if (shown->dispose != Dispose::kNone) {
            clear(canvas, shown->rect);
        }
        saved = Image();
        if (frame.dispose == Dispose::kPrevious && shown != nullptr) {
            saved = canvas;
        }
        lay(canvas, frame, picture);
        shown = &frame;
        return {};
    }

    void put_control(const Frame& frame, const Rect& rect) {
        constexpr std::uint8_t kKeep = 0;     // disposal: none
        constexpr std::uint8_t kReplace = 0;  // blending: source
        Buffer data;
        append_be32(data, sequence++);
        for (const int value : {rect.width, rect.height, rect.x, rect.y}) {
            append_be32(data, static_cast<std::uint32_t>(value));
        }
        append_be32(data, frame.delay);
        data.push_back(kKeep);
        data.push_back(kReplace);
        append(chunks, make_png_chunk("fcTL", data));
    }

    Result<void> put_picture(const Image& image, std::string_view type) {
        PngImage png;
        png.image = opaque ? without_alpha(image) : image;
        png.bit_depth = image.sample_bytes == 2 ? 16 : 8;
        png.interlaced = interlaced;
        sample_bytes = image.sample_bytes;
        grey = image.space == ColourSpace::kGrey;
        const Buffer coded = TRY(media::encode_png(png));
        const PngFile made = TRY(walk_png(coded));
        for (const PngChunk& chunk : made.chunks) {
            if (chunk.type != "IDAT") {
                continue;
            }
            Buffer data;
            if (type == "fdAT") {
                append_be32(data, sequence++);
            }
            append(data, chunk.data);
            append(chunks, make_png_chunk(type, data));
        }
        return {};
    }

    Buffer header() const {
        Buffer header = to_buffer(animation.header);
        header[8] = sample_bytes == 2 ? 16 : 8;
        header[9] = static_cast<std::uint8_t>((grey ? 0 : 2) | (opaque ? 0 : 4));
        return make_png_chunk("IHDR", header);
    }

    Bytes file;
    Animation animation;
    bool opaque;
    bool interlaced;
    // Reading.
    std::size_t next = 0;
    Image still;
    Image canvas;
    Image saved;                   // what the canvas becomes again
    const Frame* shown = nullptr;  // the frame on the canvas
    // Writing.
    std::size_t put = 0;
    Image changed_before;
    int sample_bytes = 1;
    bool grey = false;
    std::uint32_t sequence = 0;
    Buffer chunks;
};

bool is_apng(const PngFile& png) {
    return std::ranges::find(png.chunks, "acTL", &PngChunk::type) != png.chunks.end();
}

Result<ApngCanvases> ApngCanvases::open(Bytes file, PngFile png) {
    Animation animation = TRY(read_animation(file, std::move(png)));
    return ApngCanvases(std::make_unique<State>(file, std::move(animation)));
}

ApngCanvases::ApngCanvases(std::unique_ptr<State> state) : state_(std::move(state)) {}
ApngCanvases::ApngCanvases(ApngCanvases&&) noexcept = default;
ApngCanvases& ApngCanvases::operator=(ApngCanvases&&) noexcept = default;
ApngCanvases::~ApngCanvases() = default;

int ApngCanvases::width() const noexcept {
    return state_->animation.width;
}
int ApngCanvases::height() const noexcept {
    return state_->animation.height;
}
bool ApngCanvases::has_still() const noexcept {
    return state_->animation.still.has_value();
}
int ApngCanvases::count() const noexcept {
    return static_cast<int>(state_->animation.frames.size()) + (has_still() ? 1 : 0);
}

Result<const media::Image*> ApngCanvases::next() {
    COLOPHON_ASSERT(state_->next < static_cast<std::size_t>(count()));
    const std::size_t index = state_->next++;
    const Animation& animation = state_->animation;
    if (has_still() && index == 0) {
        state_->still = to_canvas_form(TRY(decode_frame(animation, *animation.still)));
        return &state_->still;
    }
    state_->still = Image();
    TRY(state_->show(animation.frames[index - (has_still() ? 1 : 0)]));
    return &state_->canvas;
}

Result<void> ApngCanvases::put(media::Image changed) {
    COLOPHON_ASSERT(state_->put < state_->next);
    const std::size_t index = state_->put++;
    if (has_still() && index == 0) {
        return state_->put_picture(changed, "IDAT");
    }
    const std::size_t frame = index - (has_still() ? 1 : 0);
    // The first frame is the whole canvas; of the others the piece that changes is enough.
    const Rect rect = frame == 0 ? Rect{0, 0, changed.width, changed.height}
                                 : difference(state_->changed_before, changed);
    state_->put_control(state_->animation.frames[frame], rect);
    TRY(state_->put_picture(cut_out(changed, rect), index == 0 ? "IDAT" : "fdAT"));
    state_->changed_before = std::move(changed);
    return {};
}

Splice ApngCanvases::finish() {
    return exchange_frames(state_->animation, state_->header(), state_->chunks,
                           state_->file.size());
}

}  // namespace colophon::label
