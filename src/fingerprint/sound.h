// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prints of sounds: those of Chromaprint (Lukáš Lalinský; algorithm 1, "test2", what fpcalc and
// AcoustID use), computed here from the description of the algorithm. After Ke, Hoiem, Sukthankar,
// "Computer vision for music identification" (2005): the sound is made a picture of its twelve
// notes over time, and small filters over that picture give two bits each.
//
//   samples    one channel, 11,025 a second
//   frames     of 4096, each 1365 after the one before, under a Hamming window
//   chroma     power of each frame from 28 to 3520 Hz, added up by note: a row of 12 numbers
//   smoothing  0.25 0.75 1 0.75 0.25 over five rows, then each row to length 1 (0 when silent)
//   items      16 filters over 16 rows, each quantized to 2 bits in Gray code: 32 bits a row
//
// An item stands for 0.124 s and looks at 2.8 s, so that 10 s of sound have 58 items. Copies keep
// most of their items when they are coded again, made quieter or louder or cut, and when their
// tempo alone changes by some hundredths; not when they are played faster with their pitch by more
// than one hundredth, or by somebody else.

#include "core/bytes.h"
#include "fingerprint/pdq_index.h"
#include "media/audio.h"
#include "media/video.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::fingerprint {

inline constexpr std::uint32_t kSoundRate = 11'025;
inline constexpr std::size_t kSoundFrameSamples = 4096;
inline constexpr std::size_t kSoundStepSamples = 1365;
// The first item is known after so many frames.
inline constexpr std::size_t kSoundFramesOfItem = 4 + 16;
inline constexpr std::size_t kSoundItemsMax = 180'000;  // 6 hours and more
// What digital silence gives. It tells nothing.
inline constexpr std::uint32_t kSilentItem = 627'964'279;

struct SoundPrint {
    std::vector<std::uint32_t> items;

    bool operator==(const SoundPrint&) const = default;
};

// How long a sound is that has so many items, and how many a sound of that length has.
double seconds_of_items(std::size_t items) noexcept;
std::size_t items_in(double seconds) noexcept;

// Samples of one channel at kSoundRate in pieces of any size.
class SoundPrinter {
public:
    SoundPrinter();
    ~SoundPrinter();
    SoundPrinter(SoundPrinter&&) noexcept;
    SoundPrinter& operator=(SoundPrinter&&) noexcept;
    SoundPrinter(const SoundPrinter&) = delete;
    SoundPrinter& operator=(const SoundPrinter&) = delete;

    void push(std::span<const std::int16_t> samples);
    // Those of all samples so far; kSoundItemsMax at most, the rest is left out.
    const SoundPrint& print() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Decodes all of the sound. Errors as media::read_mono(); a sound of less than 2.8 s has no items.
Result<SoundPrint> print_sound(Bytes file, media::AudioContainer container);
// Of a video's sound, its first where there are several; nothing when it has none.
Result<std::optional<SoundPrint>> print_sound(Bytes file, media::VideoContainer container);

// As fpcalc writes it: differences of neighbouring items, packed, in base64 of URLs without
// padding.
std::string to_text(const SoundPrint& print);
// That, or the numbers of `fpcalc -raw` with commas between them. kInvalidArgument says what is
// wrong, kUnsupported names another algorithm, kLimit above kSoundItemsMax.
Result<SoundPrint> parse_sound_print(std::string_view text);

// 4 bytes an item, the higher byte first. kCorrupt for other lengths.
Buffer to_bytes(const SoundPrint& print);
Result<SoundPrint> parse_sound_print_bytes(Bytes bytes);

}  // namespace colophon::fingerprint
