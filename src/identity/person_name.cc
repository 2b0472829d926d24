// SPDX-License-Identifier: Apache-2.0
#include "identity/person_name.h"

#include "core/result.h"
#include "core/utf8.h"
#include "identity/internal/folding.h"
#include "identity/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

constexpr char32_t kMiddleDot = 0x00B7;
constexpr std::array<char32_t, 9> kDots{0x00B7, 0x2022, 0x2024, 0x2027, 0x2219,
                                        0x22C5, 0x30FB, 0xFF65, 0x318D};

struct Range {
    char32_t first;
    char32_t last;
};

constexpr Range range(char32_t first, char32_t last) {
    return {.first = first, .last = last};
}

// Characters that no name has and that hide or reorder others: controls, soft hyphen, zero-width
// and direction marks, variation and tag characters, noncharacters.
constexpr std::array kBarred{range(0x0000, 0x001F), range(0x007F, 0x009F), range(0x00AD, 0x00AD),
                             range(0x034F, 0x034F), range(0x061C, 0x061C), range(0x115F, 0x1160),
                             range(0x17B4, 0x17B5), range(0x180B, 0x180F), range(0x200B, 0x200F),
                             range(0x2028, 0x202E), range(0x2060, 0x206F), range(0xFE00, 0xFE0F),
                             range(0xFEFF, 0xFEFF), range(0xFFF0, 0xFFFF), range(0xE0000, 0xE0FFF)};

// Han: the blocks of unified and compatibility ideographs, and the private area in which systems
// kept rare characters of names before they were encoded.
constexpr std::array kHan{range(0x3005, 0x3007), range(0x3400, 0x4DBF), range(0x4E00, 0x9FFF),
                          range(0xE000, 0xF8FF), range(0xF900, 0xFAFF), range(0x20000, 0x323AF)};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t character) noexcept {
    return std::ranges::any_of(ranges, [&](const Range& each) {
        return character >= each.first && character <= each.last;
    });
}

bool is_blank(char32_t c) noexcept {
    return c == U' ' || (c >= 0x2000 && c <= 0x200A) || c == 0x202F || c == 0x205F;
}

bool is_latin(char32_t c) noexcept {
    return (c >= U'A' && c <= U'Z') || (c >= U'a' && c <= U'z') || (c >= 0xC0 && c <= 0x24F);
}

Error bad_name(std::string_view why) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("a name {}", why)};
}

Result<std::u32string> read_characters(std::string_view text) {
    if (text.size() > kNameBytesMax) {
        return bad_name(fmt::format("has at most {} characters", kNameCharsMax));
    }
    std::u32string characters;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto read = next_code_point(text, at);
        if (!read) {
            return bad_name("must be UTF-8");
        }
        const char32_t character = internal::fold_width(*read);
        if (within(kBarred, character)) {
            return bad_name("has no control, invisible or direction-changing characters in it");
        }
        if (character >= U'0' && character <= U'9') {
            return bad_name("has no digits in it");
        }
        if (std::ranges::find(kDots, character) != kDots.end()) {
            characters.push_back(kMiddleDot);
        } else {
            characters.push_back(is_blank(character) ? U' ' : character);
        }
    }
    return characters;
}

bool joins(char32_t neighbour) noexcept {
    return within(kHan, neighbour) || neighbour == kMiddleDot || neighbour == U' ';
}

// A blank stays only between two words that are not Chinese; a full stop between such words is an
// initial's, elsewhere it is a middle dot.
std::u32string tidied(std::u32string_view characters) {
    std::u32string out;
    for (std::size_t i = 0; i < characters.size(); ++i) {
        const char32_t character = characters[i];
        const char32_t before = out.empty() ? U' ' : out.back();
        const char32_t after = i + 1 < characters.size() ? characters[i + 1] : U' ';
        if (character == U' ' && (joins(before) || joins(after))) {
            continue;
        }
        out.push_back(character == U'.' && !is_latin(before) ? kMiddleDot : character);
    }
    return out;
}

}  // namespace

Result<std::string> normalise_person_name(std::string_view text) {
    const std::u32string name = tidied(TRY(read_characters(text)));
    if (name.empty()) {
        return bad_name("is missing");
    }
    if (name.size() > kNameCharsMax) {
        return bad_name(fmt::format("has at most {} characters", kNameCharsMax));
    }
    if (name.front() == kMiddleDot || name.back() == kMiddleDot) {
        return bad_name("neither begins nor ends with a dot");
    }
    std::string out;
    for (const char32_t character : name) {
        append_utf8(out, character);
    }
    return out;
}

std::string masked_person_name(std::string_view name) {
    std::size_t at = 0;
    if (!next_code_point(name, at)) {
        return {};
    }
    return std::string(name.substr(0, at)) + "**";
}

}  // namespace colophon::identity
