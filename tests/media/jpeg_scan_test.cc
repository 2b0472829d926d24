// SPDX-License-Identifier: Apache-2.0
#include "media/internal/jpeg_scan.h"

#include "core/bytes.h"
#include "media/jpeg_blocks.h"
#include "media/plane.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::media {
namespace {

// A picture with all sorts of frequencies, coded by libjpeg with these options of cjpeg.
std::string make_jpeg(const test::TempDir& dir, const std::vector<std::string>& options,
                      const std::string& size = "333x217") {
    test::run_tool_ok({"/usr/bin/convert", "-size", size, "-seed", "7", "plasma:#246-#a86",
                       "-attenuate", "0.3", "+noise", "Gaussian", dir.file("in.ppm")});
    std::vector<std::string> words{"/usr/bin/cjpeg"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"-outfile", dir.file("in.jpg"), dir.file("in.ppm")});
    test::run_tool_ok(words);
    return dir.file("in.jpg");
}

// As a picture viewer decodes it.
Buffer pixels_of(const test::TempDir& dir, const std::string& path) {
    test::run_tool_ok(
        {"/usr/bin/djpeg", "-dct", "int", "-nosmooth", "-outfile", dir.file("out.ppm"), path});
    return test::read_file(dir.file("out.ppm"));
}

Plane whole(const JpegBlocks& blocks, std::size_t component) {
    const JpegComponent& facts = blocks.components()[component];
    return blocks.read(component, {0, 0, facts.width, facts.height});
}

// Black and white stripes, which need codes that soft pictures lack.
void scribble(JpegBlocks& blocks, const Rect& area) {
    for (std::size_t c = 0; c < blocks.components().size(); ++c) {
        const JpegComponent& facts = blocks.components()[c];
        const Rect part =
            intersect({area.x * facts.horizontal / blocks.horizontal_max(),
                       area.y * facts.vertical / blocks.vertical_max(), area.width, area.height},
                      {0, 0, facts.width, facts.height});
        if (part.empty()) {
            continue;  // a broken header may say that the picture is small
        }
        Plane plane = blocks.read(c, part);
        for (int y = part.y; y < part.bottom(); ++y) {
            for (int x = part.x; x < part.right(); ++x) {
                plane.at(x, y) = (x * 7 + y * 3) % 5 < 2 ? 0 : 255;
            }
        }
        blocks.change(c, plane);
    }
}

struct Way {
    const char* name;
    std::vector<std::string> options;
};
const std::vector<Way>& ways() {
    static const std::vector<Way> kWays{
        {"usual tables", {"-quality", "85"}},
        {"tables of its own", {"-quality", "85", "-optimize"}},
        {"few codes", {"-quality", "20", "-optimize"}},
        {"no subsampling", {"-quality", "90", "-sample", "1x1"}},
        {"half across", {"-quality", "75", "-optimize", "-sample", "2x1"}},
        {"half down", {"-quality", "75", "-sample", "1x2"}},
        {"grey", {"-quality", "75", "-optimize", "-grayscale"}},
        {"restarts", {"-quality", "75", "-restart", "1"}},
        {"progressive", {"-quality", "75", "-progressive"}},
    };
    return kWays;
}

TEST_CASE("a JPEG written without changes has the pixels that it had") {
    for (const Way& way : ways()) {
        CAPTURE(way.name);
        const test::TempDir dir;
        const std::string path = make_jpeg(dir, way.options);
        const Buffer file = test::read_file(path);
        auto blocks = JpegBlocks::open(file);
        REQUIRE(blocks.ok());
        test::write_file(dir.file("same.jpg"), blocks->write().value());
        CHECK(pixels_of(dir, dir.file("same.jpg")) == pixels_of(dir, path));
    }
}

TEST_CASE("a changed corner reads back as it was drawn and the rest keeps every sample") {
    for (const Way& way : ways()) {
        for (const Rect area : {Rect{0, 0, 40, 20}, Rect{200, 150, 130, 60}, Rect{8, 96, 300, 1}}) {
            CAPTURE(way.name);
            CAPTURE(area.x);
            const test::TempDir dir;
            const Buffer file = test::read_file(make_jpeg(dir, way.options));
            auto blocks = JpegBlocks::open(file);
            REQUIRE(blocks.ok());
            const Plane before = whole(*blocks, 0);
            scribble(*blocks, area);
            const Buffer coded = blocks->write().value();
            auto again = JpegBlocks::open(coded);
            REQUIRE(again.ok());
            test::write_file(dir.file("changed.jpg"), coded);
            pixels_of(dir, dir.file("changed.jpg"));  // djpeg ends with an error on broken data
            for (std::size_t c = 0; c < blocks->components().size(); ++c) {
                CHECK(whole(*again, c).samples == whole(*blocks, c).samples);
            }
            const Plane after = whole(*again, 0);
            int touched = 0;
            for (int y = 0; y < before.area.height; ++y) {
                for (int x = 0; x < before.area.width; ++x) {
                    const bool inside = x >= area.x / 8 * 8 && x < (area.right() + 7) / 8 * 8 &&
                                        y >= area.y / 8 * 8 && y < (area.bottom() + 7) / 8 * 8;
                    const bool same = before.at(x, y) == after.at(x, y);
                    touched += inside && !same ? 1 : 0;
                    if (!inside) {
                        REQUIRE(same);
                    }
                }
            }
            CHECK(touched > 0);
        }
    }
}

