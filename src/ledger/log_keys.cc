// SPDX-License-Identifier: Apache-2.0
#include "ledger/log_keys.h"

#include "core/bytes.h"
#include "core/json.h"
#include "core/result.h"
#include "ledger/conduct.h"
#include "ledger/note.h"
#include "ledger/records.h"
#include "storage/migration.h"
#include "storage/row_values.h"
#include "storage/store.h"
#include "storage/value.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::ledger {
namespace {

using storage::Statement;

constexpr std::string_view kPurpose = "log_keys.signer";

constexpr std::array kMigrations{
    storage::Migration{.module = "log_keys",
                       .step = 1,
                       .sql = "CREATE TABLE log_keys (\n"
                              "  log BIGINT NOT NULL, vkey TEXT NOT NULL, origin TEXT NOT NULL,\n"
                              "  sealed BYTES NOT NULL, made_at BIGINT NOT NULL,\n"
                              "  retired_at BIGINT, PRIMARY KEY (log, vkey));\n"},
};

constexpr Statement kList{
    "SELECT log, origin, vkey, made_at, retired_at FROM log_keys ORDER BY log, made_at, vkey"};
constexpr Statement kSigners{
    "SELECT vkey, sealed FROM log_keys WHERE log = $1 AND retired_at IS NULL"
    " ORDER BY made_at, vkey"};
constexpr Statement kCount{"SELECT COUNT(*) FROM log_keys WHERE log = $1"};
constexpr Statement kFormer{
    "SELECT vkey FROM log_keys WHERE log = $1 AND retired_at IS NOT NULL ORDER BY made_at, vkey"};
constexpr Statement kRetire{
    "UPDATE log_keys SET retired_at = $3 WHERE log = $1 AND vkey = $2 AND retired_at IS NULL"};
constexpr Statement kSigning{"SELECT vkey FROM log_keys WHERE log = $1 AND retired_at IS NULL"};
constexpr Statement kInsert{
    "INSERT INTO log_keys (log, vkey, origin, sealed, made_at) VALUES ($1, $2, $3, $4, $5)"};

storage::Value log_value(LogClass log) {
    return storage::integer(static_cast<std::int64_t>(log));
}

}  // namespace

std::span<const storage::Migration> log_key_migrations() {
    return kMigrations;
}

Result<std::vector<LogKey>> log_keys(storage::Store& store) {
    const storage::Rows rows = TRY(store.query(kList, {}));
    std::vector<LogKey> keys;
    keys.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        LogKey key;
        key.log = static_cast<LogClass>(TRY(rows.integer(row, 0)));
        key.origin = TRY(rows.text(row, 1));
        key.vkey = TRY(rows.text(row, 2));
        key.made = TRY(storage::time_at(rows, row, 3));
        key.retired = TRY(storage::optional_time_at(rows, row, 4));
        keys.push_back(std::move(key));
    }
    return keys;
}

Result<void> LogKeys::insert(LogClass log, const std::string& origin) {
    const NoteSigner signer =
        TRY(NoteSigner::generate(origin, SignatureType::kEd25519, parts_.random));
    const std::string vkey = signer.verifier().vkey();
    const std::string text = signer.to_text();
    const Buffer sealed =
        TRY(parts_.sealer.seal(as_bytes(text), {.owner = owner_, .purpose = kPurpose, .id = vkey}));
    const auto body = [&](storage::Transaction& transaction) -> Result<void> {
        const storage::Rows there = TRY(transaction.query(kCount, {log_value(log)}));
        if (TRY(there.integer(0, 0)) != 0) {
            return Error{ErrorCode::kConflict, "the log has a key already"};
        }
        TRY(transaction.execute(kInsert,
                                {log_value(log), storage::text(vkey), storage::text(origin),
                                 storage::bytes(sealed), storage::time_value(parts_.clock.now())}));
        return {};
    };
    return parts_.store.transact(body);
}

Result<bool> LogKeys::make(LogClass log, std::string_view origin) {
    const storage::Rows there = TRY(parts_.store.query(kCount, {log_value(log)}));
    if (TRY(there.integer(0, 0)) != 0) {
        return false;
    }
    const std::string name = fmt::format("{}/{}", origin, log_class_name(log));
    if (origin.empty() || origin.ends_with('/') || !is_key_name(name)) {
        return Error{ErrorCode::kInvalidArgument,
                     "the origin of the logs is an address without scheme and without a slash at "
                     "its end, such as example.com/ledger"};
    }
    const auto made = insert(log, name);
    if (!made.ok() && made.error().code == ErrorCode::kConflict) {
        return false;  // another node was quicker
    }
    TRY(made);
    return true;
}

