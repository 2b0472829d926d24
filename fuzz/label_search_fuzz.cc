// SPDX-License-Identifier: Apache-2.0
// Any pixels of any kind of picture: the search for a mark ends, and what it finds lies inside the
// picture; drawing a mark where it fits ends too, with a contrast.

#include "core/assert.h"
#include "core/bytes.h"
#include "label/explicit/image.h"
#include "label/explicit/internal/image_codecs.h"
#include "label/explicit/internal/image_find.h"
#include "media/image.h"
#include "media/plane.h"
#include "media/text_raster.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <ios>
#include <iterator>

namespace colophon::label::internal {
namespace {

using media::ColourSpace;
using media::Image;

// The typeface that the product takes, and therefore what a picture meets.
const media::Typeface& typeface() {
    static const Buffer kFont = [] {
        std::ifstream in("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", std::ios::binary);
        return Buffer(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }();
    static const auto kTypeface = media::Typeface::create(kFont);
    COLOPHON_ASSERT(kTypeface.ok());
    return *kTypeface;
}

struct Kind {
    ColourSpace space = ColourSpace::kGrey;
    int channels = 1;
    bool alpha = false;
    int sample_bytes = 1;
    int sample_max = 255;
};

// Four bytes of what the picture is, then its samples, again from the start where they end.
struct Input {
    Image image;
    int orientation = 1;
};

Input make_input(Bytes data) {
    constexpr Kind kKinds[]{
        Kind{.space = ColourSpace::kGrey, .channels = 1},
        Kind{.space = ColourSpace::kGrey, .channels = 2, .alpha = true},
        Kind{.space = ColourSpace::kRgb, .channels = 3},
        Kind{.space = ColourSpace::kRgb, .channels = 4, .alpha = true},
        Kind{.space = ColourSpace::kRgb, .channels = 3, .sample_bytes = 2, .sample_max = 65535},
        Kind{.space = ColourSpace::kCmyk, .channels = 4},
        Kind{.space = ColourSpace::kPalette, .channels = 1},
        Kind{.space = ColourSpace::kGrey, .channels = 1, .sample_max = 1},
    };
    const Kind& kind = kKinds[data[0] % 8];
    Input input;
    input.orientation = 1 + data[0] / 8 % 8;
    Image& image = input.image;
    image.space = kind.space;
    image.channels = kind.channels;
    image.has_alpha = kind.alpha;
    image.sample_bytes = kind.sample_bytes;
    image.sample_max = kind.sample_max;
    image.width = 1 + data[1];
    image.height = 1 + data[2];
    const int block = 1 + data[3] % 16;  // equal pixels, so that few bytes draw something large
    if (kind.space == ColourSpace::kPalette) {
        for (std::uint32_t i = 0; i < 256; ++i) {
            image.palette.push_back((i % 5 == 4 ? 0U : 0xFF000000U) | i * 0x010203U);
        }
    }
    image.pixels.resize(image.row_bytes() * static_cast<std::size_t>(image.height));
    const Bytes samples = data.subspan(4);
    std::size_t at = 0;
    for (int y = 0; y < image.height; y += block) {
        for (int x = 0; x < image.width; x += block) {
            for (int channel = 0; channel < image.channels; ++channel) {
                const int value = samples[at++ % samples.size()] * 257 & image.sample_max;
                for (int i = 0; i < block * block; ++i) {
                    const int px = std::min(x + i % block, image.width - 1);
                    const int py = std::min(y + i / block, image.height - 1);
                    image.set_sample(px, py, channel, value);
                }
            }
        }
    }
    return input;
}

void check_search(Input& input) {
    const SearchView view = view_of(input.image, input.orientation);
    const auto match = search(view, typeface(), {"AI生成"});
    COLOPHON_ASSERT(match.ok());
    if (*match) {
        // Found in a shrunk picture, so the box may be off by a pixel; longer wordings score more.
        const media::Rect& box = (*match)->box;
        COLOPHON_ASSERT((media::Rect{-2, -2, view.width + 4, view.height + 4}.contains(box)));
        COLOPHON_ASSERT((*match)->score >= 0 && (*match)->score < 1.1);
        COLOPHON_ASSERT((*match)->height_percent > 0);
        COLOPHON_ASSERT((*match)->contrast == 0 || (*match)->contrast >= 1);
    }
    const ImageMark mark{.text = "AI生成", .place = ImagePlace::kBottomRight};
    const Drawing drawing{{}, typeface(), mark};
    const auto overlay =
        plan_overlay(drawing, input.image.width, input.image.height, input.orientation);
    if (overlay.ok() && input.image.space != ColourSpace::kPalette) {
        const double contrast = draw_frame(input.image, *overlay, 0);
        COLOPHON_ASSERT(std::isfinite(contrast) && contrast >= 1);
    }
}

}  // namespace
}  // namespace colophon::label::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4) {
        namespace internal = colophon::label::internal;
        auto input = internal::make_input({data, size});
        internal::check_search(input);
    }
    return 0;
}
