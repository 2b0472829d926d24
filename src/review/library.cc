// SPDX-License-Identifier: Apache-2.0
#include "review/library.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/json.h"
#include "core/result.h"
#include "core/utf8.h"
#include "ledger/conduct.h"
#include "review/entry_json.h"
#include "review/entry_list.h"
#include "review/matcher.h"
#include "review/picture_list.h"
#include "review/sound_list.h"
#include "review/video_list.h"
#include "storage/batch.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

using storage::integer;
using storage::Rows;
using storage::Statement;
using storage::text;
using storage::time_value;
using storage::Transaction;
using storage::Value;

constexpr std::array<std::string_view, 5> kStates{"proposed", "live", "retired", "refused",
                                                  "replaced"};
constexpr std::array<std::string_view, 4> kSteps{"approved", "refused", "retired", "reviewed"};

constexpr Statement kRevisions{
    "SELECT id, MAX(revision), MIN(CASE WHEN state = 1 THEN 0 ELSE 1 END) FROM feature_entries"
    " GROUP BY id"};
constexpr Statement kRevisionsOf{
    "SELECT id, MAX(revision), MIN(CASE WHEN state = 1 THEN 0 ELSE 1 END) FROM feature_entries"
    " WHERE id = $1 GROUP BY id"};
constexpr Statement kNoteTrial{
    "UPDATE feature_entries SET trial_at = $2, benign = $3, benign_hits = $4, traffic = $5,"
    " traffic_hits = $6 WHERE id = $1 AND state = 1"};

// A selection is one id and one batch, of which one is NULL.
constexpr Statement kCount{
    "SELECT COUNT(*), CAST(SUM(CASE WHEN proposed_by = $4 THEN 1 ELSE 0 END) AS BIGINT),"
    " CAST(SUM(CASE WHEN benign = 0 THEN 1 ELSE 0 END) AS BIGINT) FROM feature_entries"
    " WHERE state = $3 AND (id = $1 OR batch = $2)"};
constexpr Statement kApprove{
    "INSERT INTO feature_opinions (id, revision, step, opinion_by, opinion_at, reason)"
    " SELECT e.id, e.revision, 1, $4, $3, $5 FROM feature_entries e"
    " WHERE e.state = 1 AND (e.id = $1 OR e.batch = $2) AND e.proposed_by <> $4 AND e.benign > 0"
    " AND NOT EXISTS (SELECT 1 FROM feature_opinions o WHERE o.id = e.id"
    " AND o.revision = e.revision AND o.step = 1 AND o.opinion_by = $4)"};
constexpr Statement kGoLive{
    "UPDATE feature_entries SET state = 2, live_at = $3, review_at = $4"
    " WHERE state = 1 AND (id = $1 OR batch = $2) AND benign > 0"
    " AND (SELECT COUNT(*) FROM feature_opinions o WHERE o.id = feature_entries.id"
    " AND o.revision = feature_entries.revision AND o.step = 1)"
    " >= CASE WHEN benign_hits * 1000000 <= $5 * benign THEN 1 ELSE 2 END"};
constexpr Statement kReplace{
    "UPDATE feature_entries SET state = 5, ended_at = $3"
    " WHERE state = 2 AND (id = $1 OR id IN (SELECT b.id FROM feature_entries b WHERE b.batch = "
    "$2))"
    " AND EXISTS (SELECT 1 FROM feature_entries n WHERE n.id = feature_entries.id"
    " AND n.revision > feature_entries.revision AND n.state = 2)"};
constexpr Statement kNoteOpinion{
    "INSERT INTO feature_opinions (id, revision, step, opinion_by, opinion_at, reason)"
    " SELECT e.id, e.revision, $6, $4, $3, $5 FROM feature_entries e"
    " WHERE e.state = $7 AND (e.id = $1 OR e.batch = $2)"};
constexpr Statement kEnd{
    "UPDATE feature_entries SET state = $5, ended_at = $4"
    " WHERE state = $3 AND (id = $1 OR batch = $2)"};
constexpr Statement kKeep{
    "UPDATE feature_entries SET review_at = $4 WHERE state = $3 AND (id = $1 OR batch = $2)"};

constexpr Statement kAddHits{
    "INSERT INTO feature_hits (id, day, hits) VALUES ($1, $2, $3)"
    " ON CONFLICT (id, day) DO UPDATE SET hits = feature_hits.hits + $3"};

