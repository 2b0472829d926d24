// SPDX-License-Identifier: Apache-2.0
// The label in the formats of sounds, and in WebP and AVI: what we write, other programs read, and
// the other way round. [GB45438-6.1]
#include "core/bytes.h"
#include "core/splice.h"
#include "label/apply.h"
#include "label/container/id3v2.h"
#include "label/container/ogg_pages.h"
#include "label/container/riff_chunks.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "label/plan.h"
#include "label/verify.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

constexpr std::string_view kLabel =
    R"({"Label":"1","ContentProducer":"001191110102MADD2U0W6X10000","ProduceID":"p-1",)"
    R"("ReservedCode1":"","ContentPropagator":"","PropagateID":"","ReservedCode2":""})";
constexpr std::string_view kOther =
    R"({"Label":"2","ContentProducer":"somebody","ProduceID":"p-2","ReservedCode1":"",)"
    R"("ContentPropagator":"","PropagateID":"","ReservedCode2":"and-it-is-longer-than-the-first"})";

struct Sound {
    std::string_view extension;
    Format format;
    std::vector<std::string> codec;  // options of FFmpeg
};

const std::vector<Sound>& sounds() {
    static const std::vector<Sound> kSounds{
        {"wav", Format::kWav, {}},
        {"mp3", Format::kMp3, {"-c:a", "libmp3lame"}},
        {"flac", Format::kFlac, {}},
        {"ogg", Format::kOggVorbis, {"-c:a", "libvorbis"}},
        {"opus", Format::kOpus, {"-c:a", "libopus"}},
    };
    return kSounds;
}

// One second of a tone with a title, and whatever else the arguments say.
Buffer make_sound(const test::TempDir& dir, const Sound& sound,
                  const std::vector<std::string>& more = {}) {
    const std::string path = dir.file("made." + std::string(sound.extension));
    std::vector<std::string> argv{"ffmpeg", "-v",    "error", "-y",
                                  "-f",     "lavfi", "-i",    "sine=frequency=440:duration=1"};
    argv.insert(argv.end(), sound.codec.begin(), sound.codec.end());
    argv.insert(argv.end(), {"-metadata", "title=A tone"});
    argv.insert(argv.end(), more.begin(), more.end());
    argv.push_back(path);
    test::run_tool_ok(argv);
    return test::read_file(path);
}

Buffer write_label(Format format, Bytes file, std::string_view value) {
    const auto splice =
        find_container(format)->write(file, {.aigc = std::string(value), .iptc = {}});
    REQUIRE_MESSAGE(splice.ok(), splice.error().what);
    return apply_splice(file, *splice);
}

MetadataReading read_label(Format format, Bytes file) {
    auto reading = find_container(format)->read(file);
    REQUIRE_MESSAGE(reading.ok(), reading.error().what);
    return *std::move(reading);
}

void check_one_label(Format format, Bytes file, std::string_view value) {
    const MetadataReading reading = read_label(format, file);
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.sites[0].value == value);
    CHECK(reading.sites[0].standard_place);
}

std::string decoded_md5(const test::TempDir& dir, std::string_view extension, Bytes file) {
    const std::string path = dir.file("decode." + std::string(extension));
    test::write_file(path, file);
    return test::run_tool_ok(
        {"ffmpeg", "-v", "error", "-i", path, "-map", "0:a", "-f", "md5", "-"});
}

bool contains(Bytes file, std::string_view text) {
    return as_text(file).find(text) != std::string_view::npos;
}

TEST_CASE("a label is written once, read back, replaced, and the sound stays the same") {
    const test::TempDir dir;
    for (const Sound& sound : sounds()) {
        CAPTURE(sound.extension);
        const Buffer original = make_sound(dir, sound);
        CHECK(read_label(sound.format, original).sites.empty());
        const Buffer labelled = write_label(sound.format, original, kLabel);
        check_one_label(sound.format, labelled, kLabel);
        CHECK(write_label(sound.format, labelled, kLabel) == labelled);
        const Buffer replaced = write_label(sound.format, labelled, kOther);
        check_one_label(sound.format, replaced, kOther);
        CHECK_FALSE(contains(replaced, "\"p-1\""));
        CHECK(contains(replaced, "A tone"));
        CHECK(decoded_md5(dir, sound.extension, replaced) ==
              decoded_md5(dir, sound.extension, original));
    }
}

