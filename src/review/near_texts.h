// SPDX-License-Identifier: Apache-2.0
#pragma once

// Texts of which near copies may not pass: most of a listed text is found again by its print
// (fingerprint/text.h), whatever stands around it and between its passages [DSP-10].

#include "core/result.h"
#include "fingerprint/text.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {

inline constexpr std::size_t kNearTextsMax = 10'000;  // in force at once
// So many marks, some thirty characters, tell a text from others.
inline constexpr std::size_t kNearMarksMin = 5;
// So much of a listed text, by its marks, makes a near copy.
inline constexpr double kNearShare = 0.6;

// Does not change once it is complete.
class NearTexts {
public:
    // `number` is what find() gives; each once. kInvalidArgument: no UTF-8, or too short to tell.
    Result<void> add(std::string_view text, std::uint32_t number);
    // After the last was added, before any is looked for.
    void complete();
    bool empty() const noexcept { return sizes_.empty(); }
    std::size_t size() const noexcept { return sizes_.size(); }
    // The number of each, ascending, and its marks.
    std::span<const std::pair<std::uint32_t, std::size_t>> sizes() const noexcept { return sizes_; }

    // The numbers of those of which the text holds at least kNearShare, ascending. 30 ns a
    // character and some for each mark that is anywhere.
    std::vector<std::uint32_t> find(std::string_view text) const;

private:
    std::vector<std::pair<std::uint64_t, std::uint32_t>> marks_;  // with its number, sorted
    std::vector<std::pair<std::uint32_t, std::size_t>> sizes_;
};

}  // namespace colophon::review
