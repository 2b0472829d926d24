// SPDX-License-Identifier: Apache-2.0
#include "ledger/verify/log.h"

#include "core/bytes.h"
#include "core/result.h"
#include "ledger/verify/checkpoint.h"
#include "ledger/verify/internal/hash.h"
#include "ledger/verify/internal/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace colophon::ledger::verify {
namespace {

using internal::Hash;
using Row = std::vector<Hash>;

constexpr std::uint64_t kWidth = 256;
constexpr unsigned kHeight = 8;
constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kBundleBytesMax = kWidth * (65535 + 2);
constexpr unsigned kThreadsMax = 64;

std::string file_name(std::string_view kind, std::uint64_t number, std::uint64_t width) {
    std::string name = fmt::format("tile/{}/{}", kind, internal::write_tile_number(number));
    if (width < kWidth) {
        name += fmt::format(".p/{}", width);
    }
    return name;
}

// Hashes that the log of this size has at a level of tiles.
std::uint64_t count_at(std::uint64_t size, unsigned level) {
    return kHeight * level >= 64 ? 0 : size >> (kHeight * level);
}

std::uint64_t width_of(std::uint64_t count, std::uint64_t number) {
    return std::min(kWidth, count - number * kWidth);
}

// What one bundle and the tile over it say.
struct Group {
    std::optional<Hash> by_entries;  // root of the 256 entries; of all entries in the last one
    std::optional<Hash> by_tile;
    std::vector<std::uint16_t> differ;  // places where entry and tile hash differ
};

class LogCheck {
public:
    LogCheck(const Fetch& fetch, const LogOptions& options) : fetch_(fetch), options_(options) {}

    Result<LogReport> run() {
        const auto note = TRY(fetch_("checkpoint"));
        if (!note) {
            find("ledger.missing", "checkpoint", "is missing");
            return std::move(report_);
        }
        CheckpointReport opened = check_checkpoint(as_text(*note), options_.keys);
        for (Finding& each : opened.findings) {
            add(std::move(each));
        }
        if (!opened.good) {
            return std::move(report_);
        }
        report_.checkpoint = std::move(opened.checkpoint);
        size_ = report_.checkpoint.size;
        TRY(open_older());
        TRY(read_upper_tiles());
        TRY(read_groups());
        judge();
        std::ranges::sort(report_.findings, [](const Finding& a, const Finding& b) {
            return std::tie(a.where, a.what) < std::tie(b.where, b.what);
        });
        report_.good = report_.findings_count == 0;
        return std::move(report_);
    }

private:
    void add(Finding finding) {
        const std::lock_guard lock(mutex_);
        ++report_.findings_count;
        if (report_.findings.size() < options_.findings_max) {
            report_.findings.push_back(std::move(finding));
        }
    }
    void find(std::string_view code, std::string where, std::string what) {
        add({std::string(code), std::move(where), std::move(what)});
    }

    std::string tile_name(unsigned level, std::uint64_t number) const {
        return file_name(std::to_string(level), number, width_of(count_at(size_, level), number));
    }
    std::string bundle_name(std::uint64_t number) const {
        return file_name("entries", number, width_of(size_, number));
    }

    // A partial file may have been replaced by the full one, of which it is the beginning.
    Result<std::optional<Buffer>> fetch_counted(const std::string& name) {
        auto content = TRY(fetch_(name));
        if (content) {
            const std::lock_guard lock(mutex_);
            ++report_.files;
            report_.bytes += content->size();
        }
        return content;
    }

    // Nothing, with a finding, when the tile is missing or has another length.
    Result<std::optional<Row>> fetch_tile(unsigned level, std::uint64_t number) {
        const std::uint64_t width = width_of(count_at(size_, level), number);
        std::string name = tile_name(level, number);
        auto content = TRY(fetch_counted(name));
        std::uint64_t stored = width;
        if (!content && width < kWidth) {
            stored = kWidth;
            content = TRY(fetch_counted(file_name(std::to_string(level), number, kWidth)));
        }
        if (!content) {
            find("ledger.missing", std::move(name), "is missing");
            return std::optional<Row>();
        }
        if (content->size() != stored * kHashBytes) {
            find("ledger.tile", std::move(name),
                 fmt::format("has {} bytes, not {}", content->size(), stored * kHashBytes));
            return std::optional<Row>();
        }
        Row row(width);
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::copy_n(content->begin() + static_cast<std::ptrdiff_t>(i * kHashBytes), kHashBytes,
                        row[i].begin());
        }
        return std::optional(std::move(row));
    }

