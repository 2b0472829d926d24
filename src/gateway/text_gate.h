// SPDX-License-Identifier: Apache-2.0
#pragma once

// One text of an answer on its way out: reviewed piece by piece, with its explicit label at the
// start and at the end [GB45438-5.1]. What it returns may go out; the rest is held.

#include "gateway/answer_texts.h"
#include "label/record.h"
#include "review/review.h"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::gateway {

// The words of the explicit label of texts; empty where a text bears none.
struct TextLabel {
    std::string words;
};

class TextGate {
public:
    // `place`: where others look at the text first; it outlives this.
    TextGate(std::shared_ptr<const review::Reviewer> reviewer, TextLabel label,
             AnswerText* place = nullptr)
        : stream_(std::move(reviewer)), label_(std::move(label)), place_(place) {}

    std::string push(std::string_view piece);
    // The text came to its end: what was held is judged, and goes out with the end.
    void settle();
    // What was held, and the label at the end. Nothing more comes after it, blocked or not.
    std::string finish();
    // The same for a text that is cut off: nothing that was held, but for what stood before the
    // match of a text that settle() blocked.
    std::string finish_without_rest();

    bool blocked() const noexcept { return stream_.blocked(); }
    const review::Verdict& verdict() const noexcept { return stream_.verdict(); }
    // All that went out, with the labels.
    const std::string& text() const noexcept { return text_; }

private:
    // `more`: the text may go on behind the piece.
    std::string let_out(std::string piece, bool more);
    std::string end_label();

    review::TextStream stream_;
    TextLabel label_;
    AnswerText* place_;
    bool replaced_ = false;
    std::string text_;
    std::string start_;  // may be the beginning of a label of the upstream's
    std::string rest_;   // what settle() let go
    bool settled_ = false;
};

// Of several texts of one answer: the strictest verdict, and the entries of all of them. Costs
// nothing while nothing matched.
void add_verdict(const review::Verdict& seen, review::Verdict& kept);

}  // namespace colophon::gateway
