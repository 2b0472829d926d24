// SPDX-License-Identifier: Apache-2.0
#include "tidy/messages.h"
#include "tidy/tokens.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::tidy {
namespace {

using Tokens = std::span<const Token>;

// Where one expression ends and another begins.
constexpr std::array<std::string_view, 14> kCuts{
    ",", ";", "?", ":", "=", "==", "!=", "&&", "||", "+=", "<<", "return", "throw", "case"};

// Calls whose literals are no messages to translate: they bear both languages, or are for us.
constexpr std::array<std::string_view, 3> kSilent{"tr", "static_assert", "COLOPHON_ASSERT"};

// Calls that put the words of their last argument into a message; one word will do there.
constexpr std::array<std::string_view, 11> kTold{
    "take", "skip", "u8", "be16", "be24", "be32", "be64", "le16", "le32", "le64", "corrupt_at"};

bool is(const Token& token, TokenKind kind, std::string_view text) {
    return token.kind == kind && token.text == text;
}

bool is_group(const Token& token, std::string_view bracket) {
    return is(token, TokenKind::kGroup, bracket);
}

bool is_cut(const Token& token) {
    return token.kind != TokenKind::kString && token.kind != TokenKind::kGroup &&
           std::ranges::find(kCuts, token.text) != kCuts.end();
}

template <class Cut>
std::vector<Tokens> split_tokens(Tokens tokens, Cut cut) {
    std::vector<Tokens> parts;
    std::size_t start = 0;
    for (std::size_t i = 0; i <= tokens.size(); ++i) {
        if (i == tokens.size() || cut(tokens[i])) {
            parts.push_back(tokens.subspan(start, i - start));
            start = i + 1;
        }
    }
    return parts;
}

std::vector<Tokens> arguments_of(const Token& group) {
    return split_tokens(group.parts,
                        [](const Token& token) { return is(token, TokenKind::kSign, ","); });
}

bool all_strings(Tokens tokens) {
    return !tokens.empty() && std::ranges::all_of(tokens, [](const Token& token) {
        return token.kind == TokenKind::kString;
    });
}

std::string joined(Tokens strings) {
    std::string out;
    for (const Token& token : strings) {
        out += token.text;
    }
    return out;
}

// A pattern in the making.
struct Draft {
    std::string pattern;
    std::string words;  // the literal parts alone
    std::vector<std::string> places;
    std::size_t line = 0;

    void literal(std::string_view text, std::size_t at) {
        line = line == 0 ? at : line;
        words += text;
        for (const char c : text) {
            pattern += c;
            if (c == '{' || c == '}') {
                pattern += c;
            }
        }
    }
    void place(std::string what) {
        pattern += "{}";
        places.push_back(std::move(what));
    }
    // The text of fmt::format, whose places may carry a form such as {:.1f}.
    void format(std::string_view text, const std::vector<std::string>& arguments, std::size_t at) {
        line = line == 0 ? at : line;
        std::size_t next = 0;
        for (std::size_t i = 0; i < text.size(); ++i) {
            const bool twice = i + 1 < text.size() && text[i + 1] == text[i];
            if ((text[i] == '{' || text[i] == '}') && twice) {
                literal(text.substr(i, 1), at);
                ++i;
            } else if (text[i] == '{') {
                place(next < arguments.size() ? arguments[next] : "");
                ++next;
                i = std::min(text.find('}', i), text.size());
            } else {
                literal(text.substr(i, 1), at);
            }
        }
    }
};

// "..." or "..." "..."; std::string("..."); a chain of them in brackets.
std::optional<Tokens> plain_text(Tokens operand) {
    if (all_strings(operand)) {
        return operand;
    }
    if (operand.size() >= 2 && is_group(operand.back(), "(") && all_strings(operand.back().parts)) {
        const Token& name = operand[operand.size() - 2];
        if (name.text == "string" || name.text == "string_view") {
            return Tokens(operand.back().parts);
        }
    }
    return std::nullopt;
}

bool add_format(Tokens operand, Draft& draft) {
    if (operand.size() < 2 || !is_group(operand.back(), "(") ||
        operand[operand.size() - 2].text != "format") {
        return false;
    }
    const std::vector<Tokens> arguments = arguments_of(operand.back());
    if (!all_strings(arguments.front())) {
        return false;
    }
    std::vector<std::string> places;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        places.push_back(source_of(arguments[i]));
    }
    draft.format(joined(arguments.front()), places, arguments.front().front().line);
    return true;
}

