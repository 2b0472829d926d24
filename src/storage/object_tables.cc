// SPDX-License-Identifier: Apache-2.0
#include "storage/object_tables.h"

#include "storage/migration.h"

#include <array>
#include <span>

namespace colophon::storage {
namespace {

constexpr std::array kMigrations{
    Migration{"objects", 1,
              "CREATE TABLE data_keys (\n"
              "  owner TEXT NOT NULL,\n"
              "  generation INTEGER NOT NULL,\n"
              "  master BYTES NOT NULL,\n"
              "  wrapped BYTES NOT NULL,\n"
              "  made_at INTEGER NOT NULL,\n"
              "  PRIMARY KEY (owner, generation));\n"
              "CREATE INDEX data_keys_master ON data_keys (master);\n"
              "CREATE TABLE destroyed_keys (\n"
              "  owner TEXT PRIMARY KEY,\n"
              "  destroyed_at INTEGER NOT NULL);\n"
              "CREATE TABLE master_keys (\n"
              "  id BYTES PRIMARY KEY,\n"
              "  first_at INTEGER NOT NULL,\n"
              "  retired_at INTEGER);\n"
              // digest: null while the object is being written, or is to be removed.
              "CREATE TABLE blobs (\n"
              "  object TEXT PRIMARY KEY,\n"
              "  owner TEXT NOT NULL,\n"
              "  digest BYTES,\n"
              "  content_bytes INTEGER NOT NULL,\n"
              "  made_at INTEGER NOT NULL,\n"
              "  UNIQUE (owner, digest));\n"
              "CREATE TABLE blob_holders (\n"
              "  object TEXT NOT NULL REFERENCES blobs (object),\n"
              "  holder TEXT NOT NULL,\n"
              "  PRIMARY KEY (object, holder));\n"},
    // unrecorded: destroyed by a tombstone, and no record says so yet.
    Migration{"objects", 2,
              "ALTER TABLE destroyed_keys ADD COLUMN unrecorded INTEGER NOT NULL DEFAULT 0;\n"
              "CREATE INDEX blob_holders_holder ON blob_holders (holder);\n"},
};

}  // namespace

std::span<const Migration> object_migrations() {
    return kMigrations;
}

}  // namespace colophon::storage
