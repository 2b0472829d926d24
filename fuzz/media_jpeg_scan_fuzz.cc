// SPDX-License-Identifier: Apache-2.0
// Any Huffman codes and any coded data as the scan of a JPEG. What opens and is written without a
// change has the coefficients that it had; with changed rows it has those, and all others as
// before.
//
//   [shape of the picture] [shape of an MCU] [seed of the change] [rows to change, 8 bits]
//   [with bit 7 of byte 1: a DC and an AC code, 16 counts and their symbols each] [coded data]

#include "core/assert.h"
#include "core/bytes.h"
#include "media/internal/jpeg_scan.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace colophon::media::internal {
namespace {

constexpr std::size_t kHeadBytes = 4;

// Reads from the front; nothing is left when it ends early.
struct Source {
    Bytes left;

    std::uint8_t byte() {
        const std::uint8_t value = left.empty() ? 0 : left.front();
        left = left.subspan(left.empty() ? 0 : 1);
        return value;
    }
    HuffmanCode code() {
        HuffmanCode code;
        std::size_t count = 0;
        for (std::size_t length = 1; length <= 16; ++length) {
            code.bits[length] = byte();
            count += code.bits[length];
        }
        for (std::size_t i = 0; i < std::min(count, code.symbols.size()); ++i) {
            code.symbols[i] = byte();
        }
        return code;
    }
};

// A code of equal lengths for the symbols 0 .. 11, and one for all 162 that AC coefficients have.
HuffmanCode plain_dc() {
    HuffmanCode code;
    code.bits[4] = 12;
    for (std::uint8_t i = 0; i < 12; ++i) {
        code.symbols[i] = i;
    }
    return code;
}

HuffmanCode plain_ac() {
    HuffmanCode code;
    code.bits[8] = 162;
    std::size_t at = 0;
    code.symbols[at++] = 0x00;
    code.symbols[at++] = 0xF0;
    for (unsigned zeros = 0; zeros < 16; ++zeros) {
        for (unsigned size = 1; size <= 10; ++size) {
            code.symbols[at++] = static_cast<std::uint8_t>(zeros << 4U | size);
        }
    }
    return code;
}

JpegScan::Layout layout_of(Source& source, std::uint8_t picture, std::uint8_t mcu) {
    JpegScan::Layout layout;
    layout.mcus_across = 1 + picture % 8;
    layout.mcus_down = 1 + picture / 8 % 8;
    const int components = 1 + mcu % 4;
    for (int i = 0; i < components; ++i) {
        // One component alone comes block by block (T.81 A.2.2).
        const bool first = i == 0 && components > 1;
        const int table = (mcu & 0x20U) != 0 && i > 0 ? 1 : 0;
        layout.components.push_back({.horizontal = first && (mcu & 4U) != 0 ? 2 : 1,
                                     .vertical = first && (mcu & 8U) != 0 ? 2 : 1,
                                     .dc_table = table,
                                     .ac_table = table});
    }
    layout.dc[0] = layout.dc[1] = plain_dc();
    layout.ac[0] = layout.ac[1] = plain_ac();
    if ((mcu & 0x80U) != 0) {
        layout.dc[0] = source.code();
        layout.ac[0] = source.code();
    }
    return layout;
}

// The codes of the DHT segments that were written.
void take_tables(Bytes segments, JpegScan::Layout& layout) {
    while (!segments.empty()) {
        COLOPHON_ASSERT(load_be16(segments) == 0xFFC4);
        const std::size_t size = std::size_t{2} + load_be16(segments.subspan(2));
        Source source{segments.subspan(4, size - 4)};
        const std::uint8_t name = source.byte();
        (name < 0x10 ? layout.dc : layout.ac)[name % 4U] = source.code();
        COLOPHON_ASSERT(source.left.empty());
        segments = segments.subspan(size);
    }
}

template <class Visit>
void for_rows(const JpegScan::Layout& layout, const Visit& visit) {
    for (std::size_t c = 0; c < layout.components.size(); ++c) {
        const JpegScan::Component& facts = layout.components[c];
        for (int y = 0; y < layout.mcus_down * facts.vertical; ++y) {
            visit(c, y, layout.mcus_across * facts.horizontal);
        }
    }
}

// Writes, reads that and compares every coefficient.
void check_written(JpegScan& scan, const JpegScan::Layout& layout) {
    const auto written = scan.write();
    if (!written) {
        return;  // a difference larger than 11 bits
    }
    JpegScan::Layout again = layout;
    take_tables(written->tables, again);
    Buffer coded = written->coded;
    append_be16(coded, 0xFFD9);
    auto other = JpegScan::open(coded, again);
    COLOPHON_ASSERT(other.has_value());
    for_rows(layout, [&](std::size_t c, int y, int blocks) {
        const JpegBlock* one = scan.row(c, y, false);
        COLOPHON_ASSERT(std::equal(one, one + blocks, other->row(c, y, false)));
    });
}

void change(JpegScan& scan, const JpegScan::Layout& layout, std::uint32_t seed, unsigned rows) {
    for_rows(layout, [&](std::size_t c, int y, int blocks) {
        if ((rows >> static_cast<unsigned>(y / layout.components[c].vertical) & 1U) == 0) {
            return;
        }
        JpegBlock* row = scan.row(c, y, true);
        for (JpegBlock* block = row; block != row + blocks; ++block) {
            for (std::int16_t& value : *block) {
                seed = seed * 1664525U + 1013904223U;
                const bool zero = seed >> 30U != 0;  // runs of zeros, as pictures have
                value = zero ? std::int16_t{0} : static_cast<std::int16_t>(seed >> 8U & 0x7FFU);
                value =
                    static_cast<std::int16_t>(std::min<int>(value, 2046) - 1023 * (zero ? 0 : 1));
            }
        }
    });
}

void check_scan(Bytes data) {
    Source source{data.subspan(kHeadBytes)};
    const JpegScan::Layout layout = layout_of(source, data[0], data[1]);
    auto scan = JpegScan::open(source.left, layout);
    if (!scan) {
        return;
    }
    check_written(*scan, layout);
    change(*scan, layout, data[2], data[3]);
    check_written(*scan, layout);
}

}  // namespace
}  // namespace colophon::media::internal

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size > 4) {
        colophon::media::internal::check_scan({data, size});
    }
    return 0;
}