// An expression without cuts: operands with + between them.
Draft read_chain(Tokens chain) {
    Draft draft;
    for (const Tokens operand :
         split_tokens(chain, [](const Token& token) { return is(token, TokenKind::kSign, "+"); })) {
        if (const auto text = plain_text(operand)) {
            draft.literal(joined(*text), text->front().line);
        } else if (!add_format(operand, draft)) {
            draft.place(source_of(operand));
        }
    }
    return draft;
}

// Statements for a database, which is no person.
bool is_sql(std::string_view words) {
    constexpr std::array<std::string_view, 18> kStarts{
        "SELECT ", "INSERT ", "UPDATE ", "DELETE ",    "CREATE ",  "DROP ",
        "ALTER ",  "PRAGMA ", "BEGIN ",  "WITH ",      "LISTEN ",  "NOTIFY ",
        "SET ",    "COPY ",   "LOCK ",   "SAVEPOINT ", "RELEASE ", "ROLLBACK "};
    return std::ranges::any_of(kStarts,
                               [&](std::string_view start) { return words.starts_with(start); });
}

// Two words with a blank between them, of three small letters together, on one line.
bool is_sentence(std::string_view words) {
    if (is_sql(words)) {
        return false;
    }
    const auto is_small = [](char c) { return c >= 'a' && c <= 'z'; };
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
    return std::ranges::count_if(words, is_small) >= 3 && words.find(' ') != words.npos &&
           std::ranges::none_of(words, is_control);
}

class Finder {
public:
    explicit Finder(std::string path) : path_(std::move(path)) {}

    void walk(Tokens tokens) {
        for (const Tokens chain : split_tokens(tokens, is_cut)) {
            take(read_chain(chain));
            for (std::size_t i = 0; i < chain.size(); ++i) {
                const bool silent =
                    i > 0 && std::ranges::find(kSilent, chain[i - 1].text) != kSilent.end();
                if (chain[i].kind == TokenKind::kGroup && !silent) {
                    walk(inner(chain, i));
                }
                if (i > 0 && is_group(chain[i], "(") &&
                    std::ranges::find(kTold, chain[i - 1].text) != kTold.end()) {
                    take_word(arguments_of(chain[i]));
                }
            }
        }
    }
    std::vector<Message> found;

private:
    // What is inside a group and was not read with the chain around it.
    static Tokens inner(Tokens chain, std::size_t at) {
        Tokens parts = chain[at].parts;
        Draft ignored;
        if (plain_text(chain.first(at + 1).last(std::min<std::size_t>(at + 1, 2)))) {
            return {};
        }
        if (at > 0 && add_format(chain.subspan(at - 1, 2), ignored)) {
            const auto first = std::ranges::find_if(
                parts, [](const Token& token) { return token.kind != TokenKind::kString; });
            return parts.subspan(static_cast<std::size_t>(first - parts.begin()));
        }
        return parts;
    }
    void take(Draft draft) {
        if (draft.line != 0 && is_sentence(draft.words)) {
            found.push_back({.pattern = std::move(draft.pattern),
                             .places = std::move(draft.places),
                             .path = path_,
                             .line = draft.line});
        }
    }

    void take_word(const std::vector<Tokens>& arguments) {
        for (const Tokens argument : arguments) {
            if (argument.size() == 1 && all_strings(argument) &&
                !is_sentence(argument.front().text)) {
                found.push_back({.pattern = argument.front().text,
                                 .places = {},
                                 .path = path_,
                                 .line = argument.front().line});
            }
        }
    }

    std::string path_;
};

}  // namespace

std::vector<Message> find_messages(const std::string& path, std::string_view text) {
    const std::vector<Token> tokens = read_tokens(text);
    Finder finder(path);
    finder.walk(tokens);
    return std::move(finder.found);
}

}  // namespace colophon::tidy
