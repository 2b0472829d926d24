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
#include "media/internal/tiff_state.h"
#include "media/plane.h"

#include <fmt/format.h>
#include <tiff.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace colophon::media {
namespace {

using Direction = TiffPages::State::Direction;
using internal::TiffMemory;

// The tags that say what the samples are.
struct SampleTags {
    std::uint16_t bits = 1;
    std::uint16_t samples = 1;
    std::uint16_t format = SAMPLEFORMAT_UINT;
    std::uint16_t meaning = PHOTOMETRIC_MINISBLACK;
    std::uint16_t planes = PLANARCONFIG_CONTIG;
    std::uint16_t compression = COMPRESSION_NONE;
    std::uint16_t inks = INKSET_CMYK;
    std::uint16_t extra_count = 0;
    std::uint16_t extra = EXTRASAMPLE_UNSPECIFIED;  // the first of them

    int colours() const noexcept {
        return meaning == PHOTOMETRIC_SEPARATED                             ? 4
               : meaning == PHOTOMETRIC_RGB || meaning == PHOTOMETRIC_YCBCR ? 3
                                                                            : 1;
    }
};

SampleTags read_tags(TIFF* tiff) {
    SampleTags tags;
    std::uint16_t* extra = nullptr;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &tags.bits);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &tags.samples);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &tags.format);
    TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &tags.meaning);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &tags.planes);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_COMPRESSION, &tags.compression);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_INKSET, &tags.inks);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &tags.extra_count, &extra);
    if (tags.extra_count > 0) {
        tags.extra = extra[0];
    }
    return tags;
}

std::string model_name(std::uint16_t meaning) {
    switch (meaning) {
        case PHOTOMETRIC_MINISWHITE:
        case PHOTOMETRIC_MINISBLACK:
            return "grey";
        case PHOTOMETRIC_RGB:
            return "RGB";
        case PHOTOMETRIC_PALETTE:
            return "palette";
        case PHOTOMETRIC_SEPARATED:
            return "CMYK";
        case PHOTOMETRIC_YCBCR:
            return "YCbCr";
        case PHOTOMETRIC_CIELAB:
        case PHOTOMETRIC_ICCLAB:
        case PHOTOMETRIC_ITULAB:
            return "L*a*b*";
        case PHOTOMETRIC_LOGL:
        case PHOTOMETRIC_LOGLUV:
            return "LogLuv";
        default:
            return fmt::format("photometric interpretation {}", meaning);
    }
}

// Whether strips of that coding can be coded again without loss.
bool can_code_again(std::uint16_t compression) {
    switch (compression) {
        case COMPRESSION_CCITTRLE:
        case COMPRESSION_CCITTRLEW:
        case COMPRESSION_CCITTFAX3:
        case COMPRESSION_CCITTFAX4:
            return true;
        default:
            return internal::is_usual_lossless(compression);
    }
}

// How a page can be changed; nothing for one that cannot.
std::optional<TiffForm> choose_form(TIFF* tiff, const SampleTags& tags) {
    const bool unsigned_samples = tags.format == SAMPLEFORMAT_UINT;
    const bool whole_bytes = tags.bits == 8 || tags.bits == 16;
    const bool packed = (tags.bits == 1 || tags.bits == 2 || tags.bits == 4) && tags.samples == 1;
    const bool ours = tags.meaning == PHOTOMETRIC_MINISBLACK ||
                      tags.meaning == PHOTOMETRIC_MINISWHITE || tags.meaning == PHOTOMETRIC_RGB ||
                      (tags.meaning == PHOTOMETRIC_SEPARATED && tags.inks == INKSET_CMYK);
    if (tags.compression == COMPRESSION_JPEG && tags.bits == 8 &&
        (ours || tags.meaning == PHOTOMETRIC_YCBCR) && tags.samples == tags.colours() &&
        (tags.planes == PLANARCONFIG_CONTIG || tags.samples == 1)) {
        return TiffForm::kJpeg;
    }
    if (unsigned_samples && can_code_again(tags.compression)) {
        if (tags.meaning == PHOTOMETRIC_PALETTE && tags.samples == 1 &&
            (packed || tags.bits == 8)) {
            return TiffForm::kPalette;
        }
        if (ours && (whole_bytes || packed) && tags.samples >= tags.colours()) {
            return TiffForm::kSamples;
        }
    }
    std::array<char, 1024> reason{};
    // Planes of another number would need another number of strips.
    const bool same_planes =
        tags.planes == PLANARCONFIG_CONTIG || tags.samples == 1 || tags.samples == 3;
    return same_planes && TIFFRGBAImageOK(tiff, reason.data()) != 0
               ? std::optional(TiffForm::kForeign)
               : std::nullopt;
}

}  // namespace

