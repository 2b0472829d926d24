// SPDX-License-Identifier: Apache-2.0
#pragma once

// What identity takes at most.

#include <cstddef>
#include <cstdint>

namespace colophon::identity {

// Numbers and names as people type them.
inline constexpr std::size_t kNumberBytesMax = 128;  // with full-width digits and blanks
inline constexpr std::size_t kNameBytesMax = 400;
inline constexpr std::size_t kNameCharsMax = 60;  // longer than any name on an identity card

// Providers of verification.
inline constexpr std::size_t kProviderTemplateBytesMax = 64U << 10U;
inline constexpr std::size_t kProviderPartsMax = 64;  // headers, parameters, outcomes: each
inline constexpr std::size_t kProviderRequestBytesMax = 256U << 10U;
inline constexpr std::uint64_t kProviderAnswerBytesMax = 256U << 10U;
inline constexpr std::size_t kJsonIndexMax = 10'000;

}  // namespace colophon::identity
