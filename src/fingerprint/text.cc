// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/text.h"

#include "core/bytes.h"
#include "core/hmac.h"
#include "core/result.h"
#include "core/utf8.h"
#include "fingerprint/internal/gram_kernels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string_view>
#include <vector>

namespace colophon::fingerprint {
namespace {

constexpr std::size_t kMarkBytes = 8;

constexpr bool is_between(char32_t c, char32_t first, char32_t last) noexcept {
    return c >= first && c <= last;
}

// Spaces, punctuation and what cannot be seen: whoever copies a text changes these first.
constexpr bool is_left_out(char32_t c) noexcept {
    const bool ascii = c < 0x80;
    if (ascii) {
        return !is_between(c, U'0', U'9') && !is_between(c, U'a', U'z');
    }
    return is_between(c, 0x80, 0xBF) || c == 0xD7 || c == 0xF7 ||
           is_between(c, 0x0300, 0x036F) ||  // accents apart from their letter
           is_between(c, 0x2000, 0x206F) ||  // punctuation, spaces, directions, joiners
           is_between(c, 0x3000, 0x303F) ||  // CJK punctuation
           is_between(c, 0xFE00, 0xFE6F) ||  // variation selectors, vertical and small forms
           c == 0x30FB || c == 0xFEFF || is_between(c, 0xFFF0, 0xFFFF) ||
           is_between(c, 0xE0000, 0xE0FFF);  // tags, more variation selectors
}

// One case, one width. Nothing when the character is left out.
constexpr std::optional<char32_t> fold(char32_t c) noexcept {
    if (is_between(c, 0xFF01, 0xFF5E)) {
        c = c - 0xFF01 + 0x21;
    }
    const bool upper = is_between(c, U'A', U'Z') || (is_between(c, 0xC0, 0xDE) && c != 0xD7) ||
                       is_between(c, 0x0391, 0x03A9) || is_between(c, 0x0410, 0x042F);
    if (upper) {
        c += 0x20;
    } else if (is_between(c, 0x0400, 0x040F)) {
        c += 0x50;
    }
    if (is_left_out(c)) {
        return std::nullopt;
    }
    return c;
}

// fold() of each; 0 for what is left out.
constexpr std::array<char32_t, 128> kFoldedAscii = [] {
    std::array<char32_t, 128> table{};
    for (char32_t c = 0; c < table.size(); ++c) {
        table[c] = fold(c).value_or(0);
    }
    return table;
}();

Result<std::vector<char32_t>> fold_text(std::string_view text) {
    if (text.size() > kTextPrintBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a text of {} bytes is above the limit of {}",
                                                    text.size(), kTextPrintBytesMax)};
    }
    std::vector<char32_t> folded;
    folded.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        if (const auto byte = static_cast<unsigned char>(text[at]); byte < 0x80) {
            if (const char32_t plain = kFoldedAscii[byte]; plain != 0) {
                folded.push_back(plain);
            }
            ++at;
            continue;
        }
        const auto character = next_code_point(text, at);
        if (!character) {
            return Error{ErrorCode::kInvalidArgument, fmt::format("no UTF-8 at byte {}", at)};
        }
        if (const auto plain = fold(*character)) {
            folded.push_back(*plain);
        }
    }
    return folded;
}

// The least of each window of grams; of equal ones the last, so that repetitions give few.
std::vector<std::uint64_t> winnow(const std::vector<std::uint64_t>& grams) {
    std::vector<std::uint64_t> marks;
    const std::size_t window = std::min(kTextWindowGrams, grams.size());
    std::size_t least = grams.size();  // its place; none yet
    for (std::size_t end = window; end <= grams.size() && window > 0; ++end) {
        const std::size_t begin = end - window;
        if (least < begin || least == grams.size()) {
            least = begin;
            for (std::size_t i = begin + 1; i < end; ++i) {
                least = grams[i] <= grams[least] ? i : least;
            }
            marks.push_back(grams[least]);
        } else if (grams[end - 1] <= grams[least]) {
            least = end - 1;
            marks.push_back(grams[least]);
        }
    }
    std::ranges::sort(marks);
    const auto twice = std::ranges::unique(marks);
    marks.erase(twice.begin(), twice.end());
    return marks;
}

