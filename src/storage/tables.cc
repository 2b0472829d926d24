// SPDX-License-Identifier: Apache-2.0
#include "storage/tables.h"

#include "storage/migration.h"

#include <array>
#include <span>

namespace colophon::storage {
namespace {

constexpr std::array kMigrations{
    Migration{"storage", 1,
              // state: 0 waits, 1 is being worked on, 2 was given up.
              "CREATE TABLE queue_jobs (\n"
              "  id SERIAL_KEY,\n"
              "  queue TEXT NOT NULL,\n"
              "  payload BYTES NOT NULL,\n"
              "  state INTEGER NOT NULL DEFAULT 0,\n"
              "  due_at INTEGER NOT NULL,\n"
              "  added_at INTEGER NOT NULL,\n"
              "  attempts INTEGER NOT NULL DEFAULT 0,\n"
              "  attempts_max INTEGER NOT NULL,\n"
              "  token BYTES,\n"
              "  lease_until INTEGER,\n"
              "  reason TEXT NOT NULL DEFAULT '');\n"
              "CREATE INDEX queue_jobs_due ON queue_jobs (queue, state, due_at, id);\n"
              "CREATE INDEX queue_jobs_token ON queue_jobs (token);\n"
              "CREATE TABLE leases (\n"
              "  name TEXT PRIMARY KEY,\n"
              "  holder BYTES NOT NULL,\n"
              "  token INTEGER NOT NULL,\n"
              "  until_at INTEGER NOT NULL);\n"},
};

}  // namespace

std::span<const Migration> storage_migrations() {
    return kMigrations;
}

}  // namespace colophon::storage
