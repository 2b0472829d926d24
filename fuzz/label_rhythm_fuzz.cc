// SPDX-License-Identifier: Apache-2.0
// Any samples at any rate: the detector never fails, and what it reports lies inside the sound.

#include "core/assert.h"
#include "label/explicit/internal/rhythm.h"

#include <cstddef>
#include <cstdint>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    constexpr std::uint32_t kRates[]{50, 2000, 8000, 16000};
    const std::uint32_t rate = kRates[data[0] % 4];
    // One byte stretches to a hundredth of a second of tone or rest, so that small inputs can
    // spell patterns; an odd first byte takes the bytes as samples.
    std::vector<float> sound;
    for (std::size_t i = 1; i < size; ++i) {
        if (data[0] % 2 == 1) {
            sound.push_back(static_cast<float>(data[i]) / 128.0F - 1.0F);
            continue;
        }
        for (std::uint32_t k = 0; k < rate / 100 && sound.size() < 200'000; ++k) {
            const bool high = (sound.size() * 1760 / rate) % 2 == 1;
            sound.push_back((high ? 1.0F : -1.0F) * static_cast<float>(data[i]) / 255.0F);
        }
    }
    const double seconds = static_cast<double>(sound.size()) / rate;
    double last = -1;
    for (const auto& hit : colophon::label::internal::find_rhythm(sound, rate)) {
        COLOPHON_ASSERT(hit.start_seconds >= 0 && hit.end_seconds <= seconds + 0.03);
        COLOPHON_ASSERT(hit.start_seconds >= last && hit.end_seconds > hit.start_seconds);
        last = hit.end_seconds;
    }
    return 0;
}
