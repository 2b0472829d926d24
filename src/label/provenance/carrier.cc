// SPDX-License-Identifier: Apache-2.0
#include "label/provenance/carrier.h"

#include "label/format.h"
#include "label/provenance/internal/carriers.h"

#include <algorithm>
#include <array>
#include <span>

namespace colophon::label::provenance {
namespace {

constexpr std::array kCarriers{
    Carrier{Format::kJpeg, Binding::kData, internal::find_in_jpeg, internal::place_in_jpeg},
    Carrier{Format::kPng, Binding::kData, internal::find_in_png, internal::place_in_png},
    Carrier{Format::kWebp, Binding::kData, internal::find_in_riff, internal::place_in_riff},
    Carrier{Format::kGif, Binding::kData, internal::find_in_gif, internal::place_in_gif},
    Carrier{Format::kTiff, Binding::kData, internal::find_in_tiff, internal::place_in_tiff},
    Carrier{Format::kHeic, Binding::kBmff, internal::find_in_bmff, internal::place_in_bmff},
    Carrier{Format::kAvif, Binding::kBmff, internal::find_in_bmff, internal::place_in_bmff},
    Carrier{Format::kSvg, Binding::kData, internal::find_in_svg, internal::place_in_svg},
    Carrier{Format::kWav, Binding::kData, internal::find_in_riff, internal::place_in_riff},
    Carrier{Format::kMp3, Binding::kData, internal::find_in_id3, internal::place_in_id3},
    Carrier{Format::kFlac, Binding::kData, internal::find_in_id3, internal::place_in_id3},
    Carrier{Format::kM4a, Binding::kBmff, internal::find_in_bmff, internal::place_in_bmff},
    Carrier{Format::kMp4, Binding::kBmff, internal::find_in_bmff, internal::place_in_bmff},
    Carrier{Format::kAvi, Binding::kData, internal::find_in_riff, internal::place_in_riff},
};

}  // namespace

std::span<const Carrier> all_carriers() noexcept {
    return kCarriers;
}

const Carrier* find_carrier(Format format) noexcept {
    const auto* row = std::ranges::find(kCarriers, format, &Carrier::format);
    return row == kCarriers.end() ? nullptr : &*row;
}

}  // namespace colophon::label::provenance
