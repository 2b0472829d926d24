// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/video.h"

#include "core/bytes.h"
#include "fingerprint/pdq.h"
#include "media/video.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::fingerprint {
namespace {

// Three scenes of four seconds, a camera that moves over each.
void make_clip(const test::TempDir& dir, const std::string& path) {
    std::vector<std::string> argv{"ffmpeg", "-nostdin", "-v", "error"};
    std::string filter;
    for (int scene = 0; scene < 3; ++scene) {
        const std::string name = dir.file("scene" + std::to_string(scene) + ".png");
        test::run_tool_ok({"convert", "-size", "640x360", "-seed", std::to_string(scene + 40),
                           "plasma:fractal", "-blur", "0x1", "-normalize", name});
        argv.insert(argv.end(), {"-loop", "1", "-framerate", "20", "-t", "4", "-i", name});
        filter += "[" + std::to_string(scene) + "]crop=480:270:x=10+30*t:y=80-15*t[" + "s" +
                  std::to_string(scene) + "];";
    }
    filter += "[s0][s1][s2]concat=n=3";
    argv.insert(argv.end(), {"-filter_complex", filter, "-pix_fmt", "yuv420p", "-c:v", "libx264",
                             "-preset", "veryfast", "-crf", "20", path});
    test::run_tool_ok(argv);
}

void attack(const std::string& from, const std::vector<std::string>& how, const std::string& to) {
    std::vector<std::string> argv{"ffmpeg", "-nostdin", "-v", "error", "-i", from};
    argv.insert(argv.end(), how.begin(), how.end());
    argv.push_back(to);
    test::run_tool_ok(argv);
}

VideoPrint print_of(const std::string& path, media::VideoContainer container) {
    const Buffer file = test::read_file(path);
    auto print = print_video(file, container);
    REQUIRE_MESSAGE(print.ok(), (print.ok() ? "" : print.error().what));
    return std::move(print).value();
}

struct Attack {
    const char* name;
    media::VideoContainer container;
    std::vector<std::string> options;
    std::int64_t offset_ms;
};

TEST_CASE("a cut, scaled, logo-bearing copy is found, and where it is from") {
    const test::TempDir dir;
    const std::string clip = dir.file("clip.mp4");
    make_clip(dir, clip);
    const VideoPrint original = print_of(clip, media::VideoContainer::kMp4);
    REQUIRE(original.frames.size() > 10);
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                       "testsrc2=size=480x270:rate=20:duration=6", "-pix_fmt", "yuv420p",
                       dir.file("other.mp4")});
    const VideoPrint other = print_of(dir.file("other.mp4"), media::VideoContainer::kMp4);
    const std::string logo = "drawbox=x=400:y=10:w=50:h=30:color=white@0.7:t=fill";
    const std::vector<Attack> attacks{
        {"same.mkv", media::VideoContainer::kMatroska, {"-c", "copy"}, 0},
        {"small.mp4", media::VideoContainer::kMp4, {"-vf", "scale=240:136", "-crf", "32"}, 0},
        {"cut.mp4", media::VideoContainer::kMp4, {"-ss", "4.1", "-t", "4"}, 4100},
        {"logo.avi", media::VideoContainer::kAvi, {"-vf", logo, "-c:v", "mpeg4", "-q:v", "6"}, 0},
        {"all.mp4",
         media::VideoContainer::kMp4,
         {"-ss", "3.3", "-t", "5", "-vf", logo + ",scale=320:180", "-crf", "30", "-r", "15"},
         3300},
    };
    const VideoIndex index =
        VideoIndex::create({{.print = other, .id = 5}, {.print = original, .id = 7}}).value();
    for (const Attack& each : attacks) {
        CAPTURE(std::string(each.name));
        attack(clip, each.options, dir.file(each.name));
        const VideoPrint copy = print_of(dir.file(each.name), each.container);
        const VideoMatch match = match_videos(copy, original);
        CHECK(match.query_aligned_percent >= kVideoAlignedPercent);
        CHECK(is_copy(match));
        CHECK(match.offset_ms > each.offset_ms - 600);
        CHECK(match.offset_ms < each.offset_ms + 600);
        const auto found = index.find(copy);
        REQUIRE(found.size() == 1);
        CHECK(found[0].id == 7);
        CHECK(found[0].match == match);
    }
    CHECK(!is_copy(match_videos(other, original)));
    CHECK(!is_copy(match_videos(original, other)));
    // The whole is found by a list that knows only a part.
    const VideoPrint part = print_of(dir.file("cut.mp4"), media::VideoContainer::kMp4);
    CHECK(is_copy(match_videos(original, part)));
    CHECK(match_videos(original, part).query_aligned_percent < kVideoAlignedPercent);
}

