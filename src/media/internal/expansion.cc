// SPDX-License-Identifier: Apache-2.0
#include "media/internal/expansion.h"

#include "core/result.h"

#include <fmt/format.h>

#include <cstdint>

namespace colophon::media::internal {

Result<void> check_expansion(std::uint64_t decoded_bytes, std::uint64_t file_bytes) {
    const std::uint64_t most = kPixelBytesFree + kPixelBytesPerByteMax * file_bytes;
    if (decoded_bytes > most) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a file of {} bytes that asks for {} bytes of pixels; at most {} "
                                 "are given to a file of its size",
                                 file_bytes, decoded_bytes, most)};
    }
    return {};
}

}  // namespace colophon::media::internal
