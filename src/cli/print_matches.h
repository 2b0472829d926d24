// SPDX-License-Identifier: Apache-2.0
#pragma once

// How near an entry is to what was looked at, as `scan` and `library replay` write it
// (docs/reference/json.md, matches[]).

#include "core/json.h"
#include "fingerprint/video.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/video_list.h"

#include <cstdint>
#include <string>

namespace colophon::cli {

std::int64_t milliseconds_of(double seconds);

json::Object match_json(const review::PictureMatch& match);
json::Object match_json(const review::VideoMatch& match);
json::Object match_json(const review::SoundMatch& match);
// Of a picture of a video.
json::Object match_json(const review::PictureMatch& match,
                        const fingerprint::VideoFramePrint& frame);

// The same for a person, from the members above: "3 bits", "8.2 s", "97 %".
std::string match_text(const json::Object& match);

}  // namespace colophon::cli
