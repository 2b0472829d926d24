// SPDX-License-Identifier: Apache-2.0
#pragma once

// Keeps a second machine away from a file that several processes of one machine may share, as when
// a folder lies on a network file system: SQLite's WAL index is memory, which machines do not
// share.

#include "core/result.h"

#include <string>
#include <utility>

namespace colophon::storage {

// Held as long as it lives. The lock file stays: removing it would race with the next holder.
class MachineLock {
public:
    // `path` is that of the lock file. Error{kConflict} when another machine holds it, kNotFound
    // when its folder is missing, kDenied and kUnavailable as the system says.
    static Result<MachineLock> take(const std::string& path);
    MachineLock(MachineLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    MachineLock& operator=(MachineLock&&) = delete;
    MachineLock(const MachineLock&) = delete;
    MachineLock& operator=(const MachineLock&) = delete;
    ~MachineLock();

private:
    explicit MachineLock(int fd) : fd_(fd) {}
    int fd_;
};

}  // namespace colophon::storage
