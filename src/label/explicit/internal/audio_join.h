// SPDX-License-Identifier: Apache-2.0
#pragma once

// Sound put before and after the content of a file, in each format's own way. All tags, pictures
// and other metadata stay; coded programme frames stay where the format lets foreign frames stand
// beside them.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/explicit/internal/sound_window.h"
#include "label/finding.h"
#include "label/format.h"
#include "media/audio.h"

namespace colophon::label::internal {

struct JoinedFile {
    Splice splice;
    Findings findings;  // explicit.reencoded when the programme had to be coded again
};

// `before` and `after` have the facts' rate and channels; either may be empty.
Result<JoinedFile> join_audio(Bytes file, Format format, const SoundWindow& window,
                              const media::Pcm& before, const media::Pcm& after);

// What a listener would meet at both ends of the joined file. A large WAV is not put together for
// it: its ends are.
Result<SoundWindow> open_joined(Bytes file, Format format, const Splice& splice);

}  // namespace colophon::label::internal
