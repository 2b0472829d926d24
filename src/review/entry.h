// SPDX-License-Identifier: Apache-2.0
#pragma once

// One thing that texts are searched for: an entry of the feature library [DSP-10].

#include "review/fold.h"
#include "review/language.h"
#include "review/scope.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

// From the mildest to the strictest.
enum class Decision : std::uint8_t { kAllow, kFlag, kHold, kBlock };
std::string_view decision_name(Decision decision) noexcept;  // "allow", ...

inline constexpr std::size_t kEntriesMax = 200'000;
inline constexpr std::size_t kPhraseBytesMax = 256;
inline constexpr std::size_t kContextPhrasesMax = 8;
inline constexpr std::uint32_t kWithinMax = 1000;

enum class EntryKind : std::uint8_t {
    kPhrase,      // 1 to kPhraseBytesMax bytes of UTF-8
    kExpression,  // review/expression.h; kExact or kPlain
    kLink,        // a domain, or one with a path: review/link.h
    kPattern,     // phrases one after the other: review/pattern.h
    kNear,        // a text of which near copies are looked for: review/near_texts.h
};
std::string_view kind_name(
    EntryKind kind) noexcept;  // "phrase", "expression", "link", "pattern", "near"

struct Entry {
    std::string id;        // what verdicts and records name
    std::string category;  // a risk of the taxonomy
    EntryKind kind = EntryKind::kPhrase;
    std::string phrase;  // what is looked for, as its kind writes it
    Folding folding = Folding::kLoose;
    // kAllow: a phrase that may pass whatever lies inside it ("大麻烦" holds "大麻").
    Decision action = Decision::kBlock;
    // All of these, and none of those, within so many characters of the phrase (of their ends). The
    // same holds between the parts of a pattern.
    std::vector<std::string> with;
    std::vector<std::string> without;
    std::uint32_t within = 50;
    // Letters and digits at the edges of a phrase do not match within a longer word or number
    // ("SM" in "Smoking") unless this says so.
    bool inside_words = false;
    // Characters written as their halves (弓长 for 张) match too.
    bool split = false;
    std::string reply;  // what is answered instead, if anything
    Scope scope;
    // Only where the text may be in one of these; 0: wherever.
    Languages languages = 0;
};

}  // namespace colophon::review
