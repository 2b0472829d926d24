// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/payload.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "label/watermark/key.h"

#include <fmt/format.h>
#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace colophon::label {

std::string_view payload_form_name(PayloadForm form) noexcept {
    return form == PayloadForm::kStandard ? "standard" : "short";
}

namespace internal {
namespace {

constexpr std::uint64_t kHandleMask = 0xffffffffU;

std::uint64_t payload_value(const WatermarkPayload& payload) {
    return payload.form == PayloadForm::kStandard
               ? std::uint64_t{payload.issuer.value} << 48U | payload.content_id.value
               : payload.content_id.value & kHandleMask;
}

std::uint32_t checksum(PayloadForm form, std::uint64_t value) {
    Buffer bytes{static_cast<std::uint8_t>(form)};
    append_be64(bytes, value);
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
    return form == PayloadForm::kStandard ? 64 : 32;
}

std::vector<std::uint8_t> pack_payload(const WatermarkPayload& payload, const WatermarkKey& key) {
    const std::uint64_t value = payload_value(payload);
    std::vector<std::uint8_t> bits;
    push_bits(bits, value, payload_bits(payload.form));
    push_bits(bits, checksum(payload.form, value), kChecksumBits);
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
    const std::uint64_t value = pull_bits(all.first(count));
    if (pull_bits(all.subspan(count)) != checksum(form, value)) {
        return std::nullopt;
    }
    WatermarkPayload payload{.form = form, .issuer = {}, .content_id = {}};
    if (form == PayloadForm::kStandard) {
        payload.issuer.value = static_cast<std::uint16_t>(value >> 48U);
        payload.content_id.value = value & ContentId::kMax;
    } else {
        payload.content_id.value = value;
    }
    return payload;
}

}  // namespace internal
}  // namespace colophon::label
