// SPDX-License-Identifier: Apache-2.0
#pragma once

// SQLite writes its log in two pieces for each page, and syncs once for each commit. This layer
// between SQLite and the system gathers what is appended to a log until somebody syncs or reads it,
// so that a commit is one sync and, for each 64 KiB of pages, one write. Database files pass
// through untouched.
//
// Nothing is lost by it: a commit is told only after its sync, which writes first and fails when
// that write fails, and no other connection reads a page of the log before its commit was told.
// On a disk that does not promise SQLITE_IOCAP_POWERSAFE_OVERWRITE nothing is gathered.

#include "core/result.h"

#include <cstddef>
#include <string>

namespace colophon::storage {

// What is gathered at most before it is written. SQLite's own layer takes less than 128 KiB at
// once.
inline constexpr std::size_t kGatheredBytesMax = 64U << 10U;

// The name of such a layer over the one of this name (the system's own when empty). Made once for
// each name and kept until the program ends; kNotFound when there is none of this name. The one
// below must stay registered, or come back under its name, while the layer is used.
Result<std::string> gathering_vfs(const std::string& below);

}  // namespace colophon::storage
