// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether the pixels that a header promises may come of a file of that size. Formats that code even
// ground in no bits at all (WebP, HEVC, AV1) could otherwise ask for a gigabyte in a hundred bytes.

#include "core/result.h"

#include <cstdint>

namespace colophon::media::internal {

// Of any file, and for each byte of it beyond that. Deflate and LZW reach 1,000 and 1,400.
inline constexpr std::uint64_t kPixelBytesFree = 64ULL << 20U;
inline constexpr std::uint64_t kPixelBytesPerByteMax = 2048;

// kLimit above kPixelBytesFree + kPixelBytesPerByteMax x `file_bytes`.
Result<void> check_expansion(std::uint64_t decoded_bytes, std::uint64_t file_bytes);

}  // namespace colophon::media::internal
