// SPDX-License-Identifier: Apache-2.0
// [DSP-16] [DSP-18] The implicit label that stays when metadata is gone: written into luma, found
// again after what people do to pictures.
#include "label/watermark/detect.h"

#include "core/ids.h"
#include "label/watermark/embed.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"
#include "support/natural_picture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

namespace colophon::label {
namespace {

constexpr WatermarkPayload kPayload{
    .form = PayloadForm::kStandard, .issuer = {7}, .content_id = {0x0123456789ab}};

const internal::Carrier& carrier() {
    static const internal::Carrier kCarrier(published_watermark_key());
    return kCarrier;
}

Luma marked(const Luma& picture, const WatermarkPayload& payload = kPayload) {
    const Result<Luma> pattern = watermark_pattern(picture, carrier(), payload, {});
    REQUIRE(pattern.ok());
    Luma result = picture;
    add_pattern(result, *pattern);
    return result;
}

WatermarkReading thorough(const Luma& picture) {
    return find_watermark(picture, carrier(), DetectEffort::kThorough);
}

void check_found(const WatermarkReading& reading) {
    CHECK(reading.state == WatermarkState::kFound);
    CHECK(reading.payload == kPayload);
    CHECK(reading.score >= kScoreMin);
}

Luma transposed(const Luma& picture) {
    Luma result(picture.height, picture.width);
    for (int y = 0; y < picture.height; ++y) {
        for (int x = 0; x < picture.width; ++x) {
            result.row(x)[y] = picture.at(x, y);
        }
    }
    return result;
}

Luma cut(const Luma& picture, int left, int top, int width, int height) {
    Luma result(width, height);
    for (int y = 0; y < height; ++y) {
        std::copy_n(picture.row(top + y) + left, width, result.row(y));
    }
    return result;
}

Luma mirrored(const Luma& picture) {
    Luma result = picture;
    for (int y = 0; y < picture.height; ++y) {
        std::reverse(result.row(y), result.row(y) + picture.width);
    }
    return result;
}

}  // namespace

TEST_CASE("a marked picture is 42 dB from the original, and the fast search reads it untouched") {
    for (const auto& [width, height] : {std::pair(640, 400), std::pair(300, 500)}) {
        const Luma picture = test::natural_picture(width, height, 1);
        const Luma with_mark = marked(picture);
        CHECK(psnr(picture, with_mark) >= 41.99);
        const WatermarkReading reading = find_watermark(with_mark, carrier(), DetectEffort::kFast);
        check_found(reading);
        CHECK(reading.geometry.untouched);
        CHECK(find_watermark(picture, carrier(), DetectEffort::kFast).state ==
              WatermarkState::kAbsent);
    }
}

TEST_CASE("pictures larger than the canonical size are marked and read at theirs") {
    const Luma with_mark = marked(test::natural_picture(1500, 1200, 2));
    const WatermarkReading reading = find_watermark(with_mark, carrier(), DetectEffort::kFast);
    check_found(reading);
    CHECK(reading.geometry.period_x == doctest::Approx(109).epsilon(0.005));
    CHECK(reading.geometry.untouched);
}

TEST_CASE("quarter turns, mirroring and cropping are found, and said") {
    const Luma with_mark = marked(test::natural_picture(600, 420, 3));
    const WatermarkReading flipped = thorough(mirrored(with_mark));
    check_found(flipped);
    CHECK(flipped.geometry.mirrored);
    CHECK(std::fabs(flipped.geometry.turn_degrees) < 0.2);

    // Transposed and mirrored: a quarter turn clockwise.
    const WatermarkReading turned = thorough(mirrored(transposed(with_mark)));
    check_found(turned);
    CHECK_FALSE(turned.geometry.mirrored);
    CHECK(turned.geometry.turn_degrees == doctest::Approx(90).epsilon(0.01));

    const WatermarkReading part = thorough(cut(with_mark, 133, 71, 360, 240));
    check_found(part);
    CHECK(part.geometry.period_x == doctest::Approx(70).epsilon(0.01));
}

TEST_CASE("any turn and scale within the range is found, and said") {
    const Luma with_mark = marked(test::natural_picture(640, 480, 4));
    struct Row {
        double degrees;
        double scale;
        double keep;
    };
    for (const Row& row : {Row{33, 0.8, 0.66}, Row{-12, 1.3, 0.8}, Row{161, 1, 0.75},
                           Row{0, 0.5, 1}, Row{0, 2.2, 1}, Row{1.5, 1, 0.95}}) {
        CAPTURE(row.degrees);
        CAPTURE(row.scale);
        const WatermarkReading reading =
            thorough(test::turned_and_scaled(with_mark, row.degrees, row.scale, row.keep));
        check_found(reading);
        CHECK(std::fabs(reading.geometry.turn_degrees - row.degrees) < 0.3);
        CHECK(reading.geometry.period_x == doctest::Approx(70 * row.scale).epsilon(0.01));
    }
}

TEST_CASE("noise, less contrast and more brightness leave the mark readable") {
    Luma worse = marked(test::natural_picture(500, 400, 5));
    std::mt19937_64 random(3);
    std::normal_distribution<float> noise(0, 8);
    for (float& value : worse.values) {
        value = std::clamp(std::nearbyint(value * 0.7F + 40 + noise(random)), 0.0F, 255.0F);
    }
    check_found(thorough(worse));
}

TEST_CASE("another key, another picture's mark and no mark are told apart") {
    const Luma picture = test::natural_picture(500, 400, 6);
    const Luma with_mark = marked(picture);
    WatermarkKey other = published_watermark_key();
    other.bytes[0] ^= 1U;
    const internal::Carrier foreign(other);
    CHECK(find_watermark(with_mark, foreign, DetectEffort::kThorough).state ==
          WatermarkState::kAbsent);
    CHECK(thorough(picture).state == WatermarkState::kAbsent);

    WatermarkPayload second = kPayload;
    second.content_id.value ^= 1U;
    const WatermarkReading reading = thorough(marked(picture, second));
    REQUIRE(reading.state == WatermarkState::kFound);
    CHECK(reading.payload == second);
}

TEST_CASE(
    "the long form is read after turning, scaling and noise, and is never taken for another") {
    const WatermarkPayload payload{.form = PayloadForm::kLong,
                                   .issuer = {},
                                   .content_id = {0x0123456789ab},
                                   .provider = MarkProvider::create("91350100M000100Y43").value()};
    const Luma with_mark = marked(test::natural_picture(900, 700, 9), payload);
    Luma worse = test::turned_and_scaled(with_mark, 33, 0.8, 0.75);
    std::mt19937_64 random(4);
    std::normal_distribution<float> noise(0, 5);
    for (float& value : worse.values) {
        value = std::clamp(std::nearbyint(value + noise(random)), 0.0F, 255.0F);
    }
    for (const Luma* picture : {&with_mark, static_cast<const Luma*>(&worse)}) {
        const WatermarkReading reading = thorough(*picture);
        REQUIRE(reading.state == WatermarkState::kFound);
        CHECK(reading.payload == payload);
        CHECK(reading.score >= kLongScoreMin);
    }
}

TEST_CASE("small pictures hold the short form, smaller ones say that they cannot") {
    const WatermarkPayload handle{
        .form = PayloadForm::kShort, .issuer = {}, .content_id = {0xdeadbeef}};
    const Luma small = test::natural_picture(200, 150, 7);
    const WatermarkReading reading =
        find_watermark(marked(small, handle), carrier(), DetectEffort::kFast);
    REQUIRE(reading.state == WatermarkState::kFound);
    CHECK(reading.payload == handle);

    const Result<Luma> refused =
        watermark_pattern(test::natural_picture(200, 95, 8), carrier(), handle, {});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().what == "a watermark needs a picture of at least 96 x 96 pixels");
    CHECK_FALSE(watermark_pattern(small, carrier(), handle, {.psnr_db = 20}).ok());
    CHECK_FALSE(watermark_pattern(small, carrier(), handle, {.psnr_db = NAN}).ok());
}

