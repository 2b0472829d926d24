// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sound put before and after the frames of an MP3 file. The programme's frames and all tags keep
// their bytes; new frames of the same rate, channels and about the same bit rate are coded without
// a bit reservoir, so that the first programme frame after them still finds its own data. The
// Xing/Info frame (counts, seek table, delay, checksums) is brought up to date.

#include "core/bytes.h"
#include "core/splice.h"
#include "media/audio.h"

namespace colophon::label::internal {

Result<Splice> join_mp3(Bytes file, const media::AudioFacts& facts, const media::Pcm& before,
                        const media::Pcm& after);

}  // namespace colophon::label::internal
