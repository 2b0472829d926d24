// SPDX-License-Identifier: Apache-2.0
#include "fingerprint/pdq_index.h"

#include "core/random.h"
#include "fingerprint/pdq.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <tuple>
#include <vector>

namespace colophon::fingerprint {
namespace {

PdqHash random_hash(Random& random) {
    PdqHash hash;
    for (std::uint64_t& word : hash.words) {
        word = random.next().value();
    }
    return hash;
}

// Another hash in exactly so many bits.
PdqHash flipped(PdqHash hash, int bits, Random& random) {
    const PdqHash original = hash;
    while (distance(hash, original) < bits) {
        const std::uint64_t bit = random.next().value() % kPdqBits;
        hash.set_bit(bit);
        if (original.bit(bit)) {
            hash.words[bit / 64] &= ~(std::uint64_t{1} << (bit % 64));
        }
    }
    return hash;
}

std::vector<PdqNear> by_comparing_all(const std::vector<PdqEntry>& entries, const PdqHash& hash,
                                      int radius) {
    std::vector<PdqNear> found;
    for (const PdqEntry& entry : entries) {
        const int bits = distance(entry.hash, hash);
        if (bits <= radius) {
            found.push_back({.id = entry.id, .distance = bits, .hash = entry.hash});
        }
    }
    std::ranges::sort(found, [](const PdqNear& a, const PdqNear& b) {
        return std::tie(a.distance, a.id, a.hash) < std::tie(b.distance, b.id, b.hash);
    });
    return found;
}

// Random hashes, and around a few of them copies at every distance that matters.
struct List {
    std::vector<PdqEntry> entries;
    std::vector<PdqHash> centres;
};

List make_list(std::size_t size, Random& random) {
    List list;
    for (std::size_t i = 0; i < size; ++i) {
        list.entries.push_back({random_hash(random), i});
    }
    for (int centre = 0; centre < 30; ++centre) {
        list.centres.push_back(random_hash(random));
        for (int bits = 0; bits < 64; bits += 1 + centre % 3) {
            list.entries.push_back(
                {flipped(list.centres.back(), bits, random), list.entries.size()});
        }
    }
    return list;
}

TEST_CASE("search finds exactly what comparing all hashes finds, with tables and without") {
    constexpr std::uint64_t kSeed = 20261126;
    CAPTURE(kSeed);
    SeededRandom random(kSeed);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1000}, std::size_t{90'000}}) {
        CAPTURE(size);
        const List list = make_list(size, random);
        const PdqIndex index = PdqIndex::create(list.entries).value();
        CHECK(index.size() == list.entries.size());
        for (const PdqHash& centre : list.centres) {
            for (const int radius : {0, 1, 15, 16, 31, 32, 47, 48, 63}) {
                CAPTURE(radius);
                REQUIRE(index.near(centre, radius) ==
                        by_comparing_all(list.entries, centre, radius));
            }
        }
    }
}

TEST_CASE("bits spread as evenly over the slots as can be are found at the radius itself") {
    // One bit in each slot and a second in all but one: 31 bits, the worst case of the proof.
    SeededRandom random(5);
    List list = make_list(80'000, random);
    const PdqHash wanted = random_hash(random);
    PdqHash worst = wanted;
    for (std::size_t slot = 0; slot < 16; ++slot) {
        worst.words[slot / 4] ^= std::uint64_t{slot == 9 ? 0x0100U : 0x0101U} << (slot % 4 * 16);
    }
    REQUIRE(distance(worst, wanted) == kPdqDistanceMax);
    list.entries.push_back({worst, 4711});
    const PdqIndex index = PdqIndex::create(list.entries).value();
    const auto found = index.near(wanted);
    REQUIRE(found.size() == 1);
    CHECK(found[0].id == 4711);
    CHECK(found[0].distance == 31);
}

TEST_CASE("a list whose hashes are all alike is searched as exactly") {
    SeededRandom random(6);
    const PdqHash centre = random_hash(random);
    std::vector<PdqEntry> entries;
    for (std::size_t i = 0; i < 70'000; ++i) {
        entries.push_back({flipped(centre, static_cast<int>(i % 48), random), i});
    }
    const PdqIndex index = PdqIndex::create(entries).value();
    CHECK(index.near(centre) == by_comparing_all(entries, centre, kPdqDistanceMax));
}

TEST_CASE(
    "what was added is found, what was removed is not, and older indexes stay what they were") {
    SeededRandom random(7);
    for (const std::size_t size : {std::size_t{500}, std::size_t{70'000}}) {
        List list = make_list(size, random);
        const PdqIndex first = PdqIndex::create(list.entries).value();
        const PdqHash centre = list.centres.front();
        const auto before = first.near(centre);
        REQUIRE(before.size() > 3);

        const std::vector<PrintId> gone{before[0].id, before[2].id, before[2].id, 999'999'999};
        const std::vector<PdqEntry> fresh{{flipped(centre, 3, random), 1'000'000},
                                          {flipped(centre, 4, random), before[0].id}};
        const PdqIndex second = first.with(fresh, gone).value();
        std::vector<PdqEntry> expected = list.entries;
        std::erase_if(expected, [&](const PdqEntry& entry) {
            return entry.id == before[0].id || entry.id == before[2].id;
        });
        expected.insert(expected.end(), fresh.begin(), fresh.end());
        CHECK(second.size() == expected.size());
        CHECK(second.near(centre) == by_comparing_all(expected, centre, kPdqDistanceMax));

        // What was added can be removed again, and what was removed added.
        const PdqIndex third = second.with({}, std::vector<PrintId>{1'000'000}).value();
        CHECK(third.size() == expected.size() - 1);
        CHECK(std::ranges::none_of(third.near(centre),
                                   [](const PdqNear& near) { return near.id == 1'000'000; }));
        CHECK(first.near(centre) == before);
        CHECK(first.size() == list.entries.size());
    }
}

TEST_CASE("many changes become tables of their own") {
    SeededRandom random(8);
    const List list = make_list(1000, random);
    PdqIndex index = PdqIndex::create(list.entries).value();
    const List more = make_list(PdqIndex::kTablesFrom, random);
    std::vector<PdqEntry> added = more.entries;
    for (PdqEntry& entry : added) {
        entry.id += 10'000'000;
    }
    const std::vector<PrintId> gone{3, 4, 5};
    index = index.with(added, gone).value();
    std::vector<PdqEntry> expected = list.entries;
    std::erase_if(expected, [](const PdqEntry& entry) { return entry.id >= 3 && entry.id <= 5; });
    expected.insert(expected.end(), added.begin(), added.end());
    CHECK(index.size() == expected.size());
    CHECK(index.memory_bytes() > expected.size() * 104);
    CHECK(index.memory_bytes() < expected.size() * 104 + (5U << 20U));
    for (const PdqHash& centre : more.centres) {
        CHECK(index.near(centre) == by_comparing_all(expected, centre, kPdqDistanceMax));
    }
}

}  // namespace
}  // namespace colophon::fingerprint
