// SPDX-License-Identifier: Apache-2.0
#pragma once

// The coded data of a JPEG of one sequential scan, changed in places without decoding and coding
// the rest.
//
// A corner of a large picture is what we draw into, and its blocks are few. So the data are read
// through once, for the places of the MCU rows and the mean of each block; coefficients are decoded
// only for rows that somebody asks for, and only changed rows are coded again:
//
//   rows      0    1    2    3    4    5    6
//   written  |==== bits as they are ===|code|code|==|     4 changed; 5 begins with other
//                                                         differences; 6 again as it was
//
// Coding uses the file's own Huffman tables, extended where a symbol is missing (T.81 F.1.2,
// F.2.2); where a table has no room for it, it is made anew and the other rows are put into its
// codes. Anything unusual in the data, a bad code, a run out of a block, a marker too early, bytes
// too many, makes open() refuse: then libjpeg, which knows what to make of broken files, reads
// them.

#include "core/bytes.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace colophon::media::internal {

// As a DHT segment has it: how many codes of each length, and their symbols.
struct HuffmanCode {
    std::array<std::uint8_t, 17> bits{};
    std::array<std::uint8_t, 256> symbols{};
    bool operator==(const HuffmanCode&) const = default;
};

// The code with codes for `needed` too: what it lacks gets codes of 16 bits at its end. Nothing
// when there is no room; the code of ones only stays unused (T.81 annex C).
std::optional<HuffmanCode> extend_code(const HuffmanCode& code, const std::vector<bool>& needed);

// The same without that demand: symbols may get other codes, of about the length that they had.
HuffmanCode remake_code(const HuffmanCode& code, const std::vector<bool>& needed);

using JpegBlock = std::array<std::int16_t, 64>;  // rows of 8, not in the order of the zigzag

class JpegScan {
public:
    struct Component {
        int horizontal = 1;  // blocks of one MCU
        int vertical = 1;
        int dc_table = 0;  // 0 .. 3
        int ac_table = 0;
    };
    struct Layout {
        int mcus_across = 0;
        int mcus_down = 0;
        std::vector<Component> components;  // in the order of the scan, 1 .. 4
        std::array<std::optional<HuffmanCode>, 4> dc;
        std::array<std::optional<HuffmanCode>, 4> ac;
    };

    // `coded`: from behind the scan's header to the end of the file. Time: one pass over it.
    static std::optional<JpegScan> open(Bytes coded, const Layout& layout);
    JpegScan(JpegScan&&) noexcept;
    JpegScan& operator=(JpegScan&&) noexcept;
    JpegScan(const JpegScan&) = delete;
    JpegScan& operator=(const JpegScan&) = delete;
    ~JpegScan();

    // A row of blocks, those that pad the last MCU included. Valid as long as the object. Whoever
    // asks to write has changed it: quantized values of -1023 .. 1023.
    JpegBlock* row(std::size_t component, int y, bool write);
    // Nothing when nobody changed it.
    const JpegBlock* changed_row(std::size_t component, int y) const;
    // The DC coefficient of a block of component 0.
    std::int16_t mean(int x, int y) const;

    struct Written {
        Buffer coded;   // with stuffed zeros, without EOI
        Buffer tables;  // a DHT segment to put before SOS; empty when no table was extended
    };
    // Nothing when a change makes a difference larger than a JPEG of 8 bits can say.
    std::optional<Written> write();

private:
    class Reader;
    class Writer;
    struct Tables;
    struct Start {
        std::size_t bit = 0;
        std::array<int, 4> last_dc{};
    };
    struct MaybeRow {
        std::vector<JpegBlock> blocks;
        bool changed = false;
    };
    JpegScan();
    MaybeRow& load(int mcu_row);
    std::size_t index(std::size_t component, int y) const;
    bool first_pass();
    std::array<std::vector<bool>, 4> changed_symbols() const;
    struct Extended {
        Layout layout;
        bool same_codes;  // whether each symbol that had a code has the same one
    };
    Extended extend_tables(Buffer& segments) const;
    void recode_row(Writer& writer, int mcu_row) const;
    bool write_row(Writer& writer, int mcu_row, bool above_changed);

    Layout layout_;
    Buffer data_;                // without stuffed zeros, padded
    std::size_t bits_ = 0;       // of it, without the padding
    std::vector<Start> starts_;  // of the MCU rows, and the end
    std::vector<std::int16_t> means_;
    std::map<int, MaybeRow> rows_;
    std::unique_ptr<Tables> tables_;
};

}  // namespace colophon::media::internal