TEST_CASE("FFmpeg and ExifTool read the label that we write") {
    const test::TempDir dir;
    for (const Sound& sound : sounds()) {
        if (sound.format == Format::kWav) {
            continue;  // neither of them knows the chunk
        }
        CAPTURE(sound.extension);
        const std::string path = dir.file("ours." + std::string(sound.extension));
        test::write_file(path, write_label(sound.format, make_sound(dir, sound), kLabel));
        const std::string tags =
            test::run_tool_ok({"ffprobe", "-v", "error", "-show_entries", "format_tags:stream_tags",
                               "-of", "default", path});
        CHECK(tags.find("TAG:AIGC=" + std::string(kLabel)) != std::string::npos);
        CHECK(test::run_tool_ok({"exiftool", "-a", "-G1", path}).find("\"ProduceID\":\"p-1\"") !=
              std::string::npos);
        CHECK(test::run_tool_ok({"mediainfo", "--Full", path}).find("\"p-1\"") !=
              std::string::npos);
    }
}

TEST_CASE("the tools of each format find nothing wrong in our files") {
    const test::TempDir dir;
    for (const Sound& sound : sounds()) {
        const std::string path = dir.file("ours." + std::string(sound.extension));
        test::write_file(path, write_label(sound.format, make_sound(dir, sound), kLabel));
    }
    test::run_tool_ok({"flac", "-t", "-s", dir.file("ours.flac")});
    CHECK(test::run_tool_ok({"metaflac", "--list", dir.file("ours.flac")})
              .find("AIGC=" + std::string(kLabel)) != std::string::npos);
    CHECK(test::run_tool_ok({"vorbiscomment", "-l", dir.file("ours.ogg")})
              .find("AIGC=" + std::string(kLabel)) != std::string::npos);
    const auto ogg = test::run_tool({"ogginfo", dir.file("ours.ogg")});
    CHECK(ogg.exit_code == 0);
    CHECK(ogg.out.find("WARNING") == std::string::npos);
    CHECK(test::run_tool_ok({"opusinfo", dir.file("ours.opus")}).find("WARNING") ==
          std::string::npos);
}

TEST_CASE("labels that FFmpeg wrote are read (variants 14 and 15)") {
    const test::TempDir dir;
    for (const Sound& sound : sounds()) {
        if (sound.format == Format::kWav) {
            continue;  // FFmpeg drops the label there
        }
        CAPTURE(sound.extension);
        const Buffer file = make_sound(dir, sound, {"-metadata", "AIGC=" + std::string(kLabel)});
        check_one_label(sound.format, file, kLabel);
        check_one_label(sound.format, write_label(sound.format, file, kOther), kOther);
    }
}

TEST_CASE("an Ogg file whose headers need more pages is renumbered and still sound") {
    const test::TempDir dir;
    const std::string big(100000, 'x');
    for (const Sound& sound : sounds()) {
        if (sound.format != Format::kOggVorbis && sound.format != Format::kOpus) {
            continue;
        }
        CAPTURE(sound.extension);
        const Buffer original = make_sound(dir, sound);
        const Buffer grown = write_label(sound.format, original, big);
        check_one_label(sound.format, grown, big);
        const std::string path = dir.file("grown." + std::string(sound.extension));
        test::write_file(path, grown);
        const auto info = test::run_tool({"ogginfo", path});
        CHECK(info.exit_code == 0);
        CHECK(info.out.find("WARNING") == std::string::npos);
        CHECK(decoded_md5(dir, sound.extension, grown) ==
              decoded_md5(dir, sound.extension, original));
        // Numbers without a gap, and every checksum right, though no body was read.
        std::uint32_t sequence = 0;
        for (std::uint64_t at = 0; at < grown.size(); ++sequence) {
            const OggPage page = read_ogg_page(grown, at).value();
            CHECK(page.sequence == sequence);
            CHECK(ogg_checksum_matches(grown, page));
            at = page.end();
        }
        const Buffer shrunk = write_label(sound.format, grown, kLabel);
        check_one_label(sound.format, shrunk, kLabel);
    }
}

