// SPDX-License-Identifier: Apache-2.0
#include "media/image.h"

#include "core/limits.h"
#include "media/tiff_pages.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::media {
namespace {

const std::string kConvert = "/usr/bin/convert";

// The extended header of an animation, and nothing after it.
Buffer webp_animation_header(std::uint32_t width, std::uint32_t height) {
    Buffer out;
    append(out, "RIFF");
    append_le32(out, 4 + 18);
    append(out, "WEBPVP8X");
    append_le32(out, 10);
    append_le32(out, 0x02);  // animation
    for (const std::uint32_t side : {width - 1, height - 1}) {
        out.push_back(static_cast<std::uint8_t>(side));
        out.push_back(static_cast<std::uint8_t>(side >> 8U));
        out.push_back(static_cast<std::uint8_t>(side >> 16U));
    }
    return out;
}

void append_png_chunk(Buffer& out, std::string_view type, const Buffer& data) {
    append_be32(out, static_cast<std::uint32_t>(data.size()));
    const std::size_t start = out.size();
    append(out, type);
    append(out, data);
    std::uint32_t crc = 0xFFFFFFFFU;
    for (const std::uint8_t byte : Bytes(out).subspan(start)) {
        crc ^= byte;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
        }
    }
    append_be32(out, ~crc);
}

Buffer png_header(std::uint32_t width, std::uint32_t height, std::uint8_t bits,
                  std::uint8_t colour_type) {
    Buffer out;
    append(out, std::string_view("\x89PNG\r\n\x1A\n", 8));
    Buffer head;
    append_be32(head, width);
    append_be32(head, height);
    for (const std::uint8_t value :
         {bits, colour_type, std::uint8_t{0}, std::uint8_t{0}, std::uint8_t{0}}) {
        head.push_back(value);
    }
    append_png_chunk(out, "IHDR", head);
    append_png_chunk(out, "IDAT", {});
    return out;
}

// A TIFF of one strip, whose bytes are not there.
Buffer tiff_header(std::uint32_t width, std::uint32_t height, std::uint16_t bits) {
    struct Entry {
        std::uint16_t tag;
        std::uint16_t type;  // 3: 16 bits, 4: 32 bits
        std::uint32_t value;
    };
    const std::vector<Entry> entries{{256, 4, width}, {257, 4, height}, {258, 3, bits},
                                     {259, 3, 1},     {262, 3, 1},      {273, 4, 8},
                                     {277, 3, 1},     {278, 4, height}, {279, 4, 8}};
    Buffer out;
    append(out, std::string_view("II\x2A\0", 4));
    append_le32(out, 8);
    append_le16(out, static_cast<std::uint16_t>(entries.size()));
    for (const Entry& entry : entries) {
        append_le16(out, entry.tag);
        append_le16(out, entry.type);
        append_le32(out, 1);
        append_le32(out, entry.value);
    }
    append_le32(out, 0);
    return out;
}

