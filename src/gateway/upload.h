// SPDX-License-Identifier: Apache-2.0
#pragma once

// The file that comes to /v1/labels and /v1/verifications: the body itself, with the query saying
// more, or the field "file" of a form (multipart/form-data), whose other fields say the same.

#include "core/task.h"
#include "gateway/call.h"
#include "gateway/refusal.h"

#include <optional>
#include <string>

namespace colophon::gateway {

struct Upload {
    std::string file;
    std::string name;           // as the caller has it; may be empty
    bool wants_signed = false;  // the result
};

enum class UploadFor { kLabel, kVerification };

// Reads the body whole, at most settings.file_bytes_max. Service and origin, of a file to be
// labelled, become the call's.
Task<std::optional<Refusal>> read_upload(Call& call, UploadFor purpose, Upload& upload);

}  // namespace colophon::gateway
