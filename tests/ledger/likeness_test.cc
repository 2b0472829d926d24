// SPDX-License-Identifier: Apache-2.0
// Records found by near copies, on both engines, and what the tables say to who has no key.

#include "ledger/likeness.h"

#include "core/bytes.h"
#include "core/ids.h"
#include "fingerprint/pdq.h"
#include "fingerprint/sound.h"
#include "fingerprint/video.h"
#include "ledger/ledger_stores.h"
#include "ledger/records.h"
#include "ledger/sequenced_log.h"
#include "storage/engines.h"
#include "support/music.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using fingerprint::PdqHash;

PdqHash random_hash(std::mt19937_64& random) {
    PdqHash hash;
    for (std::uint64_t& word : hash.words) {
        word = random();
    }
    return hash;
}

// Another hash with exactly so many other bits.
PdqHash turned(PdqHash hash, int bits, std::mt19937_64& random) {
    std::vector<std::size_t> places(fingerprint::kPdqBits);
    for (std::size_t i = 0; i < places.size(); ++i) {
        places[i] = i;
    }
    std::ranges::shuffle(places, random);
    for (int i = 0; i < bits; ++i) {
        const std::size_t at = places[static_cast<std::size_t>(i)];
        hash.words[at / 64] ^= std::uint64_t{1} << (at % 64);
    }
    return hash;
}

std::string words(std::mt19937_64& random, std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        for (int letter = 0; letter < 6; ++letter) {
            text += static_cast<char>('a' + random() % 26);
        }
        text += ' ';
    }
    return text;
}

std::int64_t rows_of(const TestStore& store, const char* statement) {
    const storage::Rows rows = good(store->query({statement}, {}));
    return good(rows.integer(0, 0));
}

}  // namespace

// [DSP-10]
TEST_CASE("every picture within 31 bits of a record's is found, and none beyond") {
    each_engine([](TestStore& store) {
        constexpr std::uint64_t kSeed = 20'261'126;
        CAPTURE(kSeed);
        std::mt19937_64 random(kSeed);
        LedgerStores stores(store);
        Records records = stores.records();
        std::vector<PdqHash> hashes;
        std::vector<RecordId> ids;
        for (int i = 0; i < 60; ++i) {
            const ServiceRecord record = stores.record();
            hashes.push_back(random_hash(random));
            ids.push_back(record.facts.id);
            const std::vector<Print> prints{picture_print(hashes.back())};
            good(records.append(record, prints));
        }
        for (std::size_t i = 0; i < hashes.size(); ++i) {
            const int bits = static_cast<int>(i) % 40;
            CAPTURE(bits);
            const std::vector<PdqHash> asked{turned(hashes[i], bits, random)};
            const LikeRecords like = good(find_like_picture(records, asked));
            CHECK_FALSE(like.cut);
            REQUIRE(like.found.size() == (bits <= fingerprint::kPdqDistanceMax ? 1 : 0));
            if (!like.found.empty()) {
                CHECK(like.found[0].record == ids[i]);
                CHECK(like.found[0].likeness == doctest::Approx(1 - bits / 256.0));
            }
        }
    });
}

TEST_CASE("a video is found by a part of it, and a picture of it finds it") {
    each_engine([](TestStore& store) {
        std::mt19937_64 random(7);
        LedgerStores stores(store);
        Records records = stores.records();
        fingerprint::VideoPrint video;
        for (std::uint64_t i = 0; i < 40; ++i) {
            video.frames.push_back({.number = i,
                                    .time_ms = static_cast<std::int64_t>(i) * 250,
                                    .hash = random_hash(random),
                                    .quality = i == 3 ? 10 : 90});
        }
        const ServiceRecord record = stores.record();
        const std::vector<Print> prints = video_prints(video);
        CHECK(prints.size() == 39);
        good(records.append(record, prints));
        fingerprint::VideoPrint part;
        part.frames.assign(video.frames.begin() + 10, video.frames.begin() + 30);
        for (fingerprint::VideoFramePrint& frame : part.frames) {
            frame.hash = turned(frame.hash, 20, random);
        }
        const LikeRecords like = good(find_like_video(records, part));
        REQUIRE(like.found.size() == 1);
        CHECK(like.found[0].record == record.facts.id);
        CHECK(like.found[0].likeness == doctest::Approx(1.0));
        const std::vector<PdqHash> still{turned(video.frames[5].hash, 31, random)};
        CHECK(good(find_like_picture(records, still)).found.size() == 1);
        const std::vector<PdqHash> other{random_hash(random)};
        CHECK(good(find_like_picture(records, other)).found.empty());
    });
}

