// SPDX-License-Identifier: Apache-2.0
#pragma once

// The LZW of GIF (GIF89a, appendix F): pictures as colour indices.

#include "core/bytes.h"

#include <cstddef>

namespace colophon::label {

// Decodes exactly `pixels` indices from joined sub-blocks; missing ones at the end become 0, as all
// browsers have it. `code_bits`: the minimum code size that stands before the data, 2 .. 8 (some
// writers use 1). kCorrupt for codes that cannot occur.
Result<Buffer> gif_lzw_decode(Bytes data, int code_bits, std::size_t pixels);

// The inverse, without sub-blocks. All indices must be below 2^code_bits (asserted).
Buffer gif_lzw_encode(Bytes indices, int code_bits);

}  // namespace colophon::label
