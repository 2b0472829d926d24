// SPDX-License-Identifier: Apache-2.0
#include "ledger/tiles.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/result.h"
#include "ledger/limits.h"
#include "ledger/merkle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::string_view kRoot = "tile/";
constexpr std::string_view kEntries = "entries";
constexpr std::uint64_t kIndexMax = 1ULL << 54U;
constexpr std::size_t kHashBytes = sizeof(Hash);

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Decimal, no sign, no leading zero, at most `max`.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) {
    constexpr std::size_t kDigitsMax = 19;
    if (text.empty() || text.size() > kDigitsMax || (text.size() > 1 && text[0] == '0') ||
        !std::ranges::all_of(text, is_digit)) {
        return std::nullopt;
    }
    std::uint64_t value = 0;
    for (const char c : text) {
        value = value * 10 + static_cast<std::uint64_t>(c - '0');
    }
    return value <= max ? std::optional(value) : std::nullopt;
}

std::string index_path(std::uint64_t index) {
    std::string path = fmt::format("{:03}", index % 1000);
    for (std::uint64_t rest = index / 1000; rest > 0; rest /= 1000) {
        path = fmt::format("x{:03}/{}", rest % 1000, path);
    }
    return path;
}

// "x001/x234/067". Leading groups of zeros would give one tile two names.
std::optional<std::uint64_t> parse_index(std::string_view path) {
    std::uint64_t index = 0;
    for (bool first = true;; first = false) {
        const std::size_t slash = path.find('/');
        std::string_view group = path.substr(0, slash);
        const bool last = slash == std::string_view::npos;
        if (!last) {
            if (!group.starts_with('x')) {
                return std::nullopt;
            }
            group.remove_prefix(1);
        }
        if (group.size() != 3 || !std::ranges::all_of(group, is_digit) ||
            (first && !last && group == "000") || index > kIndexMax / 1000) {
            return std::nullopt;
        }
        index = index * 1000 + static_cast<std::uint64_t>(group[0] - '0') * 100 +
                static_cast<std::uint64_t>(group[1] - '0') * 10 +
                static_cast<std::uint64_t>(group[2] - '0');
        if (last) {
            return index <= kIndexMax ? std::optional(index) : std::nullopt;
        }
        path.remove_prefix(slash + 1);
    }
}

}  // namespace

std::string tile_path(const Tile& tile) {
    std::string path(kRoot);
    path += tile.kind == TileKind::kEntries ? std::string(kEntries) : fmt::format("{}", tile.level);
    path += "/" + index_path(tile.index);
    if (tile.partial()) {
        path += fmt::format(".p/{}", tile.width);
    }
    return path;
}

Result<Tile> parse_tile_path(std::string_view path) {
    const Error bad{ErrorCode::kInvalidArgument, "not the path of a tile"};
    const std::string_view whole = path;
    if (!path.starts_with(kRoot)) {
        return bad;
    }
    path.remove_prefix(kRoot.size());
    const std::size_t slash = path.find('/');
    if (slash == std::string_view::npos) {
        return bad;
    }
    Tile tile;
    const std::string_view level = path.substr(0, slash);
    path.remove_prefix(slash + 1);
    if (level == kEntries) {
        tile.kind = TileKind::kEntries;
    } else {
        const auto number = parse_decimal(level, kTileLevelMax);
        if (!number) {
            return bad;
        }
        tile.level = static_cast<unsigned>(*number);
    }
    if (const std::size_t dot = path.find(".p/"); dot != std::string_view::npos) {
        const auto width = parse_decimal(path.substr(dot + 3), kTileWidth - 1);
        if (!width || *width == 0) {
            return bad;
        }
        tile.width = *width;
        path = path.substr(0, dot);
    }
    const auto index = parse_index(path);
    if (!index) {
        return bad;
    }
    tile.index = *index;
    COLOPHON_ASSERT(tile_path(tile) == whole);
    return tile;
}

void for_each_tile(std::uint64_t old_size, std::uint64_t size,
                   const std::function<void(const Tile&)>& each) {
    COLOPHON_ASSERT(old_size <= size && size <= limits::kTreeSizeMax);
    const auto row = [&](TileKind kind, unsigned level, std::uint64_t before, std::uint64_t count) {
        if (before == count) {
            return;
        }
        for (std::uint64_t index = before / kTileWidth; index * kTileWidth < count; ++index) {
            each(Tile{.kind = kind,
                      .level = level,
                      .index = index,
                      .width = std::min(kTileWidth, count - index * kTileWidth)});
        }
    };
    row(TileKind::kEntries, 0, old_size, size);
    for (unsigned level = 0; size >> (kTileHeight * level) > 0; ++level) {
        row(TileKind::kHashes, level, old_size >> (kTileHeight * level),
            size >> (kTileHeight * level));
        if (kTileHeight * (level + 1) >= 64) {
            break;
        }
    }
}

