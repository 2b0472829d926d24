// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the matcher promises, written down as directly as possible and without regard to time.

#include "core/utf8.h"
#include "review/entry.h"
#include "review/fold.h"
#include "review/text_scan.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace colophon::review::test {

struct NaiveSymbol {
    char32_t symbol = 0;
    std::size_t begin = 0;
    std::vector<std::size_t> ends = {};            // of the character and of each repeat of it
    std::vector<std::size_t> end_characters = {};  // the same, counted in characters
    bool first = true;
    bool last = true;
    bool breaks = false;  // nothing reaches over the place before it
    int before = 0;       // the kind of the character before
    // Of the ends, those before the repeat with which a phrase begins: the first of the run stands
    // within a word, this one at the beginning of one.
    std::size_t left_behind = 0;
    std::size_t run_begin = 0;  // where the run does
    int run_before = 0;
    std::vector<int> afters = {};  // and of the one after each end that is no repeat
};

inline int word_kind(char32_t character) {
    const Folded plain = fold(character, Folding::kPlain);
    const char32_t first = plain.count == 0 ? 0 : plain.characters[0];
    return first >= 'a' && first <= 'z' ? 1 : first >= '0' && first <= '9' ? 2 : 0;
}

inline std::vector<NaiveSymbol> symbols_of(std::string_view text, Folding folding) {
    std::vector<NaiveSymbol> symbols;
    std::size_t at = 0;
    std::size_t characters = 0;
    std::size_t separators = 0;
    int word = 0;
    char32_t single = 0;
    bool breaks = false;
    const auto settle = [&](int kind) {
        if (!symbols.empty()) {
            std::ranges::replace(symbols.back().afters, -1, kind);
        }
    };
    while (at < text.size()) {
        const std::size_t begin = at;
        const char32_t character = *next_code_point(text, at);
        ++characters;
        const Folded to = fold(character, folding);
        if (to.count == 0 && class_of(character) == CharacterClass::kUnseen) {
            continue;
        }
        if (to.count == 0) {
            if (++separators > kSeparatorsMax) {
                breaks = true;
                single = 0;
            }
            settle(word_kind(character));
            word = word_kind(character);
            continue;
        }
        separators = 0;
        if (folding >= Folding::kLoose && to.count == 1 && to.characters[0] == single) {
            NaiveSymbol& run = symbols.back();
            const int kind = word_kind(character);
            if (kind != 0 && run.before == kind && word != kind && run.ends.size() <= 31) {
                run.before = word;
                run.begin = begin;
                run.left_behind = run.ends.size();
            }
            symbols.back().ends.push_back(at);
            symbols.back().end_characters.push_back(characters);
            symbols.back().afters.push_back(-1);
            word = word_kind(character);
            continue;
        }
        settle(word_kind(character));
        for (std::size_t i = 0; i < to.count; ++i) {
            symbols.push_back({.symbol = to.characters[i],
                               .begin = begin,
                               .ends = {at},
                               .end_characters = {characters},
                               .first = i == 0,
                               .last = i + 1 == to.count,
                               .breaks = i == 0 && breaks,
                               .before = word,
                               .run_begin = begin,
                               .run_before = word,
                               .afters = {-1}});
        }
        breaks = false;
        single = to.count == 1 ? to.characters[0] : 0;
        word = word_kind(character);
    }
    settle(0);
    return symbols;
}

struct NaiveHit {
    std::size_t begin;
    std::size_t end;
    std::size_t end_character;
};

inline std::vector<NaiveHit> hits_of(std::string_view phrase, const Entry& entry,
                                     std::string_view text) {
    std::vector<NaiveHit> hits;
    const auto wanted = symbols_of(phrase, entry.folding);
    const auto found = symbols_of(text, entry.folding);
    std::size_t at = 0;
    const int first_kind = word_kind(*next_code_point(phrase, at));
    int last_kind = 0;
    for (at = 0; at < phrase.size();) {
        last_kind = word_kind(*next_code_point(phrase, at));
    }
    // A phrase of one symbol ends with the run's beginning.
    const bool alone = wanted.size() == 1;
    for (std::size_t start = 0; start + wanted.size() <= found.size(); ++start) {
        bool same = found[start].first;
        for (std::size_t i = 0; same && i < wanted.size(); ++i) {
            const NaiveSymbol& each = found[start + i];
            const std::size_t left_behind = i == 0 && !alone ? each.left_behind : 0;
            same = each.symbol == wanted[i].symbol && (i == 0 || !each.breaks) &&
                   each.ends.size() - left_behind >= wanted[i].ends.size();
        }
        if (!same) {
            continue;
        }
        const NaiveSymbol& last = found[start + wanted.size() - 1];
        const std::size_t runs = wanted.back().ends.size();
        const std::size_t begin = alone ? found[start].run_begin : found[start].begin;
        const int before = alone ? found[start].run_before : found[start].before;
        if (!last.last || (alone && last.left_behind > 0 && runs > last.left_behind) ||
            (!entry.inside_words && first_kind != 0 && before == first_kind) ||
            (!entry.inside_words && last_kind != 0 && last.afters[runs - 1] == last_kind)) {
            continue;
        }
        hits.push_back({begin, last.ends[runs - 1], last.end_characters[runs - 1]});
    }
    return hits;
}

// All matches, by where they end.
inline std::vector<Match> naive_matches(const std::vector<Entry>& entries, std::string_view text) {
    std::vector<NaiveHit> allowances;
    for (const Entry& entry : entries) {
        if (entry.action == Decision::kAllow) {
            std::ranges::copy(hits_of(entry.phrase, entry, text), std::back_inserter(allowances));
        }
    }
    const auto allowed = [&](const NaiveHit& hit) {
        return std::ranges::any_of(allowances, [&](const NaiveHit& other) {
            return other.begin <= hit.begin && other.end >= hit.end;
        });
    };
    std::vector<Match> matches;
    for (std::uint32_t number = 0; number < entries.size(); ++number) {
        const Entry& entry = entries[number];
        if (entry.action == Decision::kAllow) {
            continue;
        }
        // Main phrase first, then its company, each with all its hits.
        std::vector<std::vector<NaiveHit>> company(1 + entry.with.size());
        for (std::size_t i = 0; i < company.size(); ++i) {
            company[i] = hits_of(i == 0 ? entry.phrase : entry.with[i - 1], entry, text);
            std::erase_if(company[i], allowed);
        }
        for (std::size_t i = 0; i < company.size(); ++i) {
            for (const NaiveHit& hit : company[i]) {
                const auto order = [&](const NaiveHit& each, std::size_t place) {
                    return std::tuple(each.end, each.begin, place);
                };
                bool complete = true;
                for (std::size_t j = 0; j < company.size(); ++j) {
                    complete = complete && std::ranges::any_of(company[j], [&](const auto& other) {
                                   return order(other, j) <= order(hit, i) &&
                                          hit.end_character - other.end_character <= entry.within;
                               });
                }
                for (const std::string& phrase : entry.without) {
                    for (const NaiveHit& other : hits_of(phrase, entry, text)) {
                        const auto apart = hit.end_character > other.end_character
                                               ? hit.end_character - other.end_character
                                               : other.end_character - hit.end_character;
                        complete = complete && apart > entry.within;
                    }
                }
                if (complete) {
                    matches.push_back({.entry = number, .begin = hit.begin, .end = hit.end});
                }
            }
        }
    }
    std::ranges::sort(matches, {}, [](const Match& match) {
        return std::tuple(match.end, match.begin, match.entry);
    });
    return matches;
}

}  // namespace colophon::review::test
