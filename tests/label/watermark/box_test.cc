// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/box.h"

#include "label/watermark/internal/kernels.h"
#include "label/watermark/luma.h"
#include "support/natural_picture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <vector>

namespace colophon::label::internal {
namespace {

double naive_mean(const Luma& plane, int x, int y, int radius) {
    double sum = 0;
    int count = 0;
    for (int j = std::max(0, y - radius); j <= std::min(plane.height - 1, y + radius); ++j) {
        for (int i = std::max(0, x - radius); i <= std::min(plane.width - 1, x + radius); ++i) {
            sum += static_cast<double>(plane.at(i, j));
            ++count;
        }
    }
    return sum / count;
}

}  // namespace

TEST_CASE(
    "a box mean is the plain mean at every pixel, also where the box is larger than the picture") {
    for (const auto& [width, height] : {std::pair(37, 23), std::pair(5, 40), std::pair(1, 1)}) {
        const Luma plane = test::natural_picture(width, height, 3);
        for (const int radius : {0, 1, 4, 30}) {
            const Luma mean = box_mean(plane, radius);
            for (int y = 0; y < height; ++y) {
                for (int x = 0; x < width; ++x) {
                    CHECK(static_cast<double>(mean.at(x, y)) ==
                          doctest::Approx(naive_mean(plane, x, y, radius)).epsilon(1e-4));
                }
            }
        }
    }
}

TEST_CASE("the rows of boxes have the plain sums, wherever in a picture one begins") {
    const Luma plane = test::natural_picture(61, 47, 3);
    for (const int radius : {0, 3, 22, 60}) {
        for (const int first : {0, 1, 20, 46}) {
            BoxRows rows(plane, radius, first);
            for (int y = first; y < plane.height; ++y) {
                const Boxes boxes = rows.next();
                for (int x = 0; x < plane.width; ++x) {
                    const auto i = static_cast<std::size_t>(x);
                    const double mean =
                        static_cast<double>(static_cast<float>(boxes.sums[i]) * boxes.across[i] *
                                                boxes.down * boxes.level +
                                            kMiddle);
                    CHECK(std::fabs(mean - naive_mean(plane, x, y, radius)) < 0.3);
                }
            }
        }
    }
}

TEST_CASE("deviations: a flat picture has none, a chequered one half of its two levels' distance") {
    const auto deviation = [](const Luma& plane, int radius, int y, std::size_t x) {
        std::vector<float> out(static_cast<std::size_t>(plane.width));
        deviations(BoxRows(plane, radius, y).next(), 100, out.data(), out.size());
        return out[x];
    };
    Luma flat(20, 20);
    std::fill(flat.values.begin(), flat.values.end(), 250.0F);
    CHECK(deviation(flat, 3, 5, 7) < 0.2F);

    Luma chequered(20, 20);
    for (int y = 0; y < 20; ++y) {
        for (int x = 0; x < 20; ++x) {
            chequered.row(y)[x] = (x + y) % 2 == 0 ? 100.0F : 120.0F;
        }
    }
    CHECK(deviation(chequered, 4, 10, 10) == doctest::Approx(10).epsilon(0.01));
}

TEST_CASE("shrinking keeps the mean, and halving takes the mean of four") {
    const Luma plane = test::natural_picture(90, 60, 5);
    const Luma half = shrink(plane, 45, 30);
    CHECK(half.at(7, 9) ==
          doctest::Approx(
              (plane.at(14, 18) + plane.at(15, 18) + plane.at(14, 19) + plane.at(15, 19)) / 4));
    const auto mean = [](const Luma& of) {
        return std::accumulate(of.values.begin(), of.values.end(), 0.0) /
               static_cast<double>(of.values.size());
    };
    CHECK(mean(shrink(plane, 37, 41)) == doctest::Approx(mean(plane)).epsilon(1e-4));
    CHECK(shrink(plane, 90, 60).values == plane.values);
}

}  // namespace colophon::label::internal
