// SPDX-License-Identifier: Apache-2.0
#pragma once

// The keys with which programs call the gateway.
//
//   clp_live_0123456789ABCDEFGHIJKLMNOP_4pQx1Z     26 characters of base62 (154.8 bits), then the
//   clp_test_...                                   CRC-32 of all before the last '_' in base62
//
// The prefix lets secret scanners find a key that leaked, the CRC lets them and us refuse a typing
// mistake without asking the database. We keep the SHA-256 of the text only: 154 random bits need
// no slow hash. A key is shown once, when it is made.

#include "core/digest.h"
#include "core/random.h"
#include "core/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::identity {

enum class ApiKeyKind : std::uint8_t { kLive, kTest };

inline constexpr std::size_t kApiKeyChars = 42;

struct NewApiKey {
    std::string text;    // to be shown once and forgotten
    Digest256 digest{};  // to be kept
    std::string hint;    // the last four characters, to tell keys apart in lists
};

// kUnavailable when there is no randomness.
Result<NewApiKey> make_api_key(ApiKeyKind kind, Random& random);

struct ApiKeyText {
    ApiKeyKind kind = ApiKeyKind::kLive;
    Digest256 digest{};
};

// kInvalidArgument for whatever is not a key as make_api_key() writes it, byte for byte; the
// message never repeats it.
Result<ApiKeyText> parse_api_key(std::string_view text);

// Scopes are bits of what a key may do; a key has at least one.
enum class Scope : std::uint32_t {
    kGenerate = 1U << 0U,  // /v1/chat/completions and its like
    kLabel = 1U << 1U,     // /v1/labels, /v1/verifications
    kModerate = 1U << 2U,  // /v1/moderations
    kSubjects = 1U << 3U,  // register and verify the tenant's end users
    kRecords = 1U << 4U,   // read the tenant's service records
};
inline constexpr std::uint32_t kAllScopes = 0x1F;

bool has_scope(std::uint32_t scopes, Scope scope) noexcept;
std::string_view scope_name(Scope scope) noexcept;  // "generate", "label", ...
// "generate,label" or "all"; kInvalidArgument names the word that is none, or that there is none.
Result<std::uint32_t> parse_scopes(std::string_view text);
std::string format_scopes(std::uint32_t scopes);

}  // namespace colophon::identity