TEST_CASE("FLAC and MP3 padding takes up the label, so that the sound does not move") {
    const test::TempDir dir;
    const Buffer flac = make_sound(dir, sounds()[2]);
    CHECK(write_label(Format::kFlac, flac, kLabel).size() == flac.size());
    const Buffer mp3 = make_sound(dir, sounds()[1]);
    const Buffer labelled = write_label(Format::kMp3, mp3, kLabel);
    CHECK(labelled.size() > mp3.size());
    CHECK(write_label(Format::kMp3, labelled, kOther).size() == labelled.size());
}

TEST_CASE("MP3 tags of every version keep it and their other frames") {
    const test::TempDir dir;
    for (const char* version : {"3", "4"}) {
        CAPTURE(version);
        const Buffer file = make_sound(dir, sounds()[1], {"-id3v2_version", version});
        const Buffer labelled = write_label(Format::kMp3, file, kLabel);
        CHECK(labelled[3] == version[0] - '0');
        check_one_label(Format::kMp3, labelled, kLabel);
    }
    const Buffer bare = make_sound(
        dir, sounds()[1], {"-id3v2_version", "0", "-write_xing", "0", "-write_id3v1", "1"});
    REQUIRE(bare[0] == 0xFF);
    const Buffer labelled = write_label(Format::kMp3, bare, kLabel);
    check_one_label(Format::kMp3, labelled, kLabel);
    CHECK(std::ranges::equal(Bytes(labelled).last(bare.size()), bare));
    // Version 2.2, unsynchronised: a picture with 0xFF 0xFB in it must survive.
    Id3Tag tag;
    tag.version = 2;
    tag.flags = 0x80;
    Buffer frames = to_buffer(std::string_view("PIC\0\0\x04\xFF\xFB\xFF\x00", 10));
    Buffer old = make_id3_tag(tag, frames, 0).value();
    append(old, bare);
    const Buffer second = write_label(Format::kMp3, old, kLabel);
    check_one_label(Format::kMp3, second, kLabel);
    const Id3Tag read = read_id3_tag(second, 0).value().value();
    CHECK(read.version == 2);
    REQUIRE(read.frames.size() == 2);
    CHECK(std::ranges::equal(read.body(second).first(10), frames));
    CHECK(write_label(Format::kMp3, second, kLabel) == second);
}

// An APE tag of these items, without a header.
Buffer make_ape(const std::vector<std::pair<std::string_view, std::string_view>>& items) {
    Buffer tag;
    for (const auto& [key, value] : items) {
        append_le32(tag, static_cast<std::uint32_t>(value.size()));
        append_le32(tag, 0);
        append(tag, key);
        tag.push_back(0);
        append(tag, value);
    }
    const auto size = static_cast<std::uint32_t>(tag.size() + 32);
    append(tag, "APETAGEX");
    for (const std::uint32_t field :
         {2000U, size, static_cast<std::uint32_t>(items.size()), 0U, 0U, 0U}) {
        append_le32(tag, field);
    }
    return tag;
}

TEST_CASE("a label in an APE tag is read, and gone after writing") {
    const test::TempDir dir;
    Buffer file = make_sound(dir, sounds()[1]);
    append(file, make_ape({{"AIGC", kLabel}, {"Title", "kept"}}));
    const MetadataReading reading = read_label(Format::kMp3, file);
    REQUIRE(reading.sites.size() == 1);
    CHECK_FALSE(reading.sites[0].standard_place);
    const Buffer labelled = write_label(Format::kMp3, file, kOther);
    check_one_label(Format::kMp3, labelled, kOther);
    CHECK(contains(labelled, "kept"));
}

TEST_CASE("APE tags behind each other, and around an ID3v1 tag, all lose their labels") {
    const test::TempDir dir;
    const Buffer sound = make_sound(dir, sounds()[1]);
    const Buffer ape = make_ape({{"AIGC", kLabel}});
    Buffer id3v1 = to_buffer("TAGsong");
    id3v1.resize(128, ' ');
    // By Mp3tag, foobar2000 and the like, one after the other.
    for (const std::vector<const Buffer*>& end : std::vector<std::vector<const Buffer*>>{
             {&ape, &ape}, {&ape, &id3v1}, {&ape, &ape, &id3v1}, {&ape, &id3v1, &ape}}) {
        Buffer file = sound;
        for (const Buffer* part : end) {
            append(file, *part);
        }
        const Buffer labelled = write_label(Format::kMp3, file, kOther);
        check_one_label(Format::kMp3, labelled, kOther);
        CHECK_FALSE(contains(labelled, "APETAGEX"));
        CHECK(contains(labelled, "TAGsong") == contains(file, "TAGsong"));
    }
}

