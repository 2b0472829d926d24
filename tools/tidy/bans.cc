// SPDX-License-Identifier: Apache-2.0
#include "tidy/tidy.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::tidy {
namespace {

// Where a ban holds: paths that begin with one of `in`, but for those that begin with one of `out`.
struct Place {
    std::vector<std::string_view> in;
    std::vector<std::string_view> out;
    bool headers_only = false;
};

struct IncludeBan {
    std::vector<std::string_view> starts;  // of what stands between < > or " "
    Place place;
    std::string_view instead;
};

enum class Shape {
    kWord,  // the words as they are, with word boundaries
    kCall,  // a word that is no member and no part of another name, followed by '('
};

struct WordBan {
    Shape shape;
    std::vector<std::string_view> words;
    Place place;
    std::string_view instead;
};

const std::vector<IncludeBan>& include_bans() {
    static const std::vector<IncludeBan> kBans{
        {{"regex"},
         {{"src/", "tests/", "tools/", "fuzz/", "bench/"}, {}},
         "std::regex recurses on hostile input; write the matcher or use Vectorscan"},
        {{"iostream", "nlohmann/", "boost/", "spdlog/", "openssl/", "libav", "libsw", "vips/",
          "gtest/", "doctest/"},
         {{"src/"}, {}, true},
         "heavy or leaking header; include it in one .cc behind the face"},
        {{"vips/", "libav", "libsw", "jpeglib.h", "ft2build.h", "freetype", "hb.h", "hb-"},
         {{"src/"}, {"src/media/"}},
         "media libraries stay inside src/media"},
        {{"fstream", "filesystem", "iostream", "unistd.h", "fcntl.h", "sys/", "sys/socket.h",
          "netinet/", "thread"},
         {{"src/label/"}, {}},
         "label is pure: bytes in, bytes or verdict out; take a parameter"},
    };
    return kBans;
}

const std::vector<WordBan>& word_bans() {
    static const std::vector<WordBan> kBans{
        {Shape::kWord,
         {"std::regex"},
         {{"src/", "tests/", "tools/", "fuzz/", "bench/"}, {}},
         "std::regex recurses on hostile input; write the matcher or use Vectorscan"},
        {Shape::kWord,
         {"std::cout", "std::cerr", "std::clog"},
         {{"src/"}, {"src/cli/"}},
         "libraries never print; return an Error or a value"},
        {Shape::kCall,
         {"printf", "fprintf", "vprintf", "puts", "putchar", "fputs"},
         {{"src/"}, {"src/cli/", "src/core/assert.cc"}},
         "libraries never print; return an Error or a value"},
        {Shape::kCall,
         {"exit", "_exit", "quick_exit"},
         {{"src/"}, {"src/cli/", "src/worker/"}},
         "libraries never exit; return an Error"},
        {Shape::kWord,
         {"using namespace"},
         {{"src/", "tests/", "tools/", "fuzz/", "bench/"}, {}},
         "write the names out, or use single using declarations or `namespace x = ...`"},
        {Shape::kWord,
         {"std::random_device"},
         {{"src/"}, {"src/core/random.cc"}},
         "take a Random& (core/random.h)"},
        {Shape::kCall,
         {"rand", "srand", "random", "getrandom"},
         {{"src/"}, {"src/core/random.cc"}},
         "take a Random& (core/random.h)"},
        {Shape::kWord,
         {"system_clock::now"},
         {{"src/"}, {"src/core/clock.cc"}},
         "take a Clock& (core/clock.h)"},
        {Shape::kCall,
         {"time", "gettimeofday", "localtime"},
         {{"src/"}, {"src/core/clock.cc"}},
         "take a Clock& (core/clock.h)"},
    };
    return kBans;
}

bool begins_with_any(std::string_view text, const std::vector<std::string_view>& starts) {
    return std::any_of(starts.begin(), starts.end(),
                       [&](std::string_view start) { return text.starts_with(start); });
}

bool holds(const Place& place, std::string_view path) {
    return begins_with_any(path, place.in) && !begins_with_any(path, place.out) &&
           (!place.headers_only || is_header(path));
}

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

std::size_t find_word(std::string_view line, std::string_view word, std::size_t from) {
    for (std::size_t at = line.find(word, from); at != std::string_view::npos;
         at = line.find(word, at + 1)) {
        const std::size_t end = at + word.size();
        const bool starts = at == 0 || !is_word(line[at - 1]);
        const bool ends = end == line.size() || !is_word(line[end]);
        if (starts && ends) {
            return at;
        }
    }
    return std::string_view::npos;
}

std::string_view trim_end(std::string_view text) {
    while (!text.empty() && text.back() == ' ') {
        text.remove_suffix(1);
    }
    return text;
}

// `time(`, `std::time(`, `::time(` are calls of the C function; `x.time(`, `frame::time(` are not,
// and neither is a declaration, where a type stands before the name (`Time time(`).
bool is_free_call(std::string_view line, std::size_t at, std::size_t size) {
    const std::size_t next = line.find_first_not_of(' ', at + size);
    if (next == std::string_view::npos || line[next] != '(') {
        return false;
    }
    std::string_view before = line.substr(0, at);
    if (before.ends_with("std::")) {
        return true;
    }
    if (before.ends_with("::")) {
        before.remove_suffix(2);
        return before.empty() || !is_word(before.back());
    }
    if (before.ends_with(".") || before.ends_with("->")) {
        return false;
    }
    before = trim_end(before);
    return before.empty() || before.ends_with("return") ||
           (!is_word(before.back()) && before.back() != '>' && before.back() != '&');
}

bool uses(std::string_view line, std::string_view word, Shape shape) {
    for (std::size_t at = find_word(line, word, 0); at != std::string_view::npos;
         at = find_word(line, word, at + 1)) {
        if (shape == Shape::kWord || is_free_call(line, at, word.size())) {
            return true;
        }
    }
    return false;
}

// Literal operators such as "..."sv have no names to write out, and their namespaces hold nothing
// else.
bool opens_literals(std::string_view line) {
    line = trim_end(line);
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    return line == "using namespace std::chrono_literals;" ||
           line == "using namespace std::string_literals;" ||
           line == "using namespace std::string_view_literals;";
}

// new and delete as expressions: `= delete` and `operator new` are something else.
std::string_view raw_memory(std::string_view line) {
    const std::size_t made = find_word(line, "new", 0);
    if (made != std::string_view::npos && !line.substr(0, made).ends_with("operator ") &&
        !line.starts_with("#")) {
        return "new";
    }
    const std::size_t freed = find_word(line, "delete", 0);
    if (freed != std::string_view::npos) {
        const std::string_view before = trim_end(line.substr(0, freed));
        if (!before.ends_with("=") && !before.ends_with("operator")) {
            return "delete";
        }
    }
    return {};
}

std::string_view included(std::string_view line) {
    constexpr std::string_view kStart = "#include ";
    if (!line.starts_with(kStart) || line.size() < kStart.size() + 2) {
        return {};
    }
    line.remove_prefix(kStart.size() + 1);
    return line.substr(0, line.find_first_of(">\""));
}

void check_line(const std::string& path, const Source& source, std::size_t index,
                Findings& findings) {
    const std::string& line = source.code[index];
    if (allowed(source, index, "ban") || opens_literals(line)) {
        return;
    }
    const auto report = [&](std::string_view what, std::string_view instead) {
        findings.push_back({path, index + 1, "ban",
                            std::string(what) + " is banned here: " + std::string(instead)});
    };
    if (const std::string_view name = included(line); !name.empty()) {
        for (const IncludeBan& ban : include_bans()) {
            if (holds(ban.place, path) && begins_with_any(name, ban.starts)) {
                report(name, ban.instead);
            }
        }
        return;
    }
    for (const WordBan& ban : word_bans()) {
        for (const std::string_view word : ban.words) {
            if (holds(ban.place, path) && uses(line, word, ban.shape)) {
                report(word, ban.instead);
            }
        }
    }
    if (const std::string_view word = raw_memory(line); !word.empty() && path.starts_with("src/")) {
        report(word, "memory belongs to a container, a value or a unique_ptr");
    }
}

}  // namespace

void check_bans(const Tree& tree, Findings& findings) {
    for (const auto& [path, text] : tree) {
        if (!is_cxx(path)) {
            continue;
        }
        const Source source = read_source(text);
        for (std::size_t i = 0; i < source.code.size(); ++i) {
            check_line(path, source, i, findings);
        }
    }
}

}  // namespace colophon::tidy
