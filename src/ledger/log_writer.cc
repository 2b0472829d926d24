// SPDX-License-Identifier: Apache-2.0
#include "ledger/log_writer.h"

#include "core/bytes.h"
#include "core/result.h"
#include "ledger/checkpoint.h"
#include "ledger/limits.h"
#include "ledger/log_objects.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/tiles.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

constexpr std::string_view kCheckpoint = "checkpoint";
constexpr std::string_view kStaging = "staging";

using NewObjects = std::vector<NamedObject>;

std::string stage_name(const Tree& tree) {
    return fmt::format("{}/{}-{}", kStaging, tree.size, to_hex(tree.root));
}

// Stage: old size (8 bytes), number of entries (4), then each as in a bundle.
Buffer encode_stage(std::uint64_t old_size, std::span<const Bytes> entries) {
    Buffer out;
    append_be64(out, old_size);
    append_be32(out, static_cast<std::uint32_t>(entries.size()));
    for (const Bytes entry : entries) {
        append_be16(out, static_cast<std::uint16_t>(entry.size()));
        append(out, entry);
    }
    return out;
}

struct Stage {
    std::uint64_t old_size = 0;
    std::vector<Bytes> entries;  // views into the stage's bytes
};

Result<Stage> parse_stage(Bytes bytes) {
    ByteReader reader(bytes);
    Stage stage;
    stage.old_size = TRY(reader.be64("size before the batch"));
    const std::uint32_t count = TRY(reader.be32("number of entries"));
    if (count > limits::kBatchEntriesMax) {
        return corrupt_at("more entries than a batch may have", 8);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint16_t size = TRY(reader.be16("length of an entry"));
        stage.entries.push_back(TRY(reader.take(size, "entry")));
    }
    if (!reader.done()) {
        return corrupt_at("something behind the last entry", reader.offset());
    }
    return stage;
}

Result<void> check_batch(std::span<const Bytes> entries, std::uint64_t old_size) {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        bytes += entries[i].size();
        if (entries[i].size() > limits::kEntryBytesMax) {
            return Error{ErrorCode::kLimit,
                         fmt::format("entry {} of the batch has {} bytes; at most {} fit", i,
                                     entries[i].size(), limits::kEntryBytesMax)};
        }
    }
    if (entries.size() > limits::kBatchEntriesMax || bytes > limits::kBatchBytesMax) {
        return Error{
            ErrorCode::kLimit,
            fmt::format("a batch of {} entries and {} bytes; at most {} and {} go at once",
                        entries.size(), bytes, limits::kBatchEntriesMax, limits::kBatchBytesMax)};
    }
    if (old_size > limits::kTreeSizeMax - entries.size()) {
        return Error{ErrorCode::kLimit, "the log is full"};
    }
    return {};
}

// The hashes of the partial tile at the right edge of a level; none when the last one is full.
Result<Hashes> right_row(const ReadTile& read, unsigned level, std::uint64_t count) {
    const std::uint64_t width = count % kTileWidth;
    if (width == 0) {
        return Hashes{};
    }
    const Tile tile{.level = level, .index = count / kTileWidth, .width = width};
    return parse_tile(TRY(read(tile)), width);
}

// Cuts a row that starts at hash `first` of its level into tiles and returns the hashes that the
// full ones give to the level above.
Hashes cut_row(unsigned level, std::uint64_t first, const Hashes& row, NewObjects& out) {
    Hashes above;
    for (std::size_t at = 0; at < row.size(); at += kTileWidth) {
        const std::size_t width = std::min<std::size_t>(kTileWidth, row.size() - at);
        const auto part = std::span(row).subspan(at, width);
        const Tile tile{
            .level = level, .index = first / kTileWidth + at / kTileWidth, .width = width};
        out.push_back({tile_path(tile), encode_tile(part)});
        if (width == kTileWidth) {
            above.push_back(row_root(part));
        }
    }
    return above;
}

Hashes hashes_of(std::span<const Bytes> entries) {
    Hashes hashes;
    hashes.reserve(entries.size());
    for (const Bytes entry : entries) {
        hashes.push_back(leaf_hash(entry));
    }
    return hashes;
}