Result<void> TiffPages::State::read_colours() {
    const SampleTags tags = read_tags(tiff);
    const auto form = choose_form(tiff, tags);
    if (!form) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("a TIFF with {} samples of {} bits in a colour model or coding "
                                 "that cannot be decoded here ({}); convert it to grey, RGB or "
                                 "CMYK of 8 or 16 bits first",
                                 tags.samples, tags.bits, model_name(tags.meaning))};
    }
    page.form = *form;
    page.model = model_name(tags.meaning);
    page.bits = tags.bits;
    if (*form == TiffForm::kJpeg && tags.meaning == PHOTOMETRIC_YCBCR) {
        TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    }
    samples = tags.samples;
    bits = tags.bits;
    bytes = bits == 16 ? 2 : 1;
    const int extras = samples - tags.colours();
    const bool declared =
        tags.extra == EXTRASAMPLE_ASSOCALPHA || tags.extra == EXTRASAMPLE_UNASSALPHA;
    alpha = extras == 1 || (extras > 1 && tags.extra_count > 0 && declared);
    premultiplied = alpha && tags.extra_count > 0 && tags.extra == EXTRASAMPLE_ASSOCALPHA;
    shown = tags.colours() + (alpha ? 1 : 0);
    separate = tags.planes == PLANARCONFIG_SEPARATE && samples > 1;
    inverted = tags.meaning == PHOTOMETRIC_MINISWHITE;
    space = *form == TiffForm::kPalette ? ColourSpace::kPalette
            : tags.colours() == 1       ? ColourSpace::kGrey
            : tags.colours() == 3       ? ColourSpace::kRgb
                                        : ColourSpace::kCmyk;
    std::uint16_t orientation = 1;
    std::uint32_t kind = 0;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
    TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &kind);
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
    // A foreign page is decoded to four bytes a pixel.
    const bool foreign = page.form == TiffForm::kForeign;
    const std::uint64_t pixel_bytes =
        foreign ? 4 : static_cast<std::uint64_t>(samples) * static_cast<unsigned>(bytes);
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
    if (!foreign && size != coded_row_bytes() * static_cast<std::size_t>(block_height)) {
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
    const int planes = separate ? shown : 1;
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
    Buffer content(coded_row_bytes() * static_cast<std::size_t>(block_height));
    const auto size = static_cast<tmsize_t>(content.size());
    const tmsize_t got = tiled ? TIFFReadEncodedTile(tiff, block, content.data(), size)
                               : TIFFReadEncodedStrip(tiff, block, content.data(), size);
    if (got < 0) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("strip or tile {} of the TIFF cannot be decoded", block)};
    }
    return bits < 8 ? unpack(content) : content;
}

// A byte for each sample of 1, 2 or 4 bits; rows begin at a byte (TIFF 6.0, section 3).
Buffer TiffPages::State::unpack(const Buffer& packed) const {
    const auto width = static_cast<std::size_t>(block_width);
    const auto per_byte = static_cast<std::size_t>(8 / bits);
    Buffer out(row_bytes() * static_cast<std::size_t>(block_height));
    for (std::size_t i = 0; i < out.size(); ++i) {
        const std::size_t x = i % width;
        const std::uint8_t byte = packed[i / width * coded_row_bytes() + x / per_byte];
        const std::size_t shift = 8 - static_cast<std::size_t>(bits) * (x % per_byte + 1);
        out[i] =
            static_cast<std::uint8_t>(byte >> shift & ((1U << static_cast<unsigned>(bits)) - 1));
    }
    return out;
}

Buffer TiffPages::State::pack(const Buffer& content) const {
    const auto width = static_cast<std::size_t>(block_width);
    const auto per_byte = static_cast<std::size_t>(8 / bits);
    Buffer out(coded_row_bytes() * (content.size() / width));
    for (std::size_t i = 0; i < content.size(); ++i) {
        const std::size_t x = i % width;
        const std::size_t shift = 8 - static_cast<std::size_t>(bits) * (x % per_byte + 1);
        std::uint8_t& byte = out[i / width * coded_row_bytes() + x / per_byte];
        byte = static_cast<std::uint8_t>(byte | content[i] << shift);
    }
    return out;
}

Result<void> TiffPages::State::store(std::uint32_t block, const Rect& area, Buffer& content) const {
    Buffer packed;
    if (bits < 8) {
        packed = pack(content);
    }
    Buffer& coded = bits < 8 ? packed : content;
    const auto size =
        static_cast<tmsize_t>(coded_row_bytes() * static_cast<std::size_t>(area.height));
    const tmsize_t put = tiled ? TIFFWriteEncodedTile(tiff, block, coded.data(), size)
                               : TIFFWriteEncodedStrip(tiff, block, coded.data(), size);
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
    state->tiff =
        TIFFClientOpen("picture", "r+m", &state->memory, TiffMemory::read, TiffMemory::write,
                       TiffMemory::seek, TiffMemory::close, TiffMemory::size, nullptr, nullptr);
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

Image TiffPages::State::empty_image(const Rect& rect) const {
    Image image;
    image.width = rect.width;
    image.height = rect.height;
    image.channels = shown;
    image.sample_bytes = bytes;
    image.sample_max = (1 << bits) - 1;
    image.has_alpha = alpha;
    image.space = space;
    image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(rect.height));
    return image;
}

