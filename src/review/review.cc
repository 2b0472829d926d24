// SPDX-License-Identifier: Apache-2.0
#include "review/review.h"

#include "review/word_list.h"

#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::review {
namespace {

Verdict blocked_by(const WordList& words, std::size_t index) {
    return {.decision = Decision::kBlock,
            .category = words.word(index).category,
            .rule = fmt::format("words-{}/{}", words.version(), index)};
}

}  // namespace

std::string_view decision_name(Decision decision) noexcept {
    constexpr std::array<std::string_view, 4> kNames{"allow", "flag", "hold", "block"};
    return kNames[static_cast<std::size_t>(decision)];
}

Verdict Reviewer::review(std::string_view text) const {
    WordList::State state = 0;
    for (const char c : text) {
        state = words_.step(state, c);
        if (const auto word = words_.found(state)) {
            return blocked_by(words_, *word);
        }
    }
    return {};
}

std::string TextStream::push(std::string_view piece) {
    if (blocked()) {
        return {};
    }
    const WordList& words = reviewer_->words();
    for (const char c : piece) {
        state_ = words.step(state_, c);
        if (const auto word = words.found(state_)) {
            verdict_ = blocked_by(words, *word);
            held_.clear();
            return {};
        }
    }
    held_ += piece;
    std::string free = held_.substr(0, held_.size() - words.held(state_));
    held_.erase(0, free.size());
    return free;
}

std::string TextStream::finish() {
    return blocked() ? std::string() : std::exchange(held_, {});
}

}  // namespace colophon::review
