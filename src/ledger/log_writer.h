// SPDX-License-Identifier: Apache-2.0
#pragma once

// [DSP-10] The one who appends: what was logged cannot be changed, removed or added to unseen. A
// batch of entries goes through these steps, and a crash between any two of them leaves a log that
// extends its last published checkpoint:
//
//   1. stage     the entries of the batch, under the size and root that they will give, durable
//   2. re-read   the stage and the right edge of the log, and compute the root from those bytes:
//                what is signed is what is stored, not what was in memory
//   3. check     that the new tree extends the one that was signed last
//   4. sign      and swap the head; from here on the batch is in the log
//   5. apply     the stage: bundles and tiles, durable; read the right edge back, compare
//   6. publish   the checkpoint; drop the stage and the partial tiles that full ones replaced
//
// A crash before 4 loses the batch (the caller still has it) and leaves its stage behind, which
// nobody reads and which may be deleted when no writer runs. One after 4 is mended by open(), from
// the stage. Two writers stage apart; only one wins the swap, and only its stage is applied.

#include "core/bytes.h"
#include "ledger/checkpoint.h"
#include "ledger/log_objects.h"
#include "ledger/merkle.h"
#include "ledger/note.h"
#include "ledger/tiles.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace colophon::ledger {

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.origin = ...}`.
struct LogWriterOptions {
    std::string origin;
    std::vector<NoteSigner>
        signers;  // named like the origin, one at least of type 0x01; old and new key overlap
    // Keys that signed once and do not any more: what they signed is still this log's.
    std::vector<NoteVerifier> former = {};
    // A tree that somebody has seen, from a witness or a saved checkpoint. A log that does not
    // reach it is a restored backup: appending would sign a second history.
    std::optional<Tree> at_least;
    // Asked before the head is signed and before a checkpoint is published; an error ends the
    // batch. It is how a writer that was replaced while it stalled stops before it publishes old
    // news.
    std::function<Result<void>()> permit = {};
    // Asked for the checkpoint as it is to be published, with what witnesses add: the signed one,
    // and the nodes of its tree. It may take its time, and an error of it publishes the signed one
    // as it is; what is wrong with witnesses is told elsewhere.
    std::function<Result<std::string>(const std::string& signed_checkpoint,
                                      const Checkpoint& checkpoint, const ReadNode& nodes)>
        cosign = {};
};
// NOLINTEND(readability-redundant-member-init)

struct Integrated {
    std::uint64_t first_index = 0;  // of the batch's first entry
    std::string checkpoint;         // the published one, which covers the batch
};

class LogWriter {
public:
    // Makes an empty log where there is neither head nor checkpoint; otherwise reads the state
    // back, checks it and finishes what a crash left open. kConflict when the head is behind the
    // published checkpoint or `at_least`, kDenied when other keys signed it, kCorrupt when the
    // stored tiles do not give the signed root and there is no stage to mend them from. Both stores
    // must outlive the writer.
    static Result<LogWriter> open(LogObjects& objects, HeadStore& head, LogWriterOptions options);

    // At most kBatchEntriesMax entries of at most 65,535 bytes; kLimit before anything is written.
    // An empty batch signs and publishes nothing new. After any other error the writer refuses to
    // go on: open() again, which looks at what is really there.
    Result<Integrated> integrate(std::span<const Bytes> entries);

    // Publishes again what was published last when something else stands there: a writer that was
    // replaced may have published an older one after it stalled. Returns whether it was so.
    Result<bool> republish();

    const Checkpoint& checkpoint() const noexcept { return head_; }
    const std::string& signed_checkpoint() const noexcept { return signed_; }

private:
    LogWriter(LogObjects& objects, HeadStore& head, LogWriterOptions options)
        : objects_(&objects), head_store_(&head), options_(std::move(options)) {}

    Result<void> permitted() const { return options_.permit ? options_.permit() : Result<void>(); }
    Result<void> start_empty();
    Result<void> resume(const std::string& signed_head);
    Result<void> sign_anew();
    Result<void> check_published();
    // `tiles`: those of the entries' hashes; their bundles are written beside them.
    Result<void> apply(std::uint64_t old_size, std::span<const Bytes> entries,
                       std::vector<NamedObject> tiles);
    std::string cosigned() const;
    Result<void> publish(std::uint64_t old_size);
    Result<Integrated> integrate_batch(std::span<const Bytes> entries);
    Result<Checkpoint> open_own(std::string_view bytes) const;

    LogObjects* objects_;
    HeadStore* head_store_;
    LogWriterOptions options_;
    Checkpoint head_;
    std::string signed_;
    std::string published_;  // signed_, with what witnesses added
    bool broken_ = false;
};

// Reads a tile or bundle out of the objects, for TileNodes.
ReadTile tile_reader(LogObjects& objects);

}  // namespace colophon::ledger
