// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file that comes to /v1/labels and /v1/verifications: the body itself, with the query saying
// more, or the field "file" of a form (multipart/form-data), whose other fields say the same. It is
// put into the spool and hashed as it comes, so that its size is no matter of memory.

#include "core/digest.h"
#include "core/result.h"
#include "core/spool.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"

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
    // Errors as those of SpooledFile::append(); kLimit also when too many calls wait.
    Task<Result<void>> put(std::string_view piece);
    struct Taken {
        SpooledFile file;
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
    std::optional<SpooledFile> file_;
    Hasher hasher_{DigestAlgorithm::kSha256};
};

// There is no room for the file now, or its disk fails.
Refusal spool_failure(const Error& error);

struct Upload {
    std::optional<FileIntake::Taken> taken;
    std::string name;           // as the caller has it; may be empty
    bool wants_signed = false;  // the result

    const SpooledFile& file() const noexcept { return taken->file; }
};

enum class UploadFor { kLabel, kVerification };

// Takes the body, at most settings.file_bytes_max. Service and origin, of a file to be labelled,
// become the call's; the file's digest goes into the record. `taken` is there when nothing is
// refused.
Task<std::optional<Refusal>> read_upload(const Parts& parts, Call& call, UploadFor purpose,
                                         Upload& upload);

}  // namespace colophon::gateway
