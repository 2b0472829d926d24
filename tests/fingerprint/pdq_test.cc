// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/pdq.h"

#include "core/bytes.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::fingerprint {
namespace {

enum class Kind : std::uint8_t { kNoise, kRamps, kChecks, kGrey };

// Pictures that anybody can make again from a few lines.
class Painter {
public:
    explicit Painter(Kind kind) : kind_(kind) {}

    Luma paint(int width, int height) {
        Luma luma(width, height);
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                luma.row(y)[x] = pixel(x, y, luma);
            }
        }
        return luma;
    }

private:
    std::uint8_t noise() {
        state_ = state_ * 1664525U + 1013904223U;
        return static_cast<std::uint8_t>(state_ >> 24U);
    }

    float pixel(int x, int y, const Luma& luma) {
        switch (kind_) {
            case Kind::kNoise: {
                const std::uint8_t red = noise();
                const std::uint8_t green = noise();
                return pdq_luma(red, green, noise());
            }
            case Kind::kRamps:
                return pdq_luma(static_cast<std::uint8_t>(x * 255 / (luma.width - 1)),
                                static_cast<std::uint8_t>(y * 255 / (luma.height - 1)),
                                static_cast<std::uint8_t>(7 * x + 13 * y));
            case Kind::kChecks: {
                const std::uint8_t value = (((x >> 4) ^ (y >> 4)) & 1) != 0 ? 255 : 0;
                return pdq_luma(value, value, static_cast<std::uint8_t>(x * y));
            }
            case Kind::kGrey:
                break;
        }
        return pdq_luma(128, 128, 128);
    }

    Kind kind_;
    std::uint32_t state_ = 20230110;
};

struct Vector {
    int width;
    int height;
    Kind kind;
    int quality;
    std::string_view hash;
};

// Hashes of the C++ reference implementation for the same bytes.
constexpr std::array kVectors{
    Vector{64, 64, Kind::kNoise, 100,
           "f0e6a605a09b85ff72064b83e3557f11928f76468861c0baefbca9f28c57aa91"},
    Vector{512, 512, Kind::kNoise, 100,
           "89ebe16f6cb96f331af89e55cb8c6c4943891a5e08fb62ee8b3293c2cf885406"},
    Vector{100, 80, Kind::kNoise, 100,
           "b0062878faecbfb88a83a2ad754acb89b1f6c54c0a01e93b6a05deea3e467793"},
    Vector{37, 53, Kind::kNoise, 100,
           "0e3f7ea5125da9b1b790ffb149384202ff4e043b627d4bbc0b9a2360283ff9c1"},
    Vector{640, 480, Kind::kNoise, 100,
           "2b996c3633db6bfda78db43bbc2362bcb1ec230452e4a69a1d803636d624d49a"},
    Vector{129, 65, Kind::kRamps, 100,
           "ea6abfdd606aca88957fcac0157fecc0146feac09f95402a9e85402f1f95443f"},
    Vector{512, 384, Kind::kRamps, 100,
           "5d5d2aaa0808005508005555ffff2aeaffff80d5ffffd555aaaa22a85555008d"},
    Vector{256, 256, Kind::kChecks, 100,
           "2aaa2aaad5552aaad5552aaad5572aaad5552aaad5552aaad5552aaad7552aaa"},
    Vector{5, 5, Kind::kNoise, 100,
           "64d961d89b263e0f91a4348dd4b5ce736e5bc3f064d961d89b263e0f91a4358d"},
    Vector{4, 9, Kind::kNoise, 0,
           "0000000000000000000000000000000000000000000000000000000000000000"},
};

TEST_CASE("hashes are those of the reference implementation, bit for bit") {
    for (const Vector& vector : kVectors) {
        CAPTURE(vector.width);
        CAPTURE(vector.height);
        const PdqPrint print = pdq_of(Painter(vector.kind).paint(vector.width, vector.height));
        CHECK(to_hex(print.hash) == vector.hash);
        CHECK(print.quality == vector.quality);
    }
}

TEST_CASE("an even picture has no quality") {
    CHECK(pdq_of(Painter(Kind::kGrey).paint(300, 200)).quality == 0);
}

// Where a pixel of the turned square comes from.
std::pair<int, int> source(Dihedral how, int x, int y, int last) {
    switch (how) {
        case Dihedral::kAsIs:
            return {x, y};
        case Dihedral::kRotate90:
            return {y, last - x};
        case Dihedral::kRotate180:
            return {last - x, last - y};
        case Dihedral::kRotate270:
            return {last - y, x};
        case Dihedral::kFlipRows:
            return {x, last - y};
        case Dihedral::kFlipColumns:
            return {last - x, y};
        case Dihedral::kTranspose:
            return {y, x};
        case Dihedral::kAntitranspose:
            return {last - y, last - x};
    }
    return {0, 0};
}

TEST_CASE("dihedral hashes are those of the turned picture") {
    // 64 pixels wide, where no filter is in the way, they are equal but for rounding.
    const Luma picture = Painter(Kind::kNoise).paint(64, 64);
    const PdqDihedralPrint print = dihedral_hashes(picture);
    CHECK(print.hashes[0] == pdq_of(picture).hash);
    for (std::size_t i = 0; i < kDihedrals; ++i) {
        CAPTURE(i);
        Luma turned(64, 64);
        for (int y = 0; y < 64; ++y) {
            for (int x = 0; x < 64; ++x) {
                const auto [from_x, from_y] = source(static_cast<Dihedral>(i), x, y, 63);
                turned.row(y)[x] = picture.row(from_y)[from_x];
            }
        }
        CHECK(distance(print.hashes[i], pdq_of(turned).hash) <= 2);
        for (std::size_t other = 0; other < i; ++other) {
            CHECK(distance(print.hashes[i], print.hashes[other]) > kPdqDistanceMax);
        }
    }
}

TEST_CASE("both written forms are read back, and the first digit is bit 255") {
    const PdqHash hash = pdq_of(Painter(Kind::kNoise).paint(64, 64)).hash;
    CHECK(parse_pdq_hex(to_hex(hash)).value() == hash);
    CHECK(parse_pdq_bytes(to_bytes(hash)).value() == hash);
    std::string upper = to_hex(hash);
    for (char& c : upper) {
        c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
    }
    CHECK(parse_pdq_hex(upper).value() == hash);
    CHECK(parse_pdq_hex("8" + std::string(63, '0')).value().bit(255));
    CHECK(parse_pdq_hex(std::string(63, '0') + "1").value().bit(0));
    CHECK(distance(parse_pdq_hex(std::string(64, '0')).value(),
                   parse_pdq_hex(std::string(64, 'f')).value()) == 256);
}

TEST_CASE("what is no hash is refused with its place") {
    CHECK(parse_pdq_hex("").error().what ==
          "a PDQ hash has 64 hexadecimal digits, not 0 characters");
    CHECK(parse_pdq_hex(std::string(65, '0')).error().code == ErrorCode::kInvalidArgument);
    CHECK(parse_pdq_hex(std::string(10, '0') + "g" + std::string(53, '0')).error().what ==
          "no hexadecimal digit at character 11 of a PDQ hash");
    CHECK(parse_pdq_bytes(as_bytes("short")).error().what == "a PDQ hash has 32 bytes, not 5");
}

}  // namespace
}  // namespace colophon::fingerprint