std::size_t shared(const TextPrint& a, const TextPrint& b) {
    std::size_t both = 0;
    auto at = b.marks.begin();
    for (const std::uint64_t mark : a.marks) {
        at = std::lower_bound(at, b.marks.end(), mark);
        both += at != b.marks.end() && *at == mark ? 1U : 0U;
    }
    return both;
}

}  // namespace

TextPrinter::TextPrinter(const TextPrintKey& key) {
    // A key of its own, so that the same secret may serve elsewhere.
    const auto digest = hmac_sha256(key.bytes, as_bytes("colophon/fingerprint/text/v1"));
    first_ = load_be64(digest);
    second_ = load_be64(Bytes(digest).subspan(8));
}

Result<TextPrint> TextPrinter::print(std::string_view text) const {
    const std::vector<char32_t> folded = TRY(fold_text(text));
    TextPrint print;
    if (folded.empty()) {
        return print;
    }
    const internal::SipKey key{.first = first_, .second = second_};
    if (folded.size() < kTextGramChars) {
        print.marks = {internal::sip_hash(key, folded.data(), folded.size())};
        return print;
    }
    std::vector<std::uint64_t> grams(folded.size() - kTextGramChars + 1);
    static_assert(kTextGramChars == 8);
    internal::number_grams(key, folded.data(), grams.size(), grams.data());
    print.marks = winnow(grams);
    return print;
}

Result<TextPrint> print_text(std::string_view text, const TextPrintKey& key) {
    return TextPrinter(key).print(text);
}

double containment(const TextPrint& part, const TextPrint& whole) {
    if (part.marks.empty()) {
        return 0;
    }
    return static_cast<double>(shared(part, whole)) / static_cast<double>(part.marks.size());
}

double likeness(const TextPrint& a, const TextPrint& b) {
    const std::size_t both = shared(a, b);
    const std::size_t either = a.marks.size() + b.marks.size() - both;
    return either == 0 ? 0 : static_cast<double>(both) / static_cast<double>(either);
}

double sketch_likeness(const TextPrint& a, const TextPrint& b) {
    std::vector<std::uint64_t> either;
    std::ranges::set_union(a.marks, b.marks, std::back_inserter(either));
    either.resize(std::min(either.size(), std::max(a.marks.size(), b.marks.size())));
    const auto both = std::ranges::count_if(either, [&](std::uint64_t mark) {
        return std::ranges::binary_search(a.marks, mark) &&
               std::ranges::binary_search(b.marks, mark);
    });
    return either.empty() ? 0 : static_cast<double>(both) / static_cast<double>(either.size());
}

Buffer to_bytes(const TextPrint& print) {
    Buffer bytes;
    bytes.reserve(print.marks.size() * kMarkBytes);
    for (const std::uint64_t mark : print.marks) {
        for (unsigned shift = 64; shift > 0; shift -= 8) {
            bytes.push_back(static_cast<std::uint8_t>(mark >> (shift - 8)));
        }
    }
    return bytes;
}

Result<TextPrint> parse_text_print(Bytes bytes) {
    if (bytes.size() % kMarkBytes != 0) {
        return Error{ErrorCode::kCorrupt,
                     fmt::format("a text print has 8 bytes a mark, not {} in all", bytes.size())};
    }
    TextPrint print;
    print.marks.reserve(bytes.size() / kMarkBytes);
    ByteReader reader(bytes);
    while (!reader.done()) {
        const std::uint64_t offset = reader.offset();
        const std::uint64_t mark = TRY(reader.be64("a mark"));
        if (!print.marks.empty() && mark <= print.marks.back()) {
            return corrupt_at("a mark of a text print that is not above the one before", offset);
        }
        print.marks.push_back(mark);
    }
    return print;
}

}  // namespace colophon::fingerprint
