// SPDX-License-Identifier: Apache-2.0
#include "ledger/tiles.h"

#include "core/bytes.h"
#include "core/result.h"
#include "ledger/log_fixture.h"
#include "ledger/merkle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {
namespace {

TEST_CASE("paths of tiles are written and read as tlog-tiles has them") {
    struct Row {
        Tile tile;
        std::string_view path;
    };
    constexpr TileKind kHashes = TileKind::kHashes;
    constexpr TileKind kEntries = TileKind::kEntries;
    const Row rows[] = {
        {{kHashes, 0, 0, 256}, "tile/0/000"},
        {{kHashes, 0, 999, 256}, "tile/0/999"},
        {{kHashes, 1, 1000, 256}, "tile/1/x001/000"},
        {{kHashes, 0, 1234067, 256}, "tile/0/x001/x234/067"},
        {{kHashes, 63, 5, 1}, "tile/63/005.p/1"},
        {{kHashes, 0, 273, 112}, "tile/0/273.p/112"},
        {{kEntries, 0, 1234067, 8}, "tile/entries/x001/x234/067.p/8"},
        {{kEntries, 0, 1ULL << 53U, 255}, "tile/entries/x009/x007/x199/x254/x740/992.p/255"},
    };
    for (const Row& row : rows) {
        CHECK(tile_path(row.tile) == row.path);
        const auto back = parse_tile_path(row.path);
        REQUIRE(back.ok());
        CHECK(*back == row.tile);
    }
}

TEST_CASE("a path that is not the one name of a tile is refused") {
    for (const std::string_view path : {"",
                                        "tile",
                                        "tile/",
                                        "tile/0",
                                        "tile/0/",
                                        "tile/0/1",
                                        "tile/0/01",
                                        "tile/0/0001",
                                        "tile/0/x1/000",
                                        "tile/0/x001",
                                        "tile/0/x001/",
                                        "tile/0/001/000",
                                        "tile/0/x000/001",
                                        "tile/0/000.p/0",
                                        "tile/0/000.p/256",
                                        "tile/0/000.p/01",
                                        "tile/0/000.p/",
                                        "tile/0/000.p",
                                        "tile/0/000.p/-1",
                                        "tile/0/+01",
                                        "tile/0/%2e%2e",
                                        "tile/0/../x",
                                        "tile/64/000",
                                        "tile/00/000",
                                        "tile/-1/000",
                                        "tile//000",
                                        "tile/data/000",
                                        "tile/entries/",
                                        "tile/entries/000.p/1/2",
                                        "/tile/0/000",
                                        "tile/0/000 ",
                                        "tile/0/\xEF\xBC\x91\x30\x30",
                                        "tile/0/x999/x999/x999/x999/x999/999",
                                        "tile/0/x018/x014/x398/x509/x481/985"}) {
        CAPTURE(path);
        CHECK_FALSE(parse_tile_path(path).ok());
    }
}

// The set of tiles by the formula of the specification, straight from its words.
std::set<std::string> expected_paths(std::uint64_t size) {
    std::set<std::string> paths;
    for (std::uint64_t n = 0; n < size / 256; ++n) {
        paths.insert(tile_path({TileKind::kEntries, 0, n, 256}));
    }
    if (size % 256 != 0) {
        paths.insert(tile_path({TileKind::kEntries, 0, size / 256, size % 256}));
    }
    unsigned level = 0;
    for (std::uint64_t hashes = size; hashes > 0; hashes /= 256) {
        for (std::uint64_t n = 0; n < hashes / 256; ++n) {
            paths.insert(tile_path({TileKind::kHashes, level, n, 256}));
        }
        if (hashes % 256 != 0) {
            paths.insert(tile_path({TileKind::kHashes, level, hashes / 256, hashes % 256}));
        }
        ++level;
    }
    return paths;
}

TEST_CASE("a log of each size has exactly the tiles of the formula") {
    std::vector<std::uint64_t> sizes{65535, 65536, 65537, 70000, 16777217};
    for (std::uint64_t size = 0; size <= 600; ++size) {
        sizes.push_back(size);
    }
    for (const std::uint64_t size : sizes) {
        CAPTURE(size);
        std::set<std::string> paths;
        std::size_t count = 0;
        for_each_tile(0, size, [&](const Tile& tile) {
            REQUIRE(tile.width > 0);
            paths.insert(tile_path(tile));
            ++count;
        });
        REQUIRE(count == paths.size());
        REQUIRE(paths == expected_paths(size));
    }
    std::set<std::string> seventy;
    for (const Tile& tile : tiles_of(70000)) {
        seventy.insert(tile_path(tile));
    }
    for (const std::string_view path :
         {"tile/0/000", "tile/0/272", "tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17",
          "tile/2/000.p/1", "tile/entries/272", "tile/entries/273.p/112"}) {
        CHECK(seventy.contains(std::string(path)));
    }
    CHECK(seventy.size() == 2U * 274U + 2U + 1U);
}

TEST_CASE("growing step by step makes each tile that the larger log needs") {
    std::set<std::string> grown;
    std::uint64_t size = 0;
    for (const std::uint64_t step : {1U, 254U, 1U, 1U, 255U, 300U, 65000U, 1U, 4200U}) {
        for_each_tile(size, size + step, [&](const Tile& tile) { grown.insert(tile_path(tile)); });
        size += step;
        for (const std::string& path : expected_paths(size)) {
            REQUIRE(grown.contains(path));
        }
    }
    for_each_tile(size, size, [&](const Tile&) { FAIL("no growth, no tile"); });
}

TEST_CASE("a bundle gives its entries back, the shortest and the longest too") {
    const Buffer empty;
    const Buffer one{0x42};
    const Buffer longest(65535, 0xA5);
    const std::vector<Bytes> entries{empty, one, longest, empty};
    const Buffer bundle = encode_bundle(entries).value();
    CHECK(bundle.size() == 4 * 2 + 1 + 65535);
    const auto back = parse_bundle(bundle, 4);
    REQUIRE(back.ok());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        CHECK(to_buffer((*back)[i]) == to_buffer(entries[i]));
    }
    CHECK(parse_bundle(bundle, 3).error().code == ErrorCode::kCorrupt);
    CHECK(parse_bundle(bundle, 5).error().code == ErrorCode::kCorrupt);
    CHECK(parse_bundle(Bytes(bundle).first(bundle.size() - 3), 4).error().code ==
          ErrorCode::kCorrupt);
    const Buffer too_long(65536, 0);
    const std::vector<Bytes> wrong{one, too_long};
    const auto refused = encode_bundle(wrong);
    CHECK(refused.error().code == ErrorCode::kLimit);
    CHECK(refused.error().what == "entry 1 of the bundle has 65536 bytes; at most 65535 fit");
}

