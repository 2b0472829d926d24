// SPDX-License-Identifier: Apache-2.0
// What calls do with the queue: put what was held into it, and take what was released.
#include "review/queue.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "review/internal/queue_rows.h"
#include "review/scope.h"
#include "storage/blobs.h"
#include "storage/row_values.h"
#include "storage/sealer.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::review {
namespace {

using storage::integer;
using storage::Rows;
using storage::Statement;
using storage::text;
using storage::time_value;

constexpr Statement kAdd{
    "INSERT INTO review_items (id, cause, state, tenant, subject, record, stage, operation, model,"
    " category, rule, entries, priority, opinions, created_at, due_at, expires_at, claimed_by,"
    " owner, digest, content_digest, content, print, blob)"
    " VALUES ($1, $20, 1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, '', $16,"
    " $17, $18, $19, $21, $22)"};
// A request that is sent again while it waits is the same item, and so is what was flagged again.
constexpr Statement kWaiting{
    "SELECT id FROM review_items WHERE digest = $1 AND entries = $2 AND owner = $3 AND stage = $4"
    " AND cause = $6 AND state <= 3 AND expires_at > $5 LIMIT 1"};
// Nobody waits for what was only flagged.
constexpr std::chrono::hours kFlaggedDue{7 * 24};
constexpr std::chrono::hours kFlaggedExpires{30 * 24};
constexpr std::uint64_t kBlobPartBytes = 8ULL << 20U;  // read at once
constexpr Statement kSealed{"SELECT owner, content, digest, blob FROM review_items WHERE id = $1"};
// Until the item is there, its blob is to go; afterwards it is the item's.
constexpr Statement kIntend{"INSERT INTO review_blob_releases (item, due_at) VALUES ($1, $2)"};
constexpr Statement kKept{"DELETE FROM review_blob_releases WHERE item = $1"};
constexpr Statement kDeliver{
    "UPDATE review_items SET delivered_at = COALESCE(delivered_at, $2) WHERE id = $1 AND state = "
    "4"};

bool is_among(const std::string& word, const std::vector<std::string>& words) {
    return std::ranges::find(words, word) != words.end();
}

std::string owner_of(const HeldCall& call) {
    return call.subject ? to_string(*call.subject) : to_string(call.tenant);
}

// What makes two items the same to a person.
Bytes content_of(const Evidence& evidence) {
    const Bytes file = shown_file(evidence);
    return file.empty() ? as_bytes(evidence.text) : file;
}

Error no_ticket() {
    return {ErrorCode::kNotFound, "there is no such ticket"};
}

}  // namespace

void ReviewQueue::replace_rules(QueueRules rules) {
    auto shared = std::make_shared<const QueueRules>(std::move(rules));
    const std::lock_guard lock(mutex_);
    rules_ = std::move(shared);
}

std::shared_ptr<const QueueRules> ReviewQueue::rules() const {
    const std::lock_guard lock(mutex_);
    return rules_;
}

Result<Digest256> ReviewQueue::digest_of(const TenantId& tenant, Bytes content) const {
    return parts_.sealer.keyed_digest(content, to_string(tenant), kDigestPurpose);
}

