// SPDX-License-Identifier: Apache-2.0
#pragma once

// A feature library as a text file [DSP-10], one entry a line:
//   a word that may not pass, or CATEGORY, a tabulator and the word; called "words/LINE"
//   {"id":"b-17","category":"A1d","phrase":"炸弹"}, an entry as in review/entry_json.h
// Empty lines and those that begin with "#" are left out.

#include "core/result.h"
#include "review/entry.h"
#include "review/entry_json.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace colophon::review {

// A line, and what is not a video to look for.
inline constexpr std::size_t kLineBytesMax = 262'144;
inline constexpr std::size_t kEntryBytesMax = 16'384;

struct EntryList {
    std::vector<Entry> texts;
    std::vector<PictureEntry> pictures;
    std::vector<SoundEntry> sounds;
    std::vector<VideoEntry> videos;

    std::size_t size() const noexcept {
        return texts.size() + pictures.size() + sounds.size() + videos.size();
    }
};

// To the entries of its kind.
void add_entry(AnyEntry entry, EntryList& list);

// Members that are missing have the values of Entry, PictureEntry, SoundEntry and VideoEntry; `id`
// and `category` may not be. kInvalidArgument, kCorrupt and kLimit name the line; unknown members
// are refused, because a rule that is read in part is another rule.
Result<EntryList> parse_entry_list(std::string_view text);

}  // namespace colophon::review
