// SPDX-License-Identifier: Apache-2.0
#pragma once

// A disk that fails, for SQLite: it lies between the library and the system's files, counts what
// changes a file (writes, truncations, syncs) and lets one of these operations fail, or all from it
// on. It also remembers what each file held when it was last synced, so that power can be cut: then
// everything that was not synced is gone. Nothing is synced for real, which makes runs short.

#include <cstdint>
#include <string>

namespace colophon::test {

enum class Fault {
    kError,       // EIO; of a sync as well
    kShortWrite,  // half of the write is done, then EIO
    kFull,        // ENOSPC; syncs and truncations succeed
};

// Only one at a time; its name is that of the VFS.
class FaultVfs {
public:
    static constexpr const char* kName = "colophon-fault";

    // What the disk says of a write that power cuts off: that it may damage what lies beside it
    // (SQLite then pads its log), or not.
    enum class Overwrite { kMayDamage, kSafe };
    explicit FaultVfs(Overwrite overwrite = Overwrite::kMayDamage);  // registers it
    FaultVfs(const FaultVfs&) = delete;
    FaultVfs& operator=(const FaultVfs&) = delete;
    ~FaultVfs();

    // From now on operation number `at` (from 1) fails; with `sticky` all later ones, too.
    static void arm(Fault fault, std::int64_t at, bool sticky);
    static void disarm();
    static bool struck();       // the fault has happened
    static bool sync_struck();  // and it was a sync
    // Brings every file back to what it held at its last sync; files never synced become empty.
    // Nobody may have them open.
    static void cut_power();
};

}  // namespace colophon::test
