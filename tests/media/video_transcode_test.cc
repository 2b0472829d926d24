// SPDX-License-Identifier: Apache-2.0
#include "media/video_transcode.h"

#include "core/bytes.h"
#include "core/result.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::media {
namespace {

using Words = std::vector<std::string>;

class MemorySink final : public ByteSink {
public:
    Result<void> write_at(std::uint64_t offset, Bytes bytes) override {
        const auto at = static_cast<std::size_t>(offset);
        file.resize(std::max(file.size(), at + bytes.size()));
        std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
        return {};
    }
    Buffer file;
};

// ffmpeg's words between the sources and the name of the file.
Buffer make(const test::TempDir& dir, const std::string& name, const Words& words) {
    Words argv{"ffmpeg",
               "-nostdin",
               "-v",
               "error",
               "-y",
               "-f",
               "lavfi",
               "-i",
               "testsrc2=s=320x240:r=25:d=2",
               "-f",
               "lavfi",
               "-i",
               "sine=f=440:d=2"};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.push_back(dir.file(name));
    test::run_tool_ok(argv);
    return test::read_file(dir.file(name));
}

Result<void> leave(VideoPicture& /*picture*/) {
    return {};
}

Buffer code_again(Bytes file, Transcoded* result = nullptr) {
    auto video = VideoTranscoder::open(file, {});
    REQUIRE(video.ok());
    MemorySink sink;
    auto done = video->run(leave, sink);
    REQUIRE_MESSAGE(done.ok(), (done.ok() ? "" : done.error().what));
    if (result != nullptr) {
        *result = *done;
    }
    return sink.file;
}

// What another program says of a file, one line for each frame, packet or stream.
std::string probe(const std::string& path, const Words& words) {
    Words argv{"ffprobe", "-v", "error", "-of", "csv"};
    argv.insert(argv.end(), words.begin(), words.end());
    argv.push_back(path);
    return test::run_tool_ok(argv);
}

struct Row {
    std::string name;
    Words words;
};

const std::vector<Row> kRows{
    {"plain.mp4", {"-c:v", "libx264", "-c:a", "aac"}},
    {"sideways.mp4", {"-c:v", "libx264", "-c:a", "aac", "-metadata:s:v", "rotate=90"}},
    {"quick.mov", {"-c:v", "libx264", "-c:a", "pcm_s16le"}},
    {"hevc.mp4",
     {"-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1", "-c:a", "aac"}},
    {"deep.mp4", {"-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-c:a", "aac"}},
    {"444.mp4", {"-c:v", "libx264", "-pix_fmt", "yuv444p", "-an"}},
    {"vp9.mp4", {"-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "aac"}},
    {"bt709.mp4",
     {"-c:v", "libx264", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
      "-color_range", "tv", "-c:a", "aac"}},
    {"pieces.mp4",
     {"-c:v", "libx264", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov+default_base_moof"}},
    {"uneven.mp4",
     {"-vf", "select=not(eq(mod(n\\,3)\\,1))", "-vsync", "vfr", "-c:v", "libx264", "-c:a", "aac"}},
    {"anamorphic.mp4", {"-vf", "setsar=16/15", "-c:v", "libx264", "-an"}},
    {"interlaced.mp4", {"-c:v", "libx264", "-flags", "+ildct+ilme", "-x264opts", "tff=1", "-an"}},
};

}  // namespace

TEST_CASE("a video that is coded again keeps its times, its sound and its description") {
    const test::TempDir dir;
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        const Buffer before = make(dir, row.name, row.words);
        Transcoded result;
        const std::string again = "again-" + row.name;
        test::write_file(dir.file(again), code_again(before, &result));
        CHECK(result.left_out.empty());
        // Decodes without a warning.
        const test::ToolRun decoded = test::run_tool(
            {"ffmpeg", "-nostdin", "-v", "warning", "-i", dir.file(again), "-f", "null", "-"});
        CHECK(decoded.exit_code == 0);
        CHECK(decoded.err == "");
        for (const Words& words :
             {Words{"-select_streams", "v", "-show_entries", "frame=best_effort_timestamp_time"},
              Words{"-show_entries",
                    "stream=codec_name,codec_tag_string,width,height,pix_fmt,sample_aspect_ratio,"
                    "color_range,color_space,color_transfer,color_primaries,field_order,"
                    "avg_frame_rate:stream_side_data=rotation:stream_tags=language"}}) {
            CHECK(probe(dir.file(again), words) == probe(dir.file(row.name), words));
        }
        // The sound: the same packets, byte for byte.
        const auto sound = [&](const std::string& name) {
            return probe(dir.file(name), {"-select_streams", "a", "-show_entries",
                                          "packet=pts_time,data_hash", "-show_data_hash", "md5"});
        };
        CHECK(sound(again) == sound(row.name));
    }
}

TEST_CASE("what a caller writes into a picture is what the video shows") {
    const test::TempDir dir;
    const Buffer before = make(dir, "in.mp4", {"-c:v", "libx264", "-an"});
    auto video = VideoTranscoder::open(before, {});
    REQUIRE(video.ok());
    CHECK(video->facts().width == 320);
    CHECK(video->facts().seconds == doctest::Approx(2).epsilon(0.05));
    MemorySink sink;
    std::vector<std::int64_t> times;
    const auto grey = [&](VideoPicture& picture) -> Result<void> {
        times.push_back(picture.time_us);
        const VideoSamples& luma = picture.planes[0];
        for (int y = 0; y < luma.height; ++y) {
            std::fill_n(luma.row(y), luma.width, std::uint8_t{120});
        }
        return {};
    };
    REQUIRE(video->run(grey, sink).ok());
    CHECK(times.size() == 50);
    CHECK(times[1] == 40'000);
    test::write_file(dir.file("out.mp4"), sink.file);
    const std::string levels =
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-i", dir.file("out.mp4"), "-vf",
                           "scale=1:1,format=yuv420p", "-f", "rawvideo", "-"});
    // One pixel and two of colour for each picture.
    REQUIRE(levels.size() == 150);
    for (std::size_t i = 0; i < levels.size(); i += 3) {
        CHECK(levels[i] == 120);
    }
}

TEST_CASE("the coded copy is hardly to be told from the original") {
    const test::TempDir dir;
    const Buffer before = make(dir, "in.mp4", {"-c:v", "libx264", "-crf", "12", "-an"});
    test::write_file(dir.file("out.mp4"), code_again(before));
    const test::ToolRun compared =
        test::run_tool({"ffmpeg", "-nostdin", "-i", dir.file("out.mp4"), "-i", dir.file("in.mp4"),
                        "-lavfi", "psnr", "-f", "null", "-"});
    const std::size_t at = compared.err.find("PSNR y:");
    REQUIRE(at != std::string::npos);
    CHECK(std::stod(compared.err.substr(at + 7)) > 40);
}

TEST_CASE("videos that cannot be coded again are refused with the reason") {
    const test::TempDir dir;
    struct Refusal {
        std::string name;
        Words words;
        std::string reason;
    };
    const std::vector<Refusal> refusals{
        {"sound.mp4", {"-vn", "-c:a", "aac"}, "the file has no video"},
        {"old.mp4", {"-c:v", "mpeg4", "-an"}, "can be read, but not written"},
        {"two.mp4", {"-map", "0:v", "-map", "0:v", "-c:v", "libx264"}, "several videos"},
    };
    for (const Refusal& each : refusals) {
        CAPTURE(each.name);
        const Buffer file = make(dir, each.name, each.words);
        auto video = VideoTranscoder::open(file, {});
        std::string reason = video.ok() ? "" : video.error().what;
        if (video.ok()) {
            MemorySink sink;
            const auto done = video->run(leave, sink);
            reason = done.ok() ? "" : done.error().what;
        }
        CHECK(reason.find(each.reason) != std::string::npos);
    }
    CHECK(!VideoTranscoder::open(as_bytes("no video at all, only words"), {}).ok());
}

TEST_CASE("a cut video is coded as far as it goes") {
    const test::TempDir dir;
    const Buffer whole =
        make(dir, "in.mp4", {"-c:v", "libx264", "-c:a", "aac", "-movflags", "faststart"});
    const Bytes part = Bytes(whole).first(whole.size() * 3 / 5);
    Transcoded result;
    test::write_file(dir.file("out.mp4"), code_again(part, &result));
    CHECK(result.pictures > 10);
    CHECK(result.pictures < 50);
}

}  // namespace colophon::media
