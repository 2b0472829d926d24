// SPDX-License-Identifier: Apache-2.0
#include "media/speech.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/subprocess.h"
#include "core/utf8.h"
#include "media/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::media {
namespace {

constexpr std::size_t kTextBytesMax = 500;
constexpr std::size_t kSpeechBytesMax = 128U << 20U;
constexpr double kReadingSecondsMax = 3600;
constexpr double kRecordingSecondsMax = 60.0;
constexpr float kSilence = 0.01F;  // of the peak
constexpr double kRateTolerance = 0.05;
constexpr int kAttemptsMax = 4;

// What the speech program prints for this text.
Result<Buffer> speak_with(std::vector<std::string> words, std::string_view text,
                          std::chrono::milliseconds time_limit) {
    auto sound = run_program(std::move(words), as_bytes(text),
                             {.time = time_limit, .output_bytes = kSpeechBytesMax});
    if (!sound.ok() && sound.error().code == ErrorCode::kNotFound) {
        return Error{ErrorCode::kUnavailable,
                     fmt::format("{}: install the package espeak-ng, give a recording of the "
                                 "spoken label, or ask for the rhythm",
                                 sound.error().what)};
    }
    if (!sound.ok()) {
        return Error{ErrorCode::kUnavailable, sound.error().what};
    }
    return sound;
}

// Leaves out what is quieter than a hundredth of the peak at both ends, but for 10 ms of it.
void trim_silence(SpokenPcm& pcm) {
    float peak = 0;
    for (const float sample : pcm.samples) {
        peak = std::max(peak, std::abs(sample));
    }
    const auto loud = [&](float sample) { return std::abs(sample) > kSilence * peak; };
    const auto first = std::ranges::find_if(pcm.samples, loud);
    const auto last = std::find_if(pcm.samples.rbegin(), pcm.samples.rend(), loud).base();
    if (first >= last) {
        pcm.samples.clear();
        return;
    }
    const auto edge = static_cast<std::ptrdiff_t>(pcm.rate / 100);
    const auto from = first - std::min(edge, first - pcm.samples.begin());
    const auto to = last + std::min(edge, pcm.samples.end() - last);
    pcm.samples = std::vector<float>(from, to);
}

Result<SpokenPcm> to_mono(Bytes file, AudioContainer container) {
    const Pcm decoded = TRY(decode_head(file, container, kRecordingSecondsMax));
    SpokenPcm out{.rate = decoded.rate, .samples = {}, .characters_per_minute = 0};
    out.samples.resize(decoded.samples());
    const float share = 1.0F / static_cast<float>(std::max<std::size_t>(decoded.planes.size(), 1));
    for (const std::vector<float>& plane : decoded.planes) {
        for (std::size_t i = 0; i < plane.size(); ++i) {
            out.samples[i] += plane[i] * share;
        }
    }
    trim_silence(out);
    if (out.samples.empty()) {
        return Error{ErrorCode::kInvalidArgument, "the recording is silent"};
    }
    return out;
}

Result<void> check_text(std::string_view text) {
    if (text.empty() || text.size() > kTextBytesMax) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("a spoken label has 1 to {} bytes, not {}", kTextBytesMax, text.size())};
    }
    if (find_invalid_utf8(text) ||
        std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; })) {
        return Error{ErrorCode::kInvalidArgument,
                     "a spoken label is UTF-8 without control characters"};
    }
    return {};
}

std::optional<AudioContainer> container_by_bytes(Bytes file) {
    if (starts_with(file, "RIFF") || starts_with(file, "RF64")) {
        return AudioContainer::kWav;
    }
    if (starts_with(file, "fLaC")) {
        return AudioContainer::kFlac;
    }
    if (starts_with(file, "OggS")) {
        return AudioContainer::kOgg;
    }
    if (file.size() >= 12 && as_text(file.subspan(4, 4)) == "ftyp") {
        return AudioContainer::kMp4;
    }
    if (starts_with(file, "ID3") ||
        (file.size() >= 2 && file[0] == 0xFF && (file[1] & 0xE0U) == 0xE0U)) {
        return AudioContainer::kMp3;
    }
    return std::nullopt;
}

}  // namespace

