// SPDX-License-Identifier: Apache-2.0
#pragma once

// All rows of a store into one archive (storage/archive.h) while writes go on, and back into an
// empty store of either engine. Objects (storage/objects.h) are not rows: their files are copied
// beside it, after it, because rows name objects and objects never change.

#include "core/clock.h"
#include "core/digest.h"
#include "storage/archive.h"
#include "storage/migration.h"
#include "storage/store.h"

#include <cstdint>
#include <span>
#include <string>

namespace colophon::storage {

struct BackupSummary {
    std::uint64_t tables = 0;
    std::uint64_t rows = 0;
    Time created;
    Digest256 digest{};
};

// One state of the data, through a snapshot. Error{kNotFound} for a store without a shape.
Result<BackupSummary> back_up(Store& store, const ArchiveWriter::Sink& sink,
                              const std::string& program, Clock& clock);

// Reads a whole archive and says what is in it, or what is wrong.
Result<BackupSummary> check_backup(const ArchiveReader::ReadAt& read_at);

// Everything in one transaction: the steps that the archive names, then its rows; missing steps are
// for migrate() afterwards. Error{kConflict} when the store is not empty or the archive has steps
// that `migrations` lacks or that differ from it; kCorrupt when the archive is damaged. After an
// error the store is as it was.
Result<BackupSummary> restore(Store& store, const ArchiveReader::ReadAt& read_at,
                              std::span<const Migration> migrations, Clock& clock);

}  // namespace colophon::storage
