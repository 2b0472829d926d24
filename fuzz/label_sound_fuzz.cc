// SPDX-License-Identifier: Apache-2.0
// Any bytes as a sound file of the format in the first byte: marking either refuses them or gives a
// file that opens again.

#include "core/assert.h"
#include "core/bytes.h"
#include "core/splice.h"
#include "label/explicit/audio.h"
#include "label/format.h"

#include <cstddef>
#include <cstdint>

namespace colophon::label {
namespace {

void check_sound(std::uint8_t choice, Bytes file) {
    constexpr Format kFormats[]{Format::kWav,       Format::kMp3,  Format::kFlac,
                                Format::kOggVorbis, Format::kOpus, Format::kM4a};
    const Format format = kFormats[choice % 6];
    const auto marked = mark_audio(
        file, format, {.form = SoundForm::kRhythm, .place = SoundPlace::kBoth, .prompt = {}});
    if (marked.ok()) {
        const Buffer out = apply_splice(file, marked->splice);
        COLOPHON_ASSERT(find_audio_mark(out, format, {}).ok());
    }
}

}  // namespace
}  // namespace colophon::label

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 0) {
        colophon::label::check_sound(data[0], colophon::Bytes(data + 1, size - 1));
    }
    return 0;
}