namespace {

// What kind of character begins at a byte of UTF-8.
struct Spoken {
    std::size_t bytes = 1;
    bool upper = false;
    bool lower = false;
    bool digit = false;
    bool han = false;
    bool in_word() const noexcept { return upper || lower || digit; }
};

Spoken spoken_at(std::string_view text, std::size_t at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    Spoken spoken;
    spoken.bytes = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    spoken.upper = byte >= 'A' && byte <= 'Z';
    spoken.lower = byte >= 'a' && byte <= 'z';
    spoken.digit = byte >= '0' && byte <= '9';
    // CJK ideographs are U+3400 .. U+9FFF (E3 90 .. E9 BF) and beyond the basic plane;
    // U+3000 .. U+303F (E3 80) is punctuation.
    if (byte == 0xE3) {
        spoken.han = at + 1 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0x90;
    } else {
        spoken.han = (byte >= 0xE4 && byte <= 0xE9) || byte >= 0xF0;
    }
    return spoken;
}

}  // namespace

std::size_t spoken_characters(std::string_view text, SpeechLanguage language) {
    std::size_t characters = 0;
    bool in_word = false;
    for (std::size_t i = 0; i < text.size();) {
        const Spoken spoken = spoken_at(text, i);
        const bool counts =
            language == SpeechLanguage::kEnglish
                ? spoken.in_word() && !in_word
                : spoken.han || spoken.upper || spoken.digit || (spoken.lower && !in_word);
        characters += counts ? 1U : 0U;
        in_word = spoken.in_word();
        i += spoken.bytes;
    }
    return characters;
}

// [GB45438-5.3] "Normal speed, about 120 to 160 characters a minute."
Result<SpokenPcm> speak(std::string_view text, const SpeechOptions& options) {
    TRY(check_text(text));
    const auto characters = static_cast<double>(spoken_characters(text, options.language));
    if (characters < 1) {
        return Error{ErrorCode::kInvalidArgument, "the spoken label has no words"};
    }
    const bool mandarin = options.language == SpeechLanguage::kMandarin;
    double speed = options.characters_per_minute;
    SpokenPcm best;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
        // espeak-ng takes 80 words a minute at least.
        speed = std::clamp(speed, 80.0, 400.0);
        const Buffer wav =
            TRY(speak_with({options.program, "-v", mandarin ? "cmn" : "en", "-s",
                            std::to_string(std::lround(speed)), "--stdin", "--stdout"},
                           text, options.time_limit));
        SpokenPcm said = TRY(to_mono(wav, AudioContainer::kWav));
        said.characters_per_minute = characters * 60.0 / said.seconds();
        const double ratio = options.characters_per_minute / said.characters_per_minute;
        const double best_ratio =
            best.samples.empty() ? 1e9 : options.characters_per_minute / best.characters_per_minute;
        if (std::abs(std::log(ratio)) < std::abs(std::log(best_ratio))) {
            best = std::move(said);
        }
        if (std::abs(ratio - 1) <= kRateTolerance) {
            break;
        }
        speed *= ratio;
    }
    return best;
}

Result<Pcm> read_aloud(std::string_view text, const ReadingOptions& options) {
    if (text.empty() || text.size() > kReadingBytesMax || find_invalid_utf8(text) ||
        text.find('\0') != std::string_view::npos) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("a text to be read aloud has 1 to {} bytes of UTF-8", kReadingBytesMax)};
    }
    const bool named = std::ranges::all_of(options.voice, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '+' || c == '_';
    });
    if (options.voice.empty() || options.voice.front() == '-' || !named) {
        return Error{ErrorCode::kInvalidArgument, "the voice is no name of a voice"};
    }
    const double speed = std::clamp(options.words_per_minute, 80.0, 450.0);
    const Buffer wav = TRY(speak_with({options.program, "-v", options.voice, "-s",
                                       std::to_string(std::lround(speed)), "--stdin", "--stdout"},
                                      text, options.time_limit));
    Pcm pcm = TRY(decode_head(wav, AudioContainer::kWav, kReadingSecondsMax));
    if (pcm.samples() == 0) {
        return Error{ErrorCode::kInvalidArgument, "the text has nothing that can be spoken"};
    }
    return pcm;
}

Result<SpokenPcm> load_recording(Bytes file) {
    const auto container = container_by_bytes(file);
    if (!container) {
        return Error{ErrorCode::kUnsupported,
                     "the recording of the spoken label is no WAV, MP3, FLAC, Ogg or M4A file"};
    }
    return to_mono(file, *container);
}

}  // namespace colophon::media