TEST_CASE("a tile is exactly its hashes") {
    const Hashes hashes = test::numbered_leaves(3);
    const Buffer bytes = encode_tile(hashes);
    CHECK(bytes.size() == 96);
    CHECK(parse_tile(bytes, 3).value() == hashes);
    CHECK(parse_tile(bytes, 2).error().what == "a tile of 2 hashes has 64 bytes, not 96");
    CHECK_FALSE(parse_tile(Bytes(bytes).first(95), 3).ok());
}

// Tiles of a whole log in memory, from the hashes of its entries.
std::map<std::string, Buffer> make_tiles(const Hashes& leaves) {
    std::map<std::string, Buffer> tiles;
    Hashes row = leaves;
    for (unsigned level = 0; !row.empty(); ++level) {
        Hashes above;
        for (std::size_t at = 0; at < row.size(); at += 256) {
            const std::size_t width = std::min<std::size_t>(256, row.size() - at);
            const auto part = std::span(row).subspan(at, width);
            tiles[tile_path({TileKind::kHashes, level, at / 256, width})] = encode_tile(part);
            if (width == 256) {
                above.push_back(test::defined_root(row, at, at + 256));
            }
        }
        row = above;
    }
    return tiles;
}

TEST_CASE("nodes read from tiles are those of the tree, over three levels of tiles") {
    const Hashes leaves = test::numbered_leaves(66000);
    auto tiles = make_tiles(leaves);
    const test::MemoryTree tree(leaves);
    std::size_t reads = 0;
    TileNodes nodes(66000, [&](const Tile& tile) -> Result<Buffer> {
        ++reads;
        const auto found = tiles.find(tile_path(tile));
        if (found == tiles.end()) {
            return Error{ErrorCode::kNotFound, "no " + tile_path(tile)};
        }
        return found->second;
    });
    CHECK(root_at(66000, nodes.reader()).value() == root_at(66000, tree.reader()).value());
    CHECK(reads == 3);
    for (std::uint64_t index = 0; index < 66000; index += 997) {
        CHECK(inclusion_proof(index, 66000, nodes.reader()).value() ==
              inclusion_proof(index, 66000, tree.reader()).value());
    }
    // A partial tile that is gone because the full one is there.
    TileNodes older(300, [&](const Tile& tile) -> Result<Buffer> {
        const auto found = tiles.find(tile_path(tile));
        if (found == tiles.end()) {
            return Error{ErrorCode::kNotFound, "no " + tile_path(tile)};
        }
        return found->second;
    });
    CHECK(root_at(300, older.reader()).value() == root_at(300, tree.reader()).value());
    tiles["tile/0/000"].pop_back();
    TileNodes broken(255, [&](const Tile& tile) -> Result<Buffer> {
        const auto found = tiles.find(tile_path(tile));
        if (found == tiles.end()) {
            return Error{ErrorCode::kNotFound, "no " + tile_path(tile)};
        }
        return found->second;
    });
    CHECK(root_at(255, broken.reader()).error().what ==
          "tile/0/000: a tile of 256 hashes has 8192 bytes, not 8191");
}

}  // namespace
}  // namespace colophon::ledger