Error bad(std::string_view id, std::string_view what) {
    return {ErrorCode::kInvalidArgument, fmt::format("entry {}: {}", id, what)};
}

bool is_word(std::string_view word, std::size_t most) {
    return !word.empty() && word.size() <= most && !find_invalid_utf8(word) &&
           std::ranges::none_of(
               word, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_line(std::string_view line) {
    return line.empty() || is_word(line, kReasonBytesMax);
}

Result<void> check_about(const Proposal& proposal) {
    const std::string& id = entry_id(proposal.entry);
    if (!is_word(id, kEntryIdBytesMax) ||
        !is_word(entry_category(proposal.entry), kEntryIdBytesMax)) {
        return bad(id, fmt::format("ids and categories have 1 to {} bytes", kEntryIdBytesMax));
    }
    const About& about = proposal.about;
    if (about.reason.empty()) {
        return bad(id, "it is proposed without a reason");
    }
    for (const std::string* line : {&about.reason, &about.evidence, &about.source, &about.owner}) {
        if (!is_line(*line)) {
            return bad(id,
                       fmt::format("reason, evidence, source and owner have at most {} bytes on "
                                   "one line",
                                   kReasonBytesMax));
        }
    }
    return {};
}

// As they would be in force: what cannot be searched for is not proposed either.
Result<void> check_entries(std::span<const Proposal> proposals) {
    EntryList list;
    std::set<std::string_view> ids;
    for (const Proposal& proposal : proposals) {
        TRY(check_about(proposal));
        if (!ids.insert(entry_id(proposal.entry)).second) {
            return bad(entry_id(proposal.entry), "it is proposed twice at once");
        }
        add_entry(proposal.entry, list);
    }
    TRY(Matcher::compile(std::move(list.texts)));
    TRY(PictureList::create(std::move(list.pictures)));
    TRY(SoundList::create(std::move(list.sounds)));
    TRY(VideoList::create(std::move(list.videos)));
    return {};
}

struct LastRevision {
    std::int64_t revision = 0;
    bool proposed = false;
};

Result<std::map<std::string, LastRevision, std::less<>>> last_revisions(
    Transaction& transaction, std::span<const Proposal> proposals) {
    constexpr std::size_t kOneByOne = 100;
    std::map<std::string, LastRevision, std::less<>> last;
    const auto take = [&](const storage::Values& row) -> Result<void> {
        const auto* id = std::get_if<std::string>(&row[0]);
        const auto* revision = std::get_if<std::int64_t>(&row[1]);
        const auto* settled = std::get_if<std::int64_t>(&row[2]);
        if (id == nullptr || revision == nullptr || settled == nullptr) {
            return Error{ErrorCode::kCorrupt, "a row of the feature library has another form"};
        }
        last[*id] = {.revision = *revision, .proposed = *settled == 0};
        return {};
    };
    if (proposals.size() > kOneByOne) {
        TRY(transaction.visit(kRevisions, {}, take));
        return last;
    }
    for (const Proposal& proposal : proposals) {
        TRY(transaction.visit(kRevisionsOf, {text(entry_id(proposal.entry))}, take));
    }
    return last;
}

std::string content_of(const Proposal& proposal) {
    return json::write(write_entry(proposal.entry));
}

std::vector<std::pair<Value, Value>> pieces_of(const Selection& selection) {
    std::vector<std::pair<Value, Value>> pieces;
    pieces.reserve(selection.ids.size() + 1);
    for (const std::string& id : selection.ids) {
        pieces.emplace_back(text(id), storage::null());
    }
    if (!selection.batch.empty()) {
        pieces.emplace_back(storage::null(), text(selection.batch));
    }
    return pieces;
}

json::Object selection_facts(const Selection& selection) {
    json::Object facts;
    if (!selection.ids.empty()) {
        facts.emplace_back("entries", json::Array(selection.ids.begin(), selection.ids.end()));
    }
    if (!selection.batch.empty()) {
        facts.emplace_back("batch", selection.batch);
    }
    return facts;
}

std::int64_t day_of(Time time) {
    return std::chrono::floor<std::chrono::days>(time).time_since_epoch().count();
}

}  // namespace

std::string_view entry_state_name(EntryState state) noexcept {
    return kStates[static_cast<std::size_t>(state) - 1];
}

std::optional<EntryState> parse_entry_state(std::string_view name) noexcept {
    const auto* found = std::ranges::find(kStates, name);
    if (found == kStates.end()) {
        return std::nullopt;
    }
    return static_cast<EntryState>(found - kStates.begin() + 1);
}

std::string_view step_name(Step step) noexcept {
    return kSteps[static_cast<std::size_t>(step) - 1];
}

Result<void> Library::propose(std::span<const Proposal> proposals, const std::string& by,
                              const std::string& batch) {
    if (proposals.empty() || proposals.size() > kProposalsMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("1 to {} entries are proposed at once", kProposalsMax)};
    }
    if (!batch.empty() && !is_word(batch, kEntryIdBytesMax)) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("the name of a batch has 1 to {} bytes", kEntryIdBytesMax)};
    }
    TRY(check_entries(proposals));
    std::string all;
    for (const Proposal& proposal : proposals) {
        all += content_of(proposal) + "\n";
    }
    json::Object facts{{"count", static_cast<std::uint64_t>(proposals.size())},
                       {"sha256", to_hex(sha256(as_bytes(all)))}};
    facts.emplace_back(batch.empty() ? "entry" : "batch",
                       batch.empty() ? entry_id(proposals.front().entry) : batch);
    const storage::Batch record =
        TRY(conduct_.prepare({.operation = "library.propose", .facts = facts, .names = {}}));
    const Time now = clock_.now();
    return store_.transact([&](Transaction& transaction) -> Result<void> {
        const auto last = TRY(last_revisions(transaction, proposals));
        storage::BulkInsert insert{
            .table = "feature_entries",
            .columns = {"id", "revision", "state", "content", "category", "reason", "evidence",
                        "source", "owner", "batch", "proposed_by", "proposed_at", "expires_at"},
            .rows = {}};
        for (const Proposal& proposal : proposals) {
            const std::string& id = entry_id(proposal.entry);
            const auto before = last.find(id);
            if (before != last.end() && before->second.proposed) {
                return Error{ErrorCode::kConflict,
                             fmt::format("entry {}: one is proposed already; approve or refuse it "
                                         "first",
                                         id)};
            }
            insert.rows.push_back(
                {text(id), integer(before == last.end() ? 1 : before->second.revision + 1),
                 integer(static_cast<std::int64_t>(EntryState::kProposed)),
                 text(content_of(proposal)), text(entry_category(proposal.entry)),
                 text(proposal.about.reason), text(proposal.about.evidence),
                 text(proposal.about.source), text(proposal.about.owner), text(batch), text(by),
                 time_value(now), time_value(proposal.about.expires)});
        }
        TRY(transaction.insert(insert));
        return storage::execute_batch(transaction, record);
    });
}

