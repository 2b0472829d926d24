// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the tests of marks in pictures share: making them with ImageMagick, and seeing with its eyes
// what was drawn.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/explicit/image.h"
#include "label/explicit/reading.h"
#include "label/format.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace colophon::label {

using test::read_file;
using test::run_tool;
using test::run_tool_ok;
using test::TempDir;
using test::write_file;

// Another program of this name comes first on some search paths.
inline const std::string kConvert = "/usr/bin/convert";

inline const Buffer& font() {
    static const Buffer kFont = read_file("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc");
    return kFont;
}

struct Pixels {
    int width = 0;
    int height = 0;
    std::string rgba;
    const unsigned char* at(int x, int y) const {
        return reinterpret_cast<const unsigned char*>(rgba.data()) +
               (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                static_cast<std::size_t>(x)) *
                   4;
    }
};

// The picture as a viewer shows it, by ImageMagick.
inline Pixels see(const std::string& path) {
    Pixels pixels;
    // PAM: lines that end with ENDHDR, then the samples.
    std::string pam = run_tool_ok({kConvert, path + "[0]", "-auto-orient", "-colorspace", "sRGB",
                                   "-type", "TrueColorAlpha", "-depth", "8", "pam:-"});
    const std::size_t head = pam.find("ENDHDR\n") + 7;
    REQUIRE(std::sscanf(pam.c_str(), "P7 WIDTH %d HEIGHT %d DEPTH 4", &pixels.width,
                        &pixels.height) == 2);
    pixels.rgba = pam.substr(head);
    REQUIRE(pixels.rgba.size() ==
            static_cast<std::size_t>(pixels.width) * static_cast<std::size_t>(pixels.height) * 4);
    return pixels;
}

