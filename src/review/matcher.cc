// SPDX-License-Identifier: Apache-2.0
#include "review/matcher.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "core/utf8.h"
#include "review/automaton.h"
#include "review/entry.h"
#include "review/expression.h"
#include "review/fold.h"
#include "review/link.h"
#include "review/near_texts.h"
#include "review/pattern.h"
#include "review/prefix_filter.h"
#include "review/scope.h"
#include "review/split.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

std::u32string decoded(std::string_view text) {
    std::u32string characters;
    std::size_t at = 0;
    while (const auto next = next_code_point(text, at)) {
        characters.push_back(*next);
    }
    return characters;
}

// What a phrase is compared as. Where repeats count once, a character that is repeated stands there
// once and `runs` says how often it has to come; what becomes several symbols is never one that is
// repeated, so that a symbol always belongs to one character.
std::u32string folded(std::u32string_view text, Folding folding, std::vector<std::uint8_t>& runs) {
    std::u32string result;
    bool repeated = false;
    bool single_before = false;
    for (const char32_t character : text) {
        const Folded each = fold(character, folding);
        if (each.count == 0) {
            continue;
        }
        const bool single = folding >= Folding::kLoose && each.count == 1;
        if (single && single_before && result.back() == each.characters[0]) {
            runs.back() = static_cast<std::uint8_t>(std::min(runs.back() + 1, 255));
            repeated = true;
            continue;
        }
        result.append(each.all().begin(), each.all().end());
        runs.resize(result.size(), 1);
        single_before = single;
    }
    if (!repeated) {
        runs.clear();
    }
    return result;
}

WordKind word_kind(char32_t character) noexcept {
    const Folded plain = fold(character, Folding::kPlain);
    if (plain.count == 0) {
        return WordKind::kOther;
    }
    const char32_t first = plain.characters[0];
    return first >= 'a' && first <= 'z'   ? WordKind::kLetter
           : first >= '0' && first <= '9' ? WordKind::kDigit
                                          : WordKind::kOther;
}

}  // namespace

PhraseSet::PhraseSet(Folding folding, std::span<const Source> sources) : folding_(folding) {
    std::vector<std::u32string> texts;
    texts.reserve(sources.size());
    for (const Source& source : sources) {
        Phrase phrase = source.phrase;
        std::u32string text = folded(source.text, folding, phrase.runs);
        phrase.symbols = static_cast<std::uint16_t>(text.size());
        longest_ = std::max(longest_, text.size());
        has_allowances_ = has_allowances_ || phrase.role == Phrase::Role::kAllow;
        texts.push_back(std::move(text));
        phrases_.push_back(std::move(phrase));
    }
    number_symbols(texts);
    if (too_many_symbols_) {
        return;
    }
    fill_table();
    quick_.reserve(table_.size());
    std::ranges::transform(table_, std::back_inserter(quick_), [](Glyph glyph) {
        return glyph.is_symbol()                         ? glyph.symbol()
               : glyph.kind() == Glyph::Kind::kSeparator ? kPassedOver
                                                         : kNoSymbol;
    });
    std::vector<Pattern> patterns;
    patterns.reserve(texts.size());
    for (const std::u32string& text : texts) {
        Pattern& pattern = patterns.emplace_back();
        std::ranges::transform(text, std::back_inserter(pattern),
                               [&](char32_t each) { return symbol_of(each); });
    }
    note_counted(patterns);
    automaton_ = std::make_unique<const Automaton>(patterns, static_cast<Symbol>(symbols_.size()));
    // 哈哈 is one symbol whose repeats count: they are never in the blocks that the filter is asked
    // about, and without them the phrase does not end.
    std::size_t kept = 0;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        if (patterns[i].size() > 1 || phrases_[i].runs.empty() || phrases_[i].runs.back() < 2) {
            std::swap(patterns[kept++], patterns[i]);
        }
    }
    patterns.resize(kept);
    filter_ = std::make_unique<const PrefixFilter>(patterns);
}

