// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "label/container/png_chunks.h"
#include "label/container/png_text.h"
#include "label/container/tiff_ifds.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/metadata/exif_blocks.h"
#include "label/metadata/pictures.h"
#include "support/processor_time.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <zlib.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using namespace std::string_literals;

const std::string kInner = R"({"Label":"1","ContentProducer":"p","ProduceID":"7"})";
const std::string kWrapped = R"({"AIGC":)" + kInner + "}";

std::string deflated(std::string_view text) {
    uLongf size = compressBound(static_cast<uLong>(text.size()));
    std::string out(size, '\0');
    REQUIRE(compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                      reinterpret_cast<const Bytef*>(text.data()), static_cast<uLong>(text.size()),
                      9) == Z_OK);
    out.resize(size);
    return out;
}

std::string packet_with(const std::string& aigc) {
    return R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"><TC260:AIGC>)" +
           aigc + "</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta>";
}

struct Chunk {
    std::string type;
    std::string data;
};

// IHDR, `early`, IDAT, `late`, IEND.
Buffer make_png(const std::vector<Chunk>& early, const std::vector<Chunk>& late = {}) {
    Buffer file = to_buffer(kPngSignature);
    append(file, make_png_chunk("IHDR", from_hex("00000001000000010800000000").value()));
    for (const Chunk& chunk : early) {
        append(file, make_png_chunk(chunk.type, as_bytes(chunk.data)));
    }
    append(file, make_png_chunk("IDAT", as_bytes(deflated("\0\0"s))));
    for (const Chunk& chunk : late) {
        append(file, make_png_chunk(chunk.type, as_bytes(chunk.data)));
    }
    append(file, make_png_chunk("IEND", {}));
    return file;
}

std::string layout(Bytes file) {
    std::string out;
    const PngFile png = walk_png(file).value();
    for (const PngChunk& chunk : png.chunks) {
        CHECK(png_checksum_matches(file, chunk));
        out += std::string(chunk.type) + " ";
    }
    return out;
}

struct Variant {
    std::string what;
    Chunk chunk;
    std::string where;
    std::string value;
    std::string after = {};  // the layout when a label was written; by default the chunk is gone
};

TEST_CASE("each PNG variant seen in the wild is read, before and behind the picture") {
    // [GB45438-6.1] Variants 1, 3 and 16, and EXIF.
    const Buffer exif = make_exif({"", "", "ASCII\0\0\0"s + kWrapped}, ByteOrder::kBig);
    const std::string xmp = packet_with(kInner);
    const std::vector<Variant> variants{
        {"XMP", {"iTXt", "XML:com.adobe.xmp\0\0\0\0\0"s + xmp}, "png iTXt XMP", kInner, "iTXt "},
        {"compressed XMP",
         {"iTXt", "XML:com.adobe.xmp\0\1\0\0\0"s + deflated(xmp)},
         "png iTXt XMP",
         kInner,
         "iTXt "},
        {"tEXt AIGC", {"tEXt", "AIGC\0"s + kWrapped}, "png tEXt AIGC", kWrapped},
        {"tEXt AIGC, bare", {"tEXt", "AIGC\0"s + kInner}, "png tEXt AIGC", kInner},
        {"zTXt AIGC", {"zTXt", "AIGC\0\0"s + deflated(kInner)}, "png zTXt AIGC", kInner},
        {"iTXt AIGC", {"iTXt", "AIGC\0\0\0\0\0"s + kInner}, "png iTXt AIGC", kInner},
        {"compressed iTXt AIGC",
         {"iTXt", "AIGC\0\1\0zh\0x\0"s + deflated(kInner)},
         "png iTXt AIGC",
         kInner},
        {"Comment", {"tEXt", "Comment\0"s + kWrapped}, "png tEXt", kWrapped},
        {"eXIf", {"eXIf", std::string(as_text(exif))}, "png EXIF UserComment", kWrapped, "eXIf "},
    };
    for (const Variant& variant : variants) {
        for (const bool late : {false, true}) {
            CAPTURE(variant.what);
            CAPTURE(late);
            const std::vector<Chunk> chunks{variant.chunk};
            const Buffer file = late ? make_png({}, chunks) : make_png(chunks);
            const MetadataReading reading = read_label(Format::kPng, file);
            REQUIRE(reading.sites.size() == 1);
            CHECK(reading.sites[0].where == variant.where);
            CHECK(reading.sites[0].value == variant.value);
            CHECK(reading.findings.empty());
            const Buffer labelled = write_label(Format::kPng, file, kAigc);
            check_only_label(Format::kPng, labelled, kAigc);
            CHECK(read_label(Format::kPng, labelled).sites.size() == 1);
            CHECK(write_label(Format::kPng, labelled, kAigc) == labelled);
            const std::string label = variant.after == "iTXt " ? "" : "iTXt ";
            CHECK(layout(labelled) == (late ? "IHDR " + label + "IDAT " + variant.after + "IEND "
                                            : "IHDR " + label + variant.after + "IDAT IEND "));
        }
    }
}

