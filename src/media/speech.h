// SPDX-License-Identifier: Apache-2.0
#pragma once

// Words to sound, for the spoken label [GB45438-5.3], by the program espeak-ng. It starts a process
// and therefore runs in the parent, never in the locked worker.

#include "core/bytes.h"
#include "media/audio.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::media {

enum class SpeechLanguage : std::uint8_t { kMandarin, kEnglish };

struct SpeechOptions {
    SpeechLanguage language = SpeechLanguage::kMandarin;
    // The note to clause 5.3: normal speech is 120 to 160 characters a minute.
    double characters_per_minute = 140;
    std::string program = "espeak-ng";  // looked up in PATH
    std::chrono::milliseconds time_limit{10'000};
};

// One channel, -1 .. 1, without silence at its ends.
struct SpokenPcm {
    std::uint32_t rate = 0;
    std::vector<float> samples;
    double characters_per_minute = 0;  // measured

    double seconds() const noexcept {
        return rate == 0 ? 0.0 : static_cast<double>(samples.size()) / rate;
    }
};

// What counts as a character of speech: each Chinese character, each letter of a word in capitals
// (they are spelled: "AI" is two), each digit, each other word. English is counted in words.
std::size_t spoken_characters(std::string_view text, SpeechLanguage language);

// Says `text` (UTF-8, 1 .. 500 bytes, no control characters). The program's own measure of speed
// depends on the text, so the result is measured and said again until it is within 5 % of what was
// asked for, at most four times.
// kUnavailable: the program is not installed (the message names the package), fails, or takes too
// long. kInvalidArgument: nothing to say.
Result<SpokenPcm> speak(std::string_view text, const SpeechOptions& options);

// A text as the voice of a service reads it, not as a label.
struct ReadingOptions {
    std::string voice = "cmn";      // of espeak-ng: "cmn", "en", "en+f3", ...
    double words_per_minute = 175;  // as the program measures them, 80 .. 450
    std::string program = "espeak-ng";
    std::chrono::milliseconds time_limit{60'000};
};
inline constexpr std::size_t kReadingBytesMax = 48U << 10U;
// One channel. kInvalidArgument for an empty or too long text, or a voice that is no name;
// kUnavailable as speak().
Result<Pcm> read_aloud(std::string_view text, const ReadingOptions& options);

// A recording in any of the sound formats (told by its bytes), as one channel without silence at
// its ends: the user's own spoken label. At most 60 seconds.
Result<SpokenPcm> load_recording(Bytes file);

}  // namespace colophon::media
