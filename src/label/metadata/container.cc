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
    Container{Format::kGif, internal::read_gif, internal::write_gif},
    Container{Format::kTiff, internal::read_tiff, internal::write_tiff},
    Container{Format::kSvg, internal::read_svg, internal::write_svg},
    Container{Format::kMarkdown, internal::read_markdown, internal::write_markdown},
    Container{Format::kHtml, internal::read_html, internal::write_html},
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
