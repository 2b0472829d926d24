// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which network addresses lie outside: the judge behind Reach::kPublic.

struct sockaddr;

namespace colophon::http::internal {

// False for everything but IPv4 and IPv6 addresses that are globally reachable
// (IANA special-purpose registries: RFC 6890 and its updates).
bool is_public(const sockaddr* address) noexcept;

}  // namespace colophon::http::internal
