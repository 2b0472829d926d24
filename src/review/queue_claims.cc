// SPDX-License-Identifier: Apache-2.0
// Who has which item of the queue, and who looks at it.
#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "review/internal/queue_rows.h"
#include "review/queue.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

using storage::integer;
using storage::Rows;
using storage::Statement;
using storage::text;
using storage::time_value;

constexpr Statement kList{
    "SELECT " COLOPHON_ITEM_COLUMNS
    " FROM review_items i WHERE ($1 = 0 OR ($1 = 6 AND i.state <= 3 AND i.expires_at <= $4)"
    " OR ($1 < 6 AND i.state = $1 AND (i.state > 3 OR i.expires_at > $4)))"
    " AND ($2 = '' OR i.category = $2) AND ($8 = 0 OR i.tenant = $3)"
    " AND ($5 = 0 OR (i.state <= 3 AND i.due_at <= $4 AND i.expires_at > $4))"
    " ORDER BY i.priority DESC, i.due_at, i.id LIMIT $6 OFFSET $7"};
// Nobody decides twice about one thing, nor about a sample of his own decisions.
constexpr Statement kCandidates{
    "SELECT " COLOPHON_ITEM_COLUMNS
    " FROM review_items i WHERE i.state <= $1 AND ($2 = '' OR i.category = $2)"
    " AND i.expires_at > $3 AND (i.claimed_until IS NULL OR i.claimed_until <= $3)"
    " AND NOT EXISTS (SELECT 1 FROM review_acts a WHERE a.act = 5 AND a.act_by = $4"
    " AND a.undone = 0 AND (a.item = i.id OR a.item = i.sample_of))"
    " ORDER BY i.priority DESC, i.due_at, i.id LIMIT 20"};
constexpr Statement kDecidedBefore{
    "SELECT COUNT(*) FROM review_acts WHERE act = 5 AND act_by = $1 AND undone = 0"
    " AND (item = $2 OR item = $3)"};
constexpr Statement kClaim{
    "UPDATE review_items SET claimed_by = $2, claimed_until = $3 WHERE id = $1 AND state = $4"
    " AND (claimed_until IS NULL OR claimed_until <= $5)"};
constexpr Statement kExtend{
    "UPDATE review_items SET claimed_until = $3 WHERE id = $1 AND claimed_by = $2"
    " AND claimed_until > $4 AND state <= 3"};
constexpr Statement kGiveBack{
    "UPDATE review_items SET claimed_by = '', claimed_until = NULL WHERE id = $1"
    " AND claimed_by = $2 AND claimed_until > $3 AND state <= 3"};
constexpr Statement kMine{
    "SELECT COUNT(*) FROM review_items WHERE state <= 3 AND claimed_by = $1 AND claimed_until > $2"
    " AND expires_at > $2"};
constexpr Statement kDone{
    "SELECT COUNT(*) FROM review_acts WHERE act_by = $1 AND act_at > $2 AND act = 5"
    " AND undone = 0"};
constexpr Statement kAskAnother{
    "UPDATE review_items SET opinions = 2 WHERE id = $1 AND claimed_by = $2 AND claimed_until > $3"
    " AND state = 1 AND opinions = 1"};
constexpr Statement kDecided{
    "SELECT " COLOPHON_ITEM_COLUMNS
    " FROM review_items i WHERE i.state IN (4, 5) AND i.cause <> 2 AND i.decided_at >= $1"
    " AND ($2 = '' OR i.category = $2) AND (i.decided_at > $1 OR i.id > $3)"
    " ORDER BY i.decided_at, i.id LIMIT 200"};
constexpr Statement kSimilar{
    "SELECT " COLOPHON_ITEM_COLUMNS
    " FROM review_items i, review_items o WHERE o.id = $1 AND i.id <> o.id AND i.state <= 2"
    " AND i.cause <> 2 AND i.expires_at > $2 AND i.stage = o.stage"
    " AND (i.digest = o.digest OR i.entries = o.entries)"
    " ORDER BY i.created_at, i.id LIMIT 1000"};

Error not_claimed() {
    return {ErrorCode::kConflict, "claim this item first; a claim ends after a while"};
}

// An error of a guarded change as what it means.
Result<void> as_claim(Result<void> done) {
    if (!done.ok() && done.error().code == ErrorCode::kConflict) {
        return not_claimed();
    }
    return done;
}

}  // namespace

