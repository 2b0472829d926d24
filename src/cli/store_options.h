// SPDX-License-Identifier: Apache-2.0
#pragma once

// Where the data lies, as the verbs that need it are told: --store, --data, or [storage] of the
// configuration.

#include "core/result.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <memory>
#include <span>
#include <string>

// NOLINTBEGIN(readability-identifier-naming): the library names its namespace so.
namespace CLI {
class App;
}
// NOLINTEND(readability-identifier-naming)

namespace colophon::cli {

// Empty is not given.
struct StoreChoice {
    std::string data;  // folder of the embedded store; its database is colophon.db in it
    std::string url;   // postgres://..., or file:PATH or env:NAME where that stands
};

// --data and --store.
void add_store_options(CLI::App& verb, StoreChoice& choice);

// Fills what is empty from the configuration; without any, the folder is "data". An address wins
// over a folder that comes from further away; both at once are Error{kInvalidArgument}.
Result<StoreChoice> resolve_store(const StoreChoice& choice);

// How the store is named in messages: the folder, or "PostgreSQL"; never the address.
std::string store_name(const StoreChoice& choice);

enum class Missing { kRefuse, kCreate };
// `choice` is a resolved one. Opens whatever shape it has; kNotFound when the folder or the
// database is not there.
Result<std::unique_ptr<storage::Store>> open_store(const StoreChoice& choice, Missing missing);
// The same, and its shape must be that of this program.
Result<std::unique_ptr<storage::Store>> open_checked_store(const StoreChoice& choice);

// The steps of every module, in the order in which they are applied.
std::span<const storage::Migration> all_migrations();

}  // namespace colophon::cli
