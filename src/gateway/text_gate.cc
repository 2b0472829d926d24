// SPDX-License-Identifier: Apache-2.0
#include "gateway/text_gate.h"

#include "label/explicit/text.h"
#include "label/format.h"
#include "review/entry.h"
#include "review/review.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::gateway {
namespace {

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

}  // namespace

std::string TextGate::let_out(std::string piece) {
    if (piece.empty()) {
        return piece;
    }
    if (text_.empty() && !label_.words.empty()) {
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
    return let_out(stream_.push(piece));
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
    std::string out = let_out(std::exchange(rest_, {}));
    out += end_label();
    return out;
}

std::string TextGate::finish_without_rest() {
    std::string out = blocked() ? let_out(std::exchange(rest_, {})) : std::string();
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
