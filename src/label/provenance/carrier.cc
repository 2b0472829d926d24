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
    Carrier{.format = Format::kJpeg,
            .binding = Binding::kData,
            .find = internal::find_in_jpeg,
            .place = internal::place_in_jpeg,
            .growth = Growth::kInPlace},
    Carrier{.format = Format::kPng,
            .binding = Binding::kData,
            .find = internal::find_in_png,
            .place = internal::place_in_png,
            .growth = Growth::kInPlace},
    Carrier{.format = Format::kWebp,
            .binding = Binding::kData,
            .find = internal::find_in_riff,
            .place = internal::place_in_riff},
    Carrier{.format = Format::kGif,
            .binding = Binding::kData,
            .find = internal::find_in_gif,
            .place = internal::place_in_gif,
            .growth = Growth::kInPlace},
    Carrier{.format = Format::kTiff,
            .binding = Binding::kData,
            .find = internal::find_in_tiff,
            .place = internal::place_in_tiff},
    Carrier{.format = Format::kHeic,
            .binding = Binding::kBmff,
            .find = internal::find_in_bmff,
            .place = internal::place_in_bmff,
            .growth = Growth::kAppended},
    Carrier{.format = Format::kAvif,
            .binding = Binding::kBmff,
            .find = internal::find_in_bmff,
            .place = internal::place_in_bmff,
            .growth = Growth::kAppended},
    Carrier{.format = Format::kSvg,
            .binding = Binding::kData,
            .find = internal::find_in_svg,
            .place = internal::place_in_svg,
            .growth = Growth::kInPlace},
    Carrier{.format = Format::kWav,
            .binding = Binding::kData,
            .find = internal::find_in_riff,
            .place = internal::place_in_riff},
    Carrier{.format = Format::kMp3,
            .binding = Binding::kData,
            .find = internal::find_in_id3,
            .place = internal::place_in_id3},
    Carrier{.format = Format::kFlac,
            .binding = Binding::kData,
            .find = internal::find_in_id3,
            .place = internal::place_in_id3},
    Carrier{.format = Format::kM4a,
            .binding = Binding::kBmff,
            .find = internal::find_in_bmff,
            .place = internal::place_in_bmff,
            .growth = Growth::kAppended},
    Carrier{.format = Format::kMp4,
            .binding = Binding::kBmff,
            .find = internal::find_in_bmff,
            .place = internal::place_in_bmff,
            .growth = Growth::kAppended},
    Carrier{.format = Format::kAvi,
            .binding = Binding::kData,
            .find = internal::find_in_riff,
            .place = internal::place_in_riff},
    Carrier{.format = Format::kPdf,
            .binding = Binding::kData,
            .find = internal::find_in_pdf,
            .place = internal::place_in_pdf},
    Carrier{.format = Format::kHtml,
            .binding = Binding::kData,
            .find = internal::find_in_html,
            .place = internal::place_in_html,
            .growth = Growth::kInPlace},
    Carrier{.format = Format::kMarkdown,
            .binding = Binding::kData,
            .find = internal::find_in_markdown,
            .place = internal::place_in_markdown,
            .growth = Growth::kInPlace},
    Carrier{.format = Format::kDocx,
            .binding = Binding::kZip,
            .find = internal::find_in_zip,
            .place = internal::place_in_zip},
    Carrier{.format = Format::kXlsx,
            .binding = Binding::kZip,
            .find = internal::find_in_zip,
            .place = internal::place_in_zip},
    Carrier{.format = Format::kPptx,
            .binding = Binding::kZip,
            .find = internal::find_in_zip,
            .place = internal::place_in_zip},
    Carrier{.format = Format::kEpub,
            .binding = Binding::kZip,
            .find = internal::find_in_zip,
            .place = internal::place_in_zip},
    Carrier{.format = Format::kOdt,
            .binding = Binding::kZip,
            .find = internal::find_in_zip,
            .place = internal::place_in_zip},
    Carrier{.format = Format::kOds,
            .binding = Binding::kZip,
            .find = internal::find_in_zip,
            .place = internal::place_in_zip},
    Carrier{.format = Format::kOdp,
            .binding = Binding::kZip,
            .find = internal::find_in_zip,
            .place = internal::place_in_zip},
    Carrier{.format = Format::kOggVorbis,
            .binding = Binding::kData,
            .find = internal::find_in_ogg,
            .place = internal::place_in_ogg},
    Carrier{.format = Format::kOpus,
            .binding = Binding::kData,
            .find = internal::find_in_ogg,
            .place = internal::place_in_ogg},
    Carrier{.format = Format::kPlainText,
            .binding = Binding::kText,
            .find = internal::find_in_text,
            .place = internal::place_in_text},
};

}  // namespace

std::span<const Carrier> all_carriers() noexcept {
    return kCarriers;
}

const Carrier* find_carrier(Format format) noexcept {
    const auto* row = std::ranges::find(kCarriers, format, &Carrier::format);
    return row == kCarriers.end() ? nullptr : &*row;
}

const Carrier* find_usual_carrier(Format format) noexcept {
    const Carrier* carrier = find_carrier(format);
    return carrier != nullptr && carrier->binding == Binding::kText ? nullptr : carrier;
}

}  // namespace colophon::label::provenance
