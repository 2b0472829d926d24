// SPDX-License-Identifier: Apache-2.0
#include "storage/blobs.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "storage/data_keys.h"
#include "storage/internal/digest_key.h"
#include "storage/internal/hmac.h"
#include "storage/limits.h"
#include "storage/objects.h"
#include "storage/sealing.h"
#include "storage/store.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::storage {
namespace {

constexpr std::string_view kPurpose = "blob";
constexpr std::size_t kHolderBytesMax = 200;
// Far longer than any upload takes.
constexpr std::chrono::hours kUnfinishedMax{24};

constexpr Statement kBegin{
    "INSERT INTO blobs (object, owner, digest, content_bytes, made_at) VALUES ($1, $2, NULL, 0, "
    "$3)"};
constexpr Statement kFinish{
    "UPDATE blobs SET digest = $2, content_bytes = $3 WHERE object = $1 AND digest IS NULL"};
constexpr Statement kFind{
    "SELECT object, content_bytes FROM blobs WHERE owner = $1 AND digest = $2"};
constexpr Statement kHold{
    "INSERT INTO blob_holders (object, holder) VALUES ($1, $2) ON CONFLICT (object, holder) DO "
    "NOTHING"};
constexpr Statement kLetGo{"DELETE FROM blob_holders WHERE object = $1 AND holder = $2"};
constexpr Statement kHeld{"SELECT object FROM blob_holders WHERE holder = $1 LIMIT 100"};
constexpr Statement kHolders{"SELECT holder FROM blob_holders WHERE object = $1 LIMIT 1"};
// made_at 0: nobody is writing it, so that a sweep need not wait.
constexpr Statement kDoom{"UPDATE blobs SET digest = NULL, made_at = 0 WHERE object = $1"};
constexpr Statement kForget{"DELETE FROM blobs WHERE object = $1 AND digest IS NULL"};
constexpr Statement kUnfinished{
    "SELECT object FROM blobs WHERE digest IS NULL AND made_at < $1 ORDER BY object LIMIT 1000"};

Error no_blob() {
    return Error{ErrorCode::kNotFound, "there is no such blob"};
}

Error damaged() {
    return Error{ErrorCode::kCorrupt, "what is kept of a blob is not what was put"};
}

Result<void> check_holder(std::string_view holder) {
    if (holder.empty() || holder.size() > kHolderBytesMax) {
        return Error{
            ErrorCode::kInvalidArgument,
            fmt::format("the holder of a blob is named with 1 to {} bytes", kHolderBytesMax)};
    }
    return {};
}

std::string object_name(std::string_view id) {
    return fmt::format("blobs/{}/{}", id.substr(0, 2), id);
}

SealContext context_of(std::string_view owner, std::string_view object) {
    return {.owner = owner, .purpose = kPurpose, .id = object};
}

}  // namespace

struct BlobWriter::State {
    Blobs& blobs;
    std::string owner;
    std::string object;
    std::unique_ptr<ObjectWriter> writer;
    SealStream stream;
    Hmac digest;
    std::uint64_t content_bytes = 0;
    Buffer out;
    bool kept = false;
};

BlobWriter::BlobWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

BlobWriter::~BlobWriter() {
    if (!state_->kept) {
        state_->writer.reset();
        (void)state_->blobs.remove_object(state_->object);  // else the sweep does it
    }
}

Result<void> BlobWriter::append(Bytes piece) {
    state_->digest.update(piece);
    state_->content_bytes += piece.size();
    // In steps, so that what waits for the object store stays small whatever the piece is.
    constexpr std::size_t kStepBytes = 16 * kSealChunkBytes;
    while (!piece.empty()) {
        const Bytes step = piece.first(std::min(piece.size(), kStepBytes));
        piece = piece.subspan(step.size());
        state_->out.clear();
        state_->stream.append(step, state_->out);
        TRY(state_->writer->append(state_->out));
    }
    return {};
}

Result<BlobHandle> BlobWriter::commit(std::string_view holder) {
    TRY(check_holder(holder));
    State& state = *state_;
    state.out.clear();
    state.stream.finish(state.out);
    TRY(state.writer->append(state.out));
    TRY(state.writer->commit());
    BlobHandle blob{state.owner, state.digest.finish()};
    bool kept = false;
    const Result<void> done =
        state.blobs.parts_.store.transact([&](Transaction& transaction) -> Result<void> {
            kept = false;
            const Rows there =
                TRY(transaction.query(kFind, {text(blob.owner), bytes(blob.digest)}));
            std::string object = state.object;
            if (!there.empty()) {
                object = TRY(there.text(0, 0));
            } else {
                const std::int64_t changed = TRY(transaction.execute(
                    kFinish, {text(object), bytes(blob.digest),
                              integer(static_cast<std::int64_t>(state.content_bytes))}));
                if (changed != 1) {
                    return Error{ErrorCode::kUnavailable,
                                 "a blob took longer to write than unfinished ones are kept"};
                }
                kept = true;
            }
            TRY(transaction.execute(kHold, {text(object), text(holder)}));
            return {};
        });
    TRY(done);
    // A copy was there: the destructor removes ours.
    state.kept = kept;
    return blob;
}

