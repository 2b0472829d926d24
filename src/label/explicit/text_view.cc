// SPDX-License-Identifier: Apache-2.0
// What a reader sees at the two ends of a text. The middle is only skimmed: lines and tokens are
// told apart, but their characters are looked at only where a window may still need them, so that a
// text of 64 MB costs little more than reading it once.

#include "label/explicit/internal/text_view.h"

#include "core/utf8.h"
#include "label/format.h"
#include "label/internal/html_scan.h"
#include "label/internal/text_edit.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::internal {
namespace {

// Of one line or token no more than this is looked at from either end.
constexpr std::size_t kPartBytesMax = 4096;
// Of this many last lines the tail is made.
constexpr std::size_t kTailLinesMax = 128;

// Characters that take no place: they are neither counted nor do they part a word.
bool is_invisible(char32_t c) noexcept {
    return c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
           (c >= 0xFE00 && c <= 0xFE0F) || c == 0xFEFF || (c >= 0xE0100 && c <= 0xE01EF) ||
           (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f');
}

bool is_space(char32_t c) noexcept {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == 0xA0 ||
           c == 0x3000 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029;
}

// The character at `at`, which moves behind it; an invalid byte stands for U+FFFD.
char32_t take_character(std::string_view part, std::size_t& at) noexcept {
    const auto byte = static_cast<unsigned char>(part[at]);
    if (byte < 0x80) {
        ++at;
        return byte;
    }
    const auto c = next_code_point(part, at);
    at += c ? 0U : 1U;
    return c.value_or(0xFFFD);
}

bool is_printable(char c) noexcept {
    return c >= 0x20 && c < 0x7F;
}

// Nearly all characters, told without a look at the lists above: neither space nor invisible.
bool is_plainly_visible(char32_t c) noexcept {
    return (c > 0x20 && c < 0x7F) || (c > 0x3000 && c < 0xFE00);
}

// Collects the two windows from parts of text that come in order.
class WindowBuilder {
public:
    explicit WindowBuilder(TextEnd needed = TextEnd::kBoth) : needed_(needed) {}

    // Nothing that comes can be in the head any more.
    bool head_full() const noexcept {
        return needed_ == TextEnd::kTail || head_count_ >= kTextWindowChars;
    }

    void add(std::string_view part) {
        if (needed_ != TextEnd::kTail) {
            add_head(part);
        }
        if (needed_ != TextEnd::kHead) {
            add_tail(part);
        }
    }
    void end_block() {
        break_line(windows_.head);
        break_line(windows_.tail);
    }
    TextWindows take() {
        trim_tail();
        return std::move(windows_);
    }

private:
    static void break_line(std::u32string& window) {
        if (!window.empty() && window.back() == ' ') {
            window.back() = '\n';
        } else if (!window.empty() && window.back() != '\n') {
            window += U'\n';
        }
    }

    // Returns whether a visible character was added.
    static bool put(std::u32string& window, char32_t c) {
        if (is_plainly_visible(c)) {
            window += c;
            return true;
        }
        if (is_invisible(c)) {
            return false;
        }
        if (is_space(c)) {
            if (!window.empty() && window.back() != ' ' && window.back() != '\n') {
                window += U' ';
            }
            return false;
        }
        window += c;
        return true;
    }

    // Puts some of the ASCII letters and spaces at `at`, which moves behind them, and at most
    // `most` visible ones; says how many these were. Most texts are made of little else.
    static std::size_t put_ascii(std::u32string& window, std::string_view part, std::size_t& at,
                                 std::size_t most) {
        if (at == part.size() || !is_printable(part[at])) {
            return 0;
        }
        std::array<char32_t, kTextWindowChars> run{};
        std::size_t size = 0;
        std::size_t count = 0;
        char32_t last = window.empty() ? U' ' : window.back();
        for (; at < part.size() && is_printable(part[at]) && size < run.size() && count < most;
             ++at) {
            const auto c = static_cast<char32_t>(part[at]);
            if (c != ' ') {
                ++count;
            } else if (last == ' ' || last == '\n') {
                continue;
            }
            run[size++] = c;
            last = c;
        }
        window.append(run.data(), size);
        return count;
    }

    void add_head(std::string_view part) {
        windows_.head.reserve(2 * kTextWindowChars);
        std::size_t at = 0;
        while (!head_full() && at < part.size()) {
            const std::size_t left = kTextWindowChars - head_count_;
            const std::size_t count = put_ascii(windows_.head, part, at, left);
            head_count_ += count;
            if (count < left && at < part.size() && !is_printable(part[at])) {
                head_count_ += put(windows_.head, take_character(part, at)) ? 1U : 0U;
            }
        }
    }

    void add_tail(std::string_view part) {
        if (part.size() > kPartBytesMax) {
            part.remove_prefix(part.size() - kPartBytesMax);
            while (!part.empty() && (static_cast<unsigned char>(part.front()) & 0xC0U) == 0x80U) {
                part.remove_prefix(1);
            }
        }
        windows_.tail.reserve(windows_.tail.size() + part.size());
        std::size_t at = 0;
        while (at < part.size()) {
            put_ascii(windows_.tail, part, at, part.size());
            if (at < part.size() && !is_printable(part[at])) {
                put(windows_.tail, take_character(part, at));
            }
        }
        if (windows_.tail.size() > 2 * kPartBytesMax) {
            trim_tail();
        }
    }

    void trim_tail() {
        std::size_t count = 0;
        std::size_t start = windows_.tail.size();
        while (start > 0 && count < kTextWindowChars) {
            count += is_space(windows_.tail[--start]) ? 0U : 1U;
        }
        windows_.tail.erase(0, start);
    }

    TextEnd needed_;
    TextWindows windows_;
    std::size_t head_count_ = 0;
};

std::string_view next_line(std::string_view& rest) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    return line;
}

std::string_view trim(std::string_view line) noexcept {
    while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {
        line.remove_prefix(1);
    }
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t' || line.back() == '\r')) {
        line.remove_suffix(1);
    }
    return line;
}