// [DSP-10]
TEST_CASE("a sound is found by a part of it in which bits differ, and no other is") {
    each_engine([](TestStore& store) {
        std::mt19937_64 random(5);
        LedgerStores stores(store);
        Records records = stores.records();
        const auto print_of = [](std::uint32_t seed, double seconds) {
            fingerprint::SoundPrinter printer;
            printer.push(colophon::test::make_music(seed, seconds, fingerprint::kSoundRate));
            return printer.print();
        };
        std::vector<fingerprint::SoundPrint> sounds;
        std::vector<RecordId> ids;
        for (std::uint32_t seed = 0; seed < 8; ++seed) {
            const ServiceRecord record = stores.record();
            sounds.push_back(print_of(seed, 90));
            ids.push_back(record.facts.id);
            const std::vector<Print> prints = sound_prints(sounds.back());
            CHECK(prints.size() == 4);
            good(records.append(record, prints));
        }
        for (std::size_t i = 0; i < sounds.size(); ++i) {
            CAPTURE(i);
            // 10 s across the end of a stretch, with one bit of 25 turned.
            fingerprint::SoundPrint part;
            const auto begin = sounds[i].items.begin() + 150 + static_cast<std::ptrdiff_t>(10 * i);
            part.items.assign(begin, begin + 59);
            for (std::uint32_t& item : part.items) {
                for (std::uint64_t turned = random() % 3; turned > 0; --turned) {
                    item ^= std::uint32_t{1} << (random() % 32);
                }
            }
            const LikeRecords like = good(find_like_sound(records, part));
            REQUIRE(like.found.size() == 1);
            CHECK(like.found[0].record == ids[i]);
            CHECK(like.found[0].likeness > 0.7);
        }
        CHECK(good(find_like_sound(records, print_of(99, 20))).found.empty());
        CHECK(sound_prints(print_of(1, 5)).empty());
        // An hour and more is kept as far as a record has room.
        fingerprint::SoundPrint longest;
        for (int i = 0; i < 60'000; ++i) {
            longest.items.push_back(static_cast<std::uint32_t>(random()));
        }
        const std::vector<Print> most = sound_prints(longest);
        CHECK(most.size() == kSoundPrintsMax);
        CHECK(std::ranges::all_of(most, [](const Print& each) {
            return each.bands.size() > 30 && each.bands.size() <= kPrintBandsMax &&
                   each.print.size() <= kPrintBytesMax;
        }));
        good(records.append(stores.record(), most));
        CHECK(good(find_like_sound(records, longest)).found.size() == 1);
    });
}

TEST_CASE("a text is found by a near copy, under this installation's key alone") {
    each_engine([](TestStore& store) {
        std::mt19937_64 random(11);
        LedgerStores stores(store);
        Records records = stores.records();
        std::vector<std::string> texts;
        std::vector<RecordId> ids;
        for (int i = 0; i < 40; ++i) {
            const ServiceRecord record = stores.record();
            texts.push_back(words(random, 300));
            ids.push_back(record.facts.id);
            const std::vector<Print> prints{*good(records.print_of_text(texts.back()))};
            good(records.append(record, prints));
        }
        for (std::size_t i = 0; i < texts.size(); ++i) {
            // A tenth is other words, and the letters are capitals.
            std::string copy = texts[i];
            copy.replace(700, 210, words(random, 30));
            std::ranges::transform(copy, copy.begin(), [](char c) {
                return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            });
            const LikeRecords like = good(find_like_text(records, copy));
            REQUIRE(like.found.size() == 1);
            CHECK(like.found[0].record == ids[i]);
            CHECK(like.found[0].likeness > 0.5);
        }
        CHECK(good(find_like_text(records, words(random, 300))).found.empty());
        CHECK(good(find_like_text(records, " .,")).found.empty());
        Records other(*store, *stores.keys, stores.random, {.digest_key = {9}});
        CHECK(good(find_like_text(other, texts[0])).found.empty());
    });
}

