// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/kernels.h"

#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/kernels_scalar.h"

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

namespace colophon::label::internal {
namespace {

// Lengths around those of vectors, so that ends are looked at too.
constexpr std::array<std::size_t, 10> kCounts{0, 1, 3, 7, 8, 15, 16, 33, 64, 1001};

// Calls `check` with each kind of instructions that this processor has.
void with_each_target(const std::function<void()>& check) {
    const std::int64_t all = hwy::SupportedTargets();
    int seen = 0;
    for (std::int64_t rest = all; rest != 0; rest &= rest - 1) {
        const std::int64_t target = rest & -rest;
        // The reference stands in for what is below the least of them.
        hwy::SetSupportedTargetsForTest(target);
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
        CAPTURE(hwy::TargetName(target));
        check();
        ++seen;
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    CHECK(seen > 0);
}

template <class Number>
std::vector<Number> random_numbers(std::size_t count, double low, double high,
                                   std::uint32_t seed = 1) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<double> value(low, high);
    std::vector<Number> numbers(count);
    for (Number& each : numbers) {
        each = static_cast<Number>(value(random));
    }
    return numbers;
}

std::vector<Complex> random_complex(std::size_t count) {
    std::vector<Complex> values;
    const std::vector<float> parts = random_numbers<float>(2 * count, -3, 3);
    for (std::size_t i = 0; i < count; ++i) {
        values.emplace_back(parts[2 * i], parts[2 * i + 1]);
    }
    return values;
}

// Compares a kernel with its reference: both get an output of that size that begins alike.
template <class Out, class Kernel, class Reference>
void compare(std::vector<Out> out, const Kernel& kernel, const Reference& reference) {
    std::vector<Out> expected = out;
    kernel(out.data());
    reference(expected.data());
    CHECK(out == expected);
}

const std::vector<float>& window() {
    static const std::vector<float> kRows = [] {
        std::vector<float> rows = random_numbers<float>((kWindowSteps + 1) * 8, 0, 1);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            rows[i] = i % 8 < kWindowTaps ? rows[i] : 0;
        }
        return rows;
    }();
    return kRows;
}

// Of no row more than 4 in all.
const std::vector<std::int16_t>& coarse_window() {
    static const std::vector<std::int16_t> kRows = [] {
        std::vector<std::int16_t> rows;
        for (const float weight : window()) {
            rows.push_back(static_cast<std::int16_t>(0.8F * weight * kCoarseOne));
        }
        return rows;
    }();
    return kRows;
}

}  // namespace

TEST_CASE("pixels: every kind of instructions gives what the plain loops give, to the last bit") {
    with_each_target([] {
        for (const std::size_t count : kCounts) {
            CAPTURE(count);
            for (const int channels : {3, 4}) {
                const auto samples = random_numbers<std::uint8_t>(4 * count, 0, 255.9);
                compare(
                    std::vector<float>(count),
                    [&](float* out) { luma_of_rgb(samples.data(), channels, out, count); },
                    [&](float* out) { scalar::luma_of_rgb(samples.data(), channels, out, count); });
            }
            for (const int channels : {1, 3, 4}) {
                auto levels = random_numbers<std::int16_t>(count, -300, 300);
                if (!levels.empty()) {
                    levels.front() = -32768;
                    levels.back() = 32767;
                }
                compare(
                    random_numbers<std::uint8_t>(4 * count, 0, 255.9),
                    [&](std::uint8_t* out) { add_levels(levels.data(), channels, out, count); },
                    [&](std::uint8_t* out) {
                        scalar::add_levels(levels.data(), channels, out, count);
                    });
            }
            const auto values = random_numbers<float>(kRowsRounded * count, -9, 9);
            std::array<const float*, kRowsRounded> rows{};
            for (std::size_t i = 0; i < rows.size(); ++i) {
                rows[i] = values.data() + i * count;
            }
            const auto rounded = [&](const auto& round) {
                return [&](std::int16_t* out) {
                    std::array<std::int16_t*, kRowsRounded> to{};
                    for (std::size_t i = 0; i < to.size(); ++i) {
                        to[i] = out + i * count;
                    }
                    Rounding rounding{.scale = 0.7F, .carried = {}};
                    round(rows, rounding, to, count);
                    for (const float carried : rounding.carried) {
                        CHECK(std::fabs(carried) <= 0.5F);
                    }
                };
            };
            compare(std::vector<std::int16_t>(kRowsRounded * count), rounded(round_rows),
                    rounded(scalar::round_rows));
        }
    });
}

