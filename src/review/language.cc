// SPDX-License-Identifier: Apache-2.0
#include "review/language.h"

#include "review/fold.h"
#include "review/internal/characters.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

constexpr std::array<std::pair<std::string_view, Languages>, 7> kNames{{
    {"zh", kChinese},
    {"en", kEnglish},
    {"ja", kJapanese},
    {"ko", kKorean},
    {"ru", kRussian},
    {"ar", kArabic},
    {"other", kOtherLanguage},
}};

// What is sure needs so many.
constexpr std::size_t kLettersMin = 20;
constexpr std::size_t kWordsMin = 12;

// Words that most texts have, and that the other list does not.
constexpr std::array<std::string_view, 48> kEnglishWords{
    "the",  "of",    "and",   "to",   "is",    "that", "it",    "for",   "you",  "with",
    "this", "are",   "be",    "have", "not",   "or",   "from",  "your",  "they", "we",
    "but",  "what",  "all",   "were", "when",  "can",  "there", "which", "how",  "if",
    "will", "would", "about", "them", "my",    "has",  "than",  "their", "who",  "been",
    "do",   "its",   "our",   "into", "could", "she",  "his",   "any"};
constexpr std::array<std::string_view, 84> kOtherWords{
    "der", "und",  "das", "ist", "nicht", "ein",  "eine",  "ich",  "zu",   "mit",  "von", "den",
    "dem", "des",  "auf", "sie", "wir",   "auch", "le",    "la",   "les",  "et",   "un",  "une",
    "du",  "que",  "qui", "pas", "est",   "pour", "dans",  "je",   "vous", "nous", "sur", "el",
    "los", "las",  "y",   "por", "para",  "con",  "una",   "como", "pero", "su",   "del", "al",
    "il",  "di",   "che", "non", "per",   "sono", "della", "gli",  "o",    "os",   "uma", "com",
    "ao",  "em",   "na",  "het", "een",   "van",  "en",    "niet", "op",   "och",  "att", "det",
    "som", "jest", "nie", "sie", "w",     "ve",   "bir",   "bu",   "yang", "dan",  "di",  "va"};

bool is_word_of(const auto& words, const std::string& word) {
    return std::ranges::find(words, word) != words.end();
}

// Letters by script. `strange`: those of the script that its first language does not have.
struct Script {
    std::size_t letters = 0;
    std::size_t strange = 0;
};

struct Counts {
    std::size_t han = 0;
    std::size_t kana = 0;
    std::size_t hangul = 0;
    Script cyrillic;
    std::size_t russian_only = 0;
    Script arabic;
    Script latin;
    std::size_t words = 0;
    std::size_t english = 0;
    std::size_t foreign = 0;
    std::size_t others = 0;

    // A Han character or a syllable says as much as two letters.
    std::size_t all() const noexcept {
        return 2 * (han + kana + hangul) + cyrillic.letters + arabic.letters + latin.letters +
               others;
    }
};

bool is_between(char32_t c, char32_t first, char32_t last) noexcept {
    return c >= first && c <= last;
}

void count_latin(char32_t c, Counts& counts) noexcept {
    ++counts.latin.letters;
    counts.latin.strange += c >= 0x80 && !is_between(c, 0xff21, 0xff5a) ? 1U : 0U;
}

void count_letter(char32_t c, Counts& counts) noexcept {
    const std::u32string_view russian = U"ыэё";
    const std::u32string_view persian = U"پچژگکیٹڈےہں";
    if (is_between(c, 'A', 'Z') || is_between(c, 'a', 'z') ||
        (is_between(c, 0xc0, 0x24f) && c != 0xd7 && c != 0xf7) || is_between(c, 0x1e00, 0x1eff) ||
        is_between(c, 0xff21, 0xff3a) || is_between(c, 0xff41, 0xff5a)) {
        count_latin(c, counts);
    } else if (is_between(c, 0x3400, 0x9fff) || is_between(c, 0xf900, 0xfaff) ||
               is_between(c, 0x20000, 0x3ffff)) {
        ++counts.han;
    } else if (is_between(c, 0x3041, 0x30fa) || is_between(c, 0xff66, 0xff9d)) {
        ++counts.kana;
    } else if (is_between(c, 0xac00, 0xd7a3) || is_between(c, 0x1100, 0x11ff) ||
               is_between(c, 0x3131, 0x318e)) {
        ++counts.hangul;
    } else if (is_between(c, 0x400, 0x52f)) {
        ++counts.cyrillic.letters;
        counts.cyrillic.strange +=
            is_between(c, 0x410, 0x44f) || c == 0x401 || c == 0x451 ? 0U : 1U;
        counts.russian_only += russian.find(c) != std::u32string_view::npos ? 1U : 0U;
    } else if (is_between(c, 0x620, 0x64a) || is_between(c, 0x671, 0x6d3)) {
        ++counts.arabic.letters;
        counts.arabic.strange += persian.find(c) != std::u32string_view::npos ? 1U : 0U;
    } else if (c >= 0x80 && c != internal::kInvalid && class_of(c) == CharacterClass::kText) {
        ++counts.others;
    }
}