// Tiles that `leaves` behind `old_size` entries make, given the stored right edge.
Result<void> plan_tiles(const ReadTile& read, std::uint64_t old_size, Hashes leaves,
                        NewObjects& out) {
    Hashes added = std::move(leaves);
    for (unsigned level = 0; !added.empty(); ++level) {
        const std::uint64_t count = old_size >> (kTileHeight * level);
        Hashes row = TRY(right_row(read, level, count));
        const std::uint64_t first = count - row.size();
        row.insert(row.end(), added.begin(), added.end());
        added = cut_row(level, first, row, out);
    }
    return {};
}

Result<void> plan_bundles(const ReadTile& read, std::uint64_t old_size,
                          std::span<const Bytes> entries, NewObjects& out) {
    Buffer edge;
    std::vector<Bytes> row;
    if (const std::uint64_t width = old_size % kTileWidth; width != 0) {
        edge = TRY(
            read(Tile{.kind = TileKind::kEntries, .index = old_size / kTileWidth, .width = width}));
        row = TRY(parse_bundle(edge, width));
    }
    std::uint64_t index = old_size / kTileWidth;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        row.push_back(entries[i]);
        if (row.size() == kTileWidth || i + 1 == entries.size()) {
            const Tile tile{.kind = TileKind::kEntries, .index = index, .width = row.size()};
            out.push_back({tile_path(tile), TRY(encode_bundle(row))});
            row.clear();
            ++index;
        }
    }
    return {};
}

// The last bundle holds the entries whose hashes the last tile has: a flipped bit in it would be
// copied into the next, larger bundle.
Result<void> check_edge_bundle(const ReadTile& read, std::uint64_t size) {
    const std::uint64_t width = size % kTileWidth;
    if (width == 0) {
        return {};
    }
    const Hashes row = TRY(right_row(read, 0, size));
    const Tile tile{.kind = TileKind::kEntries, .index = size / kTileWidth, .width = width};
    const Buffer bundle = TRY(read(tile));
    const std::vector<Bytes> entries = TRY(parse_bundle(bundle, width));
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (leaf_hash(entries[i]) != row[i]) {
            return Error{ErrorCode::kCorrupt,
                         fmt::format("{}: entry {} is not the one that was logged", tile_path(tile),
                                     size - width + i)};
        }
    }
    return {};
}

Result<Frontier> stored_frontier(LogObjects& objects, std::uint64_t size) {
    TileNodes nodes(size, tile_reader(objects));
    return Frontier::read(size, nodes.reader());
}

}  // namespace

ReadTile tile_reader(LogObjects& objects) {
    return [&objects](const Tile& tile) -> Result<Buffer> {
        const std::string path = tile_path(tile);
        auto content = TRY(objects.get(path));
        if (!content) {
            return Error{ErrorCode::kNotFound, path + " is missing"};
        }
        return std::move(*content);
    };
}

Result<Checkpoint> LogWriter::open_own(std::string_view bytes) const {
    std::vector<NoteVerifier> keys = options_.former;
    for (const NoteSigner& signer : options_.signers) {
        keys.push_back(signer.verifier());
    }
    return TRY(open_checkpoint(bytes, options_.origin, keys)).checkpoint;
}

Result<LogWriter> LogWriter::open(LogObjects& objects, HeadStore& head, LogWriterOptions options) {
    for (const NoteSigner& signer : options.signers) {
        if (signer.verifier().name() != options.origin) {
            return Error{ErrorCode::kInvalidArgument,
                         "the name of a log's key is the log's origin: " + options.origin};
        }
    }
    LogWriter writer(objects, head, std::move(options));
    const auto signed_head = TRY(head.read());
    if (signed_head) {
        TRY(writer.resume(*signed_head));
    } else {
        TRY(writer.start_empty());
    }
    return writer;
}

Result<void> LogWriter::start_empty() {
    if (TRY(objects_->get(kCheckpoint)) || options_.at_least) {
        return Error{ErrorCode::kConflict,
                     "there is a checkpoint of this log, but its signed head is lost; a new head "
                     "would be a second history"};
    }
    head_ = {
        .origin = options_.origin, .tree = {.size = 0, .root = empty_root()}, .extensions = {}};
    signed_ = TRY(sign_checkpoint(head_, options_.signers));
    TRY(head_store_->swap(std::nullopt, signed_));
    return publish(0);
}

