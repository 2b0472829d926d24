// SPDX-License-Identifier: Apache-2.0
#include "label/watermark/payload.h"

#include "core/assert.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "label/watermark/key.h"

#include <fmt/format.h>
#include <zlib.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace colophon::label {

std::string_view payload_form_name(PayloadForm form) noexcept {
    constexpr std::array<std::string_view, kPayloadForms.size()> kNames{"standard", "short",
                                                                        "segment"};
    return kNames[static_cast<std::size_t>(form)];
}

namespace internal {
namespace {

constexpr std::uint64_t kHandleMask = 0xffffffffU;

constexpr std::size_t kSegmentBits = 12;

// What the bits say: the number, and in front of it the segment where there is one.
struct Content {
    std::uint64_t value = 0;
    std::uint16_t segment = 0;
};

Content content_of(const WatermarkPayload& payload) {
    if (payload.form == PayloadForm::kShort) {
        return {.value = payload.content_id.value & kHandleMask};
    }
    return {.value = std::uint64_t{payload.issuer.value} << 48U | payload.content_id.value,
            .segment = payload.segment};
}

std::size_t value_bits(PayloadForm form) {
    return form == PayloadForm::kShort ? 32 : 64;
}

std::uint32_t checksum(PayloadForm form, const Content& content) {
    Buffer bytes{static_cast<std::uint8_t>(form)};
    append_be64(bytes, content.value);
    if (form == PayloadForm::kSegment) {
        append_be16(bytes, content.segment);
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
    return value_bits(form) + (form == PayloadForm::kSegment ? kSegmentBits : 0);
}

std::vector<std::uint8_t> pack_payload(const WatermarkPayload& payload, const WatermarkKey& key) {
    const Content content = content_of(payload);
    std::vector<std::uint8_t> bits;
    push_bits(bits, content.segment, payload_bits(payload.form) - value_bits(payload.form));
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
    const std::size_t before = count - value_bits(form);
    const Content content{.value = pull_bits(all.subspan(before, value_bits(form))),
                          .segment = static_cast<std::uint16_t>(pull_bits(all.first(before)))};
    if (pull_bits(all.subspan(count)) != checksum(form, content)) {
        return std::nullopt;
    }
    WatermarkPayload payload{.form = form, .issuer = {}, .content_id = {}};
    if (form == PayloadForm::kShort) {
        payload.content_id.value = content.value;
    } else {
        payload.issuer.value = static_cast<std::uint16_t>(content.value >> 48U);
        payload.content_id.value = content.value & ContentId::kMax;
        payload.segment = content.segment;
    }
    return payload;
}

}  // namespace internal
}  // namespace colophon::label