Result<std::vector<NoteSigner>> LogKeys::signers(LogClass log) {
    const storage::Rows rows = TRY(parts_.store.query(kSigners, {log_value(log)}));
    if (rows.empty()) {
        return Error{ErrorCode::kNotFound,
                     "the logs have no keys yet: make them with `colophon admin init`"};
    }
    std::vector<NoteSigner> signers;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::string vkey(TRY(rows.text(row, 0)));
        const Bytes sealed = TRY(rows.bytes(row, 1));
        const Buffer text =
            TRY(parts_.sealer.open(sealed, {.owner = owner_, .purpose = kPurpose, .id = vkey}));
        NoteSigner signer = TRY(NoteSigner::parse(as_text(text)));
        if (signer.verifier().vkey() != vkey) {
            return Error{ErrorCode::kCorrupt, "a kept key of a log is not the one of its row"};
        }
        signers.push_back(std::move(signer));
    }
    return signers;
}

Result<std::vector<NoteVerifier>> LogKeys::former(LogClass log) {
    const storage::Rows rows = TRY(parts_.store.query(kFormer, {log_value(log)}));
    std::vector<NoteVerifier> former;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::string_view vkey = TRY(rows.text(row, 0));
        former.push_back(TRY(NoteVerifier::parse(vkey)));
    }
    return former;
}

namespace {

json::Object facts_of(const LogKey& key) {
    return {{"log", log_class_name(key.log)}, {"key", key.vkey}};
}

Result<void> run_all(storage::Transaction& transaction, const storage::Batch& batch) {
    for (const storage::Operation& each : batch.operations) {
        TRY(transaction.execute(each.statement, each.parameters));
    }
    return {};
}

// Whether a key of type 0x01 signs beside `vkey`, so that it may go.
Result<bool> another_signs(storage::Transaction& transaction, const LogKey& key) {
    const storage::Rows rows = TRY(transaction.query(kSigning, {log_value(key.log)}));
    bool another = false;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const std::string_view text = TRY(rows.text(row, 0));
        const NoteVerifier each = TRY(NoteVerifier::parse(text));
        another = another || (text != key.vkey && each.type() == SignatureType::kEd25519);
    }
    return another;
}

}  // namespace

Result<LogKey> LogKeys::add(LogClass log, SignatureType type, const Conduct& conduct) {
    const std::vector<NoteSigner> before = TRY(signers(log));
    LogKey key;
    key.log = log;
    key.origin = before.front().verifier().name();
    key.made = parts_.clock.now();
    const NoteSigner signer = TRY(NoteSigner::generate(key.origin, type, parts_.random));
    key.vkey = signer.verifier().vkey();
    const std::string text = signer.to_text();
    const Buffer sealed = TRY(
        parts_.sealer.seal(as_bytes(text), {.owner = owner_, .purpose = kPurpose, .id = key.vkey}));
    storage::Batch batch =
        TRY(conduct.prepare({.operation = "log_key.add", .facts = facts_of(key), .names = {}}));
    batch.operations.push_back({kInsert,
                                {log_value(log), storage::text(key.vkey), storage::text(key.origin),
                                 storage::bytes(sealed), storage::time_value(key.made)},
                                storage::Affects::kOne});
    TRY(parts_.store.apply(std::move(batch)));
    return key;
}

Result<LogKey> LogKeys::retire(std::string_view key, const Conduct& conduct) {
    const std::vector<LogKey> all = TRY(log_keys(parts_.store));
    const auto found = std::ranges::find_if(all, [&](const LogKey& each) {
        const auto parsed = NoteVerifier::parse(each.vkey);
        return !each.retired &&
               (each.vkey == key ||
                (parsed.ok() && key.size() == 8 && fmt::format("{:08x}", parsed->key_id()) == key));
    });
    if (found == all.end()) {
        return Error{ErrorCode::kNotFound, "no key of a log that signs has this name or id"};
    }
    LogKey retired = *found;
    retired.retired = parts_.clock.now();
    const storage::Batch record = TRY(
        conduct.prepare({.operation = "log_key.retire", .facts = facts_of(retired), .names = {}}));
    const auto body = [&](storage::Transaction& transaction) -> Result<void> {
        if (!TRY(another_signs(transaction, retired))) {
            return Error{ErrorCode::kConflict,
                         "the last Ed25519 key of a log signs on: add another one first"};
        }
        TRY(transaction.execute(kRetire, {log_value(retired.log), storage::text(retired.vkey),
                                          storage::time_value(*retired.retired)}));
        return run_all(transaction, record);
    };
    TRY(parts_.store.transact(body));
    return retired;
}

Result<std::string> sign_note(LogKeys& keys, std::string_view text) {
    Note note{.text = std::string(text), .signatures = {}};
    for (const NoteSigner& signer : TRY(keys.signers(LogClass::kService))) {
        note.signatures.push_back(TRY(signer.sign(text)));
    }
    return format_note(note);
}

}  // namespace colophon::ledger
