// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sounds that may not pass, by their Chromaprint prints [DSP-10].

#include "core/result.h"
#include "fingerprint/sound.h"
#include "fingerprint/sound_index.h"
#include "review/entry.h"
#include "review/scope.h"

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace colophon::review {

// What has less is never found; what has more does not fit into an entry (kEntryBytesMax).
inline constexpr std::size_t kSoundEntryItemsMin = fingerprint::kSoundWindowItems;

struct SoundEntry {
    std::string id;
    std::string category;
    fingerprint::SoundPrint print;  // of kSoundEntryItemsMin items or more
    Decision action = Decision::kBlock;
    Scope scope;
};

struct SoundMatch {
    const SoundEntry* entry = nullptr;
    fingerprint::SoundStretch stretch;
};

// Does not change; copies share the index.
class SoundList {
public:
    SoundList() = default;
    // kInvalidArgument: a print in which nothing could be found; kLimit: too many entries.
    static Result<SoundList> create(std::vector<SoundEntry> entries);

    std::span<const SoundEntry> entries() const noexcept { return entries_; }
    // Entries for this occasion of which a stretch is in the sound, the longest first. Valid as
    // long as the list.
    std::vector<SoundMatch> find(const fingerprint::SoundPrint& sound,
                                 const Occasion& occasion = {}) const;

private:
    std::vector<SoundEntry> entries_;
    fingerprint::SoundIndex index_;  // ids are places in entries_
};

}  // namespace colophon::review
