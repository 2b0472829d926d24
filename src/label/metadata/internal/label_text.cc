// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/label_text.h"

#include "core/bytes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kBlank{" \t\r\n\0", 5};

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_letters(std::string_view text, std::string_view lower_case_word) noexcept {
    return std::ranges::equal(text, lower_case_word, {}, lower);
}

template <std::size_t N>
bool names_any(std::string_view text, const std::array<std::string_view, N>& words) noexcept {
    return std::ranges::any_of(words, [&](std::string_view word) {
        return !std::ranges::search(text, word, {}, lower).empty();
    });
}

// Fields that no other schema has.
constexpr std::array<std::string_view, 6> kTc260Fields{"contentproducer",   "produceid",
                                                       "contentpropagator", "propagateid",
                                                       "reservedcode1",     "reservedcode2"};
constexpr std::array<std::string_view, 2> kDisclosureFields{"serviceprovider", "aigc_label_type"};

// So many braces in each other are no label; the search starts anew and so stays small.
constexpr std::size_t kOpenObjectsMax = 64;

// One pass over the text that keeps the objects that are open. Quotes count only inside an object:
// prose has inches and unpaired quotation marks.
class Search {
public:
    explicit Search(std::string_view text) : text_(text) {}

    std::vector<TextLabel> run() {
        for (std::size_t at = 0; at < text_.size(); ++at) {
            const char c = text_[at];
            if (c == '{') {
                open(at);
            } else if (open_.empty()) {
                continue;
            } else if (c == '}') {
                close(at + 1);
            } else if (c == '"') {
                at = take_string(at);
            }
        }
        take_unclosed();
        return std::move(labels_);
    }

private:
    struct Object {
        std::size_t offset = 0;  // of the brace, or of the blob's AIGC
        std::size_t strings = 0;
        bool named_aigc = false;  // by the key before it, or as a blob
        bool tc260 = false;
        bool disclosure = false;
        bool label_key = false;
        std::string_view last_string;
    };

    void open(std::size_t at) {
        if (open_.size() >= kOpenObjectsMax) {
            open_.clear();
        }
        Object object;
        object.offset = at;
        if (open_.empty()) {
            object.offset = blob_start(at);
            object.named_aigc = object.offset != at;
        } else {
            object.named_aigc = same_letters(open_.back().last_string, "aigc");
        }
        open_.push_back(object);
    }

    // Widens to the left over AIGC and a colon or blanks, as in the blob AIGC{...}.
    std::size_t blob_start(std::size_t brace) const noexcept {
        std::size_t at = brace;
        while (at > 0 && std::string_view(":= ").find(text_[at - 1]) != std::string_view::npos) {
            --at;
        }
        const bool blob = text_.substr(0, at).ends_with("AIGC") && at - 4 >= end_of_last();
        return blob ? at - 4 : brace;
    }

    std::size_t end_of_last() const noexcept {
        return labels_.empty() ? 0 : labels_.back().offset + labels_.back().size;
    }

    // Returns the place of the closing quote, or of the last character.
    std::size_t take_string(std::size_t quote) {
        std::size_t end = quote + 1;
        while (end < text_.size() && text_[end] != '"') {
            end += text_[end] == '\\' ? 2U : 1U;
        }
        end = std::min(end, text_.size());
        Object& object = open_.back();
        object.last_string = text_.substr(quote + 1, end - quote - 1);
        ++object.strings;
        object.tc260 = object.tc260 || names_any(object.last_string, kTc260Fields);
        object.disclosure = object.disclosure || names_any(object.last_string, kDisclosureFields);
        object.label_key = object.label_key || same_letters(object.last_string, "label");
        return end;
    }

    void close(std::size_t end) {
        const Object object = open_.back();
        open_.pop_back();
        const bool wrapper = object.strings == 1 && same_letters(object.last_string, "aigc") &&
                             !labels_.empty() && labels_.back().offset > object.offset;
        if (wrapper) {
            add(object, labels_.back().kind, end);
        } else if (object.tc260 || (object.named_aigc && object.label_key && !object.disclosure)) {
            add(object, TextLabelKind::kTc260, end);
        } else if (object.disclosure) {
            add(object, TextLabelKind::kDisclosure, end);
        }
    }

    // What was found inside becomes a part of it.
    void add(const Object& object, TextLabelKind kind, std::size_t end) {
        while (!labels_.empty() && labels_.back().offset > object.offset) {
            labels_.pop_back();
        }
        labels_.push_back({kind, object.offset, end - object.offset, !open_.empty()});
    }

    void take_unclosed() {
        const auto first =
            std::ranges::find_if(open_, [](const Object& o) { return o.tc260 || o.disclosure; });
        if (first != open_.end()) {
            const Object object = *first;
            open_.erase(first, open_.end());
            add(object, object.tc260 ? TextLabelKind::kTc260 : TextLabelKind::kDisclosure,
                text_.find_last_not_of(kBlank) + 1);
        }
    }

    std::string_view text_;
    std::vector<Object> open_;
    std::vector<TextLabel> labels_;
};

}  // namespace

std::vector<TextLabel> find_text_labels(std::string_view text) {
    return Search(text).run();
}

std::vector<TextLabel> find_tc260_labels(std::string_view text) {
    std::vector<TextLabel> labels = find_text_labels(text);
    std::erase_if(labels,
                  [](const TextLabel& label) { return label.kind != TextLabelKind::kTc260; });
    return labels;
}

std::string without_tc260_labels(std::string_view text) {
    std::string left;
    std::size_t at = 0;
    for (const TextLabel& label : find_text_labels(text)) {
        if (label.kind == TextLabelKind::kTc260) {
            left += text.substr(at, label.offset - at);
            left += label.nested ? "{}" : "";
            at = label.offset + label.size;
        }
    }
    left += text.substr(at);
    return left.find_first_not_of(kBlank) == std::string::npos ? std::string() : left;
}

Buffer blank_label(const TextLabel& label) {
    Buffer blank(label.size, ' ');
    if (label.nested && blank.size() >= 2) {
        blank[0] = '{';
        blank[1] = '}';
    }
    return blank;
}

}  // namespace colophon::label::internal
