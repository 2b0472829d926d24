// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sound put before and after the samples of a WAV file without touching one of them: the data chunk
// grows at its ends, and whatever counts samples follows.

#include "core/bytes.h"
#include "core/splice.h"
#include "media/audio.h"

namespace colophon::label::internal {

// RIFF, RF64 and BW64; integers of 8, 16, 24 and 32 bits, floats of 32 and 64, mu-law and A-law.
// Positions in the chunks "cue " and "smpl" move with their samples; the sizes in RIFF, data, fact
// and ds64 are set. kCorrupt names the byte; kUnsupported for other codes (ADPCM, ...); kLimit when
// a RIFF file would pass 4 GiB.
Result<Splice> join_wav(Bytes file, const media::Pcm& before, const media::Pcm& after);

struct WavData {
    std::uint64_t offset = 0;  // of the first sample in the file
    std::uint64_t size = 0;    // bytes, as stated, whether or not they are there
    std::uint64_t frame_bytes = 0;
    std::uint64_t bytes_a_second = 0;
};

// Where the samples stand, from the beginning of a file.
Result<WavData> find_wav_data(Bytes start);

}  // namespace colophon::label::internal
