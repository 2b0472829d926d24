// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/audio.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/explicit/internal/audio_join.h"
#include "label/explicit/internal/loudness.h"
#include "label/explicit/internal/rhythm.h"
#include "label/explicit/internal/sound_window.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/format.h"
#include "media/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using internal::SoundMarks;
using internal::SoundWindow;

constexpr double kGapSeconds = 0.5;  // between the mark and the content
// Lossy coders begin badly and their ends may be cut, so the mark keeps off the edges of the file.
constexpr double kEdgeSeconds = 0.1;
// The mark is this much louder than the programme, within what is sensible to hear.
constexpr double kAboveProgrammeLu = 1.5;
constexpr double kLoudnessMinLufs = -36.0;
constexpr double kLoudnessMaxLufs = -8.0;
constexpr double kLoudnessSilentLufs = -20.0;  // when the programme has no loudness
constexpr float kCeiling = 0.891F;             // -1 dBFS, leaves room for lossy coders

// The voice in the channels of the programme: the front centre where there is one and it is not
// alone, front left and right otherwise, so that no channel added by a room is asked to speak.
media::Pcm spread(const std::vector<float>& voice, const media::AudioFacts& facts) {
    media::Pcm out{.rate = facts.rate, .channel_mask = facts.channel_mask, .planes = {}};
    constexpr std::uint64_t kPair = media::kFrontLeft | media::kFrontRight;
    std::uint64_t speaking = facts.channel_mask & media::kFrontCentre;
    if (speaking == 0) {
        speaking = facts.channel_mask & kPair;
    }
    if (speaking == 0) {
        speaking = facts.channel_mask;
    }
    std::uint64_t mask = facts.channel_mask;
    for (std::uint32_t c = 0; c < facts.channels; ++c) {
        const std::uint64_t bit = mask & (~mask + 1);
        mask &= mask - 1;
        const bool speaks = (speaking & bit) != 0;
        out.planes.push_back(speaks ? voice : std::vector<float>(voice.size(), 0.0F));
    }
    return out;
}

double target_loudness(const SoundWindow& window) {
    const auto programme = internal::integrated_loudness({window.head, window.tail});
    return programme
               ? std::clamp(*programme + kAboveProgrammeLu, kLoudnessMinLufs, kLoudnessMaxLufs)
               : kLoudnessSilentLufs;
}

// The mark in the programme's rate, channels and loudness.
Result<media::Pcm> make_mark(const SoundMark& mark, const SoundWindow& window) {
    std::vector<float> voice;
    if (mark.form == SoundForm::kRhythm) {
        voice = internal::make_rhythm(window.facts.rate);
    } else {
        const media::Pcm prompt{.rate = mark.prompt.rate,
                                .channel_mask = media::kFrontCentre,
                                .planes = {mark.prompt.samples}};
        voice = std::move(TRY(media::resample(prompt, window.facts.rate)).planes[0]);
    }
    media::Pcm sound = spread(voice, window.facts);
    const double target = target_loudness(window);
    // Keeping the peaks down costs loudness, so that loud marks take more than one step.
    constexpr int kStepsMax = 6;
    for (int step = 0; step < kStepsMax; ++step) {
        const auto own = internal::integrated_loudness({sound});
        if (!own) {
            return Error{ErrorCode::kInvalidArgument,
                         "the spoken label is silent or shorter than 0.4 seconds"};
        }
        if (step > 0 && std::abs(target - *own) < 0.1) {
            break;
        }
        internal::amplify_within(sound, static_cast<float>(std::pow(10.0, (target - *own) / 20.0)),
                                 kCeiling);
    }
    return sound;
}

void add_silence(media::Pcm& pcm, std::size_t at, double seconds) {
    const auto size = static_cast<std::size_t>(seconds * pcm.rate);
    for (std::vector<float>& plane : pcm.planes) {
        plane.insert(plane.begin() + static_cast<std::ptrdiff_t>(at), size, 0.0F);
    }
}

struct Places {
    bool start = false;
    bool end = false;
};

// Where a mark is asked for and none is yet; any form of it counts.
Places missing(SoundPlace place, const SoundMarks& marks) {
    return {.start = place != SoundPlace::kEnd && !marks.start,
            .end = place != SoundPlace::kStart && !marks.end};
}

Result<void> check_mark(const SoundMark& mark) {
    if (mark.form == SoundForm::kRhythm) {
        return {};
    }
    if (mark.prompt.rate == 0 || mark.prompt.samples.empty() || mark.prompt.text.empty()) {
        return Error{ErrorCode::kInvalidArgument,
                     "a spoken label needs its words and its sound: make one with the speech "
                     "program, give a recording, or ask for the rhythm"};
    }
    return {};
}

std::vector<SpokenPrompt> prompts_of(const SoundMark& mark) {
    return mark.form == SoundForm::kSpoken ? std::vector{mark.prompt} : std::vector<SpokenPrompt>{};
}

}  // namespace

// [GB45438-5.3] The mark comes before the content begins or after it ends; it never lies over it.
Result<MarkedFile> mark_audio(Bytes file, Format format, const SoundMark& mark) {
    const media::AudioContainer container = TRY(internal::container_of(format));
    TRY(check_mark(mark));
    const SoundWindow window = TRY(internal::open_window(file, container));
    const SoundMarks present = TRY(internal::listen(window, prompts_of(mark)));
    const Places places = missing(mark.place, present);
    MarkedFile marked;
    if (!places.start && !places.end) {
        marked.splice.copy(0, file.size());
        marked.reading = internal::to_reading(present);
        marked.changed = false;
        return marked;
    }
    const media::Pcm sound = TRY(make_mark(mark, window));
    const bool lossy = window.facts.bits == 0;
    media::Pcm before = spread({}, window.facts);
    media::Pcm after = before;
    if (places.start) {
        before = sound;
        add_silence(before, before.samples(), kGapSeconds);
        add_silence(before, 0, lossy ? kEdgeSeconds : 0);
    }
    if (places.end) {
        after = sound;
        add_silence(after, 0, kGapSeconds);
        add_silence(after, after.samples(), lossy ? kEdgeSeconds : 0);
    }
    internal::JoinedFile joined = TRY(internal::join_audio(file, format, window, before, after));
    // Whether the label can be heard is measured on what the reader of the new file will decode.
    const SoundWindow result = TRY(internal::open_joined(file, format, joined.splice));
    const SoundMarks heard = TRY(internal::listen(result, prompts_of(mark)));
    marked.splice = std::move(joined.splice);
    marked.reading = internal::to_reading(heard);
    marked.reading.findings.insert(marked.reading.findings.end(), joined.findings.begin(),
                                   joined.findings.end());
    const Places silent = missing(mark.place, heard);
    if (silent.start || silent.end) {
        warn(marked.reading.findings, "explicit.not-heard",
             fmt::format("the mark was put at the {} but cannot be recognised there",
                         silent.start ? "start" : "end"));
    }
    return marked;
}

Result<ExplicitReading> find_audio_mark(Bytes file, Format format,
                                        const std::vector<SpokenPrompt>& prompts) {
    const media::AudioContainer container = TRY(internal::container_of(format));
    const SoundWindow window = TRY(internal::open_window(file, container));
    return internal::to_reading(TRY(internal::listen(window, prompts)));
}

}  // namespace colophon::label