// The start of a line and, when it is long, its end, which are put together in `held`: what the
// windows may need of it.
std::string_view both_ends(std::string_view line, std::string& held) {
    if (line.size() <= 2 * kPartBytesMax) {
        return line;
    }
    held = line.substr(0, kPartBytesMax);
    held += line.substr(line.size() - kPartBytesMax);
    return held;
}

bool is_rule(std::string_view line) noexcept {
    constexpr std::string_view kRules = "-=*_";
    return line.size() >= 2 && kRules.find(line[0]) != std::string_view::npos &&
           std::ranges::all_of(line, [&](char c) { return c == line[0] || c == ' '; });
}

// Quote marks, list bullets and heading signs before the words of a Markdown line.
std::string_view strip_block_marks(std::string_view line) noexcept {
    while (!line.empty()) {
        if (line[0] == '>' || line[0] == '#' || line[0] == ' ') {
            line.remove_prefix(1);
        } else if ((line[0] == '-' || line[0] == '*' || line[0] == '+') && line.size() > 1 &&
                   line[1] == ' ') {
            line.remove_prefix(2);
        } else {
            break;
        }
    }
    return line;
}

// The target of a link, "(...)" behind "]", up to its end on this line.
std::size_t skip_target(std::string_view line, std::size_t at) noexcept {
    const std::size_t end = line.find(')', at);
    return end == std::string_view::npos ? at : end;
}

// Where something else than the character itself may be shown.
bool is_inline_sign(char c) noexcept {
    return c == '\\' || c == '*' || c == '`' || c == '~' || c == '<' || c == ']';
}

// A Markdown line without its signs: emphasis, code, links' targets, tags, escapes.
std::string strip_inline(std::string_view line) {
    std::string out;
    out.reserve(line.size());
    for (std::size_t i = 0; i < line.size(); ++i) {
        const std::size_t plain = i;
        while (i < line.size() && !is_inline_sign(line[i])) {
            ++i;
        }
        out.append(line, plain, i - plain);
        if (i == line.size()) {
            break;
        }
        const char c = line[i];
        const char next = i + 1 < line.size() ? line[i + 1] : '\0';
        if (c == '\\' && next > 0x20 && next < 0x7F) {
            out += next;
            ++i;
        } else if (c == '*' || c == '`' || c == '~') {
            continue;
        } else if (c == '<' && (next == '/' || next == '!' || (next >= 'A' && next <= 'z'))) {
            const std::size_t end = line.find('>', i);
            i = end == std::string_view::npos ? line.size() : end;
        } else if (c == ']' && next == '(') {
            out += c;
            i = skip_target(line, i + 1);
        } else {
            out += c;
        }
    }
    return out;
}

// `[name]: address` defines a link and shows nothing.
bool is_definition(std::string_view line) noexcept {
    const std::size_t close = line.find("]:");
    return line.starts_with('[') && close != std::string_view::npos &&
           line.substr(0, close).find(' ') == std::string_view::npos;
}

bool is_fence(std::string_view line) noexcept {
    return line.starts_with("```") || line.starts_with("~~~");
}

std::string visible_markdown(std::string_view line) {
    const std::string_view words = strip_block_marks(trim(line));
    if (words.empty() || is_rule(words) || is_fence(words) || is_definition(words)) {
        return {};
    }
    std::string held;
    return strip_inline(both_ends(words, held));
}

void add_line(WindowBuilder& builder, std::string_view line, bool markdown) {
    if (markdown) {
        builder.add(visible_markdown(line));
    } else {
        std::string held;
        builder.add(both_ends(line, held));
    }
    builder.end_block();
}

