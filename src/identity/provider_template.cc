// SPDX-License-Identifier: Apache-2.0
#include "identity/provider_template.h"

#include "core/json.h"
#include "core/result.h"
#include "identity/answer_mapping.h"
#include "identity/internal/template_parts.h"
#include "identity/internal/template_section.h"
#include "identity/limits.h"
#include "identity/request_signature.h"
#include "identity/verification.h"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace colophon::identity {
namespace {

using internal::Section;
using internal::wrong;

constexpr int kRetriesMax = 3;
constexpr std::int64_t kAttemptMillisecondsMax = 60'000;

// What may stand in braces anywhere in the request; the signature knows more.
constexpr std::array<std::string_view, 12> kRequestNames{
    "name",  "number",          "mobile", "code",      "token",        "consent",
    "nonce", "idempotency_key", "order",  "timestamp", "timestamp_ms", "time"};
constexpr std::array<std::string_view, 8> kSignatureNames{
    "method", "host", "path", "query", "body", "body_sha256", "key_id", "signature"};

// Every {placeholder} of a pattern must be one of the known names.
Result<void> check_pattern(std::string_view key, std::string_view pattern, bool in_signature) {
    Placeholders known;
    for (const std::string_view name : kRequestNames) {
        known.emplace_back(name, "");
    }
    for (const std::string_view name : kSignatureNames) {
        if (in_signature) {
            known.emplace_back(name, "");
        }
    }
    const auto filled = fill_placeholders(pattern, known);
    return filled.ok() ? Result<void>() : wrong(key, filled.error().what);
}

Result<json::Value> read_json(const toml::node& node, std::string_view key, int depth) {
    if (depth > 8) {
        return wrong(key, "is nested too deeply");
    }
    if (const toml::table* table = node.as_table()) {
        json::Object object;
        for (const auto& [name, member] : *table) {
            object.emplace_back(std::string(name.str()), TRY(read_json(member, key, depth + 1)));
        }
        return json::Value(std::move(object));
    }
    if (const toml::array* list = node.as_array()) {
        json::Array array;
        for (const toml::node& element : *list) {
            array.push_back(TRY(read_json(element, key, depth + 1)));
        }
        return json::Value(std::move(array));
    }
    if (const auto text = node.value_exact<std::string>()) {
        TRY(check_pattern(key, *text, false));
        return json::Value(*text);
    }
    if (const auto number = node.value_exact<std::int64_t>()) {
        return json::Value(*number);
    }
    if (const auto truth = node.value_exact<bool>()) {
        return json::Value(*truth);
    }
    return wrong(key, "holds a value that is neither text, whole number, boolean, list nor table");
}

bool is_loopback(std::string_view host) noexcept {
    const std::string_view name = host.substr(0, host.rfind(':'));
    return name == "127.0.0.1" || name == "localhost" || name == "[::1]";
}

Result<void> read_url(Section& section, ProviderTemplate& provider) {
    const std::string url = TRY(section.needed_text("url"));
    const std::size_t slashes = url.find("://");
    const std::string_view scheme = std::string_view(url).substr(0, slashes);
    if (slashes == std::string::npos || (scheme != "https" && scheme != "http")) {
        return wrong("request.url", "must begin with https://");
    }
    const std::size_t slash = std::min(url.find('/', slashes + 3), url.size());
    provider.scheme_and_host = url.substr(0, slash);
    provider.path = slash == url.size() ? "/" : url.substr(slash);
    const std::string_view host = std::string_view(provider.scheme_and_host).substr(slashes + 3);
    if (host.empty() || host.find_first_of("@?#{} ") != std::string_view::npos) {
        return wrong("request.url", "has no host, or something else in its place");
    }
    if (scheme == "http" && !is_loopback(host)) {
        return wrong("request.url", "must be https: personal data go there");
    }
    if (provider.path.find_first_of("?#{} ") != std::string::npos) {
        return wrong("request.url", "has more than a path; parameters stand in request.query");
    }
    return {};
}

Result<void> read_parameters(Section& section, std::string_view key, Parameters& parameters) {
    Section members = TRY(section.section(key));
    parameters = TRY(members.texts());
    for (const auto& [name, value] : parameters) {
        TRY(check_pattern(members.full(name), value, false));
    }
    return {};
}

Result<void> read_request(Section& section, ProviderTemplate& provider) {
    provider.method = TRY(section.text("method", "POST"));
    if (provider.method != "POST" && provider.method != "GET") {
        return wrong("request.method", "must be POST or GET");
    }
    TRY(read_url(section, provider));
    provider.attempt_max = std::chrono::milliseconds(
        TRY(section.number("timeout_ms", 5'000, kAttemptMillisecondsMax)));
    if (provider.attempt_max.count() == 0) {
        return wrong("request.timeout_ms", "must be above 0");
    }
    provider.retries = static_cast<int>(TRY(section.number("retries", 1, kRetriesMax)));
    Parameters headers;
    TRY(read_parameters(section, "headers", headers));
    for (auto& [name, value] : headers) {
        provider.headers.push_back({.name = name, .value = value});
    }
    TRY(read_parameters(section, "query", provider.query));
    TRY(read_parameters(section, "form", provider.form));
    if (const toml::node* body = section.find("json")) {
        provider.json = TRY(read_json(*body, "request.json", 0));
    }
    if (provider.json && !provider.form.empty()) {
        return wrong("request", "has a form and JSON; a request has one body");
    }
    return section.nothing_else();
}

Result<void> read_hmac(Section& section, std::string_view kind, SignatureTemplate& signature) {
    const auto hash = internal::hmac_of(kind);
    if (!hash) {
        return wrong("signature.kind",
                     "must be none, acs3-hmac-sha256, tc3-hmac-sha256, hmac-sha256, hmac-sha512, "
                     "hmac-sha1 or hmac-sm3");
    }
    signature.kind = SignatureKind::kHmac;
    signature.hash = *hash;
    signature.message = TRY(section.needed_text("message"));
    signature.header = TRY(section.needed_text("header"));
    signature.value = TRY(section.text("value", "{signature}"));
    TRY(check_pattern("signature.message", signature.message, true));
    TRY(check_pattern("signature.value", signature.value, true));
    signature.encoding = TRY(internal::read_encoding(section));
    return {};
}

Result<void> read_signature(Section& section, const SecretSource& secrets,
                            SignatureTemplate& signature) {
    const std::string kind = TRY(section.text("kind", "none"));
    if (kind == "none") {
        return section.nothing_else();
    }
    signature.key.key_id = TRY(section.needed_text("key_id"));
    const std::string reference = TRY(section.needed_text("secret"));
    TRY(internal::check_secret_reference("signature.secret", reference));
    for (std::string* part : {&signature.key.key_id, &signature.key.secret}) {
        const std::string from = part == &signature.key.secret ? reference : *part;
        if (from.starts_with("env:") || from.starts_with("file:")) {
            *part = TRY(secrets(from));
        }
    }
    if (signature.key.secret.empty()) {
        return wrong("signature.secret", "is empty");
    }
    if (kind == "acs3-hmac-sha256") {
        signature.kind = SignatureKind::kAcs3;
    } else if (kind == "tc3-hmac-sha256") {
        signature.kind = SignatureKind::kTc3;
    } else {
        TRY(read_hmac(section, kind, signature));
    }
    return section.nothing_else();
}

Result<void> read_billed(Section& section, std::vector<Outcome>& billed) {
    const toml::node* node = section.find("billed");
    if (node == nullptr) {
        return {};
    }
    const toml::array* list = node->as_array();
    if (list == nullptr) {
        return wrong("answer.billed", "must be a list of outcomes");
    }
    billed.clear();
    for (const toml::node& each : *list) {
        const auto outcome = parse_outcome(each.value_exact<std::string>().value_or(""));
        if (!outcome.ok() || billed.size() >= kProviderPartsMax) {
            return wrong("answer.billed", "must be a list of outcomes");
        }
        billed.push_back(*outcome);
    }
    return {};
}

Result<void> read_answer(Section& section, ProviderTemplate& provider) {
    TRY(internal::read_mapping(section, provider.answer));
    TRY(read_billed(section, provider.billed));
    return section.nothing_else();
}

bool maps_to(const AnswerMapping& mapping, Outcome outcome) {
    return std::ranges::any_of(mapping.outcomes,
                               [&](const auto& row) { return row.second == outcome; });
}

// What is said later needs somebody who listens, and an order by which it is found again.
Result<void> check_outcomes(const ProviderTemplate& provider, std::string_view file) {
    const bool later = maps_to(provider.answer, Outcome::kPending);
    const bool can_match =
        maps_to(provider.answer, Outcome::kMatch) ||
        (later && provider.callback && maps_to(provider.callback->answer, Outcome::kMatch));
    if (!can_match) {
        return wrong("answer.outcomes", "has no value that means match");
    }
    if (later && !provider.callback) {
        return wrong("answer.outcomes", "has pending, and there is no table callback");
    }
    if (provider.callback && file.find("{order}") == std::string_view::npos) {
        return wrong("request", "must send {order}, by which callbacks say what they are about");
    }
    return {};
}

Result<void> read_head(Section& root, ProviderTemplate& provider) {
    provider.name = TRY(root.needed_text("name"));
    const bool plain = std::ranges::all_of(provider.name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    });
    if (!plain || provider.name.size() > 40) {
        return wrong("name", "must be at most 40 of a-z, 0-9, - and _");
    }
    provider.assurance = TRY(root.text("assurance", ""));
    const toml::node* means = root.find("means");
    const toml::array* list = means == nullptr ? nullptr : means->as_array();
    if (list == nullptr || list->empty() || list->size() > 4) {
        return wrong("means", "must be a list of what the provider verifies");
    }
    for (const toml::node& each : *list) {
        const auto one = parse_means(each.value_exact<std::string>().value_or(""));
        if (!one.ok()) {
            return wrong("means", one.error().what);
        }
        provider.means.push_back(*one);
    }
    return {};
}

Result<ProviderTemplate> read_template(const toml::table& table, std::string_view file,
                                       const SecretSource& secrets) {
    Section root(&table, "");
    ProviderTemplate provider;
    TRY(read_head(root, provider));
    Section request = TRY(root.section("request"));
    TRY(read_request(request, provider));
    Section signature = TRY(root.section("signature"));
    TRY(read_signature(signature, secrets, provider.signature));
    Section answer = TRY(root.section("answer"));
    TRY(read_answer(answer, provider));
    Section callback = TRY(root.section("callback"));
    if (callback.exists()) {
        provider.callback = TRY(internal::read_callback_template(callback, secrets));
    }
    TRY(root.nothing_else());
    TRY(check_outcomes(provider, file));
    return provider;
}

}  // namespace

Result<ProviderTemplate> parse_provider_template(std::string_view text,
                                                 const SecretSource& secrets) {
    if (text.size() > kProviderTemplateBytesMax) {
        return Error{ErrorCode::kLimit, fmt::format("a provider's file has at most {} bytes",
                                                    kProviderTemplateBytesMax)};
    }
    try {
        const toml::table table = toml::parse(text);
        return read_template(table, text, secrets);
    } catch (const toml::parse_error& failure) {
        return Error{ErrorCode::kInvalidArgument,
                     fmt::format("a provider's file is no TOML: {} in line {}",
                                 failure.description(), failure.source().begin.line)};
    } catch (const std::exception&) {
        return Error{ErrorCode::kUnavailable, "no memory to read a provider's file"};
    }
}

}  // namespace colophon::identity