void PhraseSet::note_counted(std::span<const Pattern> patterns) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        for (std::size_t at = 0; at < phrases_[i].runs.size(); ++at) {
            if (phrases_[i].runs[at] > 1) {
                counted_.resize((std::size_t{1} << 16U) / 64);
                const Symbol symbol = patterns[i][at];
                counted_[symbol / 64] |= std::uint64_t{1} << symbol % 64U;
            }
        }
    }
}

// The commonest first, so that what is used together lies together.
void PhraseSet::number_symbols(std::span<const std::u32string> texts) {
    std::unordered_map<char32_t, std::size_t> counts;
    for (const std::u32string& text : texts) {
        for (const char32_t character : text) {
            ++counts[character];
        }
    }
    std::vector<std::pair<std::size_t, char32_t>> ranked;
    ranked.reserve(counts.size());
    for (const auto& [character, count] : counts) {
        ranked.emplace_back(count, character);
    }
    std::ranges::sort(ranked, [](const auto& a, const auto& b) {
        return a.first != b.first ? a.first > b.first : a.second < b.second;
    });
    // Unicode has more assigned characters than that; no library has them.
    too_many_symbols_ = ranked.size() >= kPassedOver;
    if (too_many_symbols_) {
        return;
    }
    for (const auto& [count, character] : ranked) {
        symbols_.emplace(character, static_cast<Symbol>(symbols_.size() + 1));
    }
}

Symbol PhraseSet::symbol_of(char32_t character) const noexcept {
    const auto found = symbols_.find(character);
    return found == symbols_.end() ? Symbol{0} : found->second;
}

Glyph PhraseSet::make_glyph(char32_t character) {
    const WordKind word = word_kind(character);
    const Folded to = fold(character, folding_);
    if (to.count == 0) {
        return {class_of(character) == CharacterClass::kUnseen ? Glyph::Kind::kUnseen
                                                               : Glyph::Kind::kSeparator,
                0, word};
    }
    if (to.count == 1) {
        return {Glyph::Kind::kSymbol, symbol_of(to.characters[0]), word};
    }
    const auto at = static_cast<std::uint32_t>(sequences_.size());
    sequences_.push_back(static_cast<Symbol>(to.count));
    for (const char32_t each : to.all()) {
        sequences_.push_back(symbol_of(each));
    }
    return {Glyph::Kind::kSequence, at, word};
}

void PhraseSet::fill_table() {
    table_.resize(kTable);
    const auto set = [&](char32_t character) {
        const Glyph glyph = make_glyph(character);
        if (character < kTable) {
            table_[character] = glyph;
        } else {
            rare_.insert_or_assign(character, glyph);
        }
    };
    for (const auto& [character, symbol] : symbols_) {
        set(character);
    }
    for (char32_t character = 0; character < 0x80; ++character) {
        set(character);
    }
    // Letters and digits of all kinds are known by their plain forms, also where those are not
    // asked for.
    for (std::size_t i = 0; i < changed_characters(); ++i) {
        set(changed_character(i));
    }
    if (folding_ == Folding::kExact) {
        return;
    }
    for (const ClassRange& range : class_ranges()) {
        for (char32_t character = range.first; character <= range.last && character < kTable;
             ++character) {
            set(character);
        }
    }
}

Glyph PhraseSet::rare_glyph(char32_t character) const noexcept {
    const auto found = rare_.find(character);
    if (found != rare_.end()) {
        return found->second;
    }
    if (folding_ != Folding::kExact) {
        const CharacterClass kind = class_of(character);
        if (kind == CharacterClass::kUnseen) {
            return {Glyph::Kind::kUnseen, 0, WordKind::kOther};
        }
        if (kind == CharacterClass::kSeparator && folding_ >= Folding::kLoose) {
            return {Glyph::Kind::kSeparator, 0, WordKind::kOther};
        }
    }
    return {};
}

