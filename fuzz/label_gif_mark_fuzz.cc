// SPDX-License-Identifier: Apache-2.0
// Any bytes as a GIF whose frames get a watermark: that fails, or gives a GIF with the same frames
// at the same places, with the same transparent pixels, which can be marked again.
#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/picture/gif_frames.h"
#include "label/watermark/internal/animations.h"
#include "label/watermark/luma.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

namespace colophon::label {
namespace {

constexpr std::uint64_t kPixelsMax = std::uint64_t{1} << 20U;  // of all canvases

std::optional<GifAnimation> small_animation(Bytes file) {
    auto animation = read_gif_animation(file);
    if (!animation.ok() || animation->width == 0 || animation->height == 0) {
        return std::nullopt;
    }
    const std::uint64_t pixels = static_cast<std::uint64_t>(animation->width) *
                                 static_cast<std::uint64_t>(animation->height) *
                                 animation->frames.size();
    if (pixels > kPixelsMax) {
        return std::nullopt;
    }
    return std::move(*animation);
}

std::optional<Buffer> marked(Bytes file, int width, int height) {
    const auto picture = internal::open_gif(file);
    COLOPHON_ASSERT(picture.ok());
    Luma pattern(width, height);
    for (std::size_t i = 0; i < pattern.values.size(); ++i) {
        pattern.values[i] = static_cast<float>(i % 13) - 6;
    }
    for (int i = 0; i < (*picture)->count(); ++i) {
        const auto luma = (*picture)->luma(i);
        if (!luma.ok()) {
            return std::nullopt;
        }
        COLOPHON_ASSERT(luma->width == width && luma->height == height);
        COLOPHON_ASSERT((*picture)->add(i, pattern).ok());
    }
    return apply_splice(file, (*picture)->finish().value().splice);
}

void check(Bytes file) {
    const std::optional<GifAnimation> before = small_animation(file);
    if (!before) {
        return;
    }
    const std::optional<Buffer> once = marked(file, before->width, before->height);
    if (!once) {
        return;
    }
    const std::optional<GifAnimation> after = small_animation(*once);
    COLOPHON_ASSERT(after && after->frames.size() == before->frames.size());
    for (std::size_t i = 0; i < before->frames.size(); ++i) {
        const GifFrame& a = before->frames[i];
        const GifFrame& b = after->frames[i];
        COLOPHON_ASSERT(a.rect == b.rect && a.transparent == b.transparent);
        COLOPHON_ASSERT(a.disposal == b.disposal && a.interlaced == b.interlaced);
        const auto was = decode_gif_frame(a);
        const auto is = decode_gif_frame(b);
        COLOPHON_ASSERT(was.ok() && is.ok() && was->size() == is->size());
        for (std::size_t k = 0; k < was->size(); ++k) {
            COLOPHON_ASSERT(((*was)[k] == a.transparent) == ((*is)[k] == b.transparent));
        }
    }
    COLOPHON_ASSERT(marked(*once, before->width, before->height).has_value());
}

}  // namespace
}  // namespace colophon::label

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    colophon::label::check({data, size});
    return 0;
}
