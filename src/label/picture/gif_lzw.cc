// SPDX-License-Identifier: Apache-2.0
#include "label/picture/gif_lzw.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace colophon::label {
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

class BitReader {
public:
    explicit BitReader(Bytes data) : data_(data) {}
    // -1 when the data end before the code does.
    int take(int bits) {
        while (count_ < bits && at_ < data_.size()) {
            held_ |= static_cast<std::uint32_t>(data_[at_++]) << static_cast<unsigned>(count_);
            count_ += 8;
        }
        if (count_ < bits) {
            return -1;
        }
        const int code = static_cast<int>(held_ & ((1U << static_cast<unsigned>(bits)) - 1));
        held_ >>= static_cast<unsigned>(bits);
        count_ -= bits;
        return code;
    }

private:
    Bytes data_;
    std::size_t at_ = 0;
    std::uint32_t held_ = 0;
    int count_ = 0;
};

// The strings that a decoder has learned. A code names a string by its last index and the code of
// what comes before it.
class StringTable {
public:
    explicit StringTable(int code_bits) : code_bits_(code_bits) {
        for (int i = 0; i < 1 << code_bits; ++i) {
            const auto value = static_cast<std::uint8_t>(i);
            entries_[static_cast<std::size_t>(i)] = {
                .prefix = 0, .length = 1, .first = value, .last = value};
        }
        clear();
    }
    int bits() const noexcept { return bits_; }
    void clear() noexcept {
        next_ = (1 << code_bits_) + 2;
        bits_ = code_bits_ + 1;
        previous_ = -1;
    }
    // Learns the string that the code completes; false for a code that has no meaning here.
    bool accept(int code) {
        const bool first = previous_ < 0;
        if (code > next_ || (first && code >= 1 << code_bits_)) {
            return false;
        }
        if (!first && next_ < kCodesMax) {
            learn(code);
        } else if (code >= next_) {
            return false;
        }
        previous_ = code;
        return true;
    }
    // After accept(code).
    void append_string(int code, Buffer& out) const {
        const std::size_t start = out.size();
        const std::size_t length = entries_[static_cast<std::size_t>(code)].length;
        out.resize(start + length);
        for (std::size_t i = length; i-- > 0;) {
            const Entry& entry = entries_[static_cast<std::size_t>(code)];
            out[start + i] = entry.last;
            code = entry.prefix;
        }
    }

private:
    void learn(int code) {
        const Entry& before = entries_[static_cast<std::size_t>(previous_)];
        const Entry& source = code == next_ ? before : entries_[static_cast<std::size_t>(code)];
        entries_[static_cast<std::size_t>(next_)] = {
            .prefix = static_cast<std::uint16_t>(previous_),
            .length = static_cast<std::uint16_t>(before.length + 1),
            .first = before.first,
            .last = source.first};
        ++next_;
        if (next_ == 1 << bits_ && bits_ < kCodeBitsMax) {
            ++bits_;
        }
    }

    int code_bits_;
    int next_ = 0;
    int bits_ = 0;
    int previous_ = -1;
    std::array<Entry, kCodesMax> entries_{};
};

}  // namespace

Result<Buffer> gif_lzw_decode(Bytes data, int code_bits, std::size_t pixels) {
    if (code_bits < 1 || code_bits > 8) {
        return Error{ErrorCode::kCorrupt, "a GIF picture with an impossible code size"};
    }
    const int clear = 1 << code_bits;
    BitReader in(data);
    StringTable table(code_bits);
    Buffer out;
    out.reserve(pixels);
    while (out.size() < pixels) {
        const int code = in.take(table.bits());
        if (code < 0 || code == clear + 1) {
            break;
        }
        if (code == clear) {
            table.clear();
        } else if (!table.accept(code)) {
            return Error{ErrorCode::kCorrupt, "a GIF picture has a code that cannot occur"};
        } else {
            table.append_string(code, out);
        }
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

}  // namespace colophon::label
