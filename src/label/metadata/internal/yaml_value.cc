// SPDX-License-Identifier: Apache-2.0
#include "label/metadata/internal/yaml_value.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/utf8.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace colophon::label::internal {
namespace {

constexpr std::string_view kEndOfLine = "\r\n";
// Characters with which no plain scalar or key begins.
constexpr std::string_view kIndicators = "-?:,[]{}#&*!|>'\"%@`";

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t';
}
bool is_break(char c) noexcept {
    return c == '\r' || c == '\n';
}

std::string_view trim_end(std::string_view text) noexcept {
    while (!text.empty() && (is_blank(text.back()) || is_break(text.back()))) {
        text.remove_suffix(1);
    }
    return text;
}

std::string_view trim(std::string_view text) noexcept {
    while (!text.empty() && (is_blank(text.front()) || is_break(text.front()))) {
        text.remove_prefix(1);
    }
    return trim_end(text);
}

// Joins the lines of a plain or quoted scalar: one break is a space, n + 1 breaks are n.
std::string fold(std::string_view raw) {
    std::string out;
    for (std::size_t at = 0; at < raw.size();) {
        if (!is_break(raw[at])) {
            out += raw[at++];
            continue;
        }
        while (!out.empty() && is_blank(out.back())) {
            out.pop_back();
        }
        std::size_t breaks = 0;
        for (; at < raw.size() && (is_blank(raw[at]) || is_break(raw[at])); ++at) {
            breaks += raw[at] == '\n' ? 1U : 0U;
        }
        out += breaks > 1 ? std::string(breaks - 1, '\n') : std::string(" ");
    }
    return out;
}

// Decimal integers stay numbers, so that a reader can say that a number stands where a string
// should.
json::Value plain_scalar(std::string_view text) {
    constexpr std::size_t kDigitsMax = 18;
    const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
    const bool number = !digits.empty() && digits.size() <= kDigitsMax &&
                        (digits.front() != '0' || digits.size() == 1) &&
                        std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
    if (number) {
        std::int64_t value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        return {value};
    }
    if (text == "true" || text == "false") {
        return {text == "true"};
    }
    return {text == "~" || text == "null" ? std::string{} : std::string(text)};
}

using Escape = std::pair<char, char32_t>;  // the letter behind the backslash, what it means
constexpr std::array kEscapes{
    Escape{'0', U'\0'},     Escape{'a', U'\a'},     Escape{'b', U'\b'},     Escape{'t', U'\t'},
    Escape{'n', U'\n'},     Escape{'v', U'\v'},     Escape{'f', U'\f'},     Escape{'r', U'\r'},
    Escape{'e', U'\x1B'},   Escape{' ', U' '},      Escape{'"', U'"'},      Escape{'/', U'/'},
    Escape{'\\', U'\\'},    Escape{'N', U'\u0085'}, Escape{'_', U'\u00A0'}, Escape{'L', U'\u2028'},
    Escape{'P', U'\u2029'}, Escape{'\t', U'\t'}};

std::size_t hex_digits_of(char letter) noexcept {
    return letter == 'x' ? 2U : letter == 'u' ? 4U : letter == 'U' ? 8U : 0U;
}

class YamlReader {
public:
    explicit YamlReader(std::string_view text) : text_(text) {}

