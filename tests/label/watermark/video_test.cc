// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/video.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "label/watermark/detect.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"
#include "media/video.h"
#include "media/video_transcode.h"
#include "support/natural_picture.h"
#include "support/tools.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace colophon::label {
namespace {

using Words = std::vector<std::string>;

constexpr ContentId kContent{0x123456789abc};
constexpr IssuerId kIssuer{77};

class MemorySink final : public media::ByteSink {
public:
    Result<void> write_at(std::uint64_t offset, Bytes bytes) override {
        const auto at = static_cast<std::size_t>(offset);
        file.resize(std::max(file.size(), at + bytes.size()));
        std::copy(bytes.begin(), bytes.end(), file.begin() + static_cast<std::ptrdiff_t>(at));
        return {};
    }
    Buffer file;
};

void ffmpeg(const Words& words) {
    Words argv{"ffmpeg", "-nostdin", "-v", "error", "-y"};
    argv.insert(argv.end(), words.begin(), words.end());
    test::run_tool_ok(argv);
}

// A camera that moves over a picture of ours.
std::string make_video(const test::TempDir& dir, const std::string& name, double seconds) {
    const Luma picture = test::natural_picture(900, 640, 5);
    std::string pgm = "P5\n900 640\n255\n";
    for (const float value : picture.values) {
        pgm.push_back(static_cast<char>(static_cast<std::uint8_t>(value)));
    }
    test::write_file(dir.file("still.pgm"), as_bytes(pgm));
    ffmpeg({"-loop", "1", "-r", "25", "-i", dir.file("still.pgm"), "-t", std::to_string(seconds),
            "-vf", "crop=640:360:x='120+100*sin(0.7*t)':y='130+90*cos(0.9*t)',format=yuv420p",
            "-c:v", "libx264", "-preset", "veryfast", "-crf", "16", dir.file(name)});
    return dir.file(name);
}

Buffer mark(Bytes file, const VideoMarkOptions& options, double* psnr_db = nullptr) {
    auto video = media::VideoTranscoder::open(file, {});
    REQUIRE(video.ok());
    auto marker = VideoMarker::create(video->facts(), options);
    REQUIRE(marker.ok());
    MemorySink sink;
    const auto change = [&](media::VideoPicture& picture) -> Result<void> {
        marker->mark(picture);
        return {};
    };
    REQUIRE(video->run(change, sink).ok());
    if (psnr_db != nullptr) {
        *psnr_db = marker->psnr_db();
    }
    return std::move(sink.file);
}

VideoReading find(Bytes file, const WatermarkKey& key = published_watermark_key(),
                  DetectEffort effort = DetectEffort::kThorough) {
    const std::vector keys{key};
    auto seen = find_video_watermark(file, media::VideoContainer::kMp4, keys,
                                     {.effort = effort, .seconds_max = 0, .progress = {}});
    REQUIRE(seen.ok());
    return std::move(seen).value();
}

bool is_ours(const VideoReading& seen) {
    return seen.best.state == WatermarkState::kFound && seen.best.payload.issuer == kIssuer &&
           seen.best.payload.content_id == kContent;
}

WatermarkKey other_key() {
    WatermarkKey key = published_watermark_key();
    key.bytes[0] ^= 1U;
    return key;
}

}  // namespace

