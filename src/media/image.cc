// SPDX-License-Identifier: Apache-2.0
#include "media/image.h"

#include <cstdint>
#include <cstring>

namespace colophon::media {

int Image::sample(int x, int y, int channel) const noexcept {
    const std::size_t at = static_cast<std::size_t>(y) * row_bytes() +
                           (static_cast<std::size_t>(x) * static_cast<std::size_t>(channels) +
                            static_cast<std::size_t>(channel)) *
                               static_cast<std::size_t>(sample_bytes);
    if (sample_bytes == 1) {
        return pixels[at];
    }
    std::uint16_t value = 0;
    std::memcpy(&value, &pixels[at], sizeof value);
    return value;
}

void Image::set_sample(int x, int y, int channel, int value) noexcept {
    const std::size_t at = static_cast<std::size_t>(y) * row_bytes() +
                           (static_cast<std::size_t>(x) * static_cast<std::size_t>(channels) +
                            static_cast<std::size_t>(channel)) *
                               static_cast<std::size_t>(sample_bytes);
    if (sample_bytes == 1) {
        pixels[at] = static_cast<std::uint8_t>(value);
        return;
    }
    const auto wide = static_cast<std::uint16_t>(value);
    std::memcpy(&pixels[at], &wide, sizeof wide);
}

}  // namespace colophon::media
