// SPDX-License-Identifier: Apache-2.0
#include "media/grey_video.h"

#include "core/bytes.h"
#include "core/result.h"
#include "media/plane.h"
#include "media/video.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <utility>
#include <vector>

namespace colophon::media {
namespace {

// One level each, the later the lighter.
std::vector<Plane> steps(int count, int width, int height) {
    std::vector<Plane> pictures;
    for (int i = 0; i < count; ++i) {
        Plane plane({0, 0, width, height});
        plane.samples.assign(plane.area.area(), static_cast<std::uint8_t>(i * 255 / (count - 1)));
        pictures.push_back(std::move(plane));
    }
    return pictures;
}

}  // namespace

TEST_CASE("a film of grey pictures shows each of them at its time, from black to white") {
    const std::vector<Plane> pictures = steps(12, 34, 18);
    const auto film = encode_grey_video(pictures, 5);
    REQUIRE_MESSAGE(film.ok(), (film.ok() ? "" : film.error().what));
    CHECK(*film == encode_grey_video(pictures, 5).value());
    auto video = VideoFrames::open(*film, VideoContainer::kMp4);
    REQUIRE(video.ok());
    std::int64_t time_ms = 0;
    for (const Plane& picture : pictures) {
        CAPTURE(time_ms);
        const auto frame = video->next(0);
        REQUIRE(frame.ok());
        REQUIRE(frame->has_value());
        CHECK((*frame)->time_ms == time_ms);
        CHECK((*frame)->luma.area.width == 34);
        CHECK(std::abs(int{(*frame)->luma.at(17, 9)} - int{picture.at(17, 9)}) <= 3);
        time_ms += 200;
    }
    CHECK(!video->next(0).value().has_value());
}

TEST_CASE("pictures of which no film can be made are refused") {
    const auto code = [](const std::vector<Plane>& pictures, int rate) {
        const auto film = encode_grey_video(pictures, rate);
        REQUIRE(!film.ok());
        return film.error().code;
    };
    CHECK(code({}, 5) == ErrorCode::kInvalidArgument);
    CHECK(code(steps(2, 16, 16), 0) == ErrorCode::kInvalidArgument);
    CHECK(code(steps(2, 16, 16), 61) == ErrorCode::kInvalidArgument);
    CHECK(code(steps(2, 15, 16), 5) == ErrorCode::kInvalidArgument);
    CHECK(code(steps(2, 16, kGreyVideoSideMax + 2), 5) == ErrorCode::kInvalidArgument);
    std::vector<Plane> mixed = steps(2, 16, 16);
    mixed.push_back(steps(2, 18, 16).front());
    CHECK(code(mixed, 5) == ErrorCode::kInvalidArgument);
    mixed.back() = steps(2, 16, 16).front();
    mixed.back().samples.pop_back();
    CHECK(code(mixed, 5) == ErrorCode::kInvalidArgument);
}

}  // namespace colophon::media
