// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files on their way out: labelled by a worker, read back, and only then given out.

#include "core/bytes.h"
#include "core/result.h"
#include "core/task.h"
#include "gateway/call.h"
#include "gateway/gateway.h"
#include "gateway/parts.h"
#include "gateway/refusal.h"
#include "label/apply.h"
#include "label/format.h"
#include "worker/spool.h"

#include <string>

namespace colophon::gateway {

// The options of a label for this call; Media adds marks and signature.
label::ApplyOptions apply_options(const Call& call);

// Puts on the file all marks that the call's service owes; its label becomes the call's label, its
// digest goes into the record. The file outlives the task.
Task<Result<Media::Labelled>> label_file(Gateway& gateway, Call& call,
                                         const worker::SpooledFile& file, std::string name,
                                         Media::Progress progress = {});

// The same of what is in memory, and is to be there again.
struct LabelledContent {
    Buffer content;
    label::Format format = label::Format::kPlainText;
};
Task<Result<LabelledContent>> label_content(Gateway& gateway, Call& call, Buffer content);

// What a failed labelling is to the caller: nothing goes out.
Refusal label_failure(const Error& error);

}  // namespace colophon::gateway
