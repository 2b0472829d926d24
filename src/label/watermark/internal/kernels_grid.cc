// SPDX-License-Identifier: Apache-2.0
// The kernels of kernels.h that read between the points of a grid.
#include "label/watermark/internal/bins.h"
#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/kernels.h"
#include "label/watermark/internal/kernels_scalar.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

// NOLINTBEGIN(misc-include-cleaner): as in kernels.cc, which also says what is left out.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "label/watermark/internal/kernels_grid.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace colophon::label::internal::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

using scalar::coarse_energy;
using scalar::coarsen;
using scalar::grid_places;
using scalar::interpolate;
using scalar::sum_points;
using scalar::sum_points_within;

#else

namespace hn = hwy::HWY_NAMESPACE;

// No MulAdd: see kernels.cc.
using Floats = hn::ScalableTag<float>;
using FloatVector = hn::Vec<Floats>;
using Ints = hn::RebindToSigned<Floats>;
constexpr Floats kFloats;
constexpr Ints kInts;

// Two complex numbers to a vector: three of them hold a row of taps, and one column more that has
// no weight.
using Pairs = hn::FixedTag<float, 4>;
constexpr Pairs kPairs;

constexpr float kReach = kWindowTaps / 2.0F;

HWY_INLINE const float* weights(const float* window, float at, int first) {
    const float step = (at - static_cast<float>(first) - (kReach - 1)) * kWindowSteps;
    return window + std::ptrdiff_t{8} * hn::GetLane(hn::NearestInt(hn::Set(kPairs, step)));
}

// Sums down three pairs of columns, weighted across: real and imaginary part in the lower half.
HWY_INLINE hn::Vec<Pairs> fold(hn::Vec<Pairs> a, hn::Vec<Pairs> b, hn::Vec<Pairs> c,
                               const float* across) {
    const auto near = hn::LoadU(kPairs, across);
    const auto far = hn::LoadU(kPairs, across + 4);
    a = hn::Mul(a, hn::InterleaveLower(kPairs, near, near));
    b = hn::Mul(b, hn::InterleaveUpper(kPairs, near, near));
    c = hn::Mul(c, hn::InterleaveLower(kPairs, far, far));
    const auto folded = hn::Add(hn::Add(a, b), c);
    return hn::Add(folded, hn::Shuffle1032(folded));
}

HWY_INLINE hn::Vec<Pairs> between(const Grid& grid, const float* parts, float x, float y) {
    const int left = static_cast<int>(std::ceil(x - kReach));
    const int top = static_cast<int>(std::ceil(y - kReach));
    const float* down = weights(grid.window, y, top);
    auto a = hn::Zero(kPairs);
    auto b = hn::Zero(kPairs);
    auto c = hn::Zero(kPairs);
    for (int j = 0; j < kWindowTaps; ++j) {
        const int row = top + j < 0 ? top + j + grid.lines : top + j;
        const float* from = parts + (static_cast<std::ptrdiff_t>(grid.stride) * row + left) * 2;
        const auto weight = hn::Set(kPairs, down[j]);
        a = hn::Add(a, hn::Mul(weight, hn::LoadU(kPairs, from)));
        b = hn::Add(b, hn::Mul(weight, hn::LoadU(kPairs, from + 4)));
        c = hn::Add(c, hn::Mul(weight, hn::LoadU(kPairs, from + 8)));
    }
    return fold(a, b, c, weights(grid.window, x, left));
}

void interpolate(const Grid& grid, const float* x, const float* y, Complex* out,
                 std::size_t count) {
    const hn::Half<Pairs> half;
    const auto* parts = reinterpret_cast<const float*>(grid.values);
    for (std::size_t i = 0; i < count; ++i) {
        const auto value = between(grid, parts, x[i], y[i]);
        hn::StoreU(hn::LowerHalf(half, value), half, reinterpret_cast<float*>(out + i));
    }
}