TEST_SUITE("slow attacks") {
    TEST_CASE("[DSP-18] a video says who marked it, which content it is and where the mark is") {
        const test::TempDir dir;
        const Buffer plain = test::read_file(make_video(dir, "in.mp4", 11));
        double psnr_db = 0;
        const Buffer marked = mark(plain, {.issuer = kIssuer, .content_id = kContent}, &psnr_db);
        CHECK(psnr_db >= 41.9);
        const VideoReading seen = find(marked);
        REQUIRE(is_ours(seen));
        CHECK(seen.best.geometry.untouched);
        REQUIRE(seen.ranges.size() == 1);
        CHECK(seen.ranges[0].from_seconds == 0);
        CHECK(seen.ranges[0].to_seconds > 10);
        CHECK(seen.ranges[0].payload.segment == 0);
        CHECK(seen.ranges[0].last_segment == 2);
        CHECK(seen.share > 0.9);

        SUBCASE("not under another key") {
            CHECK(find(marked, other_key()).best.state == WatermarkState::kAbsent);
        }
        SUBCASE("and an unmarked video says nothing") {
            const VideoReading nothing = find(plain);
            CHECK(nothing.best.state == WatermarkState::kAbsent);
            CHECK(nothing.ranges.empty());
        }
        SUBCASE("nor does a private mark under the published key") {
            const Buffer secret =
                mark(plain, {.key = other_key(), .issuer = kIssuer, .content_id = kContent});
            CHECK(is_ours(find(secret, other_key(), DetectEffort::kFast)));
            CHECK(find(secret).best.state == WatermarkState::kAbsent);
        }
        SUBCASE("and a mark of the same issuer gives way to another") {
            const Buffer again = mark(
                marked, {.issuer = kIssuer, .content_id = ContentId{99}, .replaces = kContent});
            const VideoReading now = find(again);
            CHECK(now.best.payload.content_id == ContentId{99});
            CHECK(now.share > 0.9);
            CHECK(now.ranges.size() == 1);
        }
        SUBCASE("and what was put before it is told apart") {
            make_video(dir, "before.mp4", 5);
            test::write_file(dir.file("marked.mp4"), marked);
            ffmpeg({"-i", dir.file("before.mp4"), "-i", dir.file("marked.mp4"), "-filter_complex",
                    "[0:v][1:v]concat=n=2:v=1", "-c:v", "libx264", "-preset", "veryfast",
                    dir.file("both.mp4")});
            const VideoReading both = find(test::read_file(dir.file("both.mp4")));
            REQUIRE(is_ours(both));
            REQUIRE(both.ranges.size() == 1);
            CHECK(both.ranges[0].from_seconds > 3.5);
            CHECK(both.ranges[0].from_seconds < 6.6);
            CHECK(both.ranges[0].to_seconds > 15);
        }
    }

    TEST_CASE("the mark of a video stands what people do to videos") {
        const test::TempDir dir;
        const Buffer plain = test::read_file(make_video(dir, "in.mp4", 8));
        test::write_file(dir.file("marked.mp4"),
                         mark(plain, {.issuer = kIssuer, .content_id = kContent}));
        const Words x264{"-c:v", "libx264", "-preset", "veryfast"};
        const std::vector<std::pair<std::string, Words>> rows{
            {"H.264, CRF 28", {"-crf", "28"}},
            {"H.264, CRF 32", {"-crf", "32"}},
            {"two seconds across a change of segments, CRF 28",
             {"-ss", "2.9", "-t", "2", "-crf", "28"}},
            {"scaled to a half", {"-vf", "scale=320:-2", "-crf", "18"}},
            {"scaled to three quarters", {"-vf", "scale=480:-2"}},
            {"30 pictures a second", {"-r", "30"}},
            {"24 pictures a second", {"-r", "24"}},
            {"a tenth faster", {"-vf", "setpts=PTS/1.1"}},
            {"cut by a tenth", {"-vf", "crop=576:324:20:10"}},
            {"letterboxed", {"-vf", "pad=640:480:0:60"}},
            {"turned by a quarter", {"-vf", "transpose=1"}},
            {"mirrored", {"-vf", "hflip"}},
            {"turned by five degrees and cut", {"-vf", "rotate=5*PI/180,crop=520:280"}},
        };
        for (const auto& [what, words] : rows) {
            CAPTURE(what);
            Words argv{"-i", dir.file("marked.mp4")};
            argv.insert(argv.end(), x264.begin(), x264.end());
            argv.insert(argv.end(), words.begin(), words.end());
            argv.push_back(dir.file("attacked.mp4"));
            ffmpeg(argv);
            CHECK(is_ours(find(test::read_file(dir.file("attacked.mp4")))));
        }
        // A single picture of it, taken as a picture is taken.
        ffmpeg({"-ss", "1", "-i", dir.file("marked.mp4"), "-frames:v", "1", "-vf", "format=gray",
                "-f", "rawvideo", dir.file("still.raw")});
        const Buffer raw = test::read_file(dir.file("still.raw"));
        Luma still(640, 360);
        REQUIRE(raw.size() == still.values.size());
        std::copy(raw.begin(), raw.end(), still.values.begin());
        const internal::Carrier carrier(published_watermark_key());
        const WatermarkReading seen = find_watermark(still, carrier, DetectEffort::kThorough);
        CHECK(seen.state == WatermarkState::kFound);
        CHECK(seen.payload.content_id == kContent);
    }
}

TEST_CASE("videos that are too small are refused, and broken ones give an error") {
    media::VideoFacts facts;
    facts.width = 320;
    facts.height = 142;
    const auto made = VideoMarker::create(facts, {});
    REQUIRE(!made.ok());
    CHECK(made.error().what == "a watermark needs a video of at least 144 x 144 pixels");
    const std::vector keys{published_watermark_key()};
    CHECK(!find_video_watermark(as_bytes("nothing"), media::VideoContainer::kMp4, keys, {}).ok());
}

}  // namespace colophon::label
