// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/mp4_join.h"

#include "core/bytes.h"
#include "label/container/bmff_boxes.h"
#include "media/audio.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label::internal {
namespace {

using bmff::Box;
using bmff::box_type;

Result<std::vector<Box>> children(bmff::BoxReader reader) {
    std::vector<Box> boxes;
    for (;;) {
        const std::optional<Box> box = TRY(reader.next());
        if (!box) {
            return boxes;
        }
        boxes.push_back(*box);
    }
}

Bytes whole(Bytes file, const Box& box) {
    return file.subspan(static_cast<std::size_t>(box.offset), static_cast<std::size_t>(box.size));
}

Result<Box> find_movie(Bytes file) {
    for (const Box& box : TRY(children(bmff::BoxReader(file)))) {
        if (box.type == box_type("moov")) {
            return box;
        }
    }
    return corrupt_at("the file has no movie box", file.size());
}

// What belongs to the file and not to its sound, copied as it is.
bool is_metadata(const Box& box) {
    return box.type == box_type("udta") || box.type == box_type("meta") ||
           box.type == box_type("uuid");
}

Result<void> check_tracks(Bytes file) {
    const Box movie = TRY(find_movie(file));
    std::size_t tracks = 0;
    for (const Box& box : TRY(children(bmff::BoxReader(file, movie)))) {
        tracks += box.type == box_type("trak") ? 1U : 0U;
        if (box.type == box_type("mvex")) {
            return Error{ErrorCode::kUnsupported,
                         "a sound mark cannot be put into a fragmented M4A file"};
        }
    }
    if (tracks != 1) {
        return Error{ErrorCode::kUnsupported,
                     fmt::format("the M4A file has {} tracks: a sound mark would move one of them "
                                 "against the others",
                                 tracks)};
    }
    return {};
}

// AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1): object type 5 bits, rate 4, channels 4, three
// flags.
bool same_aac_setup(Bytes file_setup, Bytes made) {
    constexpr std::uint8_t kLowComplexity = 2;
    return file_setup.size() >= 2 && made.size() >= 2 && (file_setup[0] >> 3U) == kLowComplexity &&
           std::ranges::equal(file_setup.first(2), made.first(2));
}

// iTunSMPB is text: " 00000000 DELAY PADDING SAMPLES ...", in hexadecimal.
void update_gapless(Buffer& tags, std::uint32_t delay, std::uint64_t samples) {
    const std::string_view text = as_text(tags);
    const std::size_t name = text.find("iTunSMPB");
    const std::size_t data = name == std::string_view::npos ? name : text.find("data", name);
    constexpr std::size_t kTextAt = 12;     // after the box type, its flags and its locale
    constexpr std::size_t kNumbersAt = 10;  // after " 00000000 "
    if (data == std::string_view::npos || data - name > 64 ||
        data + kTextAt + kNumbersAt + 34 > text.size()) {
        return;
    }
    const std::string numbers = fmt::format("{:08X} {:08X} {:016X}", delay, 0, samples);
    std::ranges::copy(numbers,
                      tags.begin() + static_cast<std::ptrdiff_t>(data + kTextAt + kNumbersAt));
}

// The fresh file with the metadata of the old one.
Result<Buffer> with_metadata(Bytes old, Bytes fresh, const media::AudioFacts& facts,
                             std::uint32_t delay) {
    const Box old_movie = TRY(find_movie(old));
    const Box movie = TRY(find_movie(fresh));
    if (movie.end() != fresh.size()) {
        return Error{ErrorCode::kUnsupported, "the new movie box is not the last one"};
    }
    Buffer content;
    for (const Box& box : TRY(children(bmff::BoxReader(fresh, movie)))) {
        if (!is_metadata(box)) {
            append(content, whole(fresh, box));
        }
    }
    const media::AudioFacts now = TRY(media::probe_audio(fresh, media::AudioContainer::kMp4));
    const auto samples = static_cast<std::uint64_t>(std::llround(now.seconds * facts.rate));
    for (const Box& box : TRY(children(bmff::BoxReader(old, old_movie)))) {
        if (is_metadata(box)) {
            Buffer copy = to_buffer(whole(old, box));
            update_gapless(copy, delay, samples);
            append(content, copy);
        }
    }
    Buffer out = to_buffer(fresh.first(static_cast<std::size_t>(movie.offset)));
    bmff::append_box(out, box_type("moov"), content);
    for (const Box& box : TRY(children(bmff::BoxReader(old)))) {
        if (is_metadata(box) && !box.to_end) {
            append(out, whole(old, box));
        }
    }
    return out;
}

Result<media::CodedSound> encode(const media::Pcm& pcm, const media::AudioFacts& facts) {
    return pcm.samples() == 0 ? media::CodedSound{} : TRY(media::encode_like(pcm, facts));
}

}  // namespace

Result<JoinedMp4> join_mp4(Bytes file, const media::AudioFacts& facts, const media::Pcm& before,
                           const media::Pcm& after) {
    TRY(check_tracks(file));
    JoinedMp4 joined;
    const bool aac = facts.codec == media::AudioCodec::kAac;
    const media::CodedSound head = aac ? TRY(encode(before, facts)) : media::CodedSound{};
    const media::CodedSound tail = aac ? TRY(encode(after, facts)) : media::CodedSound{};
    const media::CodedSound& made = head.packets.empty() ? tail : head;
    const bool fits = aac && same_aac_setup(facts.codec_setup, made.setup);
    const Buffer fresh =
        fits ? TRY(media::remux_mp4(file, head, tail))
             : TRY(media::reencode(file, media::AudioContainer::kMp4, before, after));
    joined.splice.insert(TRY(with_metadata(file, fresh, facts, made.delay_samples)));
    joined.reencoded = aac && !fits;
    return joined;
}

}  // namespace colophon::label::internal