Result<ItemId> ReviewQueue::add(const HeldCall& call, const Evidence& evidence, Cause cause) {
    const Buffer plain = write_evidence(evidence);
    if (plain.size() > kEvidenceBytesMax) {
        return Error{ErrorCode::kLimit,
                     fmt::format("what was held has more than {} bytes", kEvidenceBytesMax)};
    }
    const auto rules = this->rules();
    const ItemId id = TRY(make_random_id<ItemId>(parts_.random));
    const std::string owner = owner_of(call);
    const Digest256 digest = TRY(digest_of(call.tenant, content_of(evidence)));
    const Time now = parts_.clock.now();
    const std::string entries = json::write(json::Array(call.entries.begin(), call.entries.end()));
    const bool flagged = cause == Cause::kFlagged;
    if (flagged || call.stage == Stage::kInput) {
        const Rows rows = TRY(parts_.store.query(
            kWaiting, {storage::bytes(digest), text(entries), text(owner),
                       integer(static_cast<std::int64_t>(call.stage)), time_value(now),
                       integer(static_cast<std::int64_t>(cause))}));
        if (!rows.empty()) {
            return storage::id_at<ItemId>(rows, 0, 0);
        }
    }
    const std::string name = to_string(id);
    const Buffer sealed =
        TRY(parts_.sealer.seal(plain, {.owner = owner, .purpose = kEvidencePurpose, .id = name}));
    const bool large = sealed.size() > kEvidenceInRowBytesMax;
    storage::Value blob = large ? TRY(keep(id, owner, sealed)) : storage::null();
    const bool two = is_among(call.category, rules->four_eyes);
    const bool urgent = is_among(call.category, rules->urgent);
    const storage::Value print = TRY(sealed_print(id, call, owner, evidence));
    const Time due = now + (flagged ? kFlaggedDue : rules->due);
    const Time expires = now + (flagged ? kFlaggedExpires : rules->expires);
    storage::Batch batch;
    batch.operations.push_back(
        {.statement = kAdd,
         .parameters = {storage::id_value(id),
                        storage::id_value(call.tenant),
                        call.subject ? storage::id_value(*call.subject) : storage::null(),
                        storage::id_value(call.record),
                        integer(static_cast<std::int64_t>(call.stage)),
                        text(call.operation),
                        text(call.model),
                        text(call.category),
                        text(call.rule),
                        text(entries),
                        integer(flagged  ? -1
                                : urgent ? 1
                                         : 0),
                        integer(two ? 2 : 1),
                        time_value(now),
                        time_value(due),
                        time_value(expires),
                        text(owner),
                        storage::bytes(digest),
                        storage::bytes(sha256(sealed)),
                        large ? storage::null() : storage::bytes(sealed),
                        integer(static_cast<std::int64_t>(cause)),
                        print,
                        std::move(blob)}});
    if (large) {
        batch.operations.push_back({.statement = kKept,
                                    .parameters = {storage::id_value(id)},
                                    .affects = storage::Affects::kOne});
    }
    batch.operations.push_back(act_operation({.item = id, .kind = ActKind::kQueued, .at = now}));
    batch.notifications.push_back({.channel = kQueueChanged, .payload = {}});
    TRY(parts_.store.apply(std::move(batch)));
    return id;
}

// The sealed bytes as a blob that this item holds. The intent comes first, so that one whose item
// never comes is found.
Result<storage::Value> ReviewQueue::keep(const ItemId& id, const std::string& owner, Bytes sealed) {
    storage::Batch intent;
    intent.operations.push_back(
        {.statement = kIntend,
         .parameters = {storage::id_value(id), time_value(parts_.clock.now() + kBlobIntentMax)}});
    TRY(parts_.store.apply(std::move(intent)));
    const storage::BlobHandle blob = TRY(parts_.blobs.put(owner, blob_holder(id), sealed));
    return storage::bytes(blob.digest);
}

Result<Buffer> ReviewQueue::sealed_blob(const std::string& owner, Bytes digest) const {
    storage::BlobHandle blob{owner, {}};
    if (digest.size() != blob.digest.size()) {
        return Error{ErrorCode::kCorrupt, "a row of the review queue has another form"};
    }
    std::ranges::copy(digest, blob.digest.begin());
    const std::uint64_t size = TRY(parts_.blobs.size(blob));
    Buffer sealed;
    sealed.reserve(static_cast<std::size_t>(size));
    while (sealed.size() < size) {
        const Buffer part = TRY(parts_.blobs.get_range(blob, sealed.size(), kBlobPartBytes));
        if (part.empty()) {
            return Error{ErrorCode::kCorrupt, "what is kept of a blob is not what was put"};
        }
        sealed.insert(sealed.end(), part.begin(), part.end());
    }
    return sealed;
}

