// SPDX-License-Identifier: Apache-2.0
#include "media/internal/jpeg_scan.h"

#include "core/assert.h"
#include "core/bytes.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace colophon::media::internal {
namespace {

constexpr unsigned kPeekBits = 11;
constexpr unsigned kDcCategoriesMax = 11;  // of 8-bit samples (T.81 table F.1)
constexpr unsigned kAcCategoriesMax = 10;
constexpr unsigned kEndOfBlock = 0x00;
constexpr unsigned kSixteenZeros = 0xF0;
constexpr int kDcMax = 2047;
// No block is longer: 64 codes of 16 bits with 11 bits each, and one load of 8 bytes.
constexpr std::size_t kPadding = 256;

// Where the k-th coefficient of the zigzag stands in a block (T.81 figure A.6).
constexpr std::array<std::uint8_t, 64> kZigzag{
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
    41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
    30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

// A symbol and the bits of its code; 0 bits: no code.
struct Entry {
    std::uint8_t symbol = 0;
    std::uint8_t bits = 0;
};

// For reading: the first kPeekBits bits give most symbols; longer codes are counted out.
class DecodingTable {
public:
    // False for a code that assigns more than there is (T.81 annex C).
    bool build(const HuffmanCode& code) {
        code_ = code;
        std::uint32_t next = 0;
        std::size_t at = 0;
        for (unsigned length = 1; length <= 16; ++length) {
            first_[length] = next;
            offset_[length] = at;
            for (unsigned i = 0; i < code.bits[length]; ++i, ++next, ++at) {
                if (at >= code.symbols.size() || next >> length != 0) {
                    return false;
                }
                fill(next, length, code.symbols[at]);
            }
            next <<= 1U;
        }
        return true;
    }
    // The symbol at the top of `bits`.
    Entry look(std::uint64_t bits) const {
        const Entry entry = fast_[bits >> (64 - kPeekBits)];
        return entry.bits != 0 ? entry : look_longer(bits);
    }

private:
    void fill(std::uint32_t value, unsigned length, std::uint8_t symbol) {
        if (length > kPeekBits) {
            return;
        }
        const unsigned free = kPeekBits - length;
        for (std::uint32_t i = 0; i < 1U << free; ++i) {
            fast_[(value << free) + i] = {symbol, static_cast<std::uint8_t>(length)};
        }
    }
    Entry look_longer(std::uint64_t bits) const {
        for (unsigned length = kPeekBits + 1; length <= 16; ++length) {
            const auto value = static_cast<std::uint32_t>(bits >> (64 - length));
            if (value >= first_[length] && value - first_[length] < code_.bits[length]) {
                return {code_.symbols[offset_[length] + value - first_[length]],
                        static_cast<std::uint8_t>(length)};
            }
        }
        return {};
    }

    HuffmanCode code_;
    std::array<Entry, 1U << kPeekBits> fast_{};
    std::array<std::uint32_t, 17> first_{};
    std::array<std::size_t, 17> offset_{};
};

// For writing: the code of each symbol.
struct EncodingTable {
    std::array<std::uint16_t, 256> value{};
    std::array<std::uint8_t, 256> bits{};

    explicit EncodingTable(const HuffmanCode& code) {
        std::uint32_t next = 0;
        std::size_t at = 0;
        for (unsigned length = 1; length <= 16; ++length) {
            for (unsigned i = 0; i < code.bits[length]; ++i, ++next, ++at) {
                value[code.symbols[at]] = static_cast<std::uint16_t>(next);
                bits[code.symbols[at]] = static_cast<std::uint8_t>(length);
            }
            next <<= 1U;
        }
    }
};

unsigned category(int value) {
    return static_cast<unsigned>(std::bit_width(static_cast<unsigned>(std::abs(value))));
}

// T.81 F.2.2.1: the value that `size` bits at the top of `bits` stand for.
int extend(std::uint64_t bits, unsigned size) {
    if (size == 0) {
        return 0;
    }
    const auto value = static_cast<int>(bits >> (64 - size));
    return value >= 1 << (size - 1) ? value : value - (1 << size) + 1;
}

// Eight bytes from bit `bit` on, that bit on top; the lowest bits may be zeros.
std::uint64_t bits_at(const Buffer& data, std::size_t bit) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, data.data() + bit / 8, sizeof bytes);
    if constexpr (std::endian::native == std::endian::little) {
        bytes = __builtin_bswap64(bytes);
    }
    return bytes << bit % 8;
}