TextWindows view_lines(std::string_view text, bool markdown, TextEnd needed) {
    if (markdown) {
        text.remove_prefix(front_matter_end(text));
    }
    WindowBuilder builder(needed);
    std::vector<std::string_view> last;  // a ring once it is full
    std::size_t oldest = 0;
    while (!text.empty()) {
        std::string_view line = next_line(text);
        if (trim(line).empty()) {
            continue;
        }
        if (needed == TextEnd::kHead) {
            add_line(builder, line, markdown);
            if (builder.head_full()) {
                break;
            }
            continue;
        }
        if (last.size() < kTailLinesMax) {
            last.push_back(line);
            continue;
        }
        std::swap(line, last[oldest]);
        oldest = (oldest + 1) % kTailLinesMax;
        if (!builder.head_full()) {
            add_line(builder, line, markdown);
        }
    }
    for (std::size_t i = 0; i < last.size(); ++i) {
        add_line(builder, last[(oldest + i) % last.size()], markdown);
    }
    return builder.take();
}

bool has_name(const HtmlToken& token, std::span<const std::string_view> names) {
    return std::ranges::find(names, token.name) != names.end();
}

constexpr std::array<std::string_view, 13> kInlineElements{
    "a", "b", "i", "em", "strong", "span", "sup", "sub", "u", "s", "small", "font", "bdi"};
constexpr std::array<std::string_view, 14> kVoidElements{
    "area",  "base", "br",   "col",   "embed", "hr",     "img",
    "input", "link", "meta", "param", "track", "source", "wbr"};

// Whether an element says of itself that it is not shown.
bool is_hidden(std::string_view text, const HtmlToken& token) {
    if (token.name == "head" || token.name == "template" ||
        find_attribute(text, token, "hidden") != nullptr) {
        return true;
    }
    const HtmlAttribute* style = find_attribute(text, token, "style");
    if (style == nullptr) {
        return false;
    }
    std::string plain;
    for (const char c : cut(text, style->value)) {
        if (!is_html_space(c)) {
            plain += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }
    return plain.find("display:none") != std::string::npos ||
           plain.find("visibility:hidden") != std::string::npos;
}

class HtmlView {
public:
    explicit HtmlView(std::string_view text) : text_(text), scanner_(text) {}

    TextWindows view() {
        while (scanner_.next()) {
            const HtmlToken& token = scanner_.token();
            if (token.kind == HtmlKind::kStart) {
                start(token);
            } else if (token.kind == HtmlKind::kEnd) {
                end(token);
            } else if (token.kind == HtmlKind::kText && hidden_name_.empty()) {
                std::string held;
                builder_.add(
                    decode_html(both_ends(cut(text_, token.range), held), HtmlContext::kText));
            }
        }
        return builder_.take();
    }

private:
    void start(const HtmlToken& token) {
        if (!has_name(token, kInlineElements)) {
            builder_.end_block();
        }
        if (token.name == "body") {
            // Its start closes a head that nobody closed.
            hidden_name_.clear();
        }
        if (hidden_name_.empty()) {
            if (is_hidden(text_, token) && !has_name(token, kVoidElements)) {
                hidden_name_ = token.name;
                hidden_depth_ = 1;
            }
        } else if (token.name == hidden_name_) {
            ++hidden_depth_;
        }
    }

    void end(const HtmlToken& token) {
        if (!has_name(token, kInlineElements)) {
            builder_.end_block();
        }
        if (!hidden_name_.empty() && token.name == hidden_name_ && --hidden_depth_ == 0) {
            hidden_name_.clear();
        }
    }

    std::string_view text_;
    HtmlScanner scanner_;
    WindowBuilder builder_;
    std::string hidden_name_;  // not empty: inside an element that is not shown
    std::size_t hidden_depth_ = 0;
};

}  // namespace

std::size_t front_matter_end(std::string_view text) {
    std::string_view rest = text;
    const std::string_view fence = trim(next_line(rest));
    if (fence != "---" && fence != "+++") {
        return 0;
    }
    while (!rest.empty()) {
        const std::string_view raw = next_line(rest);
        const std::string_view line = trim(raw);
        const bool flush = !raw.starts_with(' ') && !raw.starts_with('\t');
        if (flush && (line == fence || (fence == "---" && line == "..."))) {
            return text.size() - rest.size();
        }
    }
    return 0;
}

TextWindows view_text(std::string_view text, Format format, TextEnd needed) {
    if (format == Format::kHtml) {
        return HtmlView(text).view();
    }
    if (format == Format::kMarkdown) {
        return view_lines(text, true, needed);
    }
    return view_lines(text.substr(0, visible_end(text)), false, needed);
}

std::size_t visible_end(std::string_view text) noexcept {
    constexpr std::string_view kMark = "\uFEFF";
    std::string_view rest = text;
    const auto drop_selector = [&rest] {
        // U+FE00 .. U+FE0F and U+E0100 .. U+E01EF.
        const auto ends_like = [&rest](std::string_view start, std::size_t size) {
            return rest.size() >= size && rest.substr(rest.size() - size).starts_with(start);
        };
        const std::size_t size = ends_like("\xEF\xB8", 3) ? 3 : ends_like("\xF3\xA0", 4) ? 4 : 0;
        rest.remove_suffix(size);
        return size != 0;
    };
    while (drop_selector()) {
    }
    const bool wrapper = rest.size() < text.size() && rest.ends_with(kMark);
    return wrapper ? rest.size() - kMark.size() : text.size();
}

}  // namespace colophon::label::internal
