// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/internal/gram_kernels.h"

// NOLINTBEGIN(misc-include-cleaner): what Highway has comes through its two headers alone, and most
// of what stands here is seen once for each kind of processor.
#include <cstddef>
#include <cstdint>

// This file is compiled once for each kind of processor: what stands in HWY_NAMESPACE. Vectors of
// two numbers, without a rotation of their own, are no faster than one number after the other.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "fingerprint/internal/gram_kernels.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace colophon::fingerprint::internal::HWY_NAMESPACE {

void number_grams(const SipKey& key, const char32_t* characters, std::size_t count,
                  std::uint64_t* numbers) {
    std::size_t at = 0;
#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
    namespace hn = hwy::HWY_NAMESPACE;
    const hn::ScalableTag<std::uint64_t> d64;
    const hn::Rebind<std::uint32_t, decltype(d64)> d32;
    const std::size_t lanes = hn::Lanes(d64);
    const auto* plain = reinterpret_cast<const std::uint32_t*>(characters);
    for (; at + lanes <= count; at += lanes) {
        auto v0 = hn::Set(d64, key.first ^ 0x736f6d6570736575U);
        auto v1 = hn::Set(d64, key.second ^ 0x646f72616e646f6dU);
        auto v2 = hn::Set(d64, key.first ^ 0x6c7967656e657261U);
        auto v3 = hn::Set(d64, key.second ^ 0x7465646279746573U);
        const auto round = [&]() HWY_ATTR {
            v0 = hn::Add(v0, v1);
            v1 = hn::Xor(hn::RotateRight<64 - 13>(v1), v0);
            v0 = hn::RotateRight<32>(v0);
            v2 = hn::Add(v2, v3);
            v3 = hn::Xor(hn::RotateRight<64 - 16>(v3), v2);
            v0 = hn::Add(v0, v3);
            v3 = hn::Xor(hn::RotateRight<64 - 21>(v3), v0);
            v2 = hn::Add(v2, v1);
            v1 = hn::Xor(hn::RotateRight<64 - 17>(v1), v2);
            v2 = hn::RotateRight<32>(v2);
        };
        for (std::size_t i = 0; i < 8; i += 2) {
            const auto low = hn::PromoteTo(d64, hn::LoadU(d32, plain + at + i));
            const auto high = hn::PromoteTo(d64, hn::LoadU(d32, plain + at + i + 1));
            const auto word = hn::Or(low, hn::ShiftLeft<32>(high));
            v3 = hn::Xor(v3, word);
            round();
            round();
            v0 = hn::Xor(v0, word);
        }
        const auto size = hn::Set(d64, std::uint64_t{8 * sizeof(char32_t)} << 56U);
        v3 = hn::Xor(v3, size);
        round();
        round();
        v0 = hn::Xor(v0, size);
        v2 = hn::Xor(v2, hn::Set(d64, 0xffU));
        for (int i = 0; i < 4; ++i) {
            round();
        }
        hn::StoreU(hn::Xor(hn::Xor(v0, v1), hn::Xor(v2, v3)), d64, numbers + at);
    }
#endif
    for (; at < count; ++at) {
        numbers[at] = sip_hash(key, characters + at, 8);
    }
}

}  // namespace colophon::fingerprint::internal::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace colophon::fingerprint::internal {

HWY_EXPORT(number_grams);

void number_grams(const SipKey& key, const char32_t* characters, std::size_t count,
                  std::uint64_t* numbers) {
    HWY_DYNAMIC_DISPATCH(number_grams)(key, characters, count, numbers);
}

}  // namespace colophon::fingerprint::internal
#endif
// NOLINTEND(misc-include-cleaner)
