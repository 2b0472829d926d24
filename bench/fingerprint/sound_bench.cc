// SPDX-License-Identifier: Apache-2.0
// sound_bench [FILE...]: prints of sounds (Ogg, MP3, WAV, FLAC), what they cost, how near those of
// different files come to each other, and how fast 10,000 sounds are searched. A file whose name
// begins with that of the first, before its point, is taken for a copy of it.

#include "core/bytes.h"
#include "fingerprint/sound.h"
#include "fingerprint/sound_index.h"
#include "media/audio.h"
#include "support/music.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

namespace fingerprint = colophon::fingerprint;
using colophon::media::AudioContainer;
using fingerprint::SoundPrint;

// Of processor time.
double seconds_of(auto&& work) {
    const std::clock_t begin = std::clock();
    work();
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

AudioContainer container_of(std::string_view path) {
    return path.ends_with(".ogg")    ? AudioContainer::kOgg
           : path.ends_with(".mp3")  ? AudioContainer::kMp3
           : path.ends_with(".flac") ? AudioContainer::kFlac
           : path.ends_with(".m4a")  ? AudioContainer::kMp4
                                     : AudioContainer::kWav;
}

// The least share of bits that differ in any window of both at any offset, of those with enough
// changes: what kSoundBitErrorMax must stay below.
double least_error(const SoundPrint& a, const SoundPrint& b, std::size_t window) {
    double least = 1;
    const auto as = static_cast<std::int64_t>(a.items.size());
    const auto bs = static_cast<std::int64_t>(b.items.size());
    for (std::int64_t offset = -as; offset < bs; ++offset) {
        std::size_t errors = 0;
        std::size_t changes = 0;
        std::size_t size = 0;
        const auto at = [&](std::int64_t i) {
            return std::pair(static_cast<std::size_t>(i), static_cast<std::size_t>(i + offset));
        };
        const auto change = [&](std::int64_t i) {
            const auto [x, y] = at(i);
            return static_cast<std::size_t>(x > 0 && y > 0 && a.items[x] != a.items[x - 1] &&
                                            b.items[y] != b.items[y - 1]);
        };
        const auto apart = [&](std::int64_t i) {
            const auto [x, y] = at(i);
            return static_cast<std::size_t>(std::popcount(a.items[x] ^ b.items[y]));
        };
        const std::int64_t begin = std::max<std::int64_t>(0, -offset);
        for (std::int64_t i = begin; i < as && i + offset < bs; ++i) {
            errors += apart(i);
            changes += change(i);
            if (++size > window) {
                errors -= apart(i - static_cast<std::int64_t>(window));
                changes -= change(i - static_cast<std::int64_t>(window));
                --size;
            }
            if (size == window && changes >= window / 4) {
                least =
                    std::min(least, static_cast<double>(errors) / static_cast<double>(32 * window));
            }
        }
    }
    return least;
}

void compare(const std::vector<std::pair<std::string, SoundPrint>>& prints) {
    for (std::size_t i = 0; i < prints.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            const auto stretch = fingerprint::match_sounds(prints[i].second, prints[j].second);
            std::printf("%-28s in %-28s least error of 24, 32, 48 items %.3f %.3f %.3f",
                        prints[i].first.c_str(), prints[j].first.c_str(),
                        least_error(prints[i].second, prints[j].second, 24),
                        least_error(prints[i].second, prints[j].second, 32),
                        least_error(prints[i].second, prints[j].second, 48));
            if (stretch) {
                std::printf("; %zu items, %.3f, %.1f s at %.1f s", stretch->items,
                            stretch->bit_error, stretch->query_seconds(), stretch->other_seconds());
            }
            std::printf("\n");
        }
    }
}

SoundPrint print_of(const std::vector<std::int16_t>& samples) {
    fingerprint::SoundPrinter printer;
    printer.push(samples);
    return printer.print();
}

