// SPDX-License-Identifier: Apache-2.0
#pragma once

// The watermark of a picture file [DSP-16]: written into the pixels of JPEG, PNG, WebP, GIF, TIFF,
// HEIC and AVIF, animations included, everything else kept byte for byte, and read back before it
// counts as written.

#include "core/bytes.h"
#include "core/ids.h"
#include "core/splice.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/watermark/detect.h"
#include "label/watermark/key.h"
#include "label/watermark/payload.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace colophon::label {

// How much the mark will stand, measured on the marked picture: what is left of it after a
// messenger has halved the picture and coded it as JPEG 75.
enum class WatermarkStrength : std::uint8_t {
    kRobust,   // far above what detection needs
    kFair,     // readable
    kFragile,  // gone; only the picture as it is can be read
};
std::string_view watermark_strength_name(WatermarkStrength strength) noexcept;  // "robust", ...
std::optional<WatermarkStrength> parse_watermark_strength(std::string_view text) noexcept;

// What to do with a picture that carries a mark under this key already.
enum class MarkedAlready : std::uint8_t {
    kKeep,     // it stays, whoever's it is
    kReplace,  // the same issuer's own gets the new content id; others stay
};

struct WatermarkOptions {
    WatermarkKey key = published_watermark_key();
    IssuerId issuer;
    ContentId content_id;
    MarkedAlready marked_already = MarkedAlready::kKeep;
    // kLong is a wish: a picture that is too small, or in which the long form would be fragile at
    // 42 dB, gets the standard one, and so does one of an unknown provider. A finding says so.
    PayloadForm form = PayloadForm::kStandard;  // or kLong
    MarkProvider provider = MarkProvider::nobody();
};

struct WatermarkedFile {
    Splice splice;
    bool changed = true;       // false: an earlier mark was kept and the file is left alone
    WatermarkReading reading;  // of the result
    WatermarkStrength strength = WatermarkStrength::kFragile;
    double psnr_db = 0;  // of the luma, before the container's own coding
    Findings findings;   // watermark.recoded, .kept, .strengthened, .frames
};

bool takes_watermark(Format format) noexcept;

// Every frame of an animation gets the mark; of up to 32 of them half must read back, because some
// may be too flat. kUnsupported: the format takes no watermark in this version. kInvalidArgument:
// the picture is too small, or so flat that even the strongest mark allowed (38 dB) does not read
// back. kConflict: an earlier mark of this issuer would stay beside the new number. kCorrupt,
// kLimit: the file.
Result<WatermarkedFile> mark_picture(Bytes file, Format format, const WatermarkOptions& options);

// Under each of the keys in turn; the first that is found. Of several pages the first is looked at;
// of an animation the first frame, then the sum of up to 32.
Result<WatermarkReading> find_picture_watermark(Bytes file, Format format,
                                                std::span<const WatermarkKey> keys,
                                                DetectEffort effort);

// What the score of an untouched or unknown picture says of the mark's strength.
WatermarkStrength strength_of_score(double score, PayloadForm form) noexcept;

}  // namespace colophon::label
