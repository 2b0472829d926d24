// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/sound_window.h"

#include "core/bytes.h"
#include "core/result.h"
#include "label/codecs.h"
#include "label/explicit/audio.h"
#include "label/explicit/internal/rhythm.h"
#include "label/explicit/internal/spoken_find.h"
#include "label/explicit/reading.h"
#include "label/finding.h"
#include "label/format.h"
#include "media/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

using Mark = SoundMarks::Mark;

// All channels but the low-frequency one, averaged, at the detectors' rate.
Result<std::vector<float>> for_detection(const media::Pcm& pcm) {
    media::Pcm mono{.rate = pcm.rate, .channel_mask = media::kFrontCentre, .planes = {{}}};
    mono.planes[0].resize(pcm.samples());
    std::uint64_t mask = pcm.channel_mask;
    float count = 0;
    for (const std::vector<float>& plane : pcm.planes) {
        const std::uint64_t bit = mask & (~mask + 1);
        mask &= mask - 1;
        if (bit == media::kLowFrequency) {
            continue;
        }
        count += 1;
        for (std::size_t i = 0; i < plane.size(); ++i) {
            mono.planes[0][i] += plane[i];
        }
    }
    for (float& sample : mono.planes[0]) {
        sample /= std::max(count, 1.0F);
    }
    media::Pcm slow = TRY(media::resample(mono, kDetectionRate));
    return std::move(slow.planes[0]);
}

std::vector<Mark> marks_in(const std::vector<float>& sound,
                           const std::vector<SpokenPrompt>& prompts,
                           const std::vector<std::vector<float>>& prompt_sounds) {
    std::vector<Mark> marks;
    for (const RhythmHit& hit : find_rhythm(sound, kDetectionRate)) {
        marks.push_back({.rhythm = true,
                         .text = {},
                         .score = 1,
                         .start_seconds = hit.start_seconds,
                         .end_seconds = hit.end_seconds});
    }
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        if (const auto hit = find_spoken(sound, prompt_sounds[i])) {
            marks.push_back({.rhythm = false,
                             .text = prompts[i].text,
                             .score = hit->score,
                             .start_seconds = hit->start_seconds,
                             .end_seconds = hit->end_seconds});
        }
    }
    return marks;
}

void keep_best(std::optional<Mark>& best, const Mark& mark) {
    // Words say more than the rhythm; of two prompts the one that fits better is meant.
    const auto rank = [](const Mark& m) { return m.rhythm ? 0.0 : m.score; };
    if (!best || rank(mark) > rank(*best)) {
        best = mark;
    }
}

std::vector<float> first_of(const std::vector<float>& sound, double seconds) {
    const auto size = std::min(sound.size(), static_cast<std::size_t>(seconds * kDetectionRate));
    return {sound.begin(), sound.begin() + static_cast<std::ptrdiff_t>(size)};
}

std::vector<float> last_of(const std::vector<float>& sound, double seconds) {
    const auto size = std::min(sound.size(), static_cast<std::size_t>(seconds * kDetectionRate));
    return {sound.end() - static_cast<std::ptrdiff_t>(size), sound.end()};
}

std::string name_of(const Mark& mark) {
    return mark.rhythm ? std::string("rhythm") : fmt::format("spoken \"{}\"", mark.text);
}

}  // namespace

Result<media::AudioContainer> container_of(Format format) {
    if (const auto container = sound_container(format)) {
        return *container;
    }
    return Error{ErrorCode::kUnsupported,
                 fmt::format("{} is no sound format: there is no place for a sound mark",
                             facts(format).name)};
}

Result<SoundWindow> open_window(Bytes file, media::AudioContainer container) {
    SoundWindow window;
    window.facts = TRY(media::probe_audio(file, container));
    window.head = TRY(media::decode_head(file, container, kLoudnessSeconds));
    if (window.head.seconds() + 0.001 >= kLoudnessSeconds) {
        window.tail = TRY(media::decode_tail(file, container, kLoudnessSeconds));
    }
    return window;
}

Result<SoundMarks> listen(const SoundWindow& window, const std::vector<SpokenPrompt>& prompts) {
    std::vector<std::vector<float>> prompt_sounds;
    prompt_sounds.reserve(prompts.size());
    for (const SpokenPrompt& prompt : prompts) {
        prompt_sounds.push_back(TRY(for_detection({.rate = prompt.rate,
                                                   .channel_mask = media::kFrontCentre,
                                                   .planes = {prompt.samples}})));
    }
    const std::vector<float> head = TRY(for_detection(window.head));
    SoundMarks marks;
    if (window.tail.samples() == 0) {
        // One piece is all there is: a mark belongs to the half that it is in. Each half is heard
        // for itself, since only the best place of a prompt is reported.
        const double half = window.head.seconds() / 2;
        for (const Mark& mark : marks_in(head, prompts, prompt_sounds)) {
            const bool late = mark.start_seconds + mark.end_seconds > 2 * half;
            keep_best(late ? marks.end : marks.start, mark);
        }
        for (const Mark& mark : marks_in(first_of(head, half), prompts, prompt_sounds)) {
            keep_best(marks.start, mark);
        }
        for (const Mark& mark : marks_in(last_of(head, half), prompts, prompt_sounds)) {
            keep_best(marks.end, mark);
        }
        return marks;
    }
    for (const Mark& mark : marks_in(first_of(head, kSearchSeconds), prompts, prompt_sounds)) {
        keep_best(marks.start, mark);
    }
    const std::vector<float> tail = TRY(for_detection(window.tail));
    for (const Mark& mark : marks_in(last_of(tail, kSearchSeconds), prompts, prompt_sounds)) {
        keep_best(marks.end, mark);
    }
    return marks;
}

ExplicitReading to_reading(const SoundMarks& marks) {
    ExplicitReading reading;
    reading.found = marks.start || marks.end;
    if (!reading.found) {
        return reading;
    }
    reading.where = marks.start && marks.end ? "start and end" : marks.start ? "start" : "end";
    const Mark& first = marks.start ? *marks.start : *marks.end;
    // The rhythm is the letters A and I in Morse code; it has no other words.
    reading.text = first.rhythm ? "AI" : first.text;
    for (const auto& [place, mark] : {std::pair{"start", &marks.start}, {"end", &marks.end}}) {
        if (*mark) {
            note(reading.findings, (*mark)->rhythm ? "explicit.rhythm" : "explicit.spoken",
                 fmt::format("{} at the {}", name_of(**mark), place));
        }
    }
    return reading;
}

}  // namespace colophon::label::internal
