// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is said of a watermark over the channel, of a video with its marked parts.

#include "core/json.h"
#include "core/result.h"
#include "label/verify.h"

namespace colophon::worker::internal {

json::Value encode_watermark(const label::WatermarkVerification& watermark);
Result<label::WatermarkVerification> decode_watermark(const json::Value& value);

}  // namespace colophon::worker::internal