std::span<const Symbol> PhraseSet::sequence(Glyph glyph) const noexcept {
    const std::size_t at = glyph.sequence();
    return std::span(sequences_).subspan(at + 1, sequences_[at]);
}

std::size_t PhraseSet::bytes() const noexcept {
    return automaton_->bytes() + filter_->bytes() + table_.size() * sizeof(Glyph) +
           (quick_.size() + sequences_.size()) * sizeof(Symbol) +
           counted_.size() * sizeof(std::uint64_t) + phrases_.size() * sizeof(Phrase);
}

namespace {

// What is compiled, gathered from all entries.
struct Sources {
    std::array<std::vector<PhraseSet::Source>, kFoldings> phrases;
    struct OfExpressions {
        std::vector<std::string> texts;
        std::vector<Phrase> phrases;
    };
    std::array<OfExpressions, kFoldings> expressions;
    std::size_t expression_count = 0;
    std::vector<LinkForm> link_forms;
    std::vector<std::uint32_t> link_numbers;  // of the forms
    std::vector<Phrase> links;
    NearTexts near_texts;
    std::unordered_map<std::uint32_t, std::size_t> parts;
};

Error bad_entry(const Entry& entry, std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("entry {}: {}", entry.id, what)};
}

struct Part {
    std::string_view text;
    Phrase::Role role;
    std::size_t place;
};

Result<void> add_phrase(const Entry& entry, std::uint32_t number, const Part& part,
                        Sources& sources) {
    if (part.text.empty() || part.text.size() > kPhraseBytesMax || find_invalid_utf8(part.text)) {
        return bad_entry(entry, fmt::format("a phrase is 1 to {} bytes of UTF-8", kPhraseBytesMax));
    }
    const std::u32string text = decoded(part.text);
    std::vector<std::uint8_t> runs;
    if (folded(text, entry.folding, runs).empty()) {
        return bad_entry(entry, fmt::format("nothing of the phrase is left at the level \"{}\"",
                                            folding_name(entry.folding)));
    }
    Phrase phrase{.entry = number,
                  .role = part.role,
                  .place = static_cast<std::uint8_t>(part.place),
                  .first = entry.inside_words ? WordKind::kOther : word_kind(text.front()),
                  .last = entry.inside_words ? WordKind::kOther : word_kind(text.back()),
                  .runs = {}};
    auto& wanted = sources.phrases[static_cast<std::size_t>(entry.folding)];
    if (entry.split) {
        for (std::u32string& variant : split_variants(text)) {
            wanted.push_back({std::move(variant), phrase});
        }
    }
    wanted.push_back({text, std::move(phrase)});
    return {};
}

Phrase whole(const Entry& entry, std::uint32_t number) {
    return {.entry = number,
            .role = entry.action == Decision::kAllow ? Phrase::Role::kAllow : Phrase::Role::kMain,
            .runs = {}};
}

Result<void> add_expression(const Entry& entry, std::uint32_t number, Sources& sources) {
    if (entry.folding > Folding::kPlain) {
        return bad_entry(entry, "an expression is compared at the level exact or plain");
    }
    if (entry.action == Decision::kAllow) {
        return bad_entry(entry, "only phrases and links may pass");
    }
    if (++sources.expression_count > kExpressionsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a library has at most {} expressions", kExpressionsMax)};
    }
    auto& of_level = sources.expressions[static_cast<std::size_t>(entry.folding)];
    of_level.texts.push_back(entry.phrase);
    of_level.phrases.push_back(whole(entry, number));
    return {};
}