// Calls `visit(component, x, y)` for each block of an MCU row in the order of the scan, x in blocks
// of the component's row, y in its rows of this MCU row, until one is false (T.81 A.2.3).
template <class Visit>
bool for_blocks(const JpegScan::Layout& layout, const Visit& visit) {
    for (int mcu = 0; mcu < layout.mcus_across; ++mcu) {
        for (std::size_t c = 0; c < layout.components.size(); ++c) {
            const JpegScan::Component& facts = layout.components[c];
            for (int i = 0; i < facts.horizontal * facts.vertical; ++i) {
                if (!visit(c, mcu * facts.horizontal + i % facts.horizontal,
                           i / facts.horizontal)) {
                    return false;
                }
            }
        }
    }
    return true;
}

// Bits that grow at the end.
class BitWriter {
public:
    void put(std::uint32_t value, unsigned count) {  // count 0 .. 32, no bits above it
        held_ = held_ << count | value;
        held_bits_ += count;
        if (held_bits_ >= 32) {
            held_bits_ -= 32;
            put_word(static_cast<std::uint32_t>(held_ >> held_bits_));
        }
    }
    // Fills the last byte with ones (T.81 F.1.2.3).
    Buffer finish() {
        const unsigned free = (8 - held_bits_ % 8) % 8;
        held_ = held_ << free | ((1U << free) - 1);
        held_bits_ += free;
        for (; held_bits_ > 0; held_bits_ -= 8) {
            put_byte(static_cast<std::uint8_t>(held_ >> (held_bits_ - 8)));
        }
        return std::move(out_);
    }
    void reserve(std::size_t bytes) { out_.reserve(bytes); }

private:
    void put_byte(std::uint8_t byte) {
        out_.push_back(byte);
        if (byte == 0xFF) {
            out_.push_back(0);
        }
    }
    void put_word(std::uint32_t word) {
        // Whether one of the four bytes is FF: whether one of the inverted word is zero.
        const std::uint32_t inverted = ~word;
        const bool stuffed = ((inverted - 0x01010101U) & ~inverted & 0x80808080U) != 0;
        if (!stuffed) {
            const std::array<std::uint8_t, 4> bytes{
                static_cast<std::uint8_t>(word >> 24U), static_cast<std::uint8_t>(word >> 16U),
                static_cast<std::uint8_t>(word >> 8U), static_cast<std::uint8_t>(word)};
            out_.insert(out_.end(), bytes.begin(), bytes.end());
            return;
        }
        for (unsigned shift = 32; shift > 0; shift -= 8) {
            put_byte(static_cast<std::uint8_t>(word >> (shift - 8)));
        }
    }

    Buffer out_;
    std::uint64_t held_ = 0;
    unsigned held_bits_ = 0;
};

void put_value(BitWriter& out, const EncodingTable& table, unsigned symbol, int value,
               unsigned size) {
    COLOPHON_ASSERT(table.bits[symbol] != 0);
    out.put(table.value[symbol], table.bits[symbol]);
    const int coded = value < 0 ? value + (1 << size) - 1 : value;
    out.put(static_cast<std::uint32_t>(coded), size);
}

// Calls `visit(symbol, value, size)` for each code of a block's AC coefficients (T.81 F.1.2.2).
template <class Visit>
void for_ac_codes(const JpegBlock& block, const Visit& visit) {
    unsigned zeros = 0;
    for (std::size_t k = 1; k < block.size(); ++k) {
        const int value = block[kZigzag[k]];
        if (value == 0) {
            ++zeros;
            continue;
        }
        for (; zeros > 15; zeros -= 16) {
            visit(kSixteenZeros, 0, 0U);
        }
        const unsigned size = category(value);
        visit(zeros << 4U | size, value, size);
        zeros = 0;
    }
    if (zeros > 0) {
        visit(kEndOfBlock, 0, 0U);
    }
}

