// SPDX-License-Identifier: Apache-2.0
#include "cli/store_options.h"

#include "cli/config.h"
#include "cli/files.h"
#include "cli/terminal.h"
#include "core/result.h"
#include "governance/agreements.h"
#include "identity/budgets.h"
#include "identity/tables.h"
#include "ledger/answers.h"
#include "ledger/content_ids.h"
#include "ledger/log_keys.h"
#include "ledger/media_jobs.h"
#include "ledger/prune.h"
#include "ledger/records.h"
#include "ledger/retention.h"
#include "ledger/sequencer.h"
#include "review/library.h"
#include "review/queue.h"
#include "storage/migration.h"
#include "storage/object_tables.h"
#include "storage/postgres_store.h"
#include "storage/secret_source.h"
#include "storage/sqlite_store.h"
#include "storage/store.h"
#include "storage/tables.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::cli {
namespace {

bool is_postgres(std::string_view url) {
    return url.starts_with("postgres://") || url.starts_with("postgresql://");
}

std::string database_path(const StoreChoice& choice) {
    return choice.data + "/colophon.db";
}

}  // namespace

void add_store_options(CLI::App& verb, StoreChoice& choice) {
    verb.add_option("--data", choice.data,
                    std::string(tr("folder of the embedded store", "内嵌存储所在的文件夹")));
    verb.add_option("--store", choice.url,
                    std::string(tr("address of PostgreSQL: postgres://..., file:PATH or env:NAME",
                                   "PostgreSQL 地址：postgres://...、file:路径 或 env:变量名")));
}

Result<StoreChoice> resolve_store(const StoreChoice& choice) {
    if (!choice.data.empty() && !choice.url.empty()) {
        return Error{ErrorCode::kInvalidArgument, "--data and --store exclude each other"};
    }
    StoreChoice resolved = choice;
    if (resolved.data.empty() && resolved.url.empty()) {
        const Config config = TRY(load_config());
        resolved.data = config.storage.data;
        resolved.url = config.storage.url;
        if (!resolved.data.empty() && !resolved.url.empty()) {
            return Error{ErrorCode::kInvalidArgument,
                         "storage.data and storage.url exclude each other"};
        }
    }
    if (!resolved.url.empty()) {
        if (storage::is_secret_source(resolved.url)) {
            const storage::SecretText text =
                TRY(storage::read_secret(resolved.url, storage::SecretFile::kAny));
            resolved.url = text.text();
        }
        if (!is_postgres(resolved.url)) {
            // What stands there instead may be a secret.
            return Error{ErrorCode::kInvalidArgument,
                         "the address of the store does not begin with postgres://"};
        }
    } else if (resolved.data.empty()) {
        resolved.data = "data";
    }
    return resolved;
}

std::string store_name(const StoreChoice& choice) {
    return choice.url.empty() ? database_path(choice) : std::string("PostgreSQL");
}

Result<std::unique_ptr<storage::Store>> open_store(const StoreChoice& choice, Missing missing) {
    if (!choice.url.empty()) {
        return storage::open_postgres(choice.url);
    }
    storage::SqliteOptions options;
    options.create = missing == Missing::kCreate;
    if (options.create) {
        TRY(make_folders(choice.data));
    } else if (!is_folder(choice.data)) {
        return Error{
            ErrorCode::kNotFound,
            fmt::format("there is no folder {}: make it with `colophon admin init`", choice.data)};
    }
    return storage::open_sqlite(database_path(choice), options);
}

Result<std::unique_ptr<storage::Store>> open_checked_store(const StoreChoice& choice) {
    auto store = TRY(open_store(choice, Missing::kRefuse));
    TRY(storage::check_schema(*store, all_migrations()));
    return store;
}

std::span<const storage::Migration> all_migrations() {
    static const std::vector<storage::Migration> kAll = [] {
        std::vector<storage::Migration> all;
        for (const std::span<const storage::Migration> module :
             {storage::storage_migrations(), storage::object_migrations(),
              identity::identity_migrations(), identity::budget_migrations(),
              ledger::record_migrations(), ledger::content_id_migrations(),
              ledger::retention_migrations(), ledger::sequencer_migrations(),
              ledger::log_key_migrations(), ledger::prune_migrations(), ledger::answer_migrations(),
              ledger::media_job_migrations(), review::library_migrations(),
              review::queue_migrations(), governance::agreement_migrations()}) {
            all.insert(all.end(), module.begin(), module.end());
        }
        return all;
    }();
    return kAll;
}

}  // namespace colophon::cli
