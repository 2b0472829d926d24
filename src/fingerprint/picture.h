// SPDX-License-Identifier: Apache-2.0
#pragma once

// From a picture to its PDQ print. Pictures with a side above 512 pixels are first reduced to
// 512 x 512 by taking the nearest pixel, as the reference's loader does: whoever skips that step
// gets other bits. Transparent pixels are seen before white. As the reference does, the picture is
// taken as it is stored, not as EXIF says it is to be turned; dihedral_hashes() finds it anyway.

#include "core/bytes.h"
#include "fingerprint/pdq.h"
#include "media/codecs.h"
#include "media/image.h"
#include "media/plane.h"

#include <cstdint>

namespace colophon::fingerprint {

inline constexpr int kPdqSideMax = 512;

// One frame, as 8-bit RGB would be; at most kPdqSideMax wide and high.
Luma luma_of(const media::Image& image, int frame);
// The same of a plane of luma, whose area begins at 0, 0.
Luma luma_of(const media::Plane& plane);

enum class PictureCoding : std::uint8_t { kJpeg, kPng, kWebp, kGif, kTiff, kHeif };

// What the process must have loaded before it is locked.
media::CodecSet codecs_for(PictureCoding coding) noexcept;

// The first frame or page of a file. kCorrupt, kLimit, kUnsupported: as the codec says.
Result<Luma> read_luma(Bytes file, PictureCoding coding);

// The same for people and not for hashes: in the picture's own proportions, made smaller by
// averaging until no side is above `side_max` (at least 1), never larger than it is.
Result<Luma> read_small_luma(Bytes file, PictureCoding coding, int side_max);
Luma small_luma_of(const media::Image& image, int frame, int side_max);  // of one frame

}  // namespace colophon::fingerprint
