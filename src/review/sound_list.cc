// SPDX-License-Identifier: Apache-2.0
#include "review/sound_list.h"

#include "core/result.h"
#include "fingerprint/sound.h"
#include "fingerprint/sound_index.h"
#include "review/scope.h"

#include <fmt/format.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

// Of a sound that is one tone or silent no stretch is ever found.
bool finds_itself(const fingerprint::SoundPrint& print) {
    return fingerprint::match_at(print, print, 0).has_value();
}

}  // namespace

Result<SoundList> SoundList::create(std::vector<SoundEntry> entries) {
    std::vector<fingerprint::SoundEntry> prints;
    prints.reserve(entries.size());
    for (const SoundEntry& entry : entries) {
        if (entry.print.items.size() < kSoundEntryItemsMin) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("entry {}: a sound to look for has at least {} items, {:.1f} "
                                     "seconds; this one has {}",
                                     entry.id, kSoundEntryItemsMin,
                                     fingerprint::seconds_of_items(kSoundEntryItemsMin),
                                     entry.print.items.size())};
        }
        if (!finds_itself(entry.print)) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("entry {}: the sound is silent or one tone; nothing can be "
                                     "found by it",
                                     entry.id)};
        }
        prints.push_back({.print = entry.print, .id = prints.size()});
    }
    SoundList list;
    list.index_ = TRY(fingerprint::SoundIndex::create(std::move(prints)));
    list.entries_ = std::move(entries);
    return list;
}

std::vector<SoundMatch> SoundList::find(const fingerprint::SoundPrint& sound,
                                        const Occasion& occasion) const {
    std::vector<SoundMatch> found;
    for (const fingerprint::SoundFound& each : index_.find(sound)) {
        const SoundEntry& entry = entries_[static_cast<std::size_t>(each.id)];
        if (covers(entry.scope, occasion)) {
            found.push_back({.entry = &entry, .stretch = each.stretch});
        }
    }
    return found;
}

}  // namespace colophon::review
