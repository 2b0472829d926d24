// SPDX-License-Identifier: Apache-2.0
#include "tidy/tokens.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {
namespace {

// Signs of two characters that matter where expressions are cut; all others are read one by one.
constexpr std::array<std::string_view, 12> kPairs{
    "::", "->", "==", "!=", "<=", ">=", "&&", "||", "+=", "++", "--", "<<"};

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

class Reader {
public:
    explicit Reader(std::string_view text) : text_(text) {}

    // Up to the bracket that closes the group around, or the end.
    std::vector<Token> group() {
        std::vector<Token> tokens;
        while (skip_blanks(), at_ < text_.size()) {
            const char c = text_[at_];
            if (c == ')' || c == ']' || c == '}') {
                return tokens;
            }
            tokens.push_back(c == '(' || c == '[' || c == '{' ? brackets() : token());
        }
        return tokens;
    }
    bool done() const { return at_ >= text_.size(); }
    void skip() { ++at_; }

private:
    char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    std::size_t line() {
        line_ += static_cast<std::size_t>(
            std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                       text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n'));
        counted_ = at_;
        return line_;
    }
    bool first_on_line() const {
        const std::size_t before = text_.substr(0, at_).find_last_not_of(" \t");
        return before == std::string_view::npos || text_[before] == '\n';
    }
    void to_end_of_line() {
        while (at_ < text_.size() && text_[at_] != '\n') {
            at_ += text_[at_] == '\\' ? 2U : 1U;  // a line that goes on below
        }
    }
    void skip_blanks() {
        while (at_ < text_.size()) {
            if (text_.substr(at_).starts_with("//")) {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (text_.substr(at_).starts_with("/*")) {
                const std::size_t end = text_.find("*/", at_ + 2);
                at_ = end == std::string_view::npos ? text_.size() : end + 2;
            } else if (text_[at_] == '#' && first_on_line()) {
                to_end_of_line();
            } else if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
                ++at_;
            } else {
                return;
            }
        }
    }

    Token brackets() {
        Token out{.kind = TokenKind::kGroup, .text = {text_[at_]}, .line = line(), .parts = {}};
        ++at_;
        out.parts = group();
        ++at_;
        return out;
    }

    Token token() {
        Token out{.kind = TokenKind::kSign, .text = {}, .line = line(), .parts = {}};
        const char c = text_[at_];
        if (c == '"') {
            out.kind = TokenKind::kString;
            out.text = literal();
        } else if (c == '\'') {
            character();
            out.kind = TokenKind::kWord;
            out.text = "'.'";
        } else if (is_word(c)) {
            out.kind = TokenKind::kWord;
            out.text = word();
            if (out.text == "R" && peek() == '"') {
                out.kind = TokenKind::kString;
                out.text = raw_literal();
            }
        } else {
            const bool pair = std::ranges::find(kPairs, text_.substr(at_, 2)) != kPairs.end();
            out.text = text_.substr(at_, pair ? 2 : 1);
            at_ += out.text.size();
        }
        return out;
    }

    std::string word() {
        const std::size_t start = at_;
        // 1'000 and 1.5 are numbers.
        const bool number = std::isdigit(static_cast<unsigned char>(text_[at_])) != 0;
        while (is_word(peek()) || (number && (peek() == '\'' || peek() == '.'))) {
            ++at_;
        }
        return std::string(text_.substr(start, at_ - start));
    }

    void character() {
        for (++at_; at_ < text_.size() && text_[at_] != '\''; ++at_) {
            at_ += text_[at_] == '\\' ? 1U : 0U;
        }
        ++at_;
    }

    std::string literal() {
        std::string value;
        for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
            value += text_[at_] == '\\' ? escape() : text_[at_];
        }
        ++at_;
        while (is_word(peek())) {
            ++at_;  // the suffix, as in "..."sv
        }
        return value;
    }

    // Codes such as \x89 stand in data only; their value does not matter here.
    char escape() {
        ++at_;
        switch (peek()) {
            case 'n':
                return '\n';
            case 't':
                return '\t';
            case '"':
            case '\\':
            case '\'':
                return peek();
            default:
                return '\x01';
        }
    }

    std::string raw_literal() {
        const std::size_t open = text_.find('(', at_);
        if (open == std::string_view::npos) {
            at_ = text_.size();
            return {};
        }
        const std::string end = ")" + std::string(text_.substr(at_ + 1, open - at_ - 1)) + "\"";
        const std::size_t close = std::min(text_.find(end, open), text_.size());
        std::string value(text_.substr(open + 1, close - open - 1));
        at_ = std::min(close + end.size(), text_.size());
        while (is_word(peek())) {
            ++at_;
        }
        return value;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_ = 1;
    std::size_t counted_ = 0;
};

}  // namespace

std::vector<Token> read_tokens(std::string_view source) {
    Reader reader(source);
    std::vector<Token> tokens;
    while (!reader.done()) {
        std::vector<Token> more = reader.group();
        std::move(more.begin(), more.end(), std::back_inserter(tokens));
        reader.skip();
    }
    return tokens;
}

std::string source_of(std::span<const Token> tokens) {
    std::string out;
    for (const Token& token : tokens) {
        if (token.kind == TokenKind::kString) {
            out += '"' + token.text + '"';
        } else if (token.kind == TokenKind::kGroup) {
            const char close = token.text == "(" ? ')' : token.text == "[" ? ']' : '}';
            out += token.text + source_of(token.parts) + close;
        } else {
            out += token.text;
        }
    }
    return out;
}

}  // namespace colophon::tidy
