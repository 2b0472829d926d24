// SPDX-License-Identifier: Apache-2.0
#pragma once

// What both engines ask of values, names and notifications before anything is sent, so that neither
// takes what the other refuses.

#include "storage/store.h"  // IWYU pragma: export

#include <string_view>

namespace colophon::storage {

// The text for this engine.
const char* sql_for(Statement statement, Engine engine) noexcept;

// Text must be UTF-8 without NUL, texts and bytes at most kValueBytesMax; otherwise
// Error{kInvalidArgument} or Error{kLimit}.
Result<void> check_values(const Values& values);
Result<void> check_channel(std::string_view channel);
Result<void> check_notification(const Notification& notification);
// All of a batch. That rows are as long as the list of columns is asserted.
Result<void> check_batch(const Batch& batch);
Result<void> check_insert(const BulkInsert& insert);

}  // namespace colophon::storage
