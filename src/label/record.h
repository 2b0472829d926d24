// SPDX-License-Identifier: Apache-2.0
#pragma once

// The label record: what is true about one piece of content, before any carrier writes it down.
// Each carrier takes from it what its standard wants (the TC260 AIGC object, IPTC, C2PA, watermark,
// visible or audible mark), so that all of them say the same.

#include "core/clock.h"
#include "core/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace colophon::label {

enum class Origin : std::uint8_t {
    kGenerated,  // made by a model
    kEdited,     // an existing work changed by a model
    kSuspected,  // nobody said so, but a detector or a trace suggests it
};

// The service kinds of the Provisions, article 17 [DSP-17]: the first five owe an explicit label,
// kOther owes the offer of one.
enum class ServiceClass : std::uint8_t {
    kDialogue,  // (1) dialogue or writing in the manner of a person
    kVoice,     // (2) synthetic or imitated voice
    kFace,      // (3) generated, replaced or manipulated faces, posture
    kScene,     // (4) immersive realistic scenes
    kContent,   // (5) other services that generate or notably change content
    kOther,     // paragraph 2
};

enum class Profile : std::uint8_t { kCn, kEu, kUsCa, kAll };
enum class Language : std::uint8_t { kZh, kEn };

struct LabelRecord {
    Origin origin = Origin::kGenerated;
    ServiceClass service = ServiceClass::kContent;
    std::string producer_code;  // 27 characters, or a name in the charset of Annex E
    std::string producer_name;
    std::string system_name;
    std::string system_version;
    std::optional<ContentId> content_id;
    Time created_at;
    std::string propagator_code;
};

std::string_view origin_name(Origin origin) noexcept;          // "generated", "edited", "suspected"
std::string_view service_name(ServiceClass service) noexcept;  // "dialogue", "voice", ...
std::string_view profile_name(Profile profile) noexcept;       // "cn", "eu", "us-ca", "all"
std::string_view language_name(Language language) noexcept;    // "zh", "en"
std::optional<Origin> parse_origin(std::string_view text) noexcept;
std::optional<ServiceClass> parse_service(std::string_view text) noexcept;
std::optional<Profile> parse_profile(std::string_view text) noexcept;
std::optional<Language> parse_language(std::string_view text) noexcept;

}  // namespace colophon::label
