// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/bmff_media.h"
#include "label/metadata/container.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {
namespace {

using label::Format;

constexpr std::string_view kExifToolConfig = R"(
%Image::ExifTool::UserDefined = ('Image::ExifTool::XMP::Main' =>
  { TC260 => { SubDirectory => { TagTable => 'Image::ExifTool::UserDefined::TC260' } } });
%Image::ExifTool::UserDefined::TC260 = (GROUPS => { 0 => 'XMP', 1 => 'XMP-TC260', 2 => 'Image' },
  NAMESPACE => { 'TC260' => 'http://www.tc260.org.cn/ns/AIGC/1.0/' }, WRITABLE => 'string',
  AIGC => {});
1;
)";

struct Row {
    Format format;
    std::string name;
    std::string info;  // first line of heif-info
};
const std::vector<Row> kRows{{Format::kHeic, "picture.heic", "MIME type: image/heic"},
                             {Format::kAvif, "picture.avif", "MIME type: image/avif"}};

// Writes the label into a picture with ExifTool, which has its own idea of where XMP goes.
Buffer label_with_exiftool(const TempDir& dir, const std::string& name, std::string_view value) {
    write_file(dir.file("tc260.config"), as_bytes(kExifToolConfig));
    (void)run_tool_ok({"exiftool", "-config", dir.file("tc260.config"), "-overwrite_original",
                       "-XMP-TC260:AIGC=" + std::string(value), "-XMP-dc:Title=Kept",
                       dir.file(name)});
    return read_file(dir.file(name));
}

void check_same_pixels(const TempDir& dir, const std::string& name, const Buffer& before,
                       const Buffer& after) {
    write_file(dir.file("before-" + name), before);
    write_file(dir.file("after-" + name), after);
    CHECK(decoded_picture(dir, dir.file("before-" + name)) ==
          decoded_picture(dir, dir.file("after-" + name)));
}

// A picture file made of boxes: one coded item in 'mdat', with `iloc` as given.
struct HandMade {
    std::uint8_t offset_size = 4;
    std::uint8_t length_size = 4;
    std::uint8_t base_size = 0;
    Buffer after_meta{};
    bool open_end = false;
};

Buffer hand_made(const HandMade& how) {
    const Buffer hdlr = box("hdlr", join({Buffer(8, 0), to_buffer("pict"), Buffer(13, 0)}));
    const Buffer pitm = box("pitm", join({be32(0), be16(1)}));
    const Buffer infe =
        box("infe", join({be32(2U << 24U), be16(1), be16(0), to_buffer("av01"), Buffer(1, 0)}));
    const Buffer iinf = box("iinf", join({be32(0), be16(1), infe}));
    const auto make = [&](std::uint32_t place) {
        Buffer iloc =
            join({be32(0),
                  be16(static_cast<std::uint16_t>((how.offset_size << 12U) |
                                                  (how.length_size << 8U) | (how.base_size << 4U))),
                  be16(1), be16(1), be16(0)});
        if (how.base_size == 8) {
            append_be64(iloc, place);
        } else if (how.base_size == 4) {
            append_be32(iloc, place);
        }
        append_be16(iloc, 1);
        if (how.offset_size != 0) {
            append_be32(iloc, how.base_size == 0 ? place : 0);
        }
        if (how.length_size != 0) {
            append_be32(iloc, 9);
        }
        const Buffer meta = box("meta", join({be32(0), hdlr, pitm, box("iloc", iloc), iinf}));
        Buffer data = box("mdat", "CODEDDATA");
        if (how.open_end) {
            store_be32(data, 0, 0);
        }
        return join({box("ftyp", "avif\0\0\0\0mif1avif"), meta, how.after_meta, data});
    };
    const Buffer draft = make(0);
    return make(static_cast<std::uint32_t>(find_name(draft, "CODEDDATA")));
}

// [GB45438-6.1] [TC260-PG-20259A]
TEST_CASE("a label written into a HEIC or AVIF picture is one XMP item that others read") {
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        const TempDir dir;
        const Buffer plain = make_picture(dir, row.name);
        CHECK(read_labels(row.format, plain).sites.empty());
        const Buffer labelled = check_label_round_trip(row.format, plain);
        check_same_pixels(dir, row.name, plain, labelled);
        CHECK(read_labels(row.format, labelled)
                  .iptc.digital_source_type.ends_with("trainedAlgorithmicMedia"));
        const std::string path = dir.file("after-" + row.name);
        const std::string info = run_tool_ok({"heif-info", path});
        CHECK(info.find(row.info) != std::string::npos);
        CHECK(info.find("XMP:") != std::string::npos);
        CHECK(run_tool_ok({"exiftool", "-validate", "-warning", "-a", path}).find("Warning") ==
              std::string::npos);
        CHECK(run_tool_ok({"exiftool", "-s3", "-XMP-TC260:Aigc", path}) ==
              std::string(kLabel) + "\n");
    }
}