TEST_CASE("TAG that is no ID3v1 tag, because it lies in another tag, hides no APE tag") {
    // 128 bytes before the end, within a private frame of the ID3v2 tag.
    const Buffer ape = make_ape({{"AIGC", R"({"Label":"1","ProduceID":"x"})"}});
    const std::string secret =
        "me@home" + std::string(1, '\0') + "TAG" + std::string(128 - 3 - 4 - ape.size(), 'x');
    const auto size = static_cast<std::uint8_t>(secret.size());
    Buffer file = to_buffer("ID3");
    append(file, Buffer{3, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(size + 10)});
    append(file, "PRIV");
    append(file, Buffer{0, 0, 0, size, 0, 0});
    append(file, secret);
    append(file, Buffer{0xff, 0xfb, 0x90, 0x00});
    append(file, ape);
    REQUIRE(as_text(file).substr(file.size() - 128, 3) == "TAG");
    CHECK(read_label(Format::kMp3, file).sites.size() == 1);
    check_one_label(Format::kMp3, write_label(Format::kMp3, file, kOther), kOther);
}

// A WAV of the chunks given between fmt and data.
Buffer make_wav(const Buffer& extra, std::uint32_t riff_size = 0xFFFFFFF0) {
    Buffer body = to_buffer("WAVE");
    append(body,
           make_riff_chunk("fmt ", Buffer{1, 0, 1, 0, 64, 31, 0, 0, 128, 62, 0, 0, 2, 0, 16, 0}));
    append(body, extra);
    append(body, make_riff_chunk("data", Buffer(9, 7)));
    Buffer file = to_buffer("RIFF");
    append_le32(file,
                riff_size == 0xFFFFFFF0 ? static_cast<std::uint32_t>(body.size()) : riff_size);
    append(file, body);
    return file;
}

TEST_CASE("WAV labels in LIST/INFO, ID3 and XMP chunks are read, and gone after writing") {
    Buffer info = to_buffer("INFO");
    append(info, make_riff_chunk("INAM", as_bytes("A tone")));
    append(info, make_riff_chunk("AIGC", as_bytes(kLabel)));
    Id3Tag tag;
    tag.version = 3;
    Buffer extra = make_riff_chunk("LIST", info);
    append(
        extra,
        make_riff_chunk(
            "id3 ", make_id3_tag(
                        tag, make_user_text(tag, {.name = "AIGC", .value = std::string(kLabel)}), 0)
                        .value()));
    append(extra, make_riff_chunk("_PMX", as_bytes("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF "
                                                   "xmlns:rdf='http://www.w3.org/1999/02/"
                                                   "22-rdf-syntax-ns#'><rdf:Description "
                                                   "xmlns:t='http://www.tc260.org.cn/ns/AIGC/1.0/'>"
                                                   "<t:AIGC>{\"Label\":\"1\"}</t:AIGC><keep/>"
                                                   "</rdf:Description></rdf:RDF></x:xmpmeta>")));
    append(extra, make_riff_chunk("cue ", Buffer(4)));
    append(extra, make_riff_chunk("AIGC", as_bytes(kLabel)));
    append(extra, make_riff_chunk("AIGC", as_bytes(kLabel)));
    const Buffer file = make_wav(extra);
    CHECK(read_label(Format::kWav, file).sites.size() == 5);
    const Buffer labelled = write_label(Format::kWav, file, kOther);
    check_one_label(Format::kWav, labelled, kOther);
    CHECK(contains(labelled, "A tone"));
    CHECK(contains(labelled, "<keep/>"));
    CHECK(contains(labelled, std::string_view("cue \x04\0\0\0\0\0\0\0", 12)));
    CHECK(load_le32(Bytes(labelled).subspan(4)) == labelled.size() - 8);
    CHECK(write_label(Format::kWav, labelled, kOther) == labelled);
}

