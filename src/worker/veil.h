// SPDX-License-Identifier: Apache-2.0
#pragma once

// What is shown of a picture or video to somebody who has to look at many of them, until he asks
// for the thing itself [DSP-10]: without colour, so blurred that shapes are told and details are
// not, small, and without sound. Of a picture a PNG, of a video a short film.
//
// A veil is made from decoded samples and takes nothing else over from the file. The worker says
// what it made and writes it into a file; both are read as strictly as everything else it says.

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "label/format.h"
#include "media/codecs.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace colophon::worker {

inline constexpr int kVeilSideMax = 640;      // of a picture
inline constexpr int kVeilFilmSideMax = 320;  // of a film
// The blur is that of a Gaussian whose standard deviation is this share of the longer side.
inline constexpr double kVeilBlurShare = 1.0 / 64;
inline constexpr int kVeilFilmRate = 5;  // pictures a second
inline constexpr std::size_t kVeilFilmPicturesMax = 240;
inline constexpr std::size_t kVeilBytesMax = std::size_t{16} << 20U;

struct Veil {
    Buffer file;
    bool film = false;           // MP4; otherwise PNG
    std::uint64_t pictures = 1;  // of an animation or of pages, of which the first is shown
    std::int64_t speed = 1;      // of a video; of an animation every so many pictures are shown
};
std::string_view veil_media_type(const Veil& veil) noexcept;  // "image/png", "video/mp4"

// Whether there is one of such files. The codecs are those that the call needs.
bool takes_veil(label::Format format) noexcept;
media::CodecSet veil_codecs(label::Format format) noexcept;

// In the worker. The film of a video has kVeilFilmRate pictures for each of its seconds; where they
// would be more than kVeilFilmPicturesMax, half of that, a quarter and so on, so that it runs
// faster. That of an animation (GIF, PNG, WebP) shows each of its pictures for the same time, of
// too many every second, every fourth and so on.
// kUnsupported when !takes_veil(), kCorrupt when no picture can be decoded; otherwise as the codec
// says.
Result<Veil> make_veil(Bytes file, label::Format format);

// {"film": false, "pictures": 1, "speed": 1}
json::Value encode(const Veil& veil);
// `file`: what the worker wrote. kCorrupt unless it begins as a veil does: a grey PNG within
// kVeilSideMax, or an MP4; of at most kVeilBytesMax.
Result<Veil> decode_veil(const json::Value& value, Bytes file);

}  // namespace colophon::worker
