// SPDX-License-Identifier: Apache-2.0
#pragma once

// How items and acts of the queue lie in rows, and how evidence is written.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/result.h"
#include "review/queue.h"
#include "storage/store.h"
#include "storage/value.h"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::review {

inline constexpr std::string_view kEvidencePurpose = "review_items.content";
// Longer than it takes to put anything into the queue: then a blob without an item goes.
inline constexpr std::chrono::hours kBlobIntentMax{24};
inline constexpr std::string_view kDigestPurpose = "review_items.digest";

// Columns of review_items in the order that item_at() reads.
#define COLOPHON_ITEM_COLUMNS                                                               \
    "i.id, i.cause, i.state, i.tenant, i.subject, i.record, i.stage, i.operation, i.model," \
    " i.category, i.rule, i.entries, i.sample_of, i.priority, i.opinions, i.created_at,"    \
    " i.due_at, i.expires_at, i.claimed_by, i.claimed_until, i.decided_at, i.delivered_at," \
    " i.content_digest"

// As it is now: claims and items whose time is over are shown so.
Result<Item> item_at(const storage::Rows& rows, std::size_t row, Time now);
Result<std::vector<Item>> items_of(const storage::Rows& rows, Time now);
// kNotFound.
Result<Item> load_item(storage::Store& store, const ItemId& id, Time now);
Result<std::vector<Act>> load_acts(storage::Store& store, const ItemId& id);

// An act, for a batch.
// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.item = ...}`.
struct NewAct {
    ItemId item;
    ActKind kind;
    std::string by = {};
    Time at;
    std::optional<Ruling> ruling = {};
    std::string reason = {};
    std::string note = {};
};
// NOLINTEND(readability-redundant-member-init)
storage::Operation act_operation(const NewAct& act);

// Who holds the blob of an item.
std::string blob_holder(const ItemId& id);

Buffer write_evidence(const Evidence& evidence);
Result<Evidence> read_evidence(Bytes bytes);

// The operations of `more` become part of `batch`.
void append(storage::Batch& batch, storage::Batch more);

}  // namespace colophon::review
