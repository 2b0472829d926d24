// SPDX-License-Identifier: Apache-2.0
// Decisions of people about items of the queue, and taking them back.
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/utf8.h"
#include "ledger/conduct.h"
#include "review/internal/queue_rows.h"
#include "review/queue.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

using storage::integer;
using storage::Statement;
using storage::text;
using storage::time_value;

constexpr std::int64_t kThousand = 1000;

// Held by whoever decides: by a claim, or, of similar items, by nobody else.
constexpr Statement kDecide{
    "UPDATE review_items SET state = $2, decided_at = $3, claimed_by = '', claimed_until = NULL"
    " WHERE id = $1 AND state = $4 AND claimed_by = $5 AND claimed_until > $6"};
constexpr Statement kDecideFree{
    "UPDATE review_items SET state = $2, decided_at = $3, claimed_by = '', claimed_until = NULL"
    " WHERE id = $1 AND state = $4 AND (claimed_until IS NULL OR claimed_until <= $6"
    " OR claimed_by = $5)"};
constexpr Statement kReopen{
    "UPDATE review_items SET state = $2, decided_at = NULL, claimed_by = $3, claimed_until = $4"
    " WHERE id = $1 AND state = $5 AND delivered_at IS NULL"
    " AND (claimed_until IS NULL OR claimed_until <= $6)"};
constexpr Statement kUndoAct{
    "UPDATE review_acts SET undone = 1 WHERE item = $1 AND act = 5 AND act_by = $2 AND undone = 0"};
constexpr Statement kOverturn{
    "INSERT INTO feature_overturned (id, day, overturned) VALUES ($1, $2, $3)"
    " ON CONFLICT (id, day) DO UPDATE SET overturned = feature_overturned.overturned + $3"};
constexpr Statement kSample{
    "INSERT INTO review_items (id, cause, state, tenant, subject, record, stage, operation, model,"
    " category, rule, entries, sample_of, priority, opinions, created_at, due_at, expires_at,"
    " claimed_by, owner, digest, content_digest)"
    " SELECT $1, 2, 1, tenant, subject, record, stage, operation, model, category, rule, entries,"
    " id, -1, 1, $3, $4, $5, '', owner, digest, content_digest FROM review_items WHERE id = $2"};
// A sample may wait a week: nobody waits for it.
constexpr std::chrono::hours kSampleDue{7 * 24};
constexpr std::chrono::hours kSampleExpires{30 * 24};

Result<void> check_decision(const PersonsDecision& decision) {
    const auto reasons = reason_codes();
    const auto known =
        std::ranges::find(reasons, std::string_view(decision.reason), &ReasonCode::code);
    if (known == reasons.end() || known->ruling != decision.ruling) {
        std::string list;
        for (const ReasonCode& each : reasons) {
            if (each.ruling == decision.ruling) {
                list += list.empty() ? "" : ", ";
                list += each.code;
            }
        }
        return Error{ErrorCode::kInvalidArgument, fmt::format("the reason to {} is one of: {}",
                                                              ruling_name(decision.ruling), list)};
    }
    if (decision.note.size() > kNoteBytesMax || find_invalid_utf8(decision.note) ||
        decision.note.find('\0') != std::string::npos) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a note is text of at most {} bytes", kNoteBytesMax)};
    }
    return {};
}

ItemState end_of(Ruling ruling) {
    return ruling == Ruling::kRelease ? ItemState::kReleased : ItemState::kRefused;
}

// The decisions that stand, the first first.
std::vector<Act> decisions_of(const std::vector<Act>& acts) {
    std::vector<Act> decisions;
    std::ranges::copy_if(acts, std::back_inserter(decisions), [](const Act& each) {
        return each.kind == ActKind::kDecided && !each.undone;
    });
    return decisions;
}

// What an item is with these decisions and no more.
ItemState open_state(const std::vector<Act>& decisions) {
    const bool asked = std::ranges::any_of(
        decisions, [](const Act& each) { return each.ruling == Ruling::kEscalate; });
    if (asked || decisions.size() > 1) {
        return ItemState::kEscalated;
    }
    return decisions.empty() ? ItemState::kWaiting : ItemState::kSecond;
}