TEST_CASE("a WebP animation is measured by its header before the decoder makes its canvases") {
    struct Row {
        std::uint32_t width;
        std::uint32_t height;
    };
    for (const Row& row : {Row{16'000'000, 200}, Row{20'000, 20'000}, Row{70'000, 2}}) {
        CAPTURE(row.width);
        const Buffer file = webp_animation_header(row.width, row.height);
        for (const WebpFrames frames : {WebpFrames::kFirst, WebpFrames::kAll}) {
            const auto image = decode_webp(file, frames);
            REQUIRE(!image.ok());
            CHECK(image.error().code == ErrorCode::kLimit);
        }
    }
    // One that is within the limits, but for the frames that it lacks.
    CHECK(decode_webp(webp_animation_header(100, 100), WebpFrames::kAll).error().code ==
          ErrorCode::kCorrupt);
}

TEST_CASE("the frames of an animation together meet a limit, though each is small") {
    const test::TempDir dir;
    test::run_tool_ok({kConvert, "-size", "2x2", "xc:blue", dir.file("small.webp")});
    std::vector<std::string> words{"webpmux"};
    for (int i = 0; i < 5; ++i) {
        words.insert(words.end(), {"-frame", dir.file("small.webp"), "+100"});
    }
    words.insert(words.end(), {"-o", dir.file("out.webp")});
    test::run_tool_ok(words);
    Buffer file = test::read_file(dir.file("out.webp"));
    CHECK(decode_webp(file, WebpFrames::kAll).ok());
    // The same frames in the corner of a canvas of 8000 x 8000.
    const Buffer header = webp_animation_header(8000, 8000);
    std::copy(header.begin() + 24, header.end(), file.begin() + 24);
    REQUIRE(file.size() < 1000);
    CHECK(decode_webp(file, WebpFrames::kFirst).error().code == ErrorCode::kLimit);
    // A file of some size may have one such canvas, but not five.
    file.resize(100'000);
    CHECK(decode_webp(file, WebpFrames::kFirst).ok());
    const auto all = decode_webp(file, WebpFrames::kAll);
    REQUIRE(!all.ok());
    CHECK(all.error().code == ErrorCode::kLimit);
}

TEST_CASE("a PNG whose samples would take more than the limit of bytes is refused unread") {
    constexpr std::uint8_t kRgba = 6;
    const auto wide = decode_png(png_header(16384, 16384, 16, kRgba));
    REQUIRE(!wide.ok());
    CHECK(wide.error().code == ErrorCode::kLimit);
    const auto many = decode_png(png_header(65000, 65000, 1, 0));
    REQUIRE(!many.ok());
    CHECK(many.error().code == ErrorCode::kLimit);
    CHECK(decode_png(png_header(100, 100, 16, kRgba)).error().code == ErrorCode::kCorrupt);
}

TEST_CASE("a TIFF page is measured before its strips are decoded") {
    struct Row {
        std::uint32_t width;
        std::uint32_t height;
        std::uint16_t bits;
        ErrorCode code;
    };
    for (const Row& row :
         {Row{65'000, 65'000, 8, ErrorCode::kLimit}, Row{70'000, 2, 8, ErrorCode::kLimit},
          Row{100, 100, 8, ErrorCode::kCorrupt}}) {
        CAPTURE(row.width);
        auto pages = TiffPages::open(tiff_header(row.width, row.height, row.bits));
        REQUIRE(pages.ok());
        const auto page = pages->select(0);
        const ErrorCode code = page.ok()
                                   ? pages->read({0, 0, page->width, page->height}).error().code
                                   : page.error().code;
        CHECK(code == row.code);
    }
}

// What a page is like after it was written with noise, which takes more room than what was there.
TEST_CASE("every page of a TIFF keeps what was written to it, though its strips have to move") {
    const test::TempDir dir;
    for (const std::string compression : {"LZW", "Zip"}) {
        CAPTURE(compression);
        test::run_tool_ok({kConvert, "-size", "200x150", "xc:gray", "xc:gray", "xc:gray", "-depth",
                           "8", "-type", "TrueColor", "-compress", compression,
                           dir.file("in.tif")});
        auto pages = TiffPages::open(test::read_file(dir.file("in.tif")));
        REQUIRE(pages.ok());
        REQUIRE(pages->count() == 3);
        const Rect all{0, 0, 200, 150};
        std::uint32_t seed = 1;
        std::vector<Buffer> written;
        for (int i = 0; i < 3; ++i) {
            REQUIRE(pages->select(i).ok());
            auto image = pages->read(all);
            REQUIRE(image.ok());
            for (std::uint8_t& sample : image->pixels) {
                seed = seed * 1664525U + 1013904223U;
                sample = static_cast<std::uint8_t>(seed >> 24U);
            }
            written.push_back(image->pixels);
            REQUIRE(pages->write(all, *image).ok());
        }
        const auto file = pages->finish();
        REQUIRE(file.ok());
        auto again = TiffPages::open(*file);
        REQUIRE(again.ok());
        for (int i = 0; i < 3; ++i) {
            CAPTURE(i);
            REQUIRE(again->select(i).ok());
            const auto image = again->read(all);
            REQUIRE(image.ok());
            CHECK(image->pixels == written[static_cast<std::size_t>(i)]);
        }
    }
}

TEST_CASE("a TIFF whose second page is broken is refused and can be closed") {
    const test::TempDir dir;
    test::run_tool_ok(
        {kConvert, "-size", "20x20", "xc:red", "xc:blue", "-compress", "LZW", dir.file("in.tif")});
    const Buffer file = test::read_file(dir.file("in.tif"));
    REQUIRE(as_text(file).starts_with("II"));
    const std::uint32_t first = load_le32(Bytes(file).subspan(4));
    const std::uint16_t entries = load_le16(Bytes(file).subspan(first));
    const std::uint32_t second =
        load_le32(Bytes(file).subspan(first + 2 + std::size_t{entries} * 12));
    // Each entry of the second directory in turn gets a type that there is not.
    for (std::size_t i = 0; i < load_le16(Bytes(file).subspan(second)); ++i) {
        CAPTURE(i);
        Buffer broken = file;
        broken[second + 2 + i * 12 + 2] = 99;
        auto pages = TiffPages::open(broken);
        if (pages.ok() && pages->count() == 2) {
            CHECK(pages->select(0).ok());
            (void)pages->select(1);
            (void)pages->finish();
        }
    }
}

// One frame, and a code for its first pixel. (libvips takes the frame's size where the screen's is
// odd.)
Buffer gif_header(std::uint16_t width, std::uint16_t height) {
    Buffer out;
    append(out, "GIF89a");
    append_le16(out, width);
    append_le16(out, height);
    append(out, std::string_view("\x80\0\0\0\0\0\xFF\xFF\xFF", 9));
    append(out, std::string_view(",\0\0\0\0", 5));
    append_le16(out, width);
    append_le16(out, height);
    append(out, std::string_view("\0\2\2\x44\1\0;", 7));
    return out;
}

// A lossless picture whose every pixel may take no bit at all.
Buffer webp_lossless_header(std::uint32_t width, std::uint32_t height) {
    Buffer out;
    append(out, "RIFF");
    append_le32(out, 4 + 8 + 16);
    append(out, "WEBPVP8L");
    append_le32(out, 16);
    out.push_back(0x2F);
    append_le32(out, (width - 1) | (height - 1) << 14U);
    out.resize(out.size() + 11);
    return out;
}

TEST_CASE("a few bytes are given few pixels, whatever their header says") {
    constexpr std::uint8_t kGrey = 0;
    const auto refuses = [](std::string_view format, const auto& image) {
        CAPTURE(std::string(format));
        REQUIRE(!image.ok());
        CAPTURE(image.error().what);
        CHECK(image.error().code == ErrorCode::kLimit);
        CHECK(image.error().what.find("bytes of pixels") != std::string::npos);
    };
    refuses("PNG", decode_png(png_header(9000, 9000, 8, kGrey)));
    refuses("WebP", decode_webp(webp_lossless_header(9000, 9000), WebpFrames::kFirst));
    refuses("animated WebP", decode_webp(webp_animation_header(9000, 9000), WebpFrames::kFirst));
    refuses("GIF", decode_vips(gif_header(9000, 9000), VipsFormat::kGif));
    refuses("TIFF as a whole", decode_vips(tiff_header(9000, 9000, 8), VipsFormat::kTiff));
    auto pages = TiffPages::open(tiff_header(9000, 9000, 8));
    REQUIRE(pages.ok());
    refuses("TIFF page", pages->select(0));
}

TEST_CASE("a plain picture is read, however well it is packed") {
    const test::TempDir dir;
    for (const std::string name : {"a.png", "a.tif"}) {
        CAPTURE(name);
        const std::string options = name == "a.png" ? "[compression=9]" : "[compression=deflate]";
        test::run_tool_ok({"vips", "black", dir.file(name) + options, "9000", "9000"});
        const Buffer file = test::read_file(dir.file(name));
        REQUIRE(file.size() < 400'000);
        if (name == "a.png") {
            CHECK(decode_png(file).ok());
        } else {
            CHECK(decode_vips(file, VipsFormat::kTiff).ok());
        }
    }
}

}  // namespace

TEST_SUITE("slow") {
    TEST_CASE("the work that the pages of a TIFF cause is bounded, however small the file") {
        const test::TempDir dir;
        test::run_tool_ok({"vips", "black",
                           dir.file("a.tif") + "[compression=deflate,tile_height=16384]", "16384",
                           "16384"});
        const Buffer file = test::read_file(dir.file("a.tif"));
        REQUIRE(file.size() < 1'000'000);
        auto pages = TiffPages::open(file);
        REQUIRE(pages.ok());
        REQUIRE(pages->select(0).ok());
        // Each reading of a few pixels decodes the whole strip, as each page of a file would.
        const auto allowed = limits::kTiffDecodedPixelsMax / (16384ULL * 16384ULL);
        for (std::uint64_t i = 0; i < allowed; ++i) {
            CHECK(pages->read({0, 0, 16, 16}).ok());
        }
        const auto next = pages->read({0, 0, 16, 16});
        REQUIRE(!next.ok());
        CHECK(next.error().code == ErrorCode::kLimit);
    }
}

}  // namespace colophon::media
