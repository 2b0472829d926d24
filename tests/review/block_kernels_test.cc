// SPDX-License-Identifier: Apache-2.0
#include "review/internal/block_kernels.h"

#include "core/utf8.h"
#include "review/internal/block_kernels_scalar.h"

#include <doctest/doctest.h>
#include <hwy/targets.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review::internal {
namespace {

// Lengths around those of vectors, so that ends are looked at too.
constexpr std::array<std::size_t, 12> kCounts{0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 64, 512};

// Calls `check` with each kind of instructions that this processor has.
void with_each_target(const std::function<void()>& check) {
    int seen = 0;
    for (std::int64_t rest = hwy::SupportedTargets(); rest != 0; rest &= rest - 1) {
        const std::int64_t target = rest & -rest;
        hwy::SetSupportedTargetsForTest(target);
        hwy::GetChosenTarget().Update(hwy::SupportedTargets());
        CAPTURE(hwy::TargetName(target));
        check();
        ++seen;
    }
    hwy::SetSupportedTargetsForTest(0);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    CHECK(seen > 0);
}

using Numbers = std::vector<std::uint16_t>;

Numbers room(std::size_t count) {
    return Numbers(count + kBlockSlack, 0xaaaa);
}

// Few kinds of symbols, so that there are repeats, some of them passed over or none.
Numbers random_symbols(std::size_t count, std::mt19937& random, unsigned kinds, bool special) {
    Numbers symbols = room(count);
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned drawn = random() % 32;
        symbols[i] = special && drawn == 0  ? kSymbolNone
                     : special && drawn < 5 ? kSymbolPassedOver
                                            : static_cast<std::uint16_t>(random() % kinds);
    }
    return symbols;
}

// Characters of all lengths, in runs, and now and then a byte that is wrong.
std::string random_text(std::mt19937& random, bool wrong) {
    std::string text;
    while (text.size() < 700) {
        const std::array<char32_t, 8> firsts{0x20,   0x4e00, 0x4e00, 0xff00,
                                             0x0800, 0xd700, 0xe000, 0x00c0};
        const char32_t first = firsts[random() % firsts.size()];
        for (std::size_t run = 1 + random() % 40; run > 0; --run) {
            append_utf8(text, first + random() % 0x40);
        }
        if (random() % 16 == 0) {
            append_utf8(text, U'\U0001f600');
        }
        if (wrong && random() % 3 == 0) {
            text[random() % text.size()] = static_cast<char>(random());
        }
    }
    return text;
}

TEST_CASE("characters are read as plain loops read them, with each kind of instructions") {
    with_each_target([] {
        std::mt19937 random(1);
        for (int round = 0; round < 2000; ++round) {
            const std::string text = random_text(random, round % 2 == 1);
            const std::string_view view =
                std::string_view(text).substr(0, random() % (text.size() + 1));
            const std::size_t most = kCounts[random() % kCounts.size()];
            Numbers characters = room(most);
            Numbers ends = room(most);
            Numbers expected = room(most);
            Numbers expected_ends = room(most);
            const std::size_t count = read_characters(view, most, characters.data(), ends.data());
            REQUIRE(count ==
                    scalar::read_characters(view, most, expected.data(), expected_ends.data()));
            for (std::size_t i = 0; i < count; ++i) {
                REQUIRE(characters[i] == expected[i]);
                REQUIRE(ends[i] == expected_ends[i]);
            }
        }
    });
}

// At the edges of vectors of all widths, every first byte with bytes around those that may follow.
TEST_CASE("wrong bytes end the characters wherever they stand, with each kind of instructions") {
    constexpr std::array<unsigned char, 9> kFollowing{0x20, 0x7f, 0x80, 0x9f, 0xa0,
                                                      0xbf, 0xc0, 0xe0, 0xff};
    const auto check = [](std::string_view text) {
        Numbers characters = room(text.size());
        Numbers ends = room(text.size());
        Numbers expected = room(text.size());
        Numbers expected_ends = room(text.size());
        const std::size_t count =
            read_characters(text, text.size(), characters.data(), ends.data());
        REQUIRE(count ==
                scalar::read_characters(text, text.size(), expected.data(), expected_ends.data()));
        characters.resize(count);
        ends.resize(count);
        expected.resize(count);
        expected_ends.resize(count);
        REQUIRE(characters == expected);
        REQUIRE(ends == expected_ends);
    };
    with_each_target([&] {
        for (unsigned first = 0x7f; first <= 0xff; ++first) {
            for (const std::size_t at : {0U, 1U, 2U, 31U, 32U, 33U, 34U, 65U}) {
                std::string text(at, 'a');
                text += static_cast<char>(first);
                for (const unsigned char second : kFollowing) {
                    for (const unsigned char third : kFollowing) {
                        std::string whole = text;
                        whole += static_cast<char>(second);
                        whole += static_cast<char>(third);
                        check(whole + std::string(70, 'b'));
                        check(whole + "\u4e00" + std::string(40, 'b'));
                    }
                }
            }
        }
    });
}