// The data up to EOI, each stuffed zero taken away; nothing when another marker stands there.
std::optional<Buffer> unstuff(Bytes coded) {
    Buffer out;
    out.reserve(coded.size() + kPadding);
    std::size_t at = 0;
    while (at < coded.size()) {
        const void* hit = std::memchr(coded.data() + at, 0xFF, coded.size() - at);
        if (hit == nullptr) {
            return std::nullopt;
        }
        const auto marker =
            static_cast<std::size_t>(static_cast<const std::uint8_t*>(hit) - coded.data());
        out.insert(out.end(), coded.begin() + static_cast<std::ptrdiff_t>(at),
                   coded.begin() + static_cast<std::ptrdiff_t>(marker));
        if (marker + 1 >= coded.size()) {
            return std::nullopt;
        }
        if (coded[marker + 1] != 0) {
            return coded[marker + 1] == 0xD9 ? std::optional(std::move(out)) : std::nullopt;
        }
        out.push_back(0xFF);
        at = marker + 2;
    }
    return std::nullopt;
}

}  // namespace

std::optional<HuffmanCode> extend_code(const HuffmanCode& code, const std::vector<bool>& needed) {
    HuffmanCode out = code;
    std::vector<bool> missing = needed;
    std::size_t count = 0;
    std::size_t room = (std::size_t{1} << 16U) - 1;
    for (unsigned length = 1; length <= 16; ++length) {
        const std::size_t taken = std::size_t{code.bits[length]} << (16U - length);
        if (taken > room) {
            return std::nullopt;
        }
        room -= taken;
        count += code.bits[length];
    }
    for (std::size_t i = 0; i < count; ++i) {
        if (code.symbols[i] < missing.size()) {
            missing[code.symbols[i]] = false;
        }
    }
    for (std::size_t symbol = 0; symbol < missing.size(); ++symbol) {
        if (missing[symbol]) {
            if (room == 0 || count >= out.symbols.size() || out.bits[16] == 255) {
                return std::nullopt;
            }
            out.symbols[count++] = static_cast<std::uint8_t>(symbol);
            ++out.bits[16];
            --room;
        }
    }
    return out;
}

namespace {

constexpr std::size_t kNoSymbol = 256;  // gets the code of ones only, which then stays unused

// The lengths of an optimal code (T.81 K.2, figure K.1).
std::array<unsigned, kNoSymbol + 1> code_lengths(std::array<std::uint32_t, kNoSymbol + 1> weights) {
    std::array<unsigned, kNoSymbol + 1> lengths{};
    std::vector<std::vector<std::size_t>> members(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
        members[i] = {i};
    }
    for (;;) {
        std::size_t least = weights.size();
        std::size_t second = weights.size();
        for (std::size_t i = 0; i < weights.size(); ++i) {
            if (weights[i] == 0) {
                continue;
            }
            if (least == weights.size() || weights[i] <= weights[least]) {
                second = std::exchange(least, i);
            } else if (second == weights.size() || weights[i] <= weights[second]) {
                second = i;
            }
        }
        if (second == weights.size()) {
            return lengths;
        }
        weights[least] += std::exchange(weights[second], 0);
        members[least].insert(members[least].end(), members[second].begin(), members[second].end());
        for (const std::size_t i : members[least]) {
            ++lengths[i];
        }
    }
}

}  // namespace

