// SPDX-License-Identifier: Apache-2.0
#pragma once

// The beginning and the end of a sound file: what the detectors listen to and what the loudness is
// measured on, so that the cost does not grow with the length of the file.

#include "label/explicit/audio.h"
#include "label/explicit/reading.h"
#include "label/format.h"
#include "media/audio.h"

#include <optional>
#include <vector>

namespace colophon::label::internal {

// A label begins within so many seconds of the start, or ends within so many of the end.
inline constexpr double kSearchSeconds = 20.0;
// Loudness is measured over so many seconds of the start and of the end.
inline constexpr double kLoudnessSeconds = 30.0;

struct SoundWindow {
    media::AudioFacts facts;
    media::Pcm head;  // the first kLoudnessSeconds, or everything
    media::Pcm tail;  // the last kLoudnessSeconds; empty when `head` is everything
};

// kUnsupported for formats that are no sound.
Result<media::AudioContainer> container_of(Format format);

Result<SoundWindow> open_window(Bytes file, media::AudioContainer container);

// What was heard at the two places.
struct SoundMarks {
    struct Mark {
        bool rhythm = false;
        std::string text;          // of the prompt
        double score = 0;          // of the prompt
        double start_seconds = 0;  // within the piece
        double end_seconds = 0;
    };
    std::optional<Mark> start;
    std::optional<Mark> end;
};

Result<SoundMarks> listen(const SoundWindow& window, const std::vector<SpokenPrompt>& prompts);

ExplicitReading to_reading(const SoundMarks& marks);

}  // namespace colophon::label::internal
