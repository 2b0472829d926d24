// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/internal/kernels.h"

#include "label/watermark/internal/fft.h"
#include "label/watermark/internal/kernels_scalar.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

// NOLINTBEGIN(misc-include-cleaner): what Highway has comes through these two alone.
// This file is compiled once for each kind of processor: what stands in HWY_NAMESPACE. Left out are
// kinds on which nobody has run the tests that compare them with the reference (AVX-512), and one
// that is hardly older than the next (SSSE3): such processors do the same with less.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "label/watermark/internal/kernels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace colophon::label::internal::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR

using scalar::add_energies;
using scalar::add_levels;
using scalar::deviations;
using scalar::draw_ramps;
using scalar::luma_of_rgb;
using scalar::magnitudes;
using scalar::relative_to_boxes;
using scalar::round_rows;
using scalar::shape_pattern;
using scalar::slide_columns;
using scalar::slide_means;
using scalar::to_steps;
using scalar::whiten;

void change_bytes(const RowChange& row, std::uint8_t* samples, std::size_t count) {
    scalar::change_row(row, samples, count);
}
void change_shorts(const RowChange& row, std::uint16_t* samples, std::size_t count) {
    scalar::change_row(row, samples, count);
}

#else

namespace hn = hwy::HWY_NAMESPACE;

// Products and sums stay apart everywhere, since a fused one rounds once less: MulAdd is not used,
// and the file is compiled without contraction.
using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Shorts = hn::Rebind<std::int16_t, Floats>;
constexpr Floats kFloats;
constexpr Ints kInts;
constexpr Shorts kShorts;

void luma_of_rgb(const std::uint8_t* samples, int channels, float* luma, std::size_t count) {
    const hn::ScalableTag<std::uint8_t> bytes;
    const hn::Repartition<std::uint32_t, decltype(bytes)> words;
    const hn::Rebind<float, decltype(words)> floats;
    const hn::Rebind<std::uint8_t, decltype(words)> quarter;
    const auto red = hn::Set(floats, kLumaWeights[0]);
    const auto green = hn::Set(floats, kLumaWeights[1]);
    const auto blue = hn::Set(floats, kLumaWeights[2]);
    const std::size_t lanes = hn::Lanes(quarter);
    HWY_ALIGN std::uint8_t parts[3][HWY_MAX_BYTES];
    std::size_t i = 0;
    for (; i + hn::Lanes(bytes) <= count; i += hn::Lanes(bytes)) {
        auto r = hn::Undefined(bytes);
        auto g = hn::Undefined(bytes);
        auto b = hn::Undefined(bytes);
        if (channels == 3) {
            hn::LoadInterleaved3(bytes, samples + 3 * i, r, g, b);
        } else {
            auto alpha = hn::Undefined(bytes);
            hn::LoadInterleaved4(bytes, samples + 4 * i, r, g, b, alpha);
        }
        hn::Store(r, bytes, parts[0]);
        hn::Store(g, bytes, parts[1]);
        hn::Store(b, bytes, parts[2]);
        for (std::size_t k = 0; k < hn::Lanes(bytes); k += lanes) {
            const auto part = [&](std::size_t c) HWY_ATTR {
                const auto whole = hn::PromoteTo(hn::RebindToSigned<decltype(words)>(),
                                                 hn::LoadU(quarter, parts[c] + k));
                return hn::ConvertTo(floats, whole);
            };
            const auto sum = hn::Add(hn::Add(hn::Mul(red, part(0)), hn::Mul(green, part(1))),
                                     hn::Mul(blue, part(2)));
            hn::StoreU(sum, floats, luma + i + k);
        }
    }
    scalar::luma_of_rgb(samples + i * static_cast<std::size_t>(channels), channels, luma + i,
                        count - i);
}

