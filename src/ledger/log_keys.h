// SPDX-License-Identifier: Apache-2.0
#pragma once

// The names of this installation's logs and the keys that sign their checkpoints. A name is for
// good: a log that changed it would be another log. Keys change: a new one is added and signs
// beside the old one, until everybody has it and the old one is retired. Old checkpoints stay
// verifiable by the keys that signed them. The private key is kept sealed under the installation's
// own data key; the public one is a text for everybody.
//
// Threads: any method from any thread.

#include "core/clock.h"
#include "core/random.h"
#include "ledger/conduct.h"
#include "ledger/note.h"
#include "ledger/records.h"
#include "storage/migration.h"
#include "storage/sealer.h"
#include "storage/store.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::ledger {

std::span<const storage::Migration> log_key_migrations();

struct LogKey {
    LogClass log = LogClass::kService;
    std::string origin;
    std::string vkey;  // the public key as a text (ledger/note.h)
    Time made;
    std::optional<Time> retired;  // signs no more
};

// In the order of logs and age. Needs no key, only the rows.
Result<std::vector<LogKey>> log_keys(storage::Store& store);

class LogKeys {
public:
    struct Parts {
        storage::Store& store;
        storage::Sealer& sealer;
        Clock& clock;
        Random& random;
    };
    // `owner` is whose data key seals them. The parts outlive this.
    LogKeys(const Parts& parts, std::string owner) : parts_(parts), owner_(std::move(owner)) {}

    // The first key of a log that has none, named ORIGIN/service or ORIGIN/conduct; returns whether
    // one was made. kInvalidArgument for an origin that cannot be a key's name.
    Result<bool> make(LogClass log, std::string_view origin);
    // What signs now, oldest first. kNotFound when the log has no key: `colophon admin init`.
    Result<std::vector<NoteSigner>> signers(LogClass log);
    // What signs no more, oldest first.
    Result<std::vector<NoteVerifier>> former(LogClass log);

    // One more key for a log that has one, of Ed25519 or SM2; services take it within seconds. The
    // change and its record of conduct ("log_key.add") are one transaction.
    Result<LogKey> add(LogClass log, SignatureType type, const Conduct& conduct);
    // `key` is a public key or the eight digits of its id. kNotFound when no such key signs,
    // kConflict for the last one of type 0x01. Recorded as "log_key.retire".
    Result<LogKey> retire(std::string_view key, const Conduct& conduct);

private:
    Result<void> insert(LogClass log, const std::string& origin);

    Parts parts_;
    std::string owner_;
};

// The text, which ends with a line feed, with the signatures of the service's log.
Result<std::string> sign_note(LogKeys& keys, std::string_view text);

}  // namespace colophon::ledger