// The same of a coarse grid, each sum in kCoarseStep parts of a step.
HWY_INLINE hn::Vec<Pairs> coarsely_between(const CoarseGrid& grid, int left, int top,
                                           const float* across, const std::int16_t* down) {
    const hn::FixedTag<std::int8_t, 16> bytes;
    const hn::FixedTag<std::int16_t, 8> shorts;
    const hn::Half<decltype(shorts)> four;
    const hn::RebindToSigned<Pairs> ints;
    auto near = hn::Zero(shorts);
    auto far = hn::Zero(shorts);
    const auto none = hn::Zero(bytes);
    for (int j = 0; j < kWindowTaps; ++j) {
        const int row = top + j < 0 ? top + j + grid.lines : top + j;
        const auto parts = hn::LoadU(
            bytes, grid.values + (static_cast<std::ptrdiff_t>(grid.stride) * row + left) * 2);
        const auto weight = hn::Set(shorts, down[j]);
        // In the upper half of 16 bits: 256 times as much.
        const auto eight = hn::BitCast(shorts, hn::InterleaveLower(bytes, none, parts));
        const auto more = hn::BitCast(shorts, hn::InterleaveUpper(bytes, none, parts));
        near = hn::Add(near, hn::MulHigh(eight, weight));
        far = hn::Add(far, hn::MulHigh(more, weight));
    }
    const auto floats = [&](auto parts)
                            HWY_ATTR { return hn::ConvertTo(kPairs, hn::PromoteTo(ints, parts)); };
    return fold(floats(hn::LowerHalf(four, near)), floats(hn::UpperHalf(four, near)),
                floats(hn::LowerHalf(four, far)), across);
}

// The first of the taps around each place, and which row of weights they have.
struct Taps {
    static constexpr std::size_t kAtOnce = 64;
    HWY_ALIGN std::int32_t first[kAtOnce];
    HWY_ALIGN std::int32_t step[kAtOnce];

    HWY_INLINE void find(const float* at, std::size_t count) {
        const auto reach = hn::Set(kFloats, kReach);
        const auto before = hn::Set(kFloats, kReach - 1);
        const auto steps = hn::Set(kFloats, kWindowSteps);
        HWY_ALIGN float places[kAtOnce] = {};
        std::copy_n(at, count, places);
        for (std::size_t i = 0; i < count; i += hn::Lanes(kFloats)) {
            const auto place = hn::Load(kFloats, places + i);
            const auto tap = hn::Ceil(hn::Sub(place, reach));
            hn::Store(hn::ConvertTo(kInts, tap), kInts, first + i);
            const auto from = hn::Sub(hn::Sub(place, tap), before);
            hn::Store(hn::NearestInt(hn::Mul(from, steps)), kInts, step + i);
        }
    }
};

float coarse_energy(const CoarseGrid& grid, const float* x, const float* y, std::size_t count) {
    auto sum = hn::Zero(kPairs);
    for (std::size_t begin = 0; begin < count; begin += Taps::kAtOnce) {
        const std::size_t some = std::min(Taps::kAtOnce, count - begin);
        Taps across;
        Taps down;
        across.find(x + begin, some);
        down.find(y + begin, some);
        for (std::size_t i = 0; i < some; ++i) {
            const auto value = coarsely_between(grid, across.first[i], down.first[i],
                                                grid.window + std::ptrdiff_t{8} * across.step[i],
                                                grid.down + std::ptrdiff_t{8} * down.step[i]);
            sum = hn::Add(sum, hn::Mul(value, value));
        }
    }
    HWY_ALIGN float sums[4];
    hn::Store(sum, kPairs, sums);
    return (sums[0] + sums[1]) / (kCoarseStep * kCoarseStep);
}