void to_steps(const float* luma, float one, std::int16_t* steps, std::size_t count) {
    const auto none = hn::Zero(kFloats);
    const auto most = hn::Set(kFloats, 255.0F);
    const auto middle = hn::Set(kFloats, kMiddle);
    const auto factor = hn::Set(kFloats, one);
    std::size_t i = 0;
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
        const auto cut = hn::Min(hn::Max(hn::LoadU(kFloats, luma + i), none), most);
        const auto whole = hn::NearestInt(hn::Mul(hn::Sub(cut, middle), factor));
        hn::StoreU(hn::DemoteTo(kShorts, whole), kShorts, steps + i);
    }
    scalar::to_steps(luma + i, one, steps + i, count - i);
}

void slide_columns(const std::int16_t* entering, const std::int16_t* leaving,
                   const Columns& columns, std::size_t count) {
    std::size_t i = 0;
    for (; i + hn::Lanes(kInts) <= count; i += hn::Lanes(kInts)) {
        const auto in = hn::PromoteTo(kInts, hn::LoadU(kShorts, entering + i));
        const auto out = hn::PromoteTo(kInts, hn::LoadU(kShorts, leaving + i));
        const auto difference = hn::Sub(in, out);
        const auto sums = hn::Add(hn::LoadU(kInts, columns.sums + i), difference);
        const auto square = hn::Mul(difference, hn::Add(in, out));
        const auto squares = hn::Add(hn::LoadU(kInts, columns.squares + i), square);
        hn::StoreU(sums, kInts, columns.sums + i);
        hn::StoreU(squares, kInts, columns.squares + i);
    }
    scalar::slide_columns(entering + i, leaving + i,
                          {.sums = columns.sums + i, .squares = columns.squares + i}, count - i);
}

using FloatVector = hn::Vec<Floats>;

struct Moments {
    FloatVector mean;
    FloatVector deviation;
};

HWY_INLINE Moments moments_at(const Boxes& boxes, std::size_t i) {
    const auto inverse =
        hn::Mul(hn::LoadU(kFloats, boxes.across + i), hn::Set(kFloats, boxes.down));
    const auto mean = hn::Mul(hn::ConvertTo(kFloats, hn::LoadU(kInts, boxes.sums + i)), inverse);
    const auto square =
        hn::Mul(hn::ConvertTo(kFloats, hn::LoadU(kInts, boxes.squares + i)), inverse);
    const auto variance = hn::Max(hn::Sub(square, hn::Mul(mean, mean)), hn::Zero(kFloats));
    const auto level = hn::Set(kFloats, boxes.level);
    return {hn::Mul(mean, level), hn::Mul(hn::Sqrt(variance), level)};
}

Boxes from_column(const Boxes& boxes, std::size_t first) {
    return {.sums = boxes.sums + first,
            .squares = boxes.squares + first,
            .across = boxes.across + first,
            .down = boxes.down,
            .level = boxes.level};
}

void deviations(const Boxes& boxes, float most, float* out, std::size_t count) {
    const auto limit = hn::Set(kFloats, most);
    std::size_t i = 0;
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
        hn::StoreU(hn::Min(moments_at(boxes, i).deviation, limit), kFloats, out + i);
    }
    scalar::deviations(from_column(boxes, i), most, out + i, count - i);
}

void relative_to_boxes(const Boxes& boxes, const float* luma, float least, float* out,
                       std::size_t count) {
    const auto floor = hn::Set(kFloats, least);
    const auto middle = hn::Set(kFloats, kMiddle);
    std::size_t i = 0;
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
        const Moments moments = moments_at(boxes, i);
        const auto level = hn::Sub(hn::Sub(hn::LoadU(kFloats, luma + i), middle), moments.mean);
        hn::StoreU(hn::Div(level, hn::Add(moments.deviation, floor)), kFloats, out + i);
    }
    scalar::relative_to_boxes(from_column(boxes, i), luma + i, least, out + i, count - i);
}

