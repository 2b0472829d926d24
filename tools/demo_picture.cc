// SPDX-License-Identifier: Apache-2.0
// demo_picture FILE.png: paints an evening over hills and water, so that ./start has a picture to
// label that is nobody's. The PNG is written by hand: one IHDR, one IDAT, one IEND.

#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <ios>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int kWidth = 960;
constexpr int kHeight = 640;
constexpr int kHorizon = 430;

struct Colour {
    double red, green, blue;  // 0 to 255
};

Colour mix(Colour a, Colour b, double part) {
    const double t = std::clamp(part, 0.0, 1.0);
    return {.red = a.red + (b.red - a.red) * t,
            .green = a.green + (b.green - a.green) * t,
            .blue = a.blue + (b.blue - a.blue) * t};
}

// Height of the ridge above the horizon, a sum of three waves.
double ridge(double x, double phase, double height) {
    return height * (1.0 + 0.5 * std::sin(x / 130.0 + phase) +
                     0.3 * std::sin(x / 47.0 + 2 * phase) + 0.1 * std::sin(x / 13.0 + 5 * phase));
}

Colour paint_land(double x, double y) {
    constexpr Colour kNight{.red = 38, .green = 50, .blue = 96};
    constexpr Colour kEvening{.red = 250, .green = 176, .blue = 110};
    constexpr Colour kSun{.red = 255, .green = 240, .blue = 200};
    constexpr Colour kFar{.red = 120, .green = 92, .blue = 120};
    constexpr Colour kNear{.red = 42, .green = 48, .blue = 70};
    Colour colour = mix(kNight, kEvening, y / kHorizon);
    const double from_sun = std::hypot(x - 640.0, y - 300.0);
    colour = mix(colour, kSun, 0.8 * std::exp(-from_sun / 120.0));
    colour = mix(colour, kSun, 48.0 - from_sun);
    colour = mix(colour, kFar, y - (kHorizon - ridge(x, 1.0, 90.0)));
    return mix(colour, kNear, y - (kHorizon - ridge(x, 3.5, 45.0)));
}

// Below the horizon lies water: the land upside down, darker and with ripples.
Colour paint(int column, int row) {
    const double x = column;
    const double y = row;
    if (row < kHorizon) {
        return paint_land(x, y);
    }
    const double depth = y - kHorizon;
    const double ripple = 3.0 * std::sin(depth * depth / 60.0 + x / 90.0);
    constexpr Colour kWater{.red = 20, .green = 34, .blue = 60};
    return mix(paint_land(x + ripple, kHorizon - 1 - 1.6 * depth), kWater, 0.3 + depth / 600.0);
}

void append_be32(std::string& out, std::uint32_t value) {
    for (const unsigned shift : {24U, 16U, 8U, 0U}) {
        out += static_cast<char>((value >> shift) & 0xFFU);
    }
}

void append_chunk(std::string& png, std::string_view type, std::string_view data) {
    append_be32(png, static_cast<std::uint32_t>(data.size()));
    const std::string body = std::string(type) + std::string(data);
    png += body;
    append_be32(png,
                static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(body.data()),
                                                 static_cast<uInt>(body.size()))));
}

std::vector<std::uint8_t> rows() {
    std::vector<std::uint8_t> out;
    out.reserve(std::size_t{kHeight} * (1 + 3 * std::size_t{kWidth}));
    for (int row = 0; row < kHeight; ++row) {
        out.push_back(0);  // no filter
        for (int column = 0; column < kWidth; ++column) {
            const Colour colour = paint(column, row);
            for (const double part : {colour.red, colour.green, colour.blue}) {
                out.push_back(static_cast<std::uint8_t>(std::clamp(std::lround(part), 0L, 255L)));
            }
        }
    }
    return out;
}

std::string encode() {
    const std::vector<std::uint8_t> plain = rows();
    uLongf size = compressBound(plain.size());
    std::vector<Bytef> packed(size);
    if (compress2(packed.data(), &size, plain.data(), plain.size(), 9) != Z_OK) {
        return {};
    }
    std::string header;
    append_be32(header, kWidth);
    append_be32(header, kHeight);
    header += std::string_view("\x08\x02\x00\x00\x00", 5);  // 8 bits, RGB, plain
    std::string png = "\x89PNG\r\n\x1A\n";
    append_chunk(png, "IHDR", header);
    append_chunk(png, "IDAT", {reinterpret_cast<const char*>(packed.data()), size});
    append_chunk(png, "IEND", {});
    return png;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        (void)std::fputs("usage: demo_picture FILE.png\n", stderr);
        return 64;
    }
    const std::string png = encode();
    std::ofstream out(argv[1], std::ios::binary | std::ios::trunc);
    out.write(png.data(), static_cast<std::streamsize>(png.size()));
    out.close();
    return out.good() && !png.empty() ? 0 : 1;
}
