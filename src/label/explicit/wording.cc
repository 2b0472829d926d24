// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/wording.h"

#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"
#include "label/format.h"
#include "label/record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {
namespace {

// What each kind says, one row per origin: generated, edited, suspected.
struct Wording {
    std::string_view zh;
    std::string_view en;
};
using Origins = std::array<Wording, 3>;

constexpr Origins kShort{{
    {"AI生成", "AI-generated"},
    {"AI合成", "AI-modified"},
    {"疑似AI生成", "Suspected AI-generated"},
}};
constexpr Origins kSentence{{
    {"本内容由AI生成", "This content is AI-generated"},
    {"本内容由AI合成", "This content is AI-modified"},
    {"本内容疑似由AI生成", "Suspected AI-generated content"},
}};
// Spoken: the long word for AI, because two letters are easily missed by ear.
constexpr Origins kSpoken{{
    {"以下内容由人工智能生成", "The following content is AI-generated"},
    {"以下内容由人工智能合成", "The following content is AI-modified"},
    {"以下内容疑似由人工智能生成", "Suspected AI-generated content follows"},
}};

const Origins& origins_of(Kind kind) noexcept {
    switch (kind) {
        case Kind::kText:
            return kSentence;
        case Kind::kAudio:
            return kSpoken;
        case Kind::kImage:
        case Kind::kVideo:
            return kShort;
    }
    return kShort;
}

bool is_chinese_profile(Profile profile) noexcept {
    return profile == Profile::kCn || profile == Profile::kAll;
}

// Letters and digits of the scripts that write words with gaps between them, plain or full-width. A
// Chinese character, an Arabic or a Hebrew letter beside "AI" leaves it a word of its own.
bool is_word_character(char32_t c) noexcept {
    const bool ascii = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    const bool wide = (c >= 0xFF10 && c <= 0xFF19) || (c >= 0xFF21 && c <= 0xFF3A) ||
                      (c >= 0xFF41 && c <= 0xFF5A);
    // Latin with diacritics, combining marks, Greek, Cyrillic.
    return ascii || wide || (c >= 0xC0 && c <= 0x52F && c != 0xD7 && c != 0xF7);
}

std::u32string decode(std::string_view text) {
    std::u32string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        const auto c = next_code_point(text, at);
        at += c ? 0U : 1U;
        out += c.value_or(U'\uFFFD');
    }
    return out;
}

char32_t narrow(char32_t c) noexcept {
    return c >= 0xFF01 && c <= 0xFF5E ? c - 0xFEE0 : c;
}

bool stands_alone(const std::u32string& text, std::size_t start, std::size_t end) {
    return (start == 0 || !is_word_character(text[start - 1])) &&
           (end == text.size() || !is_word_character(text[end]));
}

bool has_word(const std::u32string& text, std::u32string_view word) {
    for (std::size_t at = text.find(word); at != std::u32string::npos;
         at = text.find(word, at + 1)) {
        if (stands_alone(text, at, at + word.size())) {
            return true;
        }
    }
    return false;
}

std::u32string fold(std::string_view text, bool lower) {
    std::u32string out = decode(text);
    for (char32_t& c : out) {
        c = narrow(c);
        c = lower && c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
    }
    return out;
}

Error missing(std::string_view text, std::string_view element, std::string_view advice) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("the wording \"{}\" lacks {}; {}", text, element, advice)};
}

Result<void> check_shape(std::string_view text) {
    if (find_invalid_utf8(text)) {
        return Error{ErrorCode::kInvalidArgument, "the wording is not UTF-8"};
    }
    const std::u32string characters = decode(text);
    if (characters.size() > limits::kWordingCharsMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the wording has {} characters; readers look for a label in the "
                                 "first and last {}, so it may have no more",
                                 characters.size(), limits::kWordingCharsMax)};
    }
    const auto control = [](char32_t c) {
        return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
    };
    if (std::ranges::any_of(characters, control)) {
        return Error{ErrorCode::kInvalidArgument,
                     "the wording holds a line break or a control character; it must be one line"};
    }
    return {};
}

}  // namespace