void shape_pattern(const std::array<const float*, 5>& activity, float slope, const float* pattern,
                   float* out, std::size_t count) {
    const auto one = hn::Set(kFloats, 1.0F);
    const auto steep = hn::Set(kFloats, slope);
    std::size_t i = 0;
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
        auto least = hn::LoadU(kFloats, activity[0] + i);
        for (std::size_t k = 1; k < activity.size(); ++k) {
            least = hn::Min(least, hn::LoadU(kFloats, activity[k] + i));
        }
        const auto amplitude = hn::Add(one, hn::Mul(steep, least));
        hn::StoreU(hn::Mul(amplitude, hn::LoadU(kFloats, pattern + i)), kFloats, out + i);
    }
    scalar::shape_pattern(
        {activity[0] + i, activity[1] + i, activity[2] + i, activity[3] + i, activity[4] + i},
        slope, pattern + i, out + i, count - i);
}

void add_energies(const float* values, std::size_t count, Energies& sums) {
    // As many lanes as sixteen sums fill, whatever the processor has.
    const hn::CappedTag<float, 16> tag;
    const std::size_t lanes = hn::Lanes(tag);
    const std::size_t whole = count / sums.size() * sums.size();
    for (std::size_t part = 0; part < sums.size(); part += lanes) {
        auto sum = hn::LoadU(tag, sums.data() + part);
        for (std::size_t i = part; i < whole; i += sums.size()) {
            const auto value = hn::LoadU(tag, values + i);
            sum = hn::Add(sum, hn::Mul(value, value));
        }
        hn::StoreU(sum, tag, sums.data() + part);
    }
    scalar::add_energies(values + whole, count - whole, sums);
}

void round_rows(const std::array<const float*, kRowsRounded>& rows, Rounding& rounding,
                const std::array<std::int16_t*, kRowsRounded>& levels, std::size_t count) {
    // A vector holds one column of as many rows; a few columns at a time are laid on their side.
    const hn::CappedTag<float, kRowsRounded> tag;
    const hn::Rebind<std::int16_t, decltype(tag)> shorts;
    const std::size_t lanes = hn::Lanes(tag);
    constexpr std::size_t kColumns = 64;
    HWY_ALIGN float in[kColumns * kRowsRounded];
    HWY_ALIGN std::int16_t out[kColumns * kRowsRounded];
    const auto scale = hn::Set(tag, rounding.scale);
    std::size_t first = 0;
    for (; first + kColumns <= count; first += kColumns) {
        for (std::size_t row = 0; row < kRowsRounded; ++row) {
            for (std::size_t i = 0; i < kColumns; ++i) {
                in[i * kRowsRounded + row] = rows[row][first + i];
            }
        }
        for (std::size_t part = 0; part < kRowsRounded; part += lanes) {
            auto carried = hn::LoadU(tag, rounding.carried.data() + part);
            for (std::size_t i = part; i < kColumns * kRowsRounded; i += kRowsRounded) {
                const auto wanted = hn::Add(hn::Mul(scale, hn::Load(tag, in + i)), carried);
                const auto given = hn::NearestInt(wanted);
                carried = hn::Sub(wanted, hn::ConvertTo(tag, given));
                hn::Store(hn::DemoteTo(shorts, given), shorts, out + i);
            }
            hn::StoreU(carried, tag, rounding.carried.data() + part);
        }
        for (std::size_t row = 0; row < kRowsRounded; ++row) {
            for (std::size_t i = 0; i < kColumns; ++i) {
                levels[row][first + i] = out[i * kRowsRounded + row];
            }
        }
    }
    std::array<const float*, kRowsRounded> rest_rows{};
    std::array<std::int16_t*, kRowsRounded> rest_levels{};
    for (std::size_t row = 0; row < kRowsRounded; ++row) {
        rest_rows[row] = rows[row] + first;
        rest_levels[row] = levels[row] + first;
    }
    scalar::round_rows(rest_rows, rounding, rest_levels, count - first);
}

