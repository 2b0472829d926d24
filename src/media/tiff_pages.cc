// SPDX-License-Identifier: Apache-2.0
#include "media/tiff_pages.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/internal/expansion.h"
#include "media/internal/late.h"
#include "media/plane.h"

#include <fmt/format.h>
#include <tiff.h>
#include <tiffio.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

namespace colophon::media {
namespace {

// A file in memory, as libtiff wants to see one.
struct Memory {
    Buffer bytes;
    std::uint64_t at = 0;
    std::uint64_t most = 0;  // a broken directory must not make it grow without end

    static Memory& of(thandle_t handle) { return *static_cast<Memory*>(handle); }
    static tmsize_t read(thandle_t handle, void* out, tmsize_t size) {
        Memory& memory = of(handle);
        const std::uint64_t left =
            memory.bytes.size() - std::min<std::uint64_t>(memory.at, memory.bytes.size());
        const std::uint64_t taken = std::min<std::uint64_t>(left, static_cast<std::uint64_t>(size));
        if (taken > 0) {
            std::memcpy(out, memory.bytes.data() + memory.at, taken);
        }
        memory.at += taken;
        return static_cast<tmsize_t>(taken);
    }
    static tmsize_t write(thandle_t handle, void* in, tmsize_t size) {
        Memory& memory = of(handle);
        const auto count = static_cast<std::uint64_t>(std::max<tmsize_t>(size, 0));
        if (memory.at > memory.most || count > memory.most - memory.at) {
            return 0;
        }
        const std::uint64_t end = memory.at + count;
        if (end > memory.bytes.size()) {
            memory.bytes.resize(end);
        }
        std::memcpy(memory.bytes.data() + memory.at, in, static_cast<std::size_t>(count));
        memory.at = end;
        return size;
    }
    static toff_t seek(thandle_t handle, toff_t offset, int whence) {
        Memory& memory = of(handle);
        const std::uint64_t base = whence == SEEK_CUR   ? memory.at
                                   : whence == SEEK_END ? memory.bytes.size()
                                                        : 0;
        memory.at = base + offset;
        return memory.at;
    }
    static int close(thandle_t) { return 0; }
    static toff_t size(thandle_t handle) { return of(handle).bytes.size(); }
};

}  // namespace

struct TiffPages::State {
    Memory memory;
    TIFF* tiff = nullptr;
    int count = 0;
    // Of the selected page.
    TiffPage page;
    bool tiled = false;
    bool separate = false;  // one plane a sample
    bool inverted = false;  // 0 is white
    bool premultiplied = false;
    int samples = 0;
    int bytes = 1;
    bool alpha = false;
    ColourSpace space = ColourSpace::kGrey;
    int block_width = 0;  // of a strip or tile
    int block_height = 0;
    std::uint64_t decoded_pixels = 0;  // of the strips and tiles of all pages so far

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (tiff != nullptr) {
            TIFFClose(tiff);
        }
    }

    Result<void> read_colours();
    Result<void> read_blocks();
    int samples_in_block() const { return separate ? 1 : samples; }
    std::size_t row_bytes() const {
        return static_cast<std::size_t>(block_width) *
               static_cast<std::size_t>(samples_in_block()) * static_cast<std::size_t>(bytes);
    }
    // Calls `each(block index, its rectangle, its plane)` for all blocks that touch `rect`.
    Result<void> for_blocks(
        const Rect& rect,
        const std::function<Result<void>(std::uint32_t, const Rect&, int)>& each) const;
    Result<Buffer> load(std::uint32_t block);
    Result<void> store(std::uint32_t block, const Rect& area, Buffer& content) const;
};

