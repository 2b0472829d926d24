// SPDX-License-Identifier: Apache-2.0
// Files that are made of several, of which one may be taken away (C2PA 2.4, 18.9 and 15.12.4).

#include "core/bytes.h"
#include "core/random.h"
#include "label/format.h"
#include "label/provenance/cbor.h"
#include "label/provenance/forge.h"
#include "label/provenance/hashing.h"
#include "label/provenance/internal/bmff_hash.h"
#include "label/provenance/internal/claim_writer.h"
#include "label/provenance/multi_part.h"
#include "label/provenance/validate.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::label::provenance {
namespace {

using test::Forge;
using test::MultiPart;

CredentialReading read(Bytes file, Format format) {
    return read_credential(file, format, test::forge_authority().trust()).value();
}

std::string judged(Bytes file) {
    return test::failures(read(file, Format::kJpeg));
}

TEST_CASE("a file of two parts is intact as a whole and without the part that may go") {
    for (const bool boxes : {false, true}) {
        CAPTURE(boxes);
        const MultiPart parts({.boxes = boxes});
        CHECK(judged(parts.whole()) == "");
        CHECK(read(parts.whole(), Format::kJpeg).trusted());
        CHECK(judged(parts.without_last()) == "");
        CHECK(read(parts.without_last(), Format::kJpeg).trusted());
        // Half of it is neither there nor gone, and something else is not it.
        Buffer half = parts.whole();
        half.resize(half.size() - parts.second_size() / 2);
        CHECK(judged(half) == "assertion.multiAssetHash.mismatch");
        Buffer other = parts.without_last();
        other.resize(parts.whole().size());
        CHECK(judged(other) == "assertion.multiAssetHash.mismatch");
        Buffer longer = parts.without_last();
        longer.push_back(0);
        CHECK(judged(longer) == "assertion.multiAssetHash.mismatch");
        longer = parts.whole();
        longer.push_back(0);
        CHECK(judged(longer) == "assertion.multiAssetHash.malformed");
    }
}

TEST_CASE("parts that leave bytes to nobody, and two lists of parts, hold nothing") {
    Buffer file = MultiPart({.gap = 4}).whole();
    // What no part covers is covered by the hash over the whole.
    CHECK(judged(file) == "");
    file.back() ^= 1U;
    CHECK(judged(file) == "assertion.multiAssetHash.malformed");
    CHECK(judged(MultiPart({.twice = true}).without_last()) ==
          "assertion.multiAssetHash.malformed");
}

TEST_CASE("a changed bit in a part is noticed" * doctest::test_suite("slow attacks")) {
    SeededRandom random(189);
    const MultiPart parts;
    const Buffer file = parts.without_last();
    for (int i = 0; i < 300; ++i) {
        const auto at = static_cast<std::size_t>(random.next().value() % file.size());
        Buffer changed = file;
        changed[at] ^= static_cast<std::uint8_t>(1U << (random.next().value() % 8));
        const auto reading =
            read_credential(changed, Format::kJpeg, test::forge_authority().trust());
        // The number of a JUMBF box in a JPEG means nothing.
        const std::uint64_t store =
            find_carrier(Format::kJpeg)->find(file).value()->ranges.front().offset;
        if (at == store + 6 || at == store + 7) {
            continue;
        }
        CHECK_MESSAGE((!reading.ok() || !reading->intact()), "byte ", at);
    }
}

// A film in a box at the end of a picture's file, named by the box.
TEST_CASE("a part may be named by its box") {
    Forge forge(Format::kHeic);
    const std::string film = "a film";
    const std::string box = std::string("\0\0\0\x0Empvd", 8) + film;
    append(forge.file, as_bytes(box));
    forge.binding = "c2pa.hash.bmff.v3";
    // The hash over the whole does not fit, as if a part had been taken away before.
    forge.change_hash = [](cbor::Map& map) { test::put(map, "hash", Buffer(32)); };
    const auto usual = test::usual_place(forge.file, Format::kHeic);
    const auto with_parts = [&](const test::PlacedStore& placed, std::string_view name) {
        Forge made = forge;
        const std::size_t split = placed.file.size() - box.size();
        made.set("c2pa.hash.bmff.v3.part",
                 internal::bmff_hash(internal::hash_bmff(HashAlgorithm::kSha256,
                                                         FileView(Bytes(placed.file).first(split)),
                                                         internal::standard_bmff_exclusions(), true)
                                         .value()));
        made.set("c2pa.hash.data.part",
                 internal::data_hash({}, hash(HashAlgorithm::kSha256, as_bytes(film))));
        made.set(
            "c2pa.hash.multi-asset",
            cbor::Map{{"parts",
                       cbor::Array{
                           cbor::Map{{"location", cbor::Map{{"byteOffset", 0},
                                                            {"length", std::uint64_t{split}}}},
                                     {"hashAssertion", made.reference("c2pa.hash.bmff.v3.part")}},
                           cbor::Map{{"location", cbor::Map{{"bmffBox", name}}},
                                     {"hashAssertion", made.reference("c2pa.hash.data.part")}}}}});
        return made;
    };
    const auto make = [&](std::string_view name) {
        test::PlacedStore placed = usual(Buffer(16));
        for (int i = 0; i < 2; ++i) {
            placed = usual(with_parts(placed, name).store(placed, false));
        }
        return usual(with_parts(placed, name).store(placed, true)).file;
    };
    Buffer file = make("/mpvd");
    const CredentialReading reading = read(file, Format::kHeic);
    CHECK(test::failures(reading) == "");
    CHECK(reading.trusted());
    CHECK(test::failures(read(make("/free"), Format::kHeic)) ==
          "assertion.multiAssetHash.malformed");
    file.back() ^= 1U;
    CHECK(test::failures(read(file, Format::kHeic)) == "assertion.multiAssetHash.mismatch");
}

}  // namespace
}  // namespace colophon::label::provenance