std::string default_wording(Profile profile, Language language, Kind kind, Origin origin) {
    const Wording& wording = origins_of(kind)[static_cast<std::size_t>(origin)];
    if (!is_chinese_profile(profile)) {
        return std::string(language == Language::kZh ? wording.zh : wording.en);
    }
    // The Chinese elements are demanded whatever the language, and the profile "all" owes both.
    if (profile == Profile::kCn && language == Language::kZh) {
        return std::string(wording.zh);
    }
    return fmt::format("{} {}", wording.zh, wording.en);
}

Result<void> check_wording_form(std::string_view text) {
    if (text.find_first_not_of(' ') == std::string_view::npos) {
        return Error{ErrorCode::kInvalidArgument, "the wording is empty"};
    }
    return check_shape(text);
}

namespace {

// [GB45438-5.1] b) and c), and b) of [GB45438-5.2] to [GB45438-5.4].
Result<void> check_elements(std::string_view text, Profile profile, WordingForm form) {
    TRY(check_shape(text));
    if (!has_ai_element(text)) {
        return missing(text, "the AI element",
                       "put \"人工智能\" or \"AI\" (upper case, as a word of its own) into it");
    }
    if (form == WordingForm::kCornerMark || has_generation_element(text)) {
        return {};
    }
    if (is_chinese_profile(profile)) {
        return missing(text, "the generation element",
                       "put \"生成\" or \"合成\" into it, for example \"AI生成\"");
    }
    if (!has_foreign_generation_element(text)) {
        return missing(text, "the generation element",
                       "put \"generated\", \"synthetic\", \"manipulated\" or \"edited\" into it, "
                       "for example \"AI-generated\"");
    }
    return {};
}

}  // namespace

Result<void> check_wording(std::string_view text, Profile profile, WordingForm form) {
    // A service asks about the same wording several times with each call.
    struct Good {
        std::string text;
        Profile profile = Profile::kCn;
        WordingForm form = WordingForm::kFull;
    };
    thread_local Good good;
    if (text == good.text && profile == good.profile && form == good.form && !text.empty()) {
        return {};
    }
    TRY(check_elements(text, profile, form));
    good = {.text = std::string(text), .profile = profile, .form = form};
    return {};
}

std::vector<std::string> known_wordings(Kind kind) {
    std::vector<std::string> out;
    for (const Profile profile : {Profile::kCn, Profile::kEu, Profile::kUsCa, Profile::kAll}) {
        for (const Language language : {Language::kZh, Language::kEn}) {
            for (const Origin origin : {Origin::kGenerated, Origin::kEdited, Origin::kSuspected}) {
                out.push_back(default_wording(profile, language, kind, origin));
            }
        }
    }
    std::ranges::sort(out, [](const std::string& left, const std::string& right) {
        const std::size_t left_size = count_code_points(left);
        const std::size_t right_size = count_code_points(right);
        return left_size != right_size ? left_size > right_size : left < right;
    });
    const auto repeated = std::ranges::unique(out);
    out.erase(repeated.begin(), repeated.end());
    return out;
}

bool has_ai_element(std::string_view text) {
    if (text.find("人工智能") != std::string_view::npos) {
        return true;
    }
    // Most texts have none of its letters, which is quickly seen.
    if (text.find('A') == std::string_view::npos && text.find("Ａ") == std::string_view::npos) {
        return false;
    }
    const std::u32string folded = fold(text, false);
    return has_word(folded, U"AI") || has_word(folded, U"A.I.") || has_word(folded, U"A.I");
}

bool has_generation_element(std::string_view text) {
    return text.find("生成") != std::string_view::npos ||
           text.find("合成") != std::string_view::npos;
}

bool has_foreign_generation_element(std::string_view text) {
    constexpr std::array<std::u32string_view, 8> kWords{
        U"generated",   U"synthetic", U"synthesized", U"synthesised",
        U"manipulated", U"edited",    U"modified",    U"altered"};
    const std::u32string folded = fold(text, true);
    return std::ranges::any_of(kWords,
                               [&](std::u32string_view word) { return has_word(folded, word); });
}

}  // namespace colophon::label
