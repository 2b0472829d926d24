// SPDX-License-Identifier: Apache-2.0
#pragma once

// Content Credentials that lie elsewhere, and what only others can tell of them, fetched because
// somebody asked for that (verify --fetch-manifests, --fetch-revocation, --fetch-data): who holds
// the other end learns that the file is looked at, so nothing else ever does it.

#include "core/bytes.h"
#include "core/http_exchange.h"
#include "core/limits.h"
#include "label/provenance/inquiry.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace colophon::cli {

inline constexpr std::uint64_t kRemoteManifestBytesMax = limits::kDetachedStoreBytesMax;
inline constexpr std::chrono::milliseconds kRemoteManifestConnectMax{5'000};
inline constexpr std::chrono::milliseconds kRemoteManifestTotalMax{10'000};  // with redirects
inline constexpr int kRemoteManifestRedirectsMax = 3;

enum class FetchReach : std::uint8_t { kPublic, kAny };

// kUnavailable when no request can be made at all.
Result<HttpExchange> open_manifest_exchange(FetchReach reach);

// The manifest store at `link`, as the file names it. kInvalidArgument for what is no http or https
// address, kCorrupt when something else lies there, otherwise as http::fetch(). What the answer
// says that it is does not count; its first bytes do.
Result<Buffer> fetch_manifest(const HttpExchange& exchange, const std::string& link);

// What came of asking each, in their order.
std::vector<label::provenance::Answer> ask_others(
    const HttpExchange& exchange, const std::vector<label::provenance::Question>& questions);

}  // namespace colophon::cli