Result<std::vector<Item>> ReviewQueue::list(const ItemQuery& query) const {
    if (query.items_max == 0 || query.items_max > kItemsPageMax) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("1 to {} items are listed at once", kItemsPageMax)};
    }
    const Time now = parts_.clock.now();
    const Rows rows = TRY(parts_.store.query(
        kList,
        {integer(query.state ? static_cast<std::int64_t>(*query.state) : 0), text(query.category),
         storage::id_value(query.tenant.value_or(TenantId{})), time_value(now),
         integer(query.overdue ? 1 : 0), integer(static_cast<std::int64_t>(query.items_max)),
         integer(static_cast<std::int64_t>(query.skip)), integer(query.tenant ? 1 : 0)}));
    return items_of(rows, now);
}

Result<Item> ReviewQueue::find(const ItemId& id) const {
    Item item = TRY(load_item(parts_.store, id, parts_.clock.now()));
    item.acts = TRY(load_acts(parts_.store, id));
    return item;
}

// [DSP-10] Who decides all day decides badly: there is an end to it.
Result<void> ReviewQueue::check_room(const Person& person, const QueueRules& rules) const {
    const Time now = parts_.clock.now();
    const Rows mine = TRY(parts_.store.query(kMine, {text(person.name), time_value(now)}));
    if (TRY(mine.integer(0, 0)) >= rules.claims_at_once) {
        return Error{ErrorCode::kLimit,
                     fmt::format("{} items are claimed by you; decide them or give them back",
                                 rules.claims_at_once)};
    }
    if (rules.decisions_a_day > 0) {
        const Rows done = TRY(parts_.store.query(
            kDone, {text(person.name), time_value(now - std::chrono::hours(24))}));
        if (TRY(done.integer(0, 0)) >= rules.decisions_a_day) {
            return Error{ErrorCode::kLimit,
                         fmt::format("you have decided {} items within a day; that is enough",
                                     rules.decisions_a_day)};
        }
    }
    return {};
}

Result<void> ReviewQueue::check_may_decide(const Person& person, const Item& item) const {
    if (!is_open(item.state)) {
        return Error{ErrorCode::kConflict,
                     fmt::format("this item is {}", item_state_name(item.state))};
    }
    if (item.state == ItemState::kEscalated && !person.lead) {
        return Error{ErrorCode::kDenied, "a lead decides what was escalated"};
    }
    const Rows before = TRY(parts_.store.query(
        kDecidedBefore, {text(person.name), storage::id_value(item.id),
                         storage::id_value(item.sample_of ? *item.sample_of : item.id)}));
    if (TRY(before.integer(0, 0)) > 0) {
        return Error{ErrorCode::kConflict,
                     "you have decided about this before; another person shall"};
    }
    return {};
}

// False when somebody was quicker.
Result<bool> ReviewQueue::try_claim(const Person& person, const Item& item) {
    const Time now = parts_.clock.now();
    storage::Batch batch;
    batch.operations.push_back(
        {.statement = kClaim,
         .parameters = {storage::id_value(item.id), text(person.name),
                        time_value(now + rules()->claim),
                        integer(static_cast<std::int64_t>(item.state)), time_value(now)},
         .affects = storage::Affects::kOne});
    batch.operations.push_back(
        act_operation({.item = item.id, .kind = ActKind::kClaimed, .by = person.name, .at = now}));
    const auto done = parts_.store.apply(std::move(batch));
    if (!done.ok() && done.error().code == ErrorCode::kConflict) {
        return false;
    }
    TRY(done);
    return true;
}

Result<std::optional<Item>> ReviewQueue::claim_next(const Person& person,
                                                    const std::string& category) {
    TRY(check_room(person, *rules()));
    const Time now = parts_.clock.now();
    const ItemState most = person.lead ? ItemState::kEscalated : ItemState::kSecond;
    const Rows rows =
        TRY(parts_.store.query(kCandidates, {integer(static_cast<std::int64_t>(most)),
                                             text(category), time_value(now), text(person.name)}));
    for (const Item& each : TRY(items_of(rows, now))) {
        if (TRY(try_claim(person, each))) {
            return std::optional(TRY(find(each.id)));
        }
    }
    return std::optional<Item>();
}

Result<Item> ReviewQueue::claim(const Person& person, const ItemId& id) {
    const Item item = TRY(load_item(parts_.store, id, parts_.clock.now()));
    if (item.claimed_by == person.name) {
        return extend(person, id);
    }
    TRY(check_may_decide(person, item));
    TRY(check_room(person, *rules()));
    if (!item.claimed_by.empty() || !TRY(try_claim(person, item))) {
        return Error{ErrorCode::kConflict, "somebody else has claimed this item"};
    }
    return find(id);
}