HuffmanCode remake_code(const HuffmanCode& code, const std::vector<bool>& needed) {
    constexpr unsigned kLengthMax = 32;  // of weights that add up to less than 2^18
    std::array<std::uint32_t, kNoSymbol + 1> weights{};
    std::size_t at = 0;
    for (unsigned length = 1; length <= 16; ++length) {
        for (unsigned i = 0; i < code.bits[length]; ++i) {
            weights[code.symbols[at++]] = 1U << (16 - length);
        }
    }
    for (std::size_t i = 0; i < needed.size(); ++i) {
        weights[i] = needed[i] ? std::max(weights[i], 1U) : weights[i];
    }
    weights[kNoSymbol] = 1;
    const auto lengths = code_lengths(weights);
    std::array<unsigned, kLengthMax + 1> counts{};
    for (const unsigned length : lengths) {
        ++counts[length];
    }
    // Codes of more than 16 bits are shortened at the cost of others (T.81 figure K.3).
    for (unsigned i = kLengthMax; i > 16; --i) {
        while (counts[i] > 0) {
            unsigned j = i - 2;
            while (counts[j] == 0) {
                --j;
            }
            counts[i] -= 2;
            ++counts[i - 1];
            counts[j + 1] += 2;
            --counts[j];
        }
    }
    counts[0] = 0;  // symbols without a code
    unsigned longest = 16;
    while (counts[longest] == 0) {
        --longest;
    }
    --counts[longest];  // of kNoSymbol
    HuffmanCode out;
    std::copy_n(counts.begin(), out.bits.size(), out.bits.begin());
    at = 0;
    for (unsigned length = 1; length <= kLengthMax; ++length) {
        for (std::size_t i = 0; i < kNoSymbol; ++i) {
            if (lengths[i] == length) {
                out.symbols[at++] = static_cast<std::uint8_t>(i);
            }
        }
    }
    return out;
}

struct JpegScan::Tables {
    std::array<DecodingTable, 4> dc;
    std::array<DecodingTable, 4> ac;
};

namespace {

struct Nowhere {
    void dc(unsigned /*symbol*/, std::uint32_t /*bits*/) const {}
    void ac(unsigned /*symbol*/, std::uint32_t /*bits*/) const {}
};

}  // namespace

// Reads blocks from the unstuffed data.
class JpegScan::Reader {
public:
    Reader(const JpegScan& scan, const Start& start) : scan_(scan), now_(start) {}

    const Start& now() const noexcept { return now_; }

    // The next block of a component, into `out` unless that is nullptr. Its symbols are given to
    // `sink` as dc(symbol, bits) and ac(symbol, bits). False for anything unusual.
    template <class Sink>
    bool block(std::size_t component, JpegBlock* out, Sink&& sink) {
        const Component& facts = scan_.layout_.components[component];
        const Entry dc = scan_.tables_->dc[static_cast<std::size_t>(facts.dc_table)].look(peek());
        if (dc.bits == 0 || dc.symbol > kDcCategoriesMax) {
            return false;
        }
        int& last = now_.last_dc[component];
        const std::uint64_t after = peek() << dc.bits;
        last += extend(after, dc.symbol);
        sink.dc(dc.symbol, top(after, dc.symbol));
        now_.bit += std::size_t{dc.bits} + dc.symbol;
        if (std::abs(last) > kDcMax) {
            return false;
        }
        if (out != nullptr) {
            out->fill(0);
            (*out)[0] = static_cast<std::int16_t>(last);
        }
        return ac(scan_.tables_->ac[static_cast<std::size_t>(facts.ac_table)], out, sink) &&
               now_.bit <= scan_.bits_;
    }

private:
    std::uint64_t peek() const { return bits_at(scan_.data_, now_.bit); }
    // The first `count` bits, 0 .. 16.
    static std::uint32_t top(std::uint64_t bits, unsigned count) {
        return count == 0 ? 0 : static_cast<std::uint32_t>(bits >> (64 - count));
    }
    template <class Sink>
    bool ac(const DecodingTable& table, JpegBlock* out, Sink& sink) {
        std::size_t bit = now_.bit;  // in a register: what is written could be anything
        std::size_t k = 1;
        while (k < 64) {
            const std::uint64_t bits = bits_at(scan_.data_, bit);
            const Entry entry = table.look(bits);
            const unsigned size = entry.symbol & 15U;
            const unsigned zeros = entry.symbol >> 4U;
            bit += std::size_t{entry.bits} + size;
            if (entry.bits == 0 || size > kAcCategoriesMax) {
                return false;
            }
            sink.ac(entry.symbol, top(bits << entry.bits, size));
            if (size == 0 && entry.symbol == kEndOfBlock) {
                break;
            }
            if (size == 0 && entry.symbol != kSixteenZeros) {
                return false;
            }
            // A run of sixteen zeros must have a coefficient after it.
            k += zeros;
            if (k >= 64 || (size == 0 && k == 63)) {
                return false;
            }
            if (out != nullptr && size > 0) {
                (*out)[kZigzag[k]] = static_cast<std::int16_t>(extend(bits << entry.bits, size));
            }
            ++k;
        }
        now_.bit = bit;
        return true;
    }