Result<void> TiffPages::State::read_colours() {
    std::uint16_t bits = 1;
    std::uint16_t sample_count = 1;
    std::uint16_t format = SAMPLEFORMAT_UINT;
    std::uint16_t meaning = PHOTOMETRIC_MINISBLACK;
    std::uint16_t planes = PLANARCONFIG_CONTIG;
    std::uint16_t orientation = 1;
    std::uint16_t compression = COMPRESSION_NONE;
    std::uint16_t extra_count = 0;
    std::uint16_t* extra = nullptr;
    std::uint32_t kind = 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &sample_count);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &meaning);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planes);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extra_count, &extra);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &kind);
    if ((bits != 8 && bits != 16) || format != SAMPLEFORMAT_UINT) {
        return Error{
            ErrorCode::kUnsupported,
            fmt::format("a TIFF with {} bits a sample; convert it to 8 or 16 first", bits)};
    }
    if (compression == COMPRESSION_JPEG || compression == COMPRESSION_OJPEG) {
        return Error{ErrorCode::kUnsupported,
                     "a TIFF with JPEG inside; convert it to JPEG or to a lossless TIFF first"};
    }
    const int colours = meaning == PHOTOMETRIC_RGB ? 3 : meaning == PHOTOMETRIC_SEPARATED ? 4 : 1;
    const bool known = meaning == PHOTOMETRIC_MINISBLACK || meaning == PHOTOMETRIC_MINISWHITE ||
                       meaning == PHOTOMETRIC_RGB || meaning == PHOTOMETRIC_SEPARATED;
    if (!known || sample_count < colours || sample_count > colours + 1) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a TIFF with {} samples of photometric interpretation {}; convert "
                                 "it to grey, RGB or CMYK first",
                                 sample_count, meaning)};
    }
    samples = sample_count;
    bytes = bits / 8;
    alpha = sample_count == colours + 1;
    premultiplied = alpha && extra_count > 0 && extra[0] == EXTRASAMPLE_ASSOCALPHA;
    if (alpha && extra_count > 0 && extra[0] == EXTRASAMPLE_UNSPECIFIED) {
        premultiplied = false;
    }
    separate = planes == PLANARCONFIG_SEPARATE && sample_count > 1;
    inverted = meaning == PHOTOMETRIC_MINISWHITE;
    space = colours == 1   ? ColourSpace::kGrey
            : colours == 3 ? ColourSpace::kRgb
                           : ColourSpace::kCmyk;
    page.orientation = orientation >= 1 && orientation <= 8 ? orientation : 1;
    page.reduced = (kind & FILETYPE_REDUCEDIMAGE) != 0;
    return {};
}

Result<void> TiffPages::State::read_blocks() {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    if (width == 0 || height == 0 || width > limits::kImageSideMax ||
        height > limits::kImageSideMax ||
        static_cast<std::uint64_t>(width) * height > limits::kImagePixelsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a page of {} x {} pixels is above the limit", width, height)};
    }
    page.width = static_cast<int>(width);
    page.height = static_cast<int>(height);
    tiled = TIFFIsTiled(tiff) != 0;
    std::uint32_t block_w = width;
    std::uint32_t block_h = 0;
    if (tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &block_w);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &block_h);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &block_h);
        block_h = std::min(block_h, height);
    }
    const std::uint64_t block_pixels = static_cast<std::uint64_t>(block_w) * block_h;
    if (block_pixels == 0) {
        return Error{ErrorCode::kCorrupt, "the strips or tiles of the TIFF have no size"};
    }
    const auto pixel_bytes = static_cast<std::uint64_t>(samples) * static_cast<unsigned>(bytes);
    if (block_pixels > limits::kImagePixelsMax ||
        block_pixels * pixel_bytes > limits::kImageBytesMax ||
        static_cast<std::uint64_t>(width) * height * pixel_bytes > limits::kImageBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a page of {} x {} pixels in strips or tiles of {} x {} is above "
                                 "the limit of {} bytes",
                                 width, height, block_w, block_h, limits::kImageBytesMax)};
    }
    TRY(internal::check_expansion(
        std::max(block_pixels, static_cast<std::uint64_t>(width) * height) * pixel_bytes,
        memory.bytes.size()));
    block_width = static_cast<int>(block_w);
    block_height = static_cast<int>(block_h);
    const auto size = static_cast<std::size_t>(tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff));
    if (size != row_bytes() * static_cast<std::size_t>(block_height)) {
        return Error{ErrorCode::kUnsupported, "a TIFF whose strips have an unusual size"};
    }
    return {};
}

Result<void> TiffPages::State::for_blocks(
    const Rect& rect,
    const std::function<Result<void>(std::uint32_t, const Rect&, int)>& each) const {
    const int left = rect.x / block_width;
    const int top = rect.y / block_height;
    const std::int64_t columns = (rect.right() + block_width - 1) / block_width - left;
    const std::int64_t rows = (rect.bottom() + block_height - 1) / block_height - top;
    const int planes = separate ? samples : 1;
    for (std::int64_t i = 0; i < planes * rows * columns; ++i) {
        const int plane = static_cast<int>(i / (rows * columns));
        const int x = (left + static_cast<int>(i % columns)) * block_width;
        const int y = (top + static_cast<int>(i / columns % rows)) * block_height;
        const auto px = static_cast<std::uint32_t>(x);
        const auto py = static_cast<std::uint32_t>(y);
        const auto sample = static_cast<std::uint16_t>(plane);
        const std::uint32_t block =
            tiled ? TIFFComputeTile(tiff, px, py, 0, sample) : TIFFComputeStrip(tiff, py, sample);
        Rect area{x, y, block_width, block_height};
        if (!tiled) {
            area.height = std::min(block_height, page.height - area.y);
        }
        TRY(each(block, area, plane));
    }
    return {};
}

