// SPDX-License-Identifier: Apache-2.0
// The tables of records, step by step.

#include "ledger/records.h"
#include "storage/migration.h"

#include <array>
#include <span>

namespace colophon::ledger {
namespace {

constexpr std::array kMigrations{
    storage::Migration{
        .module = "records",
        .step = 1,
        .sql = "CREATE TABLE records (\n"
               "  id BYTES NOT NULL PRIMARY KEY, kind BIGINT NOT NULL,\n"
               "  tenant BYTES NOT NULL, subject BYTES, content_id BIGINT,\n"
               "  facts TEXT NOT NULL, sealed BYTES NOT NULL, salt BYTES NOT NULL);\n"
               "CREATE UNIQUE INDEX records_by_content_id ON records (content_id);\n"
               "CREATE INDEX records_by_subject ON records (subject, id);\n"
               "CREATE INDEX records_by_tenant ON records (tenant, id);\n"
               "CREATE INDEX records_by_kind ON records (kind, id);\n"
               "CREATE TABLE record_digests (digest BYTES NOT NULL, record BYTES NOT NULL,\n"
               "  PRIMARY KEY (digest, record));\n"
               "CREATE INDEX record_digests_by_record ON record_digests (record);\n"
               "CREATE TABLE record_prints (kind BIGINT NOT NULL, band BIGINT NOT NULL,\n"
               "  record BYTES NOT NULL, print BYTES NOT NULL,\n"
               "  PRIMARY KEY (kind, band, record));\n"
               "CREATE INDEX record_prints_by_record ON record_prints (record);\n"
               "CREATE TABLE record_blobs (record BYTES NOT NULL, blob TEXT NOT NULL,\n"
               "  PRIMARY KEY (record, blob));\n"
               "CREATE TABLE log_outbox (position SERIAL_KEY, log BIGINT NOT NULL,\n"
               "  record BYTES NOT NULL, leaf BYTES NOT NULL);\n"
               "CREATE INDEX log_outbox_by_record ON log_outbox (record);\n"
               "CREATE TABLE log_entries (log BIGINT NOT NULL, entry BIGINT NOT NULL,\n"
               "  record BYTES NOT NULL, PRIMARY KEY (log, entry));\n"
               "CREATE INDEX log_entries_by_record ON log_entries (record);\n"},
    // Nothing was ever written into the first table of prints. bands: eight bytes each, so that
    // rows are found again when their record goes. A release is due when nobody will keep the
    // record any more for which its blobs were written.
    storage::Migration{
        .module = "records",
        .step = 2,
        .sql = "DROP TABLE record_prints;\n"
               "CREATE TABLE record_prints (record BYTES NOT NULL, number BIGINT NOT NULL,\n"
               "  kind BIGINT NOT NULL, print BYTES NOT NULL, bands BYTES NOT NULL,\n"
               "  PRIMARY KEY (record, number));\n"
               "CREATE TABLE record_print_bands (kind BIGINT NOT NULL, band BIGINT NOT NULL,\n"
               "  record BYTES NOT NULL, number BIGINT NOT NULL,\n"
               "  PRIMARY KEY (kind, band, record, number));\n"
               "CREATE TABLE record_blob_releases (record BYTES NOT NULL PRIMARY KEY,\n"
               "  due_at BIGINT NOT NULL);\n"
               "CREATE INDEX record_blob_releases_due ON record_blob_releases (due_at);\n"},
    // What a record is found by waits in the outbox (ledger/internal/waiting_finds.h), and the
    // tables that it goes to are their own index. Nearly all records are calls, in the order of
    // their ids already: the index of kinds has the others.
    storage::Migration{
        .module = "records",
        .step = 3,
        .sql = "ALTER TABLE log_outbox ADD COLUMN digests BYTES;\n"
               "ALTER TABLE log_outbox ADD COLUMN bands BYTES;\n"
               "DROP INDEX records_by_kind;\n"
               "CREATE INDEX records_by_kind ON records (kind, id) WHERE kind <> 1;\n"
               "ALTER TABLE record_digests RENAME TO record_digests_before;\n"
               "CREATE TABLE record_digests (digest BYTES NOT NULL, record BYTES NOT NULL,\n"
               "  PRIMARY KEY (digest, record)) CLUSTERED;\n"
               "INSERT INTO record_digests SELECT digest, record FROM record_digests_before;\n"
               "DROP TABLE record_digests_before;\n"
               "CREATE INDEX record_digests_by_record ON record_digests (record);\n"
               "ALTER TABLE record_prints RENAME TO record_prints_before;\n"
               "CREATE TABLE record_prints (record BYTES NOT NULL, number BIGINT NOT NULL,\n"
               "  kind BIGINT NOT NULL, print BYTES NOT NULL, bands BYTES NOT NULL,\n"
               "  PRIMARY KEY (record, number)) CLUSTERED;\n"
               "INSERT INTO record_prints SELECT record, number, kind, print, bands\n"
               "  FROM record_prints_before;\n"
               "DROP TABLE record_prints_before;\n"
               "ALTER TABLE record_print_bands RENAME TO record_print_bands_before;\n"
               "CREATE TABLE record_print_bands (kind BIGINT NOT NULL, band BIGINT NOT NULL,\n"
               "  record BYTES NOT NULL, number BIGINT NOT NULL,\n"
               "  PRIMARY KEY (kind, band, record, number)) CLUSTERED;\n"
               "INSERT INTO record_print_bands SELECT kind, band, record, number\n"
               "  FROM record_print_bands_before ORDER BY kind, band, record, number;\n"
               "DROP TABLE record_print_bands_before;\n"
               "ALTER TABLE log_entries RENAME TO log_entries_before;\n"
               "CREATE TABLE log_entries (log BIGINT NOT NULL, entry BIGINT NOT NULL,\n"
               "  record BYTES NOT NULL, PRIMARY KEY (log, entry)) CLUSTERED;\n"
               "INSERT INTO log_entries SELECT log, entry, record FROM log_entries_before\n"
               "  ORDER BY log, entry;\n"
               "DROP TABLE log_entries_before;\n"
               "CREATE INDEX log_entries_by_record ON log_entries (record);\n",
        .postgres = "ALTER TABLE log_outbox ADD COLUMN digests BYTES;\n"
                    "ALTER TABLE log_outbox ADD COLUMN bands BYTES;\n"
                    "DROP INDEX records_by_kind;\n"
                    "CREATE INDEX records_by_kind ON records (kind, id) WHERE kind <> 1;\n"},
    // An index of content ids has a page for each record that is written, because they are as good
    // as random; their numbers come in the order in which they were given. Records of before keep
    // the id in the column of before.
    storage::Migration{
        .module = "records",
        .step = 4,
        .sql = "ALTER TABLE records ADD COLUMN content_number BIGINT;\n"
               "CREATE UNIQUE INDEX records_by_content_number ON records (content_number)\n"
               "  WHERE content_number IS NOT NULL;\n"
               "DROP INDEX records_by_content_id;\n"
               "CREATE UNIQUE INDEX records_by_content_id ON records (content_id)\n"
               "  WHERE content_id IS NOT NULL;\n"},
    // The digests of a record stand with it, so that nothing else has to find them when it goes.
    storage::Migration{
        .module = "records",
        .step = 5,
        .sql = "ALTER TABLE records ADD COLUMN digests BYTES;\n"
               "UPDATE records SET digests = (SELECT CAST(group_concat(digest, '') AS BLOB)\n"
               "  FROM record_digests WHERE record = records.id);\n"
               "UPDATE records SET digests = (SELECT MAX(digests) FROM log_outbox\n"
               "  WHERE record = records.id) WHERE digests IS NULL;\n"
               "DROP INDEX record_digests_by_record;\n",
        .postgres = "ALTER TABLE records ADD COLUMN digests BYTES;\n"
                    "UPDATE records SET digests = (SELECT string_agg(digest, ''::bytea)\n"
                    "  FROM record_digests WHERE record = records.id);\n"
                    "UPDATE records SET digests = (SELECT digests FROM log_outbox\n"
                    "  WHERE record = records.id LIMIT 1) WHERE digests IS NULL;\n"
                    "DROP INDEX record_digests_by_record;\n"},
    // Runs instead of an index of digests and of bands of texts (ledger/internal/find_runs.h); what
    // the tables of before have is still found there.
    storage::Migration{
        .module = "records",
        .step = 6,
        .sql = "CREATE TABLE record_find_runs (log BIGINT NOT NULL, run BIGINT NOT NULL,\n"
               "  level BIGINT NOT NULL, entries BIGINT NOT NULL, oldest BYTES NOT NULL,\n"
               "  newest BYTES NOT NULL, changes BIGINT NOT NULL,\n"
               "  PRIMARY KEY (log, run)) CLUSTERED;\n"
               "CREATE TABLE record_finds (log BIGINT NOT NULL, run BIGINT NOT NULL,\n"
               "  first BYTES NOT NULL, finds BYTES NOT NULL,\n"
               "  PRIMARY KEY (log, run, first)) CLUSTERED;\n"},
    // A leaf waits under its record, in the order of time, so that whoever looks for it needs no
    // other index.
    storage::Migration{.module = "records",
                       .step = 7,
                       .sql =
                           "ALTER TABLE log_outbox RENAME TO log_outbox_before;\n"
                           "CREATE TABLE log_outbox (log BIGINT NOT NULL, record BYTES NOT NULL,\n"
                           "  leaf BYTES NOT NULL, digests BYTES, bands BYTES,\n"
                           "  PRIMARY KEY (log, record)) CLUSTERED;\n"
                           "INSERT INTO log_outbox SELECT log, record, leaf, digests, bands\n"
                           "  FROM log_outbox_before ORDER BY log, record;\n"
                           "DROP TABLE log_outbox_before;\n",
                       .postgres = "DROP INDEX log_outbox_by_record;\n"
                                   "ALTER TABLE log_outbox DROP COLUMN position;\n"
                                   "ALTER TABLE log_outbox ADD PRIMARY KEY (log, record);\n"},
    // Up to which record nobody can say whether files came with a call: from then on records say it
    // (ledger/file_prints.h).
    storage::Migration{
        .module = "records",
        .step = 8,
        .sql =
            "CREATE TABLE record_marks (name TEXT NOT NULL PRIMARY KEY,\n"
            "  record BYTES NOT NULL);\n"
            "INSERT INTO record_marks SELECT 'files', id FROM records ORDER BY id DESC LIMIT 1;\n"},
    // Prints of texts stand with their record, facts are packed (ledger/internal/packed_facts.h),
    // and runs say whose a record is; the indexes keep the records of before.
    storage::Migration{
        .module = "records",
        .step = 9,
        .sql = "ALTER TABLE records ADD COLUMN prints BYTES;\n"
               "ALTER TABLE records ADD COLUMN in_runs BIGINT;\n"
               "ALTER TABLE records ADD COLUMN facts_packed BYTES;\n"
               "DROP INDEX records_by_subject;\n"
               "CREATE INDEX records_by_subject ON records (subject, id) WHERE in_runs IS NULL;\n"
               "DROP INDEX records_by_tenant;\n"
               "CREATE INDEX records_by_tenant ON records (tenant, id) WHERE in_runs IS NULL;\n"
               "ALTER TABLE record_blobs ADD COLUMN subject BYTES;\n"
               "UPDATE record_blobs SET subject = (SELECT subject FROM records\n"
               "  WHERE id = record_blobs.record);\n"
               "CREATE INDEX record_blobs_by_subject ON record_blobs (subject)\n"
               "  WHERE subject IS NOT NULL;\n"},
    // An outbox for each log, whose rows come and go in order (ledger/internal/outbox.h). On SQLite
    // segments of runs lie beside their index, whose upper pages were full of them.
    storage::Migration{
        .module = "records",
        .step = 10,
        .sql = "CREATE TABLE service_outbox (record BYTES NOT NULL, leaf BYTES NOT NULL,\n"
               "  digests BYTES, bands BYTES, owners BYTES);\n"
               "INSERT INTO service_outbox (record, leaf, digests, bands)\n"
               "  SELECT record, leaf, digests, bands FROM log_outbox WHERE log = 1\n"
               "  ORDER BY record;\n"
               "CREATE TABLE conduct_outbox (record BYTES NOT NULL, leaf BYTES NOT NULL,\n"
               "  digests BYTES, bands BYTES, owners BYTES);\n"
               "INSERT INTO conduct_outbox (record, leaf, digests, bands)\n"
               "  SELECT record, leaf, digests, bands FROM log_outbox WHERE log = 2\n"
               "  ORDER BY record;\n"
               "DROP TABLE log_outbox;\n"
               "ALTER TABLE record_finds RENAME TO record_finds_before;\n"
               "CREATE TABLE record_finds (log BIGINT NOT NULL, run BIGINT NOT NULL,\n"
               "  first BYTES NOT NULL, finds BYTES NOT NULL);\n"
               "INSERT INTO record_finds SELECT log, run, first, finds\n"
               "  FROM record_finds_before ORDER BY log, run, first;\n"
               "DROP TABLE record_finds_before;\n"
               "CREATE UNIQUE INDEX record_finds_by_first ON record_finds (log, run, first);\n",
        .postgres = "CREATE TABLE service_outbox (record BYTES NOT NULL PRIMARY KEY,\n"
                    "  leaf BYTES NOT NULL, digests BYTES, bands BYTES, owners BYTES);\n"
                    "INSERT INTO service_outbox (record, leaf, digests, bands)\n"
                    "  SELECT record, leaf, digests, bands FROM log_outbox WHERE log = 1;\n"
                    "CREATE TABLE conduct_outbox (record BYTES NOT NULL PRIMARY KEY,\n"
                    "  leaf BYTES NOT NULL, digests BYTES, bands BYTES, owners BYTES);\n"
                    "INSERT INTO conduct_outbox (record, leaf, digests, bands)\n"
                    "  SELECT record, leaf, digests, bands FROM log_outbox WHERE log = 2;\n"
                    "DROP TABLE log_outbox;\n"},
};

}  // namespace

std::span<const storage::Migration> record_migrations() {
    return kMigrations;
}

}  // namespace colophon::ledger