Result<void> Library::note_trial(std::span<const TrialResult> results, const std::string& by) {
    const storage::Batch record = TRY(conduct_.prepare(
        {.operation = "library.trial",
         .facts = {{"count", static_cast<std::uint64_t>(results.size())}, {"by", by}},
         .names = {}}));
    const Time now = clock_.now();
    return store_.transact([&](Transaction& transaction) -> Result<void> {
        for (const TrialResult& each : results) {
            const auto number = [](std::uint64_t count) {
                return integer(static_cast<std::int64_t>(count));
            };
            TRY(transaction.execute(kNoteTrial,
                                    {text(each.id), time_value(now), number(each.counts.benign),
                                     number(each.counts.benign_hits), number(each.counts.traffic),
                                     number(each.counts.traffic_hits)}));
        }
        return storage::execute_batch(transaction, record);
    });
}

// One step: from which state, and how it is recorded.
struct Library::Move {
    Step step;
    EntryState from;
    std::string_view operation;
    bool needs_reason;
};

// Who does it to which entries, and when.
struct Library::Doing {
    Value id;
    Value batch;
    Time now;
    const std::string& by;
    const std::string& reason;
};

Result<std::int64_t> Library::approve_piece(storage::Transaction& transaction,
                                            const Doing& doing) const {
    const Value now = time_value(doing.now);
    TRY(transaction.execute(kApprove,
                            {doing.id, doing.batch, now, text(doing.by), text(doing.reason)}));
    const std::int64_t live = TRY(transaction.execute(
        kGoLive, {doing.id, doing.batch, now, time_value(doing.now + kReviewInterval),
                  integer(options_.benign_per_million_max)}));
    TRY(transaction.execute(kReplace, {doing.id, doing.batch, now}));
    return live;
}