    Result<json::Value> value(std::size_t indent);
    Result<void> nothing_left();

private:
    Result<json::Value> nested(std::size_t indent);
    Result<json::Value> block_mapping(std::size_t indent);
    Result<json::Value> block_scalar(std::size_t indent);
    Result<json::Value> plain_lines(std::size_t indent);
    Result<json::Value> flow();
    Result<json::Value> flow_mapping();
    Result<json::Value> flow_member_value();
    Result<json::Value> flow_sequence();
    Result<json::Value> flow_plain();
    Result<std::string> quoted();
    Result<std::string> double_quoted();
    Result<void> escape(std::string& out);
    Result<void> line_must_end();
    void skip_blanks() noexcept;
    void skip_flow_space() noexcept;
    void skip_line() noexcept;
    void skip_empty_lines() noexcept;
    std::size_t line_indent() const noexcept;
    std::string_view line() const noexcept {
        const std::size_t end = std::min(text_.find_first_of(kEndOfLine, at_), text_.size());
        return text_.substr(at_, end - at_);
    }
    char peek() const noexcept { return at_ < text_.size() ? text_[at_] : '\0'; }
    Error error(std::string_view what) const {
        return corrupt_at("YAML: " + std::string(what), at_);
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t depth_ = 0;
};

void YamlReader::skip_blanks() noexcept {
    while (is_blank(peek())) {
        ++at_;
    }
}

void YamlReader::skip_line() noexcept {
    at_ = std::min(text_.find('\n', at_), text_.size());
    at_ += at_ < text_.size() ? 1U : 0U;
}

// From the start of a line to the start of the next line that says something.
void YamlReader::skip_empty_lines() noexcept {
    while (at_ < text_.size()) {
        const std::string_view content = trim(line());
        if (!content.empty() && !content.starts_with('#')) {
            return;
        }
        skip_line();
    }
}

std::size_t YamlReader::line_indent() const noexcept {
    const std::size_t first = text_.find_first_not_of(' ', at_);
    return (first == std::string_view::npos ? text_.size() : first) - at_;
}

// Behind a value only a comment may stand.
Result<void> YamlReader::line_must_end() {
    const std::string_view rest = trim(line());
    if (!rest.empty() && !rest.starts_with('#')) {
        return error("text behind a value");
    }
    skip_line();
    return {};
}

Result<void> YamlReader::nothing_left() {
    skip_empty_lines();
    return at_ < text_.size() ? Result<void>(error("a line that does not belong to the value"))
                              : Result<void>();
}

// `indent`: the column of the key; what belongs to its value stands further right.
Result<json::Value> YamlReader::value(std::size_t indent) {
    skip_blanks();
    const char c = peek();
    if (c == '\0' || is_break(c) || c == '#') {
        skip_line();
        return nested(indent);
    }
    if (c == '{' || c == '[') {
        json::Value result = TRY(flow());
        TRY(line_must_end());
        return result;
    }
    if (c == '\'' || c == '"') {
        std::string result = TRY(quoted());
        TRY(line_must_end());
        return json::Value(std::move(result));
    }
    if (c == '|' || c == '>') {
        return block_scalar(indent);
    }
    if (kIndicators.find(c) != std::string_view::npos && c != '-' && c != '?' && c != ':') {
        return error("a form of value that is not read");
    }
    return plain_lines(indent);
}

Result<json::Value> YamlReader::nested(std::size_t indent) {
    skip_empty_lines();
    const std::size_t inner = line_indent();
    if (at_ >= text_.size() || inner <= indent) {
        return json::Value(std::string{});
    }
    if (read_yaml_key(line().substr(inner))) {
        return block_mapping(inner);
    }
    const char c = text_[at_ + inner];
    if (c == '-' || c == '?') {
        return error("a list where a mapping should stand");
    }
    at_ += inner;
    if (c == '{' || c == '[' || c == '\'' || c == '"') {
        return value(indent);
    }
    return plain_lines(indent);
}

Result<json::Value> YamlReader::block_mapping(std::size_t indent) {
    if (++depth_ > limits::kContainerDepthMax) {
        return Error{ErrorCode::kLimit, "YAML: mappings nested deeper than " +
                                            std::to_string(limits::kContainerDepthMax)};
    }
    json::Object object;
    for (skip_empty_lines(); at_ < text_.size() && line_indent() == indent; skip_empty_lines()) {
        at_ += indent;
        auto key = read_yaml_key(line());
        if (!key) {
            return error("a line without a key");
        }
        at_ += key->size;
        json::Value member = TRY(value(indent));
        object.emplace_back(std::move(key->name), std::move(member));
    }
    if (at_ < text_.size() && line_indent() > indent) {
        return error("a line that stands too far right");
    }
    --depth_;
    return json::Value(std::move(object));
}

// | keeps line breaks, > folds them; the number and the sign behind them only matter for white
// space around the text, which no label has.
Result<json::Value> YamlReader::block_scalar(std::size_t indent) {
    const bool literal = peek() == '|';
    skip_line();
    std::string raw;
    std::size_t inner = 0;
    while (at_ < text_.size()) {
        const bool empty = trim(line()).empty();
        if (!empty && line_indent() <= indent) {
            break;
        }
        inner = inner == 0 && !empty ? line_indent() : inner;
        raw += line().substr(std::min(inner, line().size()));
        raw += '\n';
        skip_line();
    }
    const std::string_view content = trim_end(raw);
    return json::Value(literal ? std::string(content) : fold(content));
}

Result<json::Value> YamlReader::plain_lines(std::size_t indent) {
    std::string raw;
    while (true) {
        std::string_view content = line();
        std::size_t comment = content.find(" #");
        comment = std::min(comment, content.find("\t#"));
        content = content.substr(0, comment);
        if (content.find(": ") != std::string_view::npos || trim_end(content).ends_with(':')) {
            return error("a key inside a value");
        }
        raw += content;
        skip_line();
        const bool more = at_ < text_.size() && comment == std::string_view::npos &&
                          (trim(line()).empty() || line_indent() > indent);
        if (!more) {
            break;
        }
        raw += '\n';
    }
    return plain_scalar(fold(trim(raw)));
}

Result<std::string> YamlReader::quoted() {
    if (peek() == '"') {
        return double_quoted();
    }
    std::string raw;
    std::size_t from = at_ + 1;
    while (true) {
        const std::size_t close = text_.find('\'', from);
        if (close == std::string_view::npos) {
            return error("a quote without end");
        }
        raw += text_.substr(from, close - from);
        from = close + 1;
        if (from >= text_.size() || text_[from] != '\'') {
            break;
        }
        raw += '\'';
        ++from;
    }
    at_ = from;
    return fold(raw);
}

Result<std::string> YamlReader::double_quoted() {
    std::string out;
    ++at_;
    while (true) {
        const std::size_t end = text_.find_first_of("\\\"\n\r", at_);
        if (end == std::string_view::npos) {
            return error("a quote without end");
        }
        out += text_.substr(at_, end - at_);
        at_ = end;
        if (peek() == '"') {
            ++at_;
            return out;
        }
        if (peek() != '\\') {
            const std::size_t next = text_.find_first_not_of(" \t\r\n", at_);
            const std::size_t stop = std::min(next, text_.size());
            out += fold("x" + std::string(text_.substr(at_, stop - at_))).substr(1);
            at_ = stop;
            continue;
        }
        TRY(escape(out));
    }
}

Result<void> YamlReader::escape(std::string& out) {
    ++at_;
    const char letter = peek();
    if (is_break(letter)) {  // a break that is no space
        at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size());
        return {};
    }
    const auto* simple = std::ranges::find(kEscapes, letter, &Escape::first);
    if (simple != kEscapes.end() && at_ < text_.size()) {
        append_utf8(out, simple->second);
        ++at_;
        return {};
    }
    const std::size_t size = hex_digits_of(letter);
    std::uint32_t code = 0;
    if (size == 0 || text_.size() - at_ <= size) {
        return error("an unknown escape");
    }
    const char* first = text_.data() + at_ + 1;
    const auto [stop, failure] = std::from_chars(first, first + size, code, 16);
    if (failure != std::errc() || stop != first + size) {
        return error("an unknown escape");
    }
    at_ += size + 1;
    // JSON writes characters above U+FFFF as two escapes.
    const bool high = size == 4 && code >= 0xD800 && code < 0xDC00;
    if (high && text_.substr(at_).starts_with("\\u") && text_.size() - at_ >= 6) {
        std::uint32_t low = 0;
        const char* second = text_.data() + at_ + 2;
        const auto [end, bad] = std::from_chars(second, second + 4, low, 16);
        if (bad == std::errc() && end == second + 4 && low >= 0xDC00 && low < 0xE000) {
            code = 0x10000 + ((code - 0xD800) << 10U) + (low - 0xDC00);
            at_ += 6;
        }
    }
    append_utf8(out, code);
    return {};
}

