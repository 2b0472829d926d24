// SPDX-License-Identifier: Apache-2.0
#include "identity/api_key.h"

#include "core/bytes.h"
#include "core/digest.h"
#include "core/random.h"
#include "core/result.h"
#include "identity/internal/random_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace colophon::identity {
namespace {

constexpr std::string_view kLivePrefix = "clp_live_";
constexpr std::string_view kTestPrefix = "clp_test_";
constexpr std::size_t kRandomChars = 26;
constexpr std::size_t kCheckChars = 6;
constexpr std::size_t kHintChars = 4;
static_assert(kApiKeyChars == kLivePrefix.size() + kRandomChars + 1 + kCheckChars);

// CRC-32 as zlib and Ethernet have it (reflected 0x04C11DB7).
std::uint32_t crc32(std::string_view text) noexcept {
    std::uint32_t crc = 0xFFFFFFFF;
    for (const char c : text) {
        crc ^= static_cast<unsigned char>(c);
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? 0xEDB88320U : 0U);
        }
    }
    return ~crc;
}

std::string check_of(std::string_view body) {
    std::uint32_t rest = crc32(body);
    std::string check(kCheckChars, '0');
    for (std::size_t i = kCheckChars; i-- > 0;) {
        check[i] = internal::kBase62[rest % 62];
        rest /= 62;
    }
    return check;
}

Error no_key(std::string_view why) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("this is no API key: {}", why)};
}

struct Named {
    Scope scope;
    std::string_view name;
};

constexpr Named named(Scope scope, std::string_view name) {
    return {.scope = scope, .name = name};
}

constexpr std::array kScopes{named(Scope::kGenerate, "generate"), named(Scope::kLabel, "label"),
                             named(Scope::kModerate, "moderate"),
                             named(Scope::kSubjects, "subjects"),
                             named(Scope::kRecords, "records")};

}  // namespace

Result<NewApiKey> make_api_key(ApiKeyKind kind, Random& random) {
    NewApiKey key;
    key.text = kind == ApiKeyKind::kLive ? kLivePrefix : kTestPrefix;
    key.text += TRY(internal::random_text(random, internal::kBase62, kRandomChars));
    const std::string check = check_of(key.text);
    key.text += '_';
    key.text += check;
    key.digest = sha256(as_bytes(key.text));
    key.hint = key.text.substr(key.text.size() - kHintChars);
    return key;
}

Result<ApiKeyText> parse_api_key(std::string_view text) {
    const bool live = text.starts_with(kLivePrefix);
    if (!live && !text.starts_with(kTestPrefix)) {
        return no_key("it begins with neither clp_live_ nor clp_test_");
    }
    if (text.size() != kApiKeyChars) {
        return no_key(fmt::format("it has {} characters instead of {}", text.size(), kApiKeyChars));
    }
    const std::string_view body = text.substr(0, kLivePrefix.size() + kRandomChars);
    const bool letters = std::ranges::all_of(body.substr(kLivePrefix.size()), [](char c) {
        return internal::kBase62.find(c) != std::string_view::npos;
    });
    if (!letters || text[body.size()] != '_' || text.substr(body.size() + 1) != check_of(body)) {
        return no_key("its check characters are wrong; copy it again, whole");
    }
    return ApiKeyText{.kind = live ? ApiKeyKind::kLive : ApiKeyKind::kTest,
                      .digest = sha256(as_bytes(text))};
}

bool has_scope(std::uint32_t scopes, Scope scope) noexcept {
    return (scopes & static_cast<std::uint32_t>(scope)) != 0;
}

std::string_view scope_name(Scope scope) noexcept {
    const auto* found = std::ranges::find(kScopes, scope, &Named::scope);
    return found == kScopes.end() ? std::string_view() : found->name;
}

Result<std::uint32_t> parse_scopes(std::string_view text) {
    if (text == "all") {
        return kAllScopes;
    }
    if (text.empty()) {
        return Error{ErrorCode::kInvalidArgument, "a key has at least one scope"};
    }
    std::uint32_t scopes = 0;
    for (bool more = true; more;) {
        const std::size_t comma = std::min(text.find(','), text.size());
        more = comma < text.size();
        const std::string_view word = text.substr(0, comma);
        const auto* found = std::ranges::find(kScopes, word, &Named::name);
        if (found == kScopes.end()) {
            return Error{ErrorCode::kInvalidArgument,
                         fmt::format("'{}' is no scope; there are generate, label, moderate, "
                                     "subjects, records and all",
                                     word.substr(0, 40))};
        }
        scopes |= static_cast<std::uint32_t>(found->scope);
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return scopes;
}

std::string format_scopes(std::uint32_t scopes) {
    std::string text;
    for (const Named& each : kScopes) {
        if (has_scope(scopes, each.scope)) {
            text += text.empty() ? "" : ",";
            text += each.name;
        }
    }
    return text;
}

}  // namespace colophon::identity