TEST_CASE("an XMP item of ExifTool is read, and changed with everything else in it kept") {
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        const TempDir dir;
        const Buffer plain = make_picture(dir, row.name);
        const Buffer foreign = label_with_exiftool(dir, row.name, kOtherLabel);
        const auto reading = read_labels(row.format, foreign);
        REQUIRE(reading.sites.size() == 1);
        CHECK(reading.sites[0].value == kOtherLabel);
        const Buffer ours = check_label_round_trip(row.format, foreign);
        check_same_pixels(dir, row.name, plain, ours);
        const std::string path = dir.file("after-" + row.name);
        CHECK(run_tool_ok({"exiftool", "-s3", "-XMP-dc:Title", path}) == "Kept\n");
        CHECK(as_text(ours).find("foreign") == std::string_view::npos);
        // ExifTool goes on with what we wrote, and we with what it then wrote.
        write_file(dir.file(row.name), ours);
        const Buffer back = label_with_exiftool(dir, row.name, kOtherLabel);
        CHECK(read_labels(row.format, back).sites.size() == 1);
        (void)check_label_round_trip(row.format, back);
    }
}

TEST_CASE("zeros behind a packet that lacks its end stay behind it") {
    const TempDir dir;
    (void)make_picture(dir, "picture.avif");
    Buffer file = label_with_exiftool(dir, "picture.avif", kOtherLabel);
    const std::string_view end = "<?xpacket end='w'?>";
    const std::size_t at = find_name(file, end);
    std::fill_n(file.begin() + static_cast<std::ptrdiff_t>(at), end.size(), std::uint8_t{0});
    REQUIRE(read_labels(Format::kAvif, file).sites.size() == 1);
    const Buffer labelled = check_label_round_trip(Format::kAvif, file);
    CHECK(labelled.size() == file.size());
}

TEST_CASE("writing labels again and again does not make the file grow") {
    const TempDir dir;
    const Buffer plain = make_picture(dir, "picture.avif");
    Buffer file = write_label(Format::kAvif, plain);
    const std::size_t size = file.size();
    for (int round = 0; round < 10; ++round) {
        file = write_label(Format::kAvif, file, round % 2 == 0 ? kOtherLabel : kLabel);
        CHECK(file.size() <= size + 8);
    }
    CHECK(file == write_label(Format::kAvif, plain));
}

TEST_CASE("widths of iloc fields stay as they are unless a place does not fit") {
    struct Case {
        std::uint8_t offset;
        std::uint8_t length;
        std::uint8_t base;
        std::uint16_t after;  // the word of field sizes
    };
    for (const Case& c : {Case{4, 4, 0, 0x4400}, Case{4, 4, 4, 0x4440}, Case{4, 4, 8, 0x4480},
                          Case{0, 4, 4, 0x4440}, Case{4, 0, 0, 0x4400}}) {
        CAPTURE(c.after);
        const Buffer plain =
            hand_made({.offset_size = c.offset, .length_size = c.length, .base_size = c.base});
        const Buffer labelled = check_label_round_trip(Format::kAvif, plain);
        const std::size_t iloc = find_name(labelled, "iloc");
        CHECK(load_be16(Bytes(labelled).subspan(iloc + 8)) == c.after);
        // The coded item is found where the table says: base plus offset.
        const std::size_t place = find_name(labelled, "CODEDDATA");
        Buffer wanted;
        append_be32(wanted, static_cast<std::uint32_t>(place));
        CHECK(as_text(labelled).substr(iloc, 64).find(as_text(wanted)) != std::string_view::npos);
    }
}

TEST_CASE("a packet behind the signature of JPEG's APP1 segment is read and repaired") {
    // In hand-made form: our own file, whose packet gets the signature that some cameras write.
    const Buffer ours = write_label(Format::kAvif, hand_made({}), kOtherLabel);
    const std::string_view signature{"http://ns.adobe.com/xap/1.0/\0", 29};
    const std::size_t packet = find_name(ours, "<?xpacket begin");
    Buffer file = ours;
    file.insert(file.begin() + static_cast<std::ptrdiff_t>(packet), signature.begin(),
                signature.end());
    const auto size = static_cast<std::uint32_t>(ours.size() - packet + signature.size());
    store_be32(file, packet - 8, size + 8);
    const std::size_t extent =
        as_text(file).find(as_text(be32(static_cast<std::uint32_t>(packet)))) + 4;
    store_be32(file, extent, size);
    REQUIRE(read_labels(Format::kAvif, file).sites.size() == 1);
    const Buffer repaired = check_label_round_trip(Format::kAvif, file);
    CHECK(as_text(repaired).find(signature) == std::string_view::npos);
}

TEST_CASE("free space behind the meta box is used up before anything moves") {
    const Buffer plain = hand_made({.after_meta = box("free", std::string(400, 'x'))});
    const Buffer labelled = check_label_round_trip(Format::kAvif, plain);
    CHECK(find_name(labelled, "CODEDDATA") == find_name(plain, "CODEDDATA"));
}

TEST_CASE("a file whose last box has no size gets one, so that the packet can follow") {
    const Buffer plain = hand_made({.open_end = true});
    const Buffer labelled = check_label_round_trip(Format::kAvif, plain);
    const std::size_t data = find_name(labelled, "CODEDDATA");
    CHECK(load_be32(Bytes(labelled).subspan(data - 8)) == 17);
}

