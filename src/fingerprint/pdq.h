// SPDX-License-Identifier: Apache-2.0
#pragma once

// PDQ, the perceptual hash of pictures that the industry's lists of known content use (Meta, 2019):
// 256 bits that change little when a picture is scaled, coded again or slightly retouched.
//
//   luma --two box filters, decimated--> 64 x 64 --DCT, frequencies 1..16--> 16 x 16 --> bit set
//                                           |                                 where above median
//                                           +--> quality: how much there is to tell by
//
// Written after the published algorithm and bit for bit equal to the reference implementation for
// the same luma. All sums are single precision in a fixed order; this module is never built with
// options that let the compiler change them. What PDQ does not do: turned or mirrored pictures have
// other hashes (dihedral_hashes() gives all eight), crops are only found when they are slight, and
// text on an empty page is told badly.

#include "core/bytes.h"

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::fingerprint {

// At most so many different bits: the same picture, by the practice of those who share lists.
inline constexpr int kPdqDistanceMax = 31;
// Below it a picture has too little in it for its hash to mean anything.
inline constexpr int kPdqQualityMin = 50;

inline constexpr std::size_t kPdqBits = 256;
inline constexpr std::size_t kPdqBytes = 32;
inline constexpr std::size_t kPdqHexChars = 64;

struct PdqHash {
    // Bit b of the hash is bit b % 64 of words[b / 64].
    std::array<std::uint64_t, 4> words{};

    bool bit(std::size_t index) const noexcept {
        return ((words[index / 64] >> (index % 64)) & 1U) != 0;
    }
    void set_bit(std::size_t index) noexcept {
        words[index / 64] |= std::uint64_t{1} << (index % 64);
    }
    auto operator<=>(const PdqHash&) const = default;
};

// Number of different bits, 0 .. 256.
inline int distance(const PdqHash& a, const PdqHash& b) noexcept {
    int different = 0;
    for (std::size_t i = 0; i < a.words.size(); ++i) {
        different += std::popcount(a.words[i] ^ b.words[i]);
    }
    return different;
}

// 64 hexadecimal digits, bit 255 first, as all lists of PDQ hashes have them; written in lower
// case, read in both. kInvalidArgument names the wrong length or the place of the foreign
// character.
std::string to_hex(const PdqHash& hash);
Result<PdqHash> parse_pdq_hex(std::string_view text);

// The same 256 bits as 32 bytes, bit 255 first. kInvalidArgument for any other length.
std::array<std::uint8_t, kPdqBytes> to_bytes(const PdqHash& hash) noexcept;
Result<PdqHash> parse_pdq_bytes(Bytes bytes);

struct PdqPrint {
    PdqHash hash;
    int quality = 0;  // 0 .. 100

    bool operator==(const PdqPrint&) const = default;
};

// Luma of 0 (black) .. 255 (white), row-major, without padding.
struct Luma {
    int width = 0;
    int height = 0;
    std::vector<float> values;

    Luma() = default;
    Luma(int columns, int rows)
        : width(columns),
          height(rows),
          values(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows)) {}

    float* row(int y) noexcept { return values.data() + offset(y); }
    const float* row(int y) const noexcept { return values.data() + offset(y); }

private:
    std::size_t offset(int y) const noexcept {
        return static_cast<std::size_t>(y) * static_cast<std::size_t>(width);
    }
};

// The reference's luma of 8-bit RGB.
inline float pdq_luma(std::uint8_t red, std::uint8_t green, std::uint8_t blue) noexcept {
    return 0.299F * static_cast<float>(red) + 0.587F * static_cast<float>(green) +
           0.114F * static_cast<float>(blue);
}

// A side below 5 pixels: hash 0, quality 0. The size is not reduced here, picture.h does that.
// Takes the luma because it filters in place.
PdqPrint pdq_of(Luma luma);

// What turning and mirroring make of the hash, told from the same coefficients. They equal the hash
// of the picture so turned but for the few bits in which the filters are not symmetric.
enum class Dihedral : std::uint8_t {
    kAsIs,
    kRotate90,  // clockwise
    kRotate180,
    kRotate270,
    kFlipRows,       // upside down
    kFlipColumns,    // as in a mirror
    kTranspose,      // rows become columns
    kAntitranspose,  // the same over the other diagonal
};
inline constexpr std::size_t kDihedrals = 8;

struct PdqDihedralPrint {
    std::array<PdqHash, kDihedrals> hashes;  // by Dihedral
    int quality = 0;

    bool operator==(const PdqDihedralPrint&) const = default;
};
PdqDihedralPrint dihedral_hashes(Luma luma);

}  // namespace colophon::fingerprint
