// SPDX-License-Identifier: Apache-2.0
// How fast texts are searched: matching_bench [--words N]... [--folding LEVEL]
// [--vectorscan-most N] [--vectorscan-seconds N] [FILE...], Chinese text (without files: made up by
// a Zipf-like choice of characters). Word lists of two to eight characters are drawn from the
// text's own characters, the commonest less often than they occur. Processor time of one thread,
// the best of five; beside it Vectorscan's search for the same literals in the same text, for lists
// of up to --vectorscan-most words (10,000; compiling 100,000 needs more than 20 GB), unless
// compiling and searching take more than --vectorscan-seconds of processor time (3600) or more
// memory than there is: a line says so then.

#include "core/utf8.h"
#include "review/automaton.h"
#include "review/entry.h"
#include "review/fold.h"
#include "review/matcher.h"
#include "review/text_scan.h"

#include <hs.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace review = colophon::review;

constexpr std::size_t kTextBytes = 50'000'000;
constexpr int kRounds = 5;

double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

template <class Call>
double best_of(int rounds, Call&& call) {
    double best = 1e9;
    for (int i = 0; i < rounds; ++i) {
        const double start = cpu_seconds();
        call();
        best = std::min(best, cpu_seconds() - start);
    }
    return best;
}

std::string made_up_text() {
    std::mt19937_64 random(1);
    std::string text;
    while (text.size() < 2'000'000) {
        const double place =
            std::exp(std::uniform_real_distribution<>(0, std::log(6000.0))(random));
        colophon::append_utf8(text,
                              random() % 24 == 0 ? U'，' : 0x4e00 + static_cast<char32_t>(place));
    }
    return text;
}

std::string text_of(const std::vector<std::string>& files) {
    std::string part;
    for (const std::string& name : files) {
        std::ifstream file(name, std::ios::binary);
        std::stringstream content;
        content << file.rdbuf();
        part += content.str();
    }
    if (part.empty()) {
        part = made_up_text();
    }
    std::string text;
    while (text.size() < kTextBytes) {
        text += part;
    }
    return text;
}

std::vector<std::string> words_from(const std::string& text, std::size_t count) {
    std::map<char32_t, double> weights;
    for (std::size_t at = 0; at < text.size() && at < 4'000'000;) {
        const auto character = colophon::next_code_point(text, at);
        if (!character) {
            ++at;
        } else if (*character >= 0x4e00 && *character < 0xa000) {
            weights[*character] += 1;
        }
    }
    std::vector<char32_t> characters;
    std::vector<double> roots;
    for (const auto& [character, weight] : weights) {
        characters.push_back(character);
        roots.push_back(std::sqrt(weight));
    }
    std::mt19937_64 random(2);
    std::discrete_distribution<std::size_t> choose(roots.begin(), roots.end());
    std::set<std::string> words;
    while (words.size() < count) {
        std::string word;
        for (std::size_t size = 2 + random() % 7; size > 0; --size) {
            colophon::append_utf8(word, characters[choose(random)]);
        }
        words.insert(word);
    }
    return {words.begin(), words.end()};
}

void search_with(const std::vector<std::string>& words, const std::string& text,
                 review::Folding folding) {
    std::vector<review::Entry> entries;
    for (const std::string& word : words) {
        review::Entry entry;
        entry.id = word;
        entry.category = "bench";
        entry.phrase = word;
        entry.folding = folding;
        entries.push_back(std::move(entry));
    }
    std::shared_ptr<const review::Matcher> matcher;
    const double compile = best_of(2, [&] {
        auto compiled = review::Matcher::compile(entries);
        if (!compiled.ok()) {
            std::abort();
        }
        matcher = std::make_shared<const review::Matcher>(std::move(*compiled));
    });
    std::size_t found = 0;
    const double search = best_of(kRounds, [&] {
        found = 0;
        review::TextScan scan(matcher);
        constexpr std::size_t kPiece = 1 << 16;
        for (std::size_t at = 0; at < text.size(); at += kPiece) {
            scan.push(std::string_view(text).substr(at, kPiece));
            while (scan.next()) {
                ++found;
            }
        }
        scan.finish();
        while (scan.next()) {
            ++found;
        }
    });
    std::size_t bytes = 0;
    for (const review::PhraseSet& set : matcher->sets()) {
        bytes += set.bytes();
    }
    std::printf("%7zu words  %-6s compile %.3f s  %5.1f MB  search %.3f GB/s  %zu found\n",
                words.size(), std::string(review::folding_name(folding)).c_str(), compile,
                static_cast<double>(bytes) / 1e6, static_cast<double>(text.size()) / search / 1e9,
                found);
}

