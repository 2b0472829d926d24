// SPDX-License-Identifier: Apache-2.0
#pragma once

// C++ as a tree of tokens: just enough to read the expressions in which messages are put together.

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {

enum class TokenKind { kWord, kString, kSign, kGroup };

// A token, or a group of tokens between brackets. Comments and preprocessor lines are left out.
struct Token {
    TokenKind kind = TokenKind::kSign;
    std::string text;          // kString: the value, escapes resolved; kGroup: the opening bracket
    std::size_t line = 0;      // from 1
    std::vector<Token> parts;  // kGroup: what stands between the brackets
};

// Brackets that do not match are closed at the end of the text.
std::vector<Token> read_tokens(std::string_view source);

// The tokens as one line of text, for messages about them.
std::string source_of(std::span<const Token> tokens);

}  // namespace colophon::tidy