TEST_CASE("the packet of the large producers is read byte for byte") {
    const std::string packet =
        R"(<?xml version="1.0" encoding="UTF-8"?><?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"??><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/"><TC260:AIGC>{&quot;Label&quot;:&quot;1&quot;,&quot;ContentProducer&quot;:&quot;00119144030008867405X210001&quot;}</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>)";
    const Buffer file = make_png({{"iTXt", "XML:com.adobe.xmp\0\0\0\0\0"s + packet}});
    const MetadataReading reading = read_label(Format::kPng, file);
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.sites[0].value ==
          R"({"Label":"1","ContentProducer":"00119144030008867405X210001"})");
    CHECK(reading.sites[0].standard_place);
    CHECK(reading.sites[0].offset == 33);
}

TEST_CASE("foreign chunks keep their bytes and their order, animations included") {
    const std::vector<Chunk> early{{"gAMA", "\0\0\xB1\x8F"s},
                                   {"acTL", std::string(8, '\0')},
                                   {"tEXt", "Comment\0made with AIGC tools"s},
                                   {"eXIf", "II*\0\x08\0\0\0\0\0\0\0\0\0"s},
                                   {"caBX", "c2pa"}};
    const std::vector<Chunk> late{{"fcTL", std::string(26, '\0')}, {"fdAT", "data"}};
    const Buffer file = make_png(early, late);
    const Buffer labelled = write_label(Format::kPng, file, kAigc);
    CHECK(layout(labelled) == "IHDR iTXt gAMA acTL tEXt eXIf caBX IDAT fcTL fdAT IEND ");
    const PngFile png = walk_png(labelled).value();
    Buffer without = to_buffer(Bytes(labelled).first(png.chunks[1].offset));
    append(without, Bytes(labelled).subspan(png.chunks[1].end()));
    CHECK(without == file);
}

TEST_CASE("a wrong checksum is a finding, and a packet with one is not rewritten") {
    Buffer file = make_png({{"iTXt", "XML:com.adobe.xmp\0\0\0\0\0"s + packet_with(kInner)}});
    file[walk_png(file).value().chunks[1].end() - 1] ^= 1U;
    const MetadataReading reading = read_label(Format::kPng, file);
    CHECK(reading.sites.size() == 1);
    REQUIRE(reading.findings.size() == 1);
    CHECK(reading.findings[0].code == "metadata.checksum");
    const auto written = find_container(Format::kPng)->write(file, {std::string(kAigc), {}});
    CHECK(written.error().code == ErrorCode::kCorrupt);
}

TEST_CASE(
    "a text that inflates beyond the limit is a finding, a thousand of them no more than one") {
    const std::string bomb = "Comment\0\0"s + deflated(std::string(20U << 20U, ' '));
    std::vector<Chunk> chunks(200, Chunk{"zTXt", bomb});
    chunks.push_back({"tEXt", "AIGC\0"s + kInner});
    const Buffer file = make_png(chunks);
    const test::ProcessorTime time;
    const MetadataReading reading = read_label(Format::kPng, file);
    CHECK(time.spent() < std::chrono::seconds(1));
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.findings.size() == 200);
    CHECK(reading.findings[0].code == "metadata.png_text");
    const auto written = find_container(Format::kPng)->write(file, {std::string(kAigc), {}});
    CHECK(written.error().code == ErrorCode::kLimit);
}

TEST_CASE("text chunks without their parts are findings for the reader, errors for the writer") {
    for (const Chunk& chunk :
         {Chunk{"tEXt", "AIGC"}, Chunk{"zTXt", "AIGC\0"s}, Chunk{"zTXt", "AIGC\0\1x"s},
          Chunk{"zTXt", "AIGC\0\0x"s}, Chunk{"iTXt", "AIGC\0\0"s}, Chunk{"iTXt", "AIGC\0\0\0\0"s},
          Chunk{"tEXt", ""}}) {
        CAPTURE(chunk.data);
        const Buffer file = make_png({chunk});
        const MetadataReading reading = read_label(Format::kPng, file);
        CHECK(reading.sites.empty());
        REQUIRE(reading.findings.size() == 1);
        CHECK(reading.findings[0].code == "metadata.png_text");
    }
    const Buffer file = make_png({{"tEXt", "AIGC"}});
    CHECK(find_container(Format::kPng)->write(file, {std::string(kAigc), {}}).error().code ==
          ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace colophon::label
