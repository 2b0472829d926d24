// SPDX-License-Identifier: Apache-2.0
// A WebP with other pixels. It is coded again losslessly where it was lossless, otherwise at the
// quality that its quantizer tells; only the coded chunks are exchanged: ICCP, EXIF, XMP and
// foreign chunks stay byte for byte and in their order.
#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/container/riff_chunks.h"
#include "label/picture/recode.h"
#include "media/image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using media::Image;

struct Chunk {
    std::string_view type;
    std::uint64_t offset = 0;
    std::uint64_t size = 0;  // header, data, padding
    Bytes data;
};

struct WebpFile {
    std::vector<Chunk> chunks;
    std::uint64_t end = 0;
};

Result<WebpFile> walk(Bytes file) {
    const RiffFile riff = TRY(walk_riff(file));
    if (riff.form != "WEBP") {
        return corrupt_at("no WebP header", 0);
    }
    WebpFile webp;
    webp.end = riff.end;
    for (const RiffChunk& chunk : riff.chunks) {
        webp.chunks.push_back({.type = chunk.id,
                               .offset = chunk.offset,
                               .size = chunk.end - chunk.offset,
                               .data = riff_data(file, chunk)});
    }
    return webp;
}

bool is_coded(std::string_view type) {
    return type == "VP8 " || type == "VP8L" || type == "ALPH" || type == "ANIM" || type == "ANMF";
}

bool is_picture(std::string_view type) {
    return type == "VP8 " || type == "VP8L";
}

// The VP8 or VP8L chunk of one frame of an animation.
std::optional<Chunk> picture_of_frame(Bytes frame) {
    constexpr std::size_t kFrameHead = 16;
    Bytes rest = frame.subspan(std::min(frame.size(), kFrameHead));
    while (rest.size() >= 8) {
        const std::string_view type = as_text(rest.first(4));
        const std::size_t size = load_le32(rest.subspan(4));
        if (size > rest.size() - 8) {
            break;
        }
        if (is_picture(type)) {
            return Chunk{.type = type, .offset = 0, .size = 0, .data = rest.subspan(8, size)};
        }
        rest = rest.subspan(std::min(rest.size(), 8 + size + size % 2));
    }
    return std::nullopt;
}

// The first VP8 or VP8L chunk, also inside the first frame of an animation.
std::optional<Chunk> coded_picture(const WebpFile& webp) {
    for (const Chunk& chunk : webp.chunks) {
        if (is_picture(chunk.type)) {
            return chunk;
        }
        if (chunk.type == "ANMF") {
            if (std::optional<Chunk> picture = picture_of_frame(chunk.data)) {
                return picture;
            }
        }
    }
    return std::nullopt;
}

// The arithmetic decoder of VP8 (RFC 6386, 7.3), for the few flags of the frame header.
class FlagReader {
public:
    explicit FlagReader(Bytes bytes) : bytes_(bytes) {
        for (int i = 0; i < 2; ++i) {
            value_ = value_ << 8U | take();
        }
    }
    bool flag() {
        const std::uint32_t split = 1 + ((range_ - 1) >> 1U);
        const bool bit = value_ >= split << 8U;
        if (bit) {
            range_ -= split;
            value_ -= split << 8U;
        } else {
            range_ = split;
        }
        while (range_ < 128) {
            value_ <<= 1U;
            range_ <<= 1U;
            if (++shifted_ == 8) {
                shifted_ = 0;
                value_ |= take();
            }
        }
        return bit;
    }
    int number(int bits) {
        int value = 0;
        while (bits-- > 0) {
            value = value * 2 + (flag() ? 1 : 0);
        }
        return value;
    }
    int signed_number(int bits) {
        const int value = number(bits);
        return flag() ? -value : value;
    }

private:
    std::uint32_t take() { return at_ < bytes_.size() ? bytes_[at_++] : 0U; }
    Bytes bytes_;
    std::size_t at_ = 0;
    std::uint32_t value_ = 0;
    std::uint32_t range_ = 255;
    int shifted_ = 0;
};

// Passes over numbers of `bits` bits, each behind a flag that says whether it is there.
void skip_optional(FlagReader& in, int times, int bits) {
    for (int i = 0; i < times; ++i) {
        if (in.flag()) {
            in.number(bits);
        }
    }
}