TEST_CASE("pictures that stand still and black ones are kept once") {
    const test::TempDir dir;
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                       "smptebars=size=320x240:rate=10:duration=5", "-f", "lavfi", "-i",
                       "color=black:size=320x240:rate=10:duration=5", "-filter_complex",
                       "[0][1]concat=n=2", "-pix_fmt", "yuv420p", dir.file("still.mp4")});
    const VideoPrint print = print_of(dir.file("still.mp4"), media::VideoContainer::kMp4);
    REQUIRE(print.frames.size() == 2);
    CHECK(print.frames[0].time_ms == 0);
    CHECK(print.frames[1].time_ms == 5000);
    CHECK(print.frames[1].number == 50);
    CHECK(print.frames[1].quality == 0);
    // What shows nothing is like nothing.
    const VideoPrint black{.frames = {print.frames[1]}};
    CHECK(match_videos(black, black) == VideoMatch{});
}

TEST_CASE("a print is read back from its lines") {
    VideoPrint print;
    for (int i = 0; i < 3; ++i) {
        VideoFramePrint frame{.number = static_cast<std::uint64_t>(30 * i),
                              .time_ms = 1001 * i,
                              .hash = {},
                              .quality = 40 * i};
        frame.hash.set_bit(static_cast<std::size_t>(77 * i));
        print.frames.push_back(frame);
    }
    const std::string text = to_text(print);
    CHECK(text.starts_with("0,0,"));
    CHECK(text.ends_with(",2.002\n"));
    CHECK(parse_video_print(text).value() == print);
    CHECK(parse_video_print("").value().frames.empty());
    // As others write it: more decimals, carriage returns, no newline at the end.
    const std::string zeros(64, '0');
    const auto foreign = parse_video_print("0,100," + zeros + ",0\r\n7,9," + zeros + ",1.2345");
    REQUIRE(foreign.ok());
    CHECK(foreign->frames[1].time_ms == 1234);
}

TEST_CASE("lines that are none are refused with their number and what is wrong") {
    const std::string zeros(64, '0');
    struct Case {
        std::string text;
        std::string what;
    };
    const std::array cases{
        Case{"0,100," + zeros, "there must be number,quality,hash,seconds"},
        Case{"0,100," + zeros + ",1,2", "there must be number,quality,hash,seconds"},
        Case{"x,100," + zeros + ",1", "the number is none"},
        Case{"-1,100," + zeros + ",1", "the number is none"},
        Case{"0,101," + zeros + ",1", "the quality is not 0 to 100"},
        Case{"0,-1," + zeros + ",1", "the quality is not 0 to 100"},
        Case{"0,100,00,1", "a PDQ hash has 64 hexadecimal digits, not 2 characters"},
        Case{"0,100," + zeros + ",1.", "the time is not in seconds"},
        Case{"0,100," + zeros + ",-1", "the time is not in seconds"},
        Case{"0,100," + zeros + ",99999999999", "the time is not in seconds"},
        Case{"", "there must be number,quality,hash,seconds"},
        Case{"1,100," + zeros + ",0.5", "the time goes back"},
    };
    for (const Case& each : cases) {
        CAPTURE(each.text);
        const auto print = parse_video_print("0,100," + zeros + ",0.9\n" + each.text + "\n");
        REQUIRE(!print.ok());
        CHECK(print.error().what == "line 2 of a video print: " + each.what);
    }
}

TEST_CASE("a file that is no video is refused") {
    for (const media::VideoContainer container :
         {media::VideoContainer::kMp4, media::VideoContainer::kMatroska,
          media::VideoContainer::kAvi, media::VideoContainer::kFlv}) {
        CHECK(!print_video(as_bytes("no video at all"), container).ok());
    }
    const test::TempDir dir;
    test::run_tool_ok({"ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1",
                       dir.file("sound.mp4")});
    const Buffer sound = test::read_file(dir.file("sound.mp4"));
    const auto print = print_video(sound, media::VideoContainer::kMp4);
    REQUIRE(!print.ok());
    CHECK(print.error().what == "the file has no video");
}

}  // namespace
}  // namespace colophon::fingerprint
