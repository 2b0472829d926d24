// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a watermark says: who issued the number, and the content id that finds the service record.
// Small pictures hold the short form: 32 bits of the content id, the issuer being implied by the
// key. The pictures of a video hold the segment form: which part of the video it is besides.

#include "core/ids.h"
#include "core/result.h"
#include "label/watermark/key.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace colophon::label {

enum class PayloadForm : std::uint8_t {
    kStandard,  // issuer and content id, 64 bits
    kShort,     // the low 32 bits of the content id
    kSegment,   // as standard, and 12 bits that count the segments of a video
};
inline constexpr std::array kPayloadForms{PayloadForm::kStandard, PayloadForm::kShort,
                                          PayloadForm::kSegment};
std::string_view payload_form_name(PayloadForm form) noexcept;  // "standard", "short", "segment"

inline constexpr std::uint16_t kSegmentMax = 0xfff;  // then from 0 again

struct WatermarkPayload {
    PayloadForm form = PayloadForm::kStandard;
    IssuerId issuer;            // 0 in the short form
    ContentId content_id;       // the low 32 bits in the short form
    std::uint16_t segment = 0;  // 0 .. kSegmentMax in the segment form, otherwise 0
    bool operator==(const WatermarkPayload&) const = default;
};

namespace internal {

inline constexpr std::size_t kChecksumBits = 32;      // CRC-32 (ISO-HDLC) over form and payload
std::size_t payload_bits(PayloadForm form) noexcept;  // without the checksum: 64, 32, 76

// Payload and checksum as bits, 0 or 1, whitened with the key: all zeros mean nothing.
std::vector<std::uint8_t> pack_payload(const WatermarkPayload& payload, const WatermarkKey& key);
// Nothing when the checksum does not fit.
std::optional<WatermarkPayload> unpack_payload(std::span<const std::uint8_t> bits, PayloadForm form,
                                               const WatermarkKey& key);

}  // namespace internal
}  // namespace colophon::label