Result<Item> ReviewQueue::extend(const Person& person, const ItemId& id) {
    const Time now = parts_.clock.now();
    storage::Batch batch;
    batch.operations.push_back({.statement = kExtend,
                                .parameters = {storage::id_value(id), text(person.name),
                                               time_value(now + rules()->claim), time_value(now)},
                                .affects = storage::Affects::kOne});
    TRY(as_claim(parts_.store.apply(std::move(batch))));
    return find(id);
}

Result<void> ReviewQueue::give_back(const Person& person, const ItemId& id) {
    const Time now = parts_.clock.now();
    storage::Batch batch;
    batch.operations.push_back(
        {.statement = kGiveBack,
         .parameters = {storage::id_value(id), text(person.name), time_value(now)},
         .affects = storage::Affects::kOne});
    batch.operations.push_back(
        act_operation({.item = id, .kind = ActKind::kReturned, .by = person.name, .at = now}));
    batch.notifications.push_back({.channel = kQueueChanged, .payload = {}});
    return as_claim(parts_.store.apply(std::move(batch)));
}

Result<Viewed> ReviewQueue::view(const Person& person, const ItemId& id, const Look& look,
                                 const ledger::Conduct& conduct) {
    const Time now = parts_.clock.now();
    const Item item = TRY(load_item(parts_.store, id, now));
    if (item.claimed_by != person.name && !person.lead) {
        return not_claimed();
    }
    Viewed viewed{.evidence = TRY(open(item)), .veil = {}};
    json::Object facts{{"item", to_string(id)},
                       {"record", to_string(item.call.record)},
                       {"content_sha256", item.evidence_digest}};
    const bool veiled = has_veil(viewed.evidence) && !look.original;
    const bool bare = has_veil(viewed.evidence) && look.original;
    if (veiled) {
        viewed.veil = TRY(look.veil(shown_file(viewed.evidence)));
        facts.emplace_back("veil_sha256", to_hex(sha256(viewed.veil->file)));
    }
    storage::Batch batch =
        TRY(conduct.prepare({.operation = bare ? "review.view_original" : "review.view",
                             .facts = std::move(facts),
                             .names = {}}));
    batch.operations.push_back(
        act_operation({.item = id,
                       .kind = bare ? ActKind::kViewedOriginal : ActKind::kViewed,
                       .by = person.name,
                       .at = now}));
    TRY(parts_.store.apply(std::move(batch)));
    return viewed;
}

Result<Item> ReviewQueue::ask_another(const Person& person, const ItemId& id,
                                      const ledger::Conduct& conduct) {
    const Time now = parts_.clock.now();
    storage::Batch batch = TRY(conduct.prepare(
        {.operation = "review.ask", .facts = {{"item", to_string(id)}}, .names = {}}));
    batch.operations.push_back(
        {.statement = kAskAnother,
         .parameters = {storage::id_value(id), text(person.name), time_value(now)},
         .affects = storage::Affects::kOne});
    batch.operations.push_back(
        act_operation({.item = id, .kind = ActKind::kAsked, .by = person.name, .at = now}));
    TRY(as_claim(parts_.store.apply(std::move(batch))));
    return find(id);
}

Result<std::vector<Item>> ReviewQueue::similar(const ItemId& id) const {
    const Time now = parts_.clock.now();
    const Item like = TRY(load_item(parts_.store, id, now));
    const Rows rows = TRY(parts_.store.query(kSimilar, {storage::id_value(id), time_value(now)}));
    std::vector<Item> similar = TRY(items_of(rows, now));
    TRY(add_near(like, similar));
    return similar;
}

Result<void> ReviewQueue::visit_decided(const Decided& which, const ledger::Conduct& conduct,
                                        const DecidedVisitor& visit) const {
    TRY(conduct.append(
        {.operation = "review.export",
         .facts = {{"category", which.category}, {"since", format_time(which.since)}},
         .names = {}}));
    Time since = which.since;
    storage::Value after = storage::bytes({});
    for (;;) {
        const Time now = parts_.clock.now();
        const Rows rows =
            TRY(parts_.store.query(kDecided, {time_value(since), text(which.category), after}));
        for (const Item& item : TRY(items_of(rows, now))) {
            since = item.decided.value_or(since);
            after = storage::id_value(item.id);
            const auto evidence = open(item);
            if (evidence.ok()) {
                TRY(visit(item, *evidence));
            } else if (evidence.error().code != ErrorCode::kNotFound) {
                return evidence.error();
            }
        }
        if (rows.empty()) {
            return {};
        }
    }
}

}  // namespace colophon::review
