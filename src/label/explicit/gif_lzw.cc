// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/internal/gif_lzw.h"

#include "core/assert.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr int kCodesMax = 4096;
constexpr int kCodeBitsMax = 12;

struct Entry {
    std::uint16_t prefix = 0;
    std::uint16_t length = 0;
    std::uint8_t first = 0;
    std::uint8_t last = 0;
};

class BitWriter {
public:
    void put(int code, int bits) {
        held_ |= static_cast<std::uint32_t>(code) << count_;
        count_ += static_cast<unsigned>(bits);
        while (count_ >= 8) {
            out_.push_back(static_cast<std::uint8_t>(held_));
            held_ >>= 8U;
            count_ -= 8;
        }
    }
    Buffer finish() {
        if (count_ > 0) {
            out_.push_back(static_cast<std::uint8_t>(held_));
        }
        return std::move(out_);
    }

private:
    Buffer out_;
    std::uint32_t held_ = 0;
    unsigned count_ = 0;
};

}  // namespace

Result<Buffer> gif_lzw_decode(Bytes data, int code_bits, std::size_t pixels) {
    if (code_bits < 1 || code_bits > 8) {
        return Error{ErrorCode::kCorrupt, "a GIF picture with an impossible code size"};
    }
    const int clear = 1 << code_bits;
    std::array<Entry, kCodesMax> table{};
    for (int i = 0; i < clear; ++i) {
        const auto value = static_cast<std::uint8_t>(i);
        table[static_cast<std::size_t>(i)] = {0, 1, value, value};
    }
    Buffer out;
    out.reserve(pixels);
    int next = clear + 2;
    int bits = code_bits + 1;
    int previous = -1;
    std::uint32_t held = 0;
    int count = 0;
    std::size_t at = 0;
    while (out.size() < pixels) {
        while (count < bits && at < data.size()) {
            held |= static_cast<std::uint32_t>(data[at++]) << static_cast<unsigned>(count);
            count += 8;
        }
        if (count < bits) {
            break;
        }
        const int code = static_cast<int>(held & ((1U << static_cast<unsigned>(bits)) - 1));
        held >>= static_cast<unsigned>(bits);
        count -= bits;
        if (code == clear) {
            next = clear + 2;
            bits = code_bits + 1;
            previous = -1;
            continue;
        }
        if (code == clear + 1) {
            break;
        }
        if (code > next || (code == next && previous < 0) || (previous < 0 && code > clear)) {
            return Error{ErrorCode::kCorrupt, "a GIF picture has a code that cannot occur"};
        }
        if (previous >= 0 && next < kCodesMax) {
            const Entry& before = table[static_cast<std::size_t>(previous)];
            const Entry& source = code == next ? before : table[static_cast<std::size_t>(code)];
            table[static_cast<std::size_t>(next)] = {static_cast<std::uint16_t>(previous),
                                                     static_cast<std::uint16_t>(before.length + 1),
                                                     before.first, source.first};
            ++next;
            if (next == 1 << bits && bits < kCodeBitsMax) {
                ++bits;
            }
        } else if (code >= next) {
            return Error{ErrorCode::kCorrupt, "a GIF picture has a code that cannot occur"};
        }
        const std::size_t start = out.size();
        const std::size_t length = table[static_cast<std::size_t>(code)].length;
        out.resize(start + length);
        int walk = code;
        for (std::size_t i = length; i-- > 0;) {
            const Entry& entry = table[static_cast<std::size_t>(walk)];
            out[start + i] = entry.last;
            walk = entry.prefix;
        }
        previous = code;
    }
    out.resize(pixels);
    return out;
}

Buffer gif_lzw_encode(Bytes indices, int code_bits) {
    const int clear = 1 << code_bits;
    // children[code][index]: the code of that string with that index appended; 0 is none, because
    // no string of two or more has a code below clear + 2.
    std::vector<std::array<std::uint16_t, 256>> children(kCodesMax);
    BitWriter out;
    int bits = code_bits + 1;
    int next = clear + 2;
    out.put(clear, bits);
    int current = -1;
    for (const std::uint8_t index : indices) {
        COLOPHON_ASSERT(index < clear);
        if (current < 0) {
            current = index;
            continue;
        }
        const std::uint16_t child = children[static_cast<std::size_t>(current)][index];
        if (child != 0) {
            current = child;
            continue;
        }
        out.put(current, bits);
        if (next < kCodesMax) {
            children[static_cast<std::size_t>(current)][index] = static_cast<std::uint16_t>(next);
            // The decoder learns a code one step later, and widens when it has learned it.
            if (next == 1 << bits) {
                ++bits;
            }
            ++next;
        } else {
            out.put(clear, bits);
            std::fill(children.begin(), children.end(), std::array<std::uint16_t, 256>{});
            bits = code_bits + 1;
            next = clear + 2;
        }
        current = index;
    }
    if (current >= 0) {
        out.put(current, bits);
        if (next == 1 << bits && bits < kCodeBitsMax) {
            ++bits;
        }
    }
    out.put(clear + 1, bits);
    return out.finish();
}

}  // namespace colophon::label::internal
