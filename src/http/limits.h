// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the server and the upstream client take at most. Those of ServerLimits are settings; the
// others are constants.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace colophon::http {

inline constexpr std::size_t kHeadersMax = 100;         // fields of one head
inline constexpr std::size_t kTargetBytesMax = 8192;    // path and query
inline constexpr std::size_t kChunkLineBytesMax = 256;  // size and extensions of a chunk
inline constexpr std::size_t kTrailerBytesMax = 4096;
inline constexpr std::size_t kHeadBytesMax = 64U << 10U;      // of an upstream's answer
inline constexpr std::size_t kPipelineBytesMax = 64U << 10U;  // kept while a call is answered
inline constexpr std::size_t kSseEventBytesMax = 8U << 20U;

// NOLINTBEGIN(readability-redundant-member-init)
struct ServerLimits {
    std::size_t head_bytes_max = 16U << 10U;
    std::uint64_t body_bytes_max = 64ULL << 20U;
    std::size_t connections_max = 10'000;         // of each loop
    std::size_t per_peer_max = 1'000;             // connections of one address, of each loop
    std::size_t requests_max = 100'000;           // on one connection
    std::chrono::milliseconds head_time{10'000};  // from its first byte to its last
    std::chrono::milliseconds idle_time{75'000};  // between two requests, and before the first
    std::chrono::milliseconds body_time{30'000};  // without any byte of a body
    // A body must come at least this fast on the whole, after body_time.
    std::uint64_t body_bytes_a_second_min = 1024;
    std::chrono::milliseconds write_time{30'000};  // without the peer taking any byte
    std::chrono::milliseconds handshake_time{10'000};
};
// NOLINTEND(readability-redundant-member-init)

}  // namespace colophon::http