    const JpegScan& scan_;
    Start now_;
};

JpegScan::JpegScan() : tables_(std::make_unique<Tables>()) {}
JpegScan::JpegScan(JpegScan&&) noexcept = default;
JpegScan& JpegScan::operator=(JpegScan&&) noexcept = default;
JpegScan::~JpegScan() = default;

std::optional<JpegScan> JpegScan::open(Bytes coded, const Layout& layout) {
    JpegScan scan;
    scan.layout_ = layout;
    for (const Component& component : layout.components) {
        const auto d = static_cast<std::size_t>(component.dc_table);
        const auto a = static_cast<std::size_t>(component.ac_table);
        if (!layout.dc[d] || !layout.ac[a] || !scan.tables_->dc[d].build(*layout.dc[d]) ||
            !scan.tables_->ac[a].build(*layout.ac[a])) {
            return std::nullopt;
        }
    }
    std::optional<Buffer> data = unstuff(coded);
    if (!data) {
        return std::nullopt;
    }
    scan.bits_ = data->size() * 8;
    scan.data_ = std::move(*data);
    scan.data_.resize(scan.data_.size() + kPadding);
    if (!scan.first_pass()) {
        return std::nullopt;
    }
    return scan;
}

// Reads everything through and notes where rows start and what the means of component 0 are.
bool JpegScan::first_pass() {
    const Component& luma = layout_.components[0];
    const int across = layout_.mcus_across * luma.horizontal;
    means_.resize(static_cast<std::size_t>(across) *
                  static_cast<std::size_t>(layout_.mcus_down * luma.vertical));
    starts_.reserve(static_cast<std::size_t>(layout_.mcus_down) + 1);
    Reader reader(*this, {});
    for (int mcu_row = 0; mcu_row < layout_.mcus_down; ++mcu_row) {
        starts_.push_back(reader.now());
        const bool good = for_blocks(layout_, [&](std::size_t c, int x, int y) {
            if (!reader.block(c, nullptr, Nowhere())) {
                return false;
            }
            if (c == 0) {
                const int row = mcu_row * luma.vertical + y;
                means_[static_cast<std::size_t>(row) * static_cast<std::size_t>(across) +
                       static_cast<std::size_t>(x)] =
                    static_cast<std::int16_t>(reader.now().last_dc[0]);
            }
            return true;
        });
        if (!good) {
            return false;
        }
    }
    starts_.push_back(reader.now());
    // What is left fills the last byte.
    return bits_ - reader.now().bit < 8;
}

std::int16_t JpegScan::mean(int x, int y) const {
    const int across = layout_.mcus_across * layout_.components[0].horizontal;
    return means_[static_cast<std::size_t>(y) * static_cast<std::size_t>(across) +
                  static_cast<std::size_t>(x)];
}

// Where the row of blocks `y` begins among the blocks of its MCU row: component after component.
std::size_t JpegScan::index(std::size_t component, int y) const {
    const auto mcus = static_cast<std::size_t>(layout_.mcus_across);
    std::size_t at = 0;
    for (std::size_t c = 0; c < component; ++c) {
        at += mcus * static_cast<std::size_t>(layout_.components[c].horizontal *
                                              layout_.components[c].vertical);
    }
    const Component& facts = layout_.components[component];
    return at + mcus * static_cast<std::size_t>(facts.horizontal * (y % facts.vertical));
}

