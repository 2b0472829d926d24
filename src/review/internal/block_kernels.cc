// SPDX-License-Identifier: Apache-2.0
#include "review/internal/block_kernels.h"

#include "review/internal/block_kernels_scalar.h"

// NOLINTBEGIN(misc-include-cleaner): what Highway has comes through its two headers alone, and most
// of what stands here is seen once for each kind of processor.
#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>

#ifndef COLOPHON_REVIEW_ORDERS
#define COLOPHON_REVIEW_ORDERS
namespace colophon::review::internal {
namespace {

// For each choice of eight numbers of two bytes, the bytes of those chosen.
alignas(16) constexpr auto kOrders = [] {
    std::array<std::array<std::uint8_t, 16>, 256> orders{};
    for (std::size_t choice = 0; choice < orders.size(); ++choice) {
        std::size_t count = 0;
        for (std::size_t i = 0; i < 8; ++i) {
            if ((choice >> i & 1U) != 0) {
                orders[choice][count++] = static_cast<std::uint8_t>(2 * i);
                orders[choice][count++] = static_cast<std::uint8_t>(2 * i + 1);
            }
        }
    }
    return orders;
}();

}  // namespace
}  // namespace colophon::review::internal
#endif

// This file is compiled once for each kind of processor: what stands in HWY_NAMESPACE. Left out are
// one that is hardly older than the next, and those with AVX-512 that cannot compress numbers of
// two bytes. What is compressed stays in a register: some processors take a hundred cycles to store
// it right away.
#define HWY_WANT_AVX3_DL
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "review/internal/block_kernels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace colophon::review::internal::HWY_NAMESPACE {

#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128

using scalar::classify;
using scalar::find_pairs;
using scalar::find_repeats;
using scalar::leave_out_passed_over;
using scalar::leave_out_repeats;
using scalar::read_characters;
using scalar::widest_step;

#else

namespace hn = hwy::HWY_NAMESPACE;

// Sixteen characters at a time: Chinese has a sentence mark of its own after as many, a space of
// one byte or a digit not much later.
constexpr hn::FixedTag<std::uint8_t, 16> kBytes;
constexpr hn::FixedTag<std::uint16_t, 8> kHalves;
// As many as there are, where nothing is moved from lane to lane.
constexpr hn::ScalableTag<std::uint16_t> kWide;
constexpr std::size_t kAtOnce = 16;
constexpr std::size_t kHalvesAtOnce = 8;

#if HWY_TARGET <= HWY_AVX3_DL

template <class Vector>
HWY_INLINE void store_some(Vector vector, std::size_t bits, std::uint16_t* out) {
    const auto byte = static_cast<std::uint8_t>(bits);
    hn::StoreU(hn::Compress(vector, hn::LoadMaskBits(kHalves, &byte)), kHalves, out);
}

// Of pairs, as many at a time as there are lanes.
constexpr hn::ScalableTag<std::uint32_t> kPairs;
constexpr hn::Rebind<std::uint16_t, decltype(kPairs)> kNumbers;
template <class Vector, class Mask>
HWY_INLINE std::size_t store_numbers(Vector numbers, Mask mask, std::uint16_t* out) {
    std::array<std::uint8_t, 8> bits{};
    hn::StoreMaskBits(kPairs, mask, bits.data());
    hn::StoreU(hn::Compress(numbers, hn::LoadMaskBits(kNumbers, bits.data())), kNumbers, out);
    return hn::CountTrue(kPairs, mask);
}

#else

// Those of eight that the mask names, together in front of what is written; returns how many. Own
// table, because the one of Highway's Compress is copied by GCC 12 at each call.
template <class Vector>
HWY_INLINE void store_some(Vector vector, std::size_t bits, std::uint16_t* out) {
    const auto order = hn::Load(kBytes, kOrders[bits].data());
    hn::StoreU(hn::BitCast(kHalves, hn::TableLookupBytes(hn::BitCast(kBytes, vector), order)),
               kHalves, out);
}

