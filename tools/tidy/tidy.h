// SPDX-License-Identifier: Apache-2.0
#pragma once

// The project's own rules, checked: who may include whom, what is banned where, how long a file may
// be, which clause has code and tests, which link leads nowhere. What clang-format and clang-tidy
// check is left to them. Everything works on a Tree in memory, so that each rule has its own test.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {

// Path relative to the root ("src/core/bytes.h") -> content. Binary files have no content.
using Tree = std::map<std::string, std::string>;

struct Finding {
    std::string path;
    std::size_t line = 0;  // from 1; 0 when it concerns the whole file
    std::string rule;      // "layer", "ban", ... : the word that `tidy: allow(RULE)` takes
    std::string what;      // what is wrong and what to do instead
};

using Findings = std::vector<Finding>;

// "path:line: rule: what", one a line.
std::string to_text(const Findings& findings);

// The same text three times, line by line: as it is, without comments and the insides of literals,
// and the comments only. Parts that are left out are blanks, so that columns stay.
struct Source {
    std::vector<std::string> raw;
    std::vector<std::string> code;
    std::vector<std::string> comments;
};
Source read_source(std::string_view text);

bool is_cxx(std::string_view path);  // .cc or .h
bool is_header(std::string_view path);
std::vector<std::string> split(std::string_view text, char by);

// True when the line, or the one above it, says `tidy: allow(RULE)`; a reason should follow.
bool allowed(const Source& source, std::size_t index, std::string_view rule);

// tools/modules.tsv: module<TAB>modules it may include, separated by blanks; "-" none, "*" all.
void check_layers(const Tree& tree, Findings& findings);
void check_bans(const Tree& tree, Findings& findings);
void check_shape(const Tree& tree, Findings& findings);
// docs/clauses.tsv: tag<TAB>what the clause demands.
void check_clauses(const Tree& tree, Findings& findings);
void check_links(const Tree& tree, Findings& findings);
// tools/tidy/phrases.tsv: phrase<TAB>scope (code, docs, all)<TAB>what to do instead.
void check_phrases(const Tree& tree, Findings& findings);
// src/messages/zh.tsv: English<TAB>Chinese<TAB>origin, in the order of bytes; see tidy/messages.h.
void check_messages(const Tree& tree, Findings& findings);

// All of the above, sorted by path and line.
Findings check_all(const Tree& tree);

}  // namespace colophon::tidy
