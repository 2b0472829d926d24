// SPDX-License-Identifier: Apache-2.0
#pragma once

// What storage takes and gives at most.

#include <cstddef>
#include <cstdint>

namespace colophon::storage {

// PostgreSQL refuses payloads of 8,000 bytes and more.
inline constexpr std::size_t kNotificationBytesMax = 7'999;
inline constexpr std::size_t kChannelBytesMax = 60;  // PostgreSQL cuts names at 63
inline constexpr std::size_t kAnswerRowsMax = 100'000;
// About a second of work at the rate that one disk's fsync allows.
inline constexpr std::size_t kBatchesWaitingMax = 16'384;
// One value, one row. SQLite takes a gigabyte; nothing of ours needs a tenth of this.
inline constexpr std::size_t kValueBytesMax = 16U << 20U;
// Batches and bodies that share one transaction. Bounds what a failed commit takes with it.
inline constexpr std::size_t kGroupMax = 1024;
inline constexpr std::size_t kStatementsCachedMax = 512;  // per connection
inline constexpr std::size_t kObjectNameBytesMax = 512;
inline constexpr std::uint64_t kObjectInMemoryBytesMax = 64ULL << 20U;

}  // namespace colophon::storage
