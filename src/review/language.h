// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which languages a text may be in, told by its script and its commonest words: enough to keep an
// entry of one language from texts that are surely in another, and made for no other use.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

// A set of them.
using Languages = std::uint8_t;
inline constexpr Languages kChinese = 1;
inline constexpr Languages kEnglish = 2;
inline constexpr Languages kJapanese = 4;
inline constexpr Languages kKorean = 8;
inline constexpr Languages kRussian = 16;
inline constexpr Languages kArabic = 32;
inline constexpr Languages kOtherLanguage = 64;
inline constexpr Languages kAllLanguages = 127;

// "zh", "en", "ja", "ko", "ru", "ar", "other".
std::optional<Languages> parse_language(std::string_view name) noexcept;
std::vector<std::string> language_names(Languages languages);

// What is looked at: so many characters that end with what was found.
inline constexpr std::size_t kLanguageWindow = 300;

// What the part of the text may be in in which text[at..] was found; `text` is what came before it,
// and it. A language is left out only when that is sure:
//   - of text in one script, by its own letters and words: with Japanese syllables it is not
//     Chinese, with German articles and without English ones it is not English;
//   - what was found counts with the script that it is in, however much of another stands before.
// Short texts (below some 20 letters, 12 words) may be in any language of their script, and where
// nothing speaks against it, all languages are possible.
Languages possible_languages(std::string_view text, std::size_t at);

}  // namespace colophon::review