void YamlReader::skip_flow_space() noexcept {
    while (at_ < text_.size()) {
        if (is_blank(peek()) || is_break(peek())) {
            ++at_;
        } else if (peek() == '#' && at_ > 0 &&
                   (is_blank(text_[at_ - 1]) || is_break(text_[at_ - 1]))) {
            skip_line();
        } else {
            return;
        }
    }
}

Result<json::Value> YamlReader::flow() {
    skip_flow_space();
    const char c = peek();
    if (c == '\'' || c == '"') {
        return json::Value(TRY(quoted()));
    }
    if (c != '{' && c != '[') {
        return flow_plain();
    }
    if (++depth_ > limits::kContainerDepthMax) {
        return Error{ErrorCode::kLimit, "YAML: collections nested deeper than " +
                                            std::to_string(limits::kContainerDepthMax)};
    }
    json::Value result = c == '{' ? TRY(flow_mapping()) : TRY(flow_sequence());
    --depth_;
    return result;
}

Result<json::Value> YamlReader::flow_mapping() {
    json::Object object;
    ++at_;
    while (true) {
        skip_flow_space();
        if (peek() == '}') {
            ++at_;
            return json::Value(std::move(object));
        }
        const json::Value key = TRY(flow());
        skip_flow_space();
        json::Value member = TRY(flow_member_value());
        const std::string* name = key.if_string();
        object.emplace_back(name != nullptr ? *name : json::write(key), std::move(member));
        if (peek() != ',' && peek() != '}') {
            return error("neither , nor } in a mapping");
        }
        at_ += peek() == ',' ? 1U : 0U;
    }
}

