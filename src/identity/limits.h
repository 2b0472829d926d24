// SPDX-License-Identifier: Apache-2.0
#pragma once

// What identity takes at most, and how long its secrets live.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace colophon::identity {

// Numbers and names as people type them.
inline constexpr std::size_t kNumberBytesMax = 128;  // with full-width digits and blanks
inline constexpr std::size_t kNameBytesMax = 400;
inline constexpr std::size_t kNameCharsMax = 60;  // longer than any name on an identity card

}  // namespace colophon::identity
