// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the hashes and entries of a log lie: C2SP tlog-tiles. docs/formats/ledger-tiles.md has the
// grammar.
//
// A tile of level L and index N holds up to 256 hashes; hash i covers the entries
// [(256 N + i) * 256^L, (256 N + i + 1) * 256^L). A full tile never changes. At the right edge a
// partial tile of width 1..255 has a name of its own, "...p/W", so it never changes either.
// Bundles hold the entries themselves, each behind its length in 16 bits, cut at the same places.

#include "core/bytes.h"
#include "ledger/merkle.h"

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

inline constexpr unsigned kTileHeight = 8;
inline constexpr std::uint64_t kTileWidth = 1U << kTileHeight;
inline constexpr unsigned kTileLevelMax = 63;

enum class TileKind : std::uint8_t { kHashes, kEntries };

struct Tile {
    TileKind kind = TileKind::kHashes;
    unsigned level = 0;         // 0 for entries
    std::uint64_t index = 0;    // at most 2^54
    std::uint64_t width = 256;  // 1..256
    bool partial() const noexcept { return width < kTileWidth; }
    auto operator<=>(const Tile&) const = default;
};

// "tile/0/x001/x234/067.p/8", "tile/entries/000".
std::string tile_path(const Tile& tile);
// The same form back, and nothing else: kInvalidArgument for other paths.
Result<Tile> parse_tile_path(std::string_view path);

// Calls `each` for all tiles and bundles of a log of `size` entries that `old_size` entries did not
// have yet: bundles first, then levels upwards, from left to right. With old_size 0: all there is.
void for_each_tile(std::uint64_t old_size, std::uint64_t size,
                   const std::function<void(const Tile&)>& each);
std::vector<Tile> tiles_of(std::uint64_t size);

// The tile of a log of `size` entries that has the node or a row from which it follows.
Tile tile_of(Node node, std::uint64_t size);

// kLimit for an entry of 65,536 bytes and more, naming its place.
Result<Buffer> encode_bundle(std::span<const Bytes> entries);
// Views into `bundle`. kCorrupt unless there are exactly `count` entries and nothing behind them.
Result<std::vector<Bytes>> parse_bundle(Bytes bundle, std::uint64_t count);

Buffer encode_tile(std::span<const Hash> hashes);
// kCorrupt unless the bytes are exactly `width` hashes.
Result<Hashes> parse_tile(Bytes bytes, std::uint64_t width);

// Reads the file of a tile. kNotFound when there is none.
using ReadTile = std::function<Result<Buffer>(const Tile&)>;

// The entry at `index` of a log of `size` entries, out of its bundle. kNotFound, kCorrupt.
Result<Buffer> read_entry(const ReadTile& read, std::uint64_t index, std::uint64_t size);

// Nodes of a log of `size` entries out of its tiles, each tile read once. Asks for the partial
// tiles of exactly that size and, when one is not found, for the full tile, as tlog-tiles has it.
class TileNodes {
public:
    TileNodes(std::uint64_t size, ReadTile read) : size_(size), read_(std::move(read)) {}
    Result<Hash> node(Node node);
    ReadNode reader() {
        return [this](Node each) { return node(each); };
    }

private:
    Result<Hashes> load(const Tile& tile);

    std::uint64_t size_;
    ReadTile read_;
    std::map<Tile, Hashes> loaded_;
};

}  // namespace colophon::ledger