    // The hashes of the entries of a bundle; nothing, with a finding, when it breaks its form.
    Result<std::optional<Row>> fetch_entries(std::uint64_t number) {
        const std::uint64_t width = width_of(size_, number);
        std::string name = bundle_name(number);
        auto content = TRY(fetch_counted(name));
        bool full = width == kWidth;
        if (!content && !full) {
            full = true;
            content = TRY(fetch_counted(file_name("entries", number, kWidth)));
        }
        if (!content) {
            find("ledger.missing", std::move(name), "is missing");
            return std::optional<Row>();
        }
        if (content->size() > kBundleBytesMax) {
            find("ledger.bundle", std::move(name), "is longer than 256 entries can be");
            return std::optional<Row>();
        }
        return hash_entries(*content, number, full ? kWidth : width, width);
    }

    // `stored` entries are in the bundle, the first `width` are in the log.
    std::optional<Row> hash_entries(Bytes content, std::uint64_t number, std::uint64_t stored,
                                    std::uint64_t width) {
        Row row;
        row.reserve(width);
        std::size_t at = 0;
        for (std::uint64_t i = 0; i < stored; ++i) {
            const std::size_t left = content.size() - at;
            const std::size_t bytes = left < 2 ? 0 : load_be16(content.subspan(at));
            if (left < 2 + bytes) {
                find("ledger.bundle", bundle_name(number),
                     fmt::format("ends inside of entry {}, at byte {}", number * kWidth + i,
                                 content.size()));
                return std::nullopt;
            }
            if (i < width) {
                row.push_back(internal::hash_leaf(content.subspan(at + 2, bytes)));
            }
            at += 2 + bytes;
        }
        if (at != content.size()) {
            find("ledger.bundle", bundle_name(number),
                 fmt::format("has {} bytes behind its last entry, at byte {}", content.size() - at,
                             at));
            return std::nullopt;
        }
        return row;
    }

    // Older checkpoints need the root at sizes inside of a bundle.
    Result<void> open_older() {
        for (std::size_t i = 0; i < options_.older.size(); ++i) {
            const std::string where = fmt::format("older checkpoint {}", i + 1);
            CheckpointReport older = check_checkpoint(options_.older[i], options_.keys, where);
            for (Finding& each : older.findings) {
                add(std::move(each));
            }
            if (!older.good) {
                continue;
            }
            if (older.checkpoint.origin != report_.checkpoint.origin) {
                find("ledger.history", where, "is of another log: " + older.checkpoint.origin);
            } else if (older.checkpoint.size > size_) {
                find("ledger.history", where,
                     fmt::format("has {} entries, and this log only {}: entries were taken away",
                                 older.checkpoint.size, size_));
            } else if (older.checkpoint.size / kWidth < pruned_groups() &&
                       older.checkpoint.size % kWidth != 0) {
                find("ledger.pruned", where,
                     fmt::format("has {} entries, and this log begins at {}: they cannot be "
                                 "compared any more",
                                 older.checkpoint.size, pruned_groups() * kWidth));
            } else {
                older_.push_back({where, std::move(older.checkpoint), {}});
            }
        }
        return {};
    }

    Result<void> read_upper_tiles() {
        for (unsigned level = 1; count_at(size_, level) > 0; ++level) {
            auto& tiles = upper_.emplace_back();
            for (std::uint64_t n = 0; n * kWidth < count_at(size_, level); ++n) {
                tiles.push_back(TRY(fetch_tile(level, n)));
            }
        }
        return {};
    }

