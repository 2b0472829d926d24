// SPDX-License-Identifier: Apache-2.0
#pragma once

// Reads a watermark out of the luma of a picture that may have been scaled, turned, mirrored,
// cropped, coded again. Two gates stand before "found": a CRC-32 over the payload, and the
// correlation of what was received with the whole pattern that the payload would have given.
//
// False positives. The score is the correlation in standard deviations of noise. Over all 2^96
// words the chance that noise reaches kScoreMin with any of them is below 10^-21 (union bound over
// the normal tail); the search tries fewer than 10^8 places, so that it stays below 10^-13, and the
// checksum takes another 10^-9 off that.

#include "label/watermark/luma.h"
#include "label/watermark/payload.h"

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
    double score = 0;        // standard deviations; at least kScoreMin when found
    double pilot_score = 0;  // of the best place that was tried
    WatermarkGeometry geometry;
};

inline constexpr double kScoreMin = 15;
// The segment form has 2^108 words: the same chance of any of them asks for a little more.
inline constexpr double kSegmentScoreMin = 16;
constexpr double score_min(PayloadForm form) noexcept {
    return form == PayloadForm::kSegment ? kSegmentScoreMin : kScoreMin;
}
inline constexpr double kPilotScoreMin = 9;  // for "present, unreadable"

enum class DetectEffort : std::uint8_t {
    kFast,      // sizes and places as the embedder leaves them, turned by quarters, mirrored
    kThorough,  // any scale from 0.4 to 2.5, any turn, stretched by up to a tenth
};

// A picture to be searched. What depends on the picture alone is worked out once, when it is first
// needed, whatever the number of keys; that is nearly all of the work.
class WatermarkSearch {
public:
    explicit WatermarkSearch(const Luma& picture);
    // The sum of pictures relative to their surroundings (internal/spectrum.h), for payloads of
    // these forms.
    WatermarkSearch(internal::Working sum, std::span<const PayloadForm> forms);
    ~WatermarkSearch();
    WatermarkSearch(const WatermarkSearch&) = delete;
    WatermarkSearch& operator=(const WatermarkSearch&) = delete;

    WatermarkReading find(const internal::Carrier& carrier, DetectEffort effort);
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
