// SPDX-License-Identifier: Apache-2.0
#pragma once

// A short silent film of grey pictures: H.264 in MP4, with nothing else in it. It is made from
// pictures in memory, for people who look at it once; labels are never put on such files.

#include "core/bytes.h"
#include "core/result.h"
#include "media/plane.h"

#include <vector>

namespace colophon::media {

inline constexpr int kGreyVideoSideMax = 4096;

// `pictures`: at least one, all of the same size from 2 x 2 to kGreyVideoSideMax, both sides even;
// 0 is black, 255 is white. `rate`: of them a second, 1 .. 60. The same pictures give the same
// bytes. kInvalidArgument when one of that does not hold; Codec::kSound is what a locked process
// needs.
Result<Buffer> encode_grey_video(const std::vector<Plane>& pictures, int rate);

}  // namespace colophon::media