void count_word(std::string& word, Counts& counts) {
    if (!word.empty()) {
        ++counts.words;
        counts.english += is_word_of(kEnglishWords, word) ? 1U : 0U;
        counts.foreign += is_word_of(kOtherWords, word) ? 1U : 0U;
        word.clear();
    }
}

Counts count(std::string_view text) {
    Counts counts;
    std::string word;
    bool in_word = false;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t before = counts.latin.letters;
        const char32_t c = internal::take_character(text, at);
        count_letter(c, counts);
        if (counts.latin.letters == before) {
            count_word(word, counts);
            in_word = false;
        } else {
            // A letter that no list has makes it a word of no list.
            word += c < 0x80 ? static_cast<char>(c | 0x20U) : '?';
            in_word = true;
        }
    }
    if (in_word) {
        count_word(word, counts);
    }
    return counts;
}

Languages of_han(const Counts& counts) noexcept {
    const std::size_t all = counts.han + counts.kana;
    if (all < kLettersMin) {
        return kChinese | kJapanese;
    }
    if (counts.kana == 0) {
        return kChinese;
    }
    return counts.kana * 20 >= all ? kJapanese : Languages{kChinese | kJapanese};
}

Languages of_script(const Script& script, bool has_own, Languages first) noexcept {
    if (script.letters < kLettersMin) {
        return first | kOtherLanguage;
    }
    if (script.strange * 50 >= script.letters) {
        return kOtherLanguage;
    }
    return script.letters >= 2 * kLettersMin && script.strange == 0 && has_own
               ? first
               : Languages(first | kOtherLanguage);
}

Languages of_latin(const Counts& counts) noexcept {
    if (counts.words < kWordsMin) {
        return kEnglish | kOtherLanguage;
    }
    const bool looks_foreign =
        counts.foreign * 10 >= counts.words || counts.latin.strange * 33 >= counts.latin.letters;
    if (looks_foreign && counts.english * 10 <= counts.words) {
        return kOtherLanguage;
    }
    return counts.english * 5 >= counts.words && counts.foreign * 20 < counts.words &&
                   counts.latin.strange == 0
               ? kEnglish
               : Languages(kEnglish | kOtherLanguage);
}

// Of the scripts that are a share of at least `parts`-th of the letters of `wanted`, told by the
// letters of `around`.
Languages of_scripts(const Counts& wanted, const Counts& around, std::size_t parts) noexcept {
    const std::size_t all = wanted.all();
    const auto counts = [&](std::size_t letters) { return letters != 0 && letters * parts >= all; };
    Languages languages = 0;
    if (counts(2 * (wanted.han + wanted.kana))) {
        languages |= of_han(around);
    }
    if (counts(2 * wanted.hangul)) {
        languages |= kKorean;
    }
    if (counts(wanted.cyrillic.letters)) {
        languages |= of_script(around.cyrillic, around.russian_only != 0, kRussian);
    }
    if (counts(wanted.arabic.letters)) {
        languages |= of_script(around.arabic, true, kArabic);
    }
    if (counts(wanted.latin.letters)) {
        languages |= of_latin(around);
    }
    if (counts(wanted.others)) {
        languages |= kOtherLanguage;
    }
    return languages;
}

}  // namespace

std::optional<Languages> parse_language(std::string_view name) noexcept {
    const auto* found =
        std::ranges::find(kNames, name, [](const auto& each) { return each.first; });
    return found == kNames.end() ? std::nullopt : std::optional(found->second);
}

std::vector<std::string> language_names(Languages languages) {
    std::vector<std::string> names;
    for (const auto& [name, language] : kNames) {
        if ((languages & language) != 0) {
            names.emplace_back(name);
        }
    }
    return names;
}

Languages possible_languages(std::string_view text, std::size_t at) {
    const Counts around = count(text);
    if (around.all() < kLettersMin) {
        return kAllLanguages;
    }
    const Counts found = count(text.substr(at));
    if (found.all() == 0) {
        return kAllLanguages;
    }
    return of_scripts(around, around, 5) | of_scripts(found, around, found.all());
}

}  // namespace colophon::review