TEST_CASE("the WAV label stands directly before the sound, padded to an even size (variant 13)") {
    const Buffer file = make_wav({});
    const Buffer labelled = write_label(Format::kWav, file, "{\"a\":1}");
    CHECK(to_hex(Bytes(labelled).subspan(36, 24)) ==
          "41494743070000007b2261223a317d006461746109000000");
}

TEST_CASE("sizes that streaming writers leave open are read with a finding and stay open") {
    for (const std::uint32_t open : {0U, 0xFFFFFFFFU}) {
        CAPTURE(open);
        Buffer file = make_wav({}, open);
        store_le32(file, 40, open);
        const MetadataReading reading = read_label(Format::kWav, file);
        REQUIRE_FALSE(reading.findings.empty());
        CHECK(reading.findings[0].code == "metadata.riff_open");
        const Buffer labelled = write_label(Format::kWav, file, kLabel);
        check_one_label(Format::kWav, labelled, kLabel);
        CHECK(load_le32(Bytes(labelled).subspan(4)) == open);
        CHECK(std::ranges::equal(Bytes(labelled).last(18), Bytes(file).last(18)));
    }
}

TEST_CASE("RF64 keeps its 64-bit sizes and updates riffSize") {
    Buffer ds64;
    append_le64(ds64, 0);
    append_le64(ds64, 9);
    append_le64(ds64, 9);
    append_le32(ds64, 0);
    Buffer file = to_buffer(std::string_view("RF64\xFF\xFF\xFF\xFFWAVE", 12));
    append(file, make_riff_chunk("ds64", ds64));
    append(file, std::string_view("data\xFF\xFF\xFF\xFF", 8));
    append(file, Buffer(10, 7));
    store_le32(file, 20, static_cast<std::uint32_t>(file.size() - 8));
    CHECK(read_label(Format::kWav, file).findings.empty());
    const Buffer labelled = write_label(Format::kWav, file, kLabel);
    check_one_label(Format::kWav, labelled, kLabel);
    CHECK(load_le64(Bytes(labelled).subspan(20)) == labelled.size() - 8);
    CHECK(load_le32(Bytes(labelled).subspan(4)) == 0xFFFFFFFF);
}

TEST_CASE("a chunk whose size lies is an error that names the byte") {
    Buffer file = make_wav({});
    store_le32(file, 16, 0x00FFFFFF);
    const auto reading = find_container(Format::kWav)->read(file);
    REQUIRE_FALSE(reading.ok());
    CHECK(reading.error().code == ErrorCode::kCorrupt);
    CHECK(reading.error().what.find("at byte 12") != std::string::npos);
}

TEST_CASE("a hundred thousand tiny chunks are read, more than the limit is refused") {
    Buffer extra;
    for (int i = 0; i < 100000; ++i) {
        append(extra, make_riff_chunk("junk", {}));
    }
    const Buffer file = make_wav(extra);
    check_one_label(Format::kWav, write_label(Format::kWav, file, kLabel), kLabel);
    const Buffer many(8 << 20, 'x');  // a size of 0x78787878 is a lie before it is too many
    CHECK_FALSE(find_container(Format::kWav)->read(many).ok());
}

TEST_CASE("many broken packets are a few findings") {
    Buffer extra;
    for (int i = 0; i < 10000; ++i) {
        append(extra, make_riff_chunk("_PMX", as_bytes("<x")));
    }
    const MetadataReading reading = read_label(Format::kWav, make_wav(extra));
    CHECK(reading.findings.size() == 64);
    CHECK(reading.findings[0].code == "metadata.xmp");
}

TEST_CASE("an AVI label is read from LIST/INFO (variant 11) and not written") {
    Buffer info = to_buffer("INFO");
    append(info, make_riff_chunk("AIGC", as_bytes(kLabel)));
    Buffer body = to_buffer("AVI ");
    append(body, make_riff_chunk("LIST", as_bytes("movi")));
    append(body, make_riff_chunk("LIST", info));
    const Buffer file = make_riff_chunk("RIFF", body);
    check_one_label(Format::kAvi, file, kLabel);
    const bool writable = find_container(Format::kAvi)->write != nullptr;
    CHECK_FALSE(writable);
}