TEST_CASE("pictures of one colour, of one pixel and of no sense are searched without harm") {
    for (const auto& [width, height] : {std::pair(1, 1), std::pair(300, 1), std::pair(1, 300),
                                        std::pair(48, 48), std::pair(400, 60)}) {
        Luma flat(width, height);
        CHECK(thorough(flat).state == WatermarkState::kAbsent);
        std::fill(flat.values.begin(), flat.values.end(), 255.0F);
        CHECK(thorough(flat).state == WatermarkState::kAbsent);
    }
    Luma grid(400, 400);
    for (int y = 0; y < 400; ++y) {
        for (int x = 0; x < 400; ++x) {
            grid.row(y)[x] = x % 70 == 0 || y % 70 == 0 ? 0.0F : 255.0F;
        }
    }
    CHECK(thorough(grid).state == WatermarkState::kAbsent);
}

// Seen aslant: the right side is `share` higher than the left one.
static Luma aslant(const Luma& picture, double share) {
    Luma result(picture.width, picture.height);
    for (int y = 0; y < picture.height; ++y) {
        for (int x = 0; x < picture.width; ++x) {
            const double factor = 1 + share * (x - picture.width / 2.0) / picture.width;
            const double from = picture.height / 2.0 + (y - picture.height / 2.0) / factor;
            const int row = std::clamp(static_cast<int>(from), 0, picture.height - 2);
            const auto part = static_cast<float>(std::clamp(from - row, 0.0, 1.0));
            result.row(y)[x] = (1 - part) * picture.at(x, row) + part * picture.at(x, row + 1);
        }
    }
    return result;
}

