// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which sounds of a list are in a given one, or the reverse, and where.
//
// Two copies of a sound have nearly the same items one after the other, at one offset:
//
//   query      . . . . a b c d e f . . .        the stretch a .. f: few bits differ, in every
//   listed     . a b'c d'e f . . . . . .        kSoundWindowItems of it
//
// An index knows at which places of all listed sounds each item stands. Each item of the query is
// looked up as it is and with each one of its bits turned; what is found names an offset, and at
// each offset that was named the two are compared bit by bit.

#include "core/result.h"
#include "fingerprint/pdq_index.h"
#include "fingerprint/sound.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace colophon::fingerprint {

// A stretch is made of windows of so many items (4 s, that look at 6.6 s), ...
inline constexpr std::size_t kSoundWindowItems = 32;
// ... in each of which at most this part of the bits differs (by chance: one half), ...
inline constexpr double kSoundBitErrorMax = 0.2;
// ... and which is not one and the same tone: so many items of a window, or more, are unlike the
// one before.
inline constexpr std::size_t kSoundChangesMin = 8;

struct SoundStretch {
    std::size_t items = 0;
    std::size_t query_begin = 0;  // items
    std::size_t other_begin = 0;
    double bit_error = 0;  // of all its bits, 0 .. kSoundBitErrorMax

    double query_seconds() const noexcept;  // where it begins in the query
    double other_seconds() const noexcept;  // and in the other
    double seconds() const noexcept { return seconds_of_items(items); }
    bool operator==(const SoundStretch&) const = default;
};

// The longest stretch of both at that offset (place in `other` minus place in `query`).
std::optional<SoundStretch> match_at(const SoundPrint& query, const SoundPrint& other,
                                     std::int64_t offset);

// The longest stretch at any offset. Cost: the product of the items, a nanosecond each.
std::optional<SoundStretch> match_sounds(const SoundPrint& query, const SoundPrint& other);

struct SoundEntry {
    SoundPrint print;
    PrintId id = 0;
};

struct SoundFound {
    PrintId id = 0;
    SoundStretch stretch;
};

// Many prints to be searched: a value that never changes; copies share it.
class SoundIndex {
public:
    static constexpr std::size_t kItemsMax = 0xffffffffU;

    SoundIndex() = default;
    // kLimit above kItemsMax, of all sounds together. 8 bytes an item and up to 64 MiB.
    static Result<SoundIndex> create(std::vector<SoundEntry> sounds);

    // Of each sound that has a stretch in common with the query the longest, the longest first.
    std::vector<SoundFound> find(const SoundPrint& query) const;

    std::size_t size() const noexcept;  // sounds

private:
    struct Tables;
    class Search;
    std::shared_ptr<const Tables> tables_;
};

}  // namespace colophon::fingerprint
