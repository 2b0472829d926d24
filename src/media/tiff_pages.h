// SPDX-License-Identifier: Apache-2.0
#pragma once

// The pages of a TIFF, edited in place: only the strips or tiles under a rectangle are decoded and
// coded again, with the file's own compression; every tag, private directory and other strip stays.
// Pages that cannot be edited so get other samples as a whole.

#include "core/bytes.h"
#include "media/image.h"
#include "media/plane.h"

#include <cstdint>
#include <memory>
#include <string>

namespace colophon::media {

enum class TiffForm : std::uint8_t {
    kSamples,  // grey, RGB or CMYK: read(), write()
    kPalette,  // read() of the whole, replace()
    kJpeg,     // JPEG inside: read() as grey, RGB or CMYK; write() codes only the touched blocks
    kForeign,  // read() of the whole gives 8-bit RGB, replace() changes the page to that
};

struct TiffPage {
    TiffForm form = TiffForm::kSamples;
    std::string model;  // for people: "YCbCr", "CIE L*a*b*", "palette" ...
    int bits = 8;       // a sample
    int width = 0;      // as stored
    int height = 0;
    int orientation = 1;   // 1 .. 8, as in EXIF
    bool reduced = false;  // a thumbnail of another page
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

    // Makes page `index` the one to read and write. kUnsupported for floating point and samples of
    // more than 16 or of unusual bits, and what libtiff cannot decode; kLimit for its size.
    Result<TiffPage> select(int index);

    // The pixels of `rect` of the page, which must lie inside, and for kPalette and kForeign be the
    // whole of it (asserted). Inverted greys are turned round. Samples beyond the colours and one
    // alpha are left out; write() keeps them.
    Result<Image> read(const Rect& rect);
    // Puts pixels of read() back and codes their strips or tiles again. For kSamples and kJpeg.
    Result<void> write(const Rect& rect, const Image& pixels);
    // Makes the page one of these pixels, 8-bit RGB with or without alpha or a palette of up to 256
    // colours, in the strips or tiles that it has; its compression stays when that is a usual
    // lossless one and becomes Deflate otherwise. All tags but those of the samples stay.
    Result<void> replace(const Image& pixels);

    // The file with all changes. The object is then done with.
    Result<Buffer> finish();

    struct State;  // of the sources

private:
    explicit TiffPages(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace colophon::media