// Of pairs, eight at a time at most: what a row of kOrders is for.
constexpr hn::CappedTag<std::uint32_t, kHalvesAtOnce> kPairs;
constexpr auto kNumbers = kHalves;
template <class Vector, class Mask>
HWY_INLINE std::size_t store_numbers(Vector numbers, Mask mask, std::uint16_t* out) {
    std::array<std::uint8_t, 8> bits{};
    hn::StoreMaskBits(kPairs, mask, bits.data());
    store_some(numbers, bits[0], out);
    return hn::CountTrue(kPairs, mask);
}

#endif

template <class Mask>
HWY_INLINE std::size_t bits_of(Mask mask) {
    std::uint8_t bits = 0;
    hn::StoreMaskBits(kHalves, mask, &bits);
    return bits;
}

// The numbers of those lanes that the mask names, from `first` on; returns how many.
template <class Mask>
HWY_INLINE std::size_t find_some(Mask mask, std::size_t first, std::uint16_t* places) {
    std::array<std::uint8_t, 64> bits{};
    const std::size_t bytes = hn::StoreMaskBits(kWide, mask, bits.data());
    std::size_t found = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
        for (unsigned rest = bits[i]; rest != 0; rest &= rest - 1) {
            places[found++] = static_cast<std::uint16_t>(
                first + 8 * i + static_cast<std::size_t>(std::countr_zero(rest)));
        }
    }
    return found;
}

template <class Mask>
HWY_INLINE std::size_t first_set(Mask mask) {
    const auto first = hn::FindFirstTrue(kBytes, mask);
    return first < 0 ? kAtOnce : static_cast<std::size_t>(first);
}

// Sixteen characters of three bytes; returns how many of them are before the first that is none.
HWY_INLINE std::size_t read_three_bytes(const char* text, std::size_t at, std::uint16_t* characters,
                                        std::uint16_t* ends) {
    auto first = hn::Undefined(kBytes);
    auto second = hn::Undefined(kBytes);
    auto third = hn::Undefined(kBytes);
    hn::LoadInterleaved3(kBytes, reinterpret_cast<const std::uint8_t*>(text + at), first, second,
                         third);
    const auto six_bits = hn::Set(kBytes, std::uint8_t{0x3f});
    const auto top_two = hn::Set(kBytes, std::uint8_t{0xc0});
    const auto mark = hn::Set(kBytes, std::uint8_t{0x80});
    const auto lead = hn::Set(kBytes, std::uint8_t{0xe0});
    const auto is_lead = hn::Eq(hn::And(first, hn::Set(kBytes, std::uint8_t{0xf0})), lead);
    const auto follow =
        hn::And(hn::Eq(hn::And(second, top_two), mark), hn::Eq(hn::And(third, top_two), mark));
    // E0 begins with A0 or more, or is too long; ED with less, or is half of a pair.
    const auto upper_half =
        hn::Ne(hn::And(second, hn::Set(kBytes, std::uint8_t{0x20})), hn::Zero(kBytes));
    const auto wrong =
        hn::Or(hn::AndNot(upper_half, hn::Eq(first, lead)),
               hn::And(upper_half, hn::Eq(first, hn::Set(kBytes, std::uint8_t{0xed}))));
    const std::size_t count = first_set(hn::Not(hn::AndNot(wrong, hn::And(is_lead, follow))));

    const auto shift = [](auto vector, auto mask, int left) HWY_ATTR {
        // Bytes have no shifts of their own everywhere; bits that leave a byte are masked away.
        const auto shorts = hn::BitCast(kHalves, vector);
        return hn::And(hn::BitCast(kBytes, left > 0 ? hn::ShiftLeftSame(shorts, left)
                                                    : hn::ShiftRightSame(shorts, -left)),
                       hn::Set(kBytes, mask));
    };
    const auto high =
        hn::Or(shift(first, std::uint8_t{0xf0}, 4), shift(second, std::uint8_t{0x0f}, -2));
    const auto low = hn::Or(shift(second, std::uint8_t{0xc0}, 6), hn::And(third, six_bits));
    hn::StoreU(hn::BitCast(kHalves, hn::InterleaveLower(kBytes, low, high)), kHalves, characters);
    hn::StoreU(hn::BitCast(kHalves, hn::InterleaveUpper(kBytes, low, high)), kHalves,
               characters + 8);
    const auto steps = hn::Iota(kHalves, std::uint16_t{1});
    const auto thrice = hn::Add(steps, hn::Add(steps, steps));
    const auto base = hn::Set(kHalves, static_cast<std::uint16_t>(at));
    hn::StoreU(hn::Add(base, thrice), kHalves, ends);
    hn::StoreU(hn::Add(base, hn::Add(thrice, hn::Set(kHalves, std::uint16_t{24}))), kHalves,
               ends + 8);
    return count;
}

