// SPDX-License-Identifier: Apache-2.0
#pragma once

// The messages of the sources and their rows in src/messages/zh.tsv.
//
// Any literal of several words in src/ counts as a message, and what is added to it with + or put
// into it by fmt::format becomes a place:
//
//     "the chunk at byte " + std::to_string(at) + " is cut"   ->  the chunk at byte {} is cut
//     fmt::format("a label of {} bytes", size)                ->  a label of {} bytes
//
// Words that are given to tr() in both languages need no row.

#include "tidy/tidy.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {

struct Message {
    std::string pattern;              // {} for each place; {{ and }} are braces
    std::vector<std::string> places;  // what is put there, as source text
    std::string path;
    std::size_t line = 0;
};

// In the order of the source.
std::vector<Message> find_messages(const std::string& path, std::string_view text);

}  // namespace colophon::tidy
