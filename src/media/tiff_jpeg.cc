// SPDX-License-Identifier: Apache-2.0
// JPEG inside a TIFF (Technical Note 2): each strip or tile is a JPEG of its own, whose tables
// stand once in the directory. With the tables put in front it is a file that JpegBlocks changes
// where the pixels changed, and nowhere else. What is stored has its tables with it, which the note
// allows.
#include "core/bytes.h"
#include "core/result.h"
#include "media/image.h"
#include "media/internal/tiff_state.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"
#include "media/tiff_pages.h"

#include <fmt/format.h>
#include <tiff.h>
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace colophon::media {
namespace {

constexpr std::size_t kMarkerBytes = 2;

// Component `component` of a pixel: RGB as YCbCr (JFIF), everything else as it is.
float component_of(const Image& image, bool ycc, int x, int y, std::size_t component) {
    if (!ycc) {
        return static_cast<float>(image.sample(x, y, static_cast<int>(component)));
    }
    constexpr std::array<std::array<float, 4>, 3> kWeights{{{0.299F, 0.587F, 0.114F, 0},
                                                            {-0.168736F, -0.331264F, 0.5F, 128},
                                                            {0.5F, -0.418688F, -0.081312F, 128}}};
    const auto& weights = kWeights[component];
    return weights[0] * static_cast<float>(image.sample(x, y, 0)) +
           weights[1] * static_cast<float>(image.sample(x, y, 1)) +
           weights[2] * static_cast<float>(image.sample(x, y, 2)) + weights[3];
}

bool same_pixel(const Image& a, const Image& b, int x, int y) {
    for (int c = 0; c < a.channels; ++c) {
        if (a.sample(x, y, c) != b.sample(x, y, c)) {
            return false;
        }
    }
    return true;
}

// Whether a pixel of `part` differs; the images are of `rect`.
bool differ(const Image& a, const Image& b, const Rect& rect, const Rect& part) {
    for (int y = part.y; y < part.bottom(); ++y) {
        for (int x = part.x; x < part.right(); ++x) {
            if (!same_pixel(a, b, x - rect.x, y - rect.y)) {
                return true;
            }
        }
    }
    return false;
}

// A change of pixels, seen from one JPEG of the page.
struct Change {
    const Image& before;
    const Image& after;
    Rect rect;  // of both images, in pixels of that JPEG
    bool ycc;
};

// The mean over the pixels that a sample stands for, where one of them changed; `old` otherwise and
// for those that are not in the images.
std::uint8_t new_sample(const Change& change, const Rect& pixels, std::size_t component,
                        std::uint8_t old) {
    float sum = 0;
    bool changed = false;
    for (int y = pixels.y; y < pixels.bottom(); ++y) {
        for (int x = pixels.x; x < pixels.right(); ++x) {
            if (!change.rect.contains({x, y, 1, 1})) {
                sum += old;
                continue;
            }
            const int ix = x - change.rect.x;
            const int iy = y - change.rect.y;
            const bool same = same_pixel(change.before, change.after, ix, iy);
            changed = changed || !same;
            sum += same ? old : component_of(change.after, change.ycc, ix, iy, component);
        }
    }
    const float mean = sum / static_cast<float>(pixels.area());
    return changed ? static_cast<std::uint8_t>(std::lround(std::clamp(mean, 0.0F, 255.0F))) : old;
}

void change_component(JpegBlocks& blocks, std::size_t component, const Change& change) {
    const JpegComponent& facts = blocks.components()[component];
    const int h = blocks.horizontal_max();
    const int v = blocks.vertical_max();
    const Rect part = intersect(change.rect, {0, 0, blocks.width(), blocks.height()});
    if (part.empty()) {
        return;
    }
    const int left = part.x * facts.horizontal / h;
    const int top = part.y * facts.vertical / v;
    const Rect area{left, top,
                    std::min(facts.width, (part.right() * facts.horizontal + h - 1) / h) - left,
                    std::min(facts.height, (part.bottom() * facts.vertical + v - 1) / v) - top};
    if (area.empty()) {
        return;
    }
    Plane plane = blocks.read(component, area);
    for (int y = area.y; y < area.bottom(); ++y) {
        for (int x = area.x; x < area.right(); ++x) {
            const int px = x * h / facts.horizontal;
            const int py = y * v / facts.vertical;
            const Rect pixels{px, py, std::max(1, (x + 1) * h / facts.horizontal - px),
                              std::max(1, (y + 1) * v / facts.vertical - py)};
            plane.at(x, y) = new_sample(change, pixels, component, plane.at(x, y));
        }
    }
    blocks.change(component, plane);
}

// SOI, the tables of the directory, and the JPEG behind its own SOI.
Result<Buffer> join_tables(TIFF* tiff, Bytes coded, std::uint32_t block) {
    std::uint32_t count = 0;
    const std::uint8_t* data = nullptr;
    Bytes tables;
    if (TIFFGetField(tiff, TIFFTAG_JPEGTABLES, &count, &data) != 0 && count >= 2 * kMarkerBytes) {
        tables = Bytes(data, count).subspan(kMarkerBytes, count - 2 * kMarkerBytes);
    }
    if (coded.size() < 2 * kMarkerBytes) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("strip or tile {} of the TIFF cannot be decoded", block)};
    }
    Buffer file = to_buffer(coded.first(kMarkerBytes));
    append(file, tables);
    append(file, coded.subspan(kMarkerBytes));
    return file;
}

}  // namespace