Result<Buffer> TiffPages::State::load(std::uint32_t block) {
    // Many pages may share one large strip of a few coded bytes.
    decoded_pixels +=
        static_cast<std::uint64_t>(block_width) * static_cast<std::uint64_t>(block_height);
    if (decoded_pixels > limits::kTiffDecodedPixelsMax) {
        return Error{ErrorCode::kLimit, fmt::format("the pages of the TIFF take more than {} "
                                                    "decoded pixels",
                                                    limits::kTiffDecodedPixelsMax)};
    }
    Buffer content(row_bytes() * static_cast<std::size_t>(block_height));
    const auto size = static_cast<tmsize_t>(content.size());
    const tmsize_t got = tiled ? TIFFReadEncodedTile(tiff, block, content.data(), size)
                               : TIFFReadEncodedStrip(tiff, block, content.data(), size);
    if (got < 0) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("strip or tile {} of the TIFF cannot be decoded", block)};
    }
    return content;
}

Result<void> TiffPages::State::store(std::uint32_t block, const Rect& area, Buffer& content) const {
    const auto size = static_cast<tmsize_t>(row_bytes() * static_cast<std::size_t>(area.height));
    const tmsize_t put = tiled ? TIFFWriteEncodedTile(tiff, block, content.data(), size)
                               : TIFFWriteEncodedStrip(tiff, block, content.data(), size);
    if (put < 0) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("strip or tile {} of the TIFF cannot be coded again", block)};
    }
    return {};
}

TiffPages::TiffPages(std::unique_ptr<State> state) : state_(std::move(state)) {}
TiffPages::TiffPages(TiffPages&&) noexcept = default;
TiffPages& TiffPages::operator=(TiffPages&&) noexcept = default;
TiffPages::~TiffPages() = default;

Result<TiffPages> TiffPages::open(Bytes file) {
    TRY(load({Codec::kTiff}));
    auto state = std::make_unique<State>();
    state->memory.bytes = to_buffer(file);
    state->memory.most =
        2 * static_cast<std::uint64_t>(file.size()) + limits::kMetadataBlockBytesMax;
    // "r+": change in place. "m": no memory mapping.
    state->tiff = TIFFClientOpen("picture", "r+m", &state->memory, Memory::read, Memory::write,
                                 Memory::seek, Memory::close, Memory::size, nullptr, nullptr);
    if (state->tiff == nullptr) {
        return Error{ErrorCode::kCorrupt, "the TIFF cannot be read"};
    }
    state->count = static_cast<int>(TIFFNumberOfDirectories(state->tiff));
    if (state->count < 1 || state->count > static_cast<int>(limits::kImageFramesMax)) {
        return Error{ErrorCode::kLimit, fmt::format("a TIFF with {} pages", state->count)};
    }
    return TiffPages(std::move(state));
}

int TiffPages::count() const noexcept {
    return state_->count;
}

Result<TiffPage> TiffPages::select(int index) {
    COLOPHON_ASSERT(index >= 0 && index < state_->count);
    // Strips of the last page that moved to the end of the file are known to nobody else yet.
    if (TIFFFlush(state_->tiff) == 0) {
        return Error{ErrorCode::kUnavailable, "the TIFF cannot be written"};
    }
    if (TIFFSetDirectory(state_->tiff, static_cast<tdir_t>(index)) == 0) {
        // What is left of the directory looks changed and lacks its strips: closing the file would
        // try to write it. Another compression lets the codec free what it holds.
        TIFFSetField(state_->tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE);
        TIFFFreeDirectory(state_->tiff);
        TIFFCreateDirectory(state_->tiff);
        return Error{ErrorCode::kCorrupt, fmt::format("page {} of the TIFF cannot be read", index)};
    }
    state_->page = {};
    TRY(state_->read_colours());
    TRY(state_->read_blocks());
    return state_->page;
}

namespace {

// Premultiplied samples are divided by alpha for drawing and multiplied again for storing.
void scale_by_alpha(Image& image, bool multiply) {
    const int colours = image.channels - 1;
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            const std::int64_t alpha = image.sample(x, y, colours);
            for (int c = 0; c < colours && alpha > 0 && alpha < image.sample_max; ++c) {
                const std::int64_t v = image.sample(x, y, c);
                const std::int64_t most = image.sample_max;
                const std::int64_t scaled = multiply
                                                ? (v * alpha + most / 2) / most
                                                : std::min(most, (v * most + alpha / 2) / alpha);
                image.set_sample(x, y, c, static_cast<int>(scaled));
            }
        }
    }
}

