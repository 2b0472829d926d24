// SPDX-License-Identifier: Apache-2.0
// Animated PNG: FFmpeg plays the animation before and after, so that neither our composition nor
// our drawing judges itself.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/png_chunks.h"
#include "label/explicit/image.h"
#include "label/format.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr int kWidth = 320;
constexpr int kHeight = 240;
constexpr std::size_t kFrameBytes = std::size_t{kWidth} * kHeight * 4;

const Buffer& font() {
    static const Buffer kFont = test::read_file("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc");
    return kFont;
}

// All frames as shown, RGBA.
std::string play(Bytes file) {
    const test::TempDir dir;
    test::write_file(dir.file("a.png"), file);
    std::string shown = test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "apng", "-i",
                                           dir.file("a.png"), "-vsync", "passthrough", "-f",
                                           "rawvideo", "-pix_fmt", "rgba", "-"});
    REQUIRE(shown.size() % kFrameBytes == 0);
    return shown;
}

std::vector<Buffer> idat(const std::vector<std::string>& picture) {
    const test::TempDir dir;
    std::vector<std::string> command{"/usr/bin/convert", "-seed", "7"};
    command.insert(command.end(), picture.begin(), picture.end());
    command.push_back("PNG32:" + dir.file("p.png"));
    test::run_tool_ok(command);
    const Buffer file = test::read_file(dir.file("p.png"));
    std::vector<Buffer> data;
    for (const PngChunk& chunk : walk_png(file).value().chunks) {
        if (chunk.type == "IDAT") {
            data.push_back(to_buffer(chunk.data));
        }
    }
    return data;
}

struct Piece {
    int x, y, width, height;
    std::uint8_t dispose, blend;
    std::vector<std::string> picture;  // for ImageMagick
};

Buffer header() {
    Buffer data;
    append_be32(data, kWidth);
    append_be32(data, kHeight);
    append(data, from_hex("0806000000").value());
    return make_png_chunk("IHDR", data);
}

// An RGBA animation of these pieces; with `still`, its picture is no frame.
Buffer animation(const std::vector<Piece>& pieces, bool still) {
    std::uint32_t sequence = 0;
    Buffer file = to_buffer(kPngSignature);
    append(file, header());
    Buffer control;
    append_be32(control, static_cast<std::uint32_t>(pieces.size()));
    append_be32(control, 0);
    append(file, make_png_chunk("acTL", control));
    append(file, make_png_chunk("tEXt", as_bytes(std::string("Comment\0kept", 12))));
    if (still) {
        for (const Buffer& data : idat({"-size", "320x240", "gradient:yellow-purple"})) {
            append(file, make_png_chunk("IDAT", data));
        }
    }
    for (const Piece& piece : pieces) {
        Buffer frame;
        append_be32(frame, sequence++);
        for (const int value : {piece.width, piece.height, piece.x, piece.y}) {
            append_be32(frame, static_cast<std::uint32_t>(value));
        }
        append(frame, from_hex("00050032").value());
        frame.push_back(piece.dispose);
        frame.push_back(piece.blend);
        append(file, make_png_chunk("fcTL", frame));
        for (const Buffer& data : idat(piece.picture)) {
            const bool first = &piece == pieces.data() && !still;
            Buffer out;
            if (!first) {
                append_be32(out, sequence++);
            }
            append(out, data);
            append(file, make_png_chunk(first ? "IDAT" : "fdAT", out));
        }
    }
    append(file, make_png_chunk("IEND", {}));
    return file;
}

Buffer mark(Bytes file) {
    const auto marked = mark_image(file, Format::kPng, {.text = "AI生成"}, font());
    REQUIRE_MESSAGE(marked.ok(), (marked.ok() ? "" : marked.error().what));
    REQUIRE(marked->changed);
    CHECK(marked->reading.contrast.value_or(0) >= kContrastMin);
    return apply_splice(file, marked->splice);
}

// Whether a frame as shown bears the mark, told by the detector on a PNG that FFmpeg made of it.
bool shows_mark(std::string_view frame) {
    const test::TempDir dir;
    test::write_file(dir.file("f.rgba"), as_bytes(frame));
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgba",
                       "-s", "320x240", "-i", dir.file("f.rgba"), dir.file("f.png")});
    const auto seen =
        find_image_mark(test::read_file(dir.file("f.png")), Format::kPng, font(), {"AI生成"});
    REQUIRE(seen.ok());
    return seen->found;
}

