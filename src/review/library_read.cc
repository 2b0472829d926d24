// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/result.h"
#include "review/entry_json.h"
#include "review/library.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace colophon::review {
namespace {

using storage::integer;
using storage::optional_time_at;
using storage::Rows;
using storage::Statement;
using storage::text;
using storage::time_at;
using storage::time_value;
using storage::Value;

constexpr std::int64_t kLastState = 5;
constexpr std::int64_t kLastStep = 4;

constexpr Statement kList{
    "SELECT e.id, e.revision, e.state, e.content, e.reason, e.evidence, e.source, e.owner, e.batch,"
    " e.proposed_by, e.proposed_at, e.expires_at, e.live_at, e.ended_at, e.review_at, e.trial_at,"
    " e.benign, e.benign_hits, e.traffic, e.traffic_hits,"
    " (SELECT CAST(SUM(h.hits) AS BIGINT) FROM feature_hits h WHERE h.id = e.id),"
    " (SELECT CAST(SUM(o.overturned) AS BIGINT) FROM feature_overturned o WHERE o.id = e.id)"
    " FROM feature_entries e"
    " WHERE ($1 = 0 OR e.state = $1) AND ($2 = '' OR e.batch = $2) AND ($3 = '' OR e.category = $3)"
    " AND ($4 = 0 OR (e.review_at <= $4 AND e.state = 2)) AND (e.id > $5 OR (e.id = $5"
    " AND e.revision < $6)) ORDER BY e.id, e.revision DESC LIMIT $7"};
constexpr Statement kFind{
    "SELECT e.id, e.revision, e.state, e.content, e.reason, e.evidence, e.source, e.owner, e.batch,"
    " e.proposed_by, e.proposed_at, e.expires_at, e.live_at, e.ended_at, e.review_at, e.trial_at,"
    " e.benign, e.benign_hits, e.traffic, e.traffic_hits,"
    " (SELECT CAST(SUM(h.hits) AS BIGINT) FROM feature_hits h WHERE h.id = e.id),"
    " (SELECT CAST(SUM(o.overturned) AS BIGINT) FROM feature_overturned o WHERE o.id = e.id)"
    " FROM feature_entries e WHERE e.id = $1 ORDER BY e.revision DESC"};
constexpr Statement kOpinions{
    "SELECT revision, step, opinion_by, opinion_at, reason FROM feature_opinions WHERE id = $1"
    " ORDER BY opinion_at, step"};
constexpr Statement kLive{
    "SELECT content, expires_at FROM feature_entries WHERE state = 2"
    " AND (expires_at IS NULL OR expires_at > $1) ORDER BY id"};
constexpr Statement kLiveAt{
    "SELECT content FROM feature_entries WHERE live_at <= $1"
    " AND (ended_at IS NULL OR ended_at > $1) AND (expires_at IS NULL OR expires_at > $1)"
    " ORDER BY id"};
constexpr Statement kFigures{
    "SELECT e.category, COUNT(*), MAX(e.live_at),"
    " CAST(SUM(COALESCE((SELECT SUM(h.hits) FROM feature_hits h WHERE h.id = e.id), 0)) AS BIGINT)"
    " FROM feature_entries e WHERE e.state = 2 AND (e.expires_at IS NULL OR e.expires_at > $1)"
    " GROUP BY e.category ORDER BY e.category"};
Error misshapen() {
    return {ErrorCode::kCorrupt, "a row of the feature library has another form"};
}

Result<AnyEntry> entry_of(std::string_view content) {
    const auto value = json::parse(content, {.bytes_max = content.size() + 1});
    if (!value.ok()) {
        return value.error();
    }
    return read_entry(*value);
}

Result<LibraryEntry> entry_at(const Rows& rows, std::size_t row) {
    LibraryEntry entry;
    entry.revision = TRY(rows.integer(row, 1));
    const std::int64_t state = TRY(rows.integer(row, 2));
    if (state < 1 || state > kLastState) {
        return misshapen();
    }
    entry.state = static_cast<EntryState>(state);
    const std::string_view content = TRY(rows.text(row, 3));
    entry.entry = TRY(entry_of(content));
    entry.about.reason = TRY(rows.text(row, 4));
    entry.about.evidence = TRY(rows.text(row, 5));
    entry.about.source = TRY(rows.text(row, 6));
    entry.about.owner = TRY(rows.text(row, 7));
    entry.batch = TRY(rows.text(row, 8));
    entry.proposed_by = TRY(rows.text(row, 9));
    entry.proposed = TRY(time_at(rows, row, 10));
    entry.about.expires = TRY(optional_time_at(rows, row, 11));
    entry.live = TRY(optional_time_at(rows, row, 12));
    entry.ended = TRY(optional_time_at(rows, row, 13));
    entry.review_due = TRY(optional_time_at(rows, row, 14));
    entry.trialled = TRY(optional_time_at(rows, row, 15));
    entry.trial.benign = static_cast<std::uint64_t>(TRY(rows.integer(row, 16)));
    entry.trial.benign_hits = static_cast<std::uint64_t>(TRY(rows.integer(row, 17)));
    entry.trial.traffic = static_cast<std::uint64_t>(TRY(rows.integer(row, 18)));
    entry.trial.traffic_hits = static_cast<std::uint64_t>(TRY(rows.integer(row, 19)));
    if (!rows.is_null(row, 20)) {
        entry.hits = static_cast<std::uint64_t>(TRY(rows.integer(row, 20)));
    }
    if (!rows.is_null(row, 21)) {
        entry.overturned = static_cast<std::uint64_t>(TRY(rows.integer(row, 21)));
    }
    return entry;
}

}  // namespace