// A key may stand alone; its value is then the empty text.
Result<json::Value> YamlReader::flow_member_value() {
    if (peek() != ':') {
        return json::Value(std::string{});
    }
    ++at_;
    json::Value value = TRY(flow());
    skip_flow_space();
    return value;
}

Result<json::Value> YamlReader::flow_sequence() {
    json::Array array;
    ++at_;
    while (true) {
        skip_flow_space();
        if (peek() == ']') {
            ++at_;
            return json::Value(std::move(array));
        }
        array.push_back(TRY(flow()));
        skip_flow_space();
        if (peek() != ',' && peek() != ']') {
            return error("neither , nor ] in a list");
        }
        at_ += peek() == ',' ? 1U : 0U;
    }
}

Result<json::Value> YamlReader::flow_plain() {
    const std::size_t begin = at_;
    while (at_ < text_.size()) {
        const char c = text_[at_];
        const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        const bool key_ends = c == ':' && (next == '\0' || is_blank(next) || is_break(next) ||
                                           next == ',' || next == '}' || next == ']');
        const bool comment = is_blank(c) && next == '#';
        if (c == ',' || c == '}' || c == ']' || c == '{' || c == '[' || key_ends || comment) {
            break;
        }
        ++at_;
    }
    return plain_scalar(fold(trim(text_.substr(begin, at_ - begin))));
}

// The end of the key's text, at its colon.
std::optional<YamlKey> plain_key(std::string_view line) {
    if (line.empty() || is_blank(line.front()) ||
        kIndicators.find(line.front()) != std::string_view::npos) {
        return std::nullopt;
    }
    for (std::size_t at = line.find(':'); at != std::string_view::npos;
         at = line.find(':', at + 1)) {
        if (at + 1 == line.size() || is_blank(line[at + 1])) {
            const std::string_view name = trim_end(line.substr(0, at));
            const bool comment = name.find(" #") != std::string_view::npos;
            return comment ? std::nullopt
                           : std::optional(YamlKey{.name = std::string(name), .size = at + 1});
        }
    }
    return std::nullopt;
}

}  // namespace

std::optional<YamlKey> read_yaml_key(std::string_view line) {
    line = trim_end(line);
    if (!line.starts_with('\'') && !line.starts_with('"')) {
        return plain_key(line);
    }
    // A quoted key has no escapes worth reading: it ends at the next quote.
    const std::size_t close = line.find(line.front(), 1);
    if (close == std::string_view::npos) {
        return std::nullopt;
    }
    std::size_t colon = close + 1;
    while (colon < line.size() && is_blank(line[colon])) {
        ++colon;
    }
    if (colon >= line.size() || line[colon] != ':' ||
        (colon + 1 < line.size() && !is_blank(line[colon + 1]))) {
        return std::nullopt;
    }
    return YamlKey{.name = std::string(line.substr(1, close - 1)), .size = colon + 1};
}

Result<json::Value> read_yaml_value(std::string_view text, std::size_t indent) {
    YamlReader reader(text);
    json::Value value = TRY(reader.value(indent));
    TRY(reader.nothing_left());
    return value;
}

std::string quote_yaml(std::string_view text) {
    const bool plain = std::ranges::all_of(text, [](char c) {
        return static_cast<unsigned char>(c) >= 0x20 && static_cast<unsigned char>(c) != 0x7F;
    });
    if (!plain) {
        return json::quote(text);
    }
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string("''") : std::string(1, c);
    }
    return out + "'";
}

}  // namespace colophon::label::internal