// Each frame bears the mark at the bottom right, and is the old one everywhere else.
void check_frames(Bytes before_file, Bytes after_file) {
    const std::string before = play(before_file);
    const std::string after = play(after_file);
    REQUIRE(before.size() == after.size());
    for (std::size_t start = 0; start < before.size(); start += kFrameBytes) {
        CAPTURE(start / kFrameBytes);
        CHECK(shows_mark(std::string_view(after).substr(start, kFrameBytes)));
        std::size_t changed = 0;
        for (std::size_t i = 0; i < kFrameBytes; i += 4) {
            const bool same = std::memcmp(&before[start + i], &after[start + i], 4) == 0;
            const auto x = static_cast<int>(i / 4 % kWidth);
            const auto y = static_cast<int>(i / 4 / kWidth);
            changed += !same && (x < kWidth / 2 || y < kHeight / 2) ? 1U : 0U;
        }
        CHECK(changed == 0);
    }
}

// [GB45438-5.2]
TEST_CASE("every frame of an animated PNG shows the mark, however frames are laid and disposed") {
    const std::vector<std::string> field{"-size", "320x240", "plasma:red-blue"};
    const std::vector<std::string> hole{
        "-size",  "200x160",    "xc:none", "-fill",
        "orange", "+antialias", "-draw",   "rectangle 20,20 190,150"};
    const std::vector<std::string> patch{"-size", "60x40", "gradient:green-white"};
    const std::vector<Piece> pieces{
        {0, 0, 320, 240, 0, 0, field},   {120, 80, 200, 160, 1, 1, hole},
        {10, 10, 60, 40, 0, 0, patch},   {120, 80, 200, 160, 2, 1, hole},
        {250, 195, 60, 40, 0, 0, patch}, {10, 10, 60, 40, 1, 1, patch},
        {0, 0, 320, 240, 1, 0, field},   {10, 10, 60, 40, 0, 1, patch},
    };
    for (const bool still : {false, true}) {
        CAPTURE(still);
        const Buffer before = animation(pieces, still);
        const Buffer after = mark(before);
        CHECK(play(before).size() == pieces.size() * kFrameBytes);
        check_frames(before, after);
        CHECK(as_text(after).find(std::string("Comment\0kept", 12)) != std::string_view::npos);
        // The picture of viewers that know no animation has it, and a second time changes nothing.
        const auto again = mark_image(after, Format::kPng, {.text = "AI生成"}, font());
        REQUIRE(again.ok());
        CHECK_FALSE(again->changed);
        const PngFile walked = walk_png(after).value();
        CHECK(std::ranges::all_of(walked.chunks, [&](const PngChunk& chunk) {
            return png_checksum_matches(after, chunk);
        }));
    }
}

TEST_CASE("animations in the colours that FFmpeg makes keep times and pictures") {
    for (const char* colours : {"rgb24", "ya8", "pal8", "rgb48be"}) {
        CAPTURE(colours);
        const test::TempDir dir;
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc=size=320x240:rate=5:duration=0.6", "-pix_fmt", colours,
                           "-plays", "2", "-f", "apng", dir.file("in.png")});
        const Buffer before = test::read_file(dir.file("in.png"));
        const Buffer after = mark(before);
        check_frames(before, after);
        test::write_file(dir.file("out.png"), after);
        const auto times = [&](const char* name) {
            return test::run_tool_ok({"ffprobe", "-v", "error", "-f", "apng", "-show_entries",
                                      "packet=pts_time,duration_time", "-of", "csv",
                                      dir.file(name)});
        };
        CHECK(times("out.png") == times("in.png"));
    }
}

TEST_CASE("an animated PNG that contradicts itself is refused, never half marked") {
    const std::vector<std::string> field{"-size", "320x240", "plasma:red-blue"};
    const Buffer good =
        animation({{0, 0, 320, 240, 0, 0, field}, {0, 0, 320, 240, 0, 0, field}}, false);
    const auto refused = [](const Buffer& file) {
        const auto marked = mark_image(file, Format::kPng, {.text = "AI生成"}, font());
        REQUIRE(!marked.ok());
        return marked.error().code;
    };
    const std::size_t second = as_text(good).rfind("fcTL");
    Buffer outside = good;
    outside[second + 4 + 12 + 3] = 1;  // x of a frame as wide as the picture
    CHECK(refused(outside) == ErrorCode::kCorrupt);
    Buffer operation = good;
    operation[second + 4 + 24] = 3;
    CHECK(refused(operation) == ErrorCode::kCorrupt);
    Buffer empty = good;
    std::memcpy(empty.data() + as_text(empty).find("fdAT"), "fdAX", 4);
    CHECK(refused(empty) == ErrorCode::kCorrupt);
    Buffer cut = good;
    cut[as_text(cut).find("fdAT") + 30] ^= 0xFF;
    cut[as_text(cut).find("fdAT") + 31] ^= 0xFF;
    CHECK(refused(cut) == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace colophon::label