Result<Digest256> Blobs::digest(std::string_view owner, Bytes content) {
    const DataKey newest = TRY(parts_.keys.newest(owner));
    const DataKey first = newest.generation == 1 ? newest : TRY(parts_.keys.find(owner, 1));
    return hmac(digest_of(suite_), digest_key(suite_, *first.secret, kPurpose).bytes(), {content});
}

Result<bool> Blobs::hold_if_there(const BlobHandle& blob, std::string_view holder) {
    TRY(check_holder(holder));
    bool there = false;
    const Result<void> done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        const Rows rows = TRY(transaction.query(kFind, {text(blob.owner), bytes(blob.digest)}));
        there = !rows.empty();
        if (there) {
            const std::string_view object = TRY(rows.text(0, 0));
            TRY(transaction.execute(kHold, {text(object), text(holder)}));
        }
        return {};
    });
    TRY(done);
    return there;
}

Result<BlobHandle> Blobs::put(std::string_view owner, std::string_view holder, Bytes content) {
    BlobHandle blob{std::string(owner), TRY(digest(owner, content))};
    if (TRY(hold_if_there(blob, holder))) {
        return blob;
    }
    const std::unique_ptr<BlobWriter> writer = TRY(write(owner));
    TRY(writer->append(content));
    return writer->commit(holder);
}

Result<std::unique_ptr<BlobWriter>> Blobs::write(std::string_view owner) {
    const DataKey key = TRY(parts_.keys.newest(owner));
    const DataKey first = key.generation == 1 ? key : TRY(parts_.keys.find(owner, 1));
    std::array<std::uint8_t, 16> id{};
    TRY(parts_.random.fill(id));
    std::string object = to_hex(id);
    SealStream stream =
        TRY(SealStream::start(*key.secret, context_of(owner, object),
                              {.suite = suite_, .generation = key.generation}, parts_.random));
    Batch begin;
    begin.operations.push_back(
        {kBegin,
         {text(object), text(owner), integer(parts_.clock.now().time_since_epoch().count())}});
    TRY(parts_.store.apply(std::move(begin)));
    Result<std::unique_ptr<ObjectWriter>> writer =
        parts_.objects.write(object_name(object), Existing::kRefuse);
    if (!writer.ok()) {
        (void)remove_object(object);
        return std::move(writer).error();
    }
    Hmac mac(digest_of(suite_), digest_key(suite_, *first.secret, kPurpose).bytes());
    return std::make_unique<BlobWriter>(
        std::make_unique<BlobWriter::State>(BlobWriter::State{*this,
                                                              std::string(owner),
                                                              std::move(object),
                                                              *std::move(writer),
                                                              std::move(stream),
                                                              std::move(mac),
                                                              0,
                                                              {},
                                                              false}));
}

Result<void> Blobs::hold(const BlobHandle& blob, std::string_view holder) {
    return TRY(hold_if_there(blob, holder)) ? Result<void>() : Result<void>(no_blob());
}

Result<void> Blobs::release(const BlobHandle& blob, std::string_view holder) {
    std::optional<std::string> doomed;
    const Result<void> done = parts_.store.transact([&](Transaction& transaction) -> Result<void> {
        doomed.reset();
        const Rows rows = TRY(transaction.query(kFind, {text(blob.owner), bytes(blob.digest)}));
        if (rows.empty()) {
            return {};
        }
        const std::string object(TRY(rows.text(0, 0)));
        doomed = TRY(let_go(transaction, object, holder));
        return {};
    });
    TRY(done);
    return doomed ? remove_object(*doomed) : Result<void>();
}

Result<std::optional<std::string>> Blobs::let_go(Transaction& transaction,
                                                 const std::string& object,
                                                 std::string_view holder) {
    TRY(transaction.execute(kLetGo, {text(object), text(holder)}));
    const Rows left = TRY(transaction.query(kHolders, {text(object)}));
    if (!left.empty()) {
        return std::optional<std::string>();
    }
    TRY(transaction.execute(kDoom, {text(object)}));
    return std::optional(object);
}

