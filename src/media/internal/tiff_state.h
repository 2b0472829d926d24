// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the sources of TiffPages share: the file in memory, and the page that is selected.

#include "core/bytes.h"
#include "media/image.h"
#include "media/plane.h"
#include "media/tiff_pages.h"

#include <tiffio.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>

namespace colophon::media {
namespace internal {

// A file in memory, as libtiff wants to see one.
struct TiffMemory {
    Buffer bytes;
    std::uint64_t at = 0;
    std::uint64_t most = 0;  // a broken directory must not make it grow without end

    static TiffMemory& of(thandle_t handle) { return *static_cast<TiffMemory*>(handle); }
    static tmsize_t read(thandle_t handle, void* out, tmsize_t size) {
        TiffMemory& memory = of(handle);
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
        TiffMemory& memory = of(handle);
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
        TiffMemory& memory = of(handle);
        const std::uint64_t base = whence == SEEK_CUR   ? memory.at
                                   : whence == SEEK_END ? memory.bytes.size()
                                                        : 0;
        memory.at = base + offset;
        return memory.at;
    }
    static int close(thandle_t) { return 0; }
    static toff_t size(thandle_t handle) { return of(handle).bytes.size(); }
};

// A channel of a palette entry in 8 bits: the nearest that there is.
constexpr std::uint32_t to_byte(std::uint16_t channel) {
    return (channel * 255U + 32767U) / 65535U;
}

// Codings that any page of 8 bits can have.
bool is_usual_lossless(std::uint16_t compression);

}  // namespace internal

struct TiffPages::State {
    internal::TiffMemory memory;
    TIFF* tiff = nullptr;
    int count = 0;
    // Of the selected page.
    TiffPage page;
    bool tiled = false;
    bool separate = false;  // one plane a sample
    bool inverted = false;  // 0 is white
    bool premultiplied = false;
    int samples = 0;  // of a pixel in the file
    int shown = 0;    // of them the first ones that an Image has
    int bits = 8;     // of a sample in the file
    int bytes = 1;    // of a sample in memory: those of 1, 2 and 4 bits are unpacked
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
    Result<void> read_palette(Image& image) const;
    Result<Image> read_foreign();
    Buffer unpack(const Buffer& packed) const;
    Buffer pack(const Buffer& content) const;
    Image empty_image(const Rect& rect) const;
    enum class Direction : std::uint8_t { kToImage, kToBlock };
    void copy_part(Buffer& content, const Rect& area, int plane, Image& image, const Rect& rect,
                   Direction direction) const;
    Result<void> write_jpeg(const Rect& rect, const Image& image);
    Result<void> store_jpeg(std::uint32_t block, const Rect& area, const Image& before,
                            const Image& after, const Rect& rect) const;
    int samples_in_block() const { return separate ? 1 : samples; }
    std::size_t row_bytes() const {
        return static_cast<std::size_t>(block_width) *
               static_cast<std::size_t>(samples_in_block()) * static_cast<std::size_t>(bytes);
    }
    // The same as libtiff has it: samples below a byte packed.
    std::size_t coded_row_bytes() const {
        return (static_cast<std::size_t>(block_width) *
                    static_cast<std::size_t>(samples_in_block()) * static_cast<std::size_t>(bits) +
                7) /
               8;
    }
    // Calls `each(block index, its rectangle, its plane)` for all blocks that touch `rect`.
    Result<void> for_blocks(
        const Rect& rect,
        const std::function<Result<void>(std::uint32_t, const Rect&, int)>& each) const;
    Result<Buffer> load(std::uint32_t block);
    Result<void> store(std::uint32_t block, const Rect& area, Buffer& content) const;
};

}  // namespace colophon::media