TEST_CASE("an animated AVIF keeps its frames when the meta box grows") {
    const TempDir dir;
    const ToolRun made =
        run_tool(ffmpeg_words({"-f", "lavfi", "-i", "testsrc=d=1:s=64x48:r=5", "-c:v", "libaom-av1",
                               "-cpu-used", "8", dir.file("moving.avif")}));
    if (made.exit_code != 0) {
        MESSAGE("this FFmpeg writes no AVIF");
        return;
    }
    const Buffer plain = read_file(dir.file("moving.avif"));
    const Buffer labelled = check_label_round_trip(Format::kAvif, plain);
    write_file(dir.file("labelled.avif"), labelled);
    CHECK(decoded_md5(dir.file("moving.avif")) == decoded_md5(dir.file("labelled.avif")));
}

TEST_CASE("compressed XMP of libheif is read") {
    const TempDir dir;
    (void)make_picture(dir, "picture.heic");
    write_file(dir.file("tc260.config"), as_bytes(kExifToolConfig));
    (void)run_tool_ok({"exiftool", "-config", dir.file("tc260.config"), "-overwrite_original",
                       "-XMP-TC260:AIGC=" + std::string(kOtherLabel), dir.file("picture.png")});
    (void)run_tool_ok({"heif-enc", "--enable-metadata-compression", "-o", dir.file("small.heic"),
                       dir.file("picture.png")});
    const Buffer file = read_file(dir.file("small.heic"));
    const auto reading = read_labels(Format::kHeic, file);
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.sites[0].value == kOtherLabel);
    (void)check_label_round_trip(Format::kHeic, file);
}

TEST_CASE("a label in the EXIF item is read, and gone when the XMP item has one") {
    const TempDir dir;
    (void)make_picture(dir, "picture.heic");
    (void)run_tool_ok({"exiftool", "-overwrite_original", "-Artist=Kept",
                       "-UserComment={\"AIGC\":" + std::string(kOtherLabel) + "}",
                       dir.file("picture.heic")});
    const Buffer foreign = read_file(dir.file("picture.heic"));
    const auto reading = read_labels(Format::kHeic, foreign);
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.sites[0].value.find("foreign") != std::string::npos);
    CHECK_FALSE(reading.sites[0].standard_place);
    const Buffer ours = check_label_round_trip(Format::kHeic, foreign);
    write_file(dir.file("ours.heic"), ours);
    CHECK(run_tool_ok({"exiftool", "-s3", "-Artist", dir.file("ours.heic")}) == "Kept\n");
}

TEST_CASE("a picture cut anywhere is an error or a file without label, never a guess") {
    const Buffer labelled = write_label(Format::kAvif, hand_made({}));
    for (std::size_t size = 0; size < labelled.size(); ++size) {
        CAPTURE(size);
        const Bytes cut = Bytes(labelled).first(size);
        const auto reading = label::find_container(Format::kAvif)->read(cut);
        if (reading.ok()) {
            CHECK(reading->sites.empty());
        }
        const auto written = label::find_container(Format::kAvif)->write(cut, label_fields());
        if (written.ok()) {
            (void)check_label_round_trip(Format::kAvif, cut);
        }
    }
}

TEST_CASE("item tables that lie about their size are errors at once") {
    Buffer extents = hand_made({});
    // 65535 extents of no bytes each for every one of 65535 items would be four thousand million.
    const std::size_t iloc = find_name(extents, "iloc");
    const Buffer bomb = box("iloc", join({be32(0), be16(0), be16(0xFFFF), [] {
                                              Buffer items;
                                              for (unsigned i = 0; i < 0xFFFF; ++i) {
                                                  append_be16(items, static_cast<std::uint16_t>(i));
                                                  append_be16(items, 0);
                                                  append_be16(items, 0xFFFF);
                                              }
                                              return items;
                                          }()}));
    const std::size_t old_size = load_be32(Bytes(extents).subspan(iloc - 4));
    extents.erase(extents.begin() + static_cast<std::ptrdiff_t>(iloc) - 4,
                  extents.begin() + static_cast<std::ptrdiff_t>(iloc - 4 + old_size));
    extents.insert(extents.begin() + static_cast<std::ptrdiff_t>(iloc) - 4, bomb.begin(),
                   bomb.end());
    const std::size_t meta = find_name(extents, "meta") - 4;
    store_be32(extents, meta,
               static_cast<std::uint32_t>(load_be32(Bytes(extents).subspan(meta)) + bomb.size() -
                                          old_size));
    const auto reading = label::find_container(Format::kAvif)->read(extents);
    REQUIRE_FALSE(reading.ok());
    CHECK(reading.error().code == ErrorCode::kLimit);

    Buffer count = hand_made({});
    count[find_name(count, "iloc") + 10] = 0xFF;
    CHECK_FALSE(label::find_container(Format::kAvif)->read(count).ok());
}

}  // namespace
}  // namespace colophon::test