// Between the samples of a block (`content`, of `area`) and an image of `rect`.
void TiffPages::State::copy_part(Buffer& content, const Rect& area, int plane, Image& image,
                                 const Rect& rect, Direction direction) const {
    const Rect part = intersect(area, rect);
    const auto one = static_cast<std::size_t>(bytes);
    const std::size_t stride = static_cast<std::size_t>(samples_in_block()) * one;
    const std::size_t unit = separate ? one : static_cast<std::size_t>(shown) * one;
    const std::size_t pixel = static_cast<std::size_t>(shown) * one;
    for (int y = part.y; y < part.bottom(); ++y) {
        std::uint8_t* coded = content.data() + static_cast<std::size_t>(y - area.y) * row_bytes() +
                              static_cast<std::size_t>(part.x - area.x) * stride;
        std::uint8_t* seen = image.pixels.data() +
                             static_cast<std::size_t>(y - rect.y) * image.row_bytes() +
                             static_cast<std::size_t>(part.x - rect.x) * pixel +
                             static_cast<std::size_t>(plane) * one;
        for (int x = 0; x < part.width; ++x, coded += stride, seen += pixel) {
            const bool in = direction == Direction::kToImage;
            std::memcpy(in ? seen : coded, in ? coded : seen, unit);
        }
    }
}

// The colours of the page's palette, 16 bits a channel in the file.
Result<void> TiffPages::State::read_palette(Image& image) const {
    std::uint16_t* red = nullptr;
    std::uint16_t* green = nullptr;
    std::uint16_t* blue = nullptr;
    if (TIFFGetField(tiff, TIFFTAG_COLORMAP, &red, &green, &blue) == 0) {
        return Error{ErrorCode::kCorrupt, "a palette picture of a TIFF has no palette"};
    }
    const std::size_t colours = std::size_t{1} << static_cast<unsigned>(bits);
    // Some writers forget to fill the upper byte.
    bool narrow = true;
    for (std::size_t i = 0; i < colours; ++i) {
        narrow = narrow && red[i] < 256 && green[i] < 256 && blue[i] < 256;
    }
    const auto byte = [&](std::uint16_t channel) {
        return narrow ? std::uint32_t{channel} : internal::to_byte(channel);
    };
    for (std::size_t i = 0; i < colours; ++i) {
        image.palette.push_back(0xFF000000U | byte(red[i]) << 16U | byte(green[i]) << 8U |
                                byte(blue[i]));
    }
    return {};
}

Result<Image> TiffPages::read(const Rect& rect) {
    State& state = *state_;
    const Rect all{0, 0, state.page.width, state.page.height};
    COLOPHON_ASSERT(all.contains(rect));
    const bool whole =
        state.page.form == TiffForm::kPalette || state.page.form == TiffForm::kForeign;
    COLOPHON_ASSERT(!whole || rect == all);
    if (state.page.form == TiffForm::kForeign) {
        return state.read_foreign();
    }
    Image image = state.empty_image(rect);
    const auto copy_block = [&](std::uint32_t block, const Rect& area, int plane) -> Result<void> {
        Buffer content = TRY(state.load(block));
        state.copy_part(content, area, plane, image, rect, Direction::kToImage);
        return {};
    };
    TRY(state.for_blocks(rect, copy_block));
    if (state.page.form == TiffForm::kPalette) {
        TRY(state.read_palette(image));
        return image;
    }
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
    COLOPHON_ASSERT(state.page.form == TiffForm::kSamples || state.page.form == TiffForm::kJpeg);
    Image image = pixels;
    if (state.premultiplied) {
        scale_by_alpha(image, true);
    }
    if (state.inverted) {
        invert(image);
    }
    if (state.page.form == TiffForm::kJpeg) {
        return state.write_jpeg(rect, image);
    }
    return state.for_blocks(
        rect, [&](std::uint32_t block, const Rect& area, int plane) -> Result<void> {
            Buffer content = TRY(state.load(block));
            const Buffer before = content;
            state.copy_part(content, area, plane, image, rect, Direction::kToBlock);
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

bool is_usual_lossless(std::uint16_t compression) {
    switch (compression) {
        case COMPRESSION_NONE:
        case COMPRESSION_LZW:
        case COMPRESSION_ADOBE_DEFLATE:
        case COMPRESSION_DEFLATE:
        case COMPRESSION_PACKBITS:
        case COMPRESSION_LZMA:
        case COMPRESSION_ZSTD:
            return true;
        default:
            return false;
    }
}

void silence_tiff() {
    TIFFSetErrorHandler(nullptr);
    TIFFSetWarningHandler(nullptr);
}

}  // namespace internal

}  // namespace colophon::media
