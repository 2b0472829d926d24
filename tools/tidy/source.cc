// SPDX-License-Identifier: Apache-2.0
#include "tidy/tidy.h"

#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {
namespace {

enum class State { kCode, kLineComment, kBlockComment, kString, kChar, kRawString };

// A lexer that knows just enough C++ to tell code, comments and literals apart.
class Lexer {
public:
    explicit Lexer(std::string_view text) : text_(text) {}

    Source run() {
        while (at_ < text_.size()) {
            step();
        }
        Source source;
        source.raw = split(text_, '\n');
        source.code = split(code_, '\n');
        source.comments = split(comments_, '\n');
        return source;
    }

private:
    char peek(std::size_t ahead) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }

    void put(char code, char comment) {
        const bool newline = text_[at_] == '\n';
        code_ += newline ? '\n' : code;
        comments_ += newline ? '\n' : comment;
        ++at_;
    }

    void step() {
        switch (state_) {
            case State::kCode:
                return in_code();
            case State::kLineComment:
                if (text_[at_] == '\n') {
                    state_ = State::kCode;
                }
                return put(' ', text_[at_]);
            case State::kBlockComment:
                return in_block_comment();
            case State::kString:
                return in_literal('"');
            case State::kChar:
                return in_literal('\'');
            case State::kRawString:
                return in_raw_string();
        }
    }

    bool after_word() const {
        return at_ > 0 && (std::isalnum(static_cast<unsigned char>(text_[at_ - 1])) != 0 ||
                           peek_back() == '_');
    }
    char peek_back() const { return at_ > 0 ? text_[at_ - 1] : '\0'; }

    void in_code() {
        const char c = text_[at_];
        if (c == '/' && peek(1) == '/') {
            state_ = State::kLineComment;
            return put(' ', ' ');
        }
        if (c == '/' && peek(1) == '*') {
            state_ = State::kBlockComment;
            put(' ', ' ');
            return put(' ', ' ');
        }
        if (c == '"' && peek_back() == 'R') {
            return open_raw_string();
        }
        // An #include "path" stays readable: its quotes hold no literal.
        if (c == '"' && !on_include_line()) {
            state_ = State::kString;
        }
        // 1'000 is a number, not a character.
        if (c == '\'' && !after_word()) {
            state_ = State::kChar;
        }
        put(c, ' ');
    }

    bool on_include_line() const {
        const std::size_t start = text_.rfind('\n', at_) + 1;  // npos + 1 is the first line
        return text_.substr(start).starts_with("#include");
    }

    void in_block_comment() {
        if (text_[at_] == '*' && peek(1) == '/') {
            state_ = State::kCode;
            put(' ', ' ');
        }
        put(' ', text_[at_]);
    }

    void in_literal(char quote) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
            put(' ', ' ');
            return put(' ', ' ');
        }
        if (text_[at_] == quote || text_[at_] == '\n') {
            state_ = State::kCode;
        }
        put(text_[at_] == quote ? quote : ' ', ' ');
    }

    void open_raw_string() {
        const std::size_t open = text_.find('(', at_);
        raw_end_ = open == std::string_view::npos
                       ? std::string("\"")
                       : ")" + std::string(text_.substr(at_ + 1, open - at_ - 1)) + "\"";
        state_ = State::kRawString;
        put('"', ' ');
    }

    void in_raw_string() {
        if (text_.substr(at_).starts_with(raw_end_)) {
            for (std::size_t i = 0; i + 1 < raw_end_.size(); ++i) {
                put(' ', ' ');
            }
            state_ = State::kCode;
            return put('"', ' ');
        }
        put(' ', ' ');
    }

    std::string_view text_;
    std::size_t at_ = 0;
    State state_ = State::kCode;
    std::string raw_end_;
    std::string code_;
    std::string comments_;
};

}  // namespace

std::vector<std::string> split(std::string_view text, char by) {
    std::vector<std::string> parts;
    while (!text.empty()) {
        const std::size_t end = text.find(by);
        parts.emplace_back(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return parts;
}

Source read_source(std::string_view text) {
    return Lexer(text).run();
}

bool is_header(std::string_view path) {
    return path.ends_with(".h");
}

bool is_cxx(std::string_view path) {
    return path.ends_with(".cc") || is_header(path);
}

bool allowed(const Source& source, std::size_t index, std::string_view rule) {
    const std::string mark = "tidy: allow(" + std::string(rule) + ")";
    const auto says = [&](std::size_t line) {
        return line < source.comments.size() &&
               source.comments[line].find(mark) != std::string::npos;
    };
    return says(index) || (index > 0 && says(index - 1));
}

std::string to_text(const Findings& findings) {
    std::string text;
    for (const Finding& finding : findings) {
        text += finding.path + ":" + std::to_string(finding.line) + ": " + finding.rule + ": " +
                finding.what + "\n";
    }
    return text;
}

}  // namespace colophon::tidy
