// SPDX-License-Identifier: Apache-2.0
// UAX 15, clauses 3 and 10 of the Unicode Standard's chapter 3.11: decompose, put marks in order,
// compose. That is done for one run of characters at a time: a character that composes with nothing
// before it begins the next run, so that no run depends on another.

#include "core/nfc.h"

#include "core/result.h"
#include "core/sort.h"
#include "core/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon {
namespace {

struct Row {
    char32_t code_point;
    std::uint16_t first;
    std::uint16_t count;
};
struct Class {
    char32_t code_point;
    std::uint8_t number;
};
struct Pair {
    char32_t first;
    char32_t second;
    char32_t composed;
};

constexpr char32_t kPool[] = {
#include "core/nfc_pool.inc"
};
constexpr Row kRows[] = {
#include "core/nfc_rows.inc"
};
constexpr Class kClasses[] = {
#include "core/nfc_classes.inc"
};
constexpr Pair kPairs[] = {
#include "core/nfc_pairs.inc"
};

// Latin letters and ideographs: those that are in form C by themselves, and compose with nothing
// that stands before them. Most texts consist of nothing else.
constexpr bool is_plain(char32_t code) noexcept {
    return code < 0x300 || (code >= 0x3000 && code < 0x302A) || (code >= 0x3400 && code < 0xA000);
}
// UAX 15 calls 30 marks on one character more than any language writes.
constexpr std::size_t kRunMax = 1U << 14U;

// Hangul syllables are numbers of their letters (the Unicode Standard, 3.12).
constexpr char32_t kSyllable = 0xAC00;
constexpr char32_t kLead = 0x1100;
constexpr char32_t kVowel = 0x1161;
constexpr char32_t kTail = 0x11A7;  // one before the first
constexpr char32_t kLeads = 19;
constexpr char32_t kVowels = 21;
constexpr char32_t kTails = 28;
constexpr char32_t kSyllables = kLeads * kVowels * kTails;

bool in(char32_t code, char32_t first, char32_t count) noexcept {
    return code >= first && code < first + count;
}

std::uint8_t class_of(char32_t code) noexcept {
    const auto* row = std::ranges::lower_bound(kClasses, code, {}, &Class::code_point);
    return row != std::end(kClasses) && row->code_point == code ? row->number : std::uint8_t{0};
}

// Characters of class 0 that compose with one before them.
bool joins(char32_t code) {
    static const std::vector<char32_t> kSeconds = [] {
        std::vector<char32_t> seconds;
        for (const Pair& pair : kPairs) {
            if (class_of(pair.second) == 0) {
                seconds.push_back(pair.second);
            }
        }
        std::ranges::sort(seconds);
        return seconds;
    }();
    return in(code, kVowel, kVowels) || in(code, kTail + 1, kTails - 1) ||
           std::ranges::binary_search(kSeconds, code);
}

std::optional<char32_t> compose(char32_t first, char32_t second) noexcept {
    if (in(first, kLead, kLeads) && in(second, kVowel, kVowels)) {
        return kSyllable + ((first - kLead) * kVowels + (second - kVowel)) * kTails;
    }
    if (in(first, kSyllable, kSyllables) && (first - kSyllable) % kTails == 0 &&
        in(second, kTail + 1, kTails - 1)) {
        return first + (second - kTail);
    }
    const auto* row = std::ranges::lower_bound(
        kPairs, std::array{first, second}, {},
        [](const Pair& pair) { return std::array{pair.first, pair.second}; });
    const bool found = row != std::end(kPairs) && row->first == first && row->second == second;
    return found ? std::optional(row->composed) : std::nullopt;
}

class Normalizer {
public:
    explicit Normalizer(std::string& out) : out_(out) {}

    Result<void> add(char32_t code) {
        if (in(code, kSyllable, kSyllables)) {
            const char32_t index = code - kSyllable;
            TRY(push(kLead + index / (kVowels * kTails)));
            TRY(push(kVowel + index % (kVowels * kTails) / kTails));
            return index % kTails == 0 ? Result<void>() : push(kTail + index % kTails);
        }
        const auto* row = std::ranges::lower_bound(kRows, code, {}, &Row::code_point);
        if (row == std::end(kRows) || row->code_point != code) {
            return push(code);
        }
        for (std::size_t i = 0; i < row->count; ++i) {
            TRY(push(kPool[row->first + i]));
        }
        return {};
    }

    // Writes the run that is open.
    void flush() {
        order();
        join();
        for (const Part& part : run_) {
            append_utf8(out_, part.code);
        }
        run_.clear();
    }

private:
    struct Part {
        char32_t code;
        std::uint8_t number;  // combining class
    };

    Result<void> push(char32_t code) {
        const std::uint8_t number = class_of(code);
        if (number == 0 && !joins(code)) {
            flush();
        }
        if (run_.size() == kRunMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a text with more than {} marks on one character", kRunMax)};
        }
        run_.push_back({.code = code, .number = number});
        return {};
    }

    // Marks of other classes change places, those of one class do not.
    void order() {
        const auto swapped = std::ranges::adjacent_find(run_, [](const Part& a, const Part& b) {
            return a.number > b.number && b.number != 0;
        });
        if (swapped == run_.end()) {
            return;
        }
        std::size_t starters = 0;
        sort_stably(run_, [&starters](const Part& part) {
            starters += part.number == 0 ? 1U : 0U;
            return std::pair(starters, part.number);
        });
    }

    // Each mark goes into the last character of class 0 when they compose and no mark of its own
    // class or a higher one stands in between.
    void join() {
        std::size_t size = 0;
        std::optional<std::size_t> starter;
        std::optional<std::uint8_t> last;
        for (const Part& part : run_) {
            const bool free = starter && (!last || *last < part.number);
            const auto composed = free ? compose(run_[*starter].code, part.code) : std::nullopt;
            if (composed) {
                run_[*starter].code = *composed;
                continue;
            }
            if (part.number == 0) {
                starter = size;
                last.reset();
            } else {
                last = part.number;
            }
            run_[size++] = part;
        }
        run_.resize(size);
    }

    std::string& out_;
    std::vector<Part> run_;
};

}  // namespace

Result<std::string> to_nfc(std::string_view text) {
    const auto invalid = find_invalid_utf8(text);
    if (invalid) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("byte {} of the text is no UTF-8", *invalid)};
    }
    std::string out;
    out.reserve(text.size());
    Normalizer normalizer(out);
    std::size_t at = 0;
    std::size_t plain = 0;  // from here to `at` nothing has to change
    while (at < text.size()) {
        const std::size_t before = at;
        const char32_t code = *next_code_point(text, at);
        if (is_plain(code)) {
            // It may be the first of a run, if what follows is no such character.
            std::size_t next = at;
            const auto following = next_code_point(text, next);
            if (!following || is_plain(*following)) {
                continue;
            }
        }
        out.append(text.substr(plain, before - plain));
        TRY(normalizer.add(code));
        while (at < text.size()) {
            std::size_t next = at;
            const char32_t following = *next_code_point(text, next);
            if (is_plain(following)) {
                break;
            }
            TRY(normalizer.add(following));
            at = next;
        }
        normalizer.flush();
        plain = at;
    }
    out.append(text.substr(plain));
    return out;
}

}  // namespace colophon
