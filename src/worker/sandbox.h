// SPDX-License-Identifier: Apache-2.0
#pragma once

// Locks the calling process for good: from here on it can compute, read and write the descriptors
// it is given, and nothing else. No file is opened, no socket made, no program run, whatever code a
// hostile file manages to start.

#include "core/result.h"

#include <cstdint>

namespace colophon::worker {

struct SandboxLimits {
    std::uint64_t memory_bytes = 6ULL << 30U;  // RLIMIT_DATA: heap and private mappings
    std::uint64_t file_bytes = 64ULL << 30U;   // RLIMIT_FSIZE: any file it writes
    std::uint32_t descriptors = 64;            // RLIMIT_NOFILE
};

// Applies to all threads of the process. kUnavailable when the kernel refuses: then nothing from
// outside may be read.
Result<void> lock_process(const SandboxLimits& limits);

}  // namespace colophon::worker
