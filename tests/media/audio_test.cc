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

// A checksum of FLAC: `width` bits, highest first.
std::uint16_t crc(Bytes bytes, unsigned width, std::uint32_t polynomial) {
    std::uint32_t value = 0;
    for (const std::uint8_t byte : bytes) {
        value ^= static_cast<std::uint32_t>(byte) << (width - 8);
        for (int bit = 0; bit < 8; ++bit) {
            const bool carry = (value >> (width - 1) & 1U) != 0;
            value = (value << 1U) ^ (carry ? polynomial : 0U);
        }
    }
    return static_cast<std::uint16_t>(value & ((1U << width) - 1));
}

// Frame numbers are coded like code points.
void append_utf8_number(Buffer& out, std::uint32_t number) {
    const auto tail = [&](unsigned shift) {
        out.push_back(static_cast<std::uint8_t>(0x80U | (number >> shift & 0x3FU)));
    };
    if (number < 0x80) {
        out.push_back(static_cast<std::uint8_t>(number));
    } else if (number < 0x800) {
        out.push_back(static_cast<std::uint8_t>(0xC0U | number >> 6U));
        tail(0);
    } else {
        out.push_back(static_cast<std::uint8_t>(0xE0U | number >> 12U));
        tail(6);
        tail(0);
    }
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

// A FLAC file of silence: each frame of a few bytes stands for 65535 samples in every channel.
// (RFC 9639: STREAMINFO, then frames of constant subframes.)
Buffer silent_flac(std::uint32_t rate, std::uint32_t channels, std::uint32_t frames) {
    Buffer out;
    append(out, "fLaC");
    append_be32(out, 0x80000000U + 34);
    append_be32(out, 0xFFFFFFFFU);  // block sizes
    append(out, std::string_view("\0\0\0\0\0\0", 6));
    append_be32(out, rate << 12U | (channels - 1) << 9U | 15U << 4U);  // 16 bits a sample
    append(out, Buffer(4 + 16));                                       // length and digest unknown
    for (std::uint32_t i = 0; i < frames; ++i) {
        Buffer frame;
        append(frame, std::string_view("\xFF\xF8\x70", 3));
        frame.push_back(static_cast<std::uint8_t>((channels - 1) << 4U));
        append_utf8_number(frame, i);
        append_be16(frame, 65534);
        frame.push_back(static_cast<std::uint8_t>(crc(frame, 8, 0x07)));
        append(frame, Buffer(std::size_t{3} * channels));
        append_be16(frame, crc(frame, 16, 0x8005));
        append(out, frame);
    }
    return out;
}

TEST_CASE("a few kilobytes that stand for hours of sound meet a limit instead of filling memory") {
    const Buffer usual = silent_flac(48000, 2, 3);
    const auto head = decode_head(usual, AudioContainer::kFlac, 3600);
    REQUIRE(head.ok());
    CHECK(head->samples() == 3 * 65535);

    // 7.3 hours at 1 kHz: too long, though nothing of it is kept.
    const Buffer longest = silent_flac(1000, 1, 400);
    CHECK(longest.size() < 10'000);
    const auto tail = decode_tail(longest, AudioContainer::kFlac, 1);
    REQUIRE(!tail.ok());
    CHECK(tail.error().code == ErrorCode::kLimit);

    // 24 seconds of eight channels at 384 kHz: 73 million samples at once.
    const Buffer dense = silent_flac(384'000, 8, 140);
    CHECK(dense.size() < 10'000);
    const auto held = decode_head(dense, AudioContainer::kFlac, 60);
    REQUIRE(!held.ok());
    CHECK(held.error().code == ErrorCode::kLimit);
    CHECK(decode_head(dense, AudioContainer::kFlac, 1).ok());
}

TEST_CASE("resampling meets the same limit") {
    const Pcm slow{.rate = 1, .channel_mask = kFrontCentre, .planes = {std::vector<float>(1000)}};
    const auto fast = resample(slow, 384'000);
    REQUIRE(!fast.ok());
    CHECK(fast.error().code == ErrorCode::kLimit);
}

}  // namespace

TEST_SUITE("slow") {
    TEST_CASE("the samples decoded from one file are bounded in all channels together") {
        // 16 385 frames of 8 x 65535 samples: 6.2 hours would be allowed, 8.6e9 samples are not.
        const Buffer file = silent_flac(50'000, 8, 16'400);
        CHECK(file.size() < 1'000'000);
        const auto tail = decode_tail(file, AudioContainer::kFlac, 1);
        REQUIRE(!tail.ok());
        CHECK(tail.error().code == ErrorCode::kLimit);
        CHECK(tail.error().what.find("samples in 8 channels") != std::string::npos);
    }
}

}  // namespace colophon::media
