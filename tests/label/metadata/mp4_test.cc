// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/format.h"
#include "label/metadata/bmff_media.h"
#include "label/metadata/container.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {
namespace {

using label::Format;

// The bytes of the last box of that name in the file.
Buffer box_bytes(const Buffer& file, std::string_view name) {
    const std::size_t at = as_text(file).rfind(name);
    REQUIRE(at != std::string_view::npos);
    const std::size_t size = load_be32(Bytes(file).subspan(at - 4));
    return to_buffer(Bytes(file).subspan(at - 4, size));
}

// Three programs of other people find the label, and the media is what it was.
void check_witnesses(const TempDir& dir, const std::string& name, const Buffer& plain,
                     const Buffer& labelled) {
    CAPTURE(name);
    const std::string before = dir.file("before-" + name);
    const std::string after = dir.file("after-" + name);
    write_file(before, plain);
    write_file(after, labelled);
    CHECK(decoded_md5(before) == decoded_md5(after));
    CHECK(run_tool_ok({"ffprobe", "-v", "error", "-show_entries", "format_tags=AIGC", "-of",
                       "default=nw=1:nk=1", after}) == std::string(kLabel) + "\n");
    CHECK(run_tool_ok({"exiftool", "-s3", "-a", "-AIGC", after}) == std::string(kLabel) + "\n");
    CHECK(run_tool_ok({"exiftool", "-s3", "-a", "-Warning", "-Error", after}).empty());
    CHECK(run_tool_ok({"mediainfo", after}).find(std::string(kLabel)) != std::string::npos);
    // Not one warning of the demultiplexer.
    CHECK(run_tool({"ffprobe", "-v", "warning", after}).err.empty());
}

struct Row {
    std::string name;
    std::vector<std::string> options;
};

const std::vector<Row> kLayouts{
    {"plain", {}},
    {"faststart", {"-movflags", "+faststart"}},
    {"titled", {"-metadata", "title=Kept", "-metadata", "artist=Somebody"}},
    {"titled-faststart", {"-metadata", "title=Kept", "-movflags", "+faststart"}},
    {"keys", {"-metadata", "title=Kept", "-movflags", "use_metadata_tags"}},
    {"keys-faststart", {"-metadata", "title=Kept", "-movflags", "+use_metadata_tags+faststart"}},
    {"bitexact", {"-fflags", "+bitexact", "-flags:a", "+bitexact", "-movflags", "+faststart"}},
    {"fragmented", {"-movflags", "+frag_keyframe+empty_moov", "-frag_duration", "500000"}},
    {"fragmented-base",
     {"-movflags", "+frag_keyframe+empty_moov+omit_tfhd_offset", "-frag_duration", "500000"}},
    {"dash",
     {"-movflags", "+frag_keyframe+empty_moov+default_base_moof+dash+global_sidx", "-frag_duration",
      "500000"}},
};

// A movie of boxes with `user_data` as children of moov.udta and `extra` as children of moov.
Buffer hand_made(const std::vector<Buffer>& user_data, const std::vector<Buffer>& extra,
                 std::size_t media_bytes = 16) {
    std::vector<Buffer> moov{box("mvhd", std::string(100, '\0'))};
    moov.insert(moov.end(), extra.begin(), extra.end());
    if (!user_data.empty()) {
        moov.push_back(box("udta", join(user_data)));
    }
    return join({box("ftyp", std::string_view("M4A \0\0\2\0M4A mp42", 16)),
                 box("mdat", std::string(media_bytes, 'm')), box("moov", join(moov))});
}

Buffer handler(std::string_view type) {
    return box("hdlr", join({Buffer(8, 0), to_buffer(type), Buffer(13, 0)}));
}
Buffer data_box(std::string_view text) {
    return box("data", join({be32(1), be32(0), to_buffer(text)}));
}
Buffer keys(std::string_view name) {
    return box("keys", join({be32(0), be32(1), box("mdta", name)}));
}
Buffer list(std::string_view type, const Buffer& content) {
    return box("ilst", box(type, content));
}
constexpr std::string_view kIndex1{"\0\0\0\1", 4};

struct Wild {
    std::string what;
    Buffer file;
};

std::vector<Wild> wild_files() {
    const Buffer full = be32(0);
    const Buffer standard = list(kIndex1, data_box(kOtherLabel));
    const std::string xmp =
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF "
        "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description "
        "xmlns:TC260=\"http://www.tc260.org.cn/ns/AIGC/1.0/\"><TC260:AIGC>{\"Label\":\"2\","
        "\"ContentProducer\":\"foreign\",\"ProduceID\":\"x\"}</TC260:AIGC></rdf:Description>"
        "</rdf:RDF></x:xmpmeta>";
    Buffer uuid_box = hand_made({}, {});
    append(uuid_box,
           box("uuid", join({*from_hex("be7acfcb97a942e89c71999491e3afac"), to_buffer(xmp)})));
    const Buffer freeform =
        box("----", join({box("mean", join({full, to_buffer("com.apple.iTunes")})),
                          box("name", join({full, to_buffer("AIGC")})), data_box(kOtherLabel)}));
    const std::string quicktime_text = [] {
        Buffer text = be16(static_cast<std::uint16_t>(kOtherLabel.size()));
        append_be16(text, 0x55C4);
        append(text, kOtherLabel);
        return std::string(as_text(text));
    }();
    return {
        {"keys in user data",
         hand_made({box("meta", join({full, handler("mdta"), keys("AIGC"), standard}))}, {})},
        {"QuickTime meta in the movie",
         hand_made({}, {box("meta", join({handler("mdta"), keys("AIGC"), standard}))})},
        {"ISO meta in the movie",
         hand_made({}, {box("meta", join({full, handler("mdta"), keys("AIGC"), standard}))})},
        {"iTunes list without keys",
         hand_made(
             {box("meta", join({full, handler("mdir"), list("AIGC", data_box(kOtherLabel))}))},
             {})},
        {"iTunes list of a bare value",
         hand_made({box("meta", join({full, handler("mdir"), box("ilst", data_box(kOtherLabel))}))},
                   {})},
        {"iTunes list with text but no data box",
         hand_made(
             {box("meta", join({full, handler("mdir"), list(kIndex1, to_buffer(kOtherLabel))}))},
             {})},
        {"iTunes free form",
         hand_made({box("meta", join({full, handler("mdir"), box("ilst", freeform)}))}, {})},
        {"comment", hand_made({box("meta", join({full, handler("mdir"),
                                                 list("\xA9"
                                                      "cmt",
                                                      data_box(kOtherLabel))}))},
                              {})},
        {"box AIGC in user data", hand_made({box("AIGC", kOtherLabel)}, {})},
        {"QuickTime text in user data", hand_made({box("\xA9"
                                                       "cmt",
                                                       quicktime_text)},
                                                  {})},
        {"XMP in user data", hand_made({box("XMP_", xmp)}, {})},
        {"XMP box", uuid_box},
        {"behind a huge mdat",
         hand_made({box("meta", join({full, handler("mdta"), keys("AIGC"), standard}))}, {},
                   std::size_t{8} << 20U)},
        {"track", hand_made({}, {box("trak", box("udta", box("AIGC", kOtherLabel)))})},
    };
}

// [GB45438-6.1] [TC260-PG-202510A]
TEST_CASE("a label written into M4A is read by ffprobe, ExifTool and MediaInfo, sound unchanged" *
          doctest::test_suite("slow")) {
    const TempDir dir;
    for (const Row& row : kLayouts) {
        CAPTURE(row.name);
        const std::string name = row.name + ".m4a";
        const Buffer plain = make_sound(dir, name, row.options);
        CHECK(read_labels(Format::kM4a, plain).sites.empty());
        const Buffer labelled = check_label_round_trip(Format::kM4a, plain);
        check_witnesses(dir, name, plain, labelled);
    }
}

// [GB45438-6.1] [TC260-PG-20257A]
TEST_CASE("a label written into MP4 and MOV is read by all three, pictures and sound unchanged" *
          doctest::test_suite("slow")) {
    const TempDir dir;
    for (const Row& row : kLayouts) {
        for (const std::string suffix : {".mp4", ".mov"}) {
            if (suffix == ".mov" && row.name == "dash") {
                continue;
            }
            CAPTURE(row.name);
            const std::string name = row.name + suffix;
            const Buffer plain = make_video(dir, name, row.options);
            const Buffer labelled = check_label_round_trip(Format::kMp4, plain);
            check_witnesses(dir, name, plain, labelled);
        }
    }
}

TEST_CASE("the layout is FFmpeg's, byte for byte, when a file has no tags") {
    const TempDir dir;
    const std::vector<std::string> exact{"-fflags", "+bitexact", "-flags:a", "+bitexact"};
    const Buffer plain = make_sound(dir, "plain.m4a", exact);
    std::vector<std::string> tagged = exact;
    tagged.insert(tagged.end(),
                  {"-movflags", "use_metadata_tags", "-metadata", "AIGC=" + std::string(kLabel)});
    const Buffer theirs = make_sound(dir, "theirs.m4a", tagged);
    CHECK(box_bytes(write_label(Format::kM4a, plain), "udta") == box_bytes(theirs, "udta"));
    CHECK(write_label(Format::kM4a, theirs) == theirs);
}

TEST_CASE("tags of a music shop stay byte for byte beside the label") {
    const TempDir dir;
    const Buffer plain =
        make_sound(dir, "tagged.m4a", {"-metadata", "title=Kept", "-metadata", "artist=Somebody"});
    const Buffer labelled = write_label(Format::kM4a, plain);
    CHECK(box_bytes(labelled, "udta") == box_bytes(plain, "udta"));
    CHECK(read_labels(Format::kM4a, labelled).sites[0].where == "m4a moov.meta key AIGC");
    write_file(dir.file("labelled.m4a"), labelled);
    CHECK(run_tool_ok({"exiftool", "-s3", "-Title", dir.file("labelled.m4a")}) == "Kept\n");
}

TEST_CASE("a label survives FFmpeg's copy with use_metadata_tags and is then still the only one") {
    const TempDir dir;
    for (const std::string title : {"", "Kept"}) {
        std::vector<std::string> options;
        if (!title.empty()) {
            options = {"-metadata", "title=" + title};
        }
        const Buffer plain = make_sound(dir, "plain.m4a", options);
        write_file(dir.file("labelled.m4a"), write_label(Format::kM4a, plain));
        (void)run_tool_ok(ffmpeg_words({"-i", dir.file("labelled.m4a"), "-c", "copy", "-movflags",
                                        "use_metadata_tags", dir.file("copy.m4a")}));
        const auto reading = read_labels(Format::kM4a, read_file(dir.file("copy.m4a")));
        REQUIRE(reading.sites.size() == 1);
        CHECK(reading.sites[0].value == kLabel);
    }
}

TEST_CASE("labels are read wherever they have been seen, and one is left after writing") {
    for (const Wild& wild : wild_files()) {
        CAPTURE(wild.what);
        const auto reading = read_labels(Format::kM4a, wild.file);
        REQUIRE(reading.sites.size() == 1);
        CHECK(reading.sites[0].value == kOtherLabel);
        const Buffer ours = check_label_round_trip(Format::kM4a, wild.file);
        CHECK(as_text(ours).find("foreign") == std::string_view::npos);
    }
}

TEST_CASE("a comment that only mentions AIGC stays") {
    const Buffer file = hand_made({box("meta", join({be32(0), handler("mdir"),
                                                     list("\xA9"
                                                          "cmt",
                                                          data_box("a song about AIGC"))}))},
                                  {});
    const Buffer labelled = write_label(Format::kM4a, file);
    CHECK(as_text(labelled).find("a song about AIGC") != std::string_view::npos);
}

TEST_CASE("free space behind the movie is used up, so that no media moves") {
    const TempDir dir;
    const Buffer fast = make_sound(dir, "fast.m4a", {"-movflags", "+faststart"});
    const std::size_t free_box = find_name(fast, "free") - 4;
    Buffer roomy = to_buffer(Bytes(fast).first(free_box));
    append(roomy, box("free", std::string(1000, '\0')));
    append(roomy, Bytes(fast).subspan(free_box + 8));
    // Only chunk offsets would be wrong in this file, and nobody looks at them here.
    const Buffer labelled = check_label_round_trip(Format::kM4a, roomy);
    CHECK(labelled.size() == roomy.size());
    CHECK(find_name(labelled, "mdat") == find_name(roomy, "mdat"));
}

TEST_CASE("a chunk offset that would pass 4 GB is refused with advice") {
    const Buffer stco = box("stco", join({be32(0), be32(1), be32(0xFFFFFFF0)}));
    const Buffer moov = box("moov", box("trak", box("mdia", box("minf", box("stbl", stco)))));
    const Buffer file = join(
        {box("ftyp", std::string_view("isom\0\0\2\0isommp42", 16)), moov, box("mdat", "media")});
    const auto written = label::find_container(Format::kM4a)->write(file, label_fields());
    REQUIRE_FALSE(written.ok());
    CHECK(written.error().code == ErrorCode::kLimit);
    CHECK(written.error().what.find("remultiplex") != std::string::npos);
}

TEST_CASE("a movie cut anywhere is an error or a file without label, never a guess") {
    const Buffer labelled = write_label(Format::kM4a, hand_made({box("\xA9"
                                                                     "nam",
                                                                     "x")},
                                                                {}));
    for (std::size_t size = 0; size < labelled.size(); ++size) {
        CAPTURE(size);
        CHECK_FALSE(label::find_container(Format::kM4a)->read(Bytes(labelled).first(size)).ok());
        CHECK_FALSE(label::find_container(Format::kM4a)
                        ->write(Bytes(labelled).first(size), label_fields())
                        .ok());
    }
}

TEST_CASE("boxes that lie about their size are errors") {
    const Buffer good = write_label(Format::kM4a, hand_made({}, {}));
    for (const std::string_view name : {"udta", "meta", "keys", "ilst", "data", "moov"}) {
        for (const std::uint32_t size : {0U, 1U, 2U, 7U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
            CAPTURE(name);
            CAPTURE(size);
            Buffer bad = good;
            store_be32(bad, as_text(bad).rfind(name) - 4, size);
            const auto reading = label::find_container(Format::kM4a)->read(bad);
            // Only the last box of a file may leave its size open.
            CHECK(reading.ok() == (name == "moov" && size == 0));
        }
    }
}

TEST_CASE("boxes nested a thousand deep cost nothing") {
    Buffer nested;
    for (int i = 0; i < 10000; ++i) {
        Buffer outer;
        append_be32(outer, static_cast<std::uint32_t>((10000 - i) * 8));
        append(outer, "moov");
        append(nested, outer);
    }
    const Buffer file = join({box("ftyp", std::string_view("M4A \0\0\2\0M4A mp42", 16)), nested});
    CHECK(read_labels(Format::kM4a, file).sites.empty());
    (void)check_label_round_trip(Format::kM4a, file);
}

TEST_CASE("a 64-bit box size is read and kept") {
    Buffer file = box("ftyp", std::string_view("M4A \0\0\2\0M4A mp42", 16));
    append(file, be32(1));
    append(file, "moov");
    append_be64(file, 16 + 108);
    append(file, box("mvhd", std::string(100, '\0')));
    append(file, box("mdat", "media"));
    const Buffer labelled = check_label_round_trip(Format::kM4a, file);
    CHECK(load_be64(Bytes(labelled).subspan(32)) == 124 + labelled.size() - file.size());
    store_be64(file, 32, 0xFFFFFFFFFFFFFFFF);
    CHECK_FALSE(label::find_container(Format::kM4a)->read(file).ok());
}

}  // namespace
}  // namespace colophon::test
