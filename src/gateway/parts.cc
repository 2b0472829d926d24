// SPDX-License-Identifier: Apache-2.0
#include "gateway/parts.h"

#include "core/bytes.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "worker/prints.h"
#include "worker/spool.h"

#include <vector>

namespace colophon::gateway {

Result<std::vector<fingerprint::PdqHash>> Media::picture_hashes(Bytes file) {
    const worker::SpooledFile held = TRY(worker::SpooledFile::of(file));
    return picture_hashes(held);
}

Result<worker::FilePrints> Media::video_prints(Bytes file) {
    const worker::SpooledFile held = TRY(worker::SpooledFile::of(file));
    return video_prints(held);
}

Result<fingerprint::SoundPrint> Media::sound_print(Bytes file) {
    const worker::SpooledFile held = TRY(worker::SpooledFile::of(file));
    return sound_print(held);
}

}  // namespace colophon::gateway