// A picture with a red disc, drawn by ImageMagick and stored by libwebp.
Buffer make_webp(const test::TempDir& dir, const std::vector<std::string>& options) {
    test::run_tool_ok({"/usr/bin/convert", "-size", "61x47", "xc:none", "-fill", "red", "-draw",
                       "circle 30,20 30,5", dir.file("made.png")});
    std::vector<std::string> argv{"cwebp", "-quiet"};
    argv.insert(argv.end(), options.begin(), options.end());
    argv.insert(argv.end(), {dir.file("made.png"), "-o", dir.file("made.webp")});
    test::run_tool_ok(argv);
    return test::read_file(dir.file("made.webp"));
}

TEST_CASE("WebP of every kind gets an XMP chunk, and its pixels stay the same") {
    const test::TempDir dir;
    const std::vector<std::vector<std::string>> kinds{
        {"-noalpha"}, {"-lossless"}, {"-lossless", "-noalpha"}, {"-alpha_q", "50"}};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        CAPTURE(i);
        const Buffer file = make_webp(dir, kinds[i]);
        const Buffer labelled = write_label(Format::kWebp, file, kLabel);
        check_one_label(Format::kWebp, labelled, kLabel);
        CHECK(write_label(Format::kWebp, labelled, kLabel) == labelled);
        check_one_label(Format::kWebp, write_label(Format::kWebp, labelled, kOther), kOther);
        const std::string path = dir.file("ours.webp");
        test::write_file(path, labelled);
        const std::string info = test::run_tool_ok({"webpmux", "-info", path});
        CHECK(info.find("61 x 47") != std::string::npos);
        CHECK(info.find("XMP metadata") != std::string::npos);
        const auto check = test::run_tool({"webpinfo", path});
        CHECK(check.out.find("No error detected") != std::string::npos);
        CHECK(test::run_tool_ok({"exiftool", "-XMP:all", path}).find("p-1") != std::string::npos);
        test::run_tool_ok({"dwebp", "-quiet", dir.file("made.webp"), "-pam", "-o", dir.file("a")});
        test::run_tool_ok({"dwebp", "-quiet", path, "-pam", "-o", dir.file("b")});
        CHECK(test::read_file(dir.file("a")) == test::read_file(dir.file("b")));
    }
}

TEST_CASE("an animated WebP keeps its frames") {
    const test::TempDir dir;
    test::run_tool_ok({"/usr/bin/convert", "-size", "20x20", "xc:red", "xc:blue", "-delay", "10",
                       dir.file("a.gif")});
    test::run_tool_ok({"gif2webp", "-quiet", dir.file("a.gif"), "-o", dir.file("a.webp")});
    const Buffer file = test::read_file(dir.file("a.webp"));
    const Buffer labelled = write_label(Format::kWebp, file, kLabel);
    test::write_file(dir.file("b.webp"), labelled);
    check_one_label(Format::kWebp, labelled, kLabel);
    CHECK(test::run_tool_ok({"webpmux", "-info", dir.file("b.webp")}).find("Number of frames: 2") !=
          std::string::npos);
}

TEST_CASE(
    "files cut at any byte are errors or readable, never crashes, and written ones read back") {
    const test::TempDir dir;
    std::vector<std::pair<Format, Buffer>> files;
    files.emplace_back(Format::kWav, make_wav(make_riff_chunk("AIGC", as_bytes(kLabel))));
    files.emplace_back(Format::kWebp, write_label(Format::kWebp, make_webp(dir, {}), kLabel));
    for (const Sound& sound : sounds()) {
        Buffer file = write_label(sound.format, make_sound(dir, sound), kLabel);
        files.emplace_back(sound.format, std::move(file));
    }
    for (const auto& [format, file] : files) {
        const std::size_t most = std::min<std::size_t>(file.size(), 6000);
        for (std::size_t size = 0; size < most; ++size) {
            CAPTURE(size);
            const Bytes cut = Bytes(file).first(size);
            const auto splice = find_container(format)->write(cut, {.aigc = "{}", .iptc = {}});
            const auto reading = find_container(format)->read(cut);
            if (reading.ok() && splice.ok()) {
                const Buffer written = apply_splice(cut, *splice);
                const auto again = find_container(format)->read(written);
                REQUIRE(again.ok());
                REQUIRE(again->sites.size() == 1);
                CHECK(again->sites[0].value == "{}");
            }
        }
    }
}

