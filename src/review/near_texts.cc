// SPDX-License-Identifier: Apache-2.0
#include "review/near_texts.h"

#include "core/assert.h"
#include "core/result.h"
#include "core/utf8.h"
#include "fingerprint/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

// Prints that stay within one process need no secret.
const fingerprint::TextPrinter kPrinter{fingerprint::TextPrintKey{}};

// What is no UTF-8 is left out: it is in no listed text.
std::string valid_part(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        if (const auto character = next_code_point(text, at)) {
            append_utf8(valid, *character);
        } else {
            ++at;
        }
    }
    return valid;
}

// Each once. Long texts in pieces, at whose edges a few marks are lost.
std::vector<std::uint64_t> marks_of(std::string_view text) {
    constexpr std::size_t kPiece = fingerprint::kTextPrintBytesMax / 2;
    std::vector<std::uint64_t> marks;
    const std::string valid = valid_part(text);
    for (std::size_t at = 0; at < valid.size();) {
        std::size_t end = std::min(at + kPiece, valid.size());
        while (end < valid.size() && (static_cast<unsigned char>(valid[end]) & 0xc0U) == 0x80U) {
            ++end;
        }
        const auto print = kPrinter.print(std::string_view(valid).substr(at, end - at));
        COLOPHON_ASSERT(print.ok());  // it is UTF-8, and no longer than it may be
        marks.insert(marks.end(), print->marks.begin(), print->marks.end());
        at = end;
    }
    std::ranges::sort(marks);
    const auto rest = std::ranges::unique(marks);
    marks.erase(rest.begin(), rest.end());
    return marks;
}

}  // namespace

Result<void> NearTexts::add(std::string_view text, std::uint32_t number) {
    const fingerprint::TextPrint print = TRY(kPrinter.print(text));
    if (print.marks.size() < kNearMarksMin) {
        return Error{ErrorCode::kInvalidArgument,
                     "a text of which copies are looked for has some 30 characters at least"};
    }
    for (const std::uint64_t mark : print.marks) {
        marks_.emplace_back(mark, number);
    }
    sizes_.emplace_back(number, print.marks.size());
    return {};
}

void NearTexts::complete() {
    std::ranges::sort(marks_);
    std::ranges::sort(sizes_);
}

std::vector<std::uint32_t> NearTexts::find(std::string_view text) const {
    std::map<std::uint32_t, std::size_t> seen;
    for (const std::uint64_t mark : marks_of(text)) {
        for (auto at = std::ranges::lower_bound(marks_, std::pair(mark, std::uint32_t{0}));
             at != marks_.end() && at->first == mark; ++at) {
            ++seen[at->second];
        }
    }
    std::vector<std::uint32_t> found;
    for (const auto& [number, size] : sizes_) {
        const auto of = seen.find(number);
        if (of != seen.end() &&
            static_cast<double>(of->second) >= kNearShare * static_cast<double>(size)) {
            found.push_back(number);
        }
    }
    return found;
}

}  // namespace colophon::review
