// SPDX-License-Identifier: Apache-2.0
#pragma once

// The embedded store: one SQLite file in WAL mode, on one machine. Several processes of that
// machine may have it open (a server, workers, administration); a second machine is refused.
//
// One thread writes. Whatever waits when it is free goes into one transaction, each batch and each
// body inside a savepoint of its own, and one COMMIT with one fsync acknowledges them all
// (docs/adr/0005-group-commit-by-savepoints.md). Reads run beside it on a pool of connections.
//
// After a failed fsync nobody knows what is on the disk: Linux forgets the pages that it could not
// write. The store then answers every write with Error{kUnavailable} until it is opened again;
// opening writes everything anew from the WAL, which is where the last good state is. A full disk
// is not that: writes fail and go on when there is room again.

#include "storage/store.h"  // IWYU pragma: export

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

namespace colophon::storage {

struct SqliteOptions {
    std::size_t readers_max = 8;  // connections for reads, opened when needed
    // How long to wait for the lock of another process.
    std::chrono::milliseconds busy{5000};
    bool create = true;  // otherwise a file that is not there is Error{kNotFound}
    // Name of a registered sqlite3 VFS; the system's own when empty. This is where tests put
    // faults.
    std::string vfs;
};

// Error{kNotFound} for a missing folder or file, Error{kConflict} for a file that another machine
// has open or that a newer Colophon made, Error{kCorrupt} for one that is no database of ours.
Result<std::unique_ptr<Store>> open_sqlite(const std::string& path,
                                           const SqliteOptions& options = {});

}  // namespace colophon::storage
