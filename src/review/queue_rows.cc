// SPDX-License-Identifier: Apache-2.0
// The shape of the queue's rows, and how they are read.
#include "review/internal/queue_rows.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "review/queue.h"
#include "review/scope.h"
#include "storage/migration.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <algorithm>
#include <array>
#include <cstddef>
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
using storage::optional_time_at;
using storage::Rows;
using storage::Statement;
using storage::text;
using storage::time_at;
using storage::time_value;

constexpr std::array<std::string_view, 6> kStates{"waiting",  "second",  "escalated",
                                                  "released", "refused", "expired"};
constexpr std::array<std::string_view, 3> kCauses{"held", "sample", "flagged"};
constexpr std::array<std::string_view, 9> kActs{"queued", "claimed",   "returned",
                                                "viewed", "decided",   "undone",
                                                "asked",  "delivered", "viewed_original"};
constexpr std::array<std::string_view, 3> kRulings{"release", "refuse", "escalate"};
constexpr std::array kReasons{
    ReasonCode{"false_match", Ruling::kRelease, "the entry matched something else"},
    ReasonCode{"allowed_use", Ruling::kRelease, "news, teaching, law or art may say this"},
    ReasonCode{"minor", Ruling::kRelease, "too slight to be kept back"},
    ReasonCode{"confirmed", Ruling::kRefuse, "it is what the entry is for"},
    ReasonCode{"other_category", Ruling::kRefuse, "it may not pass for another reason"},
    ReasonCode{"legal_order", Ruling::kRefuse, "an authority has ordered it"},
    ReasonCode{"unclear", Ruling::kEscalate, "a lead shall decide"},
    ReasonCode{"severe", Ruling::kEscalate, "it asks for more than a decision"}};

constexpr std::array kMigrations{
    // cause, stage, state, act, ruling: as in review/queue.h. content: sealed under the key of
    // `owner`; of a sample: none, it is that of the item it is a sample of. digest: keyed, of what
    // was held. content_digest: SHA-256 of the sealed bytes.
    storage::Migration{
        "review_queue", 1,
        "CREATE TABLE review_items (\n"
        "  id BYTES PRIMARY KEY,\n"
        "  cause INTEGER NOT NULL,\n"
        "  state INTEGER NOT NULL,\n"
        "  tenant BYTES NOT NULL,\n"
        "  subject BYTES,\n"
        "  record BYTES NOT NULL,\n"
        "  stage INTEGER NOT NULL,\n"
        "  operation TEXT NOT NULL,\n"
        "  model TEXT NOT NULL,\n"
        "  category TEXT NOT NULL,\n"
        "  rule TEXT NOT NULL,\n"
        "  entries TEXT NOT NULL,\n"
        "  sample_of BYTES,\n"
        "  priority INTEGER NOT NULL,\n"
        "  opinions INTEGER NOT NULL,\n"
        "  created_at INTEGER NOT NULL,\n"
        "  due_at INTEGER NOT NULL,\n"
        "  expires_at INTEGER NOT NULL,\n"
        "  claimed_by TEXT NOT NULL,\n"
        "  claimed_until INTEGER,\n"
        "  decided_at INTEGER,\n"
        "  delivered_at INTEGER,\n"
        "  owner TEXT NOT NULL,\n"
        "  digest BYTES NOT NULL,\n"
        "  content_digest BYTES NOT NULL,\n"
        "  content BYTES);\n"
        "CREATE INDEX review_items_order ON review_items (state, priority, due_at);\n"
        "CREATE INDEX review_items_digest ON review_items (digest);\n"
        "CREATE INDEX review_items_created ON review_items (created_at);\n"
        "CREATE TABLE review_acts (\n"
        "  item BYTES NOT NULL,\n"
        "  number INTEGER NOT NULL,\n"
        "  act INTEGER NOT NULL,\n"
        "  act_by TEXT NOT NULL,\n"
        "  act_at INTEGER NOT NULL,\n"
        "  ruling INTEGER NOT NULL,\n"
        "  reason TEXT NOT NULL,\n"
        "  note TEXT NOT NULL,\n"
        "  undone INTEGER NOT NULL,\n"
        "  PRIMARY KEY (item, number),\n"
        "  FOREIGN KEY (item) REFERENCES review_items (id));\n"
        "CREATE INDEX review_acts_by ON review_acts (act_by, act_at);\n"
        "CREATE INDEX review_acts_at ON review_acts (act, act_at);\n"},
    storage::Migration{"review_queue", 2,
                       "CREATE INDEX review_items_decided ON review_items (decided_at, id);\n"},
    // print: sealed as `content` is; by what near copies are found (queue_likeness.cc).
    storage::Migration{"review_queue", 3, "ALTER TABLE review_items ADD COLUMN print BYTES;\n"},
    // blob: the keyed digest of one that is the sealed content, which then has no bytes here.
    // review_blob_releases: the blobs of that item go when it is due (queue_evidence.cc).
    storage::Migration{"review_queue", 4,
                       "ALTER TABLE review_items ADD COLUMN blob BYTES;\n"
                       "CREATE TABLE review_blob_releases (\n"
                       "  item BYTES PRIMARY KEY,\n"
                       "  due_at INTEGER NOT NULL);\n"
                       "CREATE INDEX review_blob_releases_due ON review_blob_releases (due_at);\n"
                       "CREATE INDEX review_items_subject ON review_items (subject);\n"},
};