TEST_CASE("several threads find what one finds, to the last bit") {
    const Luma picture = test::natural_picture(900, 620, 17);
    const Luma with_mark = marked(picture);
    const std::vector<Luma> pictures{picture, with_mark,
                                     test::turned_and_scaled(with_mark, 33, 1.1, 0.7),
                                     aslant(with_mark, 0.12), aslant(picture, 0.12)};
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        CAPTURE(i);
        const auto found = [&](std::size_t threads) {
            WatermarkSearch search(pictures[i], threads);
            return search.find(carrier(), DetectEffort::kThorough);
        };
        const WatermarkReading one = found(1);
        CHECK((one.state == WatermarkState::kFound) == (i > 0 && i < 4));
        for (const std::size_t threads : {std::size_t{2}, std::size_t{4}}) {
            const WatermarkReading several = found(threads);
            CHECK(several.state == one.state);
            CHECK(several.payload == one.payload);
            CHECK(several.score == one.score);
            CHECK(several.pilot_score == one.pilot_score);
            CHECK(several.geometry.period_x == one.geometry.period_x);
            CHECK(several.geometry.turn_degrees == one.geometry.turn_degrees);
        }
    }
}

TEST_CASE("what a search has forgotten is worked out again") {
    const Luma picture = aslant(test::natural_picture(900, 620, 17), 0.12);
    WatermarkSearch search(picture);
    const WatermarkReading first =
        search.find(carrier(), DetectEffort::kThorough, SearchParts::kForget);
    const WatermarkReading again = search.find(carrier(), DetectEffort::kThorough);
    CHECK(first.state == WatermarkState::kAbsent);
    CHECK(first.pilot_score > 0);
    CHECK(again.pilot_score == first.pilot_score);
    CHECK(again.geometry.period_x == first.geometry.period_x);
    CHECK(again.geometry.turn_degrees == first.geometry.turn_degrees);
}

}  // namespace colophon::label
