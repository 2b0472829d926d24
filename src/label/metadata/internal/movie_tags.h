// SPDX-License-Identifier: Apache-2.0
#pragma once

// The tag lists of MP4, M4A and MOV: a 'meta' box whose handler is 'mdta' (names in 'keys') or
// 'mdir' (iTunes, names are box types), with the values in 'ilst'.
//
//   meta / hdlr mdta | mdir
//        / keys      { size:u32 namespace:u32 name } ...
//        / ilst      { size:u32 (index of the key, or a type) data { type:u32 locale:u32 value } }
//                    { size:u32 '----' mean name data }              iTunes, free form

#include "core/bytes.h"
#include "label/container/bmff_boxes.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace colophon::label::internal {

// One member of 'ilst'.
struct MovieTag {
    bmff::Box box;
    std::string name;  // "AIGC", "©nam", "com.apple.iTunes:AIGC"; empty when no key has its index
    bool by_key = false;  // the name comes from 'keys' in the namespace 'mdta'
    std::string text;     // of its first value that may be text; empty otherwise
};

struct MovieKey {
    bmff::BoxType space = 0;
    Bytes name;
};

struct MovieTags {
    bmff::Box box;             // the 'meta'
    std::uint64_t prefix = 4;  // bytes before its first child
    bmff::BoxType handler = 0;
    std::optional<bmff::Box> keys_box;
    std::vector<MovieKey> keys;
    std::optional<bmff::Box> list;  // 'ilst'
    std::vector<MovieTag> tags;
    bool others = false;  // the box holds more than handler, keys, list and free space
};

// Errors as bmff::BoxReader; kLimit above limits::kMovieTagsMax keys or tags. Values above
// limits::kLabelBytesMax are left empty: they are pictures, never labels.
Result<MovieTags> read_movie_tags(Bytes file, const bmff::Box& meta);

// Whether the tag is there to hold a label: its name says AIGC.
bool names_label(const MovieTag& tag);

}  // namespace colophon::label::internal