    Result<void> read_group(std::uint64_t number) {
        const auto entries = TRY(fetch_entries(number));
        const auto tile = TRY(fetch_tile(0, number));
        Group& group = groups_[number];
        if (entries) {
            group.by_entries = internal::row_root_of(*entries);
            const std::lock_guard lock(mutex_);
            report_.entries += entries->size();
            for (Older& each : older_) {
                if (each.checkpoint.size / kWidth == number) {
                    each.rest.assign(entries->begin(),
                                     entries->begin() + static_cast<std::ptrdiff_t>(
                                                            each.checkpoint.size % kWidth));
                }
            }
            if (entries->size() < kWidth) {
                last_entries_ = *entries;
            }
        }
        if (tile) {
            group.by_tile = internal::row_root_of(*tile);
            if (tile->size() < kWidth) {
                last_tile_ = *tile;
            }
        }
        for (std::size_t i = 0; entries && tile && i < entries->size(); ++i) {
            if ((*entries)[i] != (*tile)[i]) {
                group.differ.push_back(static_cast<std::uint16_t>(i));
            }
        }
        return {};
    }

    // Bundles that end at or below the log's minimum index may be gone, and the tiles over them.
    std::uint64_t pruned_groups() const { return options_.from / kWidth; }

    // The hash of a pruned bundle stands in the tile above, which the signed root confirms.
    void take_from_above(std::uint64_t number) {
        if (!upper_.empty() && number / kWidth < upper_[0].size()) {
            const std::optional<Row>& row = upper_[0][number / kWidth];
            if (row && number % kWidth < row->size()) {
                groups_[number].by_entries = (*row)[number % kWidth];
            }
        }
    }

    Result<void> read_groups() {
        const std::uint64_t all = (size_ + kWidth - 1) / kWidth;
        groups_.resize(all);
        const std::uint64_t first = std::min(pruned_groups(), all);
        for (std::uint64_t n = 0; n < first; ++n) {
            take_from_above(n);
        }
        std::atomic<std::uint64_t> next = first;
        std::atomic<bool> stop = false;
        std::optional<Error> failure;
        std::uint64_t done = 0;
        const auto work = [&] {
            for (std::uint64_t n = next++; n < all && !stop; n = next++) {
                auto read = read_group(n);
                const std::lock_guard lock(progress_mutex_);
                if (!read.ok() && !failure) {
                    failure = read.error();
                    stop = true;
                }
                if (options_.progress) {
                    options_.progress(++done, all - first);
                }
            }
        };
        const auto threads = static_cast<unsigned>(
            std::min<std::uint64_t>(std::clamp(options_.threads, 1U, kThreadsMax), all - first));
        std::vector<std::jthread> running;
        for (unsigned i = 1; i < threads; ++i) {
            running.emplace_back(work);
        }
        work();
        running.clear();
        if (failure) {
            return *failure;
        }
        return {};
    }

    // Roots of complete groups, as the entries give them, then of groups of 256 of those, and so
    // on. Nothing where an entry could not be read.
    using Level = std::vector<std::optional<Hash>>;
    std::vector<Level> levels_by_entries() const {
        std::vector<Level> levels;
        Level level;
        for (std::uint64_t n = 0; n < size_ / kWidth; ++n) {
            level.push_back(groups_[n].by_entries);
        }
        while (!level.empty()) {
            levels.push_back(level);
            Level above;
            for (std::size_t at = 0; at + kWidth <= level.size(); at += kWidth) {
                Row row;
                for (std::size_t i = at; i < at + kWidth && level[i]; ++i) {
                    row.push_back(*level[i]);
                }
                above.push_back(row.size() == kWidth ? std::optional(internal::row_root_of(row))
                                                     : std::nullopt);
            }
            level = std::move(above);
        }
        return levels;
    }

    bool entries_give(std::uint64_t size, std::span<const Hash> rest, const Hash& root) const {
        internal::Pile pile;
        for (std::uint64_t n = 0; n < size / kWidth; ++n) {
            if (!groups_[n].by_entries) {
                return false;
            }
            pile.push(kHeight, *groups_[n].by_entries);
        }
        if (rest.size() != size % kWidth) {
            return false;
        }
        for (const Hash& hash : rest) {
            pile.push(0, hash);
        }
        return pile.root() == root;
    }