// The finest quantizer index (0 .. 127) that a VP8 key frame uses (RFC 6386, 9.3 and 9.6).
std::optional<int> quantizer(Bytes vp8) {
    if (vp8.size() < 12 || (vp8[0] & 1U) != 0) {
        return std::nullopt;
    }
    FlagReader in(vp8.subspan(10));
    in.number(2);  // colour space, clamping
    std::optional<int> finest;
    bool absolute = false;
    std::array<int, 4> segments{};
    const bool segmented = in.flag();
    if (segmented) {
        const bool map = in.flag();
        if (in.flag()) {
            absolute = in.flag();
            for (int& segment : segments) {
                segment = in.flag() ? in.signed_number(7) : 0;
            }
            skip_optional(in, 4, 6 + 1);  // loop filter levels, with signs
        }
        skip_optional(in, map ? 3 : 0, 8);  // probabilities of the map
    }
    in.number(1 + 6 + 3);  // loop filter
    if (in.flag() && in.flag()) {
        skip_optional(in, 8, 6 + 1);  // its changes, with signs
    }
    in.number(2);  // partitions
    const int base = in.number(7);
    finest = base;
    for (const int segment : segments) {
        if (segmented) {
            finest = std::min(*finest, absolute ? segment : base + segment);
        }
    }
    return std::clamp(*finest, 0, 127);
}

// libwebp's quality for that quantizer: the inverse of its QualityToCompression().
float quality_of(int index) {
    const double c = 1.0 - index / 127.0;
    const double flat = c * c * c;
    const double quality = flat < 0.5 ? flat * 1.5 : (flat + 1.0) / 2.0;
    return static_cast<float>(std::clamp(100.0 * quality, 30.0, 98.0));
}

// The frame header chunk, for a file that had none or whose flags change.
Buffer extended_header(const Image& image, std::uint8_t flags) {
    Buffer out;
    append(out, "VP8X");
    append_le32(out, 10);
    append_le32(out, flags);
    const auto w = static_cast<std::uint32_t>(image.width - 1);
    const auto h = static_cast<std::uint32_t>(image.height - 1);
    for (const std::uint32_t v : {w, h}) {
        out.push_back(static_cast<std::uint8_t>(v));
        out.push_back(static_cast<std::uint8_t>(v >> 8U));
        out.push_back(static_cast<std::uint8_t>(v >> 16U));
    }
    return out;
}

Splice exchange_picture(const WebpFile& before, const WebpFile& after, Bytes coded,
                        const Image& image, Bytes file) {
    constexpr std::uint8_t kAlpha = 0x10;
    const auto header = std::find_if(before.chunks.begin(), before.chunks.end(),
                                     [](const Chunk& c) { return c.type == "VP8X"; });
    std::uint8_t flags =
        header != before.chunks.end() && !header->data.empty() ? header->data[0] : 0;
    bool extended = header != before.chunks.end();
    for (const Chunk& chunk : after.chunks) {
        if (chunk.type == "VP8X") {
            // Ours says whether there is alpha now; the rest is as before.
            const auto alpha = static_cast<std::uint8_t>(chunk.data[0] & kAlpha);
            flags = static_cast<std::uint8_t>((flags & ~kAlpha) | alpha);
            extended = true;
        }
    }
    Splice body;
    if (extended) {
        body.insert(extended_header(image, flags));
    }
    bool done = false;
    for (const Chunk& chunk : before.chunks) {
        if (chunk.type == "VP8X") {
            continue;
        }
        if (!is_coded(chunk.type)) {
            body.copy(chunk.offset, chunk.size);
            continue;
        }
        for (const Chunk& made : after.chunks) {
            if (!done && is_coded(made.type)) {
                body.insert(coded.subspan(static_cast<std::size_t>(made.offset),
                                          static_cast<std::size_t>(made.size)));
            }
        }
        done = true;
    }
    Buffer riff;
    append(riff, "RIFF");
    append_le32(riff, static_cast<std::uint32_t>(body.size() + 4));
    append(riff, "WEBP");
    Splice out;
    out.insert(std::move(riff));
    for (const SplicePiece& piece : body.pieces()) {
        if (piece.source_size > 0) {
            out.copy(piece.source_offset, piece.source_size);
        } else {
            out.insert(Bytes(piece.bytes));
        }
    }
    if (before.end < file.size()) {
        out.copy(before.end, file.size() - before.end);
    }
    return out;
}

}  // namespace

Result<Recoded> recode_webp(Bytes file, const media::Image& image) {
    const WebpFile before = TRY(walk(file));
    const std::optional<Chunk> picture = coded_picture(before);
    if (!picture) {
        return Error{ErrorCode::kCorrupt, "the WebP has no coded picture"};
    }
    Recoded recoded;
    media::WebpOptions options;
    options.lossless = picture->type == "VP8L";
    if (!options.lossless) {
        options.quality = quality_of(quantizer(picture->data).value_or(20));
        recoded.loss = "the picture was lossy and is coded once more at its own quality";
    }
    const Buffer coded = TRY(media::encode_webp(image, options));
    const WebpFile after = TRY(walk(coded));
    recoded.splice = exchange_picture(before, after, coded, image, file);
    return recoded;
}

}  // namespace colophon::label
