// SPDX-License-Identifier: Apache-2.0
#include "review/internal/ngrams.h"

#include "core/utf8.h"
#include "review/classifier.h"
#include "review/fold.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace colophon::review::internal {
namespace {

constexpr std::size_t kLongest = 3;
constexpr char32_t kGap = ' ';

std::vector<char32_t> folded_characters(std::string_view text) {
    std::vector<char32_t> characters;
    bool gap = true;  // none at the beginning
    for (std::size_t at = 0; at < text.size() && characters.size() < kClassifierTextMax;) {
        const auto character = next_code_point(text, at);
        if (!character) {
            ++at;
            continue;
        }
        const CharacterClass kind = class_of(*character);
        if (kind == CharacterClass::kText) {
            const Folded folded = fold(*character, Folding::kPlain);
            characters.insert(characters.end(), folded.all().begin(), folded.all().end());
            gap = false;
        } else if (kind == CharacterClass::kSeparator && !gap) {
            characters.push_back(kGap);
            gap = true;
        }
    }
    return characters;
}

// Finalizer of MurmurHash3 (public domain), enough to spread sums.
std::uint64_t mixed(std::uint64_t value) {
    value ^= value >> 33U;
    value *= 0xff51afd7ed558ccdULL;
    value ^= value >> 33U;
    value *= 0xc4ceb9fe1a85ec53ULL;
    return value ^ value >> 33U;
}

}  // namespace

std::vector<std::uint32_t> ngram_buckets(std::string_view text) {
    const std::vector<char32_t> characters = folded_characters(text);
    std::vector<std::uint32_t> buckets;
    buckets.reserve(characters.size() * kLongest);
    for (std::size_t begin = 0; begin < characters.size(); ++begin) {
        std::uint64_t hash = 0;
        for (std::size_t length = 1; length <= kLongest && begin + length <= characters.size();
             ++length) {
            hash = mixed(hash * 31U + characters[begin + length - 1] + length);
            buckets.push_back(static_cast<std::uint32_t>(hash >> (64U - kClassifierBits)));
        }
    }
    std::ranges::sort(buckets);
    const auto rest = std::ranges::unique(buckets);
    buckets.erase(rest.begin(), rest.end());
    return buckets;
}

}  // namespace colophon::review::internal
