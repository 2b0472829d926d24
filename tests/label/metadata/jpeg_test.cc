// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/container/jpeg_segments.h"
#include "label/container/tiff_ifds.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/exif_blocks.h"
#include "label/metadata/pictures.h"
#include "support/processor_time.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

using namespace std::string_literals;

const std::string kXmpName = "http://ns.adobe.com/xap/1.0/\0"s;
const std::string kWrapped = R"({"AIGC":{"Label":"1","ContentProducer":"p","ProduceID":"7"}})";

struct Segment {
    std::uint8_t marker;
    std::string payload;
};

const Segment kJfif{0xE0, "JFIF\0\x01\x01\0\0\x01\0\x01\0\0"s};

// A JPEG of these segments and a scan that no decoder would like.
Buffer make_jpeg(const std::vector<Segment>& segments) {
    Buffer file{0xFF, 0xD8};
    for (const Segment& segment : segments) {
        append(file, make_jpeg_segment(segment.marker, as_bytes(segment.payload)).value());
    }
    append(file, from_hex("ffda0003011234ff00ffd9").value());
    return file;
}

std::string layout(Bytes file) {
    std::string out;
    const JpegFile jpeg = walk_jpeg(file, JpegExtent::kHeaders).value();
    for (const JpegSegment& segment : jpeg.segments) {
        const std::string_view name = as_text(segment.payload).substr(0, 6);
        out += to_hex(Bytes(&segment.marker, 1)) + ":" +
               std::string(name.substr(0, name.find('\0'))) + " ";
    }
    return out;
}

std::string packet_with(const std::string& body) {
    return R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" )" +
           body + "</rdf:RDF></x:xmpmeta>";
}

struct Variant {
    std::string what;
    Segment segment;
    std::string where;
    std::string value;
};

std::vector<Variant> variants() {
    const std::string inner = R"({"Label":"1","ContentProducer":"p","ProduceID":"7"})";
    const std::string exif_text = "ASCII\0\0\0"s + kWrapped;
    const Buffer exif = make_exif({"", "", exif_text}, ByteOrder::kBig);
    return {
        {"1 XMP element",
         {0xE1,
          kXmpName + packet_with("><TC260:AIGC>" + inner + "</TC260:AIGC></rdf:Description>")},
         "jpeg APP1 XMP",
         inner},
        {"2 XMP attribute",
         {0xE1, kXmpName + packet_with("TC260:AIGC='" + inner + "'/>")},
         "jpeg APP1 XMP",
         inner},
        {"4 EXIF UserComment",
         {0xE1, "Exif\0\0"s + std::string(as_text(exif))},
         "jpeg EXIF UserComment",
         kWrapped},
        {"6 bare blob in APP0", {0xE0, "AIGC" + inner}, "jpeg APP0", "AIGC" + inner},
        {"6 bare blob in APP1", {0xE1, "AIGC" + inner + "\0"s}, "jpeg APP1", "AIGC" + inner},
        {"6 blob behind a name in APP9", {0xE9, "Maker\0"s + inner}, "jpeg APP9", inner},
        {"comment", {0xFE, kWrapped}, "jpeg COM", kWrapped},
    };
}

TEST_CASE("each JPEG variant seen in the wild is read, and a new label leaves it no place") {
    // [GB45438-6.1]
    for (const Variant& variant : variants()) {
        CAPTURE(variant.what);
        const Buffer file = make_jpeg({kJfif, variant.segment, {0xDB, "table"}});
        const MetadataReading reading = read_label(Format::kJpeg, file);
        REQUIRE(reading.sites.size() == 1);
        CHECK(reading.sites[0].where == variant.where);
        CHECK(reading.sites[0].value == variant.value);
        const Buffer labelled = write_label(Format::kJpeg, file, kAigc);
        check_only_label(Format::kJpeg, labelled, kAigc);
        CHECK(read_label(Format::kJpeg, labelled).sites.size() == 1);
        CHECK(as_text(labelled).find("\"7\"") == std::string_view::npos);
        CHECK(write_label(Format::kJpeg, labelled, kAigc) == labelled);
    }
}

TEST_CASE("Tencent's schema and ByteDance's disclosure are reported and kept") {
    const std::string tencent = R"({"ServiceProvider":"s","ServiceUser":"u","Time":"t"})";
    const std::string bytedance = R"({"aigc_label_type":1})";
    const Buffer exif = make_exif({tencent, "", "ASCII\0\0\0"s + bytedance}, ByteOrder::kLittle);
    const Segment segment{0xE1, "Exif\0\0"s + std::string(as_text(exif))};
    const Buffer file = make_jpeg({kJfif, segment});
    CHECK(read_label(Format::kJpeg, file).sites.size() == 2);
    const Buffer labelled = write_label(Format::kJpeg, file, kAigc);
    CHECK(as_text(labelled).find(segment.payload) != std::string_view::npos);
    CHECK(read_label(Format::kJpeg, labelled).sites.size() == 3);
    check_only_label(Format::kJpeg, labelled, kAigc);
}

