// SPDX-License-Identifier: Apache-2.0
// Prints of sounds as they come from outside, and files of sounds of which prints are made: the
// first byte says which. What is read is written as it stands for; what is found is alike.

#include "core/assert.h"
#include "core/bytes.h"
#include "fingerprint/sound.h"
#include "fingerprint/sound_index.h"
#include "media/audio.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

namespace fingerprint = colophon::fingerprint;

constexpr std::size_t kItemsCompared = 300;

void check_print(const fingerprint::SoundPrint& print) {
    COLOPHON_ASSERT(*fingerprint::parse_sound_print(fingerprint::to_text(print)) == print);
    COLOPHON_ASSERT(*fingerprint::parse_sound_print_bytes(fingerprint::to_bytes(print)) == print);
    if (print.items.size() > kItemsCompared) {
        return;
    }
    const auto itself = fingerprint::match_at(print, print, 0);
    const auto index = fingerprint::SoundIndex::create({{.print = print, .id = 7}});
    const auto found = index->find(print);
    for (const fingerprint::SoundFound& each : found) {
        COLOPHON_ASSERT(each.id == 7);
        COLOPHON_ASSERT(each.stretch.items >= fingerprint::kSoundWindowItems);
        COLOPHON_ASSERT(each.stretch.query_begin + each.stretch.items <= print.items.size());
        COLOPHON_ASSERT(each.stretch.other_begin + each.stretch.items <= print.items.size());
        COLOPHON_ASSERT(each.stretch.bit_error <= fingerprint::kSoundBitErrorMax);
    }
    COLOPHON_ASSERT(!itself || itself->bit_error == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using colophon::media::AudioContainer;
    constexpr AudioContainer kContainers[]{AudioContainer::kWav, AudioContainer::kMp3,
                                           AudioContainer::kFlac, AudioContainer::kOgg,
                                           AudioContainer::kMp4};
    if (size == 0) {
        return 0;
    }
    const colophon::Bytes rest(data + 1, size - 1);
    if (data[0] >= '0' && data[0] < '5') {
        const auto made = fingerprint::print_sound(rest, kContainers[data[0] - '0']);
        if (made.ok()) {
            check_print(*made);
        }
        return 0;
    }
    const std::string_view text = colophon::as_text(rest);
    if (const auto print = fingerprint::parse_sound_print(text); print.ok()) {
        check_print(*print);
    }
    if (const auto print = fingerprint::parse_sound_print_bytes(rest); print.ok()) {
        check_print(*print);
    }
    return 0;
}