Result<std::int64_t> Library::change_piece(storage::Transaction& transaction, const Move& what,
                                           const Doing& doing) {
    const Step step = what.step;
    const Value from = integer(static_cast<std::int64_t>(what.from));
    TRY(transaction.execute(kNoteOpinion,
                            {doing.id, doing.batch, time_value(doing.now), text(doing.by),
                             text(doing.reason), integer(static_cast<std::int64_t>(step)), from}));
    if (step == Step::kReviewed) {
        return transaction.execute(
            kKeep, {doing.id, doing.batch, from, time_value(doing.now + kReviewInterval)});
    }
    const EntryState to = step == Step::kRefused ? EntryState::kRefused : EntryState::kRetired;
    return transaction.execute(kEnd, {doing.id, doing.batch, from, time_value(doing.now),
                                      integer(static_cast<std::int64_t>(to))});
}

Result<void> Library::move_piece(storage::Transaction& transaction, const Move& what,
                                 const Doing& doing, Decided& decided) const {
    const Rows rows = TRY(transaction.query(
        kCount,
        {doing.id, doing.batch, integer(static_cast<std::int64_t>(what.from)), text(doing.by)}));
    const auto count = static_cast<std::uint64_t>(TRY(rows.integer(0, 0)));
    if (count == 0) {
        return {};
    }
    std::int64_t done = 0;
    if (what.step == Step::kApproved) {
        decided.own += static_cast<std::uint64_t>(TRY(rows.integer(0, 1)));
        decided.untried += static_cast<std::uint64_t>(TRY(rows.integer(0, 2)));
        done = TRY(approve_piece(transaction, doing));
    } else {
        done = TRY(change_piece(transaction, what, doing));
    }
    decided.done += static_cast<std::uint64_t>(done);
    decided.waiting += count - static_cast<std::uint64_t>(done);
    return {};
}

Result<Decided> Library::move(const Move& what, const Selection& selection, const std::string& by,
                              const std::string& reason) {
    const auto pieces = pieces_of(selection);
    if (pieces.empty()) {
        return Error{ErrorCode::kInvalidArgument, "name entries or a batch"};
    }
    if (!is_line(reason) || (what.needs_reason && reason.empty())) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("give a reason of 1 to {} bytes on one line", kReasonBytesMax)};
    }
    json::Object facts = selection_facts(selection);
    facts.emplace_back("reason", reason);
    const storage::Batch record = TRY(
        conduct_.prepare({.operation = std::string(what.operation), .facts = facts, .names = {}}));
    const Time now = clock_.now();
    Decided decided;
    const auto done = store_.transact([&](Transaction& transaction) -> Result<void> {
        decided = {};
        for (const auto& [id, batch] : pieces) {
            TRY(move_piece(transaction, what, {id, batch, now, by, reason}, decided));
        }
        if (decided.done + decided.waiting == 0) {
            return Error{ErrorCode::kNotFound,
                         fmt::format("no entry of these is {}", entry_state_name(what.from))};
        }
        transaction.notify({.channel = kLibraryChanged, .payload = {}});
        return storage::execute_batch(transaction, record);
    });
    TRY(done);
    return decided;
}

Result<Decided> Library::approve(const Selection& selection, const std::string& by,
                                 const std::string& reason) {
    return move({Step::kApproved, EntryState::kProposed, "library.approve", false}, selection, by,
                reason);
}

Result<Decided> Library::refuse(const Selection& selection, const std::string& by,
                                const std::string& reason) {
    return move({Step::kRefused, EntryState::kProposed, "library.refuse", true}, selection, by,
                reason);
}

Result<Decided> Library::retire(const Selection& selection, const std::string& by,
                                const std::string& reason) {
    return move({Step::kRetired, EntryState::kLive, "library.retire", true}, selection, by, reason);
}

Result<Decided> Library::keep(const Selection& selection, const std::string& by,
                              const std::string& reason) {
    return move({Step::kReviewed, EntryState::kLive, "library.keep", true}, selection, by, reason);
}

Result<void> Library::add_hits(std::span<const Hits> hits) {
    storage::Batch batch;
    const std::int64_t day = day_of(clock_.now());
    for (const Hits& each : hits) {
        batch.operations.push_back(
            {.statement = kAddHits,
             .parameters = {text(each.id), integer(day),
                            integer(static_cast<std::int64_t>(each.count))}});
    }
    return batch.operations.empty() ? Result<void>() : store_.apply(std::move(batch));
}

}  // namespace colophon::review