JpegScan::MaybeRow& JpegScan::load(int mcu_row) {
    const auto [place, fresh] = rows_.try_emplace(mcu_row);
    MaybeRow& row = place->second;
    if (!fresh) {
        return row;
    }
    const Component& last = layout_.components.back();
    row.blocks.resize(
        index(layout_.components.size() - 1, 0) +
        static_cast<std::size_t>(layout_.mcus_across * last.horizontal * last.vertical));
    Reader reader(*this, starts_[static_cast<std::size_t>(mcu_row)]);
    const bool good = for_blocks(layout_, [&](std::size_t c, int x, int y) {
        return reader.block(c, &row.blocks[index(c, y) + static_cast<std::size_t>(x)], Nowhere());
    });
    COLOPHON_ASSERT(good);  // it was read before
    return row;
}

JpegBlock* JpegScan::row(std::size_t component, int y, bool write) {
    MaybeRow& row = load(y / layout_.components[component].vertical);
    row.changed = row.changed || write;
    return &row.blocks[index(component, y)];
}

const JpegBlock* JpegScan::changed_row(std::size_t component, int y) const {
    const auto known = rows_.find(y / layout_.components[component].vertical);
    return known == rows_.end() || !known->second.changed
               ? nullptr
               : &known->second.blocks[index(component, y)];
}

// The AC symbols of the changed rows' blocks, for each table.
std::array<std::vector<bool>, 4> JpegScan::changed_symbols() const {
    std::array<std::vector<bool>, 4> symbols;
    symbols.fill(std::vector<bool>(256));
    for (const auto& [mcu_row, row] : rows_) {
        if (!row.changed) {
            continue;
        }
        for_blocks(layout_, [&, &blocks = row.blocks](std::size_t c, int x, int y) {
            auto& needed = symbols[static_cast<std::size_t>(layout_.components[c].ac_table)];
            for_ac_codes(blocks[index(c, y) + static_cast<std::size_t>(x)],
                         [&](unsigned symbol, int, unsigned) { needed[symbol] = true; });
            return true;
        });
    }
    return symbols;
}

namespace {

// `name`: table class and number as in DHT (T.81 B.2.4.2).
void append_table(Buffer& out, unsigned name, const HuffmanCode& code) {
    std::size_t count = 0;
    for (const std::uint8_t codes : code.bits) {
        count += codes;
    }
    append_be16(out, 0xFFC4);
    append_be16(out, static_cast<std::uint16_t>(2 + 1 + 16 + count));
    out.push_back(static_cast<std::uint8_t>(name));
    append(out, Bytes(code.bits).subspan(1));
    append(out, Bytes(code.symbols).first(count));
}

// Extends a table and writes it to `out` when that changed it. False when its old codes are others
// now.
bool extend_table(HuffmanCode& code, const std::vector<bool>& needed, unsigned name, Buffer& out) {
    const auto extended = extend_code(code, needed);
    const HuffmanCode wanted = extended ? *extended : remake_code(code, needed);
    if (wanted != code) {
        append_table(out, name, wanted);
        code = wanted;
    }
    return extended.has_value();
}

}  // namespace

// The layout whose tables have codes for all that changed.
JpegScan::Extended JpegScan::extend_tables(Buffer& segments) const {
    Extended out{.layout = layout_, .same_codes = true};
    const std::array<std::vector<bool>, 4> ac = changed_symbols();
    // A changed block changes the difference of the block after it: any may come.
    const std::vector<bool> dc(kDcCategoriesMax + 1, true);
    for (const Component& facts : layout_.components) {
        const auto d = static_cast<std::size_t>(facts.dc_table);
        const auto a = static_cast<std::size_t>(facts.ac_table);
        const bool same_dc =
            extend_table(*out.layout.dc[d], dc, static_cast<unsigned>(d), segments);
        const bool same_ac =
            extend_table(*out.layout.ac[a], ac[a], 0x10U + static_cast<unsigned>(a), segments);
        out.same_codes = out.same_codes && same_dc && same_ac;
    }
    return out;
}

// Codes one MCU row, the DC values before it being `last`.
class JpegScan::Writer {
public:
    explicit Writer(const Layout& layout) {
        for (const Component& facts : layout.components) {
            dc_.emplace_back(*layout.dc[static_cast<std::size_t>(facts.dc_table)]);
            ac_.emplace_back(*layout.ac[static_cast<std::size_t>(facts.ac_table)]);
        }
    }