TEST_CASE("counts and sizes that lie are refused before memory is spent on them") {
    const test::TempDir dir;
    Buffer flac = write_label(Format::kFlac, make_sound(dir, sounds()[2]), kLabel);
    const std::size_t vendor = as_text(flac).find("Lavf");
    REQUIRE(vendor != std::string_view::npos);
    const std::uint32_t vendor_size = load_le32(Bytes(flac).subspan(vendor - 4));
    store_le32(flac, vendor + vendor_size, 0xFFFFFFFF);
    const auto reading = find_container(Format::kFlac)->read(flac);
    REQUIRE_FALSE(reading.ok());
    CHECK(reading.error().code == ErrorCode::kCorrupt);
    const Buffer id3 = to_buffer(std::string_view("ID3\x04\0\0\x7F\x7F\x7F\x7F", 10));
    CHECK_FALSE(find_container(Format::kMp3)->read(id3).ok());
}

TEST_CASE("each link of a chained Ogg file is read, labelled and judged") {
    const test::TempDir dir;
    for (const char* extension : {"ogg", "opus"}) {
        CAPTURE(extension);
        const auto row = std::ranges::find(sounds(), extension, &Sound::extension);
        const Buffer first = make_sound(dir, *row, {"-serial_offset", "1"});
        const Buffer second =
            make_sound(dir, *row, {"-serial_offset", "77", "-metadata", "album=Another"});
        Buffer chained = first;
        append(chained, second);
        const std::string path = dir.file("chained." + std::string(extension));
        test::write_file(path, chained);
        const auto before = test::run_tool({"ogginfo", path});
        CHECK(read_label(row->format, chained).sites.empty());

        // The second longest label needs more pages than the old header had.
        const std::string large =
            R"({"Label":"1","ContentProducer":"us","ProduceID":")" + std::string(70000, '7') +
            R"(","ReservedCode1":"","ContentPropagator":"","PropagateID":"","ReservedCode2":""})";
        for (const std::string_view value : {kLabel, std::string_view(large)}) {
            const Buffer labelled = write_label(row->format, chained, value);
            const MetadataReading reading = read_label(row->format, labelled);
            REQUIRE(reading.sites.size() == 2);
            CHECK(reading.findings.empty());
            CHECK(reading.sites[0].part == 0);
            CHECK(reading.sites[1].part == 1);
            CHECK(reading.sites[0].value == value);
            CHECK(reading.sites[1].value == value);
            CHECK(write_label(row->format, labelled, value) == labelled);
            // Cut apart, each link is a file with its own label, and its sound is what it was.
            const Buffer alone = write_label(row->format, second, value);
            CHECK(
                std::ranges::equal(Bytes(labelled).subspan(labelled.size() - alone.size()), alone));
            test::write_file(path, labelled);
            const auto info = test::run_tool({"ogginfo", path});
            CHECK(info.exit_code == before.exit_code);
            CHECK(info.out.find("WARNING") == before.out.find("WARNING"));
            std::size_t seen = 0;
            for (std::size_t at = info.out.find("AIGC="); at != std::string::npos;
                 at = info.out.find("AIGC=", at + 1)) {
                ++seen;
            }
            CHECK(seen == 2);
        }

        // A link without a label, before or behind one that has it, does not go unnoticed.
        const Buffer labelled = write_label(row->format, first, kLabel);
        Buffer half = labelled;
        append(half, second);
        CHECK(read_label(row->format, half).findings.at(0).code == "metadata.links");
        half = second;
        append(half, labelled);
        const MetadataReading reading = read_label(row->format, half);
        CHECK(reading.findings.at(0).code == "metadata.links");
        CHECK(reading.sites.at(0).part == 1);
        // Links of different origin are no forgery, and nobody's label is written over.
        Buffer mixed = labelled;
        append(mixed, write_label(row->format, second, kOther));
        const MetadataJudgement judged = judge_metadata(read_label(row->format, mixed), {});
        CHECK(judged.parts_differ);
        CHECK_FALSE(judged.contradiction);
        ApplyOptions options;
        options.record.producer_name = "us";
        options.record.own_id = "1";
        options.marks.add(Mark::kMetadata);
        MemoryHolder holder;
        const auto applied = apply(mixed, row->format, options, {}, holder);
        REQUIRE(!applied.ok());
        CHECK(applied.error().code == ErrorCode::kUnsupported);
    }
}

}  // namespace
}  // namespace colophon::label
