// SPDX-License-Identifier: Apache-2.0
#pragma once

// The words of the explicit label. [GB45438-5.1] to [GB45438-5.4]: every wording has an AI element
// (人工智能 or AI) and a generation element (生成 or 合成); only the corner mark of a text may be
// "AI" alone. Outside the profiles cn and all, "generated", "synthetic", "synthesized",
// "manipulated", "modified", "altered" or "edited" also count as the second element.

#include "core/result.h"
#include "label/format.h"
#include "label/record.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

enum class WordingForm : std::uint8_t { kFull, kCornerMark };

// What is written or spoken when nobody says otherwise, for example "AI生成" on pictures under cn.
std::string default_wording(Profile profile, Language language, Kind kind, Origin origin);

// One line of at most limits::kWordingCharsMax characters with both elements. kInvalidArgument
// names the missing element, and says what would do.
Result<void> check_wording(std::string_view text, Profile profile, WordingForm form);

// The same but for the two elements, and not empty: a text that can stand in a picture, whoever
// wrote it.
Result<void> check_wording_form(std::string_view text);

// Every default wording for that kind, longest first: what a detector looks for.
std::vector<std::string> known_wordings(Kind kind);

bool has_ai_element(std::string_view text);                  // AI as a word of its own, 人工智能
bool has_generation_element(std::string_view text);          // 生成, 合成
bool has_foreign_generation_element(std::string_view text);  // generated, synthetic, ...

}  // namespace colophon::label
