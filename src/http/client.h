// SPDX-License-Identifier: Apache-2.0
#pragma once

// The outbound HTTP client: one request, one answer, over libcurl. It verifies certificates,
// follows no redirects, reads no settings from the environment, unpacks nothing and bounds time and
// size. What it means when something fails stands at HttpExchange. Connections are kept and used
// again.

#include "core/http_exchange.h"  // IWYU pragma: export

#include <cstdint>
#include <string>

namespace colophon::http {

// Which addresses a name may resolve to. kPublic is for URLs that somebody else wrote (webhooks):
// the address that is really connected to is judged, so neither DNS rebinding nor an odd spelling
// of 127.0.0.1 reaches the inside of a network.
enum class Reach : std::uint8_t { kAny, kPublic };

// NOLINTBEGIN(readability-redundant-member-init): GCC warns of members without an initialiser in
// `{.proxy = ...}`.
struct ClientOptions {
    Reach reach = Reach::kAny;
    std::string ca_file = {};     // PEM; empty: the system's certificates
    std::string pinned_key = {};  // "sha256//BASE64[;sha256//BASE64]" of the peer's public key
    std::string proxy = {};       // "http://host:port"; empty: none
    std::string user_agent = "colophon/" COLOPHON_VERSION;
};
// NOLINTEND(readability-redundant-member-init)

// Cheap to copy; copies share the kept connections. kUnavailable when libcurl cannot start,
// kInvalidArgument when the CA file cannot be read.
Result<HttpExchange> make_client_exchange(const ClientOptions& options = {});

// Whether an address may be reached under Reach::kPublic: not loopback, private, link-local,
// carrier-grade NAT, multicast, documentation, or an IPv6 form of one of these. Text as inet_ntop
// writes it; anything else is not public.
bool is_public_address(std::string_view address) noexcept;

}  // namespace colophon::http