void grid_places(const FrequencyMap& map, const GridSize& grid, std::span<const Bin> bins, float* x,
                 float* y) {
    static_assert(sizeof(Bin) == 2 * sizeof(std::int32_t));
    const auto* numbers = reinterpret_cast<const std::int32_t*>(bins.data());
    const auto set = [](double value)
                         HWY_ATTR { return hn::Set(kFloats, static_cast<float>(value)); };
    const auto width = hn::Set(kFloats, grid.width);
    const auto height = hn::Set(kFloats, grid.height);
    const auto reach = hn::Set(kFloats, grid.reach);
    const std::size_t lanes = hn::Lanes(kFloats);
    std::size_t i = 0;
    for (; i + lanes <= bins.size(); i += lanes) {
        auto first = hn::Undefined(kInts);
        auto second = hn::Undefined(kInts);
        hn::LoadInterleaved2(kInts, numbers + 2 * i, first, second);
        const auto u = hn::ConvertTo(kFloats, first);
        const auto v = hn::ConvertTo(kFloats, second);
        const auto fx = hn::Add(hn::Mul(set(map.xu), u), hn::Mul(set(map.xv), v));
        const auto fy = hn::Add(hn::Mul(set(map.yu), u), hn::Mul(set(map.yv), v));
        const auto inside = hn::And(hn::Lt(hn::Abs(fx), reach), hn::Lt(hn::Abs(fy), reach));
        const auto other_half = hn::Lt(fx, hn::Zero(kFloats));
        const auto px = hn::Mul(hn::IfThenElse(other_half, hn::Neg(fx), fx), width);
        const auto py = hn::Mul(hn::IfThenElse(other_half, hn::Neg(fy), fy), height);
        hn::StoreU(hn::IfThenElseZero(inside, px), kFloats, x + i);
        hn::StoreU(hn::IfThenElseZero(inside, py), kFloats, y + i);
    }
    scalar::grid_places(map, grid, bins.subspan(i), x + i, y + i);
}

void coarsen(const Complex* values, float scale, std::int8_t* out, std::size_t count) {
    const auto* parts = reinterpret_cast<const float*>(values);
    const hn::Rebind<std::int8_t, Floats> bytes;
    const auto factor = hn::Set(kFloats, scale);
    const std::size_t lanes = hn::Lanes(kFloats);
    std::size_t i = 0;
    for (; i + lanes <= 2 * count; i += lanes) {
        const auto whole = hn::NearestInt(hn::Mul(hn::LoadU(kFloats, parts + i), factor));
        hn::StoreU(hn::DemoteTo(bytes, whole), bytes, out + i);
    }
    scalar::coarsen(values + i / 2, scale, out + i, count - i / 2);
}

HWY_INLINE FloatVector between(const HalfPlane& plane, FloatVector x, FloatVector y) {
    const auto none = hn::Zero(kFloats);
    const auto one = hn::Set(kInts, 1);
    const auto width = hn::Set(kInts, plane.width);
    const auto upper_half = hn::Lt(y, none);
    const auto right = hn::IfThenElse(upper_half, hn::Neg(x), x);
    const auto down = hn::IfThenElse(upper_half, hn::Neg(y), y);
    const auto left = hn::Floor(right);
    const auto top = hn::Floor(down);
    const auto column = hn::ConvertTo(kInts, left);
    const auto next = hn::Add(column, one);
    const auto wrapped = [&](auto index) HWY_ATTR {
        return hn::Add(index, hn::IfThenElseZero(hn::Lt(index, hn::Zero(kInts)), width));
    };
    const auto row = hn::Mul(hn::ConvertTo(kInts, top), width);
    const auto first = hn::Add(row, wrapped(column));
    const auto second = hn::Add(row, wrapped(next));
    const float* lower = plane.values + static_cast<std::size_t>(plane.width);
    const auto across = hn::Sub(right, left);
    const auto mixed = [&](const float* base) HWY_ATTR {
        const auto a = hn::GatherIndex(kFloats, base, first);
        const auto b = hn::GatherIndex(kFloats, base, second);
        return hn::Add(a, hn::Mul(across, hn::Sub(b, a)));
    };
    const auto above = mixed(plane.values);
    const auto below = mixed(lower);
    return hn::Add(above, hn::Mul(hn::Sub(down, top), hn::Sub(below, above)));
}

