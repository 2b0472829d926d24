// SPDX-License-Identifier: Apache-2.0
#include "media/initialise.h"

#include "core/result.h"
#include "media/audio.h"
#include "media/image.h"

namespace colophon::media {

Result<void> initialise() {
    TRY(initialise_images(1));
    initialise_audio();
    return {};
}

}  // namespace colophon::media