TEST_CASE("boxes and masks: the same") {
    with_each_target([] {
        for (const std::size_t count : kCounts) {
            CAPTURE(count);
            const auto luma = random_numbers<float>(count, -20, 280);
            compare(
                std::vector<std::int16_t>(count),
                [&](std::int16_t* out) { to_steps(luma.data(), 16, out, count); },
                [&](std::int16_t* out) { scalar::to_steps(luma.data(), 16, out, count); });
            const auto entering = random_numbers<std::int16_t>(count, -4096, 4096, 2);
            const auto leaving = random_numbers<std::int16_t>(count, -4096, 4096, 3);
            const auto slide = [&](const auto& kernel) {
                return [&](std::int32_t* out) {
                    kernel(entering.data(), leaving.data(),
                           Columns{.sums = out, .squares = out + count}, count);
                };
            };
            compare(random_numbers<std::int32_t>(2 * count, 0, 1e8), slide(slide_columns),
                    slide(scalar::slide_columns));
            const auto sums = random_numbers<std::int32_t>(count, -40000, 40000);
            const auto squares = random_numbers<std::int32_t>(count, 0, 2e9);
            const auto across = random_numbers<float>(count, 0.05, 0.2);
            const Boxes boxes{.sums = sums.data(),
                              .squares = squares.data(),
                              .across = across.data(),
                              .down = 0.1F,
                              .level = 0.0625F};
            compare(
                std::vector<float>(count), [&](float* out) { deviations(boxes, 300, out, count); },
                [&](float* out) { scalar::deviations(boxes, 300, out, count); });
            compare(
                std::vector<float>(count),
                [&](float* out) { relative_to_boxes(boxes, luma.data(), 2, out, count); },
                [&](float* out) { scalar::relative_to_boxes(boxes, luma.data(), 2, out, count); });
            const auto rows = random_numbers<float>(count + 4, 0, 13);
            const float* const row = rows.data();
            const std::array<const float*, 5> around{row, row + 1, row + 2, row + 3, row + 4};
            compare(
                std::vector<float>(count),
                [&](float* out) { shape_pattern(around, 0.3F, luma.data(), out, count); },
                [&](float* out) { scalar::shape_pattern(around, 0.3F, luma.data(), out, count); });
            Energies found{};
            Energies expected{};
            add_energies(luma.data(), count, found);
            scalar::add_energies(luma.data(), count, expected);
            CHECK(found == expected);
        }
    });
}

TEST_CASE("spectra: the same") {
    with_each_target([] {
        for (const std::size_t count : kCounts) {
            CAPTURE(count);
            const std::vector<Complex> values = random_complex(count);
            compare(
                std::vector<float>(count),
                [&](float* out) { magnitudes(values.data(), out, count); },
                [&](float* out) { scalar::magnitudes(values.data(), out, count); });
            const auto magnitude = random_numbers<float>(count, 0, 5);
            auto means = random_numbers<float>(count, 0.1, 3);
            if (!means.empty()) {
                means.front() = 0;
            }
            const Whitening how{
                .magnitudes = magnitude.data(), .means = means.data(), .most = 2.5F};
            std::vector<float> gain(count);
            std::vector<float> expected_gain(count);
            compare(
                values, [&](Complex* out) { whiten(how, out, gain.data(), count); },
                [&](Complex* out) { scalar::whiten(how, out, expected_gain.data(), count); });
            CHECK(gain == expected_gain);
            compare(
                std::vector<std::int8_t>(2 * count),
                [&](std::int8_t* out) { coarsen(values.data(), 40, out, count); },
                [&](std::int8_t* out) { scalar::coarsen(values.data(), 40, out, count); });
            const auto entering = random_numbers<float>(count, 0, 9, 4);
            const auto leaving = random_numbers<float>(count, 0, 9, 5);
            const SlidingRows rows{.entering = entering.data(),
                                   .leaving = leaving.data(),
                                   .across = means.data(),
                                   .down = 0.1F};
            auto sums = random_numbers<double>(count, 0, 100);
            auto expected_sums = sums;
            compare(
                std::vector<float>(count),
                [&](float* out) { slide_means(rows, sums.data(), out, count); },
                [&](float* out) { scalar::slide_means(rows, expected_sums.data(), out, count); });
            CHECK(sums == expected_sums);
        }
    });
}