void sum_points(const HalfPlane& plane, std::span<const LatticePoint> points, const Steps& steps,
                float* out, std::size_t count) {
    const auto most = hn::Set(kFloats, kPointMax);
    std::size_t i = 0;
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
        const auto x = hn::LoadU(kFloats, steps.x + i);
        const auto y = hn::LoadU(kFloats, steps.y + i);
        auto sum = hn::Zero(kFloats);
        for (const LatticePoint& point : points) {
            const auto first = hn::Set(kFloats, point.first);
            const auto second = hn::Set(kFloats, point.second);
            const auto px = hn::Sub(hn::Mul(first, x), hn::Mul(second, y));
            const auto py = hn::Add(hn::Mul(first, y), hn::Mul(second, x));
            sum = hn::Add(sum, hn::Min(between(plane, px, py), most));
        }
        hn::StoreU(sum, kFloats, out + i);
    }
    scalar::sum_points(plane, points, {.x = steps.x + i, .y = steps.y + i}, out + i, count - i);
}

void sum_points_within(const PlaneWithin& within, std::span<const LatticePoint> points,
                       const Steps& steps, const PointSums& out, std::size_t count) {
    const auto most = hn::Set(kFloats, kPointMax);
    const auto one = hn::Set(kFloats, 1);
    const auto reach_x = hn::Set(kFloats, within.reach_x);
    const auto reach_y = hn::Set(kFloats, within.reach_y);
    std::size_t i = 0;
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
        const auto x = hn::LoadU(kFloats, steps.x + i);
        const auto y = hn::LoadU(kFloats, steps.y + i);
        auto sum = hn::Zero(kFloats);
        auto seen = hn::Zero(kFloats);
        for (const LatticePoint& point : points) {
            const auto first = hn::Set(kFloats, point.first);
            const auto second = hn::Set(kFloats, point.second);
            const auto px = hn::Sub(hn::Mul(first, x), hn::Mul(second, y));
            const auto py = hn::Add(hn::Mul(first, y), hn::Mul(second, x));
            const auto inside = hn::And(hn::Le(hn::Abs(px), reach_x), hn::Le(hn::Abs(py), reach_y));
            const auto value = between(within.plane, hn::IfThenElseZero(inside, px),
                                       hn::IfThenElseZero(inside, py));
            sum = hn::Add(sum, hn::IfThenElseZero(inside, hn::Min(value, most)));
            seen = hn::Add(seen, hn::IfThenElseZero(inside, one));
        }
        hn::StoreU(sum, kFloats, out.sums + i);
        hn::StoreU(seen, kFloats, out.counts + i);
    }
    scalar::sum_points_within(within, points, {.x = steps.x + i, .y = steps.y + i},
                              {.sums = out.sums + i, .counts = out.counts + i}, count - i);
}

#endif

}  // namespace colophon::label::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace colophon::label::internal {

HWY_EXPORT(interpolate);
HWY_EXPORT(coarse_energy);
HWY_EXPORT(coarsen);
HWY_EXPORT(grid_places);
HWY_EXPORT(sum_points);
HWY_EXPORT(sum_points_within);

void interpolate(const Grid& grid, const float* x, const float* y, Complex* out,
                 std::size_t count) {
    HWY_DYNAMIC_DISPATCH(interpolate)(grid, x, y, out, count);
}
float coarse_energy(const CoarseGrid& grid, const float* x, const float* y, std::size_t count) {
    return HWY_DYNAMIC_DISPATCH(coarse_energy)(grid, x, y, count);
}
void coarsen(const Complex* values, float scale, std::int8_t* out, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(coarsen)(values, scale, out, count);
}
void grid_places(const FrequencyMap& map, const GridSize& grid, std::span<const Bin> bins, float* x,
                 float* y) {
    HWY_DYNAMIC_DISPATCH(grid_places)(map, grid, bins, x, y);
}
void sum_points(const HalfPlane& plane, std::span<const LatticePoint> points, const Steps& steps,
                float* out, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(sum_points)(plane, points, steps, out, count);
}
void sum_points_within(const PlaneWithin& within, std::span<const LatticePoint> points,
                       const Steps& steps, const PointSums& out, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(sum_points_within)(within, points, steps, out, count);
}

}  // namespace colophon::label::internal
#endif
// NOLINTEND(misc-include-cleaner)