TEST_CASE("the packet goes behind JFIF and EXIF and before every other segment") {
    const Segment exif{0xE1, "Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"s};
    const Segment mpf{0xE2, "MPF\0II*\0"s};
    CHECK(layout(write_label(Format::kJpeg, make_jpeg({kJfif, exif, mpf, {0xEE, "Adobe"}}),
                             kAigc)) == "e0:JFIF e1:Exif e1:http:/ e2:MPF ee:Adobe da:\x01 ");
    CHECK(layout(write_label(Format::kJpeg, make_jpeg({{0xEE, "Adobe"}, kJfif}), kAigc)) ==
          "e1:http:/ ee:Adobe e0:JFIF da:\x01 ");
    CHECK(layout(write_label(Format::kJpeg, make_jpeg({}), kAigc)) == "e1:http:/ da:\x01 ");
}

TEST_CASE("prose around a label in a comment stays, and so do comments about AIGC") {
    const Buffer file = make_jpeg({{0xFE, "Lantern " + kWrapped + " 2026"}, {0xFE, "AIGC tools"}});
    const Buffer labelled = write_label(Format::kJpeg, file, kAigc);
    CHECK(as_text(labelled).find("Lantern  2026") != std::string_view::npos);
    CHECK(as_text(labelled).find("AIGC tools") != std::string_view::npos);
    check_only_label(Format::kJpeg, labelled, kAigc);
}

std::string extended(std::string_view guid, std::size_t full, std::size_t at,
                     std::string_view part) {
    Buffer out = to_buffer("http://ns.adobe.com/xmp/extension/\0"s);
    append(out, guid);
    append_be32(out, static_cast<std::uint32_t>(full));
    append_be32(out, static_cast<std::uint32_t>(at));
    append(out, part);
    return std::string(as_text(out));
}

TEST_CASE("extended XMP is put together from parts in any order; a label in it forbids another") {
    const std::string guid(32, 'A');
    const std::string packet = packet_with("TC260:AIGC='{\"Label\":\"1\",\"ProduceID\":\"7\"}'/>");
    const Buffer file = make_jpeg({{0xE1, extended(guid, packet.size(), 90, packet.substr(90))},
                                   {0xE1, extended(guid, packet.size(), 0, packet.substr(0, 90))}});
    const MetadataReading reading = read_label(Format::kJpeg, file);
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.sites[0].where == "jpeg extended XMP");
    const auto written = find_container(Format::kJpeg)->write(file, {std::string(kAigc), {}});
    CHECK(written.error().code == ErrorCode::kUnsupported);

    const std::string other = packet_with("/>");
    const Buffer plain = make_jpeg({{0xE1, extended(guid, other.size(), 0, other)}});
    const Buffer labelled = write_label(Format::kJpeg, plain, kAigc);
    CHECK(as_text(labelled).find(extended(guid, other.size(), 0, other)) != std::string_view::npos);
    check_only_label(Format::kJpeg, labelled, kAigc);
}

TEST_CASE("a packet that no segment holds is a limit, named with its size") {
    const std::string packet =
        packet_with("><TC260:x>" + std::string(65200, 'y') + "</TC260:x></rdf:Description>");
    const Buffer file = make_jpeg({{0xE1, kXmpName + packet}});
    const auto written = find_container(Format::kJpeg)->write(file, {std::string(kAigc), {}});
    REQUIRE_FALSE(written.ok());
    CHECK(written.error().code == ErrorCode::kLimit);
    CHECK(written.error().what.find("65502") != std::string::npos);
}

TEST_CASE("a broken packet is a finding for the reader and an error for the writer") {
    const Buffer file = make_jpeg({{0xE1, kXmpName + "<x:xmpmeta"}});
    const MetadataReading reading = read_label(Format::kJpeg, file);
    REQUIRE(reading.findings.size() == 1);
    CHECK(reading.findings[0].code == "metadata.xmp");
    CHECK_FALSE(find_container(Format::kJpeg)->write(file, {std::string(kAigc), {}}).ok());
}

TEST_CASE("a hundred thousand segments and labels cost less than a second") {
    std::vector<Segment> segments(100000, Segment{0xFE, R"({"ProduceID":1})"});
    const Buffer file = make_jpeg(segments);
    const test::ProcessorTime time;
    const MetadataReading reading = read_label(Format::kJpeg, file);
    CHECK(reading.sites.size() == 64);
    REQUIRE(reading.findings.size() == 1);
    CHECK(reading.findings[0].code == "metadata.too_many");
    check_only_label(Format::kJpeg, write_label(Format::kJpeg, file, kAigc), kAigc);
    CHECK(time.spent() < std::chrono::seconds(2));
}

}  // namespace
}  // namespace colophon::label
