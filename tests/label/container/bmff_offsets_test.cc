// SPDX-License-Identifier: Apache-2.0
#include "label/container/bmff_offsets.h"

#include "core/bytes.h"
#include "core/splice.h"
#include "label/container/bmff_boxes.h"
#include "label/metadata/bmff_media.h"

#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::test {
namespace {

namespace bmff = label::bmff;

std::uint32_t word_at(const Buffer& file, std::string_view box_name, std::size_t skip) {
    return load_be32(Bytes(file).subspan(find_name(file, box_name) + 4 + skip));
}

TEST_CASE("every table that points into the file follows what was inserted before its target") {
    const std::uint32_t media = 1000;  // a place behind the insertion
    const Buffer stbl =
        box("stbl", join({box("stco", join({be32(0), be32(2), be32(4), be32(media)})),
                          box("co64", join({be32(0), be32(1), be32(0), be32(media)})),
                          box("saio", join({be32(0), be32(1), be32(media)}))}));
    const Buffer moov = box("moov", box("trak", box("mdia", box("minf", stbl))));
    const Buffer tfhd = box("tfhd", join({be32(1), be32(1), be32(0), be32(media)}));
    const Buffer trun = box("trun", join({be32(1), be32(1), be32(8)}));
    const Buffer moof = box("moof", box("traf", join({tfhd, trun})));
    const Buffer tfra =
        box("tfra", join({be32(0), be32(1), be32(0), be32(1), be32(0), be32(media), Buffer(3, 1)}));
    // The index stands before the movie here, so that what it counts includes the insertion.
    const Buffer sidx = box("sidx", join({be32(0), be32(1), be32(1000), be32(0), be32(0), be16(0),
                                          be16(1), be32(2000), be32(0), be32(0)}));
    const Buffer file = join({box("ftyp", "isom"), sidx, moov, moof, box("mfra", tfra),
                              box("mdat", std::string(3000, 'm'))});
    bmff::BoxReader boxes(file);
    bmff::Box movie;
    for (auto next = boxes.next(); next.ok() && next->has_value(); next = boxes.next()) {
        movie = (*next)->type == bmff::box_type("moov") ? **next : movie;
    }
    bmff::FileEdits edits;
    edits.replace(movie.end(), 0, box("free", "12"), std::vector{movie});
    REQUIRE(bmff::shift_offsets(file, edits).ok());
    const auto splice = edits.finish(file);
    REQUIRE(splice.ok());
    const Buffer moved = apply_splice(file, *splice);
    CHECK(moved.size() == file.size() + 10);
    CHECK(word_at(moved, "moov", 0) == word_at(file, "moov", 0));
    CHECK(load_be32(Bytes(moved).subspan(find_name(moved, "moov") - 4)) == moov.size() + 10);
    CHECK(word_at(moved, "stco", 8) == 4);
    CHECK(word_at(moved, "stco", 12) == media + 10);
    CHECK(word_at(moved, "co64", 12) == media + 10);
    CHECK(word_at(moved, "saio", 8) == media + 10);
    CHECK(word_at(moved, "tfhd", 12) == media + 10);
    CHECK(word_at(moved, "trun", 8) == 8);
    CHECK(word_at(moved, "tfra", 20) == media + 10);
    CHECK(word_at(moved, "sidx", 24) == 2010);
}

TEST_CASE("changes that overlap are an error, and a map says where bytes went") {
    const Buffer file(100, 'x');
    bmff::FileEdits edits;
    edits.replace(10, 5, Buffer(2, 'a'), {});
    edits.replace(20, 0, Buffer(7, 'b'), {});
    const bmff::Moves moves = edits.moves();
    CHECK(moves(9) == 9);
    CHECK(moves(10) == 10);
    CHECK(moves(15) == 12);
    CHECK(moves(19) == 16);
    CHECK(moves(20) == 24);
    CHECK(edits.finish(file)->size() == 104);
    edits.overwrite(12, Buffer(6, 'c'));
    CHECK(edits.finish(file).error().code == ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace colophon::test
