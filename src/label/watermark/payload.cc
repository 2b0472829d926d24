// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/payload.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/credit_code.h"
#include "core/ids.h"
#include "core/result.h"
#include "label/watermark/key.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace colophon::label {

std::string_view payload_form_name(PayloadForm form) noexcept {
    constexpr std::array<std::string_view, kPayloadForms.size()> kNames{"standard", "short",
                                                                        "segment", "long"};
    return kNames[static_cast<std::size_t>(form)];
}

namespace {

constexpr std::uint64_t kHandleMask = 0xffffffffU;

constexpr std::size_t kSegmentBits = 12;

// A credit code without its check character as two numbers: who registered it, what kind of
// organisation it is and in which of 10^6 regions (32 bits), and its organisation code, of nine
// characters (48 bits).
struct ProviderNumbers {
    std::uint64_t region = 0;
    std::uint64_t organisation = 0;
};
constexpr std::size_t kKindChars = 2;
constexpr std::size_t kRegionChars = 6;
constexpr std::size_t kOrganisationChars = kCreditCodeChars - 1 - kKindChars - kRegionChars;
constexpr std::uint64_t kAlphabetSize = kCreditCodeAlphabet.size();

std::uint64_t value_of(std::string_view digits, std::uint64_t base) {
    std::uint64_t value = 0;
    for (const char digit : digits) {
        value = value * base + kCreditCodeAlphabet.find(digit);
    }
    return value;
}

// The last digits of `value`, which loses them.
std::string digits_of(std::uint64_t& value, std::size_t count, std::uint64_t base) {
    std::string digits(count, '0');
    for (std::size_t i = count; i-- > 0; value /= base) {
        digits[i] = kCreditCodeAlphabet[value % base];
    }
    return digits;
}

ProviderNumbers numbers_of(std::string_view code) {
    std::uint64_t region = value_of(code.substr(0, kKindChars), kAlphabetSize);
    for (const char digit : code.substr(kKindChars, kRegionChars)) {
        region = region * 10 + kCreditCodeAlphabet.find(digit);
    }
    return {.region = region,
            .organisation = value_of(code.substr(kKindChars + kRegionChars, kOrganisationChars),
                                     kAlphabetSize)};
}

// Nothing for numbers that no code gives: 46 of 47 random ones.
std::optional<MarkProvider> provider_of(ProviderNumbers numbers) {
    const std::string organisation =
        digits_of(numbers.organisation, kOrganisationChars, kAlphabetSize);
    const std::string region = digits_of(numbers.region, kRegionChars, 10);
    const std::string kind = digits_of(numbers.region, kKindChars, kAlphabetSize);
    if (numbers.organisation != 0 || numbers.region != 0) {
        return std::nullopt;
    }
    for (const char check : kCreditCodeAlphabet) {
        const auto provider = MarkProvider::create(kind + region + organisation + check);
        if (provider.ok()) {
            return *provider;
        }
    }
    return std::nullopt;
}

// What the bits say: the lower 64 of them, and what stands in front of these.
struct Content {
    std::uint64_t value = 0;
    std::uint64_t front = 0;
};

Content content_of(const WatermarkPayload& payload) {
    switch (payload.form) {
        case PayloadForm::kShort:
            return {.value = payload.content_id.value & kHandleMask};
        case PayloadForm::kLong: {
            COLOPHON_ASSERT(payload.provider.known());
            const ProviderNumbers numbers = numbers_of(payload.provider.text());
            return {.value = numbers.organisation << 48U | payload.content_id.value,
                    .front = numbers.region << 32U | numbers.organisation >> 16U};
        }
        case PayloadForm::kStandard:
        case PayloadForm::kSegment:
            break;
    }
    return {.value = std::uint64_t{payload.issuer.value} << 48U | payload.content_id.value,
            .front = payload.segment};
}

std::size_t value_bits(PayloadForm form) {
    return form == PayloadForm::kShort ? 32 : 64;
}

std::size_t front_bits(PayloadForm form) {
    return form == PayloadForm::kSegment ? kSegmentBits : form == PayloadForm::kLong ? 64 : 0;
}

}  // namespace

Result<MarkProvider> MarkProvider::create(std::string_view credit_code) {
    TRY(check_credit_code(credit_code));
    const std::string_view region = credit_code.substr(kKindChars, kRegionChars);
    if (!std::ranges::all_of(region, [](char c) { return c >= '0' && c <= '9'; })) {
        return Error{ErrorCode::kInvalidArgument,
                     "a unified social credit code has digits at positions 3 to 8, which are its "
                     "region; compare it with the business licence"};
    }
    MarkProvider provider;
    std::ranges::copy(credit_code, provider.code_.begin());
    return provider;
}

