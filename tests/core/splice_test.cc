// SPDX-License-Identifier: Apache-2.0
#include "core/splice.h"

#include "core/bytes.h"
#include "core/random.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>

namespace colophon {
namespace {

std::uint64_t below(Random& random, std::uint64_t bound) {
    return random.next().value() % bound;
}

TEST_CASE("any sequence of copies and insertions gives what plain appending gives") {
    for (std::uint64_t seed = 0; seed < 300; ++seed) {
        CAPTURE(seed);
        SeededRandom random(seed);
        Buffer source(1 + below(random, 200));
        REQUIRE(random.fill(source).ok());
        Splice splice;
        Buffer plain;
        std::uint64_t inserted = 0;
        const std::uint64_t steps = below(random, 40);
        for (std::uint64_t step = 0; step < steps; ++step) {
            if (below(random, 2) == 0) {
                const std::uint64_t offset = below(random, source.size() + 1);
                const std::uint64_t size = below(random, source.size() - offset + 1);
                splice.copy(offset, size);
                append(plain, slice(source, offset, size).value());
            } else {
                Buffer bytes(below(random, 10));
                REQUIRE(random.fill(bytes).ok());
                inserted += bytes.size();
                append(plain, bytes);
                splice.insert(Bytes(bytes));
            }
        }
        CHECK(apply_splice(source, splice) == plain);
        CHECK(splice.size() == plain.size());
        CHECK(splice.inserted() == inserted);
        for (const SplicePiece& piece : splice.pieces()) {
            CHECK((piece.source_size == 0) != piece.bytes.empty());
        }
    }
}

TEST_CASE("neighbours are joined, strangers are not, and nothing is no piece") {
    Splice splice;
    splice.copy(0, 0);
    splice.insert(Buffer{});
    CHECK(splice.pieces().empty());
    splice.copy(0, 3);
    splice.copy(3, 2);
    splice.copy(4, 1);
    splice.insert(to_buffer("a"));
    splice.insert(to_buffer("b"));
    splice.copy(5, 1);
    REQUIRE(splice.pieces().size() == 4);
    CHECK(splice.pieces()[0].source_size == 5);
    CHECK(splice.pieces()[1].source_offset == 4);
    CHECK(as_text(splice.pieces()[2].bytes) == "ab");
    CHECK(splice.size() == 9);
}

}  // namespace
}  // namespace colophon
