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
    Container{Format::kHeic, read_heif, write_heif},
    Container{Format::kAvif, read_avif, write_heif},
    Container{Format::kM4a, read_m4a, write_mp4},
    Container{Format::kMp4, read_mp4, write_mp4},
    Container{Format::kMatroska, read_matroska, nullptr},
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
