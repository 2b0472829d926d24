// SPDX-License-Identifier: Apache-2.0
#include "storage/internal/gathering_vfs.h"

#include "core/bytes.h"
#include "core/result.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <utility>

namespace colophon::storage {
namespace {

struct Layer {
    std::string name;
    std::string below;
    sqlite3_vfs vfs{};
};

// SQLite gives us this many bytes for each log; the file of the layer below lies right behind.
struct Log {
    sqlite3_file base;
    Buffer* gathered;      // owned
    std::size_t most;      // 0: nothing is gathered
    sqlite3_int64 begins;  // where what is gathered belongs
};
static_assert(sizeof(Log) % alignof(sqlite3_int64) == 0);

Log& log_of(sqlite3_file* file) {
    return *reinterpret_cast<Log*>(file);
}

sqlite3_file* below(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<Log*>(file) + 1);
}

// What could not be written is forgotten: SQLite gives up the commit that it belonged to.
int write_gathered(sqlite3_file* file) {
    Log& log = log_of(file);
    if (log.gathered->empty()) {
        return SQLITE_OK;
    }
    const int written = below(file)->pMethods->xWrite(
        below(file), log.gathered->data(), static_cast<int>(log.gathered->size()), log.begins);
    log.gathered->clear();
    return written;
}

int on_close(sqlite3_file* file) {
    const int written = write_gathered(file);
    delete log_of(file).gathered;  // tidy: allow(ban) made by on_open for a C library
    const int closed = below(file)->pMethods->xClose(below(file));
    return written == SQLITE_OK ? closed : written;
}

int on_read(sqlite3_file* file, void* data, int size, sqlite3_int64 at) {
    const int written = write_gathered(file);
    return written == SQLITE_OK ? below(file)->pMethods->xRead(below(file), data, size, at)
                                : written;
}

int on_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
    Log& log = log_of(file);
    Buffer& gathered = *log.gathered;
    const auto bytes = static_cast<std::size_t>(size);
    const bool follows = log.begins + static_cast<sqlite3_int64>(gathered.size()) == at;
    if (!follows || gathered.size() + bytes > log.most) {
        const int written = write_gathered(file);
        if (written != SQLITE_OK) {
            return written;
        }
    }
    if (bytes > log.most) {
        return below(file)->pMethods->xWrite(below(file), data, size, at);
    }
    if (gathered.empty()) {
        log.begins = at;
    }
    try {
        append(gathered, Bytes(static_cast<const std::uint8_t*>(data), bytes));
    } catch (const std::bad_alloc&) {
        return SQLITE_IOERR_NOMEM;
    }
    return SQLITE_OK;
}

int on_truncate(sqlite3_file* file, sqlite3_int64 size) {
    const int written = write_gathered(file);
    return written == SQLITE_OK ? below(file)->pMethods->xTruncate(below(file), size) : written;
}

int on_sync(sqlite3_file* file, int flags) {
    const int written = write_gathered(file);
    return written == SQLITE_OK ? below(file)->pMethods->xSync(below(file), flags) : written;
}

int on_file_size(sqlite3_file* file, sqlite3_int64* size) {
    const int written = write_gathered(file);
    return written == SQLITE_OK ? below(file)->pMethods->xFileSize(below(file), size) : written;
}

int on_lock(sqlite3_file* file, int kind) {
    return below(file)->pMethods->xLock(below(file), kind);
}
int on_unlock(sqlite3_file* file, int kind) {
    return below(file)->pMethods->xUnlock(below(file), kind);
}
int on_check_lock(sqlite3_file* file, int* held) {
    return below(file)->pMethods->xCheckReservedLock(below(file), held);
}
int on_control(sqlite3_file* file, int what, void* argument) {
    return below(file)->pMethods->xFileControl(below(file), what, argument);
}
int on_sector_size(sqlite3_file* file) {
    return below(file)->pMethods->xSectorSize(below(file));
}
int on_characteristics(sqlite3_file* file) {
    return below(file)->pMethods->xDeviceCharacteristics(below(file));
}

// Without the methods of shared memory and mapping, which SQLite asks of databases only.
constexpr sqlite3_io_methods kLogMethods{1,
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
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr,
                                         nullptr};

int on_open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* file, int flags,
            int* out_flags) {
    file->pMethods = nullptr;  // SQLite does not close what has none
    const auto& layer = *static_cast<const Layer*>(vfs->pAppData);
    sqlite3_vfs* next = sqlite3_vfs_find(layer.below.empty() ? nullptr : layer.below.c_str());
    if (next == nullptr || next->szOsFile > vfs->szOsFile - static_cast<int>(sizeof(Log))) {
        return SQLITE_CANTOPEN;
    }
    if ((flags & SQLITE_OPEN_WAL) == 0) {
        return next->xOpen(next, name, file, flags, out_flags);
    }
    auto* log = new (file) Log{};  // tidy: allow(ban) placement into SQLite's memory
    const int opened = next->xOpen(next, name, below(file), flags, out_flags);
    if (opened != SQLITE_OK) {
        return opened;
    }
    log->gathered = new (std::nothrow) Buffer();  // tidy: allow(ban) freed by on_close
    if (log->gathered == nullptr) {
        below(file)->pMethods->xClose(below(file));
        return SQLITE_NOMEM;
    }
    // Where a write may damage what lies beside it, SQLite pads its log, and tells of a commit
    // whose padding was written after the sync.
    const auto promises =
        static_cast<unsigned>(below(file)->pMethods->xDeviceCharacteristics(below(file)));
    log->most = (promises & SQLITE_IOCAP_POWERSAFE_OVERWRITE) != 0 ? kGatheredBytesMax : 0;
    log->base.pMethods = &kLogMethods;
    return SQLITE_OK;
}

}  // namespace

Result<std::string> gathering_vfs(const std::string& below) {
    static std::mutex mutex;
    static std::map<std::string, std::unique_ptr<Layer>> layers;
    const std::scoped_lock lock(mutex);
    const auto known = layers.find(below);
    if (known != layers.end()) {
        return known->second->name;
    }
    const sqlite3_vfs* next = sqlite3_vfs_find(below.empty() ? nullptr : below.c_str());
    if (next == nullptr) {
        return Error{ErrorCode::kNotFound, fmt::format("SQLite knows no file system {}", below)};
    }
    auto layer = std::make_unique<Layer>();
    layer->name = "colophon-" + below;
    layer->below = below;
    layer->vfs = *next;
    layer->vfs.zName = layer->name.c_str();
    layer->vfs.szOsFile += static_cast<int>(sizeof(Log));
    layer->vfs.pAppData = layer.get();
    layer->vfs.pNext = nullptr;
    layer->vfs.xOpen = on_open;
    if (sqlite3_vfs_register(&layer->vfs, 0) != SQLITE_OK) {
        return Error{ErrorCode::kUnavailable, "SQLite takes no further file system"};
    }
    return layers.emplace(below, std::move(layer)).first->second->name;
}

}  // namespace colophon::storage