void add_levels(const std::int16_t* levels, int channels, std::uint8_t* samples,
                std::size_t count) {
    const hn::ScalableTag<std::uint8_t> bytes;
    const hn::Repartition<std::int16_t, decltype(bytes)> shorts;
    const hn::Half<decltype(bytes)> half;
    const std::size_t lanes = hn::Lanes(bytes);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto low = hn::LoadU(shorts, levels + i);
        const auto high = hn::LoadU(shorts, levels + i + lanes / 2);
        // Cut to 0 .. 255: what is to be added, and what is to be taken away.
        const auto cut = [&](auto a, auto b) HWY_ATTR {
            return hn::Combine(bytes, hn::DemoteTo(half, b), hn::DemoteTo(half, a));
        };
        const auto more = cut(low, high);
        const auto less =
            cut(hn::SaturatedSub(hn::Zero(shorts), low), hn::SaturatedSub(hn::Zero(shorts), high));
        const auto changed = [&](auto value) HWY_ATTR {
            return hn::SaturatedSub(hn::SaturatedAdd(value, more), less);
        };
        if (channels == 1) {
            hn::StoreU(changed(hn::LoadU(bytes, samples + i)), bytes, samples + i);
        } else if (channels == 3) {
            auto a = hn::Undefined(bytes);
            auto b = hn::Undefined(bytes);
            auto c = hn::Undefined(bytes);
            hn::LoadInterleaved3(bytes, samples + 3 * i, a, b, c);
            hn::StoreInterleaved3(changed(a), changed(b), changed(c), bytes, samples + 3 * i);
        } else {
            auto a = hn::Undefined(bytes);
            auto b = hn::Undefined(bytes);
            auto c = hn::Undefined(bytes);
            auto d = hn::Undefined(bytes);
            hn::LoadInterleaved4(bytes, samples + 4 * i, a, b, c, d);
            hn::StoreInterleaved4(changed(a), changed(b), changed(c), d, bytes, samples + 4 * i);
        }
    }
    scalar::add_levels(levels + i, channels, samples + i * static_cast<std::size_t>(channels),
                       count - i);
}

void magnitudes(const Complex* values, float* out, std::size_t count) {
    const auto* parts = reinterpret_cast<const float*>(values);
    std::size_t i = 0;
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
        auto real = hn::Undefined(kFloats);
        auto imaginary = hn::Undefined(kFloats);
        hn::LoadInterleaved2(kFloats, parts + 2 * i, real, imaginary);
        const auto square = hn::Add(hn::Mul(real, real), hn::Mul(imaginary, imaginary));
        hn::StoreU(hn::Sqrt(square), kFloats, out + i);
    }
    scalar::magnitudes(values + i, out + i, count - i);
}

void whiten(const Whitening& how, Complex* values, float* gain, std::size_t count) {
    auto* parts = reinterpret_cast<float*>(values);
    const auto none = hn::Zero(kFloats);
    const auto one = hn::Set(kFloats, 1.0F);
    const auto limit = hn::Set(kFloats, how.most);
    std::size_t i = 0;
    for (; i + hn::Lanes(kFloats) <= count; i += hn::Lanes(kFloats)) {
        const auto mean = hn::LoadU(kFloats, how.means + i);
        const auto factor = hn::IfThenElseZero(hn::Gt(mean, none), hn::Div(one, mean));
        const auto relative =
            hn::Max(hn::Mul(hn::LoadU(kFloats, how.magnitudes + i), factor), limit);
        const auto cut = hn::Div(hn::Mul(factor, limit), relative);
        auto real = hn::Undefined(kFloats);
        auto imaginary = hn::Undefined(kFloats);
        hn::LoadInterleaved2(kFloats, parts + 2 * i, real, imaginary);
        hn::StoreInterleaved2(hn::Mul(real, cut), hn::Mul(imaginary, cut), kFloats, parts + 2 * i);
        hn::StoreU(factor, kFloats, gain + i);
    }
    scalar::whiten({.magnitudes = how.magnitudes + i, .means = how.means + i, .most = how.most},
                   values + i, gain + i, count - i);
}

