// SPDX-License-Identifier: Apache-2.0
#pragma once

// The explicit label of a sound [GB45438-5.3]: spoken words before the content begins and/or after
// it ends, or the rhythm short-long short-short (Morse "AI").

#include "core/bytes.h"
#include "label/explicit/reading.h"
#include "label/format.h"

#include <cstdint>
#include <string>
#include <vector>

namespace colophon::label {

enum class SoundForm : std::uint8_t { kSpoken, kRhythm };
enum class SoundPlace : std::uint8_t { kStart, kEnd, kBoth };

// A spoken label, made outside (media/speech.h, or the user's own recording), one channel.
struct SpokenPrompt {
    std::string text;            // what it says
    std::uint32_t rate = 0;      // samples a second
    std::vector<float> samples;  // -1 .. 1
};

struct SoundMark {
    SoundForm form = SoundForm::kSpoken;
    SoundPlace place = SoundPlace::kStart;
    SpokenPrompt prompt;  // for kSpoken
};

// Puts the mark before and/or after the content, in the file's own rate and channels, at a level
// that follows its loudness. Lossless formats keep every sample. Never marks twice.
Result<MarkedFile> mark_audio(Bytes file, Format format, const SoundMark& mark);

// Finds the rhythm, and any of the prompts, at the start and the end.
Result<ExplicitReading> find_audio_mark(Bytes file, Format format,
                                        const std::vector<SpokenPrompt>& prompts);

}  // namespace colophon::label