Result<std::vector<LibraryEntry>> Library::list(const LibraryQuery& query) {
    if (query.entries_max == 0 || query.entries_max > kLibraryPageMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("1 to {} entries are listed at once", kLibraryPageMax)};
    }
    const Rows rows = TRY(store_.query(
        kList,
        {integer(query.state ? static_cast<std::int64_t>(*query.state) : 0), text(query.batch),
         text(query.category), query.due ? time_value(*query.due) : integer(0), text(query.after),
         integer(query.after_revision), integer(static_cast<std::int64_t>(query.entries_max))}));
    std::vector<LibraryEntry> entries;
    entries.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        entries.push_back(TRY(entry_at(rows, row)));
    }
    return entries;
}

Result<std::vector<LibraryEntry>> Library::find(std::string_view id) {
    const Rows rows = TRY(store_.query(kFind, {text(id)}));
    if (rows.empty()) {
        return Error{ErrorCode::kNotFound, fmt::format("there is no entry {}", id)};
    }
    std::vector<LibraryEntry> entries;
    entries.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        entries.push_back(TRY(entry_at(rows, row)));
    }
    const Rows opinions = TRY(store_.query(kOpinions, {text(id)}));
    for (std::size_t row = 0; row < opinions.size(); ++row) {
        const std::int64_t revision = TRY(opinions.integer(row, 0));
        const auto of = std::ranges::find(entries, revision, &LibraryEntry::revision);
        const std::int64_t step = TRY(opinions.integer(row, 1));
        if (of == entries.end() || step < 1 || step > kLastStep) {
            return misshapen();
        }
        Opinion opinion{.step = static_cast<Step>(step), .by = {}, .at = {}, .reason = {}};
        opinion.by = TRY(opinions.text(row, 2));
        opinion.at = TRY(time_at(opinions, row, 3));
        opinion.reason = TRY(opinions.text(row, 4));
        of->opinions.push_back(std::move(opinion));
    }
    return entries;
}

Result<std::vector<AnyEntry>> Library::live_at(Time time) {
    std::vector<AnyEntry> entries;
    const auto take = [&](const storage::Values& row) -> Result<void> {
        const auto* content = std::get_if<std::string>(&row[0]);
        if (content == nullptr) {
            return misshapen();
        }
        entries.push_back(TRY(entry_of(*content)));
        return {};
    };
    const auto read = store_.snapshot([&](storage::Snapshot& snapshot) -> Result<void> {
        entries.clear();
        return snapshot.visit(kLiveAt, {time_value(time)}, take);
    });
    TRY(read);
    return entries;
}

Result<LiveEntries> Library::live() {
    LiveEntries live;
    const auto take = [&](const storage::Values& row) -> Result<void> {
        const auto* content = std::get_if<std::string>(&row[0]);
        if (content == nullptr) {
            return misshapen();
        }
        live.entries.push_back(TRY(entry_of(*content)));
        if (const auto* end = std::get_if<std::int64_t>(&row[1])) {
            const Time ends{std::chrono::milliseconds(*end)};
            live.next_end = std::min(live.next_end.value_or(ends), ends);
        }
        return {};
    };
    const Time now = clock_.now();
    const auto read = store_.snapshot([&](storage::Snapshot& snapshot) -> Result<void> {
        live = {};
        return snapshot.visit(kLive, {time_value(now)}, take);
    });
    TRY(read);
    return live;
}

Result<std::vector<CategoryFigure>> Library::figures() {
    const Rows rows = TRY(store_.query(kFigures, {time_value(clock_.now())}));
    std::vector<CategoryFigure> figures;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        CategoryFigure figure;
        figure.category = TRY(rows.text(row, 0));
        figure.live = static_cast<std::uint64_t>(TRY(rows.integer(row, 1)));
        figure.newest = TRY(time_at(rows, row, 2));
        figure.hits = static_cast<std::uint64_t>(TRY(rows.integer(row, 3)));
        figures.push_back(std::move(figure));
    }
    return figures;
}

}  // namespace colophon::review