std::string_view MarkProvider::text() const noexcept {
    return known() ? std::string_view(code_.data(), code_.size()) : std::string_view();
}

Buffer payload_bytes(const WatermarkPayload& payload) {
    const Content content = content_of(payload);
    Buffer bytes;
    if (payload.form == PayloadForm::kShort) {
        append_be32(bytes, static_cast<std::uint32_t>(content.value));
        return bytes;
    }
    if (payload.form == PayloadForm::kLong) {
        append_be64(bytes, content.front);
    }
    append_be64(bytes, content.value);
    return bytes;
}

namespace internal {
namespace {

std::uint32_t checksum(PayloadForm form, const Content& content) {
    Buffer bytes{static_cast<std::uint8_t>(form)};
    append_be64(bytes, content.value);
    if (form == PayloadForm::kSegment) {
        append_be16(bytes, static_cast<std::uint16_t>(content.front));
    }
    if (form == PayloadForm::kLong) {
        append_be64(bytes, content.front);
    }
    return static_cast<std::uint32_t>(crc32(0, bytes.data(), static_cast<unsigned>(bytes.size())));
}

KeyStream whitener(const WatermarkKey& key, PayloadForm form) {
    return {key, fmt::format("whitening, {}", payload_form_name(form))};
}

void push_bits(std::vector<std::uint8_t>& bits, std::uint64_t value, std::size_t count) {
    for (std::size_t i = count; i-- > 0;) {
        bits.push_back(static_cast<std::uint8_t>(value >> i & 1U));
    }
}

std::uint64_t pull_bits(std::span<const std::uint8_t> bits) {
    std::uint64_t value = 0;
    for (const std::uint8_t bit : bits) {
        value = value << 1U | bit;
    }
    return value;
}

}  // namespace

std::size_t payload_bits(PayloadForm form) noexcept {
    return value_bits(form) + front_bits(form);
}

std::vector<std::uint8_t> pack_payload(const WatermarkPayload& payload, const WatermarkKey& key) {
    const Content content = content_of(payload);
    std::vector<std::uint8_t> bits;
    push_bits(bits, content.front, front_bits(payload.form));
    push_bits(bits, content.value, value_bits(payload.form));
    push_bits(bits, checksum(payload.form, content), kChecksumBits);
    KeyStream stream = whitener(key, payload.form);
    for (std::uint8_t& bit : bits) {
        bit = static_cast<std::uint8_t>(bit ^ static_cast<std::uint8_t>(stream.bit()));
    }
    return bits;
}

std::optional<WatermarkPayload> unpack_payload(std::span<const std::uint8_t> bits, PayloadForm form,
                                               const WatermarkKey& key) {
    const std::size_t count = payload_bits(form);
    COLOPHON_ASSERT(bits.size() == count + kChecksumBits);
    std::vector<std::uint8_t> plain(bits.begin(), bits.end());
    KeyStream stream = whitener(key, form);
    for (std::uint8_t& bit : plain) {
        bit = static_cast<std::uint8_t>(bit ^ static_cast<std::uint8_t>(stream.bit()));
    }
    const std::span<const std::uint8_t> all(plain);
    const std::size_t front = front_bits(form);
    const Content content{.value = pull_bits(all.subspan(front, value_bits(form))),
                          .front = pull_bits(all.first(front))};
    if (pull_bits(all.subspan(count)) != checksum(form, content)) {
        return std::nullopt;
    }
    WatermarkPayload payload{.form = form, .issuer = {}, .content_id = {}};
    payload.content_id.value = content.value & ContentId::kMax;
    switch (form) {
        case PayloadForm::kShort:
            break;
        case PayloadForm::kLong: {
            const auto provider = provider_of(
                {.region = content.front >> 32U,
                 .organisation = (content.front & kHandleMask) << 16U | content.value >> 48U});
            if (!provider) {
                return std::nullopt;
            }
            payload.provider = *provider;
            break;
        }
        case PayloadForm::kStandard:
        case PayloadForm::kSegment:
            payload.issuer.value = static_cast<std::uint16_t>(content.value >> 48U);
            payload.segment = static_cast<std::uint16_t>(content.front);
            break;
    }
    return payload;
}

}  // namespace internal
}  // namespace colophon::label