Result<void> add_link(const Entry& entry, std::uint32_t number, Sources& sources) {
    if (sources.links.size() == kLinksMax) {
        return Error{ErrorCode::kLimit, fmt::format("a library has at most {} links", kLinksMax)};
    }
    auto forms = parse_link(entry.phrase);
    if (!forms.ok()) {
        return bad_entry(entry, forms.error().what);
    }
    for (LinkForm& form : *forms) {
        sources.link_forms.push_back(std::move(form));
        sources.link_numbers.push_back(static_cast<std::uint32_t>(sources.links.size()));
    }
    sources.links.push_back(whole(entry, number));
    return {};
}

Result<void> add_pattern(const Entry& entry, std::uint32_t number, Sources& sources) {
    if (entry.action == Decision::kAllow) {
        return bad_entry(entry, "only phrases and links may pass");
    }
    const auto parts = parse_pattern(entry.phrase);
    if (!parts.ok()) {
        return bad_entry(entry, parts.error().what);
    }
    sources.parts.emplace(number, parts->size());
    for (std::size_t i = 0; i < parts->size(); ++i) {
        for (const std::string& way : (*parts)[i]) {
            TRY(add_phrase(entry, number, {way, Phrase::Role::kPart, i}, sources));
        }
    }
    return {};
}

Result<void> add_near(const Entry& entry, std::uint32_t number, Sources& sources) {
    if (entry.action == Decision::kAllow) {
        return bad_entry(entry, "only phrases and links may pass");
    }
    // It is looked for in a text as a whole.
    if (!entry.with.empty() || !entry.without.empty() || entry.languages != 0) {
        return bad_entry(entry, "a near text has no \"with\", no \"without\" and no languages");
    }
    if (sources.near_texts.size() == kNearTextsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("a library has at most {} near texts", kNearTextsMax)};
    }
    const auto added = sources.near_texts.add(entry.phrase, number);
    return added.ok() ? added : bad_entry(entry, added.error().what);
}

Result<void> add_main(const Entry& entry, std::uint32_t number, Sources& sources) {
    switch (entry.kind) {
        case EntryKind::kPhrase:
            return add_phrase(entry, number, {entry.phrase, whole(entry, number).role, 0}, sources);
        case EntryKind::kExpression:
            return add_expression(entry, number, sources);
        case EntryKind::kLink:
            return add_link(entry, number, sources);
        case EntryKind::kPattern:
            return add_pattern(entry, number, sources);
        case EntryKind::kNear:
            return add_near(entry, number, sources);
    }
    return {};
}

Result<void> add_entry(const Entry& entry, std::uint32_t number, Sources& sources) {
    if (entry.with.size() > kContextPhrasesMax || entry.without.size() > kContextPhrasesMax) {
        return bad_entry(entry, fmt::format("at most {} phrases in \"with\" and in \"without\"",
                                            kContextPhrasesMax));
    }
    if (entry.within == 0 || entry.within > kWithinMax) {
        return bad_entry(entry, fmt::format("\"within\" is 1 to {} characters", kWithinMax));
    }
    const bool allows = entry.action == Decision::kAllow;
    if (allows && (!entry.with.empty() || !entry.without.empty())) {
        return bad_entry(entry, "a phrase that may pass has no \"with\" and no \"without\"");
    }
    TRY(add_main(entry, number, sources));
    for (std::size_t i = 0; i < entry.with.size(); ++i) {
        TRY(add_phrase(entry, number, {entry.with[i], Phrase::Role::kWith, i}, sources));
    }
    for (std::size_t i = 0; i < entry.without.size(); ++i) {
        TRY(add_phrase(entry, number, {entry.without[i], Phrase::Role::kWithout, i}, sources));
    }
    return {};
}