constexpr Statement kLoad{"SELECT " COLOPHON_ITEM_COLUMNS " FROM review_items i WHERE i.id = $1"};
constexpr Statement kActsOf{
    "SELECT act, act_by, act_at, ruling, reason, note, undone FROM review_acts WHERE item = $1"
    " ORDER BY number"};
constexpr Statement kAct{
    "INSERT INTO review_acts (item, number, act, act_by, act_at, ruling, reason, note, undone)"
    " SELECT $1, COALESCE(MAX(number), 0) + 1, $2, $3, $4, $5, $6, $7, 0 FROM review_acts"
    " WHERE item = $1"};

Error misshapen() {
    return {ErrorCode::kCorrupt, "a row of the review queue has another form"};
}

// A number of a row as one of an enumeration that begins with `first`.
template <class Kind>
Result<Kind> kind_at(const Rows& rows, std::size_t row, std::size_t column, std::int64_t first,
                     std::size_t count) {
    const std::int64_t number = TRY(rows.integer(row, column));
    if (number < first || number >= first + static_cast<std::int64_t>(count)) {
        return misshapen();
    }
    return static_cast<Kind>(number);
}

Result<HeldCall> call_at(const Rows& rows, std::size_t row) {
    HeldCall call;
    call.tenant = TRY(storage::id_at<TenantId>(rows, row, 3));
    if (!rows.is_null(row, 4)) {
        call.subject = TRY(storage::id_at<SubjectId>(rows, row, 4));
    }
    call.record = TRY(storage::id_at<RecordId>(rows, row, 5));
    call.stage = TRY(kind_at<Stage>(rows, row, 6, 0, 3));
    call.operation = TRY(rows.text(row, 7));
    call.model = TRY(rows.text(row, 8));
    call.category = TRY(rows.text(row, 9));
    call.rule = TRY(rows.text(row, 10));
    const std::string_view entries = TRY(rows.text(row, 11));
    const json::Value list = TRY(json::parse(entries, {.bytes_max = entries.size() + 1}));
    if (list.if_array() == nullptr) {
        return misshapen();
    }
    for (const json::Value& each : *list.if_array()) {
        if (each.if_string() == nullptr) {
            return misshapen();
        }
        call.entries.push_back(*each.if_string());
    }
    return call;
}

template <std::size_t n>
std::optional<std::int64_t> place_of(const std::array<std::string_view, n>& names,
                                     std::string_view name) {
    const auto* found = std::ranges::find(names, name);
    return found == names.end() ? std::nullopt : std::optional(found - names.begin() + 1);
}

}  // namespace

std::span<const storage::Migration> queue_migrations() {
    return kMigrations;
}

std::string_view item_state_name(ItemState state) noexcept {
    return kStates[static_cast<std::size_t>(state) - 1];
}

std::optional<ItemState> parse_item_state(std::string_view name) noexcept {
    const auto place = place_of(kStates, name);
    return place ? std::optional(static_cast<ItemState>(*place)) : std::nullopt;
}