// Pieces made of the same few notes in the same scales: harder to tell apart than recordings.
void measure_music() {
    constexpr std::uint32_t kPieces = 60;
    std::vector<SoundPrint> prints;
    for (std::uint32_t seed = 0; seed < kPieces; ++seed) {
        prints.push_back(print_of(colophon::test::make_music(seed, 60, fingerprint::kSoundRate)));
    }
    for (const std::size_t window : {24U, 32U, 48U}) {
        std::vector<double> least;
        for (std::size_t i = 0; i < prints.size(); ++i) {
            for (std::size_t j = 0; j < i; ++j) {
                least.push_back(least_error(prints[i], prints[j], window));
            }
        }
        std::ranges::sort(least);
        std::printf(
            "%zu pairs of different music of a minute, windows of %zu: least error %.3f, a "
            "hundredth below %.3f, half below %.3f\n",
            least.size(), window, least.front(), least[least.size() / 100],
            least[least.size() / 2]);
    }
}

void measure_search() {
    constexpr std::size_t kSounds = 10'000;
    constexpr std::uint32_t kPieces = 100;
    std::vector<fingerprint::SoundEntry> entries;
    std::vector<SoundPrint> pieces;
    for (std::uint32_t seed = 0; seed < kPieces; ++seed) {
        pieces.push_back(
            print_of(colophon::test::make_music(1000 + seed, 180, fingerprint::kSoundRate)));
    }
    // Others like them: each item of a piece with bits turned that depend on which copy it is, so
    // that the items are spread as those of music are, and no copy is like another.
    for (std::size_t i = 0; i < kSounds; ++i) {
        SoundPrint print = pieces[i % kPieces];
        std::rotate(print.items.begin(),
                    print.items.begin() + static_cast<std::ptrdiff_t>(i / kPieces * 7),
                    print.items.end());
        std::uint32_t state = static_cast<std::uint32_t>(i) * 2654435761U + 1;
        if (i >= kPieces) {
            for (std::uint32_t& item : print.items) {
                for (int turned = 0; turned < 12; ++turned) {
                    state = state * 1664525U + 1013904223U;
                    item ^= std::uint32_t{1} << (state >> 27U);
                }
            }
        }
        entries.push_back({.print = std::move(print), .id = i});
    }
    fingerprint::SoundIndex index;
    const double made =
        seconds_of([&] { index = *fingerprint::SoundIndex::create(std::move(entries)); });
    std::size_t found = 0;
    double searched = 0;
    for (std::size_t i = 0; i < kPieces; ++i) {
        SoundPrint query;
        query.items.assign(pieces[i].items.begin() + 500, pieces[i].items.begin() + 558);
        searched += seconds_of([&] {
            const auto all = index.find(query);
            found += static_cast<std::size_t>(!all.empty() && all.front().id == i);
        });
    }
    double whole = 0;
    for (std::size_t i = 0; i < 10; ++i) {
        whole +=
            seconds_of([&] { found += static_cast<std::size_t>(!index.find(pieces[i]).empty()); });
    }
    std::printf(
        "index of %zu sounds of three minutes: made in %.2f s; 10 s searched in %.2f ms, three "
        "minutes in %.1f ms; found %zu of %zu\n",
        index.size(), made, searched * 1000 / kPieces, whole * 1000 / 10, found,
        static_cast<std::size_t>(kPieces) + 10);
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::pair<std::string, SoundPrint>> prints;
    for (int i = 1; i < argc; ++i) {
        std::ifstream in(argv[i], std::ios::binary);
        const colophon::Buffer file((std::istreambuf_iterator<char>(in)), {});
        const double seconds = seconds_of([&] {
            auto print = fingerprint::print_sound(file, container_of(argv[i]));
            if (!print.ok()) {
                std::printf("%s: %s\n", argv[i], print.error().what.c_str());
                return;
            }
            const std::string path = argv[i];
            prints.emplace_back(path.substr(path.rfind('/') + 1), std::move(print).value());
        });
        if (!prints.empty()) {
            std::printf("%s: %zu items, %.1f s of sound in %.2f s\n", argv[i],
                        prints.back().second.items.size(),
                        fingerprint::seconds_of_items(prints.back().second.items.size()), seconds);
        }
    }
    compare(prints);
    if (argc == 1) {
        measure_music();
        measure_search();
    }
    return 0;
}
