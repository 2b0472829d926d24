// SPDX-License-Identifier: Apache-2.0
#include "label/container/jpeg_mpf.h"

#include "core/bytes.h"
#include "label/apply.h"
#include "label/container/jpeg_segments.h"
#include "label/container/tiff_ifds.h"
#include "label/format.h"
#include "label/metadata/pictures.h"
#include "label/plan.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>

namespace colophon::label {
namespace {

using namespace std::string_view_literals;

constexpr const char* kFont = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc";

Buffer jpeg_picture(const char* colours, const char* size) {
    const test::TempDir dir;
    test::run_tool_ok({"/usr/bin/convert", "-seed", "7", "-size", size, colours, "-quality", "90",
                       dir.file("p.jpg")});
    return test::read_file(dir.file("p.jpg"));
}

// An index of two pictures; the values are put in later, when the places are known.
Buffer mpf_payload(ByteOrder order, std::uint32_t first_size, std::uint32_t second_size,
                   std::uint32_t second_offset) {
    Buffer out = to_buffer("MPF\0"sv);
    append(out, as_bytes(order == ByteOrder::kBig ? "MM\0*"sv : "II*\0"sv));
    append_u32(out, 8, order);
    append_u16(out, 3, order);
    const auto entry = [&](std::uint16_t tag, std::uint16_t type, std::uint32_t count) {
        append_u16(out, tag, order);
        append_u16(out, type, order);
        append_u32(out, count, order);
    };
    entry(0xB000, 7, 4);
    append(out, as_bytes("0100"sv));
    entry(0xB001, 4, 1);
    append_u32(out, 2, order);
    entry(0xB002, 7, 32);
    append_u32(out, 8 + 2 + 3 * 12 + 4, order);
    append_u32(out, 0, order);
    for (const auto& [attributes, size, offset] :
         {std::tuple{0x20030000U, first_size, 0U},
          std::tuple{0x00020002U, second_size, second_offset}}) {
        append_u32(out, attributes, order);
        append_u32(out, size, order);
        append_u32(out, offset, order);
        append_u32(out, 0, order);
    }
    return out;
}

struct Pair {
    Buffer file;
    Buffer second;
};

// `behind`: a segment that follows the index.
Pair make_pair(ByteOrder order, const Buffer& behind) {
    const Buffer first = jpeg_picture("plasma:red-blue", "320x240");
    Pair pair{.file = {}, .second = jpeg_picture("plasma:green-yellow", "96x64")};
    const std::size_t index_bytes = 4 + mpf_payload(order, 0, 0, 0).size();
    const auto total = static_cast<std::uint32_t>(first.size() + index_bytes + behind.size());
    const std::uint32_t header = 2 + 4 + 4;
    pair.file = to_buffer(Bytes(first).first(2));
    append(pair.file, make_jpeg_segment(
                          jpeg::kApp2,
                          mpf_payload(order, total, static_cast<std::uint32_t>(pair.second.size()),
                                      total - header))
                          .value());
    append(pair.file, behind);
    append(pair.file, Bytes(first).subspan(2));
    append(pair.file, pair.second);
    return pair;
}

std::string exiftool(const Buffer& file, const std::string& tag) {
    const test::TempDir dir;
    test::write_file(dir.file("p.jpg"), file);
    return test::run_tool_ok({"exiftool", "-b", tag, dir.file("p.jpg")});
}

TEST_CASE("the further picture of a JPEG is found again after both labels were put on the first") {
    const Buffer font = test::read_file(kFont);
    // A packet behind the index grows, so that the index and what it points to move apart.
    Buffer xmp = to_buffer("http://ns.adobe.com/xap/1.0/\0"sv);
    append(xmp, as_bytes(R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"/>)"sv));
    const Buffer packet = make_jpeg_segment(jpeg::kApp1, xmp).value();
    for (const ByteOrder order : {ByteOrder::kLittle, ByteOrder::kBig}) {
        for (const Buffer& behind : {Buffer{}, packet}) {
            const Pair pair = make_pair(order, behind);
            REQUIRE(exiftool(pair.file, "-MPImage2") == as_text(pair.second));
            for (const std::string_view marks : {"metadata", "explicit", "explicit,metadata"}) {
                CAPTURE(marks);
                ApplyOptions options;
                options.record.producer_name = "us";
                options.record.own_id = "1";
                options.marks = parse_marks(marks).value();
                MemoryHolder holder;
                Resources resources;
                resources.font = font;
                const auto applied = apply(pair.file, Format::kJpeg, options, resources, holder);
                REQUIRE_MESSAGE(applied.ok(), (applied.ok() ? "" : applied.error().what));
                const Buffer out = to_buffer(applied->file);
                CHECK(exiftool(out, "-MPImage2") == as_text(pair.second));
                const JpegFile walked = walk_jpeg(out, JpegExtent::kWholeImage).value();
                const Bytes entries =
                    slice(out, as_text(out).find("MPF") + 4 + 8 + 2 + 36 + 4, 32).value();
                CHECK(load_u32(entries.subspan(4), order) == walked.end);
            }
        }
    }
}

TEST_CASE("an index that makes no sense is left as it is") {
    for (const std::string_view payload :
         {"MPF\0"sv, "MPF\0II*\0\x08\0\0\0"sv, "MPF\0II*\0\xFF\0\0\0"sv,
          "MPF\0II*\0\x08\0\0\0\x01\0\x02\xB0\x07\0\x20\0\0\0\xF0\0\0\0\0\0\0\0"sv}) {
        Buffer file = jpeg_picture("plasma:red-blue", "64x48");
        const Buffer segment = make_jpeg_segment(jpeg::kApp2, as_bytes(payload)).value();
        file.insert(file.begin() + 2, segment.begin(), segment.end());
        const Buffer out = write_label(Format::kJpeg, file, kAigc);
        CHECK(as_text(out).find(payload) != std::string_view::npos);
    }
}

}  // namespace
}  // namespace colophon::label
