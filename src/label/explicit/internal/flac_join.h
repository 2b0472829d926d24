// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sound put before and after the samples of a FLAC file. The sound is coded again, without loss and
// with a new STREAMINFO (length, MD5); every other metadata block keeps its bytes and its place,
// but for SEEKTABLE, which would point to the old places and is left out.

#include "core/bytes.h"
#include "core/splice.h"
#include "media/audio.h"

namespace colophon::label::internal {

Result<Splice> join_flac(Bytes file, const media::Pcm& before, const media::Pcm& after);

}  // namespace colophon::label::internal
