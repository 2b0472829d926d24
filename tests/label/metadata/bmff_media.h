// SPDX-License-Identifier: Apache-2.0
#pragma once

// Media and hand-made boxes for the tests of ISO base media files.

#include "core/bytes.h"
#include "core/splice.h"
#include "label/format.h"
#include "label/metadata/container.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {

inline constexpr std::string_view kLabel =
    R"({"Label":"1","ContentProducer":"001191110102MACQD9K64010000","ProduceID":"p-1",)"
    R"("ReservedCode1":"","ContentPropagator":"001191110102MACQD9K64010000","PropagateID":"p-1",)"
    R"("ReservedCode2":""})";
inline constexpr std::string_view kOtherLabel =
    R"({"Label":"2","ContentProducer":"foreign","ProduceID":"x"})";

inline label::MetadataFields label_fields(std::string_view aigc = kLabel) {
    return {.aigc = std::string(aigc),
            .iptc = {.digital_source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/"
                                            "trainedAlgorithmicMedia",
                     .ai_system_used = {},
                     .ai_system_version_used = {}}};
}

inline label::MetadataReading read_labels(label::Format format, Bytes file) {
    const auto reading = label::find_container(format)->read(file);
    REQUIRE_MESSAGE(reading.ok(), reading.error().what);
    return *reading;
}

inline Buffer write_label(label::Format format, Bytes file, std::string_view aigc = kLabel) {
    const auto splice = label::find_container(format)->write(file, label_fields(aigc));
    REQUIRE_MESSAGE(splice.ok(), splice.error().what);
    return apply_splice(file, *splice);
}

// The promise of the table: one label after writing, at the place of the standard, and nothing
// changes when it is written again.
inline Buffer check_label_round_trip(label::Format format, Bytes file) {
    Buffer labelled = write_label(format, file);
    const auto reading = read_labels(format, labelled);
    REQUIRE(reading.sites.size() == 1);
    CHECK(reading.sites[0].value == kLabel);
    CHECK(reading.sites[0].standard_place);
    CHECK(write_label(format, labelled) == labelled);
    const Buffer other = write_label(format, labelled, kOtherLabel);
    const auto again = read_labels(format, other);
    REQUIRE(again.sites.size() == 1);
    CHECK(again.sites[0].value == kOtherLabel);
    return labelled;
}

inline Buffer box(std::string_view type, const Buffer& content) {
    Buffer out;
    append_be32(out, static_cast<std::uint32_t>(content.size() + 8));
    append(out, type);
    append(out, content);
    return out;
}
inline Buffer box(std::string_view type, std::string_view content) {
    return box(type, to_buffer(content));
}
inline Buffer join(const std::vector<Buffer>& parts) {
    Buffer out;
    for (const Buffer& part : parts) {
        append(out, part);
    }
    return out;
}
inline Buffer be32(std::uint32_t value) {
    Buffer out;
    append_be32(out, value);
    return out;
}
inline Buffer be16(std::uint16_t value) {
    Buffer out;
    append_be16(out, value);
    return out;
}

// The place of a box of that type, found by its name; the file must have just one such name.
inline std::size_t find_name(const Buffer& file, std::string_view name) {
    const std::size_t at = as_text(file).find(name);
    REQUIRE(at != std::string_view::npos);
    return at;
}

inline std::vector<std::string> ffmpeg_words(std::vector<std::string> words) {
    words.insert(words.begin(), {"ffmpeg", "-v", "error", "-nostdin", "-y"});
    return words;
}

// Two seconds of sound; `options` come before the output file.
inline Buffer make_sound(const TempDir& dir, const std::string& name,
                         const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{"-f", "lavfi", "-i", "sine=d=2", "-c:a", "aac"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(dir.file(name));
    (void)run_tool_ok(ffmpeg_words(words));
    return read_file(dir.file(name));
}

// Two seconds of small pictures and sound.
inline Buffer make_video(const TempDir& dir, const std::string& name,
                         const std::vector<std::string>& options = {}) {
    std::vector<std::string> words{"-f",   "lavfi", "-i",   "testsrc=d=2:s=64x48:r=10",
                                   "-f",   "lavfi", "-i",   "sine=d=2",
                                   "-c:v", "mpeg4", "-c:a", "aac"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(dir.file(name));
    (void)run_tool_ok(ffmpeg_words(words));
    return read_file(dir.file(name));
}

// MD5 of everything that FFmpeg decodes.
inline std::string decoded_md5(const std::string& path) {
    return run_tool_ok({"ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "md5", "-"});
}

// A picture of 64 x 48, as .heic or .avif.
inline Buffer make_picture(const TempDir& dir, const std::string& name,
                           const std::vector<std::string>& options = {}) {
    (void)run_tool_ok(ffmpeg_words({"-f", "lavfi", "-i", "testsrc=s=64x48", "-frames:v", "1",
                                    "-pix_fmt", "rgb24", dir.file("picture.png")}));
    std::vector<std::string> words{"heif-enc", "-q", "50"};
    if (name.ends_with(".avif")) {
        words.emplace_back("-A");
    }
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"-o", dir.file(name), dir.file("picture.png")});
    (void)run_tool_ok(words);
    return read_file(dir.file(name));
}

// The decoded picture.
inline Buffer decoded_picture(const TempDir& dir, const std::string& path) {
    const std::string out = dir.file("decoded.png");
    (void)run_tool_ok({"heif-convert", path, out});
    // Only pixels count: the PNG also repeats metadata.
    return to_buffer(run_tool_ok({"ffmpeg", "-v", "error", "-nostdin", "-i", out, "-f", "rawvideo",
                                  "-pix_fmt", "rgb24", "-"}));
}

}  // namespace colophon::test
