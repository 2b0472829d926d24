// SPDX-License-Identifier: Apache-2.0
#pragma once

// A store of either engine with the ledger's tables, data keys, and a record to append.

#include "core/random.h"
#include "ledger/answers.h"
#include "ledger/content_ids.h"
#include "ledger/media_jobs.h"
#include "ledger/prune.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "ledger/sequencer.h"
#include "storage/data_keys.h"
#include "storage/directory_objects.h"
#include "storage/engines.h"
#include "storage/files.h"
#include "storage/object_tables.h"
#include "storage/tables.h"
#include "support/tools.h"

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace colophon::ledger {

using storage::code_of;
using storage::each_engine;
using storage::good;
using storage::TestStore;

inline std::vector<storage::Migration> all_migrations() {
    std::vector<storage::Migration> all;
    for (const auto list :
         {storage::storage_migrations(), storage::object_migrations(), record_migrations(),
          content_id_migrations(), retention_migrations(), sequencer_migrations(),
          prune_migrations(), answer_migrations(), media_job_migrations()}) {
        all.insert(all.end(), list.begin(), list.end());
    }
    return all;
}

class LedgerStores {
public:
    explicit LedgerStores(TestStore& store) : store_(store) {
        good(storage::migrate(*store, all_migrations(), clock));
        open_keys();
    }

    // Everything again, as after a restart.
    void reopen() {
        close();
        store_.reopen();
        open_keys();
    }
    void close() {
        keys.reset();
        objects.reset();
        store_.close();
    }

    Records records() { return {*store_, *keys, random, {.digest_key = {1, 2, 3}}}; }

    ServiceRecord record(RecordKind kind = RecordKind::kCall) {
        ServiceRecord record;
        record.facts.at = clock.now();
        record.facts.id = make_record_id(record.facts.at, random).value();
        record.facts.kind = kind;
        record.facts.tenant = tenant;
        record.facts.subject = subject;
        record.facts.operation = "chat.completions";
        record.facts.model = "example-model";
        record.personal = {.account = "user-7",
                           .source_address = "192.0.2.7",
                           .source_port = 50123,
                           .target_address = "192.0.2.1:443",
                           .client = "app/1.0",
                           .input = "what is a colophon",
                           .output = "a note at the end of a work",
                           .contents = {},
                           .files = {}};
        record.content_digests = {sha256(as_bytes(record.personal.output))};
        return record;
    }

    FixedClock clock{parse_time("2026-11-26T08:00:00Z").value()};
    SystemRandom random;
    storage::SystemFiles files;
    TenantId tenant = make_random_id<TenantId>(random).value();
    SubjectId subject = make_random_id<SubjectId>(random).value();
    std::unique_ptr<storage::ObjectStore> objects;
    std::unique_ptr<storage::DataKeys> keys;

private:
    void open_keys() {
        objects = good(storage::open_directory_objects(dir_.file("objects"), files, random));
        const std::string path = dir_.file("master.key");
        if (!made_key_) {
            colophon::test::write_file(path,
                                       as_bytes(storage::new_master_key_text(random).value()));
            std::filesystem::permissions(
                path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
            made_key_ = true;
        }
        storage::MasterKeys masters;
        masters.master =
            good(storage::open_master_key("file:" + path, storage::Suite::kAes256Gcm, random));
        keys = good(
            storage::DataKeys::open({*store_, *objects, clock, random}, std::move(masters), {}));
    }

    TestStore& store_;
    colophon::test::TempDir dir_;
    bool made_key_ = false;
};

}  // namespace colophon::ledger
