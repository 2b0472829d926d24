// SPDX-License-Identifier: Apache-2.0
#pragma once

// A JPEG picture opened as its DCT coefficients: samples of a rectangle can be looked at and
// changed, and only the 8x8 blocks whose samples changed are quantized again. Every other
// coefficient of the file keeps its value, so that drawing into a corner costs no generation.

#include "core/bytes.h"
#include "media/plane.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace colophon::media {

enum class JpegColours : std::uint8_t {
    kGrey,
    kYcc,
    kRgb,
    kCmyk,          // 255 is full ink
    kCmykInverted,  // Adobe: 255 is no ink
    kYcck,          // Adobe: YCC of the inks (255 is full ink), then black (255 is no ink)
};

struct JpegComponent {
    int width = 0;  // in samples, without the padding of the last blocks
    int height = 0;
    int horizontal = 1;  // sampling factors: this of horizontal_max() samples for one pixel
    int vertical = 1;
};

class JpegBlocks {
public:
    // Reads all of the coded data. `file` must outlive the object.
    // kUnsupported for arithmetic coding, 12-bit and lossless pictures; kLimit for sizes above
    // limits::kImagePixelsMax and more scans than limits::kJpegScansMax; kCorrupt for the rest.
    static Result<JpegBlocks> open(Bytes file);
    JpegBlocks(JpegBlocks&&) noexcept;
    JpegBlocks& operator=(JpegBlocks&&) noexcept;
    JpegBlocks(const JpegBlocks&) = delete;
    JpegBlocks& operator=(const JpegBlocks&) = delete;
    ~JpegBlocks();

    int width() const noexcept;
    int height() const noexcept;
    JpegColours colours() const noexcept;
    const std::vector<JpegComponent>& components() const noexcept;
    int horizontal_max() const noexcept;
    int vertical_max() const noexcept;

    // Samples of the blocks that touch `area` (given in samples of the component, inside it); the
    // plane covers whole blocks and may reach over the right and lower edge of the component.
    Plane read(std::size_t component, const Rect& area) const;

    // Takes a plane of read() back. Blocks in which a sample differs from what read() gives are
    // transformed and quantized; the others are not touched.
    void change(std::size_t component, const Plane& plane);

    // The whole first component at 1/8, 2/8 or 4/8 of its size (`samples_per_block` 1, 2, 4), from
    // the low frequencies only.
    Plane reduced(int samples_per_block) const;

    // The picture as SOI, DQT, SOF, DHT, DRI, SOS, scans, EOI: no APPn and COM segments, those are
    // for the caller to carry over. Mode (baseline, progressive), tables, sampling and restart
    // interval are the original's. A file of one sequential scan without restarts also keeps its
    // Huffman tables, with codes added for what changed, and the bits of the rows that did not;
    // others get their tables made anew unless they are the usual ones.
    Result<Buffer> write();

private:
    struct State;
    explicit JpegBlocks(std::unique_ptr<State> state);
    Result<Buffer> write_scan();
    Result<void> give_to_libjpeg();
    Result<Buffer> write_arrays();
    std::unique_ptr<State> state_;
};

}  // namespace colophon::media
