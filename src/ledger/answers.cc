// SPDX-License-Identifier: Apache-2.0
#include "ledger/answers.h"

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/ids.h"
#include "core/json.h"
#include "core/result.h"
#include "storage/migration.h"
#include "storage/row_values.h"
#include "storage/sealer.h"
#include "storage/store.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace colophon::ledger {
namespace {

constexpr std::string_view kPurpose = "kept_answers.answer";
constexpr std::chrono::minutes kTidyEvery{10};
constexpr std::size_t kHeadBytes = 4;
constexpr std::size_t kHeadJsonBytesMax = 64U << 10U;

constexpr std::array kMigrations{
    // id, request: keyed digests. answer: sealed; none while the call is being served. owner: whose
    // key sealed it.
    storage::Migration{"answers", 1,
                       "CREATE TABLE kept_answers (\n"
                       "  id BYTES PRIMARY KEY,\n"
                       "  request BYTES NOT NULL,\n"
                       "  token BYTES NOT NULL,\n"
                       "  held_until INTEGER NOT NULL,\n"
                       "  expires_at INTEGER NOT NULL,\n"
                       "  owner TEXT NOT NULL,\n"
                       "  answer BYTES);\n"
                       "CREATE INDEX kept_answers_expiry ON kept_answers (expires_at);\n"},
};

constexpr storage::Statement kFind{
    "SELECT request, held_until, expires_at, owner, answer FROM kept_answers WHERE id = $1"};
constexpr storage::Statement kClaim{
    "INSERT INTO kept_answers (id, request, token, held_until, expires_at, owner, answer)"
    " VALUES ($1, $2, $3, $4, $5, '', NULL)"
    " ON CONFLICT (id) DO UPDATE SET request = excluded.request, token = excluded.token,"
    " held_until = excluded.held_until, expires_at = excluded.expires_at, owner = '',"
    " answer = NULL"};
constexpr storage::Statement kKeep{
    "UPDATE kept_answers SET owner = $3, answer = $4"
    " WHERE id = $1 AND token = $2 AND answer IS NULL"};
constexpr storage::Statement kRenew{
    "UPDATE kept_answers SET held_until = $3 WHERE id = $1 AND token = $2 AND answer IS NULL"};
constexpr storage::Statement kRelease{
    "DELETE FROM kept_answers WHERE id = $1 AND token = $2 AND answer IS NULL"};
constexpr storage::Statement kTidy{"DELETE FROM kept_answers WHERE expires_at < $1"};

// The length of the head, the head as JSON, the body.
Buffer write_answer(const KeptAnswer& answer) {
    json::Array headers;
    for (const auto& [name, value] : answer.headers) {
        headers.emplace_back(json::Array{name, value});
    }
    json::Object head{{"status", answer.status},
                      {"headers", std::move(headers)},
                      {"too_large", answer.too_large},
                      {"record", to_string(answer.record)}};
    if (answer.subject) {
        head.emplace_back("subject", to_string(*answer.subject));
    }
    const std::string text = json::write(head);
    Buffer out;
    for (std::size_t i = 0; i < kHeadBytes; ++i) {
        out.push_back(static_cast<std::uint8_t>(text.size() >> (8 * i)));
    }
    const Bytes head_bytes = as_bytes(text);
    const Bytes body = as_bytes(answer.body);
    out.insert(out.end(), head_bytes.begin(), head_bytes.end());
    out.insert(out.end(), body.begin(), body.end());
    return out;
}

Error damaged() {
    return Error{ErrorCode::kCorrupt, "a kept answer in the database is damaged"};
}

Result<void> read_headers(const json::Value* list, KeptAnswer& answer) {
    if (list == nullptr || list->if_array() == nullptr) {
        return damaged();
    }
    for (const json::Value& each : *list->if_array()) {
        const json::Array* pair = each.if_array();
        if (pair == nullptr || pair->size() != 2 || pair->front().if_string() == nullptr ||
            pair->back().if_string() == nullptr) {
            return damaged();
        }
        answer.headers.emplace_back(*pair->front().if_string(), *pair->back().if_string());
    }
    return {};
}

Result<KeptAnswer> read_answer(Bytes bytes) {
    std::size_t size = 0;
    if (bytes.size() < kHeadBytes) {
        return damaged();
    }
    for (std::size_t i = 0; i < kHeadBytes; ++i) {
        size |= static_cast<std::size_t>(bytes[i]) << (8 * i);
    }
    if (size > kHeadJsonBytesMax || size > bytes.size() - kHeadBytes) {
        return damaged();
    }
    const json::Value head =
        TRY(json::parse(as_text(bytes.subspan(kHeadBytes, size)), {.bytes_max = size + 1}));
    KeptAnswer answer;
    const json::Value* status = head.find("status");
    answer.status = status == nullptr ? 0 : static_cast<int>(TRY(status->as_int()));
    TRY(read_headers(head.find("headers"), answer));
    const json::Value* too_large = head.find("too_large");
    answer.too_large =
        too_large != nullptr && too_large->if_bool() != nullptr && *too_large->if_bool();
    answer.record = TRY(parse_random_id<RecordId>(head.string_or("record", "")));
    if (const std::string subject = head.string_or("subject", ""); !subject.empty()) {
        answer.subject = TRY(parse_random_id<SubjectId>(subject));
    }
    answer.body = std::string(as_text(bytes.subspan(kHeadBytes + size)));
    return answer;
}

// What a row says of a claim to it.
struct Seen {
    ClaimOutcome outcome = ClaimOutcome::kOurs;
    std::string owner;
    Buffer sealed;
};

Result<Seen> look(const storage::Rows& rows, const Digest256& request, Time now) {
    Seen seen;
    if (rows.empty()) {
        return seen;
    }
    const bool answered = !rows.is_null(0, 4);
    const Time held = TRY(storage::time_at(rows, 0, 1));
    const Time expires = TRY(storage::time_at(rows, 0, 2));
    if (expires <= now || (!answered && held <= now)) {
        return seen;
    }
    const Digest256 known = TRY(storage::digest_at(rows, 0, 0));
    if (known != request) {
        seen.outcome = ClaimOutcome::kOther;
    } else if (!answered) {
        seen.outcome = ClaimOutcome::kBusy;
    } else {
        seen.outcome = ClaimOutcome::kAnswered;
        seen.owner = std::string(TRY(rows.text(0, 3)));
        seen.sealed = to_buffer(TRY(rows.bytes(0, 4)));
    }
    return seen;
}

}  // namespace