inline double luminance(const unsigned char* p) {
    const auto linear = [](unsigned char c) {
        const double v = c / 255.0;
        return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(p[0]) + 0.7152 * linear(p[1]) + 0.0722 * linear(p[2]);
}

// What two pictures tell of the mark that was drawn into the second: it needs neither our layout
// nor our glyphs.
struct Seen {
    int left = 0, top = 0, right = 0, bottom = 0;  // of all changed pixels
    int ink = 0;                                   // rows from the first to the last of the text
    double contrast = 0;
};

inline Seen compare(const Pixels& before, const Pixels& after, int tolerance = 0) {
    REQUIRE(before.width == after.width);
    REQUIRE(before.height == after.height);
    Seen seen{after.width, after.height, -1, -1};
    for (int y = 0; y < after.height; ++y) {
        for (int x = 0; x < after.width; ++x) {
            int most = 0;
            for (int c = 0; c < 4; ++c) {
                most = std::max(most, std::abs(before.at(x, y)[c] - after.at(x, y)[c]));
            }
            if (most > tolerance) {
                seen.left = std::min(seen.left, x);
                seen.top = std::min(seen.top, y);
                seen.right = std::max(seen.right, x + 1);
                seen.bottom = std::max(seen.bottom, y + 1);
            }
        }
    }
    REQUIRE(seen.right > seen.left);
    // Text is the rarer of the two extremes inside the plate.
    std::vector<double> all;
    // On black and on white the plate itself changes nothing: only the text is seen.
    const double expected = std::max(12.0, 0.055 * std::min(after.width, after.height));
    const int inset = seen.bottom - seen.top > 1.3 * expected ? (seen.bottom - seen.top) / 8 : 0;
    for (int y = seen.top + inset; y < seen.bottom - inset; ++y) {
        for (int x = seen.left + inset; x < seen.right - inset; ++x) {
            all.push_back(luminance(after.at(x, y)));
        }
    }
    std::sort(all.begin(), all.end());
    const double median = all[all.size() / 2];
    const bool white = all.back() - median > median - all.front();
    const double text = white ? all.back() : all.front();
    // How much of a pixel is text, by its code value: coverage mixes code values, not light.
    const auto share = [&](int x, int y) {
        const auto code = [](double l) { return std::pow(l, 1 / 2.2); };
        return (code(luminance(after.at(x, y))) - code(median)) / (code(text) - code(median));
    };
    std::vector<double> ink;
    std::vector<double> plate;
    int first = -1;
    int last = -1;
    for (int y = seen.top + inset; y < seen.bottom - inset; ++y) {
        for (int x = seen.left + inset; x < seen.right - inset; ++x) {
            const double own = share(x, y);
            if (own > 0.5) {
                first = first < 0 ? y : first;
                last = y;
            }
            double around = own;
            for (int i = 0; i < 9; ++i) {
                around = std::max(around, share(std::clamp(x + i % 3 - 1, 0, after.width - 1),
                                                std::clamp(y + i / 3 - 1, 0, after.height - 1)));
            }
            if (own > 0.75) {
                ink.push_back(luminance(after.at(x, y)));
            } else if (around < 0.3) {
                plate.push_back(luminance(after.at(x, y)));  // not the fringe of a stroke
            }
        }
    }
    REQUIRE(!ink.empty());
    REQUIRE(!plate.empty());
    seen.ink = last - first + 1;
    std::sort(ink.begin(), ink.end());
    std::sort(plate.begin(), plate.end());
    const double t = white ? ink[ink.size() / 4] : ink[ink.size() * 3 / 4];
    const double p = white ? plate[plate.size() * 9 / 10] : plate[plate.size() / 10];
    seen.contrast = white ? (t + 0.05) / (p + 0.05) : (p + 0.05) / (t + 0.05);
    return seen;
}

inline Buffer marked_file(Bytes file, Format format, const ImageMark& mark,
                          ExplicitReading* reading) {
    const Result<MarkedFile> marked = mark_image(file, format, mark, font());
    REQUIRE_MESSAGE(marked.ok(), (marked.ok() ? std::string() : marked.error().what));
    CHECK(marked->changed);
    if (reading != nullptr) {
        *reading = marked->reading;
    }
    return apply_splice(file, marked->splice);
}

// How far apart two pictures are in a part of them, by ImageMagick: PSNR, 1000 when they are equal.
inline double decibels_above(const std::string& a, const std::string& b, const std::string& part) {
    const auto run =
        run_tool({"/usr/bin/compare", "-metric", "PSNR", "-extract", part, a, b, "null:"});
    CAPTURE(run.err);
    REQUIRE(run.exit_code <= 1);
    return run.err.starts_with("inf") ? 1000 : std::strtod(run.err.c_str(), nullptr);
}

struct Case {
    const char* size;
    const char* background;
    const char* extension;
    Format format;
    int tolerance;  // of pixels outside the mark
    std::vector<std::string> options;
};

// Draws, then measures with ImageMagick's eyes. [GB45438-5.2]
inline void check_mark(const Case& row, const ImageMark& mark = {"AI生成"}) {
    const std::string what = std::string(row.size) + " " + row.background + " " + row.extension;
    CAPTURE(what);
    const TempDir dir;
    const std::string in = dir.file(std::string("in.") + row.extension);
    const std::string out = dir.file(std::string("out.") + row.extension);
    std::vector<std::string> command{kConvert, "-size", row.size, "-seed", "7", row.background};
    command.insert(command.end(), row.options.begin(), row.options.end());
    command.push_back(in);
    run_tool_ok(command);
    const Buffer file = read_file(in);
    ExplicitReading reading;
    write_file(out, marked_file(file, row.format, mark, &reading));
    const Pixels before = see(in);
    const Pixels after = see(out);
    const Seen seen = compare(before, after, row.tolerance);
    const int side = std::min(after.width, after.height);
    const int least = static_cast<int>(std::ceil(0.05 * side));
    CHECK(seen.ink >= least);
    CHECK(seen.contrast >= 4.5);
    CHECK(seen.left >= 0);
    CHECK(seen.right <= after.width);
    // Small: the mark is no larger than a tenth of an ordinary picture.
    if (side >= 400) {
        CHECK((seen.right - seen.left) * (seen.bottom - seen.top) <
              after.width * after.height / 10);
        CHECK(std::abs(seen.ink - std::ceil(0.055 * side)) <= 1);
    }
    REQUIRE(reading.height_percent);
    CHECK(std::abs(*reading.height_percent * side / 100.0 - seen.ink) <= 1.01);
    CHECK(*reading.contrast >= 4.5);
    const Result<MarkedFile> again = mark_image(read_file(out), row.format, mark, font());
    REQUIRE(again.ok());
    CHECK_FALSE(again->changed);
}

}  // namespace colophon::label