// Every field that a verdict may depend on, each with its length.
std::string version_of(std::span<const Entry> entries) {
    std::string all;
    const auto put = [&](std::string_view text) { all += fmt::format("{}:{}", text.size(), text); };
    for (const Entry& entry : entries) {
        put(entry.id);
        put(entry.category);
        put(entry.phrase);
        put(entry.reply);
        for (const auto* list : {&entry.with, &entry.without}) {
            put(fmt::format("{}", list->size()));
            std::ranges::for_each(*list, put);
        }
        put(fmt::format("{} {} {} {} {}", static_cast<int>(entry.folding),
                        static_cast<int>(entry.action), entry.within, entry.inside_words,
                        entry.split));
        put(fmt::format("{} {}", kind_name(entry.kind), entry.languages));
        put(stage_name(entry.scope.stage));
        for (const auto* list : {&entry.scope.tenants, &entry.scope.services}) {
            put(fmt::format("{}", list->size()));
            std::ranges::for_each(*list, put);
        }
    }
    return to_hex(sha256(as_bytes(all))).substr(0, 12);
}

Result<void> compile_expressions(std::span<const Entry> entries, Sources& sources,
                                 std::vector<Expressions>& all) {
    for (std::size_t level = 0; level < kFoldings; ++level) {
        auto& of_level = sources.expressions[level];
        if (of_level.texts.empty()) {
            continue;
        }
        std::size_t wrong = 0;
        auto set = ExpressionSet::compile(static_cast<Folding>(level), of_level.texts, wrong);
        if (!set.ok()) {
            Error error = bad_entry(entries[of_level.phrases[wrong].entry], set.error().what);
            error.code = set.error().code;
            return error;
        }
        all.push_back({.set = std::move(*set), .phrases = std::move(of_level.phrases)});
    }
    return {};
}

Result<Links> compile_links(Sources& sources) {
    auto set = std::make_shared<const LinkSet>(std::move(sources.link_forms),
                                               std::move(sources.link_numbers));
    if (set->too_many_symbols()) {
        return Error{ErrorCode::kLimit,
                     fmt::format("the links hold more than {} different characters",
                                 std::numeric_limits<Symbol>::max())};
    }
    const bool has_allowances = std::ranges::any_of(
        sources.links, [](const Phrase& phrase) { return phrase.role == Phrase::Role::kAllow; });
    return Links{.set = std::move(set),
                 .phrases = std::move(sources.links),
                 .has_allowances = has_allowances};
}

}  // namespace

std::string_view kind_name(EntryKind kind) noexcept {
    constexpr std::array<std::string_view, 5> kNames{"phrase", "expression", "link", "pattern",
                                                     "near"};
    return kNames[static_cast<std::size_t>(kind)];
}

Result<Matcher> Matcher::compile(std::vector<Entry> entries) {
    if (entries.size() > kEntriesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a library has at most {} entries that are in "
                                                    "force at once",
                                                    kEntriesMax)};
    }
    Sources sources;
    for (std::uint32_t i = 0; i < entries.size(); ++i) {
        TRY(add_entry(entries[i], i, sources));
    }
    Matcher matcher;
    for (std::size_t level = 0; level < kFoldings; ++level) {
        if (sources.phrases[level].empty()) {
            continue;
        }
        matcher.sets_.emplace_back(static_cast<Folding>(level), sources.phrases[level]);
        if (matcher.sets_.back().too_many_symbols()) {
            return Error{
                ErrorCode::kLimit,
                fmt::format("the phrases of the level \"{}\" hold more than {} different "
                            "characters",
                            folding_name(static_cast<Folding>(level)), PhraseSet::kPassedOver - 1)};
        }
    }
    TRY(compile_expressions(entries, sources, matcher.expressions_));
    if (!sources.links.empty()) {
        matcher.links_ = TRY(compile_links(sources));
    }
    sources.near_texts.complete();
    matcher.near_texts_ = std::move(sources.near_texts);
    matcher.parts_ = std::move(sources.parts);
    matcher.has_languages_ =
        std::ranges::any_of(entries, [](const Entry& entry) { return entry.languages != 0; });
    matcher.version_ = version_of(entries);
    matcher.entries_ = std::move(entries);
    return matcher;
}

}  // namespace colophon::review