std::span<const storage::Migration> answer_migrations() {
    return kMigrations;
}

Digest256 KeptAnswers::keyed(std::string_view purpose, Bytes value) const {
    Buffer text = to_buffer(as_bytes(purpose));
    text.push_back(0);
    text.insert(text.end(), value.begin(), value.end());
    return hmac_sha256(digest_key_, text);
}

Result<Claimed> KeptAnswers::claim(const TenantId& tenant, std::string_view key,
                                   const Digest256& request, std::chrono::milliseconds kept_for) {
    TRY(tidy());
    Claimed claimed;
    claimed.claim.row = keyed("key", as_bytes(to_string(tenant) + " " + std::string(key)));
    TRY(parts_.random.fill(claimed.claim.token));
    const Digest256 asked = keyed("request", request);
    Seen seen;
    const auto body = [&](storage::Transaction& transaction) -> Result<void> {
        const Time now = parts_.clock.now();
        const storage::Rows rows =
            TRY(transaction.query(kFind, {storage::bytes(claimed.claim.row)}));
        seen = TRY(look(rows, asked, now));
        if (seen.outcome == ClaimOutcome::kOurs) {
            TRY(transaction.execute(
                kClaim, {storage::bytes(claimed.claim.row), storage::bytes(asked),
                         storage::bytes(claimed.claim.token), storage::time_value(now + kClaimTime),
                         storage::time_value(now + kept_for)}));
        }
        return {};
    };
    TRY(parts_.store.transact(body));
    claimed.outcome = seen.outcome;
    if (seen.outcome == ClaimOutcome::kAnswered) {
        const std::string id = to_hex(claimed.claim.row);
        const Buffer opened = TRY(
            parts_.sealer.open(seen.sealed, {.owner = seen.owner, .purpose = kPurpose, .id = id}));
        claimed.answer = TRY(read_answer(opened));
    }
    return claimed;
}

Result<void> KeptAnswers::keep(const AnswerClaim& claim, const TenantId& tenant,
                               const KeptAnswer& answer) {
    const std::string owner = answer.subject ? to_string(*answer.subject) : to_string(tenant);
    const std::string id = to_hex(claim.row);
    const Buffer sealed = TRY(
        parts_.sealer.seal(write_answer(answer), {.owner = owner, .purpose = kPurpose, .id = id}));
    storage::Batch batch;
    batch.operations.push_back(
        {.statement = kKeep,
         .parameters = {storage::bytes(claim.row), storage::bytes(claim.token),
                        storage::text(owner), storage::bytes(sealed)},
         .affects = storage::Affects::kOne});
    return parts_.store.apply(std::move(batch));
}

Result<void> KeptAnswers::renew(const AnswerClaim& claim) {
    storage::Batch batch;
    batch.operations.push_back(
        {.statement = kRenew,
         .parameters = {storage::bytes(claim.row), storage::bytes(claim.token),
                        storage::time_value(parts_.clock.now() + kClaimTime)}});
    return parts_.store.apply(std::move(batch));
}

Result<void> KeptAnswers::release(const AnswerClaim& claim) {
    storage::Batch batch;
    batch.operations.push_back(
        {.statement = kRelease,
         .parameters = {storage::bytes(claim.row), storage::bytes(claim.token)}});
    return parts_.store.apply(std::move(batch));
}

Result<void> KeptAnswers::tidy() {
    const Time now = parts_.clock.now();
    const std::int64_t now_ms = now.time_since_epoch().count();
    std::int64_t last = tidied_ms_.load();
    const auto every = std::chrono::duration_cast<std::chrono::milliseconds>(kTidyEvery).count();
    if (now_ms - last < every || !tidied_ms_.compare_exchange_strong(last, now_ms)) {
        return {};
    }
    storage::Batch batch;
    batch.operations.push_back({.statement = kTidy, .parameters = {storage::time_value(now)}});
    return parts_.store.apply(std::move(batch));
}

}  // namespace colophon::ledger
