// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which codecs apply() and verify() will call for one file, so that a process that cannot load
// anything later has them. Asking for too few is an error of that call (kUnavailable), asking for
// too many costs the time to load them.

#include "label/apply.h"
#include "label/format.h"
#include "label/verify.h"
#include "media/audio.h"
#include "media/codecs.h"
#include "media/video.h"

#include <optional>
#include <string_view>

namespace colophon::label {

media::CodecSet codecs_for(Format format, const ApplyOptions& options);
media::CodecSet codecs_for(Format format, const VerifyOptions& options);

// What the explicit label of a file of this name is likely to need: a guess by the extension, made
// before the file is looked at. Empty when the extension is none of ours.
media::CodecSet likely_codecs(std::string_view file_name);

// How media reads it; nothing for formats that are no video or are not read.
std::optional<media::VideoContainer> video_container(Format format) noexcept;
// The same of a sound.
std::optional<media::AudioContainer> sound_container(Format format) noexcept;

}  // namespace colophon::label
