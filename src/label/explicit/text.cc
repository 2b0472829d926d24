// SPDX-License-Identifier: Apache-2.0
#include "label/explicit/text.h"

#include "core/bytes.h"
#include "core/result.h"
#include "core/splice.h"
#include "core/utf8.h"
#include "label/explicit/internal/text_place.h"
#include "label/explicit/internal/text_view.h"
#include "label/explicit/reading.h"
#include "label/explicit/wording.h"
#include "label/finding.h"
#include "label/format.h"
#include "label/record.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label {
namespace internal {
namespace {

// How far the first letter with a direction is looked for.
constexpr std::size_t kDirectionBytesMax = 4096;

bool is_right_to_left(char32_t c) noexcept {
    return (c >= 0x590 && c <= 0x8FF) || (c >= 0xFB1D && c <= 0xFDFF) ||
           (c >= 0xFE70 && c <= 0xFEFC) || (c >= 0x10800 && c <= 0x10FFF) ||
           (c >= 0x1E800 && c <= 0x1EFFF);
}

bool is_mongolian(char32_t c) noexcept {
    return (c >= 0x1800 && c <= 0x18AF) || (c >= 0x11660 && c <= 0x1167F);
}

bool is_left_to_right(char32_t c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= 0xC0 && c < 0x590 && c != 0xD7 && c != 0xF7) || (c >= 0x900 && c < 0x1800) ||
           (c >= 0x1E00 && c < 0x2000) || (c >= 0x3040 && c < 0xD800);
}

// Whether the text runs from right to left or downwards in columns from the left: there the label,
// which is neither, is isolated, so that it does not turn the line around it (UAX 9).
bool needs_isolation(std::string_view text) {
    std::size_t at = 0;
    while (at < std::min(text.size(), kDirectionBytesMax)) {
        const auto c = next_code_point(text, at);
        if (!c || is_left_to_right(*c)) {
            return false;
        }
        if (is_right_to_left(*c) || is_mongolian(*c)) {
            return true;
        }
    }
    return false;
}

std::string isolated(std::string_view words, std::string_view text) {
    return needs_isolation(text) ? "\u2068" + std::string(words) + "\u2069" : std::string(words);
}

std::string_view line_break(std::string_view text) {
    const std::size_t at = text.find('\n');
    if (at == std::string_view::npos) {
        return "\n";
    }
    return at > 0 && text[at - 1] == '\r' ? "\r\n" : "\n";
}

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// What has to stand before a new paragraph at the end of the text.
std::string paragraph_break(std::string_view text, std::string_view newline) {
    if (!text.ends_with('\n')) {
        return std::string(newline) + std::string(newline);
    }
    text.remove_suffix(text.ends_with("\r\n") ? 2 : 1);
    return text.ends_with('\n') || text.empty() ? std::string() : std::string(newline);
}

// The words as Markdown shows them literally.
std::string escape_markdown(std::string_view words) {
    constexpr std::string_view kSigns = "\\`*_[]<>&~#|";
    std::string out;
    for (const char c : words) {
        if (kSigns.find(c) != std::string_view::npos) {
            out += '\\';
        }
        out += c;
    }
    return out;
}

// A code block or comment that nobody closed swallows what follows it: the line that closes it.
class OpenBlock {
public:
    void take(std::string_view line) {
        const std::size_t indent = line.find_first_not_of(' ');
        if (indent == std::string_view::npos || indent > 3) {
            return;
        }
        const std::string_view words = line.substr(indent);
        if (in_comment_) {
            in_comment_ = words.find("-->") == std::string_view::npos;
        } else if (!fence_.empty()) {
            close_fence(words);
        } else if (words.starts_with("<!--")) {
            in_comment_ = words.find("-->", 4) == std::string_view::npos;
        } else if (words.starts_with("```") || words.starts_with("~~~")) {
            open_fence(words, indent);
        }
    }