int count_match(unsigned, unsigned long long, unsigned long long, unsigned, void* context) {
    ++*static_cast<std::size_t*>(context);
    return 0;
}

void search_with_vectorscan(const std::vector<std::string>& words, const std::string& text) {
    std::vector<const char*> pointers;
    std::vector<std::size_t> lengths;
    std::vector<unsigned> flags(words.size(), 0);
    std::vector<unsigned> ids(words.size(), 0);
    for (const std::string& word : words) {
        pointers.push_back(word.c_str());
        lengths.push_back(word.size());
    }
    hs_database_t* database = nullptr;
    hs_compile_error_t* error = nullptr;
    const double compile = best_of(1, [&] {
        if (hs_compile_lit_multi(pointers.data(), flags.data(), ids.data(), lengths.data(),
                                 static_cast<unsigned>(words.size()), HS_MODE_BLOCK, nullptr,
                                 &database, &error) != HS_SUCCESS) {
            std::printf("%7zu words  Vectorscan compiles no such list: %s\n", words.size(),
                        error == nullptr ? "no reason given" : error->message);
            std::fflush(stdout);
            _exit(0);
        }
    });
    std::size_t bytes = 0;
    hs_database_size(database, &bytes);
    std::printf("%7zu words  Vectorscan compile %.3f s  %5.1f MB", words.size(), compile,
                static_cast<double>(bytes) / 1e6);
    std::fflush(stdout);
    hs_scratch_t* scratch = nullptr;
    if (hs_alloc_scratch(database, &scratch) != HS_SUCCESS) {
        std::abort();
    }
    std::size_t found = 0;
    const double search = best_of(kRounds, [&] {
        found = 0;
        if (hs_scan(database, text.data(), static_cast<unsigned>(text.size()), 0, scratch,
                    count_match, &found) != HS_SUCCESS) {
            std::abort();
        }
    });
    std::printf("  search %.3f GB/s  %zu found\n", static_cast<double>(text.size()) / search / 1e9,
                found);
    hs_free_scratch(scratch);
    hs_free_database(database);
}

// In a process of its own, because a compilation cannot be broken off: what it costs beyond the
// limit is its end, and this program goes on.
void try_vectorscan(const std::vector<std::string>& words, const std::string& text,
                    std::size_t seconds_max) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child < 0) {
        std::perror("matching_bench: fork");
        std::exit(1);
    }
    if (child == 0) {
        const rlimit limit{.rlim_cur = seconds_max, .rlim_max = seconds_max + 1};
        setrlimit(RLIMIT_CPU, &limit);
        search_with_vectorscan(words, text);
        std::fflush(stdout);
        _exit(0);
    }
    int status = 0;
    if (waitpid(child, &status, 0) != child) {
        std::perror("matching_bench: waitpid");
        std::exit(1);
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU) {
        std::printf(
            "%7zu words  Vectorscan skipped: more than %zu s of processor time "
            "(--vectorscan-seconds)\n",
            words.size(), seconds_max);
    } else if (status != 0) {
        std::printf(
            "%7zu words  Vectorscan skipped: it ended by signal %d, out of memory perhaps\n",
            words.size(), WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::size_t> counts;
    std::vector<std::string> files;
    std::size_t vectorscan_most = 10'000;
    std::size_t vectorscan_seconds = 3600;
    std::vector<review::Folding> foldings{review::Folding::kExact, review::Folding::kPlain,
                                          review::Folding::kLoose};
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument == "--words" && i + 1 < argc) {
            counts.push_back(std::strtoul(argv[++i], nullptr, 10));
        } else if (argument == "--folding" && i + 1 < argc) {
            const auto folding = review::parse_folding(argv[++i]);
            if (!folding) {
                std::fputs("matching_bench: no such folding\n", stderr);
                return 64;
            }
            foldings = {*folding};
        } else if (argument == "--vectorscan-most" && i + 1 < argc) {
            vectorscan_most = std::strtoul(argv[++i], nullptr, 10);
        } else if (argument == "--vectorscan-seconds" && i + 1 < argc) {
            vectorscan_seconds = std::strtoul(argv[++i], nullptr, 10);
        } else {
            files.emplace_back(argument);
        }
    }
    if (counts.empty()) {
        counts = {1'000, 10'000, 100'000};
    }
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    const std::string text = text_of(files);
    for (const std::size_t count : counts) {
        const auto words = words_from(text, count);
        for (const auto folding : foldings) {
            search_with(words, text, folding);
        }
        if (count <= vectorscan_most) {
            try_vectorscan(words, text, vectorscan_seconds);
        }
    }
    return 0;
}