Result<void> TiffPages::State::store_jpeg(std::uint32_t block, const Rect& area,
                                          const Image& before, const Image& after,
                                          const Rect& rect) const {
    const std::uint64_t size = TIFFGetStrileByteCount(tiff, block);
    Buffer coded(static_cast<std::size_t>(std::min<std::uint64_t>(size, memory.bytes.size())));
    const auto asked = static_cast<tmsize_t>(coded.size());
    const tmsize_t got = tiled ? TIFFReadRawTile(tiff, block, coded.data(), asked)
                               : TIFFReadRawStrip(tiff, block, coded.data(), asked);
    coded.resize(static_cast<std::size_t>(std::max<tmsize_t>(got, 0)));
    const Buffer file = TRY(join_tables(tiff, coded, block));
    JpegBlocks blocks = TRY(JpegBlocks::open(file));
    if (blocks.components().size() != static_cast<std::size_t>(samples)) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("strip or tile {} of the TIFF cannot be decoded", block)};
    }
    const Change change{.before = before,
                        .after = after,
                        .rect = {rect.x - area.x, rect.y - area.y, rect.width, rect.height},
                        .ycc = page.model == "YCbCr"};
    for (std::size_t c = 0; c < blocks.components().size(); ++c) {
        change_component(blocks, c, change);
    }
    Buffer written = TRY(blocks.write());
    TIFFSetWriteOffset(tiff, 0);  // or it would be appended to the strip that was written before
    const auto bytes_written = static_cast<tmsize_t>(written.size());
    const tmsize_t put = tiled ? TIFFWriteRawTile(tiff, block, written.data(), bytes_written)
                               : TIFFWriteRawStrip(tiff, block, written.data(), bytes_written);
    if (put < 0) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("strip or tile {} of the TIFF cannot be coded again", block)};
    }
    return {};
}

Result<void> TiffPages::State::write_jpeg(const Rect& rect, const Image& image) {
    Image before = empty_image(rect);
    const auto copy_block = [&](std::uint32_t block, const Rect& area, int plane) -> Result<void> {
        Buffer content = TRY(load(block));
        copy_part(content, area, plane, before, rect, Direction::kToImage);
        return {};
    };
    TRY(for_blocks(rect, copy_block));
    return for_blocks(rect, [&](std::uint32_t block, const Rect& area, int) {
        return differ(before, image, rect, intersect(area, rect))
                   ? store_jpeg(block, area, before, image, rect)
                   : Result<void>();
    });
}

}  // namespace colophon::media