    std::string closing_line() const {
        return in_comment_ ? "-->" : std::string(fence_.empty() ? 0 : indent_, ' ') + fence_;
    }

private:
    void open_fence(std::string_view words, std::size_t indent) {
        const std::size_t size = std::min(words.find_first_not_of(words[0]), words.size());
        // Behind three backticks no further backtick may follow: that is code within a line.
        if (words[0] == '`' && words.find('`', size) != std::string_view::npos) {
            return;
        }
        fence_.assign(size, words[0]);
        indent_ = indent;
    }

    void close_fence(std::string_view words) {
        const std::size_t size = std::min(words.find_first_not_of(fence_[0]), words.size());
        if (size >= fence_.size() && is_blank(words.substr(size))) {
            fence_.clear();
        }
    }

    std::string fence_;
    std::size_t indent_ = 0;
    bool in_comment_ = false;
};

std::string close_open_block(std::string_view text) {
    OpenBlock block;
    text.remove_prefix(front_matter_end(text));
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        block.take(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return block.closing_line();
}

}  // namespace

TextInsert plain_start(std::string_view text, std::string_view words) {
    const std::string_view newline = line_break(text);
    std::string line = isolated(words, text) + std::string(newline);
    return {.at = 0, .text = is_blank(text) ? line : line + std::string(newline), .core = line};
}

TextInsert plain_end(std::string_view text, std::string_view words) {
    text = text.substr(0, visible_end(text));
    const std::string_view newline = line_break(text);
    std::string line = isolated(words, text) + std::string(newline);
    return {.at = text.size(), .text = paragraph_break(text, newline) + line, .core = line};
}

TextInsert plain_corner(std::string_view text, std::string_view words) {
    const std::string mark = isolated("[" + std::string(words) + "]", text);
    const std::string gap(is_blank(text) ? line_break(text) : " ");
    return {.at = 0, .text = mark + gap, .core = mark};
}

TextInsert markdown_start(std::string_view text, std::string_view line) {
    const std::string newline(line_break(text));
    const std::size_t at = front_matter_end(text);
    const std::string core = std::string(line) + newline;
    std::string lead;
    if (at > 0) {
        lead = text.substr(0, at).ends_with('\n') ? newline : newline + newline;
    }
    return {.at = at, .text = lead + core + newline, .core = lead + core};
}

TextInsert markdown_end(std::string_view text, std::string_view line) {
    const std::string newline(line_break(text));
    const std::string core = std::string(line) + newline;
    std::string closing = close_open_block(text);
    if (!closing.empty()) {
        closing = (text.ends_with('\n') ? "" : newline) + closing + newline + newline;
    } else {
        closing = paragraph_break(text, newline);
    }
    return {.at = text.size(), .text = closing + core, .core = core};
}

std::string markdown_quote(std::string_view text, std::string_view words) {
    return "> " + isolated(escape_markdown(words), text.substr(front_matter_end(text)));
}

std::string markdown_corner(std::string_view text, std::string_view words) {
    return isolated("[" + escape_markdown(words) + "]", text.substr(front_matter_end(text)));
}

Result<TextInsert> place_mark(std::string_view text, Format format, std::string_view words,
                              TextSpot spot) {
    if (format == Format::kHtml) {
        return html_insert(text, words, spot);
    }
    if (format == Format::kMarkdown) {
        if (spot == TextSpot::kCorner) {
            return markdown_start(text, markdown_corner(text, words));
        }
        const std::string line = markdown_quote(text, words);
        return spot == TextSpot::kStart ? markdown_start(text, line) : markdown_end(text, line);
    }
    if (spot == TextSpot::kCorner) {
        return plain_corner(text, words);
    }
    return spot == TextSpot::kStart ? plain_start(text, words) : plain_end(text, words);
}

namespace {

bool is_there(std::string_view text, const TextInsert& insert, TextSpot spot) {
    return spot == TextSpot::kEnd ? text.substr(0, insert.at).ends_with(insert.core)
                                  : text.substr(insert.at).starts_with(insert.core);
}

Result<void> check_mark(Format format, const TextMark& mark) {
    if (!is_written_text(format)) {
        return Error{ErrorCode::kInvalidArgument,
                     "words are put into plain text, Markdown and HTML only"};
    }
    const WordingForm form =
        mark.place == TextPlace::kCorner ? WordingForm::kCornerMark : WordingForm::kFull;
    return check_wording(mark.text, Profile::kEu, form);
}

// The places that are wanted and still lack their mark.
std::vector<TextSpot> missing_spots(const TextWindows& windows, const TextMark& mark) {
    std::vector<TextSpot> spots;
    if (mark.place == TextPlace::kCorner) {
        if (!has_corner_mark(windows.head) && !find_label(windows.head, mark.text)) {
            spots.push_back(TextSpot::kCorner);
        }
        return spots;
    }
    if (mark.place != TextPlace::kEnd && !find_label(windows.head, mark.text)) {
        spots.push_back(TextSpot::kStart);
    }
    if (mark.place != TextPlace::kStart && !find_label(windows.tail, mark.text)) {
        spots.push_back(TextSpot::kEnd);
    }
    // An empty text is its label, once.
    if (spots.size() == 2 && windows.head.empty()) {
        spots.pop_back();
    }
    return spots;
}

Splice splice_inserts(const DecodedText& decoded, const std::vector<TextInsert>& inserts) {
    Splice splice;
    std::uint64_t done = 0;
    for (const TextInsert& insert : inserts) {
        const std::uint64_t at = file_offset(decoded, insert.at);
        splice.copy(done, at - done);
        splice.insert(encode_text(decoded.encoding, insert.text));
        done = at;
    }
    splice.copy(done, decoded.file.size() - done);
    return splice;
}

}  // namespace
}  // namespace internal

