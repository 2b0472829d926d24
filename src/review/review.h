// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a text that goes in or comes out is judged to be [DSP-10]. A reviewer does not change; new
// rules are a new reviewer, and calls that are going on end with theirs.

#include "review/entry.h"
#include "review/matcher.h"
#include "review/text_scan.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::review {

struct Verdict {
    Decision decision = Decision::kAllow;
    std::string category;              // empty when allowed
    std::string rule;                  // which entry of which version; never the word itself
    std::string reply;                 // what the entry says instead, if anything
    std::vector<std::string> entries;  // all that matched so far, by their ids
    bool blocked() const noexcept {
        return decision == Decision::kBlock || decision == Decision::kHold;
    }
};

class Reviewer {
public:
    explicit Reviewer(Matcher matcher)
        : matcher_(std::make_shared<const Matcher>(std::move(matcher))) {}

    // The strictest of all entries that match.
    Verdict review(std::string_view text) const;
    // Of all rules: goes into the service record.
    std::string version() const { return "library-" + matcher_->version(); }
    const std::shared_ptr<const Matcher>& matcher() const noexcept { return matcher_; }

    // Adds what a match means to what is known.
    void add(const Match& match, Verdict& verdict) const;

private:
    std::shared_ptr<const Matcher> matcher_;
};

// One text that comes in pieces. What push() and finish() return may go out; the rest is held until
// it is known to be harmless. Once an entry blocks or holds, what came before its match is let go
// and nothing more: the same however the text was cut.
class TextStream {
public:
    explicit TextStream(std::shared_ptr<const Reviewer> reviewer)
        : reviewer_(std::move(reviewer)), scan_(reviewer_->matcher()) {}

    std::string push(std::string_view piece);
    std::string finish();
    bool blocked() const noexcept { return verdict_.blocked(); }
    const Verdict& verdict() const noexcept { return verdict_; }
    std::size_t held_bytes() const noexcept { return held_.size(); }

private:
    std::string release();
    std::string release_to(std::size_t end);

    std::shared_ptr<const Reviewer> reviewer_;  // shared: rules change while streams go on
    TextScan scan_;
    std::string held_;
    std::size_t released_ = 0;
    Verdict verdict_;
};

}  // namespace colophon::review
