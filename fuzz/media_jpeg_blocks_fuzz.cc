// SPDX-License-Identifier: Apache-2.0
// Any bytes as a JPEG. What opens can be looked at in all sizes; written without a change it has
// the same blocks, and written with one it opens again.

#include "core/assert.h"
#include "core/bytes.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace colophon::media {
namespace {

// The last pixels of a component, where blocks reach over the edge.
Rect corner(const JpegComponent& component) {
    const int width = std::min(component.width, 20);
    const int height = std::min(component.height, 20);
    return {component.width - width, component.height - height, width, height};
}

void check_same(const JpegBlocks& one, const JpegBlocks& other) {
    COLOPHON_ASSERT(one.width() == other.width() && one.height() == other.height());
    COLOPHON_ASSERT(one.components().size() == other.components().size());
    for (std::size_t i = 0; i < one.components().size(); ++i) {
        const Rect area = corner(one.components()[i]);
        COLOPHON_ASSERT(one.read(i, area).samples == other.read(i, area).samples);
    }
}

void check_blocks(Bytes file) {
    auto blocks = JpegBlocks::open(file);
    if (!blocks.ok()) {
        return;
    }
    for (const int samples : {1, 2, 4}) {
        COLOPHON_ASSERT(!blocks->reduced(samples).samples.empty());
    }
    // Coefficients out of range are refused when they are coded again.
    const auto unchanged = blocks->write();
    if (unchanged.ok()) {
        const auto again = JpegBlocks::open(*unchanged);
        COLOPHON_ASSERT(again.ok());
        check_same(*blocks, *again);
    }
    for (std::size_t i = 0; i < blocks->components().size(); ++i) {
        Plane plane = blocks->read(i, corner(blocks->components()[i]));
        for (std::uint8_t& sample : plane.samples) {
            sample = static_cast<std::uint8_t>(255 - sample);
        }
        blocks->change(i, plane);
    }
    const auto changed = blocks->write();
    COLOPHON_ASSERT(!changed.ok() || JpegBlocks::open(*changed).ok());
}

}  // namespace
}  // namespace colophon::media

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::media::check_blocks({data, size});
    return 0;
}