// [GB45438-5.1] a) to c).
Result<MarkedFile> mark_text(Bytes file, Format format, const TextMark& mark) {
    TRY(internal::check_mark(format, mark));
    const internal::DecodedText decoded = TRY(internal::decode_text(file));
    const std::string_view text = decoded.text();
    std::vector<internal::TextInsert> inserts;
    for (const internal::TextSpot spot :
         internal::missing_spots(internal::view_text(text, format), mark)) {
        auto insert = TRY(internal::place_mark(text, format, mark.text, spot));
        if (!internal::is_there(text, insert, spot)) {
            inserts.push_back(std::move(insert));
        }
    }
    // At most two; on a page whose body ends before it begins they come in the wrong order.
    if (inserts.size() == 2 && inserts[1].at < inserts[0].at) {
        std::swap(inserts[0], inserts[1]);
    }
    MarkedFile marked;
    marked.changed = !inserts.empty();
    marked.splice = internal::splice_inserts(decoded, inserts);
    const Buffer result = apply_splice(file, marked.splice);
    marked.reading = TRY(find_text_mark(result, format));
    if (!marked.reading.found) {
        warn(marked.reading.findings, "explicit.not_visible",
             "the label is in the text, but something around it keeps it from being seen");
    }
    return marked;
}

Result<std::string> label_words(std::string_view text, Format format, const TextMark& mark) {
    TRY(internal::check_mark(format, mark));
    if (mark.place == TextPlace::kBoth) {
        return Error{ErrorCode::kInvalidArgument, "a label is asked for at one end of a text"};
    }
    const internal::TextEnd needed =
        mark.place == TextPlace::kEnd ? internal::TextEnd::kTail : internal::TextEnd::kHead;
    const auto spots = internal::missing_spots(internal::view_text(text, format, needed), mark);
    if (spots.empty()) {
        return std::string();
    }
    auto insert = TRY(internal::place_mark(text, format, mark.text, spots.front()));
    return internal::is_there(text, insert, spots.front()) ? std::string() : std::move(insert.text);
}

}  // namespace colophon::label