// The entries that hit were wrong, or, when that is taken back, they were not.
void count_overturned(storage::Batch& batch, const Item& item, Time now, std::int64_t by) {
    const std::int64_t day = std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
    for (const std::string& entry : item.call.entries) {
        batch.operations.push_back(
            {.statement = kOverturn, .parameters = {text(entry), integer(day), integer(by)}});
    }
}

// By the item's own number, so that nobody chooses what is looked at again.
bool is_sampled(const ItemId& id, std::int64_t per_mille) {
    const Digest256 digest = sha256(id.bytes);
    const std::int64_t drawn =
        (std::int64_t{digest[0]} << 16U | std::int64_t{digest[1]} << 8U | std::int64_t{digest[2]}) %
        kThousand;
    return drawn < per_mille;
}

}  // namespace

struct ReviewQueue::Deciding {
    const Person& person;
    const Item& item;  // with its acts
    const PersonsDecision& decision;
    bool claimed = true;  // else one of similar ones
};

Result<ItemState> ReviewQueue::state_after(const Deciding& what) const {
    const Item& item = what.item;
    const Ruling ruling = what.decision.ruling;
    if (ruling == Ruling::kEscalate) {
        if (item.state == ItemState::kEscalated) {
            return Error{ErrorCode::kInvalidArgument,
                         "this was escalated to you; release or refuse it"};
        }
        return ItemState::kEscalated;
    }
    if (item.state == ItemState::kEscalated) {
        return end_of(ruling);
    }
    if (item.sample_of) {
        // Who takes a decision again does not know the first; where they differ, a lead has the
        // last word.
        const auto first = decisions_of(TRY(load_acts(parts_.store, *item.sample_of)));
        const bool same = !first.empty() && first.back().ruling == ruling;
        return same ? end_of(ruling) : ItemState::kEscalated;
    }
    if (item.state == ItemState::kSecond) {
        const auto before = decisions_of(item.acts);
        const bool same = !before.empty() && before.back().ruling == ruling;
        return same ? end_of(ruling) : ItemState::kEscalated;
    }
    return item.opinions > 1 ? ItemState::kSecond : end_of(ruling);
}

Result<void> ReviewQueue::add_sample(storage::Batch& batch, const Item& item) const {
    const Time now = parts_.clock.now();
    const ItemId id = TRY(make_random_id<ItemId>(parts_.random));
    batch.operations.push_back(
        {.statement = kSample,
         .parameters = {storage::id_value(id), storage::id_value(item.id), time_value(now),
                        time_value(now + kSampleDue), time_value(now + kSampleExpires)},
         .affects = storage::Affects::kOne});
    batch.operations.push_back(act_operation({.item = id, .kind = ActKind::kQueued, .at = now}));
    return {};
}

Result<Item> ReviewQueue::decide_item(const Deciding& what, const ledger::Conduct& conduct) {
    const Item& item = what.item;
    const PersonsDecision& decision = what.decision;
    TRY(check_may_decide(what.person, item));
    const ItemState next = TRY(state_after(what));
    const Time now = parts_.clock.now();
    storage::Batch batch = TRY(conduct.prepare({.operation = "review.decide",
                                                .facts = {{"item", to_string(item.id)},
                                                          {"record", to_string(item.call.record)},
                                                          {"content_sha256", item.evidence_digest},
                                                          {"category", item.call.category},
                                                          {"rule", item.call.rule},
                                                          {"ruling", ruling_name(decision.ruling)},
                                                          {"reason", decision.reason},
                                                          {"state", item_state_name(next)}},
                                                .names = {{"note", decision.note}}}));
    batch.operations.push_back(
        {.statement = what.claimed ? kDecide : kDecideFree,
         .parameters = {storage::id_value(item.id), integer(static_cast<std::int64_t>(next)),
                        is_open(next) ? storage::null() : time_value(now),
                        integer(static_cast<std::int64_t>(item.state)), text(what.person.name),
                        time_value(now)},
         .affects = storage::Affects::kOne});
    batch.operations.push_back(act_operation({.item = item.id,
                                              .kind = ActKind::kDecided,
                                              .by = what.person.name,
                                              .at = now,
                                              .ruling = decision.ruling,
                                              .reason = decision.reason,
                                              .note = decision.note}));
    if (item.cause == Cause::kHeld && !is_open(next)) {
        if (next == ItemState::kReleased) {
            count_overturned(batch, item, now, 1);
        }
        const bool undone = std::ranges::any_of(
            item.acts, [](const Act& each) { return each.kind == ActKind::kUndone; });
        if (!undone && is_sampled(item.id, rules()->sample_per_mille)) {
            TRY(add_sample(batch, item));
        }
    }
    batch.notifications.push_back({.channel = kQueueChanged, .payload = {}});
    const auto done = parts_.store.apply(std::move(batch));
    if (!done.ok() && done.error().code == ErrorCode::kConflict) {
        return Error{ErrorCode::kConflict, "claim this item first; a claim ends after a while"};
    }
    TRY(done);
    return find(item.id);
}