std::string_view cause_name(Cause cause) noexcept {
    return kCauses[static_cast<std::size_t>(cause) - 1];
}

std::string_view act_name(ActKind kind) noexcept {
    return kActs[static_cast<std::size_t>(kind) - 1];
}

std::string_view ruling_name(Ruling ruling) noexcept {
    return kRulings[static_cast<std::size_t>(ruling) - 1];
}

std::optional<Ruling> parse_ruling(std::string_view name) noexcept {
    const auto place = place_of(kRulings, name);
    return place ? std::optional(static_cast<Ruling>(*place)) : std::nullopt;
}

std::span<const ReasonCode> reason_codes() noexcept {
    return kReasons;
}

Result<Item> item_at(const Rows& rows, std::size_t row, Time now) {
    Item item;
    item.id = TRY(storage::id_at<ItemId>(rows, row, 0));
    item.cause = TRY(kind_at<Cause>(rows, row, 1, 1, kCauses.size()));
    item.state = TRY(kind_at<ItemState>(rows, row, 2, 1, kStates.size()));
    item.call = TRY(call_at(rows, row));
    if (!rows.is_null(row, 12)) {
        item.sample_of = TRY(storage::id_at<ItemId>(rows, row, 12));
    }
    item.priority = TRY(rows.integer(row, 13));
    item.opinions = static_cast<int>(TRY(rows.integer(row, 14)));
    item.created = TRY(time_at(rows, row, 15));
    item.due = TRY(time_at(rows, row, 16));
    item.expires = TRY(time_at(rows, row, 17));
    item.claimed_by = TRY(rows.text(row, 18));
    item.claimed_until = TRY(optional_time_at(rows, row, 19));
    item.decided = TRY(optional_time_at(rows, row, 20));
    item.delivered = TRY(optional_time_at(rows, row, 21));
    item.evidence_digest = to_hex(TRY(storage::digest_at(rows, row, 22)));
    if (is_open(item.state) && item.expires <= now) {
        item.state = ItemState::kExpired;
    }
    if (!item.claimed_until || *item.claimed_until <= now) {
        item.claimed_by.clear();
        item.claimed_until.reset();
    }
    return item;
}

Result<std::vector<Item>> items_of(const Rows& rows, Time now) {
    std::vector<Item> items;
    items.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        items.push_back(TRY(item_at(rows, row, now)));
    }
    return items;
}

Result<Item> load_item(storage::Store& store, const ItemId& id, Time now) {
    const Rows rows = TRY(store.query(kLoad, {storage::id_value(id)}));
    if (rows.empty()) {
        return Error{ErrorCode::kNotFound, "the review queue has no such item"};
    }
    return item_at(rows, 0, now);
}

Result<std::vector<Act>> load_acts(storage::Store& store, const ItemId& id) {
    const Rows rows = TRY(store.query(kActsOf, {storage::id_value(id)}));
    std::vector<Act> acts;
    acts.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        Act act;
        act.kind = TRY(kind_at<ActKind>(rows, row, 0, 1, kActs.size()));
        act.by = TRY(rows.text(row, 1));
        act.at = TRY(time_at(rows, row, 2));
        if (TRY(rows.integer(row, 3)) != 0) {
            act.ruling = TRY(kind_at<Ruling>(rows, row, 3, 1, kRulings.size()));
        }
        act.reason = TRY(rows.text(row, 4));
        act.note = TRY(rows.text(row, 5));
        act.undone = TRY(rows.integer(row, 6)) != 0;
        acts.push_back(std::move(act));
    }
    return acts;
}

storage::Operation act_operation(const NewAct& act) {
    return {
        .statement = kAct,
        .parameters = {storage::id_value(act.item), integer(static_cast<std::int64_t>(act.kind)),
                       text(act.by), time_value(act.at),
                       integer(act.ruling ? static_cast<std::int64_t>(*act.ruling) : 0),
                       text(act.reason), text(act.note)}};
}

void append(storage::Batch& batch, storage::Batch more) {
    std::ranges::move(more.operations, std::back_inserter(batch.operations));
    std::ranges::move(more.inserts, std::back_inserter(batch.inserts));
    std::ranges::move(more.notifications, std::back_inserter(batch.notifications));
}

}  // namespace colophon::review
