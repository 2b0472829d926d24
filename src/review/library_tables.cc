// SPDX-License-Identifier: Apache-2.0
// The shape of the feature library's rows.
#include "review/library.h"
#include "storage/migration.h"

#include <array>
#include <span>

namespace colophon::review {
namespace {

constexpr std::array kMigrations{
    // content: the entry as JSON. state: EntryState. benign, traffic: contents of the trial, and
    // how many of them it hit. step: Step.
    storage::Migration{"review", 1,
                       "CREATE TABLE feature_entries (\n"
                       "  id TEXT NOT NULL,\n"
                       "  revision INTEGER NOT NULL,\n"
                       "  state INTEGER NOT NULL,\n"
                       "  content TEXT NOT NULL,\n"
                       "  category TEXT NOT NULL,\n"
                       "  reason TEXT NOT NULL,\n"
                       "  evidence TEXT NOT NULL,\n"
                       "  source TEXT NOT NULL,\n"
                       "  owner TEXT NOT NULL,\n"
                       "  batch TEXT NOT NULL,\n"
                       "  proposed_by TEXT NOT NULL,\n"
                       "  proposed_at INTEGER NOT NULL,\n"
                       "  expires_at INTEGER,\n"
                       "  live_at INTEGER,\n"
                       "  ended_at INTEGER,\n"
                       "  review_at INTEGER,\n"
                       "  trial_at INTEGER,\n"
                       "  benign INTEGER NOT NULL DEFAULT 0,\n"
                       "  benign_hits INTEGER NOT NULL DEFAULT 0,\n"
                       "  traffic INTEGER NOT NULL DEFAULT 0,\n"
                       "  traffic_hits INTEGER NOT NULL DEFAULT 0,\n"
                       "  PRIMARY KEY (id, revision));\n"
                       "CREATE INDEX feature_entries_state ON feature_entries (state, id);\n"
                       "CREATE INDEX feature_entries_batch ON feature_entries (batch, id);\n"
                       "CREATE TABLE feature_opinions (\n"
                       "  id TEXT NOT NULL,\n"
                       "  revision INTEGER NOT NULL,\n"
                       "  step INTEGER NOT NULL,\n"
                       "  opinion_by TEXT NOT NULL,\n"
                       "  opinion_at INTEGER NOT NULL,\n"
                       "  reason TEXT NOT NULL,\n"
                       "  PRIMARY KEY (id, revision, step, opinion_by, opinion_at),\n"
                       "  FOREIGN KEY (id, revision) REFERENCES feature_entries (id, revision));\n"
                       "CREATE TABLE feature_hits (\n"
                       "  id TEXT NOT NULL,\n"
                       "  day INTEGER NOT NULL,\n"
                       "  hits INTEGER NOT NULL,\n"
                       "  PRIMARY KEY (id, day));\n"},
    // What people released although the entry had held it.
    storage::Migration{"review", 2,
                       "CREATE TABLE feature_overturned (\n"
                       "  id TEXT NOT NULL,\n"
                       "  day INTEGER NOT NULL,\n"
                       "  overturned INTEGER NOT NULL,\n"
                       "  PRIMARY KEY (id, day));\n"},
    // Versions of the policy of review (policies.h), and each coming into force.
    storage::Migration{"review", 3,
                       "CREATE TABLE review_policies (\n"
                       "  number INTEGER PRIMARY KEY,\n"
                       "  digest TEXT NOT NULL UNIQUE,\n"
                       "  content TEXT NOT NULL,\n"
                       "  made_at INTEGER NOT NULL,\n"
                       "  made_by TEXT NOT NULL);\n"
                       "CREATE TABLE review_policy_uses (\n"
                       "  place INTEGER PRIMARY KEY,\n"
                       "  number INTEGER NOT NULL REFERENCES review_policies (number),\n"
                       "  used_at INTEGER NOT NULL,\n"
                       "  used_by TEXT NOT NULL);\n"},
};

}  // namespace

std::span<const storage::Migration> library_migrations() {
    return kMigrations;
}

}  // namespace colophon::review