TEST_CASE("rows away from a change keep their coded bytes when the tables have all codes") {
    const test::TempDir dir;
    const Buffer file = test::read_file(make_jpeg(dir, {"-quality", "85"}));
    auto blocks = JpegBlocks::open(file);
    REQUIRE(blocks.ok());
    scribble(*blocks, {200, 150, 130, 60});
    const Buffer coded = blocks->write().value();
    // The last kilobyte before the change begins, nine MCU rows from the top of fourteen.
    const auto same = std::ranges::mismatch(file, coded);
    CHECK(static_cast<std::size_t>(same.in1 - file.begin()) < file.size());
    const std::string head = "\xFF\xDA";
    const auto scan = [&](const Buffer& bytes) {
        return std::search(
            bytes.begin(), bytes.end(), head.begin(), head.end(),
            [](std::uint8_t a, char b) { return a == static_cast<std::uint8_t>(b); });
    };
    const auto length = std::ptrdiff_t{9000};
    REQUIRE(file.end() - scan(file) > length);
    CHECK(std::equal(scan(file), scan(file) + length, scan(coded)));
}

TEST_CASE("a small view is the same whichever way the coefficients come") {
    const test::TempDir dir;
    const Buffer plain = test::read_file(make_jpeg(dir, {"-quality", "75"}));
    const Buffer restarts = test::read_file(make_jpeg(dir, {"-quality", "75", "-restart", "1"}));
    const auto a = JpegBlocks::open(plain);
    const auto b = JpegBlocks::open(restarts);
    REQUIRE(a.ok());
    REQUIRE(b.ok());
    for (const int samples : {1, 2, 4}) {
        CHECK(a->reduced(samples).samples == b->reduced(samples).samples);
    }
    CHECK(whole(*a, 1).samples == whole(*b, 1).samples);
}

TEST_CASE("broken data are read as libjpeg reads them, and never beyond their end") {
    const test::TempDir dir;
    const Buffer file = test::read_file(make_jpeg(dir, {"-quality", "75", "-optimize"}, "64x64"));
    std::uint32_t seed = 1;
    int opened = 0;
    for (int round = 0; round < 3000; ++round) {
        CAPTURE(round);
        Buffer broken = file;
        for (int i = 0; i < 1 + round % 3; ++i) {
            seed = seed * 1664525U + 1013904223U;
            broken[2 + seed / 256 % (broken.size() - 2)] = static_cast<std::uint8_t>(seed >> 24U);
        }
        if (round % 5 == 0) {
            broken.resize(broken.size() - static_cast<std::size_t>(round % 97));
        }
        auto blocks = JpegBlocks::open(broken);
        if (!blocks.ok()) {
            continue;
        }
        ++opened;
        scribble(*blocks, {16, 16, 24, 24});
        const auto coded = blocks->write();
        if (coded.ok()) {
            CHECK(JpegBlocks::open(*coded).ok());
        }
    }
    CHECK(opened > 300);
}

TEST_CASE("a code gets what it lacks at its end while there is room, and is made anew without") {
    internal::HuffmanCode roomy;
    roomy.bits[2] = 3;  // 00, 01, 10
    roomy.symbols[0] = 5;
    roomy.symbols[1] = 0;
    roomy.symbols[2] = 9;
    std::vector<bool> needed(256);
    needed[5] = true;
    CHECK(internal::extend_code(roomy, needed) == roomy);
    needed[200] = true;
    needed[7] = true;
    const auto extended = internal::extend_code(roomy, needed);
    REQUIRE(extended.has_value());
    CHECK(extended->bits[16] == 2);
    CHECK(extended->symbols[3] == 7);
    CHECK(extended->symbols[4] == 200);

    internal::HuffmanCode tight;  // one code of each length, two of 16 bits less the one of ones
    for (std::size_t length = 1; length <= 16; ++length) {
        tight.bits[length] = 1;
        tight.symbols[length - 1] = static_cast<std::uint8_t>(length);
    }
    needed.assign(256, false);
    for (std::size_t symbol = 100; symbol < 140; ++symbol) {
        needed[symbol] = true;
    }
    CHECK(!internal::extend_code(tight, needed).has_value());
    const internal::HuffmanCode made = internal::remake_code(tight, needed);
    std::uint64_t room = std::uint64_t{1} << 16U;
    std::size_t count = 0;
    for (unsigned length = 1; length <= 16; ++length) {
        room -= std::uint64_t{made.bits[length]} << (16U - length);
        count += made.bits[length];
    }
    CHECK(room > 0);  // the code of ones stays free
    CHECK(count == 16 + 40);
    for (std::size_t symbol = 0; symbol < 256; ++symbol) {
        const bool wanted = (symbol >= 1 && symbol <= 16) || needed[symbol];
        const auto* end = made.symbols.begin() + count;
        CHECK(std::count(made.symbols.begin(), end, symbol) == (wanted ? 1 : 0));
    }
    CHECK(made.symbols[0] == 1);
}

}  // namespace
}  // namespace colophon::media