// The same for those of one byte.
HWY_INLINE std::size_t read_one_byte(const char* text, std::size_t at, std::uint16_t* characters,
                                     std::uint16_t* ends) {
    const auto bytes = hn::LoadU(kBytes, reinterpret_cast<const std::uint8_t*>(text + at));
    const auto zero = hn::Zero(kBytes);
    const std::size_t count =
        first_set(hn::Ne(hn::And(bytes, hn::Set(kBytes, std::uint8_t{0x80})), zero));
    hn::StoreU(hn::BitCast(kHalves, hn::InterleaveLower(kBytes, bytes, zero)), kHalves, characters);
    hn::StoreU(hn::BitCast(kHalves, hn::InterleaveUpper(kBytes, bytes, zero)), kHalves,
               characters + 8);
    const auto end = hn::Add(hn::Iota(kHalves, std::uint16_t{1}),
                             hn::Set(kHalves, static_cast<std::uint16_t>(at)));
    hn::StoreU(end, kHalves, ends);
    hn::StoreU(hn::Add(end, hn::Set(kHalves, std::uint16_t{8})), kHalves, ends + 8);
    return count;
}

// Characters of one or three bytes, a run of either after the other, from `at` on.
struct Reading {
    std::size_t at = 0;  // behind the last that was read
    std::size_t count = 0;
};

HWY_INLINE Reading read_runs(std::string_view text, std::size_t most, Reading from,
                             std::uint16_t* characters, std::uint16_t* ends) {
    std::size_t at = from.at;
    std::size_t count = from.count;
    while (count < most && at < text.size()) {
        const auto first = static_cast<unsigned char>(text[at]);
        const std::size_t rest = text.size() - at;
        if (first >= 0xe0 && rest >= 3 * kAtOnce) {
            const std::size_t read =
                read_three_bytes(text.data(), at, characters + count, ends + count);
            if (read == kAtOnce) [[likely]] {
                // By numbers that are known before the bytes are, so that the next ones are not
                // waited for.
                count += kAtOnce;
                at += 3 * kAtOnce;
                continue;
            }
            count += read;
            at += 3 * read;
            if (read != 0) {
                continue;
            }
        } else if (first < 0x80 && rest >= kAtOnce) {
            const std::size_t read =
                read_one_byte(text.data(), at, characters + count, ends + count);
            count += read;
            at += read;
            continue;
        }
        if (!scalar::read_character(text, at, characters[count])) {
            break;
        }
        ends[count++] = static_cast<std::uint16_t>(at);
    }
    return {.at = at, .count = count};
}

#if HWY_TARGET <= HWY_AVX3_DL

