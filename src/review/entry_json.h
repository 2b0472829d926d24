// SPDX-License-Identifier: Apache-2.0
#pragma once

// An entry of the feature library as a JSON object: the form in which files carry it and the store
// keeps it.
//   {"id":"b-17","category":"A1d","phrase":"炸弹","folding":"plain","action":"block",
//    "with":["制作"],"without":["新闻"],"within":30,"inside_words":true,"split":true,"reply":"...",
//    "stage":"output","tenants":["..."],"services":["dialogue"]}
//   {"id":"e-1","category":"A4f","expression":"1[3-9][0-9]{9}","action":"hold","languages":["zh"]}
//   {"id":"l-1","category":"A1h","link":"example.com/path"}
//   {"id":"j-1","category":"jailbreak","pattern":"ignore/forget ... previous ... instructions"}
//   {"id":"n-1","category":"A1g","near":"a text of which most is found again"}
//   {"id":"p-1","category":"A1f","pdq":"64 hexadecimal digits","distance":31,"action":"hold"}
//   {"id":"v-1","category":"A1f","video":"0,100,64 hexadecimal digits,0.000\n8,..."}
// A member "about" holds what is not for the search (review/library.h) and is passed over here.

#include "core/json.h"
#include "core/result.h"
#include "review/entry.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <string>
#include <variant>

namespace colophon::review {

using AnyEntry = std::variant<Entry, PictureEntry, SoundEntry, VideoEntry>;

const std::string& entry_id(const AnyEntry& entry);
const std::string& entry_category(const AnyEntry& entry);

// Members that are missing have the values of Entry, PictureEntry, SoundEntry and VideoEntry,
// except that expressions are compared exactly and patterns are for inputs; `id` and `category` may
// not be missing. kInvalidArgument; unknown members are refused, because a rule that is read in
// part is another rule.
Result<AnyEntry> read_entry(const json::Value& value);

// Members with their usual value are left out; the same entry, the same text.
json::Object write_entry(const AnyEntry& entry);

}  // namespace colophon::review