Result<void> LogWriter::check_published() {
    const auto published = TRY(objects_->get(kCheckpoint));
    if (published) {
        const Checkpoint checkpoint = TRY(open_own(as_text(*published)));
        if (checkpoint.tree.size > head_.tree.size ||
            (checkpoint.tree.size == head_.tree.size && checkpoint.tree.root != head_.tree.root)) {
            return Error{ErrorCode::kConflict,
                         fmt::format("the published checkpoint has {} entries, the signed head {}: "
                                     "the head was restored from a backup, or another writer is "
                                     "at work",
                                     checkpoint.tree.size, head_.tree.size)};
        }
    }
    if (options_.at_least && (options_.at_least->size > head_.tree.size ||
                              (options_.at_least->size == head_.tree.size &&
                               options_.at_least->root != head_.tree.root))) {
        return Error{ErrorCode::kConflict,
                     fmt::format("somebody has seen this log with {} entries, and here it has {}: "
                                 "this is an older copy, and appending to it would make a second "
                                 "history",
                                 options_.at_least->size, head_.tree.size)};
    }
    return {};
}

Result<void> LogWriter::resume(const std::string& signed_head) {
    head_ = TRY(open_own(signed_head));
    signed_ = signed_head;
    TRY(check_published());
    std::uint64_t old_size = head_.tree.size;
    const auto staged = TRY(objects_->get(stage_name(head_.tree)));
    if (staged) {
        // A crash between signing and publishing. Applying twice writes the same bytes.
        const Stage stage = TRY(parse_stage(*staged));
        if (stage.old_size + stage.entries.size() != head_.tree.size) {
            return Error{ErrorCode::kCorrupt, "the staged batch does not lead to the signed head"};
        }
        old_size = stage.old_size;
        NewObjects tiles;
        TRY(plan_tiles(tile_reader(*objects_), old_size, hashes_of(stage.entries), tiles));
        TRY(apply(old_size, stage.entries, std::move(tiles)));
    } else {
        const Frontier frontier = TRY(stored_frontier(*objects_, head_.tree.size));
        if (frontier.root() != head_.tree.root) {
            return Error{ErrorCode::kCorrupt,
                         "the stored tiles do not give the root of the signed head"};
        }
        TRY(check_edge_bundle(tile_reader(*objects_), head_.tree.size));
    }
    TRY(sign_anew());
    return publish(old_size);
}

// The same tree by the keys of today, when others signed it: a key that was retired does not stand
// on a published checkpoint until the next entry comes, nor is a new one missing there.
Result<void> LogWriter::sign_anew() {
    const Note note = TRY(parse_note(signed_));
    const bool all_signed = std::ranges::all_of(options_.signers, [&](const NoteSigner& signer) {
        return std::ranges::any_of(note.signatures, [&](const NoteSignature& signature) {
            return signer.verifier().signed_by(signature);
        });
    });
    if (all_signed && note.signatures.size() == options_.signers.size()) {
        return {};
    }
    TRY(permitted());
    const std::string signed_again = TRY(sign_checkpoint(head_, options_.signers));
    TRY(head_store_->swap(signed_, signed_again));
    signed_ = signed_again;
    return {};
}

Result<Integrated> LogWriter::integrate(std::span<const Bytes> entries) {
    if (broken_) {
        return Error{ErrorCode::kUnavailable,
                     "an earlier batch failed half-way; open the log again"};
    }
    TRY(check_batch(entries, head_.tree.size));
    if (entries.empty()) {
        return Integrated{.first_index = head_.tree.size, .checkpoint = published_};
    }
    auto done = integrate_batch(entries);
    broken_ = !done.ok();
    return done;
}

