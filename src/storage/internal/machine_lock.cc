// SPDX-License-Identifier: Apache-2.0
// Every process holds a shared lock on the file, in which stands the boot id of the machine that
// the first of them ran on. Only who can get the lock alone, so that nobody else is there, writes
// it.
#include "storage/internal/machine_lock.h"

#include "core/result.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace colophon::storage {
namespace {

constexpr int kAttempts = 100;

Error system_error(std::string_view what, const std::string& path) {
    const ErrorCode code = errno == ENOENT                     ? ErrorCode::kNotFound
                           : errno == EACCES || errno == EROFS ? ErrorCode::kDenied
                                                               : ErrorCode::kUnavailable;
    return Error{code, fmt::format("{} {}: {}", what, path, std::strerror(errno))};
}

std::string read_start(int fd) {
    std::array<char, 64> text{};
    const ssize_t got = pread(fd, text.data(), text.size(), 0);
    return {text.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

Result<std::string> boot_id() {
    constexpr const char* kPath = "/proc/sys/kernel/random/boot_id";
    const int fd = open(kPath, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return system_error("cannot open", kPath);
    }
    const std::string id = read_start(fd);
    close(fd);
    return id;
}

// Nothing when somebody else changed the lock between two looks.
Result<bool> try_take(int fd, const std::string& path, const std::string& own) {
    if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
        const bool wrote = ftruncate(fd, 0) == 0 && pwrite(fd, own.data(), own.size(), 0) ==
                                                        static_cast<ssize_t>(own.size());
        if (!wrote) {
            return system_error("cannot write", path);
        }
    }
    // Going from alone to shared may let go for a moment; therefore the look afterwards.
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK ? Result<bool>(false) : system_error("cannot lock", path);
    }
    const std::string holder = read_start(fd);
    if (holder == own) {
        return true;
    }
    if (holder.empty()) {
        return false;
    }
    return Error{ErrorCode::kConflict,
                 fmt::format("another machine has the database open ({}); an embedded database "
                             "belongs to one machine, use PostgreSQL for several",
                             path)};
}

}  // namespace

Result<MachineLock> MachineLock::take(const std::string& path) {
    const std::string own = TRY(boot_id());
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return system_error("cannot open", path);
    }
    MachineLock lock(fd);
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (TRY(try_take(fd, path, own))) {
            return lock;
        }
        usleep(2000);
    }
    return Error{ErrorCode::kUnavailable, fmt::format("{} stays locked", path)};
}

MachineLock::~MachineLock() {
    if (fd_ >= 0) {
        close(fd_);
    }
}

}  // namespace colophon::storage
