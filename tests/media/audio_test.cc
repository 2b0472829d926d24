// SPDX-License-Identifier: Apache-2.0
#include "media/audio.h"

#include "support/tools.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

namespace colophon::media {
namespace {

struct Row {
    AudioContainer container;
    std::string name;
    AudioCodec codec;
};
const std::vector<Row> kRows{
    {AudioContainer::kWav, "a.wav", AudioCodec::kPcm},
    {AudioContainer::kMp3, "a.mp3", AudioCodec::kMp3},
    {AudioContainer::kFlac, "a.flac", AudioCodec::kFlac},
    {AudioContainer::kOgg, "a.ogg", AudioCodec::kVorbis},
    {AudioContainer::kOgg, "a.opus", AudioCodec::kOpus},
    {AudioContainer::kMp4, "a.m4a", AudioCodec::kAac},
};

// 60 seconds whose pitch tells the time: 200 Hz in the first half, 1000 Hz in the second.
Buffer make(const test::TempDir& dir, const std::string& name) {
    test::run_tool_ok({"ffmpeg", "-y", "-v", "error", "-f", "lavfi", "-i",
                       "aevalsrc=0.5*sin(2*PI*(200+800*gt(t\\,30))*t):d=60:s=48000", "-ac", "2",
                       dir.file(name)});
    return test::read_file(dir.file(name));
}

double pitch(const Pcm& pcm) {
    std::size_t rises = 0;
    for (std::size_t i = 1; i < pcm.samples(); ++i) {
        rises += pcm.planes[0][i - 1] < 0 && pcm.planes[0][i] >= 0 ? 1U : 0U;
    }
    return static_cast<double>(rises) / pcm.seconds();
}

TEST_CASE("sound files are described, and their ends are decoded without the rest") {
    const test::TempDir dir;
    for (const Row& row : kRows) {
        CAPTURE(row.name);
        const Buffer file = make(dir, row.name);
        const auto facts = probe_audio(file, row.container);
        REQUIRE(facts.ok());
        CHECK(facts->codec == row.codec);
        CHECK(facts->rate == 48000);
        CHECK(facts->channels == 2);
        CHECK(facts->channel_mask == (kFrontLeft | kFrontRight));
        CHECK(facts->seconds == doctest::Approx(60).epsilon(0.01));
        const auto head = decode_head(file, row.container, 5);
        REQUIRE(head.ok());
        CHECK(head->seconds() == doctest::Approx(5));
        CHECK(pitch(*head) == doctest::Approx(200).epsilon(0.02));
        const auto tail = decode_tail(file, row.container, 5);
        REQUIRE(tail.ok());
        CHECK(tail->seconds() == doctest::Approx(5));
        CHECK(pitch(*tail) == doctest::Approx(1000).epsilon(0.02));
    }
}

TEST_CASE("the container that the caller names is the only one that is tried") {
    const test::TempDir dir;
    for (const Row& file : kRows) {
        const Buffer bytes = make(dir, file.name);
        for (const Row& row : kRows) {
            // FFmpeg's MP3 demuxer looks for frames in any bytes; it may find some, but of MP3.
            if (row.container != file.container && row.container != AudioContainer::kMp3) {
                CAPTURE(file.name);
                CAPTURE(row.name);
                CHECK(!probe_audio(bytes, row.container).ok());
            }
        }
    }
    // A playlist that names other files is no sound.
    const std::string list = "#EXTM3U\n#EXTINF:1,\n" + dir.file("a.wav") + "\n";
    for (const Row& row : kRows) {
        CHECK(!decode_head(as_bytes(list), row.container, 1).ok());
    }
}

TEST_CASE("another rate keeps length and pitch") {
    Pcm pcm{.rate = 48000, .channel_mask = kFrontCentre, .planes = {{}}};
    for (int i = 0; i < 48000; ++i) {
        pcm.planes[0].push_back(0.5F *
                                std::sin(6.2831853F * 700.0F * static_cast<float>(i) / 48000.0F));
    }
    for (const std::uint32_t rate : {8000U, 22050U, 44100U, 96000U}) {
        const auto other = resample(pcm, rate);
        REQUIRE(other.ok());
        CHECK(other->rate == rate);
        CHECK(other->seconds() == doctest::Approx(1.0).epsilon(0.005));
        CHECK(pitch(*other) == doctest::Approx(700).epsilon(0.01));
    }
    CHECK(resample(pcm, 0).error().code == ErrorCode::kInvalidArgument);
}

TEST_CASE("cut files give what they have or an error, and nothing worse") {
    const test::TempDir dir;
    for (const Row& row : kRows) {
        const Buffer file = make(dir, row.name);
        for (std::size_t size = 0; size < file.size(); size += file.size() / 7 + 1) {
            CAPTURE(row.name);
            CAPTURE(size);
            const auto head = decode_head(Bytes(file).first(size), row.container, 2);
            if (head.ok()) {
                CHECK(head->seconds() <= 2.0001);
            }
        }
    }
}

}  // namespace
}  // namespace colophon::media
