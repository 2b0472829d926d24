// SPDX-License-Identifier: Apache-2.0
#include "media/codecs.h"

#include "core/result.h"
#include "media/internal/late.h"

#include <array>

namespace colophon::media {
namespace {

Result<void> nothing_more() {
    return {};
}
Result<void> start_sound() {
    internal::start_sound();
    return {};
}
Result<void> silence_tiff() {
    internal::silence_tiff();
    return {};
}
Result<void> start_heif() {
    TRY(load({Codec::kVips}));
    return internal::prepare_heif();
}

struct Row {
    Codec codec;
    Result<void> (*start)();
};
constexpr std::array kRows{
    Row{.codec = Codec::kLetters, .start = nothing_more},
    Row{.codec = Codec::kJpeg, .start = nothing_more},
    Row{.codec = Codec::kPng, .start = nothing_more},
    Row{.codec = Codec::kWebp, .start = nothing_more},
    Row{.codec = Codec::kTiff, .start = silence_tiff},
    Row{.codec = Codec::kVips, .start = internal::start_vips},
    Row{.codec = Codec::kHeif, .start = start_heif},
    Row{.codec = Codec::kSound, .start = start_sound},
};

}  // namespace

Result<void> load(CodecSet codecs) {
    for (const Row& row : kRows) {
        if (codecs.has(row.codec)) {
            TRY(internal::load_late(row.codec));
            TRY(row.start());
        }
    }
    return {};
}

}  // namespace colophon::media