// Characters of one to three bytes in whatever order: each byte is looked at together with the two
// before it, as the last of a character, and what is none is left out. No branch depends on which
// lengths follow each other. Goes on behind `from`, where two bytes lie before, as far as all bytes
// are those of such characters.
HWY_INLINE Reading read_mixed(std::string_view text, std::size_t most, Reading from,
                              std::uint16_t* characters, std::uint16_t* ends) {
    const hn::ScalableTag<std::uint16_t> shorts;
    const hn::Rebind<std::uint8_t, decltype(shorts)> bytes;
    const std::size_t lanes = hn::Lanes(shorts);
    const auto number = [&](unsigned value)
                            HWY_ATTR { return hn::Set(shorts, static_cast<std::uint16_t>(value)); };
    const auto* const data = reinterpret_cast<const std::uint8_t*>(text.data());
    const auto is_not_first = [&](auto byte) HWY_ATTR {
        return hn::Eq(hn::And(byte, number(0xc0)), number(0x80));
    };
    std::size_t count = from.count;
    std::size_t at = from.at;  // of the first lane
    while (count < most && at + lanes < text.size()) {
        const auto byte = hn::PromoteTo(shorts, hn::LoadU(bytes, data + at));
        const auto before = hn::PromoteTo(shorts, hn::LoadU(bytes, data + at - 1));
        const auto second_before = hn::PromoteTo(shorts, hn::LoadU(bytes, data + at - 2));
        const auto after = hn::PromoteTo(shorts, hn::LoadU(bytes, data + at + 1));
        const auto follows = is_not_first(byte);
        const auto last = hn::Not(is_not_first(after));
        const auto of_three = hn::Gt(second_before, number(0xdf));
        const auto low = hn::And(byte, number(0x3f));
        const auto middle = hn::ShiftLeft<6>(hn::And(before, number(0x3f)));
        const auto high = hn::IfThenElseZero(of_three, hn::ShiftLeft<12>(second_before));
        const auto character = hn::IfThenElse(follows, hn::Or(hn::Or(low, middle), high), byte);
        // What follows does so behind the first byte of two or three, and nowhere else; none ends
        // before its length; none is written longer than it is, or half of a pair.
        const auto should_follow = hn::Or(hn::Gt(before, number(0xbf)), of_three);
        const auto early =
            hn::And(last, hn::Or(hn::Gt(byte, number(0xbf)), hn::Gt(before, number(0xdf))));
        const auto top = hn::ShiftRight<11>(character);
        const auto no_three =
            hn::And(of_three, hn::Or(hn::Eq(top, number(0)), hn::Eq(top, number(0x1b))));
        const auto no_two = hn::And(hn::And(last, hn::Not(of_three)),
                                    hn::And(follows, hn::Gt(number(0x80), character)));
        const auto wrong =
            hn::Or(hn::Or(hn::Xor(follows, should_follow), hn::Gt(byte, number(0xef))),
                   hn::Or(hn::Or(early, no_two), hn::And(last, no_three)));
        if (!hn::AllFalse(shorts, wrong)) {
            break;
        }
        hn::StoreU(hn::Compress(character, last), shorts, characters + count);
        const auto end = hn::Iota(shorts, static_cast<std::uint16_t>(at + 1));
        hn::StoreU(hn::Compress(end, last), shorts, ends + count);
        count += hn::CountTrue(shorts, last);
        at += lanes;
    }
    return {.at = count == from.count ? from.at : ends[count - 1], .count = count};
}

std::size_t read_characters(std::string_view text, std::size_t most, std::uint16_t* characters,
                            std::uint16_t* ends) {
    Reading read;
    while (read.at < 2 && read.count < most && read.at < text.size()) {
        if (!scalar::read_character(text, read.at, characters[read.count])) {
            return read.count;
        }
        ends[read.count++] = static_cast<std::uint16_t>(read.at);
    }
    read = read_mixed(text, most, read, characters, ends);
    read = read_runs(text, most, read, characters, ends);
    return read.count < most ? read.count : most;
}

#else

std::size_t read_characters(std::string_view text, std::size_t most, std::uint16_t* characters,
                            std::uint16_t* ends) {
    const Reading read = read_runs(text, most, {}, characters, ends);
    return read.count < most ? read.count : most;
}

#endif

Classified classify(const std::uint16_t* symbols, std::size_t count) {
    const std::size_t lanes = hn::Lanes(kWide);
    const auto passed_over = hn::Set(kWide, kSymbolPassedOver);
    const auto none = hn::Set(kWide, kSymbolNone);
    auto most = hn::Zero(kWide);
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        const auto some = hn::LoadU(kWide, symbols + i);
        if (!hn::AllFalse(kWide, hn::Eq(some, none))) {
            break;
        }
        most = hn::Max(most, some);
    }
    const Classified rest = scalar::classify(symbols + i, count - i);
    return {
        .count = i + rest.count,
        .has_passed_over = rest.has_passed_over || !hn::AllFalse(kWide, hn::Eq(most, passed_over))};
}

