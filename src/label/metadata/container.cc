// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/container.h"

#include "label/format.h"
#include "label/metadata/internal/containers.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace colophon::label {
namespace {

// One row per format; label/metadata/<container>.cc holds the functions.
constexpr std::array kContainers{
    Container{Format::kJpeg, internal::read_jpeg, internal::write_jpeg},
    Container{Format::kPng, internal::read_png, internal::write_png},
    Container{Format::kWebp, read_webp, write_webp},
    Container{Format::kGif, internal::read_gif, internal::write_gif},
    Container{Format::kTiff, internal::read_tiff, internal::write_tiff},
    Container{Format::kHeic, read_heif, write_heif},
    Container{Format::kAvif, read_avif, write_heif},
    Container{Format::kSvg, internal::read_svg, internal::write_svg},
    Container{Format::kWav, read_wav, write_wav},
    Container{Format::kMp3, read_mp3, write_mp3},
    Container{Format::kFlac, read_flac, write_flac},
    Container{Format::kOggVorbis, read_ogg, write_ogg},
    Container{Format::kOpus, read_ogg, write_ogg},
    Container{Format::kM4a, read_m4a, write_mp4},
    Container{Format::kMarkdown, internal::read_markdown, internal::write_markdown},
    Container{Format::kHtml, internal::read_html, internal::write_html},
    Container{Format::kMp4, read_mp4, write_mp4},
    Container{Format::kMatroska, read_matroska, nullptr},
    Container{Format::kAvi, read_avi, nullptr},
    Container{Format::kFlv, read_flv, nullptr},
};

}  // namespace

const Container* find_container(Format format) noexcept {
    const auto* row = std::ranges::find(kContainers, format, &Container::format);
    return row == kContainers.end() ? nullptr : row;
}

bool may_be_label(std::string_view text) noexcept {
    constexpr std::array<std::string_view, 8> kSigns{
        "AIGC",        "ContentProducer", "ProduceID",       "ContentPropagator",
        "PropagateID", "aigc_label_type", "ServiceProvider", "ReservedCode1"};
    return std::ranges::any_of(
        kSigns, [&](std::string_view sign) { return text.find(sign) != std::string_view::npos; });
}

}  // namespace colophon::label