    // The tiles at the right edge, from the top level down.
    bool edge_gives(const Hash& root) const {
        internal::Pile pile;
        for (std::size_t level = upper_.size() + 1; level-- > 0;) {
            const std::uint64_t width = count_at(size_, static_cast<unsigned>(level)) % kWidth;
            if (width == 0) {
                continue;
            }
            const std::optional<Row>& row = level == 0 ? last_tile_ : upper_[level - 1].back();
            if (!row) {
                return false;
            }
            for (const Hash& hash : *row) {
                pile.push(kHeight * static_cast<unsigned>(level), hash);
            }
        }
        return pile.root() == root;
    }

    void judge() {
        const Hash& root = report_.checkpoint.root;
        const std::vector<Level> made = levels_by_entries();
        if (entries_give(size_, last_entries_.value_or(Row{}), root)) {
            judge_tiles_by_entries(made);
            judge_older();
        } else if (edge_gives(root)) {
            judge_downwards(made);
        } else {
            find("ledger.root", "checkpoint",
                 fmt::format("neither the entries nor the tiles give the signed root of {} entries",
                             size_));
            judge_without_root(made);
        }
    }

    void wrong_hash(unsigned level, std::uint64_t place, std::string_view why) {
        const std::uint64_t number = place / kWidth;
        find("ledger.tile", tile_name(level, number),
             fmt::format("hash {} is wrong: {}", place % kWidth, why));
    }

    void judge_tiles_by_entries(const std::vector<Level>& made) {
        constexpr std::string_view kWhy =
            "the entries, which the signed root confirms, give another";
        for (std::uint64_t n = 0; n < groups_.size(); ++n) {
            for (const std::uint16_t i : groups_[n].differ) {
                wrong_hash(0, n * kWidth + i, kWhy);
            }
        }
        for (unsigned level = 1; level <= upper_.size(); ++level) {
            for (std::uint64_t place = 0; place < count_at(size_, level); ++place) {
                const auto& row = upper_[level - 1][place / kWidth];
                if (row && (*row)[place % kWidth] != made[level - 1][place]) {
                    wrong_hash(level, place, kWhy);
                }
            }
        }
    }

    void judge_older() {
        for (const Older& each : older_) {
            if (entries_give(each.checkpoint.size, each.rest, each.checkpoint.root)) {
                ++report_.older_good;
            } else {
                find("ledger.history", each.where,
                     fmt::format("its {} entries are not the first {} of this log: the history was "
                                 "rewritten",
                                 each.checkpoint.size, each.checkpoint.size));
            }
        }
    }

    void differing_entries(std::uint64_t n, std::string_view why) {
        for (const std::uint16_t i : groups_[n].differ) {
            find(
                "ledger.entry", bundle_name(n),
                fmt::format("entry {} (number {} of the bundle) is not the one that was logged: {}",
                            n * kWidth + i, i, why));
        }
    }

    // `confirmed[i]`: the hash of complete subtree i of this level, when it is known to be right.
    // Returns the same for the level below.
    Level confirm_below(unsigned level, const Level& confirmed, const std::vector<Level>& made) {
        Level below(count_at(size_, level - 1));
        for (std::uint64_t n = 0; n * kWidth < below.size(); ++n) {
            const std::uint64_t width = width_of(below.size(), n);
            const auto& row = upper_[level - 2][n];
            // The last partial tile belongs to the edge, which is right.
            bool right = width < kWidth && row;
            if (!right && width == kWidth && confirmed[n]) {
                right = row && internal::row_root_of(*row) == *confirmed[n];
                if (!right && row) {
                    find("ledger.tile", tile_name(level - 1, n),
                         "its hashes do not give the hash above it, which is right");
                }
                if (!right && made[level - 1][n] == confirmed[n]) {
                    std::copy_n(made[level - 2].begin() + static_cast<std::ptrdiff_t>(n * kWidth),
                                kWidth, below.begin() + static_cast<std::ptrdiff_t>(n * kWidth));
                }
            }
            for (std::uint64_t i = 0; right && i < width; ++i) {
                below[n * kWidth + i] = (*row)[i];
            }
        }
        return below;
    }