Result<Item> ReviewQueue::decide(const Person& person, const ItemId& id,
                                 const PersonsDecision& decision, const ledger::Conduct& conduct) {
    TRY(check_decision(decision));
    const Item item = TRY(find(id));
    if (item.claimed_by != person.name && is_open(item.state)) {
        return Error{ErrorCode::kConflict, "claim this item first; a claim ends after a while"};
    }
    return decide_item({.person = person, .item = item, .decision = decision}, conduct);
}

Result<std::vector<ItemId>> ReviewQueue::decide_similar(const Person& person, const ItemId& like,
                                                        std::span<const ItemId> items,
                                                        const ledger::Conduct& conduct) {
    if (items.size() > kSimilarMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("one decision is for at most {} items", kSimilarMax)};
    }
    const Item first = TRY(find(like));
    const auto decisions = decisions_of(first.acts);
    if (decisions.empty() || decisions.back().by != person.name || !decisions.back().ruling) {
        return Error{ErrorCode::kConflict, "decide the item first that the others are similar to"};
    }
    const PersonsDecision decision{.ruling = *decisions.back().ruling,
                                   .reason = decisions.back().reason,
                                   .note = decisions.back().note};
    const std::vector<Item> known = TRY(similar(like));
    std::vector<ItemId> done;
    for (const ItemId& id : items) {
        if (std::ranges::find(known, id, &Item::id) == known.end()) {
            continue;
        }
        const Item item = TRY(find(id));
        const auto decided = decide_item(
            {.person = person, .item = item, .decision = decision, .claimed = false}, conduct);
        if (decided.ok()) {
            done.push_back(id);
        } else if (decided.error().code != ErrorCode::kConflict) {
            return decided.error();
        }
    }
    return done;
}

Result<Item> ReviewQueue::undo(const Person& person, const ItemId& id,
                               const ledger::Conduct& conduct) {
    const Item item = TRY(find(id));
    const auto rules = this->rules();
    auto decisions = decisions_of(item.acts);
    const Time now = parts_.clock.now();
    if (decisions.empty() || decisions.back().by != person.name) {
        return Error{ErrorCode::kConflict, "the last decision about this item is not yours"};
    }
    if (decisions.back().at + rules->undo < now || item.delivered) {
        return Error{ErrorCode::kConflict, item.delivered
                                               ? "the client has had what was released"
                                               : "it is too late to take this decision back"};
    }
    decisions.pop_back();
    storage::Batch batch = TRY(conduct.prepare(
        {.operation = "review.undo",
         .facts = {{"item", to_string(id)}, {"record", to_string(item.call.record)}},
         .names = {}}));
    batch.operations.push_back(
        {.statement = kReopen,
         .parameters = {storage::id_value(id),
                        integer(static_cast<std::int64_t>(open_state(decisions))),
                        text(person.name), time_value(now + rules->claim),
                        integer(static_cast<std::int64_t>(item.state)), time_value(now)},
         .affects = storage::Affects::kOne});
    batch.operations.push_back({.statement = kUndoAct,
                                .parameters = {storage::id_value(id), text(person.name)},
                                .affects = storage::Affects::kOne});
    batch.operations.push_back(
        act_operation({.item = id, .kind = ActKind::kUndone, .by = person.name, .at = now}));
    if (item.state == ItemState::kReleased && item.cause == Cause::kHeld) {
        count_overturned(batch, item, now, -1);
    }
    batch.notifications.push_back({.channel = kQueueChanged, .payload = {}});
    const auto done = parts_.store.apply(std::move(batch));
    if (!done.ok() && done.error().code == ErrorCode::kConflict) {
        return Error{ErrorCode::kConflict, "somebody works on this item by now"};
    }
    TRY(done);
    return find(id);
}

}  // namespace colophon::review