Result<Integrated> LogWriter::integrate_batch(std::span<const Bytes> entries) {
    const std::uint64_t old_size = head_.tree.size;
    Frontier planned = TRY(stored_frontier(*objects_, old_size));
    for (const Bytes entry : entries) {
        planned.append(leaf_hash(entry));
    }
    Checkpoint next = head_;
    next.tree = {.size = planned.size(), .root = planned.root()};
    const std::string stage = stage_name(next.tree);
    TRY(objects_->put(stage, encode_stage(old_size, entries)));
    TRY(objects_->flush());

    // From here on only stored bytes count.
    const auto staged = TRY(objects_->get(stage));
    if (!staged) {
        return Error{ErrorCode::kUnavailable, stage + " is gone"};
    }
    const Stage stored = TRY(parse_stage(*staged));
    NewObjects tiles;
    TRY(plan_tiles(tile_reader(*objects_), old_size, hashes_of(stored.entries), tiles));
    TRY(check_edge_bundle(tile_reader(*objects_), old_size));
    TileNodes nodes(next.tree.size, [&](const Tile& tile) -> Result<Buffer> {
        const auto made = std::ranges::find(tiles, tile_path(tile), &NamedObject::name);
        return made != tiles.end() ? Result<Buffer>(made->content) : tile_reader(*objects_)(tile);
    });
    if (TRY(root_at(next.tree.size, nodes.reader())) != next.tree.root) {
        return Error{ErrorCode::kCorrupt, "what was stored is not what was to be logged"};
    }
    if (old_size > 0) {
        const Hashes proof = TRY(consistency_proof(old_size, next.tree.size, nodes.reader()));
        if (!verify_consistency(head_.tree, next.tree, proof)) {
            return Error{ErrorCode::kCorrupt,
                         "the new tree does not extend the signed one; nothing was signed"};
        }
    }
    TRY(permitted());
    const std::string signed_next = TRY(sign_checkpoint(next, options_.signers));
    if (auto swapped = head_store_->swap(signed_, signed_next); !swapped.ok()) {
        if (swapped.error().code == ErrorCode::kConflict) {
            (void)objects_->remove(stage);
        }
        return swapped.error();
    }
    head_ = std::move(next);
    signed_ = signed_next;
    TRY(apply(old_size, stored.entries, std::move(tiles)));
    TRY(publish(old_size));
    return Integrated{.first_index = old_size, .checkpoint = published_};
}

Result<void> LogWriter::apply(std::uint64_t old_size, std::span<const Bytes> entries,
                              std::vector<NamedObject> tiles) {
    TRY(plan_bundles(tile_reader(*objects_), old_size, entries, tiles));
    TRY(objects_->put_all(tiles));
    TRY(objects_->flush());
    const Frontier frontier = TRY(stored_frontier(*objects_, head_.tree.size));
    if (frontier.root() != head_.tree.root) {
        return Error{ErrorCode::kCorrupt,
                     "the tiles that were stored do not give the signed root; "
                     "the checkpoint is not published"};
    }
    return check_edge_bundle(tile_reader(*objects_), head_.tree.size);
}

Result<bool> LogWriter::republish() {
    const auto published = TRY(objects_->get(kCheckpoint));
    if (published && as_text(*published) == published_) {
        return false;
    }
    TRY(permitted());
    TRY(objects_->put(kCheckpoint, as_bytes(published_)));
    TRY(objects_->flush());
    return true;
}

std::string LogWriter::cosigned() const {
    if (!options_.cosign) {
        return signed_;
    }
    TileNodes nodes(head_.tree.size, tile_reader(*objects_));
    auto text = options_.cosign(signed_, head_, nodes.reader());
    return text.ok() ? std::move(text).value() : signed_;
}

Result<void> LogWriter::publish(std::uint64_t old_size) {
    TRY(permitted());
    published_ = cosigned();
    TRY(permitted());
    TRY(objects_->put(kCheckpoint, as_bytes(published_)));
    TRY(objects_->flush());
    TRY(objects_->remove(stage_name(head_.tree)));
    // Readers of older checkpoints find the full tile where the partial ones were.
    Result<void> removed;
    for_each_tile(old_size, head_.tree.size, [&](const Tile& tile) {
        if (removed.ok() && !tile.partial()) {
            removed = objects_->remove(tile_path(tile) + ".p");
        }
    });
    return removed;
}

}  // namespace colophon::ledger
