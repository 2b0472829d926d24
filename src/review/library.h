// SPDX-License-Identifier: Apache-2.0
#pragma once

// The feature library of all nodes and the life of its entries [DSP-10]:
//
//   proposed ──► live ──► retired        an entry of the same id that becomes live replaces the one
//      │          └─────► replaced       before it; nothing is ever deleted
//      └────────► refused
//
// An entry is proposed with a reason, trialled against content that is known to be harmless and
// against recent traffic (review/trial.h), and approved by somebody else. One that hits more than
// the allowed share of the harmless content needs the approval of two. Each step is recorded by its
// own transaction.
//
// Threads: any method from any thread at the same time; each blocks.

#include "core/clock.h"
#include "ledger/conduct.h"
#include "review/entry_json.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

std::span<const storage::Migration> library_migrations();

// Told when what is live changed. The payload says nothing.
inline constexpr const char* kLibraryChanged = "review_library";

inline constexpr std::size_t kProposalsMax = 200'000;    // at once
inline constexpr std::size_t kEntryIdBytesMax = 100;     // and of categories and batches
inline constexpr std::size_t kReasonBytesMax = 2000;     // and of evidence
inline constexpr std::size_t kLibraryPageMax = 10'000;   // entries of one answer
inline constexpr std::chrono::days kReviewInterval{90};  // until an entry is to be looked at again
inline constexpr std::int64_t kBenignPerMillionMax = 5000;  // harmless texts that one may hit

enum class EntryState : std::uint8_t { kProposed = 1, kLive, kRetired, kRefused, kReplaced };
std::string_view entry_state_name(EntryState state) noexcept;  // "proposed", ...
std::optional<EntryState> parse_entry_state(std::string_view name) noexcept;

// Why an entry is there.
struct About {
    std::string reason;    // 1 to kReasonBytesMax bytes
    std::string evidence;  // where what it stands for was seen: an address, a record, a digest
    std::string source;    // who gave it: "operator", the name of a list, an authority
    std::string owner;     // whose it is to look at it again
    std::optional<Time> expires;
};

struct Proposal {
    AnyEntry entry;
    About about;
};

// What an entry hit in its trial.
struct TrialCounts {
    std::uint64_t benign = 0;  // harmless contents that were tried
    std::uint64_t benign_hits = 0;
    std::uint64_t traffic = 0;  // contents of recent calls
    std::uint64_t traffic_hits = 0;
};

enum class Step : std::uint8_t { kApproved = 1, kRefused, kRetired, kReviewed };
std::string_view step_name(Step step) noexcept;  // "approved", ...

struct Opinion {
    Step step = Step::kApproved;
    std::string by;
    Time at;
    std::string reason;
};

struct LibraryEntry {
    std::int64_t revision = 0;  // of the id: 1, 2, ...
    EntryState state = EntryState::kProposed;
    AnyEntry entry;
    About about;
    std::string batch;
    std::string proposed_by;
    Time proposed;
    std::optional<Time> live;
    std::optional<Time> ended;
    std::optional<Time> review_due;
    std::optional<Time> trialled;
    TrialCounts trial;
    std::uint64_t hits = 0;         // of all revisions of the id, in calls of the service
    std::uint64_t overturned = 0;   // of what these held, people released so many
    std::vector<Opinion> opinions;  // of find() only
};

// Which entries a step is for: these ids, or all of a batch. Only those in the state that the step
// begins in are touched.
struct Selection {
    std::vector<std::string> ids;
    std::string batch;
};

struct LibraryQuery {
    std::optional<EntryState> state;
    std::string batch;
    std::string category;
    std::optional<Time> due;  // to be looked at again by then
    // The last of the page before.
    std::string after;
    std::int64_t after_revision = 0;
    std::size_t entries_max = 1000;
};

struct LiveEntries {
    std::vector<AnyEntry> entries;
    std::optional<Time> next_end;  // when the first of them expires
};

// Of an entry in calls, to be added to what is kept.
struct Hits {
    std::string id;
    std::uint64_t count = 0;
};

// The figures that TC260-003 asks of a keyword library: entries for each risk, and how old the
// newest is.
struct CategoryFigure {
    std::string category;
    std::uint64_t live = 0;
    Time newest;
    std::uint64_t hits = 0;
};

struct Decided {
    std::uint64_t done = 0;
    std::uint64_t waiting = 0;  // for a second approval
    std::uint64_t own = 0;      // proposed by who approves
    std::uint64_t untried = 0;  // not trialled
};

class Library {
public:
    struct Options {
        std::int64_t benign_per_million_max = kBenignPerMillionMax;
    };
    // All that is passed in outlives this.
    Library(storage::Store& store, Clock& clock, const ledger::Conduct& conduct,
            const Options& options)
        : store_(store), clock_(clock), conduct_(conduct), options_(options) {}

    // All of them or none. kInvalidArgument names the entry; kConflict: one of that id is proposed
    // already.
    Result<void> propose(std::span<const Proposal> proposals, const std::string& by,
                         const std::string& batch = {});
    // What the trial of proposed entries found. Another trial replaces it.
    struct TrialResult {
        std::string id;
        TrialCounts counts;
    };
    Result<void> note_trial(std::span<const TrialResult> results, const std::string& by);

    // kNotFound when nothing of the selection is in the state to begin in.
    Result<Decided> approve(const Selection& selection, const std::string& by,
                            const std::string& reason);
    Result<Decided> refuse(const Selection& selection, const std::string& by,
                           const std::string& reason);
    Result<Decided> retire(const Selection& selection, const std::string& by,
                           const std::string& reason);
    // It was looked at and stays.
    Result<Decided> keep(const Selection& selection, const std::string& by,
                         const std::string& reason);

    // By id, each revision apart, the newest first.
    Result<std::vector<LibraryEntry>> list(const LibraryQuery& query);
    // All revisions, the newest first, with everything. kNotFound.
    Result<std::vector<LibraryEntry>> find(std::string_view id);
    // Those that are in force.
    Result<LiveEntries> live();
    // Those that were in force then.
    Result<std::vector<AnyEntry>> live_at(Time time);
    Result<std::vector<CategoryFigure>> figures();

    Result<void> add_hits(std::span<const Hits> hits);

private:
    struct Move;
    struct Doing;
    Result<std::int64_t> approve_piece(storage::Transaction& transaction, const Doing& doing) const;
    static Result<std::int64_t> change_piece(storage::Transaction& transaction, const Move& what,
                                             const Doing& doing);
    Result<void> move_piece(storage::Transaction& transaction, const Move& what, const Doing& doing,
                            Decided& decided) const;
    Result<Decided> move(const Move& what, const Selection& selection, const std::string& by,
                         const std::string& reason);

    storage::Store& store_;
    Clock& clock_;
    const ledger::Conduct& conduct_;
    Options options_;
};

}  // namespace colophon::review
