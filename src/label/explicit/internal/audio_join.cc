// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/audio_join.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/explicit/internal/flac_join.h"
#include "label/explicit/internal/mp3_join.h"
#include "label/explicit/internal/mp4_join.h"
#include "label/explicit/internal/ogg_join.h"
#include "label/explicit/internal/sound_window.h"
#include "label/explicit/internal/wav_join.h"
#include "label/finding.h"
#include "label/format.h"
#include "media/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace colophon::label::internal {
namespace {

// Larger WAV results are not put together only to be listened to.
constexpr std::uint64_t kWholeBytesMax = 64U << 20U;

// The output of the splice in [offset, offset + size), as far as it exists.
Buffer part_of(Bytes file, const Splice& splice, std::uint64_t offset, std::uint64_t size) {
    Buffer out;
    std::uint64_t at = 0;
    for (const SplicePiece& piece : splice.pieces()) {
        const Bytes bytes = piece.source_size == 0
                                ? Bytes(piece.bytes)
                                : *slice(file, piece.source_offset, piece.source_size);
        const std::uint64_t from = std::clamp(offset, at, at + bytes.size()) - at;
        const std::uint64_t to = std::clamp(offset + size, at, at + bytes.size()) - at;
        append(out, bytes.subspan(from, to - from));
        at += bytes.size();
    }
    return out;
}

Result<SoundWindow> open_large_wav(Bytes file, const Splice& splice) {
    // The chunks before the data are small in any file worth the name.
    constexpr std::uint64_t kHeadBytes = 1U << 16U;
    const Buffer start = part_of(file, splice, 0, kHeadBytes);
    const WavData data = TRY(find_wav_data(start));
    const std::uint64_t window_bytes =
        2 * static_cast<std::uint64_t>(kLoudnessSeconds) * data.bytes_a_second;
    const auto container = media::AudioContainer::kWav;
    const Buffer head = part_of(file, splice, 0, data.offset + window_bytes);
    Buffer tail = part_of(file, splice, 0, data.offset);
    const std::uint64_t end = std::min(splice.size(), data.offset + data.size);
    const std::uint64_t from =
        end - std::min(end - data.offset, window_bytes) / data.frame_bytes * data.frame_bytes;
    append(tail, part_of(file, splice, from, end - from));
    SoundWindow window;
    window.facts = TRY(media::probe_audio(head, container));
    window.head = TRY(media::decode_head(head, container, kLoudnessSeconds));
    window.tail = TRY(media::decode_tail(tail, container, kLoudnessSeconds));
    return window;
}

void note_reencoded(Findings& findings, const media::AudioFacts& facts) {
    note(findings, "explicit.reencoded",
         fmt::format("the sound was coded again in {} at {} kbit/s, because coded frames of this "
                     "file cannot stand beside others",
                     facts.codec_name, facts.bit_rate / 1000));
}

// What a joiner of lossy sound made, and that it had to code again where it had to.
template <class Joined>
JoinedFile noted(Joined made, const media::AudioFacts& facts) {
    JoinedFile joined;
    joined.splice = std::move(made.splice);
    if (made.reencoded) {
        note_reencoded(joined.findings, facts);
    }
    return joined;
}

}  // namespace

Result<JoinedFile> join_audio(Bytes file, Format format, const SoundWindow& window,
                              const media::Pcm& before, const media::Pcm& after) {
    JoinedFile joined;
    switch (format) {
        case Format::kWav:
            joined.splice = TRY(join_wav(file, before, after));
            return joined;
        case Format::kFlac:
            joined.splice = TRY(join_flac(file, before, after));
            return joined;
        case Format::kMp3:
            joined.splice = TRY(join_mp3(file, window.facts, before, after));
            return joined;
        case Format::kOggVorbis:
        case Format::kOpus:
            return noted(TRY(join_ogg(file, window.facts, before, after)), window.facts);
        case Format::kM4a:
            return noted(TRY(join_mp4(file, window.facts, before, after)), window.facts);
        default:
            return Error{ErrorCode::kUnsupported,
                         fmt::format("a sound mark cannot be put into {} of {}", facts(format).name,
                                     window.facts.codec_name)};
    }
}

Result<SoundWindow> open_joined(Bytes file, Format format, const Splice& splice) {
    if (format == Format::kWav && splice.size() > kWholeBytesMax) {
        return open_large_wav(file, splice);
    }
    const media::AudioContainer container = TRY(container_of(format));
    return open_window(apply_splice(file, splice), container);
}

}  // namespace colophon::label::internal
