// SPDX-License-Identifier: Apache-2.0
#include "worker/hashed_copy.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/parallel.h"
#include "core/result.h"
#include "core/splice.h"
#include "label/provenance/hashing.h"
#include "worker/mapping.h"

#include <fmt/format.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace colophon::worker {
namespace {

using label::provenance::ByteRange;
using label::provenance::ContentHasher;
using label::provenance::HashAlgorithm;

// Written and read back at once: it stays in the cache of a core.
constexpr std::size_t kPieceBytes = 256U << 10U;
constexpr std::size_t kThreadsMax = 4;

class HashedCopy {
public:
    HashedCopy(Bytes source, const Splice& splice, int to) : source_(source), to_(to) {
        std::uint64_t at = 0;
        for (const SplicePiece& piece : splice.pieces()) {
            const bool copied = piece.source_size != 0;
            const auto range = slice(source, piece.source_offset, piece.source_size);
            COLOPHON_ASSERT(range.has_value());
            pieces_.push_back({.at = at, .bytes = copied ? *range : Bytes(piece.bytes)});
            at += pieces_.back().bytes.size();
        }
        size_ = at;
    }

    Result<std::vector<Buffer>> run(HashAlgorithm algorithm, const std::vector<ByteRange>& parts) {
        TRY(write_rest(parts));
        std::vector<Buffer> digests(parts.size());
        parallel_for(parts.size(), useful_threads(kThreadsMax), [&](std::size_t i) {
            if (failed()) {
                return;
            }
            auto digest = write_part(algorithm, parts[i]);
            if (digest.ok()) {
                digests[i] = std::move(digest).value();
            } else {
                fail(digest.error());
            }
        });
        if (failure_) {
            return *failure_;
        }
        return digests;
    }

private:
    struct Piece {
        std::uint64_t at = 0;  // in the new file
        Bytes bytes;
    };

    // What lies between the parts, and the length.
    Result<void> write_rest(const std::vector<ByteRange>& parts) {
        std::uint64_t at = 0;
        for (const ByteRange& each : parts) {
            COLOPHON_ASSERT(at <= each.offset && each.size <= size_ &&
                            each.offset <= size_ - each.size);
            TRY(write_range({.offset = at, .size = each.offset - at}));
            at = each.end();
        }
        TRY(write_range({.offset = at, .size = size_ - at}));
        if (ftruncate(to_, static_cast<off64_t>(size_)) != 0) {
            return Error{
                ErrorCode::kUnavailable,
                fmt::format("cannot set the length of the output: {}", std::strerror(errno))};
        }
        return {};
    }

    Result<Buffer> write_part(HashAlgorithm algorithm, const ByteRange& part) {
        ContentHasher hasher(algorithm);
        Buffer piece(std::min<std::uint64_t>(kPieceBytes, part.size));
        for (std::uint64_t at = part.offset; at < part.end();) {
            const std::uint64_t size = std::min<std::uint64_t>(piece.size(), part.end() - at);
            TRY(write_range({.offset = at, .size = size}));
            const std::span<std::uint8_t> read = std::span(piece).first(size);
            TRY(read_back(at, read));
            hasher.update(read);
            at += size;
        }
        return hasher.finish();
    }

    Result<void> write_range(const ByteRange& range) {
        // The last piece that begins at its start or before.
        auto piece = std::ranges::upper_bound(pieces_, range.offset, {}, &Piece::at);
        std::uint64_t at = range.offset;
        while (at < range.end()) {
            const Piece& each = *(piece - 1);
            const std::uint64_t skipped = at - each.at;
            const std::uint64_t size =
                std::min<std::uint64_t>(each.bytes.size() - skipped, range.end() - at);
            const Bytes bytes = each.bytes.subspan(static_cast<std::size_t>(skipped),
                                                   static_cast<std::size_t>(size));
            TRY(write_at(to_, at, bytes));
            if (is_of_source(bytes)) {
                release_pages(bytes);
            }
            at += size;
            ++piece;
        }
        return {};
    }

    bool is_of_source(Bytes bytes) const noexcept {
        return !bytes.empty() && bytes.data() >= source_.data() &&
               bytes.data() < source_.data() + source_.size();
    }

    Result<void> read_back(std::uint64_t at, std::span<std::uint8_t> into) {
        while (!into.empty()) {
            const ssize_t got = pread(to_, into.data(), into.size(), static_cast<off64_t>(at));
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got <= 0) {
                return Error{ErrorCode::kUnavailable,
                             fmt::format("cannot read what was written: {}",
                                         got == 0 ? "it is not there" : std::strerror(errno))};
            }
            at += static_cast<std::uint64_t>(got);
            into = into.subspan(static_cast<std::size_t>(got));
        }
        return {};
    }

    bool failed() {
        const std::lock_guard lock(mutex_);
        return failure_.has_value();
    }
    void fail(const Error& error) {
        const std::lock_guard lock(mutex_);
        failure_ = failure_.value_or(error);
    }

    Bytes source_;
    int to_;
    std::uint64_t size_ = 0;
    std::vector<Piece> pieces_;
    std::mutex mutex_;
    std::optional<Error> failure_;  // the first; guarded by mutex_
};

}  // namespace

Result<std::vector<Buffer>> write_splice_hashed(Bytes source, const Splice& splice,
                                                HashAlgorithm algorithm,
                                                const std::vector<ByteRange>& parts, int to) {
    return HashedCopy(source, splice, to).run(algorithm, parts);
}

}  // namespace colophon::worker