std::vector<Tile> tiles_of(std::uint64_t size) {
    std::vector<Tile> tiles;
    for_each_tile(0, size, [&](const Tile& tile) { tiles.push_back(tile); });
    return tiles;
}

Tile tile_of(Node node, std::uint64_t size) {
    const unsigned level = node.level / kTileHeight;
    const unsigned above = node.level % kTileHeight;
    const std::uint64_t first = node.index << above;  // of the row of this tile's level
    const std::uint64_t count = size >> (kTileHeight * level);
    COLOPHON_ASSERT(first < count);
    const std::uint64_t index = first / kTileWidth;
    return Tile{.kind = TileKind::kHashes,
                .level = level,
                .index = index,
                .width = std::min(kTileWidth, count - index * kTileWidth)};
}

Result<Buffer> encode_bundle(std::span<const Bytes> entries) {
    Buffer out;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].size() > limits::kEntryBytesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("entry {} of the bundle has {} bytes; at "
                                     "most {} fit",
                                     i, entries[i].size(), limits::kEntryBytesMax)};
        }
        append_be16(out, static_cast<std::uint16_t>(entries[i].size()));
        append(out, entries[i]);
    }
    return out;
}

Result<std::vector<Bytes>> parse_bundle(Bytes bundle, std::uint64_t count) {
    COLOPHON_ASSERT(count <= kTileWidth);
    std::vector<Bytes> entries;
    entries.reserve(count);
    ByteReader reader(bundle);
    while (entries.size() < count) {
        const std::uint16_t bytes = TRY(reader.be16("length of an entry"));
        entries.push_back(TRY(reader.take(bytes, "entry")));
    }
    if (!reader.done()) {
        return corrupt_at("something behind the last entry", reader.offset());
    }
    return entries;
}

Buffer encode_tile(std::span<const Hash> hashes) {
    Buffer out;
    out.reserve(hashes.size() * kHashBytes);
    for (const Hash& hash : hashes) {
        append(out, hash);
    }
    return out;
}

Result<Hashes> parse_tile(Bytes bytes, std::uint64_t width) {
    if (bytes.size() != width * kHashBytes) {
        return Error{ErrorCode::kCorrupt, fmt::format("a tile of {} hashes has {} bytes, not {}",
                                                      width, width * kHashBytes, bytes.size())};
    }
    Hashes hashes(width);
    for (std::size_t i = 0; i < hashes.size(); ++i) {
        std::ranges::copy(bytes.subspan(i * kHashBytes, kHashBytes), hashes[i].begin());
    }
    return hashes;
}

Result<Buffer> read_entry(const ReadTile& read, std::uint64_t index, std::uint64_t size) {
    if (index >= size) {
        return Error{ErrorCode::kNotFound,
                     fmt::format("entry {} is not in a log of {} entries", index, size)};
    }
    Tile tile{.kind = TileKind::kEntries, .level = 0, .index = index / kTileWidth};
    tile.width = std::min(kTileWidth, size - tile.index * kTileWidth);
    auto bundle = read(tile);
    if (!bundle.ok() && bundle.error().code == ErrorCode::kNotFound && tile.partial()) {
        Tile full = tile;
        full.width = kTileWidth;
        if (auto other = read(full); other.ok()) {
            bundle = std::move(other);
            tile = full;
        }
    }
    if (!bundle.ok()) {
        return bundle.error();
    }
    const auto entries = parse_bundle(*bundle, tile.width);
    if (!entries.ok()) {
        return with_context(entries.error(), tile_path(tile));
    }
    return to_buffer((*entries)[index % kTileWidth]);
}

Result<Hashes> TileNodes::load(const Tile& tile) {
    Tile stored = tile;
    auto bytes = read_(stored);
    if (!bytes.ok() && bytes.error().code == ErrorCode::kNotFound && tile.partial()) {
        stored.width = kTileWidth;
        auto full = read_(stored);
        // The missing partial tile is what the reader asked for, so that is what is told.
        if (full.ok() || full.error().code != ErrorCode::kNotFound) {
            bytes = std::move(full);
        }
    }
    if (!bytes.ok()) {
        return bytes.error();
    }
    auto hashes = parse_tile(*bytes, stored.width);
    if (!hashes.ok()) {
        return with_context(hashes.error(), tile_path(stored));
    }
    hashes->resize(tile.width);
    return hashes;
}

Result<Hash> TileNodes::node(Node node) {
    const Tile tile = tile_of(node, size_);
    auto found = loaded_.find(tile);
    if (found == loaded_.end()) {
        found = loaded_.emplace(tile, TRY(load(tile))).first;
    }
    const unsigned above = node.level % kTileHeight;
    const std::uint64_t first = (node.index << above) % kTileWidth;
    const std::uint64_t count = 1ULL << above;
    COLOPHON_ASSERT(first + count <= found->second.size());
    return row_root(std::span(found->second).subspan(first, count));
}

}  // namespace colophon::ledger
