// SPDX-License-Identifier: Apache-2.0
#pragma once

// Files of entries for review, for every verb that reads them.

#include "core/result.h"
#include "review/entry_list.h"

#include <string>

namespace colophon::cli {

// kInvalidArgument and kLimit name the file and the line.
Result<review::EntryList> read_entry_list(const std::string& path);

}  // namespace colophon::cli
