// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/likeness.h"

#include "label/watermark/embed.h"
#include "label/watermark/internal/carrier.h"
#include "label/watermark/key.h"
#include "label/watermark/luma.h"
#include "label/watermark/payload.h"
#include "support/natural_picture.h"

#include <doctest/doctest.h>

#include <cmath>

namespace colophon::label::internal {
namespace {

// Wang and others 2004 with windows of 8 x 8 that overlap by half, straight from the definition.
double ssim(const Luma& a, const Luma& b) {
    double all = 0;
    int windows = 0;
    for (int top = 0; top + 8 <= a.height; top += 4) {
        for (int left = 0; left + 8 <= a.width; left += 4) {
            double mean_a = 0;
            double mean_b = 0;
            double squares_a = 0;
            double squares_b = 0;
            double products = 0;
            for (int i = 0; i < 64; ++i) {
                const double p = a.at(left + i % 8, top + i / 8);
                const double q = b.at(left + i % 8, top + i / 8);
                mean_a += p / 64;
                mean_b += q / 64;
                squares_a += p * p / 64;
                squares_b += q * q / 64;
                products += p * q / 64;
            }
            const double luminance =
                (2 * mean_a * mean_b + 6.5025) / (mean_a * mean_a + mean_b * mean_b + 6.5025);
            const double structure =
                (2 * (products - mean_a * mean_b) + 58.5225) /
                (squares_a - mean_a * mean_a + squares_b - mean_b * mean_b + 58.5225);
            all += luminance * structure;
            ++windows;
        }
    }
    return all / windows;
}

}  // namespace

TEST_CASE("the gain that is told gives the SSIM that was asked for") {
    const Carrier carrier(published_watermark_key());
    const WatermarkPayload payload{
        .form = PayloadForm::kStandard, .issuer = {1}, .content_id = {5}};
    for (const unsigned seed : {1U, 2U, 3U}) {
        const Luma picture = test::natural_picture(768, 512, seed);
        const Luma pattern = watermark_pattern(picture, carrier, payload, {.psnr_db = 36}).value();
        for (const double wanted : {0.96, 0.98, 0.99}) {
            const float gain = gain_of_ssim(picture, pattern, wanted, 1);
            Luma scaled = pattern;
            for (float& value : scaled.values) {
                value *= gain;
            }
            Luma marked = picture;
            add_pattern(marked, scaled);
            CAPTURE(seed);
            CAPTURE(wanted);
            CAPTURE(gain);
            if (gain < 1) {
                CHECK(std::fabs(ssim(picture, marked) - wanted) < 0.0005);
            } else {
                CHECK(ssim(picture, marked) > wanted - 0.0005);
            }
        }
    }
}

TEST_CASE("a picture without a window, and one like the other, keep all of the pattern") {
    CHECK(gain_of_ssim(Luma(7, 300), Luma(7, 300), 0.99, 1.25F) == 1.25F);
    CHECK(gain_of_ssim(Luma(64, 64), Luma(64, 64), 0.99, 0.5F) == 0.5F);
}

}  // namespace colophon::label::internal
