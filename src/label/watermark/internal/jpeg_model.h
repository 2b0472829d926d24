// SPDX-License-Identifier: Apache-2.0
#pragma once

// What coding as JPEG does to luma: 8x8 blocks are transformed and rounded to multiples of the
// table of ITU-T T.81, annex K, scaled to a quality as the usual encoders do.

#include "label/watermark/luma.h"

namespace colophon::label::internal {

// `quality` 1 .. 100 (asserted). Columns and rows beyond whole blocks stay as they are.
Luma as_after_jpeg(const Luma& picture, int quality);

}  // namespace colophon::label::internal
