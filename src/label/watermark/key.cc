// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/key.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/digest.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {

const WatermarkKey& published_watermark_key() {
    static const WatermarkKey kKey{sha256(as_bytes("colophon watermark, published key 1"))};
    return kKey;
}

KeyStream::KeyStream(const WatermarkKey& key, std::string_view purpose) {
    append(seed_, Bytes(key.bytes));
    append(seed_, purpose);
}

void KeyStream::refill() {
    Buffer input = seed_;
    append_be64(input, counter_++);
    block_ = sha256(input);
    used_ = 0;
}

std::uint32_t KeyStream::next() {
    if (used_ == block_.size()) {
        refill();
    }
    const std::uint32_t value = load_be32(Bytes(block_).subspan(used_, 4));
    used_ += 4;
    return value;
}

std::uint32_t KeyStream::below(std::uint32_t bound) {
    COLOPHON_ASSERT(bound > 0);
    // What lies above the last whole multiple of `bound` would favour the small numbers.
    const std::uint32_t whole = std::numeric_limits<std::uint32_t>::max() / bound * bound;
    std::uint32_t value = next();
    while (value >= whole) {
        value = next();
    }
    return value % bound;
}

std::vector<std::uint32_t> KeyStream::permutation(std::size_t count) {
    std::vector<std::uint32_t> order(count);
    std::iota(order.begin(), order.end(), 0U);
    for (std::size_t i = count; i > 1; --i) {
        std::swap(order[i - 1], order[below(static_cast<std::uint32_t>(i))]);
    }
    return order;
}

}  // namespace colophon::label
