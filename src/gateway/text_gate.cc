// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_gate.h"

#include "label/explicit/text.h"
#include "label/explicit/wording.h"
#include "label/format.h"
#include "review/entry.h"
#include "review/review.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

// Of a text that may be the beginning of a label, in bytes: so much waits at most.
constexpr std::size_t kHeldStartMax = 128;

// What the label engine puts at one end of a text. Its own rules decide the form: how words are
// escaped in Markdown, whether a code block must be closed first, whether a label is there already.
// Where it refuses the text, the words stand there plainly: no text leaves without them.
std::string label_at(label::TextPlace place, std::string_view text, const std::string& words) {
    auto label =
        label::label_words(text, label::Format::kMarkdown, {.text = words, .place = place});
    if (!label.ok()) {
        return place == label::TextPlace::kStart ? words + "\n\n" : "\n\n" + words + "\n";
    }
    return std::move(label).value();
}

// What may stand before the words of a label: quotation marks of Markdown, brackets.
std::string_view behind_opening(std::string_view text) {
    constexpr std::array<std::string_view, 14> kOpening{" ", "\n", ">",  "#",  "*",  "_",  "(",
                                                        "[", "（", "［", "【", "〔", "「", "\r"};
    for (bool again = true; again;) {
        again = false;
        for (const std::string_view each : kOpening) {
            if (text.starts_with(each)) {
                text.remove_prefix(each.size());
                again = true;
            }
        }
    }
    return text;
}

// Of texts, and the short ones of pictures.
std::vector<std::string> usual_wordings() {
    std::vector<std::string> all = label::known_wordings(label::Kind::kText);
    std::ranges::move(label::known_wordings(label::Kind::kImage), std::back_inserter(all));
    return all;
}

// Whether the text has begun what may become a label of the upstream's own, which must not be
// doubled: a start of the usual words, or of ours.
bool may_become_label(std::string_view text, std::string_view words) {
    static const std::vector<std::string> kKnown = usual_wordings();
    if (text.size() > kHeldStartMax) {
        return false;
    }
    const std::string_view begun = behind_opening(text);
    const auto begins = [begun](std::string_view wording) {
        return begun.size() < wording.size() && wording.starts_with(begun);
    };
    return begins(words) || std::ranges::any_of(kKnown, begins);
}

}  // namespace

std::string TextGate::let_out(std::string piece, bool more) {
    if (text_.empty() && !label_.words.empty()) {
        start_ += piece;
        if (start_.empty() || (more && may_become_label(start_, label_.words))) {
            return {};
        }
        piece = std::exchange(start_, {});
        piece = label_at(label::TextPlace::kStart, piece, label_.words) + piece;
    }
    text_ += piece;
    return piece;
}

std::string TextGate::push(std::string_view piece) {
    if (place_ != nullptr && place_->collecting) {
        place_->said += piece;
        return {};
    }
    if (place_ != nullptr && place_->instead) {
        piece = std::exchange(replaced_, true) ? std::string_view() : *place_->instead;
    }
    return let_out(stream_.push(piece), true);
}

std::string TextGate::end_label() {
    if (text_.empty() || label_.words.empty()) {
        return {};
    }
    std::string end = label_at(label::TextPlace::kEnd, text_, label_.words);
    text_ += end;
    return end;
}

void TextGate::settle() {
    if (!settled_) {
        settled_ = true;
        rest_ = stream_.finish();
    }
}

std::string TextGate::finish() {
    settle();
    std::string out = let_out(std::exchange(rest_, {}), false);
    out += end_label();
    return out;
}

std::string TextGate::finish_without_rest() {
    std::string out = let_out(blocked() ? std::exchange(rest_, {}) : std::string(), false);
    out += end_label();
    return out;
}

void add_verdict(const review::Verdict& seen, review::Verdict& kept) {
    if (seen.entries.empty() && seen.decision == review::Decision::kAllow) {
        return;
    }
    std::vector<std::string> entries = kept.entries;
    for (const std::string& each : seen.entries) {
        if (entries.size() < review::kVerdictEntriesMax &&
            std::ranges::find(entries, each) == entries.end()) {
            entries.push_back(each);
        }
    }
    if (seen.decision > kept.decision) {
        kept = seen;
    }
    kept.entries = std::move(entries);
}

}  // namespace colophon::gateway
