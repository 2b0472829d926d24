// SPDX-License-Identifier: Apache-2.0
#pragma once

// Records of content like a given one [DSP-10] [AILM-5]: prints of what went out, cut into bands,
// of which near copies share at least one, and the comparison that decides.
//
//   picture   PDQ, 256 bits in 16 bands. A query asks for each band as it is and with each of its
//             bits turned: whatever is within 31 bits has a band with at most one of them, so
//             nothing within that distance is missed.
//   video     up to 64 of its good frames, each as a picture.
//   sound     stretches of 32 s, each beginning 28 s after the one before; of each a quarter of its
//             items, chosen by their value, as bands. A query asks for its items, and for what is
//             one bit from them, as far as they would have been chosen: 10 s of a sound, coded
//             again, share a band with it all but always, and the comparison of items decides.
//   text      the least 32 of its keyed marks (a sketch), the least 6 of them as bands: a text that
//             shares half of its marks is found with 98 of 100, one of four fifths always.
//
// Costs of a query are bounded by what Records::find_similar() reads.

#include "core/ids.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/text.h"
#include "fingerprint/video.h"
#include "ledger/records.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace colophon::ledger {

// Kinds of prints as they are stored.
inline constexpr std::int64_t kPicturePrint = 1;
inline constexpr std::int64_t kVideoPrint = 2;
inline constexpr std::int64_t kTextPrint = 3;
inline constexpr std::int64_t kSoundPrint = 4;

inline constexpr std::size_t kVideoPrintsMax = kRecordPrintsMax;  // frames of one record
inline constexpr std::size_t kVideoFramesAsked = 24;  // of a query, evenly over its time
inline constexpr std::size_t kSoundStretchItems = 256;
inline constexpr std::size_t kSoundStretchStep = 224;
inline constexpr std::size_t kSoundPrintsMax = kRecordPrintsMax - 1;  // 29 minutes, and the text's
inline constexpr std::size_t kSoundItemsAsked = 900;  // of a query, evenly over its time
inline constexpr std::size_t kTextSketchMarks = 32;
inline constexpr std::size_t kTextBands = 6;
// At least so alike is a near copy, of a text by its sketch.
inline constexpr double kTextLikenessMin = 0.3;

Print picture_print(const fingerprint::PdqHash& hash);
// Frames of a quality that says something, evenly over the video; none when there are none.
std::vector<Print> video_prints(const fingerprint::VideoPrint& video);
// Of the first kSoundPrintsMax stretches; none of a sound too short to be found again.
std::vector<Print> sound_prints(const fingerprint::SoundPrint& sound);
// Nothing for a text without letters. kLimit and kInvalidArgument as fingerprint::TextPrinter.
Result<std::optional<Print>> text_print(std::string_view text,
                                        const fingerprint::TextPrinter& printer);
// The bands of such a print, which follow from it. kCorrupt when it is none.
Result<std::vector<std::int64_t>> text_print_bands(Bytes print);

struct LikeRecord {
    RecordId record;
    double likeness = 0;  // 0 .. 1: 1 - distance/256; shared frames or items of what
                          // was asked; shared marks
};
struct LikeRecords {
    std::vector<LikeRecord> found;  // the most alike first, then the newest; at most kRecordPageMax
    bool cut = false;               // there were more candidates than a query looks at
};

// `hashes` of one picture, turned and mirrored or not: the least distance counts.
Result<LikeRecords> find_like_picture(Records& records,
                                      std::span<const fingerprint::PdqHash> hashes);
// Also finds records of pictures that are frames of the video.
Result<LikeRecords> find_like_video(Records& records, const fingerprint::VideoPrint& video);
// Records of sounds that have a stretch in common with this one.
Result<LikeRecords> find_like_sound(Records& records, const fingerprint::SoundPrint& sound);
Result<LikeRecords> find_like_text(Records& records, std::string_view text);

}  // namespace colophon::ledger
