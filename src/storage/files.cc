// SPDX-License-Identifier: Apache-2.0
#include "storage/files.h"

#include "core/bytes.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::storage {
namespace {

constexpr unsigned kOwnerFile = 0600;
constexpr unsigned kOwnerFolder = 0700;

int answer(int result) {
    return result < 0 ? -errno : result;
}

struct CloseFolder {
    void operator()(DIR* folder) const { closedir(folder); }
};

}  // namespace

int SystemFiles::create(const std::string& path) {
    return answer(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kOwnerFile));
}

int SystemFiles::open(const std::string& path) {
    return answer(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
}

int SystemFiles::open_folder(const std::string& path) {
    return answer(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int SystemFiles::close(int fd) {
    return answer(::close(fd));
}

std::int64_t SystemFiles::write(int fd, Bytes bytes) {
    const ssize_t done = ::write(fd, bytes.data(), bytes.size());
    return done < 0 ? -errno : done;
}

std::int64_t SystemFiles::read_at(int fd, std::span<std::uint8_t> out, std::uint64_t offset) {
    const ssize_t done = ::pread(fd, out.data(), out.size(), static_cast<off_t>(offset));
    return done < 0 ? -errno : done;
}

std::int64_t SystemFiles::size(int fd) {
    struct stat facts{};
    if (::fstat(fd, &facts) != 0) {
        return -errno;
    }
    return S_ISREG(facts.st_mode) ? std::int64_t{facts.st_size} : -EISDIR;
}

int SystemFiles::sync(int fd) {
    return answer(::fsync(fd));
}

int SystemFiles::lock(int fd) {
    return answer(::flock(fd, LOCK_EX | LOCK_NB));
}

int SystemFiles::same(int fd, const std::string& path) {
    struct stat held{};
    struct stat there{};
    if (::fstat(fd, &held) != 0) {
        return -errno;
    }
    if (::lstat(path.c_str(), &there) != 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    return held.st_dev == there.st_dev && held.st_ino == there.st_ino ? 1 : 0;
}

int SystemFiles::link(const std::string& from, const std::string& to) {
    return answer(::link(from.c_str(), to.c_str()));
}

int SystemFiles::rename(const std::string& from, const std::string& to) {
    return answer(::rename(from.c_str(), to.c_str()));
}

int SystemFiles::unlink(const std::string& path) {
    return answer(::unlink(path.c_str()));
}

int SystemFiles::make_folder(const std::string& path) {
    return answer(::mkdir(path.c_str(), kOwnerFolder));
}

int SystemFiles::remove_folder(const std::string& path) {
    return answer(::rmdir(path.c_str()));
}

int SystemFiles::list(const std::string& path, std::vector<Entry>& entries) {
    entries.clear();
    const std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
    if (!folder) {
        return -errno;
    }
    for (;;) {
        errno = 0;
        const dirent* found = ::readdir(folder.get());
        if (found == nullptr) {
            return -errno;
        }
        const std::string_view name = found->d_name;
        if (name == "." || name == "..") {
            continue;
        }
        // Some file systems do not say the kind with the name.
        unsigned char kind = found->d_type;
        if (kind == DT_UNKNOWN) {
            struct stat facts{};
            if (::lstat((path + "/" + found->d_name).c_str(), &facts) != 0) {
                continue;
            }
            kind = S_ISDIR(facts.st_mode) ? DT_DIR : S_ISREG(facts.st_mode) ? DT_REG : DT_UNKNOWN;
        }
        if (kind == DT_DIR || kind == DT_REG) {
            entries.push_back({std::string(name), kind == DT_DIR});
        }
    }
}

}  // namespace colophon::storage
