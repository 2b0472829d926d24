// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pages of a TIFF, edited in place: only the strips or tiles under a rectangle are decoded and
// coded again, with the file's own compression; every tag, private directory and other strip stays.

#include "core/bytes.h"
#include "media/image.h"
#include "media/plane.h"

#include <memory>

namespace colophon::media {

struct TiffPage {
    int width = 0;  // as stored
    int height = 0;
    int orientation = 1;   // 1 .. 8, as in EXIF
    bool reduced = false;  // a thumbnail of another page
    bool lossless = true;  // whether coding again keeps every sample
};

class TiffPages {
public:
    // kCorrupt for no TIFF, kLimit for more pages than limits::kImageFramesMax.
    static Result<TiffPages> open(Bytes file);
    TiffPages(TiffPages&&) noexcept;
    TiffPages& operator=(TiffPages&&) noexcept;
    TiffPages(const TiffPages&) = delete;
    TiffPages& operator=(const TiffPages&) = delete;
    ~TiffPages();

    int count() const noexcept;

    // Makes page `index` the one to read and write. kUnsupported for samples other than 8 or 16
    // bits, palettes, and colour models other than grey, RGB and CMYK; kLimit for its size.
    Result<TiffPage> select(int index);

    // The pixels of `rect` of the page, which must lie inside. Inverted greys are turned round.
    Result<Image> read(const Rect& rect);
    // Puts pixels of read() back and codes their strips or tiles again.
    Result<void> write(const Rect& rect, const Image& pixels);

    // The file with all changes. The object is then done with.
    Result<Buffer> finish();

private:
    struct State;
    explicit TiffPages(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace colophon::media
