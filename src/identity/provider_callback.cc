// SPDX-License-Identifier: Apache-2.0
// What a provider says later [DSP-9]: the signature over the raw bytes first, then the time, and
// only then is the body read.

#include "core/bytes.h"
#include "core/clock.h"
#include "core/digest.h"
#include "core/hmac.h"
#include "core/json.h"
#include "core/result.h"
#include "identity/answer_mapping.h"
#include "identity/limits.h"
#include "identity/provider.h"
#include "identity/provider_template.h"
#include "identity/request_signature.h"
#include "identity/verification.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace colophon::identity {
namespace {

constexpr std::size_t kHeaderBytesMax = 512;
constexpr std::size_t kOrderCharsMax = 64;

Error not_believed() {
    return Error{ErrorCode::kDenied,
                 "the callback is not signed by this provider, or not of this time"};
}

// Seconds or milliseconds since 1970: what is beyond the year 5138 in seconds is milliseconds.
std::optional<Time> time_of(std::string_view text) {
    std::int64_t number = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    constexpr std::int64_t kMillisecondsFrom = 100'000'000'000;
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < 0 ||
        number > kMillisecondsFrom * 1'000) {
        return std::nullopt;
    }
    return Time(std::chrono::milliseconds(number < kMillisecondsFrom ? number * 1'000 : number));
}

bool is_signed(const CallbackTemplate& expected, const Provider::Callback& callback,
               std::string_view timestamp) {
    const std::string_view given = callback.header(expected.signature_header);
    const std::string_view nonce =
        expected.nonce_header.empty() ? std::string_view() : callback.header(expected.nonce_header);
    if (given.empty() || given.size() > kHeaderBytesMax || nonce.size() > kHeaderBytesMax) {
        return false;
    }
    const auto message =
        fill_placeholders(expected.message, {{"timestamp", std::string(timestamp)},
                                             {"nonce", std::string(nonce)},
                                             {"method", std::string(callback.method)},
                                             {"path", std::string(callback.path)},
                                             {"body", std::string(as_text(callback.body))},
                                             {"body_sha256", to_hex(sha256(callback.body))}});
    if (!message.ok()) {
        return false;
    }
    std::string wanted = encoded_mac(expected.hash, expected.secret, *message, expected.encoding);
    std::string said(given);
    if (expected.encoding == MacEncoding::kHex) {
        std::ranges::transform(said, said.begin(), [](char c) {
            return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
        });
    }
    return equal_in_constant_time(as_bytes(wanted), as_bytes(said));
}

bool is_order(std::string_view text) {
    return !text.empty() && text.size() <= kOrderCharsMax && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    });
}

}  // namespace

Result<Provider::CallbackAnswer> Provider::read_callback(const Callback& callback) const {
    if (!template_.callback || callback.body.size() > kProviderAnswerBytesMax) {
        return not_believed();
    }
    const CallbackTemplate& expected = *template_.callback;
    const Time now = clock_.now();
    const std::string_view timestamp = callback.header(expected.timestamp_header);
    const std::optional<Time> said = time_of(timestamp);
    if (!is_signed(expected, callback, timestamp) || !said || *said < now - expected.within ||
        *said > now + expected.within) {
        return not_believed();
    }
    const auto root = json::parse(as_text(callback.body), {.bytes_max = kProviderAnswerBytesMax});
    const auto order = root.ok() ? value_at(*root, expected.order) : std::nullopt;
    if (!order || !is_order(*order)) {
        return Error{ErrorCode::kInvalidArgument, "the callback names no order of ours"};
    }
    MappedAnswer mapped = map_answer(200, callback.body, expected.answer);
    CallbackAnswer out;
    out.order = *order;
    out.answer.outcome = mapped.outcome;
    out.answer.provider = template_.name;
    out.answer.provider_reference = std::move(mapped.reference);
    out.answer.provider_code = std::move(mapped.code);
    out.answer.assurance = template_.assurance;
    out.answer.checked_at = now;
    out.answer.billable =
        std::ranges::find(template_.billed, out.answer.outcome) != template_.billed.end();
    TRY(random_.fill(out.answer.reply_salt));
    out.answer.reply_commitment = hmac_sha256(out.answer.reply_salt, callback.body);
    return out;
}

}  // namespace colophon::identity
