// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads a watermark out of the luma of a picture that may have been scaled, turned, mirrored,
// cropped, coded again. Two gates stand before "found": a CRC-32 over the payload, and the
// correlation of what was received with the whole pattern that the payload would have given.
//
// False positives. The score is the correlation in standard deviations of what is left when the
// word is taken away. The decoder looks for the word that correlates most, so that the likeliest
// one of noise has a score of 12 already, and the more words there are the higher: the two gates
// are not two proofs, the second says that noise seldom gets so far. How seldom is counted
// (bench/label/watermark_false_bench.cc): about once in 8,000 decodes. A decode tries 32 words, of
// which the checksum takes one with a chance of 2^-27; both gates open once in some 10^12 decodes.
// A search that finds nothing decodes at a handful of places, those with a pilot of 5:
// docs/reference/robustness.md has the numbers.

#include "core/parallel.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace colophon::label {

namespace internal {
class Carrier;
struct Lattice;
struct Working;
}  // namespace internal

enum class WatermarkState : std::uint8_t {
    kAbsent,
    kPresent,  // the pilot is there, the payload cannot be read
    kFound,
};

// How the mark lies in the picture.
struct WatermarkGeometry {
    double turn_degrees = 0;  // clockwise as displayed, -180 .. 180; after mirroring
    bool mirrored = false;    // left and right were exchanged
    double period_x = 0;      // pixels of the picture from one tile to the next, along its x axis
    double period_y = 0;
    // Whether the tiles lie as they do in a picture of this size that nobody touched.
    bool untouched = false;
};

struct WatermarkReading {
    WatermarkState state = WatermarkState::kAbsent;
    WatermarkPayload payload;
    double score = 0;        // standard deviations; at least score_min() when found
    double pilot_score = 0;  // of the best place that was tried
    WatermarkGeometry geometry;
};

inline constexpr double kScoreMin = 16;
// The short form has 2^64 words instead of 2^96: the likeliest of noise has two deviations less.
inline constexpr double kShortScoreMin = 15;
// The long form has 2^160 words, of which noise comes nearer to one; a word that is there decodes
// from 20 to 23 anyway.
inline constexpr double kLongScoreMin = 19;
constexpr double score_min(PayloadForm form) noexcept {
    return form == PayloadForm::kShort  ? kShortScoreMin
           : form == PayloadForm::kLong ? kLongScoreMin
                                        : kScoreMin;
}
inline constexpr double kPilotScoreMin = 9;  // for "present, unreadable"

enum class DetectEffort : std::uint8_t {
    kFast,      // sizes and places as the embedder leaves them, turned by quarters, mirrored
    kThorough,  // any scale from 0.4 to 2.5, any turn, stretched by up to a tenth
};

// A thorough search that finds nothing takes some 100 ms of processor time, most of
// it in work on one lattice or one part of the picture. That is spread over threads; what is found,
// to the last bit, does not depend on how many there are.
inline constexpr std::size_t kSearchThreadsMax = 4;

// What becomes of what a thorough search has worked out about parts of a picture.
enum class SearchParts : std::uint8_t {
    kKeep,    // for other keys
    kForget,  // each when it was looked at, so that the next takes its memory
};

// A picture to be searched. What depends on the picture alone is worked out once, when it is first
// needed, whatever the number of keys; that is nearly all of the work.
class WatermarkSearch {
public:
    // `threads`: at most so many, of which the caller's is one.
    explicit WatermarkSearch(const Luma& picture,
                             std::size_t threads = useful_threads(kSearchThreadsMax));
    // The sum of pictures relative to their surroundings (internal/spectrum.h), for payloads of
    // these forms.
    WatermarkSearch(internal::Working sum, std::span<const PayloadForm> forms,
                    std::size_t threads = useful_threads(kSearchThreadsMax));
    ~WatermarkSearch();
    WatermarkSearch(const WatermarkSearch&) = delete;
    WatermarkSearch& operator=(const WatermarkSearch&) = delete;

    WatermarkReading find(const internal::Carrier& carrier, DetectEffort effort,
                          SearchParts parts = SearchParts::kKeep);
    // At one place only: upright tiles of so many pixels.
    WatermarkReading find_at(const internal::Carrier& carrier, double period);
    // On that lattice only, in pixels of the working copy.
    WatermarkReading find_on(const internal::Carrier& carrier, const internal::Lattice& lattice);
    // The lattice on which the last of these calls saw most of the pilot.
    const internal::Lattice& best_lattice() const;

private:
    struct State;
    std::unique_ptr<State> state_;  // nothing for pictures too small to show a tile
};

// The same for one key.
WatermarkReading find_watermark(const Luma& picture, const internal::Carrier& carrier,
                                DetectEffort effort);

}  // namespace colophon::label