Result<void> Blobs::release_all(std::string_view holder) {
    for (;;) {
        std::vector<std::string> doomed;
        bool more = false;
        const auto body = [&](Transaction& transaction) -> Result<void> {
            doomed.clear();
            const Rows rows = TRY(transaction.query(kHeld, {text(holder)}));
            more = !rows.empty();
            for (std::size_t row = 0; row < rows.size(); ++row) {
                const std::string object(TRY(rows.text(row, 0)));
                std::optional<std::string> last = TRY(let_go(transaction, object, holder));
                if (last) {
                    doomed.push_back(*std::move(last));
                }
            }
            return {};
        };
        TRY(parts_.store.transact(body));
        for (const std::string& object : doomed) {
            TRY(remove_object(object));
        }
        if (!more) {
            return {};
        }
    }
}

Result<void> Blobs::remove_object(const std::string& object) {
    TRY(parts_.objects.remove(object_name(object)));
    Batch forget;
    forget.operations.push_back({kForget, {text(object)}});
    return parts_.store.apply(std::move(forget));
}

Result<Blobs::Row> Blobs::find(const BlobHandle& blob) {
    const Rows rows = TRY(parts_.store.query(kFind, {text(blob.owner), bytes(blob.digest)}));
    if (rows.empty()) {
        return no_blob();
    }
    const std::string_view object = TRY(rows.text(0, 0));
    const std::int64_t size = TRY(rows.integer(0, 1));
    return Row{std::string(object), static_cast<std::uint64_t>(size)};
}

Result<std::uint64_t> Blobs::size(const BlobHandle& blob) {
    return TRY(find(blob)).content_bytes;
}

Result<Buffer> Blobs::get(const BlobHandle& blob, std::uint64_t bytes_max) {
    const Row row = TRY(find(blob));
    if (row.content_bytes > std::min(bytes_max, kObjectInMemoryBytesMax)) {
        return Error{ErrorCode::kLimit, fmt::format("a blob has {} bytes, more than were asked for",
                                                    row.content_bytes)};
    }
    Buffer content = TRY(get_range(blob, 0, row.content_bytes));
    // The chunks were whole and in order; this says that they are also the content of this name.
    if (TRY(digest(blob.owner, content)) != blob.digest) {
        return damaged();
    }
    return content;
}

Result<Buffer> Blobs::get_range(const BlobHandle& blob, std::uint64_t offset, std::uint64_t size) {
    const Row row = TRY(find(blob));
    if (size > kObjectInMemoryBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a range of {} bytes is too large", size)};
    }
    const std::string name = object_name(row.object);
    const Buffer head = TRY(parts_.objects.get_range(name, 0, kSealedHeaderBytes));
    const SealedHeader header = TRY(read_sealed_header(head));
    // The size is that of the row: the store cannot make a blob shorter by cutting its object.
    if (TRY(parts_.objects.size(name)) != sealed_bytes(header.suite, row.content_bytes)) {
        return damaged();
    }
    const DataKey key = TRY(parts_.keys.find(blob.owner, header.generation));
    ChunkOpener opener =
        TRY(ChunkOpener::start(*key.secret, head, context_of(blob.owner, row.object)));
    const std::uint64_t start = std::min(offset, row.content_bytes);
    const std::uint64_t end = start + std::min(size, row.content_bytes - start);
    const std::uint64_t chunk_bytes = kSealChunkBytes + seal_tag_bytes(header.suite);
    const std::uint64_t last =
        row.content_bytes == 0 ? 0 : (row.content_bytes - 1) / kSealChunkBytes;
    // At least one, so that even an empty range says whether the blob opens.
    const std::uint64_t first = std::min(start / kSealChunkBytes, last);
    Buffer content;
    for (std::uint64_t index = first; index == first || index * kSealChunkBytes < end; ++index) {
        const Buffer chunk = TRY(
            parts_.objects.get_range(name, kSealedHeaderBytes + index * chunk_bytes, chunk_bytes));
        TRY(opener.open(index, index == last, chunk, content));
    }
    const auto skipped = static_cast<std::ptrdiff_t>(start - first * kSealChunkBytes);
    content.resize(static_cast<std::size_t>(end - first * kSealChunkBytes));
    content.erase(content.begin(), content.begin() + skipped);
    return content;
}

Result<std::size_t> Blobs::sweep() {
    const Time before = parts_.clock.now() - kUnfinishedMax;
    std::size_t swept = 0;
    for (;;) {
        const Rows rows =
            TRY(parts_.store.query(kUnfinished, {integer(before.time_since_epoch().count())}));
        if (rows.empty()) {
            return swept;
        }
        for (std::size_t row = 0; row < rows.size(); ++row) {
            const std::string_view object = TRY(rows.text(row, 0));
            TRY(remove_object(std::string(object)));
            ++swept;
        }
    }
}

}  // namespace colophon::storage
