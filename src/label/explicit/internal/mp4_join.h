// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sound put before and after the track of an M4A file. AAC-LC frames keep their bytes and new ones
// stand beside them when both have the same decoder setup; other AAC is coded again as AAC-LC, and
// ALAC again without loss. The tables are made anew; user data (tags, cover, the metadata label)
// keep their bytes, but for the numbers of iTunSMPB, which would make players cut the sound.

#include "core/bytes.h"
#include "core/splice.h"
#include "media/audio.h"

namespace colophon::label::internal {

struct JoinedMp4 {
    Splice splice;
    bool reencoded = false;  // with loss
};

// kUnsupported for files of more than one track (chapters with text, pictures in time).
Result<JoinedMp4> join_mp4(Bytes file, const media::AudioFacts& facts, const media::Pcm& before,
                           const media::Pcm& after);

}  // namespace colophon::label::internal
