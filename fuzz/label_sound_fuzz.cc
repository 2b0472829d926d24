// SPDX-License-Identifier: Apache-2.0
// Any bytes as a sound file of the format in the first byte: marking either refuses them or gives a
// file that opens again.

#include "core/assert.h"
#include "core/splice.h"
#include "label/explicit/audio.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace colophon;
    if (size < 1) {
        return 0;
    }
    constexpr label::Format kFormats[]{label::Format::kWav,  label::Format::kMp3,
                                       label::Format::kFlac, label::Format::kOggVorbis,
                                       label::Format::kOpus, label::Format::kM4a};
    const label::Format format = kFormats[data[0] % 6];
    const Bytes file(data + 1, size - 1);
    const auto marked = label::mark_audio(
        file, format,
        {.form = label::SoundForm::kRhythm, .place = label::SoundPlace::kBoth, .prompt = {}});
    if (marked.ok()) {
        const Buffer out = apply_splice(file, marked->splice);
        COLOPHON_ASSERT(label::find_audio_mark(out, format, {}).ok());
    }
    return 0;
}
