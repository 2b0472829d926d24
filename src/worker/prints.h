// SPDX-License-Identifier: Apache-2.0
#pragma once

// Prints of files over the channel: what the worker makes of bytes from outside, decoded as
// strictly as everything else it says.

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "fingerprint/pdq.h"
#include "fingerprint/picture.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "label/format.h"
#include "media/codecs.h"

#include <optional>

namespace colophon::worker {

struct FilePrints {
    std::optional<fingerprint::PdqDihedralPrint> picture;
    std::optional<fingerprint::VideoPrint> video;  // with one frame at least
    // Also of a video that has one; without items when it is shorter than 2.8 s.
    std::optional<fingerprint::SoundPrint> sound;
    bool sound_unread = false;  // a video has a sound that cannot be decoded

    bool operator==(const FilePrints&) const = default;
};

// How such a picture is read; nothing for what is no picture, or one that is not decoded.
std::optional<fingerprint::PictureCoding> picture_coding(label::Format format) noexcept;

// Whether prints are made of such files. The codecs are those that the call needs.
bool takes_prints(label::Format format) noexcept;
media::CodecSet print_codecs(label::Format format) noexcept;

// In the worker. kUnsupported when !takes_prints(), kCorrupt for a video in which no picture can be
// decoded; otherwise as the codec says.
Result<FilePrints> make_prints(Bytes file, label::Format format);

// {"picture":{"quality":100,"hashes":["...", 8 of them]}} {"video":"0,100,...,0.000\n...",
// "sound":"AQAA..."}, {"video":"...","sound_unread":true} or {"sound":"AQAA..."}
json::Value encode(const FilePrints& prints);
Result<FilePrints> decode_file_prints(const json::Value& value);

}  // namespace colophon::worker
