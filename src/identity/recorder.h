// SPDX-License-Identifier: Apache-2.0
#pragma once

// How a change is told to whoever keeps records. The recorder is asked before the transaction of
// the change begins, and what it answers is written by that transaction: no change without its
// record, no record without its change. An error of the recorder ends the change. Without a
// recorder nothing is recorded.

#include "core/json.h"
#include "storage/store.h"

#include <functional>
#include <string>

namespace colophon::identity {

struct Change {
    std::string operation;  // "tenant.create"
    json::Object facts;     // ids and settings; nothing that names a person
    json::Object names;     // what does
};

using Recorder = std::function<Result<storage::Batch>(const Change&)>;

}  // namespace colophon::identity