void slide_means(const SlidingRows& rows, double* sums, float* out, std::size_t count) {
    const hn::ScalableTag<double> doubles;
    const hn::Rebind<float, decltype(doubles)> half;
    const auto down = hn::Set(half, rows.down);
    const std::size_t lanes = hn::Lanes(doubles);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto in = hn::PromoteTo(doubles, hn::LoadU(half, rows.entering + i));
        const auto gone = hn::PromoteTo(doubles, hn::LoadU(half, rows.leaving + i));
        const auto sum = hn::Add(hn::LoadU(doubles, sums + i), hn::Sub(in, gone));
        hn::StoreU(sum, doubles, sums + i);
        const auto mean = hn::Mul(hn::DemoteTo(half, sum), hn::LoadU(half, rows.across + i));
        hn::StoreU(hn::Mul(mean, down), half, out + i);
    }
    scalar::slide_means({.entering = rows.entering + i,
                         .leaving = rows.leaving + i,
                         .across = rows.across + i,
                         .down = rows.down},
                        sums + i, out + i, count - i);
}

void draw_ramps(const float* nodes, std::size_t intervals, int block, std::int16_t* out) {
    // A multiple of which every block is.
    const hn::CappedTag<float, 8> tag;
    const hn::RebindToSigned<decltype(tag)> ints;
    const hn::Rebind<std::int16_t, decltype(tag)> shorts;
    const std::size_t lanes = hn::Lanes(tag);
    const auto half = hn::Set(tag, 0.5F);
    for (std::size_t i = 0; i < intervals; ++i) {
        const auto left = hn::Set(tag, nodes[i]);
        const auto step = hn::Set(tag, (nodes[i + 1] - nodes[i]) / static_cast<float>(block));
        for (std::size_t k = 0; k < static_cast<std::size_t>(block); k += lanes, out += lanes) {
            const auto part = hn::Add(hn::Iota(tag, static_cast<float>(k)), half);
            const auto value = hn::ConvertTo(ints, hn::Add(left, hn::Mul(step, part)));
            hn::StoreU(hn::DemoteTo(shorts, value), shorts, out);
        }
    }
}

// (pattern * amplitude + half) >> shift: rounding the upper half of the product is the same, since
// the lower one decides nothing.
HWY_INLINE hn::Vec<hn::ScalableTag<std::int16_t> > levels_at(const RowChange& row, std::size_t i) {
    const hn::ScalableTag<std::int16_t> shorts;
    const auto upper =
        hn::MulHigh(hn::LoadU(shorts, row.pattern + i), hn::LoadU(shorts, row.amplitude + i));
    const int rest = row.shift - 16;
    const auto half = hn::Set(shorts, static_cast<std::int16_t>(1 << (rest - 1)));
    return hn::ShiftRightSame(hn::Add(upper, half), rest);
}

RowChange from_column(const RowChange& row, std::size_t first) {
    return {.pattern = row.pattern + first,
            .amplitude = row.amplitude + first,
            .shift = row.shift,
            .most = row.most};
}

void change_bytes(const RowChange& row, std::uint8_t* samples, std::size_t count) {
    const hn::ScalableTag<std::int16_t> shorts;
    const hn::Rebind<std::uint8_t, decltype(shorts)> bytes;
    const std::size_t lanes = hn::Lanes(shorts);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto sample = hn::PromoteTo(shorts, hn::LoadU(bytes, samples + i));
        const auto sum = hn::Add(sample, levels_at(row, i));
        hn::StoreU(hn::DemoteTo(bytes, sum), bytes, samples + i);
    }
    scalar::change_row(from_column(row, i), samples + i, count - i);
}

