// SPDX-License-Identifier: Apache-2.0
// C2PA 2.4, 18.7.3: what the boxes of each format are called.

#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"
#include "label/container/gif_blocks.h"
#include "label/container/jpeg_segments.h"
#include "label/container/ogg_pages.h"
#include "label/container/png_chunks.h"
#include "label/container/riff_chunks.h"
#include "label/format.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/box_hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance::internal {
namespace {

constexpr std::string_view kManifest = "C2PA";
constexpr std::string_view kAfter = "c2pa.after";
constexpr std::size_t kBoxesMax = limits::kContainerItemsMax;

// Collects boxes one behind the other; those of the manifest store become one.
class Boxes {
public:
    explicit Boxes(const std::vector<ByteRange>& store) : store_(store) {}

    Result<void> add(std::string_view name, std::uint64_t begin, std::uint64_t end) {
        const bool ours = std::ranges::any_of(store_, [&](const ByteRange& range) {
            return begin <= range.offset ? range.offset < end : begin < range.end();
        });
        if (ours && !list_.empty() && list_.back().name == kManifest) {
            ByteRange& last = list_.back().ranges.back();
            last.size = end - last.offset;
            return {};
        }
        if (list_.size() >= kBoxesMax) {
            return Error{ErrorCode::kLimit, fmt::format("a file of more than {} boxes", kBoxesMax)};
        }
        list_.push_back({.name = std::string(ours ? kManifest : name),
                         .ranges = {{.offset = begin, .size = end - begin}}});
        return {};
    }
    Result<void> add_rest(std::uint64_t begin, std::uint64_t end) {
        return begin < end ? add(kAfter, begin, end) : Result<void>();
    }
    std::vector<NamedBox> take() { return std::move(list_); }

private:
    const std::vector<ByteRange>& store_;
    std::vector<NamedBox> list_;
};

// ITU-T T.81, table B.1.
std::string jpeg_name(std::uint8_t marker) {
    switch (marker) {
        case 0x01:
            return "TEM";
        case 0xC4:
            return "DHT";
        case 0xC8:
            return "JPG";
        case 0xCC:
            return "DAC";
        case jpeg::kSoi:
            return "SOI";
        case jpeg::kEoi:
            return "EOI";
        case jpeg::kSos:
            return "SOS";
        case 0xDB:
            return "DQT";
        case 0xDC:
            return "DNL";
        case 0xDD:
            return "DRI";
        case 0xDE:
            return "DHP";
        case 0xDF:
            return "EXP";
        case jpeg::kCom:
            return "COM";
        default:
            break;
    }
    const unsigned low = marker & 0x0FU;
    if (marker >= 0xC0 && marker <= 0xCF) {
        return fmt::format("SOF{}", low);
    }
    if (marker >= 0xD0 && marker <= 0xD7) {
        return fmt::format("RST{}", low);
    }
    return marker >= jpeg::kApp0 && marker <= jpeg::kApp15 ? fmt::format("APP{}", low)
                                                           : fmt::format("JPG{}", low);
}

// A scan and each restart in it are boxes of their own, with the coded data behind them.
Result<void> add_scan(Bytes file, const JpegSegment& scan, std::uint64_t end, std::uint64_t shift,
                      Boxes& boxes) {
    std::uint64_t begin = scan.offset;
    std::string name = "SOS";
    std::uint64_t at = scan.end();
    while (at < end) {
        const auto* from = file.data() + at;
        const void* hit = std::memchr(from, 0xFF, static_cast<std::size_t>(end - at));
        if (hit == nullptr) {
            break;
        }
        at += static_cast<std::uint64_t>(static_cast<const std::uint8_t*>(hit) - from);
        const std::uint8_t next = at + 1 < end ? file[static_cast<std::size_t>(at + 1)] : 0;
        if (next >= 0xD0 && next <= 0xD7) {
            TRY(boxes.add(name, shift + begin, shift + at));
            begin = at;
            name = jpeg_name(next);
        }
        at += next == 0xFF ? 1 : 2;
    }
    return boxes.add(name, shift + begin, shift + end);
}

Result<void> list_jpeg(Bytes file, std::size_t pictures, Boxes& boxes) {
    std::uint64_t start = 0;
    for (std::size_t picture = 0; picture == 0 || picture < pictures; ++picture) {
        const Bytes rest = file.subspan(static_cast<std::size_t>(start));
        if (picture > 0 && !starts_with(rest, "\xFF\xD8")) {
            break;
        }
        const JpegFile jpeg = TRY(walk_jpeg(rest, JpegExtent::kWholeImage));
        TRY(boxes.add("SOI", start, start + 2));
        for (std::size_t i = 0; i < jpeg.segments.size(); ++i) {
            const JpegSegment& segment = jpeg.segments[i];
            if (segment.marker == jpeg::kSos && i + 1 < jpeg.segments.size()) {
                TRY(add_scan(rest, segment, jpeg.segments[i + 1].offset, start, boxes));
            } else {
                TRY(boxes.add(jpeg_name(segment.marker), start + segment.offset,
                              start + segment.end()));
            }
        }
        start += jpeg.end;
    }
    return boxes.add_rest(start, file.size());
}

Result<void> list_png(Bytes file, Boxes& boxes) {
    const PngFile png = TRY(walk_png(file));
    TRY(boxes.add("PNGh", 0, kPngSignature.size()));
    for (const PngChunk& chunk : png.chunks) {
        TRY(boxes.add(chunk.type, chunk.offset, chunk.end()));
    }
    return boxes.add_rest(png.end, file.size());
}

Result<void> list_gif(Bytes file, Boxes& boxes) {
    constexpr std::uint64_t kSignature = 6;
    constexpr std::uint64_t kDescriptor = 10;
    const GifFile gif = TRY(walk_gif(file));
    TRY(boxes.add(gif.version_89a ? "GIF89a" : "GIF87a", 0, kSignature));
    TRY(boxes.add("LSD", kSignature, gif.header_end));
    for (const GifBlock& block : gif.blocks) {
        if (block.kind == GifBlockKind::kExtension) {
            TRY(boxes.add(fmt::format("21{:02X}", block.label), block.offset, block.end()));
        } else if (block.kind == GifBlockKind::kTrailer) {
            TRY(boxes.add("3B", block.offset, block.end()));
        } else {
            const std::uint8_t flags = file[static_cast<std::size_t>(block.offset + 9)];
            const std::uint64_t table = (flags & 0x80U) != 0 ? 3ULL << ((flags & 7U) + 1U) : 0;
            const std::uint64_t data = block.offset + kDescriptor + table;
            TRY(boxes.add("2C", block.offset, data));
            TRY(boxes.add("TBID", data, block.end()));
        }
    }
    return boxes.add_rest(gif.end, file.size());
}

Result<void> list_riff(Bytes file, Boxes& boxes) {
    constexpr std::uint64_t kHead = 12;
    const RiffFile riff = TRY(walk_riff(file));
    TRY(boxes.add(riff.form, 0, kHead));
    for (const RiffChunk& chunk : riff.chunks) {
        const std::string_view kind = riff_list_kind(file, chunk);
        TRY(boxes.add(kind.empty() ? chunk.id : kind, chunk.offset, chunk.end));
    }
    return boxes.add_rest(riff.end, file.size());
}

// Each logical stream is a box, in the order in which they begin.
Result<std::vector<NamedBox>> list_ogg(Bytes file, const std::vector<ByteRange>& store) {
    std::vector<NamedBox> list;
    std::vector<std::uint32_t> serials;
    std::uint64_t at = 0;
    for (std::size_t pages = 0; at < file.size(); ++pages) {
        const auto page = read_ogg_page(file, at);
        if (!page.ok()) {
            list.push_back({.name = std::string(kAfter),
                            .ranges = {{.offset = at, .size = file.size() - at}}});
            break;
        }
        if (pages >= kBoxesMax) {
            return Error{ErrorCode::kLimit, fmt::format("a file of more than {} boxes", kBoxesMax)};
        }
        auto row = std::ranges::find(serials, page->serial);
        if (row == serials.end()) {
            const bool ours = std::ranges::any_of(store, [&](const ByteRange& range) {
                return range.offset <= at && at < range.end();
            });
            list.push_back(
                {.name = ours ? std::string(kManifest) : fmt::format("Stream-{}", page->serial),
                 .ranges = {}});
            serials.push_back(page->serial);
            row = serials.end() - 1;
        }
        list[static_cast<std::size_t>(row - serials.begin())].ranges.push_back(
            {.offset = at, .size = page->size});
        at = page->end();
    }
    return list;
}

}  // namespace

Result<std::vector<NamedBox>> list_boxes(Bytes file, Format format,
                                         const std::vector<ByteRange>& store_ranges,
                                         std::size_t pictures) {
    Boxes boxes(store_ranges);
    switch (format) {
        case Format::kJpeg:
            TRY(list_jpeg(file, pictures, boxes));
            break;
        case Format::kPng:
            TRY(list_png(file, boxes));
            break;
        case Format::kGif:
            TRY(list_gif(file, boxes));
            break;
        case Format::kWebp:
        case Format::kWav:
        case Format::kAvi:
            TRY(list_riff(file, boxes));
            break;
        case Format::kOggVorbis:
        case Format::kOpus:
            return list_ogg(file, store_ranges);
        default:
            return Error{ErrorCode::kUnsupported,
                         fmt::format("this version knows no boxes of {}", facts(format).name)};
    }
    return boxes.take();
}

}  // namespace colophon::label::provenance::internal
