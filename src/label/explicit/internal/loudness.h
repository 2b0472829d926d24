// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loudness of a programme after ITU-R BS.1770-4: K weighting, blocks of 400 ms that overlap by
// three quarters, an absolute gate at -70 LUFS and a relative one 10 LU below.

#include "media/audio.h"

#include <optional>

namespace colophon::label::internal {

// Integrated loudness in LUFS of the pieces taken together (gated as one programme; all of one
// rate and layout). Nothing when every block is below the gate: silence, or less than one block.
// Agrees with FFmpeg's ebur128 within 0.2 LU (tested).
std::optional<double> integrated_loudness(const std::vector<media::Pcm>& pieces);

// The largest sample without sign, 0 .. 1.
float peak(const media::Pcm& pcm);

// Gives the sound `gain` (linear) and then keeps every sample within +-`ceiling` by lowering the
// level smoothly around what would exceed it (5 ms ahead, 50 ms back), so that nothing clips.
void amplify_within(media::Pcm& pcm, float gain, float ceiling);

}  // namespace colophon::label::internal