TEST_CASE("the tables of prints say nothing without the key, and go with record and person") {
    each_engine([](TestStore& store) {
        std::mt19937_64 random(13);
        LedgerStores stores(store);
        Records records = stores.records();
        const PdqHash hash = random_hash(random);
        const std::vector<Print> prints{picture_print(hash)};
        const ServiceRecord one = stores.record();
        const ServiceRecord two = stores.record();
        good(records.append(one, prints));
        good(records.append(two, prints));
        // The same picture twice: no row of one looks like a row of the other or like the hash.
        const storage::Rows rows = good(store->query({"SELECT print FROM record_prints"}, {}));
        REQUIRE(rows.size() == 2);
        const Buffer first = to_buffer(good(rows.bytes(0, 0)));
        const Buffer second = to_buffer(good(rows.bytes(1, 0)));
        CHECK(first.size() == fingerprint::kPdqBytes);
        CHECK(first != second);
        const auto plain = fingerprint::to_bytes(hash);
        CHECK_FALSE(std::ranges::equal(first, plain));
        CHECK(good(find_like_picture(records, std::vector{hash})).found.size() == 2);
        SequencedLog log(store, stores);
        CHECK(drain(*log.open()) == 2);
        CHECK(rows_of(store,
                      "SELECT COUNT(*) FROM record_print_bands WHERE band < 1048576 AND "
                      "band >= 0") == 0);
        CHECK(rows_of(store, "SELECT COUNT(*) FROM record_print_bands") == 32);
        CHECK(good(find_like_picture(records, std::vector{hash})).found.size() == 2);
        good(records.forget_prints(stores.subject));
        CHECK(rows_of(store, "SELECT COUNT(*) FROM record_print_bands") == 0);
        CHECK(rows_of(store, "SELECT COUNT(*) FROM record_prints") == 0);
        CHECK(good(find_like_picture(records, std::vector{hash})).found.empty());
    });
}

TEST_CASE("what a question about likeness costs is bounded") {
    each_engine([](TestStore& store) {
        LedgerStores stores(store);
        Records records = stores.records();
        const std::vector<std::int64_t> many(kSimilarBandsMax + 1, 1);
        CHECK(code_of(records.find_similar(kPicturePrint, many)) == ErrorCode::kLimit);
        // One picture that everybody makes: the newest thousand of a band are looked at.
        const std::vector<Print> same{{.kind = kPicturePrint, .print = {1}, .bands = {5}}};
        storage::Batch batch;
        for (std::size_t i = 0; i < kRecordPageMax + 20; ++i) {
            storage::Batch one = good(records.prepare(stores.record(), same));
            std::ranges::move(one.operations, std::back_inserter(batch.operations));
        }
        good(store->apply(std::move(batch)));
        const std::vector<std::int64_t> band{5};
        CHECK(good(records.find_similar(kPicturePrint, band)).found.size() == kRecordPageMax);
    });
}

TEST_CASE("what waits beyond the candidates of a question is said to be left out") {
    TestStore store(storage::Engine::kSqlite);
    LedgerStores stores(store);
    Records records = stores.records();
    std::vector<Print> prints;
    std::vector<std::int64_t> bands;
    for (std::size_t i = 0; i < kRecordPrintsMax; ++i) {
        const auto band = static_cast<std::int64_t>(i);
        prints.push_back({.kind = kVideoPrint, .print = {1}, .bands = {band}});
        bands.push_back(band);
    }
    const auto append = [&](std::size_t count) {
        storage::Batch batch;
        for (std::size_t i = 0; i < count; ++i) {
            storage::Batch one = good(records.prepare(stores.record(), prints));
            std::ranges::move(one.operations, std::back_inserter(batch.operations));
        }
        good(store->apply(std::move(batch)));
    };
    append(kSimilarCandidatesMax / kRecordPrintsMax);
    const SimilarRecords all = good(records.find_similar(kVideoPrint, bands));
    CHECK_FALSE(all.cut);
    CHECK(all.found.size() == kSimilarCandidatesMax / kRecordPrintsMax * kRecordPrintsMax);
    append(1);
    const SimilarRecords newest = good(records.find_similar(kVideoPrint, bands));
    CHECK(newest.cut);
    CHECK(newest.found.size() == kSimilarCandidatesMax);
}

}  // namespace colophon::ledger