    void judge_downwards(const std::vector<Level>& made) {
        const auto top = static_cast<unsigned>(upper_.size());
        Level confirmed;
        if (top > 0) {
            // The top level has one tile; it is partial, or the log is exactly full and its one
            // hash stands alone in the tile above.
            const auto& row = upper_[top - 1][0];
            confirmed.assign(count_at(size_, top), std::nullopt);
            for (std::size_t i = 0; row && i < confirmed.size(); ++i) {
                confirmed[i] = (*row)[i];
            }
            for (unsigned level = top; level >= 2; --level) {
                confirmed = confirm_below(level, confirmed, made);
            }
        }
        for (std::uint64_t n = pruned_groups(); n < groups_.size(); ++n) {
            judge_group(n, n < confirmed.size() ? confirmed[n] : std::nullopt);
        }
    }

    void judge_group(std::uint64_t n, const std::optional<Hash>& right) {
        const Group& group = groups_[n];
        const bool last = width_of(size_, n) < kWidth;
        if (last || (right && group.by_tile == right)) {
            differing_entries(n, "the tile, which the signed root confirms, has another hash");
            return;
        }
        if (right && group.by_tile && group.by_entries == right) {
            for (const std::uint16_t i : group.differ) {
                wrong_hash(0, n * kWidth + i, "the entries give another, which is right");
            }
            return;
        }
        if (right && group.by_tile) {
            find("ledger.tile", tile_name(0, n),
                 "its hashes do not give the hash above it, which is right");
        }
        if (right && group.by_entries && group.by_entries != right && group.differ.empty()) {
            find("ledger.entry", bundle_name(n),
                 fmt::format("entries {} to {} are not those that were logged", n * kWidth,
                             n * kWidth + kWidth - 1));
        }
        differing_entries(n,
                          "its hash is not that of the tile, and it cannot be told which of "
                          "the two is right");
    }

    void judge_without_root(const std::vector<Level>& made) {
        for (std::uint64_t n = 0; n < groups_.size(); ++n) {
            differing_entries(n, "its hash is not that of the tile");
        }
        for (unsigned level = 1; level <= upper_.size(); ++level) {
            for (std::uint64_t place = 0; place < count_at(size_, level); ++place) {
                const auto& row = upper_[level - 1][place / kWidth];
                const std::optional<Hash>& hash = made[level - 1][place];
                if (row && hash && (*row)[place % kWidth] != *hash) {
                    wrong_hash(level, place, "the entries below give another");
                }
            }
        }
    }

    struct Older {
        std::string where;
        SignedCheckpoint checkpoint;
        Row rest;  // hashes of its entries behind the last full bundle
    };

    const Fetch& fetch_;
    const LogOptions& options_;
    std::uint64_t size_ = 0;
    std::vector<std::vector<std::optional<Row>>> upper_;  // tiles of level 1 and above
    std::vector<Group> groups_;                           // each written by one thread only
    std::mutex progress_mutex_;
    std::mutex mutex_;
    // Guarded by mutex_ while groups are read.
    LogReport report_;
    std::vector<Older> older_;
    std::optional<Row> last_entries_;
    std::optional<Row> last_tile_;
};

}  // namespace

Result<LogReport> check_log(const Fetch& fetch, const LogOptions& options) {
    return LogCheck(fetch, options).run();
}

std::vector<std::string> files_of_log(std::uint64_t size, std::uint64_t from) {
    std::vector<std::string> names;
    const std::uint64_t first = std::min(from, size) / kWidth;
    for (std::uint64_t n = first; n * kWidth < size; ++n) {
        names.push_back(file_name("entries", n, width_of(size, n)));
    }
    for (unsigned level = 0; count_at(size, level) > 0; ++level) {
        const std::uint64_t count = count_at(size, level);
        for (std::uint64_t n = level == 0 ? first : 0; n * kWidth < count; ++n) {
            names.push_back(file_name(std::to_string(level), n, width_of(count, n)));
        }
    }
    return names;
}

}  // namespace colophon::ledger::verify
