// SPDX-License-Identifier: Apache-2.0
// pdq_search_bench [HASHES] [QUERIES]: searches random PDQ hashes at radius 31 and prints times of
// one thread. Every query is a hash of the list with 0 to 31 bits changed, so that a miss shows.

#include "core/random.h"
#include "fingerprint/pdq.h"
#include "fingerprint/pdq_index.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <vector>

namespace {

namespace fingerprint = colophon::fingerprint;
using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double processor_milliseconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

fingerprint::PdqHash random_hash(colophon::Random& random) {
    fingerprint::PdqHash hash;
    for (std::uint64_t& word : hash.words) {
        word = random.next().value();
    }
    return hash;
}

fingerprint::PdqHash changed(fingerprint::PdqHash hash, std::uint64_t bits,
                             colophon::Random& random) {
    for (std::uint64_t i = 0; i < bits; ++i) {
        const std::uint64_t bit = random.next().value() % fingerprint::kPdqBits;
        hash.words[bit / 64] ^= std::uint64_t{1} << (bit % 64);
    }
    return hash;
}

int run(std::size_t size, std::size_t queries) {
    colophon::SeededRandom random(1);
    std::vector<fingerprint::PdqEntry> entries;
    entries.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
        entries.push_back({random_hash(random), i});
    }
    struct Query {
        fingerprint::PdqHash hash;
        std::size_t of;
    };
    std::vector<Query> wanted;
    for (std::size_t i = 0; i < queries; ++i) {
        const std::size_t of = random.next().value() % size;
        wanted.push_back({changed(entries[of].hash, i % 32, random), of});
    }
    auto start = Clock::now();
    const double processor_before = processor_milliseconds();
    const auto index = fingerprint::PdqIndex::create(std::move(entries));
    std::printf("%zu hashes: built in %.0f ms (processor %.0f ms), %.1f bytes a hash\n", size,
                milliseconds_since(start), processor_milliseconds() - processor_before,
                static_cast<double>(index->memory_bytes()) / static_cast<double>(size));
    std::vector<double> wall;
    std::vector<double> processor;
    std::size_t missed = 0;
    for (const Query& query : wanted) {
        start = Clock::now();
        const double before = processor_milliseconds();
        const auto found = index->near(query.hash);
        processor.push_back(processor_milliseconds() - before);
        wall.push_back(milliseconds_since(start));
        const bool seen = std::ranges::any_of(
            found, [&](const fingerprint::PdqNear& near) { return near.id == query.of; });
        missed += seen ? 0U : 1U;
    }
    std::ranges::sort(wall);
    std::ranges::sort(processor);
    std::printf(
        "%zu queries at radius 31: wall median %.3f ms, 95th of 100 %.3f ms; "
        "processor median %.3f ms; %zu missed\n",
        queries, wall[queries / 2], wall[queries * 95 / 100], processor[queries / 2], missed);
    return missed == 0 ? 0 : 1;
}

std::size_t number(const char* text, std::size_t otherwise) {
    const unsigned long value = text == nullptr ? 0 : std::strtoul(text, nullptr, 10);
    return value == 0 ? otherwise : value;
}

}  // namespace

int main(int argc, char** argv) {
    return run(number(argc > 1 ? argv[1] : nullptr, 10'000'000),
               number(argc > 2 ? argv[2] : nullptr, 200));
}
