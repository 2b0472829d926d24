// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sound put before and after an Ogg stream (RFC 3533).
//   Opus (RFC 7845): packets carry their own configuration, so new packets go before and after the
//   old ones, which keep their bytes; pages get new numbers, positions and checksums.
//   Vorbis: packets mean nothing without the code books of their own stream, and the code books of
//   another encoder differ: the whole sound is coded again. The comment packet keeps its bytes.

#include "core/bytes.h"
#include "core/splice.h"
#include "media/audio.h"

namespace colophon::label::internal {

struct JoinedOgg {
    Splice splice;
    bool reencoded = false;
};

// kUnsupported for files of several streams (multiplexed or chained).
Result<JoinedOgg> join_ogg(Bytes file, const media::AudioFacts& facts, const media::Pcm& before,
                           const media::Pcm& after);

}  // namespace colophon::label::internal