std::size_t leave_out_passed_over(const std::uint16_t* symbols, std::size_t count,
                                  std::uint16_t* left, std::uint16_t* which) {
    const auto passed_over = hn::Set(kHalves, kSymbolPassedOver);
    auto numbers = hn::Iota(kHalves, std::uint16_t{0});
    std::size_t stayed = 0;
    std::size_t i = 0;
    for (; i + kHalvesAtOnce <= count; i += kHalvesAtOnce) {
        const auto some = hn::LoadU(kHalves, symbols + i);
        const std::size_t stay = bits_of(hn::Ne(some, passed_over));
        store_some(numbers, stay, which + stayed);
        numbers = hn::Add(numbers, hn::Set(kHalves, std::uint16_t{kHalvesAtOnce}));
        store_some(some, stay, left + stayed);
        stayed += static_cast<std::size_t>(std::popcount(stay));
    }
    for (; i < count; ++i) {
        left[stayed] = symbols[i];
        which[stayed] = static_cast<std::uint16_t>(i);
        stayed += symbols[i] == kSymbolPassedOver ? 0U : 1U;
    }
    return stayed;
}

// Whether a symbol goes on with the one before it.
template <class Vector>
HWY_INLINE auto is_repeat(Vector before, Vector symbols) {
    return hn::And(hn::Eq(before, symbols), hn::Ne(symbols, hn::Zero(kHalves)));
}

std::size_t widest_step(const std::uint16_t* numbers, std::size_t count) {
    const std::size_t lanes = hn::Lanes(kWide);
    auto widest = hn::Zero(kWide);
    std::size_t i = 1;
    for (; i + lanes <= count; i += lanes) {
        widest = hn::Max(widest,
                         hn::Sub(hn::LoadU(kWide, numbers + i), hn::LoadU(kWide, numbers + i - 1)));
    }
    const std::size_t rest = scalar::widest_step(numbers + i - 1, count < i ? 0 : count - (i - 1));
    return std::max<std::size_t>(rest, hn::GetLane(hn::MaxOfLanes(kWide, widest)));
}

std::size_t find_repeats(const std::uint16_t* symbols, std::size_t count, std::uint16_t* places) {
    const std::size_t lanes = hn::Lanes(kWide);
    std::size_t found = 0;
    std::size_t at = 0;
    for (; at + lanes <= count; at += lanes) {
        const auto before = hn::LoadU(kWide, symbols + at);
        const auto some = hn::LoadU(kWide, symbols + at + 1);
        const auto repeats = hn::And(hn::Eq(before, some), hn::Ne(some, hn::Zero(kWide)));
        if (hn::AllFalse(kWide, repeats)) [[likely]] {
            continue;
        }
        found += find_some(repeats, at, places + found);
    }
    const std::size_t more = scalar::find_repeats(symbols + at, count - at, places + found);
    for (std::size_t i = found; i < found + more; ++i) {
        places[i] = static_cast<std::uint16_t>(places[i] + at);
    }
    return found + more;
}

std::size_t leave_out_repeats(std::uint16_t* symbols, std::size_t count, std::uint16_t* which) {
    std::size_t left = 0;
    std::size_t i = 0;
    // The ones before are read before what goes to the front is written over them.
    auto before = hn::LoadU(kHalves, symbols);
    std::uint16_t last = symbols[0];
    for (; i + kHalvesAtOnce <= count; i += kHalvesAtOnce) {
        const auto some = hn::LoadU(kHalves, symbols + i + 1);
        last = symbols[i + kHalvesAtOnce];
        const auto next = hn::LoadU(kHalves, symbols + i + kHalvesAtOnce);
        const std::size_t stay = bits_of(hn::Not(is_repeat(before, some)));
        store_some(hn::LoadU(kHalves, which + i), stay, which + left);
        store_some(some, stay, symbols + left + 1);
        left += static_cast<std::size_t>(std::popcount(stay));
        before = next;
    }
    for (; i < count; ++i) {
        const std::uint16_t symbol = symbols[i + 1];
        const bool stays = symbol != last || symbol == 0;
        symbols[left + 1] = last = symbol;
        which[left] = which[i];
        left += stays ? 1U : 0U;
    }
    return left;
}

