// SPDX-License-Identifier: Apache-2.0
#include "identity/internal/template_parts.h"

#include "core/hmac.h"
#include "core/result.h"
#include "identity/answer_mapping.h"
#include "identity/internal/template_section.h"
#include "identity/provider_template.h"
#include "identity/request_signature.h"
#include "identity/verification.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity::internal {
namespace {

constexpr std::int64_t kWithinSecondsMax = 3'600;
constexpr std::int64_t kWaitMinutesMax = 1'440;  // a day
constexpr std::array<std::string_view, 6> kCallbackNames{"timestamp", "nonce",       "body",
                                                         "method",    "body_sha256", "path"};

struct HmacKind {
    std::string_view name;
    HmacHash hash;
};
constexpr std::array<HmacKind, 4> kHmacKinds{
    HmacKind{.name = "hmac-sha256", .hash = HmacHash::kSha256},
    HmacKind{.name = "hmac-sha512", .hash = HmacHash::kSha512},
    HmacKind{.name = "hmac-sha1", .hash = HmacHash::kSha1},
    HmacKind{.name = "hmac-sm3", .hash = HmacHash::kSm3}};

Result<std::vector<std::pair<std::string, Outcome>>> read_outcomes(Section& parent,
                                                                   std::string_view key) {
    Section section = TRY(parent.section(key));
    std::vector<std::pair<std::string, Outcome>> outcomes;
    for (const auto& [value, name] : TRY(section.texts())) {
        const auto outcome = parse_outcome(name);
        if (!outcome.ok()) {
            return wrong(section.full(value), outcome.error().what);
        }
        outcomes.emplace_back(value, *outcome);
    }
    return outcomes;
}

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return text;
}

Result<void> check_message(std::string_view message) {
    Placeholders known;
    for (const std::string_view name : kCallbackNames) {
        known.emplace_back(name, "");
    }
    const auto filled = fill_placeholders(message, known);
    if (!filled.ok()) {
        return wrong("callback.message", filled.error().what);
    }
    const bool covers = message.find("{timestamp}") != std::string_view::npos &&
                        (message.find("{body}") != std::string_view::npos ||
                         message.find("{body_sha256}") != std::string_view::npos);
    return covers ? Result<void>() : wrong("callback.message", "must cover the time and the body");
}

}  // namespace

std::optional<HmacHash> hmac_of(std::string_view kind) {
    const auto* found = std::ranges::find(kHmacKinds, kind, &HmacKind::name);
    return found == kHmacKinds.end() ? std::nullopt : std::optional(found->hash);
}

Result<MacEncoding> read_encoding(Section& section) {
    const std::string encoding = TRY(section.text("encoding", "hex"));
    if (encoding != "hex" && encoding != "base64") {
        return wrong(section.full("encoding"), "must be hex or base64");
    }
    return encoding == "hex" ? MacEncoding::kHex : MacEncoding::kBase64;
}

Result<void> check_secret_reference(std::string_view key, std::string_view reference) {
    if (!reference.starts_with("env:") && !reference.starts_with("file:")) {
        return wrong(key, "must be env:NAME or file:PATH, not the secret itself");
    }
    return {};
}

Result<void> read_mapping(Section& section, AnswerMapping& mapping) {
    const std::string outcome_path = TRY(section.needed_text("outcome"));
    mapping.outcome = TRY(parse_json_path(outcome_path));
    mapping.outcomes = TRY(read_outcomes(section, "outcomes"));
    if (const std::string path = TRY(section.text("error", "")); !path.empty()) {
        mapping.error = TRY(parse_json_path(path));
    }
    mapping.errors = TRY(read_outcomes(section, "errors"));
    for (const auto& [value, outcome] : mapping.errors) {
        if (outcome == Outcome::kMatch) {
            return wrong(section.full("errors"), "maps an error to match");
        }
    }
    if (const std::string path = TRY(section.text("reference", "")); !path.empty()) {
        mapping.reference = TRY(parse_json_path(path));
    }
    Section required = TRY(section.section("required"));
    for (const auto& [path, value] : TRY(required.texts())) {
        JsonPath place = TRY(parse_json_path(path));
        mapping.required.emplace_back(std::move(place), value);
    }
    return {};
}

Result<CallbackTemplate> read_callback_template(Section& section, const SecretSource& secrets) {
    CallbackTemplate callback;
    const std::string kind = TRY(section.text("kind", "hmac-sha256"));
    const auto hash = hmac_of(kind);
    if (!hash) {
        return wrong("callback.kind", "must be hmac-sha256, hmac-sha512, hmac-sha1 or hmac-sm3");
    }
    callback.hash = *hash;
    callback.encoding = TRY(read_encoding(section));
    const std::string reference = TRY(section.needed_text("secret"));
    TRY(check_secret_reference("callback.secret", reference));
    callback.secret = TRY(secrets(reference));
    if (callback.secret.empty()) {
        return wrong("callback.secret", "is empty");
    }
    callback.message = TRY(section.needed_text("message"));
    TRY(check_message(callback.message));
    callback.signature_header = lower(TRY(section.needed_text("signature")));
    callback.timestamp_header = lower(TRY(section.needed_text("timestamp")));
    callback.nonce_header = lower(TRY(section.text("nonce", "")));
    callback.within =
        std::chrono::seconds(TRY(section.number("within_seconds", 300, kWithinSecondsMax)));
    callback.wait = std::chrono::minutes(TRY(section.number("wait_minutes", 30, kWaitMinutesMax)));
    const std::string order = TRY(section.needed_text("order"));
    callback.order = TRY(parse_json_path(order));
    TRY(read_mapping(section, callback.answer));
    TRY(section.nothing_else());
    return callback;
}

}  // namespace colophon::identity::internal