TEST_CASE(
    "places between the points of a grid: the same, and with a window of one tap the points") {
    constexpr std::size_t kStride = 40;
    constexpr int kLines = 30;
    const std::vector<Complex> points = random_complex(kStride * kLines);
    std::vector<std::int8_t> coarse(2 * points.size());
    scalar::coarsen(points.data(), 42, coarse.data(), points.size());
    const Grid grid{
        .values = points.data() + 3, .stride = kStride, .lines = kLines, .window = window().data()};
    const CoarseGrid coarse_grid{.values = coarse.data() + 6,
                                 .stride = kStride,
                                 .lines = kLines,
                                 .window = window().data(),
                                 .down = coarse_window().data()};
    with_each_target([&] {
        for (const std::size_t count : kCounts) {
            CAPTURE(count);
            const auto x = random_numbers<float>(count, 0, 30);
            const auto y = random_numbers<float>(count, -12, 12);
            compare(
                std::vector<Complex>(count),
                [&](Complex* out) { interpolate(grid, x.data(), y.data(), out, count); },
                [&](Complex* out) { scalar::interpolate(grid, x.data(), y.data(), out, count); });
            CHECK(coarse_energy(coarse_grid, x.data(), y.data(), count) ==
                  scalar::coarse_energy(coarse_grid, x.data(), y.data(), count));
            std::vector<Bin> bins;
            for (std::size_t i = 0; i < count; ++i) {
                bins.push_back({.u = static_cast<int>(x[i]), .v = static_cast<int>(y[i])});
            }
            const FrequencyMap map{.xu = 0.013, .xv = -0.009, .yu = 0.008, .yv = 0.015};
            const GridSize size{.width = 720, .height = 480, .reach = 0.2F};
            compare(
                std::vector<float>(2 * count),
                [&](float* out) { grid_places(map, size, bins, out, out + count); },
                [&](float* out) { scalar::grid_places(map, size, bins, out, out + count); });
        }
    });
    std::vector<float> one_tap(window().size());
    for (std::size_t i = 2; i < one_tap.size(); i += 8) {
        one_tap[i] = 1;
    }
    Grid plain = grid;
    plain.window = one_tap.data();
    const std::array<float, 2> x{5, 11};
    const std::array<float, 2> y{7, -4};
    std::array<Complex, 2> out;
    interpolate(plain, x.data(), y.data(), out.data(), out.size());
    CHECK(out[0] == points[7 * kStride + 3 + 5]);
    CHECK(out[1] == points[(kLines - 4) * kStride + 3 + 11]);
}

TEST_CASE("points of lattices and rows of videos: the same") {
    constexpr int kWidth = 64;
    const auto plane = random_numbers<float>(std::size_t{kWidth} * 32, -3, 14);
    const HalfPlane half{.values = plane.data(), .width = kWidth};
    const std::array<LatticePoint, 3> points{{{1, 0}, {1, -1}, {0, 2}}};
    with_each_target([&] {
        for (const std::size_t count : kCounts) {
            CAPTURE(count);
            const auto x = random_numbers<float>(count, -10, 10);
            const auto y = random_numbers<float>(count, -10, 10, 2);
            const Steps steps{.x = x.data(), .y = y.data()};
            compare(
                std::vector<float>(count),
                [&](float* out) { sum_points(half, points, steps, out, count); },
                [&](float* out) { scalar::sum_points(half, points, steps, out, count); });
            const PlaneWithin within{.plane = half, .reach_x = 9, .reach_y = 14};
            compare(
                std::vector<float>(2 * count),
                [&](float* out) {
                    sum_points_within(within, points, steps, {out, out + count}, count);
                },
                [&](float* out) {
                    scalar::sum_points_within(within, points, steps, {out, out + count}, count);
                });
            const auto pattern = random_numbers<std::int16_t>(count, -32768, 32767);
            const auto amplitude = random_numbers<std::int16_t>(count, 0, 32767, 2);
            RowChange change{
                .pattern = pattern.data(), .amplitude = amplitude.data(), .shift = 20, .most = 255};
            compare(
                random_numbers<std::uint8_t>(count, 0, 255.9),
                [&](std::uint8_t* out) { change_row(change, out, count); },
                [&](std::uint8_t* out) { scalar::change_row(change, out, count); });
            change.shift = 18;
            change.most = 1023;
            compare(
                random_numbers<std::uint16_t>(count, 0, 1023.9),
                [&](std::uint16_t* out) { change_row(change, out, count); },
                [&](std::uint16_t* out) { scalar::change_row(change, out, count); });
        }
        for (const int block : {8, 16}) {
            const auto nodes = random_numbers<float>(12, 0, 30000);
            compare(
                std::vector<std::int16_t>(11 * static_cast<std::size_t>(block)),
                [&](std::int16_t* out) { draw_ramps(nodes.data(), 11, block, out); },
                [&](std::int16_t* out) { scalar::draw_ramps(nodes.data(), 11, block, out); });
        }
    });
}

}  // namespace colophon::label::internal
