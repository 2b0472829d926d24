// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a watermark says: who issued the number, and the content id that finds the service record.
// Small pictures hold the short form: 32 bits of the content id, the issuer being implied by the
// key. The pictures of a video hold the segment form: which part of the video it is besides. Large
// pictures may hold the long form, whose issuer is no number of a list that somebody has to keep
// but the provider's unified social credit code, as in the label in metadata: it tells by itself
// who made a picture that has lost everything else [DSP-16].

#include "core/bytes.h"
#include "core/credit_code.h"
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
    kLong,      // credit code of the provider and content id, 128 bits
};
inline constexpr std::array kPayloadForms{PayloadForm::kStandard, PayloadForm::kShort,
                                          PayloadForm::kSegment, PayloadForm::kLong};
std::string_view payload_form_name(PayloadForm form) noexcept;  // "standard", "short", ...

inline constexpr std::uint16_t kSegmentMax = 0xfff;  // then from 0 again

// Who made the content: a unified social credit code (GB 32100-2015), or nobody who has one.
class MarkProvider {
public:
    constexpr MarkProvider() = default;
    static constexpr MarkProvider nobody() { return {}; }
    // kInvalidArgument: no such code (core/credit_code.h), or a letter among the six digits of its
    // region, for which the payload has no room.
    static Result<MarkProvider> create(std::string_view credit_code);

    constexpr bool known() const noexcept { return code_.front() != 0; }
    std::string_view text() const noexcept;  // 18 characters; empty when nobody is known
    constexpr bool operator==(const MarkProvider&) const = default;

private:
    std::array<char, kCreditCodeChars> code_{};
};

struct WatermarkPayload {
    PayloadForm form = PayloadForm::kStandard;
    IssuerId issuer;            // 0 in the short and the long form
    ContentId content_id;       // the low 32 bits in the short form
    std::uint16_t segment = 0;  // 0 .. kSegmentMax in the segment form, otherwise 0
    // Known in the long form (asserted when written), and only there.
    MarkProvider provider = MarkProvider::nobody();
    bool operator==(const WatermarkPayload&) const = default;
};

// Whether both say the same but for the segment.
constexpr bool same_source(const WatermarkPayload& a, const WatermarkPayload& b) noexcept {
    return a.issuer == b.issuer && a.content_id == b.content_id && a.provider == b.provider;
}

// The payload as whole bytes, in its own order of bits and without segments: 8, 4 or 16.
Buffer payload_bytes(const WatermarkPayload& payload);

namespace internal {

inline constexpr std::size_t kChecksumBits = 32;      // CRC-32 (ISO-HDLC) over form and payload
std::size_t payload_bits(PayloadForm form) noexcept;  // without the checksum: 64, 32, 76, 128

// Payload and checksum as bits, 0 or 1, whitened with the key: all zeros mean nothing.
std::vector<std::uint8_t> pack_payload(const WatermarkPayload& payload, const WatermarkKey& key);
// Nothing when the checksum does not fit, or when the bits of the provider are no credit code.
std::optional<WatermarkPayload> unpack_payload(std::span<const std::uint8_t> bits, PayloadForm form,
                                               const WatermarkKey& key);

}  // namespace internal
}  // namespace colophon::label