std::size_t find_pairs(const PairBits& bits, const std::uint16_t* symbols, std::size_t count,
                       std::uint16_t* places) {
    const hn::RebindToSigned<decltype(kPairs)> indices;
    const hn::Rebind<std::uint16_t, decltype(kPairs)> narrows;
    const std::size_t lanes = hn::Lanes(kPairs);
    const auto multiplier = hn::Set(kPairs, bits.multiplier);
    const auto one = hn::Set(kPairs, 1U);
    const auto low_five = hn::Set(kPairs, 31U);
    const auto shift = static_cast<int>(bits.shift);
    const auto step = hn::Set(kNumbers, static_cast<std::uint16_t>(lanes));
    auto numbers = hn::Iota(kNumbers, std::uint16_t{0});
    std::size_t found = 0;
    std::size_t at = 0;
    for (; at + lanes <= count; at += lanes) {
        const auto first = hn::PromoteTo(kPairs, hn::LoadU(narrows, symbols + at));
        const auto second = hn::PromoteTo(kPairs, hn::LoadU(narrows, symbols + at + 1));
        const auto pair = hn::Or(hn::ShiftLeft<16>(first), second);
        const auto place = hn::ShiftRightSame(hn::Mul(pair, multiplier), shift);
        const auto word = hn::GatherIndex(kPairs, bits.words.data(),
                                          hn::BitCast(indices, hn::ShiftRight<5>(place)));
        const auto bit = hn::And(hn::Shr(word, hn::And(place, low_five)), one);
        found += store_numbers(numbers, hn::Eq(bit, one), places + found);
        numbers = hn::Add(numbers, step);
    }
    const std::size_t more = scalar::find_pairs(bits, symbols + at, count - at, places + found);
    for (std::size_t i = found; i < found + more; ++i) {
        places[i] = static_cast<std::uint16_t>(places[i] + at);
    }
    return found + more;
}

#endif

}  // namespace colophon::review::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace colophon::review::internal {

HWY_EXPORT(read_characters);
HWY_EXPORT(classify);
HWY_EXPORT(leave_out_passed_over);
HWY_EXPORT(widest_step);
HWY_EXPORT(find_repeats);
HWY_EXPORT(leave_out_repeats);
HWY_EXPORT(find_pairs);

std::size_t read_characters(std::string_view text, std::size_t most, std::uint16_t* characters,
                            std::uint16_t* ends) {
    return HWY_DYNAMIC_DISPATCH(read_characters)(text, most, characters, ends);
}
Classified classify(const std::uint16_t* symbols, std::size_t count) {
    return HWY_DYNAMIC_DISPATCH(classify)(symbols, count);
}
std::size_t leave_out_passed_over(const std::uint16_t* symbols, std::size_t count,
                                  std::uint16_t* left, std::uint16_t* which) {
    return HWY_DYNAMIC_DISPATCH(leave_out_passed_over)(symbols, count, left, which);
}
std::size_t widest_step(const std::uint16_t* numbers, std::size_t count) {
    return HWY_DYNAMIC_DISPATCH(widest_step)(numbers, count);
}
std::size_t find_repeats(const std::uint16_t* symbols, std::size_t count, std::uint16_t* places) {
    return HWY_DYNAMIC_DISPATCH(find_repeats)(symbols, count, places);
}
std::size_t leave_out_repeats(std::uint16_t* symbols, std::size_t count, std::uint16_t* which) {
    return HWY_DYNAMIC_DISPATCH(leave_out_repeats)(symbols, count, which);
}
std::size_t find_pairs(const PairBits& bits, const std::uint16_t* symbols, std::size_t count,
                       std::uint16_t* places) {
    return HWY_DYNAMIC_DISPATCH(find_pairs)(bits, symbols, count, places);
}

}  // namespace colophon::review::internal
#endif
// NOLINTEND(misc-include-cleaner)