// The reference itself, by the one that the rest of the program reads characters with.
TEST_CASE("characters are those that UTF-8 says, and nothing else is one") {
    std::mt19937 random(2);
    for (int round = 0; round < 2000; ++round) {
        const std::string text = random_text(random, true);
        Numbers characters = room(text.size());
        Numbers ends = room(text.size());
        const std::size_t count =
            scalar::read_characters(text, text.size(), characters.data(), ends.data());
        std::size_t at = 0;
        for (std::size_t i = 0; i < count; ++i) {
            const auto character = next_code_point(text, at);
            REQUIRE(character == char32_t{characters[i]});
            REQUIRE(ends[i] == at);
        }
        if (at < text.size()) {
            const auto next = next_code_point(text, at);
            REQUIRE((!next || *next >= 0x10000));
        }
    }
}

TEST_CASE("symbols are told apart and left out the same with each kind of instructions") {
    with_each_target([] {
        std::mt19937 random(3);
        for (int round = 0; round < 3000; ++round) {
            const std::size_t count = kCounts[random() % kCounts.size()];
            const Numbers symbols = random_symbols(count, random, 5, round % 2 == 0);

            const Classified kinds = classify(symbols.data(), count);
            const Classified expected = scalar::classify(symbols.data(), count);
            REQUIRE(kinds.count == expected.count);
            REQUIRE(kinds.has_passed_over == expected.has_passed_over);

            Numbers left = room(count);
            Numbers which = room(count);
            Numbers expected_left = room(count);
            Numbers expected_which = room(count);
            std::size_t stayed =
                leave_out_passed_over(symbols.data(), count, left.data(), which.data());
            REQUIRE(stayed == scalar::leave_out_passed_over(symbols.data(), count,
                                                            expected_left.data(),
                                                            expected_which.data()));
            left.resize(stayed + kBlockSlack);
            for (std::size_t i = 0; i < stayed; ++i) {
                REQUIRE(left[i] == expected_left[i]);
                REQUIRE(which[i] == expected_which[i]);
            }
            if (stayed == 0) {
                continue;
            }
            // The first is the one before.
            expected_left = left;
            expected_which = which;
            REQUIRE(widest_step(which.data(), stayed) == scalar::widest_step(which.data(), stayed));
            Numbers repeats = room(stayed);
            Numbers expected_repeats = room(stayed);
            const std::size_t repeated = find_repeats(left.data(), stayed - 1, repeats.data());
            REQUIRE(repeated ==
                    scalar::find_repeats(left.data(), stayed - 1, expected_repeats.data()));
            for (std::size_t i = 0; i < repeated; ++i) {
                REQUIRE(repeats[i] == expected_repeats[i]);
            }
            const std::size_t single = leave_out_repeats(left.data(), stayed - 1, which.data());
            REQUIRE(single == scalar::leave_out_repeats(expected_left.data(), stayed - 1,
                                                        expected_which.data()));
            for (std::size_t i = 0; i < single; ++i) {
                REQUIRE(left[i + 1] == expected_left[i + 1]);
                REQUIRE(which[i] == expected_which[i]);
                REQUIRE((left[i + 1] == 0 || left[i + 1] != left[i]));
            }
        }
    });
}

TEST_CASE("pairs are found the same with each kind of instructions, and none is missed") {
    with_each_target([] {
        std::mt19937 random(4);
        for (const unsigned shift : {27U, 26U, 20U, 12U}) {
            std::vector<std::uint32_t> words((std::size_t{1} << (32 - shift)) / 32);
            const PairBits bits{.words = words, .shift = shift, .multiplier = 0x2545f491};
            const Numbers symbols = random_symbols(513, random, 40, false);
            for (std::size_t i = 0; i < symbols.size() / 4; ++i) {
                const std::uint32_t place = bits.place(symbols[4 * i], symbols[4 * i + 1]);
                words[place / 32] |= std::uint32_t{1} << place % 32;
            }
            for (const std::size_t count : kCounts) {
                Numbers places = room(count);
                Numbers expected = room(count);
                const std::size_t found = find_pairs(bits, symbols.data(), count, places.data());
                REQUIRE(found == scalar::find_pairs(bits, symbols.data(), count, expected.data()));
                std::size_t next = 0;
                for (std::size_t i = 0; i < found; ++i) {
                    REQUIRE(places[i] == expected[i]);
                }
                for (std::size_t at = 0; at < count; at += 4) {
                    while (next < found && places[next] < at) {
                        ++next;
                    }
                    REQUIRE(next < found);
                    REQUIRE(places[next] == at);
                }
            }
        }
    });
}

}  // namespace
}  // namespace colophon::review::internal
