// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which marks does a service owe on a file? [DSP-16]: an implicit label on everything. [DSP-17]: an
// explicit one for the five services that can confuse the public; for the others it is offered.

#include "core/result.h"
#include "label/format.h"
#include "label/record.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label {

// In the order in which they are applied: each covers the ones before it.
enum class Mark : std::uint8_t { kExplicit, kWatermark, kMetadata, kProvenance };

std::string_view mark_name(
    Mark mark) noexcept;  // "explicit", "watermark", "metadata", "provenance"

class MarkSet {
public:
    constexpr MarkSet() = default;
    constexpr bool has(Mark mark) const noexcept { return (bits_ & bit(mark)) != 0; }
    constexpr MarkSet& add(Mark mark) noexcept {
        bits_ = static_cast<std::uint8_t>(bits_ | bit(mark));
        return *this;
    }
    constexpr MarkSet& remove(Mark mark) noexcept {
        bits_ = static_cast<std::uint8_t>(bits_ & ~bit(mark));
        return *this;
    }
    constexpr bool empty() const noexcept { return bits_ == 0; }
    bool operator==(const MarkSet&) const = default;

private:
    static constexpr unsigned bit(Mark mark) noexcept { return 1U << static_cast<unsigned>(mark); }
    std::uint8_t bits_ = 0;
};

// "explicit,metadata"; kInvalidArgument names the word that is no mark.
Result<MarkSet> parse_marks(std::string_view text);
std::string to_string(MarkSet marks);

struct LabelPlan {
    MarkSet owed;  // what this version writes for that service, profile and format
    MarkSet
        tried;  // what it writes besides where the content can hold it: a finding says where not
    MarkSet out_of_reach;  // what the profile asks for besides and this version cannot write yet
};

// The service that a kind of content is taken for when nobody says: dialogue for text, voice for
// sound, content for pictures and video.
ServiceClass default_service(Kind kind) noexcept;

// Whether this version can put visible or audible words on a file of that format.
bool takes_explicit_mark(Format format) noexcept;

LabelPlan plan(ServiceClass service, Profile profile, Format format) noexcept;

}  // namespace colophon::label
