// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a text that goes in or comes out is judged to be [DSP-10]. A reviewer does not change; new
// rules are a new reviewer, and calls that are going on end with theirs.

#include "core/result.h"
#include "review/word_list.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::review {

enum class Decision : std::uint8_t { kAllow, kFlag, kHold, kBlock };
std::string_view decision_name(Decision decision) noexcept;  // "allow", ...

struct Verdict {
    Decision decision = Decision::kAllow;
    std::string category;  // empty when allowed
    std::string rule;      // which entry of which version; never the word itself
    bool blocked() const noexcept {
        return decision == Decision::kBlock || decision == Decision::kHold;
    }
};

class Reviewer;

// One text that comes in pieces. What push() and finish() return may go out; the rest is held until
// it is known to be harmless. Once blocked, nothing more is let go.
class TextStream {
public:
    explicit TextStream(std::shared_ptr<const Reviewer> reviewer)
        : reviewer_(std::move(reviewer)) {}

    std::string push(std::string_view piece);
    std::string finish();
    bool blocked() const noexcept { return verdict_.blocked(); }
    const Verdict& verdict() const noexcept { return verdict_; }
    std::size_t held_bytes() const noexcept { return held_.size(); }

private:
    std::shared_ptr<const Reviewer> reviewer_;  // shared: rules change while streams go on
    WordList::State state_ = 0;
    std::string held_;
    Verdict verdict_;
};

class Reviewer {
public:
    explicit Reviewer(WordList words) : words_(std::move(words)) {}

    Verdict review(std::string_view text) const;
    // Of all rules: goes into the service record.
    std::string version() const { return "words-" + words_.version(); }
    const WordList& words() const noexcept { return words_; }

private:
    WordList words_;
};

}  // namespace colophon::review