    BitWriter& out() noexcept { return out_; }
    void copy(const Buffer& data, std::size_t bit, std::size_t end) {
        while (bit < end) {
            const auto count = static_cast<unsigned>(std::min<std::size_t>(32, end - bit));
            out_.put(static_cast<std::uint32_t>(bits_at(data, bit) >> (64 - count)), count);
            bit += count;
        }
    }
    // Symbols and the bits after them; the symbol of a DC difference first.
    void dc_symbol(std::size_t component, unsigned symbol, std::uint32_t bits) {
        put_raw(dc_[component], symbol, bits, symbol);
    }
    void ac_symbol(std::size_t component, unsigned symbol, std::uint32_t bits) {
        put_raw(ac_[component], symbol, bits, symbol & 15U);
    }
    // False when a difference is larger than a table can say.
    bool block(std::size_t component, const JpegBlock& block, int& last) {
        const int difference = block[0] - last;
        last = block[0];
        const unsigned size = category(difference);
        if (size > kDcCategoriesMax) {
            return false;
        }
        put_value(out_, dc_[component], size, difference, size);
        for_ac_codes(block, [&](unsigned symbol, int value, unsigned bits) {
            put_value(out_, ac_[component], symbol, value, bits);
        });
        return true;
    }

private:
    void put_raw(const EncodingTable& table, unsigned symbol, std::uint32_t bits, unsigned size) {
        out_.put(std::uint32_t{table.value[symbol]} << size | bits, table.bits[symbol] + size);
    }

    std::vector<EncodingTable> dc_;
    std::vector<EncodingTable> ac_;
    BitWriter out_;
};

bool JpegScan::write_row(Writer& writer, int mcu_row, bool above_changed) {
    std::array<int, 4> last = starts_[static_cast<std::size_t>(mcu_row)].last_dc;
    if (above_changed) {
        for (std::size_t c = 0; c < layout_.components.size(); ++c) {
            const Component& facts = layout_.components[c];
            const JpegBlock* above = row(c, mcu_row * facts.vertical - 1, false);
            last[c] = above[layout_.mcus_across * facts.horizontal - 1][0];
        }
    }
    const MaybeRow& row = load(mcu_row);
    return for_blocks(layout_, [&](std::size_t c, int x, int y) {
        return writer.block(c, row.blocks[index(c, y) + static_cast<std::size_t>(x)], last[c]);
    });
}

// An MCU row as it is, in the codes of the writer.
void JpegScan::recode_row(Writer& writer, int mcu_row) const {
    struct Sink {
        Writer& writer;
        std::size_t component;
        void dc(unsigned symbol, std::uint32_t bits) const {
            writer.dc_symbol(component, symbol, bits);
        }
        void ac(unsigned symbol, std::uint32_t bits) const {
            writer.ac_symbol(component, symbol, bits);
        }
    };
    Reader reader(*this, starts_[static_cast<std::size_t>(mcu_row)]);
    const bool good = for_blocks(layout_, [&](std::size_t c, int /*x*/, int /*y*/) {
        return reader.block(c, nullptr, Sink{.writer = writer, .component = c});
    });
    COLOPHON_ASSERT(good);  // it was read before
}

std::optional<JpegScan::Written> JpegScan::write() {
    Written written;
    const Extended extended = extend_tables(written.tables);
    Writer writer(extended.layout);
    writer.out().reserve(data_.size() + data_.size() / 16);
    bool above_changed = false;
    for (int y = 0; y < layout_.mcus_down; ++y) {
        const auto known = rows_.find(y);
        const bool changed = known != rows_.end() && known->second.changed;
        if (changed || above_changed) {
            if (!write_row(writer, y, above_changed)) {
                return std::nullopt;
            }
        } else if (extended.same_codes) {
            const auto at = static_cast<std::size_t>(y);
            writer.copy(data_, starts_[at].bit, starts_[at + 1].bit);
        } else {
            recode_row(writer, y);
        }
        above_changed = changed;
    }
    written.coded = writer.out().finish();
    return written;
}

}  // namespace colophon::media::internal
