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
    Container{Format::kJpeg, read_jpeg_metadata, write_jpeg_metadata},
    Container{Format::kPng, read_png_metadata, write_png_metadata},
    Container{Format::kGif, read_gif_metadata, write_gif_metadata},
    Container{Format::kTiff, read_tiff_metadata, write_tiff_metadata},
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
