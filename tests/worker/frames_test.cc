// SPDX-License-Identifier: Apache-2.0
#include "worker/frames.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "label/format.h"
#include "media/image.h"
#include "support/tools.h"
#include "worker/channel.h"
#include "worker/client.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

namespace colophon::worker {
namespace {

Result<std::vector<FileFrame>> frames_of(Worker& worker, const std::string& path,
                                         label::Format format) {
    const test::TempDir dir;
    const Fd in(open(path.c_str(), O_RDONLY));
    const Fd out(open(dir.file("out").c_str(), O_RDWR | O_CREAT, 0600));
    return worker.frames(in.get(), out.get(), format);
}

// ffmpeg's own picture of the first frame, as RGB.
Buffer first_of(const test::TempDir& dir, const std::string& path) {
    const std::string raw = dir.file("first.rgb");
    test::run_tool_ok({"ffmpeg", "-nostdin", "-y", "-v", "error", "-i", path, "-frames:v", "1",
                       "-sws_flags", "accurate_rnd+full_chroma_int", "-pix_fmt", "rgb24", "-f",
                       "rawvideo", raw});
    return test::read_file(raw);
}

double mean_difference(const Buffer& a, const Buffer& b) {
    REQUIRE(a.size() == b.size());
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += std::abs(int{a[i]} - int{b[i]});
    }
    return static_cast<double>(sum) / static_cast<double>(a.size());
}

}  // namespace

TEST_CASE("pictures out of a video are those that ffmpeg sees, in every kind of pixels") {
    const test::TempDir dir;
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
    struct Case {
        const char* name;
        const char* codec;
        const char* pixels;
        const char* more;
        label::Format format;
    };
    for (const Case& each :
         {Case{"a.mp4", "libx264", "yuv420p", "null", label::Format::kMp4},
          Case{"b.mp4", "libx264", "yuv444p", "null", label::Format::kMp4},
          Case{"c.mp4", "libx265", "yuv420p10le", "null", label::Format::kMp4},
          Case{"d.mp4", "libx264", "gray", "null", label::Format::kMp4},
          Case{"e.mp4", "libx264", "yuvj420p", "null", label::Format::kMp4},
          Case{"f.mp4", "libx264", "yuv420p",
               "scale=out_color_matrix=bt709,setparams=colorspace=bt709", label::Format::kMp4},
          Case{"g.webm", "libvpx-vp9", "yuv420p", "null", label::Format::kMatroska}}) {
        CAPTURE(each.name);
        const std::string path = dir.file(each.name);
        test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                           "testsrc2=size=320x180:rate=4:duration=2", "-vf", each.more, "-pix_fmt",
                           each.pixels, "-c:v", each.codec, path});
        const auto frames = frames_of(worker, path, each.format);
        REQUIRE_MESSAGE(frames.ok(), (frames.ok() ? "" : frames.error().what));
        CHECK(frames->size() == 4);  // each half second
        CHECK(frames->front().time_ms == 0);
        const auto png = media::decode_png(frames->front().picture);
        REQUIRE(png.ok());
        CHECK(png->image.width == 320);
        CHECK(png->image.height == 180);
        const double difference = mean_difference(png->image.pixels, first_of(dir, path));
        MESSAGE(each.name, ": mean difference of ", difference, " levels");
        CHECK(difference < 5);
        CHECK(frames->size() == make_frames(test::read_file(path), each.format)->size());
    }
}

TEST_CASE("pictures are spread over all of a long video, and no larger or more than they may be") {
    const test::TempDir dir;
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
    const std::string path = dir.file("long.mp4");
    // Green, and red in its last two seconds.
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                       "color=green:size=1280x720:rate=5:duration=40", "-vf",
                       "drawbox=c=red:t=fill:enable='gte(t,38)'", "-pix_fmt", "yuv420p", path});
    const auto frames = frames_of(worker, path, label::Format::kMp4);
    REQUIRE_MESSAGE(frames.ok(), (frames.ok() ? "" : frames.error().what));
    CHECK(frames->size() > kFramesMax / 2);
    CHECK(frames->size() <= kFramesMax);
    CHECK(frames->back().time_ms >= 36'000);
    const auto first = media::decode_png(frames->front().picture);
    const auto last = media::decode_png(frames->back().picture);
    REQUIRE(first.ok());
    REQUIRE(last.ok());
    CHECK(first->image.width == kFrameSideMax);
    CHECK(first->image.height == 288);
    CHECK(first->image.sample(200, 100, 1) > 100);
    CHECK(first->image.sample(200, 100, 0) < 20);
    CHECK(last->image.sample(200, 100, 0) > 230);
    CHECK(last->image.sample(200, 100, 1) < 40);
}

TEST_CASE("what is no video gives no pictures, and what breaks off those that it has") {
    const test::TempDir dir;
    Worker worker({.program = COLOPHON_PROGRAM, .font_path = {}, .expects_media = false});
    test::write_file(dir.file("a.mp4"), as_bytes("no video"));
    CHECK(frames_of(worker, dir.file("a.mp4"), label::Format::kMp4).error().code ==
          ErrorCode::kCorrupt);
    CHECK(frames_of(worker, dir.file("a.mp4"), label::Format::kPng).error().code ==
          ErrorCode::kUnsupported);
    const std::string path = dir.file("b.mkv");
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                       "testsrc2=size=320x180:rate=10:duration=4", "-pix_fmt", "yuv420p", path});
    Buffer whole = test::read_file(path);
    whole.resize(whole.size() / 2);
    test::write_file(path, whole);
    const auto frames = frames_of(worker, path, label::Format::kMatroska);
    REQUIRE_MESSAGE(frames.ok(), (frames.ok() ? "" : frames.error().what));
    CHECK_FALSE(frames->empty());
}

TEST_CASE("pictures in another form than theirs are refused") {
    const Buffer three{1, 2, 3};
    std::vector<FileFrame> frames{{.time_ms = 0, .picture = {1, 2}},
                                  {.time_ms = 5, .picture = {3}}};
    const auto read = decode_frames(encode(frames), three);
    REQUIRE(read.ok());
    REQUIRE(read->size() == 2);
    CHECK(read->back().picture == Buffer{3});
    CHECK(read->back().time_ms == 5);
    for (const char* text :
         {"{}", "[]", "[1]", R"([{"time_ms":0}])", R"([{"time_ms":0,"bytes":2}])",
          R"([{"time_ms":0,"bytes":4}])", R"([{"time_ms":-1,"bytes":3}])",
          R"([{"time_ms":0,"bytes":3},{"time_ms":1,"bytes":0}])",
          R"([{"time_ms":1,"bytes":1},{"time_ms":1,"bytes":2}])",
          R"([{"time_ms":"0","bytes":3}])"}) {
        CAPTURE(text);
        CHECK_FALSE(decode_frames(json::parse(text).value(), three).ok());
    }
    frames.assign(kFramesMax + 1, {.time_ms = 0, .picture = {1}});
    for (std::size_t i = 0; i < frames.size(); ++i) {
        frames[i].time_ms = static_cast<std::int64_t>(i);
    }
    CHECK_FALSE(decode_frames(encode(frames), Buffer(kFramesMax + 1, 1)).ok());
}

}  // namespace colophon::worker
