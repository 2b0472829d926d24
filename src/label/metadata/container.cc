// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/container.h"

#include "label/format.h"
#include "label/metadata/internal/containers.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace colophon::label {
namespace {

constexpr Container row(Format format, decltype(Container::read) read,
                        decltype(Container::write) write) {
    return {.format = format, .read = read, .write = write};
}

// One row per format; label/metadata/<container>.cc holds the functions.
constexpr std::array kContainers{
    row(Format::kJpeg, internal::read_jpeg, internal::write_jpeg),
    row(Format::kPng, internal::read_png, internal::write_png),
    row(Format::kWebp, internal::read_webp, internal::write_webp),
    row(Format::kGif, internal::read_gif, internal::write_gif),
    row(Format::kTiff, internal::read_tiff, internal::write_tiff),
    row(Format::kHeic, internal::read_heif, internal::write_heif),
    row(Format::kAvif, internal::read_avif, internal::write_heif),
    row(Format::kSvg, internal::read_svg, internal::write_svg),
    row(Format::kWav, internal::read_wav, internal::write_wav),
    row(Format::kMp3, internal::read_mp3, internal::write_mp3),
    row(Format::kFlac, internal::read_flac, internal::write_flac),
    row(Format::kOggVorbis, internal::read_ogg, internal::write_ogg),
    row(Format::kOpus, internal::read_ogg, internal::write_ogg),
    row(Format::kM4a, internal::read_m4a, internal::write_mp4),
    row(Format::kMarkdown, internal::read_markdown, internal::write_markdown),
    row(Format::kHtml, internal::read_html, internal::write_html),
    row(Format::kMp4, internal::read_mp4, internal::write_mp4),
    row(Format::kMatroska, internal::read_matroska, nullptr),
    row(Format::kAvi, internal::read_avi, nullptr),
    row(Format::kFlv, internal::read_flv, nullptr),
    row(Format::kPdf, internal::read_pdf, internal::write_pdf),
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