void change_shorts(const RowChange& row, std::uint16_t* samples, std::size_t count) {
    const hn::ScalableTag<std::int16_t> shorts;
    const hn::RebindToUnsigned<decltype(shorts)> words;
    const auto most = hn::Set(shorts, static_cast<std::int16_t>(row.most));
    const std::size_t lanes = hn::Lanes(shorts);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto sample = hn::BitCast(shorts, hn::LoadU(words, samples + i));
        const auto sum = hn::SaturatedAdd(sample, levels_at(row, i));
        const auto cut = hn::Min(hn::Max(sum, hn::Zero(shorts)), most);
        hn::StoreU(hn::BitCast(words, cut), words, samples + i);
    }
    scalar::change_row(from_column(row, i), samples + i, count - i);
}

#endif
}  // namespace colophon::label::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace colophon::label::internal {

HWY_EXPORT(luma_of_rgb);
HWY_EXPORT(to_steps);
HWY_EXPORT(slide_columns);
HWY_EXPORT(deviations);
HWY_EXPORT(relative_to_boxes);
HWY_EXPORT(shape_pattern);
HWY_EXPORT(add_energies);
HWY_EXPORT(round_rows);
HWY_EXPORT(add_levels);
HWY_EXPORT(magnitudes);
HWY_EXPORT(whiten);
HWY_EXPORT(slide_means);
HWY_EXPORT(draw_ramps);
HWY_EXPORT(change_bytes);
HWY_EXPORT(change_shorts);

void luma_of_rgb(const std::uint8_t* samples, int channels, float* luma, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(luma_of_rgb)(samples, channels, luma, count);
}
void to_steps(const float* luma, float one, std::int16_t* steps, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(to_steps)(luma, one, steps, count);
}
void slide_columns(const std::int16_t* entering, const std::int16_t* leaving,
                   const Columns& columns, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(slide_columns)(entering, leaving, columns, count);
}
void deviations(const Boxes& boxes, float most, float* out, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(deviations)(boxes, most, out, count);
}
void relative_to_boxes(const Boxes& boxes, const float* luma, float least, float* out,
                       std::size_t count) {
    HWY_DYNAMIC_DISPATCH(relative_to_boxes)(boxes, luma, least, out, count);
}
void shape_pattern(const std::array<const float*, 5>& activity, float slope, const float* pattern,
                   float* out, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(shape_pattern)(activity, slope, pattern, out, count);
}
void add_energies(const float* values, std::size_t count, Energies& sums) {
    HWY_DYNAMIC_DISPATCH(add_energies)(values, count, sums);
}
void round_rows(const std::array<const float*, kRowsRounded>& rows, Rounding& rounding,
                const std::array<std::int16_t*, kRowsRounded>& levels, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(round_rows)(rows, rounding, levels, count);
}
void add_levels(const std::int16_t* levels, int channels, std::uint8_t* samples,
                std::size_t count) {
    HWY_DYNAMIC_DISPATCH(add_levels)(levels, channels, samples, count);
}
void magnitudes(const Complex* values, float* out, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(magnitudes)(values, out, count);
}
void whiten(const Whitening& how, Complex* values, float* gain, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(whiten)(how, values, gain, count);
}
void slide_means(const SlidingRows& rows, double* sums, float* out, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(slide_means)(rows, sums, out, count);
}
void draw_ramps(const float* nodes, std::size_t intervals, int block, std::int16_t* out) {
    HWY_DYNAMIC_DISPATCH(draw_ramps)(nodes, intervals, block, out);
}
void change_row(const RowChange& row, std::uint8_t* samples, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(change_bytes)(row, samples, count);
}
void change_row(const RowChange& row, std::uint16_t* samples, std::size_t count) {
    HWY_DYNAMIC_DISPATCH(change_shorts)(row, samples, count);
}

}  // namespace colophon::label::internal
#endif
// NOLINTEND(misc-include-cleaner)
