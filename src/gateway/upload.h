// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file that comes to /v1/labels and /v1/verifications: the body itself, with the query saying
// more, or the field "file" of a form (multipart/form-data), whose other fields say the same. It is
// put into the spool and hashed as it comes, so that its size is no matter of memory.

#include "core/task.h"
#include "gateway/call.h"
#include "gateway/file_intake.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "worker/spool.h"

#include <optional>
#include <string>

namespace colophon::gateway {

struct Upload {
    std::optional<FileIntake::Taken> taken;
    std::string name;           // as the caller has it; may be empty
    bool wants_signed = false;  // the result

    const worker::SpooledFile& file() const noexcept { return taken->file; }
};

enum class UploadFor { kLabel, kVerification };

// Takes the body, at most settings.file_bytes_max. Service and origin, of a file to be labelled,
// become the call's; the file's digest goes into the record. `taken` is there when nothing is
// refused.
Task<std::optional<Refusal>> read_upload(const Parts& parts, Call& call, UploadFor purpose,
                                         Upload& upload);

}  // namespace colophon::gateway
