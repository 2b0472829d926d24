// SPDX-License-Identifier: Apache-2.0
#include "review/word_list.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/result.h"
#include "core/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

char fold(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    return text;
}

}  // namespace

Result<WordList> WordList::parse(std::string_view text) {
    std::vector<Word> words;
    std::size_t number = 0;
    while (!text.empty()) {
        ++number;
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.starts_with('#')) {
            continue;
        }
        const std::size_t tab = line.find('\t');
        const std::string_view category =
            tab == std::string_view::npos ? "word" : trimmed(line.substr(0, tab));
        const std::string_view word =
            tab == std::string_view::npos ? line : trimmed(line.substr(tab + 1));
        if (word.empty() || word.size() > kWordBytesMax || category.empty() ||
            category.size() > kWordBytesMax || find_invalid_utf8(line)) {
            return Error{
                ErrorCode::kInvalidArgument,
                fmt::format("line {} of the word list is no word of 1 to {} bytes of UTF-8", number,
                            kWordBytesMax)};
        }
        if (words.size() == kWordsMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("a word list has at most {} words", kWordsMax)};
        }
        words.push_back({std::string(word), std::string(category)});
    }
    return WordList(std::move(words));
}

WordList::WordList(std::vector<Word> words) : words_(std::move(words)) {
    // The tree of all words, then the failure links in the order of depth.
    std::vector<std::map<char, State>> children(1);
    nodes_.resize(1);
    std::string all;
    for (std::size_t i = 0; i < words_.size(); ++i) {
        all += words_[i].category + '\t' + words_[i].text + '\n';
        State at = 0;
        for (const char c : words_[i].text) {
            const auto [child, is_new] =
                children[at].try_emplace(fold(c), static_cast<State>(nodes_.size()));
            const State to = child->second;
            if (is_new) {
                nodes_.push_back({.depth = nodes_[at].depth + 1});
                children.emplace_back();
            }
            at = to;
        }
        nodes_[at].word = static_cast<std::int32_t>(i);
    }
    version_ = to_hex(sha256(as_bytes(all))).substr(0, 12);
    for (State at = 0; at < nodes_.size(); ++at) {
        nodes_[at].first_edge = static_cast<std::uint32_t>(edges_.size());
        nodes_[at].edges = static_cast<std::uint32_t>(children[at].size());
        for (const auto& [byte, to] : children[at]) {
            edges_.push_back({byte, to});
        }
    }
    for (const auto& [byte, to] : children[0]) {
        root_[static_cast<unsigned char>(byte)] = to;
    }
    std::vector<State> order;
    for (const auto& [byte, to] : children[0]) {
        order.push_back(to);
    }
    for (std::size_t i = 0; i < order.size(); ++i) {
        const State at = order[i];
        for (const auto& [byte, to] : children[at]) {
            nodes_[to].fail = step(nodes_[at].fail, byte);
            if (nodes_[to].word == kNone) {
                nodes_[to].word = nodes_[nodes_[to].fail].word;
            }
            order.push_back(to);
        }
    }
}

std::optional<WordList::State> WordList::edge(State state, char byte) const noexcept {
    const Node& node = nodes_[state];
    const auto first = edges_.begin() + node.first_edge;
    const auto last = first + node.edges;
    const auto found = std::lower_bound(
        first, last, byte, [](const Edge& each, char wanted) { return each.byte < wanted; });
    return found != last && found->byte == byte ? std::optional(found->to) : std::nullopt;
}

WordList::State WordList::step(State state, char byte) const noexcept {
    const char wanted = fold(byte);
    while (state != 0) {
        if (const auto to = edge(state, wanted)) {
            return *to;
        }
        state = nodes_[state].fail;
    }
    return root_[static_cast<unsigned char>(wanted)];
}

std::optional<std::size_t> WordList::found(State state) const noexcept {
    const std::int32_t word = nodes_[state].word;
    return word == kNone ? std::nullopt : std::optional(static_cast<std::size_t>(word));
}

}  // namespace colophon::review
