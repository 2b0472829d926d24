// SPDX-License-Identifier: Apache-2.0
#pragma once

// A file that comes over the network, put into the spool and hashed on the way.

#include "core/digest.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "http/loop.h"
#include "worker/spool.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::gateway {

// Takes a file piece by piece, as a coroutine that never waits for a disk in its own thread.
class FileIntake {
public:
    // `expected`: how large it will be, as far as that is known.
    FileIntake(const Parts& parts, http::Loop& loop, std::uint64_t expected)
        : parts_(parts), loop_(loop), expected_(expected) {}

    std::uint64_t size() const noexcept { return size_; }
    // Errors as those of worker::SpooledFile::append(); kLimit also when too many calls wait.
    Task<Result<void>> put(std::string_view piece);
    struct Taken {
        worker::SpooledFile file;
        Digest256 digest{};  // SHA-256
    };
    Task<Result<Taken>> finish();  // once

private:
    Result<void> write();

    const Parts& parts_;
    http::Loop& loop_;
    std::uint64_t expected_;
    std::uint64_t size_ = 0;
    std::string pending_;
    std::optional<worker::SpooledFile> file_;
    Hasher hasher_{DigestAlgorithm::kSha256};
};

// There is no room for the file now, or its disk fails.
Refusal spool_failure(const Error& error);

}  // namespace colophon::gateway