Result<Evidence> ReviewQueue::open(const Item& item) const {
    const ItemId& id = item.sample_of ? *item.sample_of : item.id;
    const Rows rows = TRY(parts_.store.query(kSealed, {storage::id_value(id)}));
    if (rows.empty() || (rows.is_null(0, 1) && rows.is_null(0, 3))) {
        return Error{ErrorCode::kNotFound, "nothing is kept of this item"};
    }
    const std::string owner(TRY(rows.text(0, 0)));
    Buffer from_blob;
    Bytes sealed;
    if (rows.is_null(0, 1)) {
        const Bytes digest = TRY(rows.bytes(0, 3));
        from_blob = TRY(sealed_blob(owner, digest));
        sealed = from_blob;
    } else {
        sealed = TRY(rows.bytes(0, 1));
    }
    const std::string name = to_string(id);
    const Buffer plain =
        TRY(parts_.sealer.open(sealed, {.owner = owner, .purpose = kEvidencePurpose, .id = name}));
    return read_evidence(plain);
}

Result<Ticket> ReviewQueue::ticket(const TenantId& tenant, const ItemId& id) const {
    const auto item = load_item(parts_.store, id, parts_.clock.now());
    if (!item.ok() && item.error().code != ErrorCode::kNotFound) {
        return item.error();
    }
    if (!item.ok() || item->call.tenant != tenant || item->cause != Cause::kHeld) {
        return no_ticket();
    }
    return Ticket{.id = item->id,
                  .state = item->state,
                  .stage = item->call.stage,
                  .subject = item->call.subject,
                  .category = item->call.category,
                  .record = item->call.record,
                  .expires = item->expires,
                  .has_answer = item->call.stage == Stage::kOutput};
}

Result<WaitingAnswer> ReviewQueue::deliver(const TenantId& tenant, const ItemId& id) {
    const Time now = parts_.clock.now();
    const auto found = load_item(parts_.store, id, now);
    if (!found.ok() && found.error().code != ErrorCode::kNotFound) {
        return found.error();
    }
    if (!found.ok() || found->call.tenant != tenant || found->call.stage != Stage::kOutput) {
        return no_ticket();
    }
    if (found->state != ItemState::kReleased) {
        return Error{ErrorCode::kConflict,
                     fmt::format("what this ticket is for was not released; it is {}",
                                 item_state_name(found->state))};
    }
    Evidence evidence = TRY(open(*found));
    if (!evidence.answer) {
        return no_ticket();
    }
    storage::Batch batch;
    batch.operations.push_back({.statement = kDeliver,
                                .parameters = {storage::id_value(id), time_value(now)},
                                .affects = storage::Affects::kOne});
    if (!found->delivered) {
        batch.operations.push_back(
            act_operation({.item = id, .kind = ActKind::kDelivered, .at = now}));
    }
    TRY(parts_.store.apply(std::move(batch)));
    return std::move(*evidence.answer);
}

Result<bool> ReviewQueue::is_released(const ItemId& id, const Input& input) {
    const Time now = parts_.clock.now();
    const auto found = load_item(parts_.store, id, now);
    if (!found.ok() && found.error().code == ErrorCode::kNotFound) {
        return false;
    }
    const Item item = TRY(found);
    const HeldCall& call = item.call;
    const bool same = call.tenant == input.tenant && call.subject == input.subject &&
                      call.stage == Stage::kInput && item.cause == Cause::kHeld &&
                      item.state == ItemState::kReleased && item.expires > now;
    // A person who looked at it knew of these entries only.
    const bool known = std::ranges::all_of(
        input.entries, [&](const std::string& each) { return is_among(each, call.entries); });
    if (!same || !known) {
        return false;
    }
    const Rows rows = TRY(parts_.store.query(kSealed, {storage::id_value(id)}));
    const Digest256 kept = TRY(storage::digest_at(rows, 0, 2));
    const Digest256 shown = TRY(digest_of(input.tenant, as_bytes(input.text)));
    if (kept != shown) {
        return false;
    }
    storage::Batch batch;
    batch.operations.push_back({.statement = kDeliver,
                                .parameters = {storage::id_value(id), time_value(now)},
                                .affects = storage::Affects::kOne});
    if (!item.delivered) {
        batch.operations.push_back(
            act_operation({.item = id, .kind = ActKind::kDelivered, .at = now}));
    }
    TRY(parts_.store.apply(std::move(batch)));
    return true;
}

}  // namespace colophon::review