void invert(Image& image) {
    const int colours = image.channels - (image.has_alpha ? 1 : 0);
    for (int y = 0; y < image.height; ++y) {
        for (int x = 0; x < image.width; ++x) {
            for (int c = 0; c < colours; ++c) {
                image.set_sample(x, y, c, image.sample_max - image.sample(x, y, c));
            }
        }
    }
}

}  // namespace

Result<Image> TiffPages::read(const Rect& rect) {
    State& state = *state_;
    COLOPHON_ASSERT((Rect{0, 0, state.page.width, state.page.height}.contains(rect)));
    Image image;
    image.width = rect.width;
    image.height = rect.height;
    image.channels = state.samples;
    image.sample_bytes = state.bytes;
    image.sample_max = state.bytes == 2 ? 65535 : 255;
    image.has_alpha = state.alpha;
    image.space = state.space;
    image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(rect.height));
    const auto copy_block = [&](std::uint32_t block, const Rect& area, int plane) -> Result<void> {
        const Buffer content = TRY(state.load(block));
        const Rect part = intersect(area, rect);
        const auto unit = static_cast<std::size_t>(state.samples_in_block()) *
                          static_cast<std::size_t>(state.bytes);
        const auto pixel =
            static_cast<std::size_t>(state.samples) * static_cast<std::size_t>(state.bytes);
        for (int y = part.y; y < part.bottom(); ++y) {
            const std::uint8_t* from = content.data() +
                                       static_cast<std::size_t>(y - area.y) * state.row_bytes() +
                                       static_cast<std::size_t>(part.x - area.x) * unit;
            std::uint8_t* to =
                image.pixels.data() + static_cast<std::size_t>(y - rect.y) * image.row_bytes() +
                static_cast<std::size_t>(part.x - rect.x) * pixel +
                static_cast<std::size_t>(plane) * static_cast<std::size_t>(state.bytes);
            for (int x = 0; x < part.width; ++x, from += unit, to += pixel) {
                std::memcpy(to, from, unit);
            }
        }
        return {};
    };
    TRY(state.for_blocks(rect, copy_block));
    if (state.inverted) {
        invert(image);
    }
    if (state.premultiplied) {
        scale_by_alpha(image, false);
    }
    return image;
}

Result<void> TiffPages::write(const Rect& rect, const Image& pixels) {
    State& state = *state_;
    Image image = pixels;
    if (state.premultiplied) {
        scale_by_alpha(image, true);
    }
    if (state.inverted) {
        invert(image);
    }
    return state.for_blocks(
        rect, [&](std::uint32_t block, const Rect& area, int plane) -> Result<void> {
            Buffer content = TRY(state.load(block));
            const Buffer before = content;
            const Rect part = intersect(area, rect);
            const auto unit = static_cast<std::size_t>(state.samples_in_block()) *
                              static_cast<std::size_t>(state.bytes);
            const auto pixel =
                static_cast<std::size_t>(state.samples) * static_cast<std::size_t>(state.bytes);
            for (int y = part.y; y < part.bottom(); ++y) {
                std::uint8_t* to = content.data() +
                                   static_cast<std::size_t>(y - area.y) * state.row_bytes() +
                                   static_cast<std::size_t>(part.x - area.x) * unit;
                const std::uint8_t* from =
                    image.pixels.data() + static_cast<std::size_t>(y - rect.y) * image.row_bytes() +
                    static_cast<std::size_t>(part.x - rect.x) * pixel +
                    static_cast<std::size_t>(plane) * static_cast<std::size_t>(state.bytes);
                for (int x = 0; x < part.width; ++x, from += pixel, to += unit) {
                    std::memcpy(to, from, unit);
                }
            }
            return content == before ? Result<void>() : state.store(block, area, content);
        });
}

Result<Buffer> TiffPages::finish() {
    const bool flushed = TIFFFlush(state_->tiff) != 0;
    TIFFClose(state_->tiff);
    state_->tiff = nullptr;
    if (!flushed) {
        return Error{ErrorCode::kUnavailable, "the TIFF cannot be written"};
    }
    return std::move(state_->memory.bytes);
}

namespace internal {

void silence_tiff() {
    TIFFSetErrorHandler(nullptr);
    TIFFSetWarningHandler(nullptr);
}

}  // namespace internal

}  // namespace colophon::media
