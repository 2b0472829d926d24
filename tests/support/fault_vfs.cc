// SPDX-License-Identifier: Apache-2.0
#include "support/fault_vfs.h"

#include "core/bytes.h"
#include "support/tools.h"

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <new>
#include <string>

namespace colophon::test {
namespace {

struct Disk {
    std::mutex mutex;
    Fault fault = Fault::kError;
    std::int64_t left = -1;  // operations until the fault; below 0 there is none to come
    bool sticky = false;
    bool struck = false;
    bool sync_struck = false;
    bool overwrite_is_safe = false;
    std::map<std::string, Buffer> synced;
};

Disk& disk() {
    static Disk the_disk;
    return the_disk;
}

// SQLite gives us this many bytes for each file; the system's own file lies right behind.
struct FaultFile {
    sqlite3_file base;
    const char* path;  // SQLite keeps it as long as the file is open
};

sqlite3_file* real(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<FaultFile*>(file) + 1);
}

// Whether this operation is to fail.
bool fails(bool is_sync) {
    Disk& it = disk();
    const std::scoped_lock lock(it.mutex);
    if (it.fault == Fault::kFull && is_sync) {
        return false;
    }
    const bool now = it.left == 1 || (it.sticky && it.struck && it.left >= 0);
    if (it.left > 1) {
        --it.left;
    } else if (it.left == 1) {
        it.left = it.sticky ? 0 : -1;
    }
    it.struck = it.struck || now;
    it.sync_struck = it.sync_struck || (now && is_sync);
    return now;
}

int on_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
    if (!fails(false)) {
        return real(file)->pMethods->xWrite(real(file), data, size, at);
    }
    if (disk().fault == Fault::kShortWrite) {
        real(file)->pMethods->xWrite(real(file), data, size / 2, at);
    }
    return disk().fault == Fault::kFull ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int on_truncate(sqlite3_file* file, sqlite3_int64 size) {
    if (disk().fault != Fault::kFull && fails(false)) {
        return SQLITE_IOERR_TRUNCATE;
    }
    return real(file)->pMethods->xTruncate(real(file), size);
}

int on_sync(sqlite3_file* file, int) {
    if (fails(true)) {
        return SQLITE_IOERR_FSYNC;
    }
    const char* path = reinterpret_cast<FaultFile*>(file)->path;
    if (path != nullptr) {
        Buffer content = read_file(path);
        const std::scoped_lock lock(disk().mutex);
        disk().synced[path] = std::move(content);
    }
    return SQLITE_OK;
}

int on_close(sqlite3_file* file) {
    return real(file)->pMethods->xClose(real(file));
}
int on_read(sqlite3_file* file, void* data, int size, sqlite3_int64 at) {
    return real(file)->pMethods->xRead(real(file), data, size, at);
}
int on_file_size(sqlite3_file* file, sqlite3_int64* size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}
int on_lock(sqlite3_file* file, int kind) {
    return real(file)->pMethods->xLock(real(file), kind);
}
int on_unlock(sqlite3_file* file, int kind) {
    return real(file)->pMethods->xUnlock(real(file), kind);
}
int on_check_lock(sqlite3_file* file, int* held) {
    return real(file)->pMethods->xCheckReservedLock(real(file), held);
}
int on_control(sqlite3_file* file, int what, void* argument) {
    return real(file)->pMethods->xFileControl(real(file), what, argument);
}
int on_sector_size(sqlite3_file* file) {
    return real(file)->pMethods->xSectorSize(real(file));
}
int on_characteristics(sqlite3_file* file) {
    (void)file;
    return disk().overwrite_is_safe ? SQLITE_IOCAP_POWERSAFE_OVERWRITE : 0;
}
int on_shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}
int on_shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}
void on_shm_barrier(sqlite3_file* file) {
    real(file)->pMethods->xShmBarrier(real(file));
}
int on_shm_unmap(sqlite3_file* file, int remove) {
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

constexpr sqlite3_io_methods kMethods{2,
                                      on_close,
                                      on_read,
                                      on_write,
                                      on_truncate,
                                      on_sync,
                                      on_file_size,
                                      on_lock,
                                      on_unlock,
                                      on_check_lock,
                                      on_control,
                                      on_sector_size,
                                      on_characteristics,
                                      on_shm_map,
                                      on_shm_lock,
                                      on_shm_barrier,
                                      on_shm_unmap,
                                      nullptr,
                                      nullptr};

int on_open(sqlite3_vfs*, sqlite3_filename name, sqlite3_file* file, int flags, int* out_flags) {
    auto* own = new (file) FaultFile{};  // tidy: allow(ban) placement into SQLite's memory
    own->path = name;
    sqlite3_vfs* system = sqlite3_vfs_find("unix");
    const int opened = system->xOpen(system, name, real(file), flags, out_flags);
    // Without methods SQLite does not close it.
    own->base.pMethods = opened == SQLITE_OK ? &kMethods : nullptr;
    return opened;
}

sqlite3_vfs& wrapper() {
    static sqlite3_vfs vfs = [] {
        sqlite3_vfs copy = *sqlite3_vfs_find("unix");
        copy.szOsFile += static_cast<int>(sizeof(FaultFile));
        copy.zName = FaultVfs::kName;
        copy.xOpen = on_open;
        copy.pNext = nullptr;
        return copy;
    }();
    return vfs;
}

}  // namespace

FaultVfs::FaultVfs(Overwrite overwrite) {
    disk().overwrite_is_safe = overwrite == Overwrite::kSafe;
    REQUIRE(sqlite3_vfs_register(&wrapper(), 0) == SQLITE_OK);
    disarm();
    disk().struck = false;
    disk().sync_struck = false;
    disk().synced.clear();
}

FaultVfs::~FaultVfs() {
    sqlite3_vfs_unregister(&wrapper());
}

void FaultVfs::arm(Fault fault, std::int64_t at, bool sticky) {
    Disk& it = disk();
    const std::scoped_lock lock(it.mutex);
    it.fault = fault;
    it.left = at;
    it.sticky = sticky;
    it.struck = false;
    it.sync_struck = false;
}

void FaultVfs::disarm() {
    const std::scoped_lock lock(disk().mutex);
    disk().left = -1;
    disk().sticky = false;
}

bool FaultVfs::struck() {
    const std::scoped_lock lock(disk().mutex);
    return disk().struck;
}

bool FaultVfs::sync_struck() {
    const std::scoped_lock lock(disk().mutex);
    return disk().sync_struck;
}

void FaultVfs::cut_power() {
    const std::scoped_lock lock(disk().mutex);
    for (const auto& [path, content] : disk().synced) {
        if (std::filesystem::exists(path)) {
            write_file(path, content);
        }
        const std::string index = path + "-shm";
        std::filesystem::remove(index);
    }
    disk().synced.clear();
}

}  // namespace colophon::test
